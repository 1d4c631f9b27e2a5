"""What is said of a device that torch does not find."""

import pytest
import torch

from spacy_tokclf.runtime.found_devices import check_device, lack_of, parse_device, seen_devices


@pytest.fixture
def torch_with(monkeypatch):
    """Give a function that says what torch was built for, and how many GPUs it finds."""

    def having(*, built, gpus, mps=False):
        monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: built)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
        monkeypatch.setattr(torch.version, "cuda", "13.0" if built else None)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return having


def test_a_torch_without_cuda(torch_with):
    torch_with(built=False, gpus=0)
    assert "built without CUDA" in lack_of(torch.device("cuda:0"))
    assert seen_devices() == ["cpu"]


def test_no_gpu(torch_with, monkeypatch):
    torch_with(built=True, gpus=0)
    lack = lack_of(torch.device("cuda"))
    assert "nvidia-smi" in lack and "CUDA 13.0" in lack and "VISIBLE" not in lack
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "CUDA_VISIBLE_DEVICES is ''" in lack_of(torch.device("cuda"))


def test_no_gpu_of_that_number(torch_with):
    torch_with(built=True, gpus=2)
    for name in ("cpu", "cuda", "cuda:0", "cuda:1"):
        check_device(torch.device(name))
    with pytest.raises(ValueError, match=r"^\[TC143\].*'cuda:2'.*counted from 0.*sees: cpu, cuda:0, cuda:1\."):
        check_device(torch.device("cuda:2"))


def test_apples(torch_with):
    torch_with(built=False, gpus=0)
    with pytest.raises(ValueError, match=r"^\[TC143\].*'mps'.*Apple"):
        check_device(torch.device("mps"))
    torch_with(built=False, gpus=0, mps=True)
    check_device(torch.device("mps"))
    assert seen_devices() == ["cpu", "mps"]


def test_what_holds_no_numbers(torch_with):
    with pytest.raises(ValueError, match=r"^\[TC143\].*'meta'"):
        check_device(torch.device("meta"))


@pytest.mark.parametrize("name", ["no-such", "cuda:x", "cuda:-1", "gpu"])
def test_no_name_of_a_device(name):
    with pytest.raises(ValueError, match=rf"^\[TC143\].*'{name}'.*of this name"):
        parse_device(name)
