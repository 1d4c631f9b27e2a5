"""Devices, precisions and the border between arrays and tensors."""

import os
import platform
import subprocess
import sys

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from thinc.api import NumpyOps

from spacy_tokclf import device as device_module
from spacy_tokclf.device import (
    ENV_DEVICE,
    DropoutMasks,
    current_device,
    device_of,
    linear_product,
    place,
    resolve_precision,
    rng_kept,
    running,
    set_device,
    to_array,
    to_host,
    to_tensor,
)

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def no_choice(monkeypatch):
    monkeypatch.delenv(ENV_DEVICE, raising=False)
    yield
    set_device(None)


def test_the_device_follows_thinc_unless_one_is_chosen(monkeypatch):
    assert current_device() == CPU
    monkeypatch.setattr(device_module, "get_torch_default_device", lambda: torch.device("cuda", 1))
    assert current_device() == torch.device("cuda", 1)
    monkeypatch.setenv(ENV_DEVICE, "auto")
    assert current_device() == torch.device("cuda", 1)
    monkeypatch.setenv(ENV_DEVICE, "meta")
    assert current_device() == torch.device("meta")
    set_device("cpu")
    assert current_device() == CPU
    set_device(None)
    assert current_device() == torch.device("meta")


def test_a_module_is_moved_once():
    module = torch.nn.Linear(2, 2)
    place(module)
    assert device_of(module) == CPU
    set_device("meta")
    place(module)
    assert device_of(module) == torch.device("meta")


@pytest.mark.parametrize(("target", "moves"), [("cuda", 0), ("cuda:0", 0), ("cuda:1", 1), ("cpu", 1)])
def test_a_gpu_without_a_number_is_any_gpu(monkeypatch, target, moves):
    monkeypatch.setattr(device_module, "device_of", lambda module: torch.device("cuda", 0))
    moved = []

    class Module:
        to = moved.append

    set_device(target)
    place(Module)
    assert moved == [torch.device(target)] * moves


@pytest.mark.parametrize("forked", [True, False])
def test_a_gpu_is_refused_in_a_forked_process(monkeypatch, forked):
    monkeypatch.setattr(device_module, "device_of", lambda module: torch.device("cuda", 0))
    monkeypatch.setattr(torch.cuda, "_is_in_bad_fork", lambda: forked)
    set_device("cuda")
    if forked:
        with pytest.raises(ValueError, match=r"TC016.*cuda:0"):
            place(torch.nn.Linear(2, 2))
    else:
        place(torch.nn.Linear(2, 2))


def test_precisions(monkeypatch):
    assert resolve_precision("fp32", CPU) == "fp32"
    assert resolve_precision("bf16", CPU) == "bf16"
    for native, faster in ((True, True), (True, False), (False, True)):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda native=native: native, raising=False)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
        monkeypatch.setattr(device_module, "_bf16_is_faster", lambda faster=faster: faster)
        assert resolve_precision("auto", CPU) == ("bf16" if native and faster else "fp32")
    assert resolve_precision("auto", torch.device("mps")) == "fp32"
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: not including_emulation)
    assert resolve_precision("auto", torch.device("cuda")) == "bf16"
    for wrong in ("fp16", "", None):
        with pytest.raises(ValueError, match="TC001"):
            resolve_precision(wrong, CPU)


@pytest.fixture
def products(monkeypatch):
    """A clock that runs with the products: `seconds` for those in bf16 and those of oneDNN, one for the others."""

    class Made(list):
        seconds = 1.0

    clock, made = [0.0], Made()

    def multiply(kind, x, weights):
        made.append((kind, tuple(x.shape), tuple(weights.shape)))
        clock[0] += made.seconds if kind in ("bf16", "onednn") else 1.0

    monkeypatch.setattr(torch, "mm", lambda x, w: multiply("bf16" if x.dtype == torch.bfloat16 else "fp32", x, w.t()))
    monkeypatch.setattr(device_module, "_onednn_product", lambda x, w, bias: multiply("onednn", x, w))
    monkeypatch.setattr(device_module.time, "perf_counter", lambda: clock[0])
    cached = (device_module._bf16_is_faster, device_module._onednn_is_faster)
    for each in cached:
        each.cache_clear()
    yield made
    for each in cached:
        each.cache_clear()


@pytest.mark.parametrize(("seconds", "faster"), [(1.0, False), (0.9, False), (0.5, True), (2.0, False)])
def test_a_cpu_is_asked_once_how_fast_bf16_is(monkeypatch, products, seconds, faster):
    monkeypatch.setattr(device_module, "_onednn_is_faster", lambda: False)
    products.seconds = seconds
    assert [device_module._bf16_is_faster() for _ in range(3)] == [faster] * 3
    assert products == [("bf16", (256, 384), (1536, 384)), ("fp32", (256, 384), (1536, 384))] * 6


@pytest.mark.parametrize(("seconds", "faster"), [(1.0, False), (0.9, False), (0.5, True), (2.0, False)])
def test_a_cpu_is_asked_once_who_multiplies_faster(products, seconds, faster):
    products.seconds = seconds
    assert [device_module._onednn_is_faster() for _ in range(3)] == [faster] * 3
    assert products == [("onednn", (256, 384), (1536, 384)), ("fp32", (256, 384), (1536, 384))] * 6


@pytest.mark.parametrize("missing", ["library", "operator"])
def test_a_torch_without_onednn_multiplies_by_itself(monkeypatch, products, missing):
    products.seconds = 0.1
    if missing == "library":
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    else:
        monkeypatch.setattr(torch.ops, "mkldnn", object())
    device_module._onednn_takes_bf16.cache_clear()
    assert not device_module._onednn_is_faster() and not products
    assert not device_module._onednn_takes_bf16()
    device_module._onednn_takes_bf16.cache_clear()


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(0, 40), wide=st.integers(1, 40), out=st.integers(1, 40), flips=st.tuples(*[st.booleans()] * 3))
@pytest.mark.parametrize("onednn", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_products_are_those_of_double_precision(onednn, dtype, rows, wide, out, flips):
    """However the matrices lie in memory."""
    flip_x, flip_weight, biased = flips
    takes_bf16 = device_module._onednn_takes_bf16()
    torch.manual_seed(rows)
    x = (torch.randn(wide, rows).t() if flip_x else torch.randn(rows, wide)).to(dtype)
    weight = (torch.randn(wide, out).t() if flip_weight else torch.randn(out, wide)).to(dtype)
    bias = torch.randn(out).to(dtype) if biased else None
    expected = x.double() @ weight.double().t() + (bias.double() if biased else 0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device_module, "_onednn_is_faster", lambda: onednn)
        patch.setattr(device_module, "_onednn_takes_bf16", lambda: onednn and takes_bf16)
        got = linear_product(x, weight, bias)
    tolerance = 1e-5 if dtype == torch.float32 else 0.02
    assert got.dtype == dtype and got.shape == (rows, out)
    assert torch.allclose(got.double(), expected, rtol=tolerance, atol=tolerance * wide**0.5)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("train", [True, False])
def test_the_mode_of_a_forward_pass(precision, train):
    layer = torch.nn.Linear(3, 2)
    with running(CPU, precision=precision, train=train):
        assert torch.is_inference_mode_enabled() is not train
        y = layer(torch.ones(1, 3))
    assert y.dtype == (torch.bfloat16 if precision == "bf16" else torch.float32)
    assert y.requires_grad is train
    assert not torch.is_autocast_enabled("cpu") and not torch.is_inference_mode_enabled()


def test_an_outer_autocast_does_not_leak_in():
    with torch.autocast("cpu", dtype=torch.bfloat16), running(CPU, precision="fp32", train=True):
        assert torch.nn.Linear(3, 2)(torch.ones(1, 3)).dtype == torch.float32


def test_arrays_and_tensors_share_memory_on_the_cpu():
    array = numpy.arange(6, dtype="float32").reshape(2, 3)
    tensor = to_tensor(array, CPU)
    array[0, 0] = 9.0
    assert tensor[0, 0] == 9.0
    back = to_array(tensor, NumpyOps())
    assert back.dtype == numpy.float32 and back.base is not None
    numpy.testing.assert_array_equal(back, array)
    assert to_tensor(numpy.array([1, 2]), CPU).dtype == torch.int64


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.float32])
def test_arrays_are_float32(dtype):
    tensor = torch.ones(2, 3, dtype=dtype, requires_grad=True)
    array = to_array(tensor * 2, NumpyOps())
    assert array.dtype == numpy.float32 and (array == 2.0).all()
    with torch.inference_mode():
        assert to_array(tensor * 2, NumpyOps()).dtype == numpy.float32


def test_to_host_is_contiguous_and_without_history():
    tensor = torch.ones(2, 3, requires_grad=True).t() * 2
    host = to_host(tensor)
    assert host.is_contiguous() and not host.requires_grad
    assert torch.equal(host, tensor)


def test_the_random_state_is_kept():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    with rng_kept():
        torch.rand(10)
        torch.nn.Linear(5, 5)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_masks(rate):
    torch.manual_seed(0)
    masks = DropoutMasks(CPU)
    one, other = (masks.draw((500, 999), rate, torch.float32) for _ in range(2))
    assert one.unique().tolist() == pytest.approx([0.0, 1 / (1 - rate)], rel=1e-3)
    spread = (rate * (1 - rate) / one.numel()) ** 0.5
    assert float((one == 0).float().mean()) == pytest.approx(rate, abs=5 * spread)
    assert float(one.mean()) == pytest.approx(1.0, abs=5 * spread / (1 - rate))
    for pair in ((one, other), (one[:, 1:], one[:, :-1]), (one[:, 4:], one[:, :-4]), (one[1:], one[:-1])):
        assert abs(float(torch.corrcoef(torch.stack([x.flatten() for x in pair]))[0, 1])) < 0.01
    torch.manual_seed(0)
    again = DropoutMasks(CPU)
    assert torch.equal(again.draw((500, 999), rate, torch.float32), one)
    assert not torch.equal(DropoutMasks(CPU).draw((500, 999), rate, torch.float32), one)


def test_dropout_masks_at_the_ends():
    masks = DropoutMasks(CPU)
    assert masks.draw((3,), 0.0, torch.float32) is None
    assert not masks.draw((3, 2), 1.0, torch.bfloat16).any()
    assert masks.draw((3, 2), 0.5, torch.bfloat16).dtype == torch.bfloat16
    assert DropoutMasks(torch.device("meta")).draw((3, 2), 0.5, torch.float32).device.type == "meta"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="memory is kept in glibc alone")
@pytest.mark.parametrize(
    ("variable", "train", "keeps"), [("", True, True), ("", False, False), ("MALLOC_ARENA_MAX", True, False)]
)
def test_memory_is_kept(variable, train, keeps):
    """In training a block that was freed serves the next, smaller one, unless the environment says how memory is
    managed. (One as large may not fit, depending on where its alignment falls.)"""
    code = (
        "import resource, torch; from spacy_tokclf.device import running\n"
        f"with running(torch.device('cpu'), precision='fp32', train={train}): pass\n"
        "faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "torch.ones(50_000_000); start = faults(); torch.ones(49_000_000); print(faults() - start)"
    )
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    variables |= {variable: "2"} if variable else {}
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)
    assert (int(done.stdout) < 1000) == keeps, done.stdout
