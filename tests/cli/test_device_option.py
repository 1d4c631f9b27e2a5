"""Where an encoder runs: `--device` and `--gpu-id`, in all commands that run one."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from typer.testing import CliRunner

from spacy_tokclf.cli import app
from spacy_tokclf.cli import evaluate as evaluate_module
from spacy_tokclf.cli._device import device_words, on_device
from spacy_tokclf.runtime import device as device_module
from spacy_tokclf.runtime.device import ENV_DEVICE, current_device, set_device

#: Commands, with data and pipelines that are not there: the device comes first.
COMMANDS = {
    "train": "train data.conll out",
    "report": "report model data.conll -o out",
    "annotate": "annotate model in.txt -o out.jsonl",
    "evaluate": "evaluate model data.conll",
    "tune": "tune model data.conll -o out",
    "curve": "curve config.cfg out",
    "distill": "distill model config.cfg out",
    "optimize": "optimize model out",
    "push": "push model --repo user/name --dry-run out",
    "debug-pieces": "debug-pieces model text",
}
#: No encoder, or only its word pieces.
WITHOUT = {"init", "convert", "debug", "score", "import-hf", "export-hf"}
LINES = 12


@pytest.fixture(autouse=True)
def nothing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(ENV_DEVICE, raising=False)
    monkeypatch.chdir(tmp_path)


def options_of(name: str) -> set[str]:
    command: Any = typer.main.get_command(app)
    return {word for parameter in command.commands[name].params for word in parameter.opts}


def test_every_command_that_runs_an_encoder_has_the_option() -> None:
    command: Any = typer.main.get_command(app)
    assert set(command.commands) == set(COMMANDS) | WITHOUT
    assert {name for name in command.commands if "--device" in options_of(name)} == set(COMMANDS)
    assert not [name for name in WITHOUT if "--gpu-id" in options_of(name)]


def refused(command: str, code: str, **env: str) -> str:
    """Run a command that has to fail with a code before anything is read or written."""
    result = CliRunner(env={"COLUMNS": "80", **env}).invoke(app, command.split())
    assert isinstance(result.exception, SystemExit), result.exception
    assert (result.exit_code, f"[{code}]" in result.output) == (1, True), result.output
    assert "Traceback" not in result.output and len(result.output.splitlines()) < LINES
    assert not list(Path.cwd().iterdir())
    return " ".join(result.output.split())


@pytest.mark.parametrize("command", COMMANDS.values(), ids=list(COMMANDS))
def test_a_device_that_is_not_there_is_refused_first(command: str) -> None:
    missing = f"cuda:{torch.cuda.device_count()}"
    for name in (missing, "no-such"):
        assert repr(name) in refused(f"{command} --device {name}", "TC143")
        assert repr(name) in refused(command, "TC143", **{ENV_DEVICE: name})
    if "--gpu-id" in options_of(command.split()[0]):
        assert "cuda:3" in refused(f"{command} --device cpu --gpu-id 3", "TC562")
    assert ENV_DEVICE not in os.environ


@pytest.mark.parametrize("engine", ["local", "ray"])
def test_shards_on_this_machine(engine: str) -> None:
    command = f"annotate model nothing -o out --engine {engine}"
    assert "'cuda:99'" in refused(f"{command} --device cuda:99", "TC143")


def test_other_machines_may_have_what_this_one_lacks() -> None:
    command = "annotate model nothing -o out --engine ray --address auto"
    assert "nothing" in refused(f"{command} --device cuda:99", "TC528")
    refused(f"{command} --device no-such", "TC143")


def test_the_option_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(evaluate_module, "evaluate", lambda *args, **kwargs: seen.append(current_device()) or {})
    monkeypatch.setattr("spacy_tokclf.cli.tables.print_summary", lambda *args, **kwargs: None)
    result = CliRunner(env={ENV_DEVICE: "no-such"}).invoke(app, ["evaluate", "a", "b", "--device", "cpu"])
    assert result.exit_code == 0, result.output
    assert seen == [torch.device("cpu")]


def test_each_process_of_torchrun_has_its_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = {"RANK": "5", "LOCAL_RANK": "1", "WORLD_SIZE": "8", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"}
    for name, value in facts.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(device_module, "check_device", lambda device: None)
    current = []
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: current.append(str(device)))
    with on_device("cuda:2"):
        assert str(current_device()) == "cuda:3"
        device_module.choose_gpu(-1, 1)  # as a training does, once more
        assert str(current_device()) == "cuda:3"
    assert set(current) == {"cuda:3"}
    assert current_device().type == "cpu"
    set_device(None)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_commands_on_a_gpu(encoder_dir: Path) -> None:
    """From data to entities, without CuPy; processes have the device, too."""
    names, places = ("Ada", "Bob", "Cyd", "Dan", "Eve", "Fay"), ("Rome", "Oslo", "Bern")
    texts = [f"{name}\tB-PER\nin\tO\n{place}\tB-LOC\n" for name in names for place in places]
    Path("data.conll").write_text("\n".join(texts))
    Path("in.txt").write_text("Ada in Rome\nBob\n")
    gpu, last = "--device cuda:0", f"--device cuda:{torch.cuda.device_count()}"
    model = "out/model-best"
    for command in (
        f"train data.conll out --dev data.conll --encoder {encoder_dir} --epochs 2 {gpu}",
        f"evaluate {model} data.conll --resamples 0 {gpu}",
        f"annotate {model} in.txt -o out.jsonl {gpu}",
        f"annotate {model} in.txt -o shards --engine local --workers 1 {gpu}",
    ):
        result = CliRunner().invoke(app, command.split())
        assert result.exit_code == 0, (command, result.output, result.exception)
    assert torch.cuda.max_memory_allocated() > 0
    result = CliRunner().invoke(app, f"evaluate {model} data.conll {last}".split())
    assert result.exit_code == 1 and "[TC143]" in result.output and "sees: cpu, cuda:0" in result.output


def test_the_command_that_goes_on_has_the_options() -> None:
    assert device_words("cuda:1", -1) == ["--device", "cuda:1"]
    assert device_words(None, 2) == ["--gpu-id", "2"]
    assert not device_words(None, -1)
