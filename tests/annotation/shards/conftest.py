"""A corpus, a pipeline for it, and an engine that works in this process."""

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import spacy

from spacy_tokclf.annotation.shards import local, work
from spacy_tokclf.annotation.shards.cut import Shard
from spacy_tokclf.annotation.shards.work import Annotator, Setting, shard_from_json
from spacy_tokclf.pipeline.load import load_pipeline
from spacy_tokclf.runtime.device import set_device

loaded = lru_cache(load_pipeline)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Let the engine `local` work in this process. Gives what it was asked for; "stop": after so many shards it is
    interrupted."""
    asked: dict[str, Any] = {"shards": [], "stop": None}
    monkeypatch.setattr(work, "load_pipeline", loaded)

    def annotate(shards: Iterator[Shard], setting: Setting, workers: int, **_: Any) -> Iterator[dict[str, Any]]:
        annotator = Annotator(Setting.from_json(json.loads(json.dumps(setting.to_json()))))
        asked["shards"].clear()
        asked["setting"], asked["workers"] = setting, workers
        for shard in shards:
            if len(asked["shards"]) == asked["stop"]:
                raise KeyboardInterrupt
            asked["shards"].append(shard.number)
            yield annotator.annotate(shard_from_json(json.loads(json.dumps(shard))))

    monkeypatch.setattr(local, "annotate_locally", annotate)
    yield asked
    set_device(None)  # which a process would have to itself


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of a pipeline that finds capitals, and fails at texts with "bad"; nobody may change it."""
    nlp = spacy.blank("en")
    nlp.add_pipe("stumbling")
    nlp.add_pipe("capitals")
    folder = tmp_path_factory.mktemp("shards") / "model"
    nlp.to_disk(folder)
    return str(folder)


@pytest.fixture
def corpus(write: Callable[..., Path]) -> str:
    """Folder of two files of JSON lines, with a row that is none, one without text, one that fails, and blank lines."""
    for name in "ab":
        rows = [json.dumps({"id": f"{name}{i}", "text": f"Ada {name} Bob{i}"}) for i in range(23)]
        rows[5], rows[9], rows[11] = '{"id"', '{"id": 3, "x": NaN}', json.dumps({"id": 7, "text": "a bad One"})
        rows[13] = f"\n{rows[13]}\n  "
        write(f"in/{name}.jsonl", "\n".join(rows))
    folder = write("in/.hidden.jsonl", "{}").parent
    write("in/_SUCCESS", "")
    return str(folder)


@pytest.fixture
def contents() -> Callable[[Path], dict[str, bytes]]:
    """Give a function that reads all files of a folder but those named manifest."""

    def read(folder: Path) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith("manifest")}

    return read
