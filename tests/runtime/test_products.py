"""What products are made with hangs on the processor, and on nothing else."""

import sys
import time
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_tokclf import compat
from spacy_tokclf.runtime import products
from spacy_tokclf.runtime.products import (
    describe_products,
    fp32_backward_library,
    fp32_library,
    linear_product,
    resolve_precision,
)

CPU = torch.device("cpu")
INTEL, AMD = "GenuineIntel", "AuthenticAMD"


@pytest.fixture
def processor(monkeypatch):
    """Give a function that stands in another processor."""

    def become(vendor, *features):
        monkeypatch.setattr(products, "cpu_vendor", lambda: vendor)
        monkeypatch.setattr(compat, "cpu_has", lambda feature: feature in features)
        fp32_backward_library.cache_clear()

    yield become
    fp32_backward_library.cache_clear()


@pytest.mark.parametrize(
    ("vendor", "features", "precision", "library"),
    [
        (INTEL, (), "fp32", "torch"),
        (INTEL, ("avx512",), "fp32", "torch"),
        (INTEL, ("avx512", "avx512_bf16"), "fp32", "torch"),
        (INTEL, ("avx512", "avx512_bf16", "amx_tile"), "bf16", "torch"),
        (AMD, (), "fp32", "torch"),
        (AMD, ("avx512",), "fp32", "onednn"),
        (AMD, ("avx512", "avx512_bf16"), "bf16", "onednn"),
        ("", (), "fp32", "torch"),
    ],
)
def test_choices_of_processors(processor, vendor, features, precision, library):
    processor(vendor, *features)
    assert resolve_precision("auto", CPU) == precision
    assert fp32_backward_library() == library
    expected = {"device": "cpu", "precision": precision, "cpu_vendor": vendor, "fp32_products": "onednn"}
    assert describe_products("auto", CPU) == expected
    assert resolve_precision("fp32", CPU) == "fp32" and resolve_precision("bf16", CPU) == "bf16"


def test_no_stopwatch(processor, monkeypatch):
    """What is chosen does not look at a clock."""

    def clock():
        raise AssertionError("the time was asked for")

    for name in ("perf_counter", "time", "monotonic", "process_time", "perf_counter_ns"):
        monkeypatch.setattr(time, name, clock)
    processor(AMD, "avx512", "avx512_bf16")
    describe_products("auto", CPU)
    linear_product(torch.ones(2, 3), torch.ones(4, 3))


def test_precisions_of_other_devices(monkeypatch):
    assert resolve_precision("auto", torch.device("mps")) == "fp32"
    for ampere in (True, False):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation, has=ampere: has)
        assert resolve_precision("auto", torch.device("cuda")) == ("bf16" if ampere else "fp32")
    assert describe_products("fp32", torch.device("cuda:1")) == {"device": "cuda:1", "precision": "fp32"}
    assert resolve_precision("fp16", torch.device("cuda")) == "fp16"
    for device in (CPU, torch.device("mps")):
        with pytest.raises(ValueError, match="TC570"):
            resolve_precision("fp16", device)
    for wrong in ("fp8", "", None):
        with pytest.raises(ValueError, match="TC001"):
            resolve_precision(wrong, CPU)


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_the_vendor_is_what_the_kernel_says():
    lines = Path("/proc/cpuinfo").read_text(encoding="utf8").splitlines()
    said = [line.split(":")[1].strip() for line in lines if line.startswith("vendor_id")]
    products.cpu_vendor.cache_clear()
    assert products.cpu_vendor() in said or not said


@pytest.mark.parametrize("missing", ["library", "operator", "raises", "other numbers", "switched off"])
def test_a_torch_without_onednn_multiplies_by_itself(processor, monkeypatch, request, missing):
    processor(AMD, "avx512")
    if missing == "library":
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    elif missing == "operator":
        monkeypatch.setattr(torch.ops, "mkldnn", object())
    elif missing in ("raises", "other numbers"):

        def product(*given):
            if missing == "raises":
                raise RuntimeError("another signature")
            return torch.zeros(2, 2)

        monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", product)
    else:
        monkeypatch.setattr(compat, "SWITCHED_OFF", {"onednn_linear"})
    compat._working_onednn_linear.cache_clear()
    request.addfinalizer(compat._working_onednn_linear.cache_clear)
    assert compat.onednn_linear() is None
    assert fp32_library() == fp32_backward_library() == "torch"
    assert linear_product(torch.ones(2, 3), torch.ones(4, 3)).tolist() == [[3.0] * 4] * 2


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(0, 40), wide=st.integers(1, 40), out=st.integers(1, 40), flips=st.tuples(*[st.booleans()] * 3))
@pytest.mark.parametrize("onednn", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_products_are_those_of_double_precision(onednn, dtype, rows, wide, out, flips):
    """However the matrices lie in memory."""
    flip_x, flip_weight, biased = flips
    takes_bf16 = compat.onednn_takes_bf16()
    torch.manual_seed(rows)
    x = (torch.randn(wide, rows).t() if flip_x else torch.randn(rows, wide)).to(dtype)
    weight = (torch.randn(wide, out).t() if flip_weight else torch.randn(out, wide)).to(dtype)
    bias = torch.randn(out).to(dtype) if biased else None
    expected = x.double() @ weight.double().t() + (bias.double() if biased else 0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "fp32_backward_library", lambda: "onednn" if onednn else "torch")
        patch.setattr(compat, "onednn_takes_bf16", lambda: onednn and takes_bf16)
        got = linear_product(x, weight, bias)
    tolerance = 1e-5 if dtype == torch.float32 else 0.02
    assert got.dtype == dtype and got.shape == (rows, out)
    assert torch.allclose(got.double(), expected, rtol=tolerance, atol=tolerance * wide**0.5)


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 12), min_size=2, max_size=5),
    shape=st.sampled_from([(1536, 384), (384, 1152), (768, 768), (33, 70), (32, 96), (64, 32)]),
    threads=st.tuples(st.integers(1, 4), st.integers(1, 4)),
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_row_of_a_layer_hangs_on_no_other_row_and_on_no_thread(dtype, sizes, shape, threads):
    """Rows come in multiples of 32, as the encoder fills them up."""
    if compat.onednn_linear() is None or (dtype == torch.bfloat16 and not compat.onednn_takes_bf16()):
        pytest.skip("torch has no oneDNN for this here")
    wide, out = shape
    x, weight, bias = torch.randn(32 * sum(sizes), wide), torch.randn(out, wide), torch.randn(out)
    x, weight, bias = x.to(dtype), weight.to(dtype), bias.to(dtype)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads[0])
        together = linear_product(x, weight, bias)
        torch.set_num_threads(threads[1])
        apart = [linear_product(part, weight, bias) for part in x.split([32 * size for size in sizes])]
    finally:
        torch.set_num_threads(before)
    assert torch.equal(torch.cat(apart), together)
