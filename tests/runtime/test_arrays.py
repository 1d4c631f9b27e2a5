"""The border between arrays and tensors."""

import numpy as np
import pytest
import torch
from thinc.api import NumpyOps

from spacy_tokclf.runtime.arrays import to_array, to_host, to_tensor

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
