"""From annotated texts of any form to a pipeline, a page and found entities, without a file edited: in an empty folder,
with an empty home. `scripts/check_dist.py` runs this from the wheel.
"""

import json
import os
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import spacy
from data_forms import FORMS, Text
from spacy.cli._util import app
from spacy.tokens import DocBin
from typer.testing import CliRunner

import spacy_tokclf.cli  # noqa: F401 (adds its commands to spaCy's)

TEXTS = 200
ONES = ("CoNLL: tabs, IOB2", "Doccano", "Label Studio: labels", "CSV with a header and a column of sentences")
LEFT = ("config.cfg", "train.spacy", "dev.spacy", "training/model-best/meta.json", "training/log.jsonl")
#: Names, places, sentences in which they stand, and what stands between two words.
LANGUAGES = {
    "en": (
        ["Mira Sandoval", "Orla Quint", "Ben", "Praat"],
        ["Porto", "New York", "Lima"],
        ["{who} moved to {where} .", "In {where} it rains , says {who} .", "Nothing of note today ."],
    ),
    "zh": (
        ["李明", "王小红", "张伟"],
        ["上海", "北京", "广州"],
        ["{who}在{where}工作。", "没有消息。"],
    ),
    "ar": (["ليلى", "يوسف حداد", "سامي"], ["بيروت", "القاهرة"], ["سافرت {who} إلى {where} .", "لا جديد اليوم ."]),
    "ja": (["太郎", "花子"], ["東京", "大阪"], ["{who}は{where}へ行った。", "今日は雨だ。"]),
}
Row = tuple[str, list[tuple[int, int, str]]]


def rows_of(lang: str, count: int = TEXTS) -> list[Row]:
    """Make texts of a language, each with its entities by characters. Numbers keep them apart, and some labels are
    wrong, so that no pipeline finds all of them.
    """
    names, places, sentences = LANGUAGES[lang]
    rng = random.Random(0)
    rows: list[Row] = []
    for number in range(count):
        text, spans = f"{number} ", []
        for part in re.split(r"(\{\w+\})", rng.choice(sentences)):
            filler, label = {"{who}": (names, "PER"), "{where}": (places, "LOC")}.get(part, ((part,), ""))
            word = rng.choice(filler)
            if label:
                label = label if rng.random() < 0.9 else "MISC"
                spans.append((len(text), len(text) + len(word), label))
            text += word
        rows.append((text, spans))
    return rows


def as_words(row: Row) -> Text:
    """Give a text with blanks between its words as the forms have it."""
    text, spans = row
    at = [text[:place].count(" ") for span in spans for place in span[:2]]
    words = [(at[2 * i], at[2 * i + 1] + 1, span[2]) for i, span in enumerate(spans)]
    return Text(tuple(text.split(" ")), tuple(words))


def save_doccano(rows: Sequence[Row], folder: Path) -> Path:
    """Write texts with offsets, a line each."""
    path = folder / "texts.jsonl"
    path.write_text("".join(json.dumps({"text": text, "label": spans}) + "\n" for text, spans in rows), "utf-8")
    return path


def save_docbin(rows: Sequence[Row], folder: Path) -> Path:
    """Write texts as spaCy has them, with its own tools."""
    nlp = spacy.blank("en")
    docs = []
    for text, spans in rows:
        doc = nlp.make_doc(text)
        doc.ents = [doc.char_span(*span) for span in spans]
        docs.append(doc)
    DocBin(docs=docs).to_disk(folder / "texts.spacy")
    return folder / "texts.spacy"


def saver(name: str) -> Callable[[Sequence[Row], Path], Path]:
    """Give what writes a form of `data_forms`."""
    form = next(form for form in FORMS if form.name == name)
    return lambda rows, folder: form.save([as_words(row) for row in rows], folder)


SAVERS = {name: saver(name) for name in (*ONES, "brat, a folder")} | {"DocBin": save_docbin}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocked_network: None) -> Path:
    """An empty folder to work in, and an empty home in which nothing may be left."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    for name in list(os.environ):
        if name.startswith(("XDG_", "SPACY_TOKCLF_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(work)
    return work


def tokclf(line: str, *more: str, fails: bool = False) -> str:
    """Run a command as it would be typed. RETURNS (str): What it printed."""
    result = CliRunner().invoke(app, ["tokclf", *line.split(), *more])
    assert result.exit_code == fails, (line, result.output, result.exception)
    return result.output


def go_through(data: Path, desk: Path, encoder: Path, lang: str) -> float:
    """Go from texts to a page and a number. RETURNS (float): The F1 on dev."""
    new = [text for text, _ in rows_of(lang, 7)]
    Path("new.txt").write_text("".join(f"{text}\n" for text in new), encoding="utf-8")
    said = tokclf(f"init {data.name} mine --epochs 5 --lang {lang} --encoder", str(encoder))
    command = "train mine/config.cfg mine/training"
    assert f"python -m spacy tokclf {command}\n" in said
    said = tokclf(command, "--training.optimizer.learn_rate.initial_rate", "0.003")
    command = "report mine/training/model-best mine/dev.spacy -o mine/training/report.html"
    assert f"python -m spacy tokclf {command}\n" in said
    tokclf(command, "--resamples", "20")
    tokclf("annotate mine/training/model-best new.txt -o found.jsonl")
    tokclf("annotate mine/training/model-best mine/dev.spacy -o dev.jsonl")
    tokclf("evaluate mine/training/model-best mine/dev.spacy --resamples 0 --json evaluated.json")
    tokclf("score mine/dev.spacy dev.jsonl --resamples 0 --json scored.json")

    assert [name for name in LEFT if not Path("mine", name).is_file()] == []
    found = [json.loads(line) for line in Path("found.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["text"] for row in found] == new and any(row["entities"] for row in found)
    evaluated, scored = (
        json.loads(Path(name).read_text(encoding="utf-8")) for name in ("evaluated.json", "scored.json")
    )
    del evaluated["details"], scored["details"]  # where scores of entities are counted, too
    assert scored == evaluated
    assert f"{100 * evaluated['overall_f1']:.2f}" in Path("mine/training/report.html").read_text(encoding="utf-8")
    assert list((desk.parent / "home").iterdir()) == []
    return float(evaluated["overall_f1"])


@pytest.mark.slow
@pytest.mark.parametrize("name", SAVERS)
def test_a_form(name: str, desk: Path, encoder_dir: Path) -> None:
    assert 0.5 < go_through(SAVERS[name](rows_of("en"), desk), desk, encoder_dir, "en") < 1.0


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["zh", "ar"])
def test_a_language(lang: str, desk: Path, make_encoder: Callable[..., Path]) -> None:
    assert 0.5 < go_through(save_doccano(rows_of(lang), desk), desk, make_encoder("roberta"), lang) < 1.0


@pytest.mark.slow
def test_japanese_needs_a_package(desk: Path, make_encoder: Callable[..., Path]) -> None:
    data = save_doccano(rows_of("ja"), desk)
    try:
        spacy.blank("ja")
    except ImportError:
        said = tokclf(f"init {data.name} mine --lang ja --encoder", str(make_encoder("roberta")), fails=True)
        assert "[TC140]" in said and "spacy[ja]" in said and len(said.splitlines()) < 12
        assert not Path("mine").exists()
    else:
        assert 0.5 < go_through(data, desk, make_encoder("roberta"), "ja") < 1.0
