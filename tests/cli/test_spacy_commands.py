"""spaCy's own commands on our components, with no --code: entry points are all they need."""

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import spacy
import srsly
from config_runs import FAST, FOLDER, NAMES, Run, same, short, weights_of, write_posts
from pipeline_posts import LABELS, found, read_posts
from spacy.cli._util import app
from spacy.training import Corpus
from spacy.util import load_config
from typer.testing import CliRunner

#: Not enough for perfect scores, so that a threshold matters.
STEPS = 12
OWN = str(FOLDER / "own_data.cfg")


AFTER = "initialize.after_init"


def options(values: dict[str, Any]) -> list[str]:
    """Write overrides of a config as options, but the one that `in_steps` stands for."""
    kept = {key: value for key, value in values.items() if key != AFTER}
    return [part for key, value in kept.items() for part in (f"--{key}", json.dumps(value).strip('"'))]


def in_steps(name: str, folder: Path) -> Path:
    """Write a config whose length is counted in steps: older versions of spaCy take no option for a whole block."""
    text = re.sub(rf"\[{AFTER}\]\n(.+\n)+", "", (FOLDER / f"{name}.cfg").read_text(encoding="utf-8"))
    (folder / f"{name}_in_steps.cfg").write_text(text, encoding="utf-8")
    return folder / f"{name}_in_steps.cfg"


def spacy_command(*args: object, **settings: Any) -> str:
    """Run `python -m spacy` as a process of its own, on one thread like this one; give what it printed."""
    command = [sys.executable, "-m", "spacy", *map(str, args)]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def invoke(*args: object) -> str:
    """Run a command in this process; give what it printed."""
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


class Trained(NamedTuple):
    """A trained pipeline.

    model (Path): The folder of model-best.
    data (Path): The posts, as DocBin.
    overrides (Dict[str, Any]): What was set in configs/own_data.cfg.
    log (str): What training printed.
    config (Path): The config.
    """

    model: Path
    data: Path
    overrides: dict[str, Any]
    log: str
    config: Path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, encoder_dir: Path) -> Trained:
    """A pipeline that `python -m spacy train` made, in a folder without our code."""
    folder = tmp_path_factory.mktemp("commands")
    overrides = short("own_data", write_posts(folder), encoder_dir, steps=STEPS) | FAST
    config = in_steps("own_data", folder)
    log = spacy_command("train", config, "--output", folder / "out", *options(overrides), cwd=folder)
    return Trained(folder / "out" / "model-best", folder / "posts.spacy", overrides, log, config)


def test_train(trained: Trained) -> None:
    rows = Run(spacy.blank("en"), trained.model.parent, trained.log).rows
    assert [row["#"] for row in rows] == ["0", "6", "12"]
    best = max(float(row["ENTS_F"]) for row in rows)
    nlp = spacy.load(trained.model)
    scores = nlp.evaluate(read_posts(nlp))
    assert 0.0 < scores["ents_f"] < 1.0
    assert f"{100 * scores['ents_f']:.2f}" == f"{best:.2f}"
    assert nlp.meta["performance"]["ents_f"] == scores["ents_f"]


def assert_equal(saved: Any, value: Any) -> None:
    """Compare a score with the one in a file, which has ten digits."""
    if isinstance(value, dict):
        assert saved.keys() == value.keys()
        for key in value:
            assert_equal(saved[key], value[key])
    else:
        assert saved == pytest.approx(value, abs=1e-9)


def test_evaluate(trained: Trained, tmp_path: Path) -> None:
    out = tmp_path / "scores.json"
    printed = invoke("evaluate", trained.model, trained.data, "--output", out, "--displacy-path", tmp_path)
    scores = srsly.read_json(out)
    nlp = spacy.load(trained.model)
    expected = nlp.evaluate(list(Corpus(trained.data)(nlp)))
    for key, value in expected.items():
        if key != "speed":
            assert_equal(scores[key], value)
    assert scores["ents_f"] == scores["seqeval_f1"] == pytest.approx(nlp.meta["performance"]["ents_f"])
    assert f"{100 * scores['ents_f']:.2f}" in printed and "creative-work" in printed
    invoke("evaluate", trained.model, trained.data, "--output", out, "--per-component")
    assert_equal(srsly.read_json(out)["ner"]["ents_per_type"], expected["ents_per_type"])
    assert invoke("benchmark", "accuracy", trained.model, trained.data).count("NER F") == 1


def test_benchmark_speed(trained: Trained) -> None:
    printed = invoke(
        "benchmark", "speed", trained.model, trained.data, "--batches", 30, "--batch-size", 4, "--warmup", 1
    )
    assert "words/s" in printed


def test_find_threshold(trained: Trained) -> None:
    printed = invoke("find-threshold", trained.model, trained.data, "ner", "threshold", "ents_f", "--n_trials", 6)
    rows = [line.split() for line in printed.splitlines() if line[:1].isdigit()]
    assert [row[0] for row in rows] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    examples = read_posts(spacy.blank("en"))
    for text, score in rows:
        nlp = spacy.load(trained.model, config={"components.ner.threshold": float(text)})
        assert float(score) == round(nlp.evaluate(examples)["ents_f"], 3)
    assert len({score for _, score in rows}) > 2 and rows[-1][1] == "0.0"
    best = max(rows, key=lambda row: float(row[1]))[0]
    assert f"Best threshold: {best} with ents_f" in printed


@pytest.mark.parametrize("name", NAMES)
def test_fill_config(name: str, tmp_path: Path) -> None:
    invoke("init", "fill-config", FOLDER / f"{name}.cfg", tmp_path / "filled.cfg")
    filled = load_config(tmp_path / "filled.cfg")
    assert filled["nlp"].pop("tokenizer") == {"@tokenizers": "spacy.Tokenizer.v1"}
    assert filled == load_config(FOLDER / f"{name}.cfg")
    assert "already complete" in invoke(
        "init", "fill-config", tmp_path / "filled.cfg", tmp_path / "again.cfg", "--diff"
    )


def test_fill_config_from_nearly_nothing(tmp_path: Path) -> None:
    (tmp_path / "base.cfg").write_text('[nlp]\nlang = "en"\npipeline = ["ner"]\n[components]\n[components.ner]\n')
    with (tmp_path / "base.cfg").open("a") as file:
        file.write('factory = "token_classifier"\n')
    invoke("init", "fill-config", tmp_path / "base.cfg", tmp_path / "filled.cfg")
    filled = load_config(tmp_path / "filled.cfg")["components"]["ner"]
    assert filled["model"]["tok2vec"]["@architectures"] == "spacy-tokclf.TransformerEncoder.v1"
    # Nobody sets other values without knowing it: our configs keep to what they had before there were other defaults.
    before = {"overwrite_ents": True, "spans_key": "entities"}
    assert filled | before == load_config(OWN)["components"]["ner"]
    assert (filled["overwrite_ents"], filled["spans_key"]) == (False, "auto")


def filled(name: str, folder: Path) -> Path:
    """Let spaCy fill in what our configs leave to the language: its tokenizer. `spacy debug` wants complete configs."""
    invoke("init", "fill-config", in_steps(name, folder), folder / f"{name}.cfg")
    return folder / f"{name}.cfg"


@pytest.mark.parametrize("name", NAMES)
def test_debug_config(name: str, trained: Trained, encoder_dir: Path, tmp_path: Path) -> None:
    overrides = options(short(name, trained.data.parent, encoder_dir))
    config = filled(name, tmp_path)
    printed = invoke("debug", "config", config, *overrides, "--show-functions", "--show-variables")
    assert "Config is valid" in printed
    assert "spacy_tokclf.training.optimizer" in printed and "spacy_tokclf.training.schedules" in printed


def test_debug_config_names_what_is_wrong(trained: Trained, tmp_path: Path) -> None:
    overrides = trained.overrides | {"components.ner.threshold": "high"}
    result = CliRunner().invoke(app, ["debug", "config", str(filled("own_data", tmp_path)), *options(overrides)])
    assert result.exit_code == 1 and "threshold" in result.output


@pytest.mark.parametrize("name", ["own_data", "wnut17_shared"])
def test_debug_data(name: str, trained: Trained, encoder_dir: Path, tmp_path: Path) -> None:
    overrides = short(name, trained.data.parent, encoder_dir)
    result = CliRunner().invoke(app, ["debug", "data", str(filled(name, tmp_path)), *options(overrides), "--verbose"])
    # It objects to the few posts and to the same ones in both parts, and knows no more of our component.
    assert result.exit_code in (0, 1) and (result.exception is None or isinstance(result.exception, SystemExit))
    # The recipe adds copies of some.
    (count,) = re.findall(r"(\d+) training docs", result.output)
    assert "Corpus is loadable" in result.output
    assert count == "16" if name == "own_data" else 16 < int(count) < 32


def test_debug_model(trained: Trained, tmp_path: Path) -> None:
    config = filled("own_data", tmp_path)
    assert "model looks good" in invoke("debug", "model", config, "ner", *options(trained.overrides), "--print-step3")


def test_init_labels(trained: Trained, tmp_path: Path) -> None:
    invoke("init", "labels", trained.config, tmp_path / "labels", *options(trained.overrides))
    nlp = spacy.load(trained.model)
    assert srsly.read_json(tmp_path / "labels" / "ner.json") == nlp.get_pipe("ner").label_data
    text = trained.config.read_text().replace("labels = null\n", "")
    text += '\n[initialize.components.ner.labels]\n@readers = "spacy.read_labels.v1"\npath = ${paths.labels}\n'
    text = text.replace("[paths]\n", "[paths]\nlabels = null\n")
    (tmp_path / "config.cfg").write_text(text)
    overrides = trained.overrides | {"paths.labels": str(tmp_path / "labels" / "ner.json")}
    invoke("train", tmp_path / "config.cfg", "--output", tmp_path / "out", *options(overrides))
    again = spacy.load(tmp_path / "out" / "model-best")
    assert again.get_pipe("ner").labels == tuple(LABELS)
    assert same(weights_of(again), weights_of(nlp))
    assert str(tmp_path) not in again.config.to_str()


def test_init_labels_of_the_shared_form(trained: Trained, encoder_dir: Path, tmp_path: Path) -> None:
    overrides = short("wnut17_shared", trained.data.parent, encoder_dir)
    invoke("init", "labels", FOLDER / "wnut17_shared.cfg", tmp_path, *options(overrides))
    assert [path.name for path in tmp_path.iterdir()] == ["ner.json"]


def test_assemble(trained: Trained, tmp_path: Path) -> None:
    overrides = trained.overrides | {"initialize.components.ner.labels": ["person", "location"]}
    invoke("assemble", trained.config, tmp_path / "fresh", *options(overrides))
    fresh = spacy.load(tmp_path / "fresh")
    assert fresh.get_pipe("ner").labels == ("person", "location")
    assert len(fresh("met Zorblax").spans["entities"].attrs["scores"]) == len(fresh("met Zorblax").ents)
    config = '[nlp]\nlang = "en"\npipeline = ["sentencizer", "ner"]\n[components]\n[components.sentencizer]\n'
    config += 'factory = "sentencizer"\n[components.ner]\nsource = "' + str(trained.model) + '"\n'
    (tmp_path / "sourced.cfg").write_text(config)
    invoke("assemble", tmp_path / "sourced.cfg", tmp_path / "sourced")
    sourced, nlp = spacy.load(tmp_path / "sourced"), spacy.load(trained.model)
    assert same(weights_of(sourced), weights_of(nlp))
    assert all(found(sourced(eg.reference.text)) == found(nlp(eg.reference.text)) for eg in read_posts(nlp))


def requirement(meta: dict[str, Any]) -> str:
    """Give the requirement that names this package."""
    (own,) = [line for line in meta["requirements"] if line.startswith("spacy-tokclf")]
    return own


def test_package(trained: Trained, tmp_path: Path) -> None:
    invoke("package", trained.model, tmp_path, "--name", "posts", "--version", "1.2.3", "--build", "none")
    meta = srsly.read_json(tmp_path / "en_posts-1.2.3" / "meta.json")
    assert requirement(meta) == "spacy-tokclf>=0.1.0,<0.2.0"
    assert meta["labels"]["ner"] == LABELS and meta["performance"]["ents_f"] > 0
    packaged = spacy.load(tmp_path / "en_posts-1.2.3" / "en_posts" / "en_posts-1.2.3")
    assert same(weights_of(packaged), weights_of(spacy.load(trained.model)))


@pytest.mark.slow
def test_package_as_sdist(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # `build` fails without an index, and spaCy goes back to setup.py
    spacy_command("package", trained.model, tmp_path, "--name", "posts", "--build", "sdist")
    (path,) = tmp_path.glob("en_posts-*/dist/*.tar.gz")
    with tarfile.open(path) as archive:
        (name,) = [name for name in archive.getnames() if name.endswith("egg-info/requires.txt")]
        assert b"spacy-tokclf<0.2.0,>=0.1.0" in archive.extractfile(name).read()
        assert sum(name.endswith("model.safetensors") for name in archive.getnames()) == 1


def test_help() -> None:
    printed = spacy_command("--help")
    assert "tokclf" in printed and "find-threshold" in printed
    assert "evaluate" in spacy_command("tokclf", "--help")


def test_scores_are_plain_numbers(trained: Trained) -> None:
    nlp = spacy.load(trained.model)
    scores = nlp.evaluate(read_posts(nlp))
    assert not any(isinstance(value, np.generic) for value in scores.values())
