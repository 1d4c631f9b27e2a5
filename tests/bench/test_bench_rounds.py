"""Systems in worker processes, in interleaved rounds."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from bench.rounds import missing, run_rounds, variables, wanted
from bench.system import System

FAKES = "tests.helpers.fake_systems"


def fake(name, tmp_path, **options):
    given = {"order": str(tmp_path / "order"), "name": name, "values": [1.0, 2.0, 4.0], **options}
    return System(name, f"{FAKES}:steady", given)


def test_systems_take_turns(setting, tmp_path):
    systems = [fake(name, tmp_path) for name in "abc"]
    answers = run_rounds(systems, setting, note=lambda result: f"{result['value']:.0f}")
    order = (tmp_path / "order").read_text(encoding="utf8").split("\n")[:-1]
    assert order == ["0 a", "0 b", "0 c", "1 b", "1 c", "1 a", "2 c", "2 a", "2 b"]
    about, *results = answers["b [fp32]"]
    assert [result["value"] for result in results] == [1.0, 2.0, 4.0]
    assert {"python", "spacy", "torch", "spacy-tokclf"} <= set(about["versions"])
    log = (setting.work / "logs" / "b__fp32_.log").read_text(encoding="utf8")
    assert "a library prints" in log
    assert "a program of a library prints" in log


def test_a_failure_shows_what_the_system_said(setting):
    with pytest.raises(RuntimeError, match=r"here \[fp32\] failed(.|\n)*there is no model in here"):
        run_rounds([System("here", f"{FAKES}:broken", {"name": "here"})], setting, note=str)


def test_a_system_whose_environment_is_not_there_is_left_out(setting, tmp_path, capsys):
    systems = [fake("a", tmp_path), System("b", "x:y", environment="older")]
    assert wanted(systems, setting) == systems[:1]
    assert "Skipped: b [fp32]" in capsys.readouterr().out


def test_a_system_that_needs_what_is_not_installed_is_left_out(setting, tmp_path, capsys):
    systems = [dataclasses.replace(fake("a", tmp_path), needs=("a-package-that-nobody-has",)), fake("b", tmp_path)]
    assert wanted(systems, setting) == systems[1:]
    assert "a-package-that-nobody-has" in capsys.readouterr().out


def test_missing_asks_the_environment():
    assert missing(Path(sys.executable), ("spacy", "torch")) == ""


def test_only_what_is_asked_for(setting, tmp_path):
    systems = [fake("a", tmp_path), fake("b", tmp_path)]
    assert wanted(systems, dataclasses.replace(setting, only=("b [",))) == systems[1:]


def test_all_get_the_same_number_of_threads(setting):
    assert variables(dataclasses.replace(setting, threads=3))["OMP_NUM_THREADS"] == "3"


def test_the_command_explains_itself():
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--help"], cwd=root, capture_output=True, text=True, check=True
    )
    assert "annotate" in done.stdout
