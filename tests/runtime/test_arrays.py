"""The border between arrays and tensors."""

import types
import warnings

import numpy as np
import pytest
import torch
from thinc.api import NumpyOps

from spacy_tokclf.runtime import arrays
from spacy_tokclf.runtime.arrays import as_tensor_of, host_copy, is_finite, to_array, to_host, to_tensor

CPU = torch.device("cpu")


def test_arrays_and_tensors_share_memory_on_the_cpu():
    array = np.arange(6, dtype="float32").reshape(2, 3)
    tensor = to_tensor(array, CPU)
    array[0, 0] = 9.0
    assert tensor[0, 0] == 9.0
    back = to_array(tensor, NumpyOps())
    assert back.dtype == np.float32 and back.base is not None
    np.testing.assert_array_equal(back, array)
    assert to_tensor(np.array([1, 2]), CPU).dtype == torch.int64


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.float32])
def test_arrays_are_float32(dtype):
    tensor = torch.ones(2, 3, dtype=dtype, requires_grad=True)
    array = to_array(tensor * 2, NumpyOps())
    assert array.dtype == np.float32 and (array == 2.0).all()
    with torch.inference_mode():
        assert to_array(tensor * 2, NumpyOps()).dtype == np.float32


def test_to_host_is_contiguous_and_without_history():
    tensor = torch.ones(2, 3, requires_grad=True).t() * 2
    host = to_host(tensor)
    assert host.is_contiguous() and not host.requires_grad
    assert torch.equal(host, tensor)


class Elsewhere:
    """An array as CuPy's are: not numpy's, and shared by the protocol. Its older way is not to be gone."""

    def __init__(self, values):
        self.values = values
        self.asked = []

    def __dlpack__(self, **how):
        self.asked.append(how)
        return self.values.__dlpack__()

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()

    def toDlpack(self):
        pytest.fail("the deprecated function was called")


@pytest.fixture
def without_thinc(monkeypatch):
    for name in ("xp2torch", "torch2xp"):
        monkeypatch.setattr(arrays, name, lambda *args, **kwargs: pytest.fail("thinc was asked"))


def test_arrays_of_a_gpu_are_shared_by_the_protocol(without_thinc):
    array = Elsewhere(np.arange(6, dtype="float32").reshape(2, 3))
    for tensor in (to_tensor(array, CPU), as_tensor_of(array), host_copy(array)):
        assert torch.equal(tensor, torch.arange(6.0).reshape(2, 3))
    assert is_finite(array) and len(array.asked) == 4
    as_tensor_of(array)[0, 0] = 7.0
    assert array.values[0, 0] == 7.0


def test_tensors_of_a_gpu_are_shared_by_the_protocol(without_thinc):
    ops = types.SimpleNamespace(xp=types.SimpleNamespace(from_dlpack=np.from_dlpack))
    tensor = torch.arange(6.0).reshape(2, 3)
    array = arrays._shared_array(tensor, ops)
    tensor[0, 0] = 7.0
    assert array[0, 0] == 7.0


def test_where_there_is_no_protocol_thinc_is_asked(monkeypatch):
    monkeypatch.setattr(arrays, "xp2torch", lambda array: torch.ones(2))
    monkeypatch.setattr(arrays, "torch2xp", lambda tensor, ops: "an array")
    assert torch.equal(to_tensor(object(), CPU), torch.ones(2))
    assert arrays._shared_array(torch.ones(2), types.SimpleNamespace(xp=object())) == "an array"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_with_cupy():
    cupy = pytest.importorskip("cupy")
    from thinc.api import CupyOps

    ops, gpu = CupyOps(), torch.device("cuda:0")
    array = cupy.arange(6, dtype="float32").reshape(2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of what is deprecated
        tensor = to_tensor(array, gpu)
        back = to_array(tensor * 2, ops)
    assert tensor.device == gpu and tensor.data_ptr() == array.data.ptr
    assert isinstance(back, cupy.ndarray) and back.tolist() == [[0.0, 2.0, 4.0], [6.0, 8.0, 10.0]]
    assert to_tensor(array, CPU).tolist() == array.tolist() == host_copy(array).tolist()
    with torch.cuda.stream(torch.cuda.Stream()), cupy.cuda.Stream(non_blocking=True):
        large = cupy.ones((4096, 4096), dtype="float32")
        for _ in range(8):
            large = large * 2
        assert float(to_tensor(large, gpu).min()) == 256.0  # torch waits for what CuPy computes
        assert float(to_array(to_tensor(large, gpu) * 2, ops).max()) == 512.0  # and CuPy for torch
