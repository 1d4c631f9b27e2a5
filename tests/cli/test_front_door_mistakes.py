"""What a user may get wrong at init, train, annotate, curve and convert to the new forms: one coded message each,
shorter than 12 lines, and nothing written."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import spacy
from typer.testing import CliRunner

from spacy_tokclf.cli import app

LINES = 12
ROWS = [{"text": f"Name{i} is in town {i}", "label": [[0, len(f"Name{i}"), "a\tb"]]} for i in range(20)]
CONFIG = """[paths]
train = "data.jsonl"
[nlp]
lang = "en"
pipeline = ["ner"]
[components]
[components.ner]
factory = "token_classifier"
[corpora]
[corpora.train]
@readers = "spacy-tokclf.Corpus.v1"
path = ${paths.train}
[corpora.dev]
@readers = "spacy-tokclf.Corpus.v1"
path = ${paths.train}
[initialize]
[initialize.components]
[initialize.components.ner]
[initialize.components.ner.encoder]
@misc = "spacy-tokclf.PretrainedEncoder.v1"
name = "encoder"
[training]
seed = 0
gpu_allocator = null
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, encoder_dir: Path) -> Path:
    """A folder with data, configs and a pipeline."""
    place = tmp_path_factory.mktemp("place")
    (place / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (place / "encoder").symlink_to(encoder_dir)
    (place / "in.txt").write_text("Name1\nName1\n")
    (place / "table.csv").write_text("id,body\n1,Name1\n")
    (place / "twice.csv").write_text("body,body\n1,Name1\n")
    (place / "gone").symlink_to("nowhere")
    (place / "right.cfg").write_text(CONFIG)
    (place / "deleted.cfg").write_text(CONFIG.replace("spacy-tokclf.Corpus.v1", "spacy.Corpus.v1"))
    (place / "cut.cfg").write_text(CONFIG[:20])
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "a\tb", "pattern": "Name1"}])  # type: ignore[attr-defined]
    nlp.to_disk(place / "model")
    return place


@pytest.fixture(autouse=True)
def in_place(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(place)
    before = sorted(os.listdir())
    yield
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize(
    ("command", "code", "cure"),
    [
        # where a project goes: known before anything is read
        ("init data.jsonl in.txt -e encoder", "TC144", "folder"),
        ("init data.jsonl in.txt/deep/out -e encoder", "TC144", "folder"),
        ("init data.jsonl gone -e encoder", "TC144", "folder"),
        ("init data.jsonl a$b -e encoder", "TC339", "without $"),
        # what it is made of
        ("init in.txt out -e encoder", "TC", ""),
        ("init data.jsonl out -e encoder --lang ~", "TC139", "en"),
        *((f"init data.jsonl out -e encoder --dev {dev}", "TC337", "0.2 is a fifth")
          for dev in ("20%", "0,2", "0.2.3", "~", "0", "1", "nan", "-1", "1e-400")),
        ("train data.jsonl in.txt -e encoder", "TC144", "folder"),
        ("train data.jsonl out -e encoder --dev 20%", "TC337", "0.2 is a fifth"),
        *((f"train {source} out --epochs {epochs}", "TC031", "above 0")
          for source in ("right.cfg", "data.jsonl -e encoder") for epochs in ("0", "-1", "nan", "inf")),
        ("train right.cfg out --paths.train no.jsonl", "TC169", "file"),
        ("train cut.cfg out", "TC353", "[nlp]"),
        ("train deleted.cfg out --paths.train no.spacy", "TC144", "Check the path"),
        ("curve right.cfg out --shares 0", "TC381", "10,25"),
        ("curve right.cfg out --shares ten", "TC381", "10,25"),
        ("curve right.cfg out --paths.train no.jsonl", "TC169", "file"),
        ("curve cut.cfg out", "TC353", "[nlp]"),
        # annotate
        ("annotate model in.txt -o out.conll", "TC390", "*.jsonl"),
        ("annotate model in.txt -o out.ann", "TC360", "*.jsonl"),
        ("annotate model data.jsonl -o data.jsonl", "TC391", "another output"),
        ("annotate model table.csv -o out.jsonl", "TC366", "--text-column"),
        ("annotate model table.csv -o out.jsonl --text-column text", "TC131", "id, body"),
        ("annotate model twice.csv -o out.jsonl --text-column body", "TC131", "body, body"),
        ("annotate model table.csv -o out.jsonl --text-column 7", "TC367", "'id', 'body'"),
        ("annotate model in.txt -o out.docx", "TC364", ".jsonl"),
        ("annotate model in.txt -o in.txt/out.jsonl", "TC144", "file"),
        ("annotate model in.txt -o out.jsonl --threshold 0.5", "TC255", "token_classifier"),
        ("annotate encoder in.txt -o out.jsonl", "TC292", "meta.json"),
        ("annotate blank:en in.txt -o out.jsonl", "TC241", "entity_ruler"),
        ("convert data.jsonl out.ann", "TC360", "*.jsonl"),
        ("convert data.jsonl in.txt/out.csv", "TC144", "file"),
        ("convert table.csv out.spacy", "TC", ""),
    ],
)  # fmt: skip
def test_mistakes(command: str, code: str, cure: str) -> None:
    words = [word.replace("~", "") for word in command.split()]
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, words)
    assert isinstance(result.exception, SystemExit), result.exception
    said = result.output.strip()
    assert result.exit_code == 1 and f"[{code}" in said and cure in " ".join(said.split()), said
    assert "Traceback" not in said and len(said.splitlines()) < LINES, said


@pytest.mark.slow
def test_messages_stay_out_of_a_stream_of_json() -> None:
    """On the standard output there is JSON and nothing else, whatever fails."""
    command = [sys.executable, "-m", "spacy", "tokclf", "annotate", "model", "-", "-o", "-"]
    done = subprocess.run(command, input=b"Name1\nZo\xeb\n", capture_output=True, check=False)
    assert done.returncode == 1 and b"[TC111]" in done.stderr
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] in ([], ["Name1"])
