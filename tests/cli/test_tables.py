"""Tables fit 80 columns, whatever names are in them; numbers are whole."""

import pytest

from spacy_tokclf.cli._table import WIDTH, cut, print_table, print_title
from spacy_tokclf.cli.tables import print_summary
from spacy_tokclf.metrics.examples import compare_examples
from spacy_tokclf.metrics.summary import summarize

LONG = "a-very-long-entity-type-" * 6


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.split("\n")


def test_a_table_that_fits_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([("x", 1), ("yy", 22)], header=("type", "F1"), aligns=("l", "r"))
    assert lines_of(capsys) == ["", "type   F1", "x       1", "yy     22", "", ""]


def test_names_lose_their_middle_and_numbers_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(f"{LONG}{end}", *(100.0 + i for i in range(6))) for end in "AB"]
    print_table(rows, header=("type", *("some words here",) * 6), aligns=("l", *"r" * 6), divider=True)
    lines = lines_of(capsys)
    assert max(map(len, lines)) <= WIDTH
    assert [line.split()[1:] for line in lines[5:7]] == [["100.0", "101.0", "102.0", "103.0", "104.0", "105.0"]] * 2
    assert lines[5].split()[0].endswith("A") and lines[6].split()[0].endswith("B")
    assert lines[5].startswith("a-very-long") and "…" in lines[5]


def test_cut() -> None:
    assert [cut("abcdef", width) for width in (6, 5, 4)] == ["abcdef", "ab…ef", "ab…f"]


def test_a_title_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_title(f"{LONG}/model on dev.conll")
    (line,) = [line for line in lines_of(capsys) if "=" in line]
    assert len(line) <= WIDTH + 10 and "dev.conll" in line  # colours are no columns


def test_a_summary_fits(capsys: pytest.CaptureFixture[str]) -> None:
    import spacy
    from spacy.tokens import Doc, Span
    from spacy.training import Example

    vocab = spacy.blank("en").vocab
    pred, gold = (Doc(vocab, words=["a", "b", "c"]) for _ in range(2))
    gold.ents = [Span(gold, 0, 1, label=LONG), Span(gold, 2, 3, label="x")]
    pred.ents = [Span(pred, 0, 2, label=LONG)]
    summary = summarize(compare_examples([Example(pred, gold)]), [["a", "b", "c"]], train_texts=set(), n_resamples=10)
    calibration = {"number": 1, "ece": 0.5, "ece_chance": 0.1, "brier": 0.2, "brier_constant": 0.3, "auroc": None}
    summary["details"]["calibration"] = calibration
    print_summary(summary, title=f"{LONG} on {LONG}")
    lines = lines_of(capsys)
    assert [line for line in lines if len(line) > WIDTH + ("==" in line) * 10] == []
    assert any(line.startswith("ECE:") for line in lines) and any(line.startswith("by chance:") for line in lines)
