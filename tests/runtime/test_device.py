"""Devices, and the mode of a forward pass."""

import os

import pytest
import torch

from spacy_tokclf.runtime import device as device_module
from spacy_tokclf.runtime.device import (
    ENV_DEVICE,
    choose_gpu,
    current_device,
    device_of,
    naming_device,
    place,
    running,
    set_device,
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


def test_a_command_names_the_device_for_itself_and_its_processes(monkeypatch):
    set_device("meta")
    for before in (None, "mps"):
        if before:
            monkeypatch.setenv(ENV_DEVICE, before)
        with naming_device("cpu"):
            assert current_device() == CPU and os.environ[ENV_DEVICE] == "cpu"
        with naming_device(None):
            assert current_device() == torch.device("meta") and os.environ.get(ENV_DEVICE) == before
        assert current_device() == torch.device("meta") and os.environ.get(ENV_DEVICE) == before
    with naming_device("auto"):
        assert current_device() == CPU


def test_after_a_failure_nothing_is_named():
    with pytest.raises(KeyError), naming_device("meta"):
        raise KeyError
    assert current_device() == CPU and ENV_DEVICE not in os.environ


@pytest.mark.parametrize("name", ["cpu", "mps", "cuda:1"])
def test_two_options_that_contradict_each_other(name):
    with pytest.raises(ValueError, match=rf"^\[TC562\].*{name}.*cuda:0"), naming_device(name, gpu_id=0):
        pass
    assert ENV_DEVICE not in os.environ


@pytest.mark.parametrize("name", ["auto", "cuda", "cuda:1"])
def test_two_options_that_say_the_same(name):
    with naming_device(name, gpu_id=1):
        assert os.environ[ENV_DEVICE] == name


@pytest.fixture
def gpus(monkeypatch):
    """Let there be GPUs, and give what is asked of thinc and of torch."""
    asked = []
    monkeypatch.setattr(device_module, "check_device", lambda device: asked.append(("check", str(device))))
    monkeypatch.setattr(device_module, "require_gpu", lambda number: asked.append(("thinc", number)))
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: asked.append(("torch", str(device))))
    return asked


@pytest.mark.parametrize(
    ("name", "number", "rank", "device", "thinc"),
    [
        ("cuda:0", -1, 0, "cuda:0", None),
        ("cuda:0", -1, 3, "cuda:3", None),
        ("cuda:2", -1, 1, "cuda:3", None),
        ("cuda", -1, 0, "cuda", None),
        ("cuda", -1, 1, "cuda:1", None),
        ("cuda", 2, 1, "cuda:3", 3),
        ("cuda:2", 2, 1, "cuda:3", 3),
        ("cpu", -1, 1, "cpu", None),
        ("auto", 1, 2, None, 3),
    ],
)
def test_each_process_takes_a_gpu_of_its_own(monkeypatch, gpus, name, number, rank, device, thinc):
    monkeypatch.setenv(ENV_DEVICE, name)
    for _ in range(2):  # what has been chosen stays
        gpus.clear()
        choose_gpu(number, rank)
        found = dict(gpus)
        assert (found.get("check"), found.get("thinc")) == (device, thinc)
        if device is not None:
            assert current_device() == torch.device(device)
        # with thinc on the GPU, that is the one that torch means already
        assert found.get("torch") == (device if thinc is None and device not in ("cpu", "cuda") else None)


def test_a_program_may_give_each_process_its_gpu_itself(gpus):
    set_device("cuda:5")
    choose_gpu(-1, 2)
    assert current_device() == torch.device("cuda:5") and ("torch", "cuda:5") in gpus


def test_a_gpu_that_cannot_be_made_ready(monkeypatch, gpus):
    def refuse(device):
        raise RuntimeError("CUDA error: the device is in use")

    monkeypatch.setattr(torch.cuda, "set_device", refuse)
    monkeypatch.setattr("spacy_tokclf.runtime.found_devices.lack_of", lambda device: "")
    set_device("cuda:0")
    with pytest.raises(ValueError, match=r"^\[TC143\].*the device is in use"):
        choose_gpu(-1)
