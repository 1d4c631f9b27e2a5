"""`spacy tokclf evaluate`: a saved pipeline on CoNLL data and DocBins, on gold tokens and on raw text."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from score_files import GOLD, PRED, TRAIN
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from typer.testing import CliRunner

from spacy_tokclf.cli import app
from spacy_tokclf.cli.evaluate import evaluate, predict
from spacy_tokclf.cli.score import score
from spacy_tokclf.corpus import read_conll, write_docbin
from spacy_tokclf.corpus.convert import read_any, write_any

WriteT = Callable[..., str]


def test_equals_score_on_files(write: WriteT, pipeline: str, tmp_path: Path) -> None:
    gold, train = Path(write("gold.conll", GOLD)), Path(write("train.conll", TRAIN))
    expected = score(gold, Path(write("pred.conll", PRED)), train=train)
    expected["details"]["scheme"] = None
    assert evaluate(pipeline, gold, train=train) == expected
    write_docbin(read_conll(gold), tmp_path / "gold.spacy")
    assert evaluate(pipeline, tmp_path / "gold.spacy", train=train, batch_size=1) == expected


def test_other_forms_of_data(write: WriteT, pipeline: str, tmp_path: Path) -> None:
    gold = write("gold.conll", GOLD)
    expected = evaluate(pipeline, Path(gold))
    write_any(read_any(gold, spacy.blank("en")), tmp_path / "gold.jsonl")
    assert evaluate(pipeline, tmp_path / "gold.jsonl") == expected


def test_prints_and_writes(write: WriteT, pipeline: str, tmp_path: Path) -> None:
    options = [
        "--train",
        write("train", TRAIN),
        "--json",
        str(tmp_path / "scores.json"),
        "--errors",
        str(tmp_path / "e"),
    ]
    result = CliRunner().invoke(app, ["evaluate", pipeline, write("gold.conll", GOLD), *options])
    output = " ".join(result.output.split())
    assert result.exit_code == 0, output
    assert "entity 50.00 50.00 50.00" in output
    assert "all 0 1 0 1 0 0 0" in output
    assert "unseen 50.00 50.00 50.00 2" in output
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["overall_f1"] == 0.5
    assert len((tmp_path / "e").read_text().splitlines()) == 2


def raw_gold(tmp_path: Path) -> Path:
    """A Doc whose gold tokens are not those of the tokenizer: "Bob's" is one."""
    vocab = spacy.blank("en").vocab
    words, spaces = ["Ada", "Lovelace", "met", "Bob's", "dog", "in", "Rome."], [True] * 6 + [False]
    doc = Doc(vocab, words=words, spaces=spaces)
    doc.ents = [Span(doc, 0, 2, label="person"), Span(doc, 3, 4, label="group")]
    DocBin(docs=[doc]).to_disk(tmp_path / "raw.spacy")
    return tmp_path / "raw.spacy"


def test_raw_text_is_tokenised_by_the_pipeline(pipeline: str, tmp_path: Path) -> None:
    path = raw_gold(tmp_path)
    tokens = evaluate(pipeline, path)
    raw = evaluate(pipeline, path, raw=True, errors_path=tmp_path / "errors.jsonl")
    # On gold tokens neither "Bob's" nor "Rome." is known; the tokenizer splits both, so "Bob" and "Rome" are found.
    assert (tokens["details"]["n_predicted"], tokens["details"]["n_correct"]) == (1, 1)
    assert (raw["details"]["n_predicted"], raw["details"]["n_correct"]) == (3, 1)
    assert raw["details"]["errors"]["group"]["too_short"] == 1
    assert raw["details"]["errors"]["location"]["spurious"] == 1
    assert "by_length" not in raw["details"]
    assert raw["surface_recall"] == 0.5
    errors = [json.loads(line) for line in (tmp_path / "errors.jsonl").read_text().splitlines()]
    assert errors[0]["gold"] == {"type": "group", "start": 17, "end": 22, "text": "Bob's"}
    assert errors[0]["pred"] == {"type": "group", "start": 17, "end": 20, "text": "Bob"}


def test_predictions_keep_gold_tokens_and_spaces(pipeline: str, tmp_path: Path) -> None:
    nlp = spacy.load(pipeline)
    references = list(read_any(raw_gold(tmp_path), nlp))
    (example,) = predict(nlp, references)
    assert example.reference is references[0]
    assert [token.text_with_ws for token in example.predicted] == [token.text_with_ws for token in references[0]]
    (example,) = predict(nlp, references, raw=True)
    assert "'s" in [token.text for token in example.predicted]


def test_dropped_texts_are_an_error(write: WriteT, pipeline: str) -> None:
    @Language.component("fails_on_rome")
    def fails_on_rome(doc: Doc) -> Doc:
        if "Rome" in doc.text:
            raise ValueError("no Rome")
        return doc

    nlp = spacy.load(pipeline)
    nlp.add_pipe("fails_on_rome")
    dropped: list[Any] = []
    nlp.set_error_handler(lambda name, proc, docs, error: dropped.extend(docs))
    with pytest.raises(ValueError, match=r"TC240.*1 of 2 texts"):
        predict(nlp, list(read_any(write("gold.conll", GOLD), nlp)))
    assert len(dropped) == 1


def test_refused(write: WriteT, pipeline: str, tmp_path: Path) -> None:
    for data, code in ((str(tmp_path / "absent.conll"), "TC118"), (write("bad.conll", "a\tO\nb\n"), "TC113")):
        result = CliRunner().invoke(app, ["evaluate", pipeline, data])
        assert result.exit_code == 1
        assert f"[{code}]" in result.output
