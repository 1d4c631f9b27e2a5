"""Texts through a pipeline to files: order, failures, memory, and what the files say."""

import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.language import Language

from spacy_tokclf import entity_score
from spacy_tokclf.annotation import predict
from spacy_tokclf.annotation.items import Item
from spacy_tokclf.annotation.predict import annotate_items
from spacy_tokclf.annotation.run import annotate_texts
from spacy_tokclf.corpus.convert import read_any, write_any
from spacy_tokclf.corpus.options import ReadOptions
from spacy_tokclf.corpus.records import TextRecord

FORMS = ["x.jsonl", "x.csv", "x.spacy", "x.conll", "x.ann"]
TEXTS = ["Ada met Bob.", "no", 'Héllo 🎉 Zoë-X, "Quoted"', "é" * 50 + " Ω", "=Sum(A1)", "a#B", "#  C = d", "%PDF- Ada"]


def found_in(path: Path, nlp: Language) -> list[list[tuple[str, int, str, float | None]]]:
    return [
        [(ent.text, ent.start_char, ent.label_, entity_score(ent)) for ent in doc.ents] for doc in read_any(path, nlp)
    ]


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_read_back_with_its_scores(finder: Language, tmp_path: Path, name: str) -> None:
    (tmp_path / "in.txt").write_text("\n".join(TEXTS), encoding="utf-8")
    summary = annotate_texts(finder, tmp_path / "in.txt", tmp_path / name)
    expected = [[(ent.text, ent.label_, entity_score(ent)) for ent in finder(text).ents] for text in TEXTS]
    assert (summary.texts, summary.failed, summary.left_out) == (len(TEXTS), 0, 0)
    assert summary.entities == sum(map(len, expected)) > 5
    read = found_in(tmp_path / name, spacy.blank("en"))
    assert [[(text, label, score) for text, _, label, score in row] for row in read] == expected


@pytest.mark.parametrize("one", FORMS)
@pytest.mark.parametrize("other", FORMS)
def test_scores_survive_conversion_both_ways(finder: Language, tmp_path: Path, one: str, other: str) -> None:
    nlp = spacy.blank("en")
    (tmp_path / "in.txt").write_text("\n".join(TEXTS), encoding="utf-8")
    (tmp_path / "second").mkdir()
    annotate_texts(finder, tmp_path / "in.txt", tmp_path / one)
    write_any(read_any(tmp_path / one, nlp), tmp_path / "second" / other)
    expected, found = found_in(tmp_path / one, nlp), found_in(tmp_path / "second" / other, nlp)
    if one != "x.conll" and other == "x.conll":  # which has no white space
        expected, found = ([[(*each[:1], *each[2:]) for each in row] for row in rows] for rows in (expected, found))
    assert found == expected
    assert all(score is not None for row in found for *_, score in row)


@pytest.mark.parametrize("name", [name for name in FORMS if name != "x.conll"])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), min_size=1, max_size=4))
def test_any_text_comes_back(finder: Language, tmp_path: Path, name: str, texts: list[str]) -> None:
    texts = [text.replace("bad", "") for text in texts]
    (tmp_path / "in.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in texts))
    summary = annotate_texts(finder, tmp_path / "in.jsonl", tmp_path / name)
    assert summary.failed == 0
    if name == "x.ann" and not any(texts):
        return  # a folder of empty texts is no data
    docs = list(read_any(tmp_path / name, spacy.blank("en")))
    assert [doc.text for doc in docs] == texts
    for doc, text in zip(docs, texts, strict=True):
        expected = finder(text)
        assert [(ent.text, ent.start_char) for ent in doc.ents] == [(e.text, e.start_char) for e in expected.ents]
        assert list(map(entity_score, doc.ents)) == list(map(entity_score, expected.ents))


def test_jsonl_says_what_annotated_and_keeps_the_rows(
    nlp: Language, tmp_path: Path, read_rows: Callable[..., list[Any]]
) -> None:
    rows = [{"id": 1, "body": "Ada met Bob.", "spans": [{"start": 0, "end": 3, "label": "GOLD"}], "_task_hash": 5}]
    (tmp_path / "in.jsonl").write_text(json.dumps(rows[0]))
    options = ReadOptions(text_key="body")
    annotate_texts(nlp, tmp_path / "in.jsonl", tmp_path / "x.jsonl", options=options, threshold=0.1)
    (row,) = read_rows(tmp_path / "x.jsonl")
    assert row["tokclf"] == {"model": "en_pipeline", "version": "0.0.0", "threshold": 0.1, "text_key": "body"}
    assert {key: row[key] for key in rows[0]} == rows[0]
    (doc,) = read_any(tmp_path / "x.jsonl", spacy.blank("en"))
    assert doc.text == "Ada met Bob."
    assert [ent.label_ for ent in doc.ents] == [each["label"] for each in row["entities"]] != ["GOLD"]
    assert [entity_score(ent) for ent in doc.ents] == [each["score"] for each in row["entities"]]
    assert all(row["body"][each["start"] : each["end"]] == each["text"] for each in row["entities"])


def test_the_threshold_leaves_out_what_scores_less(nlp: Language, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("Ada Lovelace flew to New York with Bob")
    every = annotate_texts(nlp, tmp_path / "in.txt", tmp_path / "a.jsonl", threshold=0.0).entities
    assert every > 0
    assert annotate_texts(nlp, tmp_path / "in.txt", tmp_path / "a.jsonl", threshold=1.0).entities == 0
    for wrong, code in (({"threshold": 2.0}, "TC022"), ({"component": "no"}, "TC255"), ({"batch_size": 0}, "TC119")):
        with pytest.raises(ValueError, match=code):
            annotate_texts(nlp, tmp_path / "in.txt", tmp_path / "b.jsonl", **wrong)
    assert not (tmp_path / "b.jsonl").exists()


MIXED = ["A one", "bad two", "", "C three", "D\ud800", "bad five", "E six"]


@pytest.mark.parametrize("name", FORMS)
def test_a_text_that_fails_is_written_down_and_the_rest_goes_on(finder: Language, tmp_path: Path, name: str) -> None:
    (tmp_path / "in.jsonl").write_text("\n".join([*(json.dumps({"text": text}) for text in MIXED), '{"x": 1}']))
    before = finder.default_error_handler, finder.get_pipe("stumbling").get_error_handler()
    summary = annotate_texts(finder, tmp_path / "in.jsonl", tmp_path / name, batch_size=4)
    assert (finder.default_error_handler, finder.get_pipe("stumbling").get_error_handler()) == before
    assert (summary.texts, summary.failed, summary.entities) == (8, 4, 3)
    assert "a bad text: bad two" in summary.errors[0] and ":2" in summary.errors[0]
    assert "TC369" in summary.errors[1]
    docs = list(read_any(tmp_path / name, spacy.blank("en")))
    known = [doc.has_annotation("ENT_IOB") for doc in docs if len(doc)]
    assert known == [True, False, True, False, False, True]
    texts = [doc.text.strip() for doc in docs if len(doc)]
    shown = [text.replace("\ud800", "\ufffd") for text in MIXED if text]
    assert texts == shown
    assert len(docs) == (6 if name == "x.conll" else 8)
    assert summary.left_out == (2 if name == "x.conll" else 0)


def test_why_a_text_failed_stands_beside_it(
    finder: Language, tmp_path: Path, read_rows: Callable[..., list[Any]]
) -> None:
    (tmp_path / "in.txt").write_text("Ok\nbad two\n")
    annotate_texts(finder, tmp_path / "in.txt", tmp_path / "x.jsonl")
    row = read_rows(tmp_path / "x.jsonl")[1]
    assert row["text"] == "bad two" and row["error"] == "a bad text: bad two." and "entities" not in row
    annotate_texts(finder, tmp_path / "in.txt", tmp_path / "x.csv")
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    assert [(cell["number"], cell["document"], cell["error"]) for cell in cells] == [
        ("1", "Ok", ""),
        ("2", "bad two", "a bad text: bad two."),
    ]


def test_a_text_beyond_the_limit_is_written_down_and_read_back(finder: Language, tmp_path: Path) -> None:
    finder.max_length = 100
    long = "Ada " * 300_000
    (tmp_path / "in.txt").write_text(f"Ok\n{long}\n")
    summary = annotate_texts(finder, tmp_path / "in.txt", tmp_path / "x.jsonl")
    assert summary.failed == 1 and "TC370" in summary.errors[0]
    assert [len(doc.text) for doc in read_any(tmp_path / "x.jsonl", spacy.blank("en"))] == [2, len(long)]


def test_if_all_fail_nothing_is_written(finder: Language, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("\nbad\n" * 200)
    with pytest.raises(ValueError, match=r"TC363.*first 100 text.*a bad text"):
        annotate_texts(finder, tmp_path / "in.txt", tmp_path / "x.jsonl")
    (tmp_path / "in.txt").write_text("bad")
    with pytest.raises(ValueError, match="TC363"):
        annotate_texts(finder, tmp_path / "in.txt", tmp_path / "x.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["in.txt"]


def test_what_cannot_be_is_refused(finder: Language, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("Ok")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "full.ann").mkdir()
    (tmp_path / "full.ann" / "letter.doc").write_text("")
    for source, output, code in (
        ("in.txt", "out", "TC364"),
        ("in.txt", "x.parquet", "TC364"),
        ("in.txt", "full.ann", "TC294"),
        ("empty.txt", "x.jsonl", "TC372"),
        ("none.txt", "x.jsonl", "TC118"),
    ):
        with pytest.raises(ValueError, match=code):
            annotate_texts(finder, tmp_path / source, tmp_path / output)
    with pytest.raises(ValueError, match="TC241"):
        annotate_texts(spacy.blank("en"), tmp_path / "in.txt", tmp_path / "x.jsonl")
    assert not list(tmp_path.glob("x.*"))


def test_files_keep_their_names_in_brat(finder: Language, tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "b.txt").write_bytes(b"Bob\r\nis\n")
    (tmp_path / "in" / "deep" / "a.txt").write_text("Ada")
    annotate_texts(finder, tmp_path / "in", tmp_path / "x.ann")
    files = sorted(path.relative_to(tmp_path / "x.ann").as_posix() for path in (tmp_path / "x.ann").rglob("*.*"))
    assert files == ["b.ann", "b.txt", "deep/a.ann", "deep/a.txt"]
    assert (tmp_path / "x.ann" / "b.txt").read_bytes() == b"Bob\r\nis\n"
    assert [row[-1][0] for row in found_in(tmp_path / "x.ann", spacy.blank("en"))] == ["Bob", "Ada"]


def test_lines_from_a_stream_to_a_stream(finder: Language) -> None:
    out = io.BytesIO()
    annotate_texts(finder, "-", "-", streams=(io.BytesIO(b"Ada\n\nBob\n"), out))
    rows = [json.loads(line) for line in out.getvalue().decode().splitlines()]
    assert [row["text"] for row in rows] == ["Ada", "", "Bob"]
    assert [len(row["entities"]) for row in rows] == [1, 0, 1]


def test_memory_is_flat(finder: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    """New words all the time: neither texts nor vocabulary pile up."""
    monkeypatch.setattr(predict, "ZONE", 256)

    def items(count: int) -> Iterator[Item]:
        for i in range(count):
            yield Item(TextRecord(f"Word{i} next{i} other{i}", []), str(i))

    peaks = []
    strings = len(finder.vocab.strings)
    for count in (512, 2048):
        tracemalloc.start()
        assert sum(1 for _ in annotate_items(finder, items(count))) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
    assert len(finder.vocab.strings) < strings + 100


@pytest.mark.slow
@pytest.mark.parametrize("n_process", [1, 2])
def test_order_and_counts_with_processes(finder: Language, n_process: int) -> None:
    texts = [f"bad {i}" if i % 7 == 3 else f"Word{i} and" for i in range(500)]
    items = [Item(TextRecord(text, []), str(i)) for i, text in enumerate(texts)]
    found = [
        (each.item.text, each.doc.text, bool(each.error), [entity_score(ent) for ent in each.doc.ents])
        for each in annotate_items(finder, items, batch_size=16, n_process=n_process)
    ]
    assert [row[:2] for row in found] == [(text, text) for text in texts]
    assert [row[2] for row in found] == ["bad" in text for text in texts]
    for i, (text, _, failed, scores) in enumerate(found):
        assert scores == ([] if failed else [1 / (5 + len(str(i))) + 0.123456789012345e-3]), text


def test_spacys_own_ner_and_parser_annotate(tmp_path: Path) -> None:
    """They have no place for an error handler."""
    nlp = spacy.blank("en")
    for factory, label in (("parser", "dep"), ("ner", "A")):
        nlp.add_pipe(factory).add_label(label)
    nlp.add_pipe("stumbling")
    nlp.initialize()
    (tmp_path / "in.txt").write_text("Ada met Bob.\nbad\n")
    summary = annotate_texts(nlp, tmp_path / "in.txt", tmp_path / "x.jsonl")
    assert (summary.texts, summary.failed) == (2, 1)
    assert nlp.default_error_handler is spacy.util.raise_error


def test_texts_that_conll_has_no_place_for_do_not_count(finder: Language, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in ("Ada", "", "A\u2028")))
    summary = annotate_texts(finder, tmp_path / "in.jsonl", tmp_path / "x.conll")
    assert (summary.texts, summary.left_out) == (3, 1)
    written = sum(len(doc.ents) for doc in read_any(tmp_path / "x.conll", finder))
    assert summary.entities == written > 0


def test_labels_that_conll_cannot_hold_do_not_end_in_an_empty_file(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "a\tb", "pattern": "Ada"}])  # type: ignore[attr-defined]
    (tmp_path / "in.txt").write_text("Ada\nAda\n")
    with pytest.raises(ValueError, match=r"TC390.*None of the 2 .*TC117.*'a\\tb'"):
        annotate_texts(nlp, tmp_path / "in.txt", tmp_path / "x.conll")
    assert not (tmp_path / "x.conll").exists()
    (tmp_path / "in.txt").write_text("Ada\nBob\n")
    summary = annotate_texts(nlp, tmp_path / "in.txt", tmp_path / "x.conll")
    assert (summary.left_out, summary.entities) == (1, 0)


def test_what_is_read_is_not_written_over(finder: Language, tmp_path: Path) -> None:
    """Its own annotation would be lost; a link to it is the same file."""
    gold = '{"text": "Ada", "entities": [{"start": 0, "end": 3, "label": "person"}]}\n'
    (tmp_path / "gold.jsonl").write_text(gold)
    (tmp_path / "link.jsonl").symlink_to("gold.jsonl")
    for name in ("gold.jsonl", "link.jsonl"):
        with pytest.raises(ValueError, match="TC391"):
            annotate_texts(finder, tmp_path / "gold.jsonl", tmp_path / name)
    assert (tmp_path / "gold.jsonl").read_text() == gold


def test_own_values_under_keys_that_are_written_are_told(finder: Language, tmp_path: Path) -> None:
    rows = [{"text": "Ada", "tokens": 127, "id": 1}, {"text": "no", "error": "none"}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    first = annotate_texts(finder, tmp_path / "in.jsonl", tmp_path / "x.jsonl")
    assert first.replaced == {"tokens", "error"}
    again = annotate_texts(finder, tmp_path / "x.jsonl", tmp_path / "y.jsonl")
    assert again.replaced == set()
