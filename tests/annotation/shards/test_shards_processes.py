"""The engines with real processes: the same bytes from each, whoever dies."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import deadly
import pytest
import spacy
from spacy.language import Language

from spacy_tokclf import entity_score
from spacy_tokclf.annotation.shards.run import annotate_corpus

ContentsT = Callable[[Path], dict[str, bytes]]
WORDS = ["Ada", "Lovelace", "flew", "to", "New", "York", "with", "Bob", "and", "Zoë,", "who", "is", "not", "so", "nice"]
pytestmark = pytest.mark.slow
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")


@pytest.fixture
def posts(tmp_path: Path) -> str:
    """A file of posts of all lengths, every tenth of which is deadly."""
    texts = [
        " ".join(WORDS[i % 5 : i % 5 + i % 11 + 1]) + (f" {deadly.MARK}" if i % 10 == 3 else "") for i in range(60)
    ]
    (tmp_path / "posts.jsonl").write_text("\n".join(json.dumps({"id": i, "text": t}) for i, t in enumerate(texts)))
    return str(tmp_path / "posts.jsonl")


@pytest.fixture
def killer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Give a function that saves a pipeline which kills its process at deadly texts, or when it is loaded: once, or
    always."""
    deadly.install(tmp_path / "installed", monkeypatch)

    def make(*, once: bool, loading: bool = False) -> str:
        nlp = spacy.blank("en")
        nlp.add_pipe("deadly", config={"flag": str(tmp_path / "flag"), "once": once, "loading": loading})
        nlp.to_disk(tmp_path / "killer")
        (tmp_path / "flag").touch()
        return str(tmp_path / "killer")

    return make


def test_one_or_two_processes_and_plain_pipe(nlp: Language, posts: str, tmp_path: Path, contents: ContentsT) -> None:
    nlp.to_disk(tmp_path / "model")
    for workers in (1, 2):
        annotate_corpus(str(tmp_path / "model"), posts, tmp_path / f"{workers}", workers=workers, shard_rows=9)
    one = contents(tmp_path / "1")
    assert len(one) == 7 and one == contents(tmp_path / "2")
    rows = [json.loads(line) for name in sorted(one) for line in one[name].splitlines()]
    assert [row["id"] for row in rows] == list(range(60)) and any(row["entities"] for row in rows)
    for row, doc in zip(rows, nlp.pipe([row["text"] for row in rows]), strict=True):
        found = [(ent.start_char, ent.end_char, ent.label_, entity_score(ent)) for ent in doc.ents]
        assert [tuple(each.values()) for each in row["entities"]] == found


def test_a_process_that_dies_costs_nothing(
    killer: Callable[..., str], posts: str, tmp_path: Path, contents: ContentsT
) -> None:
    model = killer(once=True)
    annotate_corpus(model, posts, tmp_path / "out", workers=1, shard_rows=20)
    assert not (tmp_path / "flag").exists()
    rows = [json.loads(line) for path in sorted((tmp_path / "out").glob("shard-*")) for line in path.open()]
    assert [row["id"] for row in rows] == list(range(60)) and all("error" not in row for row in rows)


def test_a_process_that_dies_twice_is_named(killer: Callable[..., str], posts: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"TC513.*Shard 0 \(rows 0 to 59\).*2 times.*SIGKILL"):
        annotate_corpus(killer(once=False), posts, tmp_path / "out", workers=1)


def test_a_process_that_dies_while_it_loads_is_begun_once_more(
    killer: Callable[..., str], posts: str, tmp_path: Path
) -> None:
    found = annotate_corpus(killer(once=True, loading=True), posts, tmp_path / "out", workers=1)
    assert found.rows == 60 and not (tmp_path / "flag").exists()
    with pytest.raises(ValueError, match=r"TC514.*started 2 times.*SIGKILL"):
        annotate_corpus(killer(once=False, loading=True), posts, tmp_path / "twice", workers=1)


def test_an_interruption_ends_all(nlp: Language, posts: str, tmp_path: Path) -> None:
    nlp.to_disk(tmp_path / "model")
    command = [sys.executable, "-m", "spacy", "tokclf", "annotate", str(tmp_path / "model"), posts]
    command += ["-o", str(tmp_path / "out"), "--engine", "local", "--workers", "2", "--shard-rows", "1"]
    heeded = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # also where whoever runs the tests ignores it
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=heeded)
    until = time.monotonic() + 300
    while not list((tmp_path / "out").glob("shard-*")):
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1 and "TC145" in said and "Traceback" not in said
    assert 0 < len(list((tmp_path / "out").glob("shard-*"))) < 60


@needs_ray
def test_ray_gives_the_same_and_loses_nothing(
    killer: Callable[..., str], posts: str, tmp_path: Path, contents: ContentsT
) -> None:
    model = killer(once=True)
    command = [sys.executable, "-m", "spacy", "tokclf", "annotate", model, posts, "--workers", "2", "--shard-rows", "9"]
    subprocess.run([*command, "-o", str(tmp_path / "ray"), "--engine", "ray"], check=True, env=dict(os.environ))
    assert not (tmp_path / "flag").exists()  # an actor was killed
    subprocess.run([*command, "-o", str(tmp_path / "local"), "--engine", "local"], check=True)
    assert len(contents(tmp_path / "ray")) == 7 and contents(tmp_path / "ray") == contents(tmp_path / "local")


def test_without_ray(model: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modules: dict[str, Any] = sys.modules  # type: ignore[assignment]
    monkeypatch.setitem(modules, "ray", None)
    with pytest.raises(ValueError, match="TC520"):
        annotate_corpus(model, corpus, tmp_path / "out", engine="ray")
