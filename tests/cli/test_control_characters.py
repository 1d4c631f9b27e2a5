"""Labels, words and names of files cannot give orders to the terminal: what it would obey is shown instead."""

import json
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, Span
from typer.testing import CliRunner

from spacy_tokclf.cli import app
from spacy_tokclf.cli._printer import msg
from spacy_tokclf.cli._table import print_table, print_title
from spacy_tokclf.errors import Errors, visible

#: Sets the title of the window; goes back over the line and deletes it; writes from right to left; half of a character.
ORDERS = "\x1b]0;owned\x07", "\r\x1b[2K", "\u202e", "\x9b31m", "\udcff"


@pytest.mark.parametrize("order", ORDERS)
def test_nothing_reaches_the_terminal(order: str, capsys: pytest.CaptureFixture[str]) -> None:
    name = f"a{order}b"
    msg.good(f"Wrote {name}")
    msg.warn(name)
    msg.fail(Errors.TC118.format(path=name))
    msg.divider(name)
    print_title(name)
    print_table([(name, 1)], header=("type", "count"))
    printed = capsys.readouterr().out
    assert order not in printed and visible(order)[:4] in printed


@pytest.mark.parametrize("text", ["plain", "tabs\tand\nlines", "Zoë 中 🎉 \u200d e\u0301", "\\x1b"])
def test_other_characters_stay(text: str) -> None:
    assert visible(text) == text


def test_data_with_such_labels_and_names(tmp_path: Path) -> None:
    order = ORDERS[0]
    rows = [{"text": f"Ada{i} met Bo", "spans": [{"start": 0, "end": 4, "label": f"P{order}"}]} for i in range(3)]
    (tmp_path / f"x{order}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    nlp = spacy.blank("en")
    doc = Doc(nlp.vocab, words=["Ada", "met", f"B{order}"])
    doc.ents = [Span(doc, 0, 1, f"P{order}")]
    nlp.add_pipe("entity_ruler").add_patterns([{"label": f"P{order}", "pattern": "met"}])
    nlp.to_disk(tmp_path / "model")
    data, missing = str(tmp_path / f"x{order}.jsonl"), str(tmp_path / f"no{order}.conll")
    model = str(tmp_path / "model")
    for args in (
        ("debug", "data", data),
        ("convert", data, str(tmp_path / f"y{order}.conll")),
        ("convert", missing, str(tmp_path / "z.conll")),
        ("evaluate", model, data, "--resamples", "0"),
        ("report", model, data, "-o", str(tmp_path / f"r{order}.html"), "--resamples", "0"),
        ("score", data, data),
    ):
        done = CliRunner().invoke(app, args)
        assert order not in done.output, args
        assert isinstance(done.exception, SystemExit | None), args
        assert "]0;owned" in done.output, args
