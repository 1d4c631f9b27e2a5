"""Tables, targets and pictures from rows alone."""

import json
from pathlib import Path

import pytest

from bench.commands import plots
from bench.commands.plots import report as draw
from bench.commands.table import report, systems_table
from bench.targets import check_targets


def row(work, system, value, precision="fp32", **more):
    given = {
        "ratio": None,
        "f1": None,
        "reference": False,
        "environment": "newest",
        "unit": "words/s",
        "values": [value],
    }
    return {"work": work, "system": system, "precision": precision, "value": value, "values": [value], **given, **more}


RESULTS = Path(__file__).resolve().parents[2] / "bench" / "results"
SAMPLES = [[10_000, 2.0, 2.0, 500.0], [20_000, 4.0, 4.0, 505.0]]
FILES = {
    "train": [
        row("train", "Trainer, tutorial recipe", 25.0, reference=True, ratio=1.0),
        row("train", "bare torch loop, packed", 50.0, ratio=2.0),
        row("train", "spacy-tokclf spacy train", 46.0, ratio=1.84),
        row("train", "Trainer, group_by_length", 50.0, "bf16", ratio=2.0),
        row("train", "spacy-tokclf spacy train", 80.0, "bf16", ratio=3.2),
    ],
    "annotate": [
        row("annotate", 'pipeline("ner"), one by one', 1300.0, reference=True, ratio=1.0),
        row("annotate", "bare torch forward", 3800.0, ratio=2.92),
        row("annotate", "bare torch forward, packed", 5000.0, ratio=3.85),
        row("annotate", "bare torch forward, packed", 9000.0, "bf16", ratio=6.92),
        row("annotate", "spacy-tokclf nlp.pipe", 4000.0, ratio=3.08, f1=0.44),
        row("annotate", "spacy-tokclf nlp.pipe", 8000.0, "bf16", ratio=6.15, f1=0.4345),
    ],
    "latency": [
        row("latency", 'pipeline("ner")', 10.0, reference=True, ratio=1.0, unit="ms"),
        row("latency", "spacy-tokclf nlp(text)", 5.0, ratio=0.5, unit="ms"),
        row("latency", "spacy-tokclf nlp(text), ONNX Runtime", 7.0, "int8", ratio=0.7, unit="ms"),
    ],
    "load": [
        row("import", "spacy-tokclf, on top of spaCy", 0.02, unit="s"),
        row("load", "spacy-tokclf spacy.load, transformers imported", 1.2, unit="s"),
    ],
    "memory": [
        row("memory of annotating", "spacy-tokclf nlp.pipe", 505.0, unit="MiB", samples=SAMPLES),
        row("memory of annotating", 'pipeline("ner")', 600.0, unit="MiB", samples=SAMPLES[:1]),
        row("lasting memory", "spacy-tokclf nlp.pipe", 1.01),
        row("lasting speed", "spacy-tokclf nlp.pipe", 0.9),
        row("one long text", "spacy-tokclf nlp.pipe", 0.86),
    ],
    "curves": [
        row(work, system, 100.0 * x, precision, x=x)
        for work in ("words in a text", "texts in a batch")
        for system, precision in (("spacy-tokclf nlp.pipe", "fp32"), ('pipeline("ner"), one by one', "fp32"))
        for x in (4, 16)
    ],
}
ROWS = [one for rows in FILES.values() for one in rows]


@pytest.fixture
def folder(tmp_path):
    for name, rows in FILES.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(rows), encoding="utf8")
    (tmp_path / "machine.json").write_text('{"cpu": "x"}', encoding="utf8")
    return tmp_path


def test_targets_are_checked_against_the_rows():
    found = {target.what: (target.value, target.holds) for target in check_targets(ROWS)}
    assert found == {
        "training, times the Trainer's tutorial recipe, bf16": ("3.20", True),
        "training, times the Trainer's best, bf16": ("1.60", False),
        'annotating, times pipeline("ner"), fp32': ("3.08", True),
        'annotating, times pipeline("ner"), bf16': ("6.15", True),
        "annotating, of the best bare forward, bf16": ("89%", False),
        "F1 points lost against fp32, bf16": ("0.55", False),
        'memory of annotating, of pipeline("ner")\'s, fp32': ("84%", True),
        "training, of the bare loop, fp32": ("92%", True),
        "annotating, of the best bare forward, fp32": ("80%", False),
        'one text of 20 words, of pipeline("ner")\'s time, fp32': ("50%", True),
        'one text of 20 words, of pipeline("ner")\'s time, int8, ONNX Runtime': ("70%", False),
        "import spacy_tokclf, spaCy imported": ("0.020 s", True),
        "spacy.load, transformers imported": ("1.200 s", False),
        "memory at the last word, of that at the 10,000th, fp32": ("101.0%", True),
        "words/s over all, of those over the first 50,000, fp32": ("90.0%", False),
        "words/s in one long text, of those in short ones, fp32": ("86.0%", True),
    }


def test_the_table_puts_systems_side_by_side():
    lines = list(systems_table(ROWS))
    titles = [cell.strip() for cell in lines[0].strip("|").split("|")[2:]]
    assert titles == ["training, posts/s", "annotating, words/s", "one text, ms", "loading, s", "annotating, MiB"]
    assert lines[2] == "| spacy-tokclf | fp32 | 46 (1.84x) | 4,000 (3.08x) | 5 (0.50x) |  | 505 |"
    assert lines[4] == "| spacy-tokclf, ONNX Runtime | int8 |  |  | 7 (0.70x) |  |  |"
    assert not any("hf_token_pipe" in line for line in lines)


def test_the_report_is_markdown(folder, capsys):
    report(folder)
    printed = capsys.readouterr().out
    assert '| Trainer, pipeline("ner") | fp32 | 25 | 1,300 | 10 |' in printed
    assert "| spacy.load, transformers imported | at most 1 s | 1.200 s | missed |" in printed


def test_without_results_there_is_no_table(tmp_path):
    with pytest.raises(SystemExit):
        report(tmp_path)


def test_pictures(folder):
    pytest.importorskip("matplotlib")
    draw(folder)
    for name in ("speed", "curves", "scale"):
        assert (folder / f"{name}.png").stat().st_size > 10_000
        svg = (folder / f"{name}.svg").read_text(encoding="utf8")
        assert "<svg" in svg
        assert str(folder) not in svg
    before = (folder / "speed.svg").read_bytes()
    (folder / "train.json").unlink()
    draw(folder)
    assert (folder / "speed.svg").read_bytes() != before


def test_what_bars_colours_and_whiskers_mean(folder):
    """Short names, which stay different; every axis from zero; a whisker from the lowest to the highest round."""
    pytest.importorskip("matplotlib")
    rows = [{**one, "values": [0.9 * one["value"], one["value"], 1.3 * one["value"]]} for one in ROWS]
    figure = plots.draw_speed([one for one in rows if one["work"] in plots.TITLES])
    for axes in figure.axes:
        assert axes.get_xlim()[0] == 0
        names = [label.get_text() for label in axes.get_yticklabels()]
        shades = [(*bar.get_facecolor(), name) for bar, name in zip(axes.patches, names, strict=True)]
        assert len(shades) == len(set(shades)) and max(map(len, names)) <= 36
        (whiskers,) = (one for one in axes.collections if hasattr(one, "get_segments"))
        for bar, ((low, _), (high, _)) in zip(axes.patches, whiskers.get_segments(), strict=True):
            assert (low, high) == pytest.approx((0.9 * bar.get_width(), 1.3 * bar.get_width()))
            assert high < axes.get_xlim()[1]
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"fp32", "bf16", "int8", "spacy-tokclf", "others"} < set(named) and "slowest to fastest" in named[-1]
    curves = plots.draw_curves([one for one in rows if one.get("x")])
    assert all(axes.get_ylim()[0] == 0 and "logarithmic" in axes.get_xlabel() for axes in curves.axes)
    assert {len(axes.collections) for axes in curves.axes} == {2}, "a band for each line"


@pytest.mark.skipif(not RESULTS.is_dir(), reason="the sdist has no results")
def test_the_names_of_the_published_rows_stay_different():
    for name in ("train", "annotate", "latency", "load", "curves", "memory"):
        rows = plots.read_rows(RESULTS / f"{name}.json")
        long = {(row["work"], row["system"], row["precision"]) for row in rows}
        short = {(work, plots.short_name(system), precision) for work, system, precision in long}
        assert rows and len(short) == len(long)


def test_pictures_of_the_same_rows_are_the_same(folder):
    pytest.importorskip("matplotlib")
    draw(folder)
    before = (folder / "scale.svg").read_bytes()
    draw(folder)
    assert (folder / "scale.svg").read_bytes() == before
