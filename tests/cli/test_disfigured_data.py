"""Data with disfigured tags: every command reads them as `convert` does, or refuses them with the same code."""

import json
import re
from pathlib import Path

import pytest
import spacy
from disfigured import DISFIGURE
from spacy.tokens import DocBin
from spacy.vocab import Vocab
from typer.testing import CliRunner

from spacy_tokclf.cli import app

WORDS = ["Mira", "Oduya", "spoke", "in", "Lagos", ".", "Bo", "came"]
TAGS = ["B-PER", "I-PER", "O", "O", "B-LOC", "O", "B-PER", "O"]
RIGHT = [("Mira Oduya", "PER"), ("Lagos", "LOC"), ("Bo", "PER")]
#: The type that is read, if it is not that of the tag.
TYPES = {"bare": "ENTITY"}
CODE = re.compile(r"\[(TC\d+)\]")


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def ruler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a pipeline that finds one of the entities."""
    folder = tmp_path_factory.mktemp("ruler")
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "LOC", "pattern": "Lagos"}])
    nlp.to_disk(folder)
    return folder


@pytest.mark.parametrize("way", DISFIGURE)
def test_every_command_reads_it_or_refuses_it_alike(way: str, tmp_path: Path, ruler: Path) -> None:
    path = tmp_path / "x.conll"
    rows = [f"{word}\t{DISFIGURE[way](tag, row)}\n" for row, (word, tag) in enumerate(zip(WORDS, TAGS, strict=True))]
    path.write_text("".join(rows), encoding="utf-8")
    code, said = run("convert", path, tmp_path / "x.spacy")
    refused = CODE.findall(said)[:1] if code else []
    assert code == bool(refused)
    if not refused:
        (doc,) = DocBin().from_disk(tmp_path / "x.spacy").get_docs(Vocab())
        assert [(ent.text, ent.label_) for ent in doc.ents] == [(text, TYPES.get(way, type_)) for text, type_ in RIGHT]

    others = {
        "debug": run("debug", path, "--json", tmp_path / "facts.json"),
        "score": run("score", path, path, "--json", tmp_path / "scores.json"),
        "evaluate": run("evaluate", ruler, path, "--json", tmp_path / "found.json"),
        "evaluate --train": run("evaluate", ruler, _right(tmp_path), "--train", path),
        "tune": run("tune", ruler, path, "--output", tmp_path / "tuned"),
    }
    for command, (_, output) in others.items():
        found = [one for one in CODE.findall(output) if one.startswith("TC1")][:1]
        assert found == refused, (command, output)
    if not refused:
        assert json.loads((tmp_path / "facts.json").read_text())["train"]["entities"] == 3
        assert json.loads((tmp_path / "scores.json").read_text())["overall_f1"] == 1.0
        assert json.loads((tmp_path / "found.json").read_text())["details"]["n_gold"] == 3


def test_enough_ways_are_refused_and_read() -> None:
    assert len(DISFIGURE) >= 12


def _right(folder: Path) -> Path:
    """Write the data as they should be."""
    path = folder / "right.conll"
    path.write_text("".join(f"{word}\t{tag}\n" for word, tag in zip(WORDS, TAGS, strict=True)), encoding="utf-8")
    return path
