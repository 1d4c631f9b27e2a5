"""`spacy tokclf score` on two files: what it prints, what it writes, and what it refuses."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from score_files import GOLD, PRED, TRAIN
from typer.testing import CliRunner

from spacy_tokclf.cli import app
from spacy_tokclf.cli.score import score
from spacy_tokclf.corpus import read_conll, write_docbin
from spacy_tokclf.corpus.options import ReadOptions

WriteT = Callable[..., str]


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["score", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, " ".join(result.output.split())


def test_prints_entity_and_surface_scores(write: WriteT) -> None:
    code, output = run(write("gold", GOLD), write("pred", PRED))
    assert code == 0
    assert "2 texts, 8 tokens" in output
    assert "4 gold entities, 4 predicted, 2 right" in output
    assert "Mode: default (as conlleval)" in output
    assert "entity 50.00 50.00 50.00 surface 50.00 50.00 50.00" in output
    assert "Token accuracy: 75.00" in output
    assert "location 50.00 50.00 50.00 2" in output
    assert "wrong too too and errors missed type long short shifted boundary spurious" in output  # a header of lines
    assert "person 0 1 0 0 0 0 0" in output
    assert "all 0 1 0 1 0 0 0" in output


def test_writes_json(write: WriteT, tmp_path: Path) -> None:
    path, errors = tmp_path / "new" / "scores.json", tmp_path / "errors.jsonl"
    options = ("--train", write("train", TRAIN), "--json", str(path), "--errors", str(errors))
    assert run(write("gold", GOLD), write("pred", PRED), *options)[0] == 0
    scores = json.loads(path.read_text())
    keys = ["group", "location", "person", *(f"overall_{key}" for key in ("precision", "recall", "f1", "accuracy"))]
    assert list(scores) == [*keys, "surface_precision", "surface_recall", "surface_f1", "details"]
    assert scores["overall_f1"] == scores["surface_f1"] == 0.5
    assert scores["overall_accuracy"] == 0.75
    assert scores["person"] == {"precision": 1.0, "recall": 0.5, "f1": 2 / 3, "number": 2}
    assert scores["group"]["number"] == 0
    novelty = scores["details"]["by_novelty"]
    assert (novelty["seen"]["number"], novelty["seen"]["correct"], novelty["unseen"]["number"]) == (2, 1, 2)
    rows = [json.loads(line) for line in errors.read_text().splitlines()]
    assert [(row["kind"], row["gold"]["text"]) for row in rows] == [("wrong_type", "Bob"), ("too_short", "New York")]


def test_other_separators_columns_and_line_ends(write: WriteT) -> None:
    expected = score(Path(write("gold", GOLD)), Path(write("pred", PRED)))
    joined = "\r\n".join(
        " ".join((one.split("\t")[0], one.split("\t")[1], other.split(" ")[1])) if one else ""
        for one, other in zip(GOLD.splitlines(), PRED.splitlines(), strict=True)
    )
    path = Path(write("both", "\ufeff" + joined + "\r\n\r\n"))
    assert score(path, path, gold_column=1, pred_column=2) == expected
    assert score(path, Path(write("pred", PRED)), gold_column=1) == expected
    semicolons = PRED.replace(" ", ";")
    assert score(Path(write("gold", GOLD)), Path(write("semicolons", semicolons))) == expected  # found out
    gold = Path(write("gold2", GOLD.replace("\t", ";")))
    assert score(gold, Path(write("semicolons", semicolons)), options=ReadOptions(separator=";")) == expected


def test_docbins(write: WriteT, tmp_path: Path) -> None:
    paths = {}
    for name, text in (("gold", GOLD), ("pred", PRED)):
        paths[name] = tmp_path / f"{name}.spacy"
        write_docbin(read_conll(write(f"{name}.conll", text)), paths[name])
    conll = score(tmp_path / "gold.conll", tmp_path / "pred.conll")
    assert score(paths["gold"], paths["pred"]) == conll
    assert score(paths["gold"], tmp_path / "pred.conll", train=paths["gold"])["overall_f1"] == 0.5


def test_strict_mode(write: WriteT) -> None:
    dangling = PRED.replace("Rome B-", "Rome I-")
    gold, pred = Path(write("gold", GOLD)), Path(write("pred", dangling))
    assert score(gold, pred)["overall_f1"] == 0.5
    strict = score(gold, pred, mode="strict")
    assert (strict["details"]["scheme"], strict["details"]["n_predicted"]) == ("IOB2", 3)
    assert strict == score(gold, pred, mode="strict", scheme="IOB2")
    assert "Mode: strict, IOB2" in run(str(gold), str(pred), "--mode", "strict", "--scheme", "IOB2")[1]
    assert score(gold, pred, mode="strict", scheme="IOBES")["details"]["n_correct"] == 0


def test_two_systems(write: WriteT) -> None:
    gold, pred = write("gold", GOLD), write("pred", PRED)
    code, output = run(gold, pred, "--other", gold)
    assert code == 0
    assert "F1 50.00 and 100.00, difference -50.00" in output
    assert "paired bootstrap p = " in output


def test_missing_gold_is_left_out(write: WriteT) -> None:
    gold = Path(write("gold", GOLD.replace("Bob\tB-person", "Bob\t-")))
    details = score(gold, Path(write("pred", PRED)))["details"]
    assert (details["n_gold"], details["n_predicted"], details["n_ignored"], details["n_tokens"]) == (3, 3, 1, 7)


def test_altered_tokens_warn_once_and_are_scored_on_gold(write: WriteT) -> None:
    gold, pred = write("gold", GOLD), write("pred", PRED.replace("Ada", "ada").replace("Rome", "R").replace("met", "m"))
    code, output = run(gold, pred)
    assert code == 0
    assert output.count("[TW202]") == 1
    assert "3 of 8 tokens differ" in output
    with pytest.warns(UserWarning, match="TW202"):
        altered = score(Path(gold), Path(pred))
    assert altered == score(Path(gold), Path(write("pred2", PRED)))
    code, output = run(gold, pred, "--check-tokens")
    assert code == 1
    assert "[TC224] 3 of 8 tokens differ" in output


@pytest.mark.parametrize(
    ("gold", "pred", "options", "code", "parts"),
    [
        (GOLD, PRED.replace("\n\n", "\n"), {}, "TC221", ["2 sentences", "has 1"]),
        (GOLD, PRED + "\nmore O\n", {}, "TC221", ["the end of", "pred:11"]),
        (GOLD, PRED.replace("met O\n", ""), {}, "TC222", ["gold:1 has 4", "pred:1 has 3"]),
        (GOLD, PRED.replace("likes O\n", "likes O\nit O\n"), {}, "TC222", ["gold:6 has 4", "pred:6 has 5"]),
        (GOLD, PRED.replace("met O", "met"), {}, "TC113", ["pred:3"]),
        (GOLD, "", {}, "TC116", ["pred"]),
        (GOLD, PRED.replace("B-group", "X-group"), {}, "TC101", ["pred:4", "X-group"]),
        (GOLD, PRED.replace("B-group", "group"), {}, "TC104", ["pred:4"]),
        (GOLD, PRED.replace("B-group", "group-B"), {}, "TC104", ["pred:4"]),
        (GOLD.replace("B-person", "b-person"), PRED, {}, "TC104", ["gold:1"]),
        (GOLD, PRED.replace("Rome ", " "), {}, "TC114", ["pred:6"]),
        (GOLD, PRED.replace("B-group", "B-group,B-person"), {}, "TC115", ["pred:4"]),
        (GOLD, PRED.replace("B-group", "S-group"), {"mode": "strict"}, "TC227", ["pred:4", "IOB2"]),
        (GOLD, PRED, {"mode": "strict", "scheme": "BIOES"}, "TC207", ["BIOES"]),
        (GOLD, PRED, {"scheme": "IOB2"}, "TC226", ["IOB2"]),
        (GOLD, PRED, {"mode": "exact"}, "TC213", ["exact"]),
        (GOLD, PRED, {"resamples": -1}, "TC213", ["-1"]),
        ("a\tO\n", "a\tO\n", {"mode": "strict"}, "TC206", []),
    ],
)
def test_refused(write: WriteT, gold: str, pred: str, options: dict[str, Any], code: str, parts: list[str]) -> None:
    paths = (write("gold", gold), write("pred", pred))
    with pytest.raises(ValueError, match=code) as caught:
        score(*map(Path, paths), **options)
    assert [part for part in parts if part not in str(caught.value)] == []
    flags = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    exit_code, output = run(*paths, *flags)
    assert exit_code == 1
    assert f"[{code}]" in output


def test_suffix_wants_the_prefix_behind(write: WriteT) -> None:
    with pytest.raises(ValueError, match=r"TC223.*gold:1.*--suffix"):
        score(Path(write("gold", GOLD)), Path(write("pred", PRED)), suffix=True)


def test_bad_bytes_and_absent_files(write: WriteT, tmp_path: Path) -> None:
    (tmp_path / "latin1").write_bytes("Ada\tO\nZoë\tO\n".encode("latin1"))
    for name, code in (("latin1", "TC111"), ("absent", "TC118"), ("absent.spacy", "TC118")):
        exit_code, output = run(write("gold", GOLD), str(tmp_path / name))
        assert exit_code == 1
        assert f"[{code}]" in output
    assert run(write("gold", GOLD), write("pred", PRED), "--train", str(tmp_path / "absent"))[0] == 1


def test_as_a_command_of_spacy_without_heavy_imports(write: WriteT) -> None:
    """The command works through spaCy's own entry point, and loads none of what would slow every spaCy command."""
    arguments = ["spacy", "tokclf", "score", write("gold", GOLD), write("pred", PRED)]
    heavy = ["transformers", "datasets", "evaluate", "onnxruntime", "huggingface_hub"]
    program = (
        f"import sys; sys.argv = {arguments!r}\n"
        "from spacy.cli import setup_cli\n"
        "try: setup_cli()\n"
        "except SystemExit as end: assert not end.code\n"
        f"print('HEAVY', [name for name in {heavy!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "50.00   50.00   50.00" in done.stdout
    assert "HEAVY []" in done.stdout
