"""Files of a saved pipeline that were damaged, or changed by hand: a code that names the file, never a traceback."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import srsly
from spacy.language import Language

from spacy_tokclf.pipeline.load import load_pipeline

CONFIG, TOKENIZER, TOKENIZER_CONFIG = (
    f"ner/encoder/{name}" for name in ("config.json", "tokenizer.json", "tokenizer_config.json")
)
FILES = ("ner/cfg", "ner/model", CONFIG, TOKENIZER, TOKENIZER_CONFIG, "ner/encoder/model.safetensors")
CONTENTS = (b"", b"null", b"[]", b'"x"', b"\xff\xfe", b"{}")
ODD: tuple[Any, ...] = (None, "x", [1], {"a": 1})
#: What each value of a file may not be.
VALUES = {
    "ner/cfg": {
        "format": (None, "x", [], 1e9),
        "given": (None, "x", [], -1),
        "scheme": ODD,
        "tags": ODD,
        "tuning": ("x", -1, [1], {"a": 1}, {"bias": 3}, {"slope": "x"}),
        "threshold": ("x",),
    },
    TOKENIZER_CONFIG: {"pad_id": (None, "x", []), "model_max_length": (None, "x", [])},
    CONFIG: {"model_type": ODD, "dim": (None,), "n_heads": (None, "x", -1, 0), "n_layers": ("x",)},
}


@pytest.fixture(autouse=True)
def no_checksums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the manifests, which would notice any change: what is inside is checked, too."""
    monkeypatch.setenv("SPACY_TOKCLF_CHECK_FILES", "0")


@pytest.fixture
def saved(nlp: Language, tmp_path: Path) -> Path:
    nlp.to_disk(tmp_path / "saved")
    return tmp_path / "saved"


@pytest.fixture
def spoiled(saved: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, bytes], str]:
    """Give a function that loads a copy with another content of a file, and returns what it is told: without the
    checksums, which notice any of it."""
    monkeypatch.setenv("SPACY_TOKCLF_CHECK_FILES", "0")

    def load(file: str, content: bytes) -> str:
        copy = saved.with_name("copy")
        shutil.copytree(saved, copy)
        (copy / file).write_bytes(content)
        try:
            with pytest.raises((ValueError, OSError)) as caught:
                load_pipeline(copy)
        finally:
            shutil.rmtree(copy)
        return str(caught.value)

    return load


@pytest.mark.parametrize("file", FILES)
def test_other_contents(file: str, spoiled: Callable[[str, bytes], str]) -> None:
    for content in CONTENTS:
        assert spoiled(file, content).startswith("[TC"), content


@pytest.mark.slow
@pytest.mark.parametrize("file", VALUES)
def test_other_values(file: str, saved: Path, spoiled: Callable[[str, bytes], str]) -> None:
    right = json.loads((saved / file).read_text())
    for key, values in VALUES[file].items():
        for value in values:
            assert spoiled(file, json.dumps({**right, key: value}).encode()).startswith("[TC"), (key, value)


def test_the_file_is_named(saved: Path, spoiled: Callable[[str, bytes], str]) -> None:
    says = spoiled("ner/cfg", b"null")
    assert "[TC089]" in says and "'ner'" in says and "cfg" in says
    assert "encoder" in spoiled(TOKENIZER, b"null")
    cfg = json.loads((saved / "ner" / "cfg").read_text())
    for tags in (cfg["tags"][:-1], [], [*cfg["tags"], "B-x"]):
        says = spoiled("ner/cfg", json.dumps({**cfg, "tags": tags}).encode())
        assert "TC089] The file cfg of the saved component 'ner'" in says and f"{len(tags)} tags" in says
    del cfg["tags"]
    assert "TC089" in spoiled("ner/cfg", json.dumps(cfg).encode())


def test_bytes(nlp: Language) -> None:
    pipe: Any = nlp.get_pipe("ner")
    parts = srsly.msgpack_loads(pipe.to_bytes())
    for part in ("cfg", "model"):
        with pytest.raises(ValueError, match=f"TC089.* {part} "):
            pipe.from_bytes(srsly.msgpack_dumps({**parts, part: "null" if part == "cfg" else b"\x03"}))
