"""Devices, and the mode of a forward pass."""

import pytest
import torch

from spacy_tokclf.runtime import device as device_module
from spacy_tokclf.runtime.device import ENV_DEVICE, current_device, device_of, place, running, set_device

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
