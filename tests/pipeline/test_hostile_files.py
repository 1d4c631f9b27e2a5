"""Saved components that somebody prepared: one coded error, and the component that was to load them works as before."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import srsly
import torch
from safetensors.torch import load_file, save_file
from spacy.language import Language

from spacy_tokclf.pipeline.load import load_pipeline

TEXT = "just met Zorblax in Quorn Falls lol"


@pytest.fixture(autouse=True)
def no_checksums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the manifests, which would notice any change."""
    monkeypatch.setenv("SPACY_TOKCLF_CHECK_FILES", "0")


@pytest.fixture
def folder(make_nlp: Callable[..., Language], tmp_path: Path) -> Path:
    make_nlp(seed=1).to_disk(tmp_path / "saved")
    return tmp_path / "saved" / "ner"


def logits(nlp: Language) -> Any:
    pipe: Any = nlp.get_pipe("ner")
    return np.asarray(pipe.logits([nlp.make_doc(TEXT)])[0])


def write_json(path: Path, **changed: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


def change_weights(path: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    weights = load_file(path / "encoder" / "model.safetensors")
    change(weights)
    save_file(weights, path / "encoder" / "model.safetensors")


def change_layers(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    msg = srsly.msgpack_loads((path / "model").read_bytes())
    change(msg)
    (path / "model").write_bytes(srsly.msgpack_dumps(msg))


def linear(msg: dict[str, Any]) -> int:
    return next(index for index, info in enumerate(msg["nodes"]) if info["name"] == "linear")


def spoil_array(value: Callable[[Any], Any]) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        def change(msg: dict[str, Any]) -> None:
            params = msg["params"][linear(msg)]
            params["W"] = value(params["W"])

        change_layers(path, change)

    return spoil


def widen(path: Path) -> None:
    def change(msg: dict[str, Any]) -> None:
        at = linear(msg)
        msg["nodes"][at]["dims"]["nI"] = 40
        msg["params"][at]["W"] = np.zeros((13, 40), dtype="float32")

    change_layers(path, change)


def more_pieces(path: Path) -> None:
    file = path / "encoder" / "tokenizer.json"
    state = json.loads(file.read_text())
    state["model"]["vocab"]["zorblax"] = 5000
    file.write_text(json.dumps(state))


def replace(name: str, make: Callable[[Path], Any]) -> Callable[[Path], None]:
    def replacing(path: Path) -> None:
        (path / name).unlink()
        make(path / name)

    return replacing


FIRST = "embeddings.word_embeddings.weight"
HOSTILE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "threshold": (lambda p: write_json(p / "cfg", threshold=7), "TC022"),
    "decoder": (lambda p: write_json(p / "cfg", decode="beam"), "TC021"),
    "scheme": (lambda p: write_json(p / "cfg", scheme="IOB9"), "TC100"),
    "tags of another scheme": (lambda p: write_json(p / "cfg", scheme="IOBES", tags=["L-a", "O"]), "TC027"),
    "a tag twice": (lambda p: write_json(p / "cfg", tags=["O"] * 13), "TC432"),
    "unknown": (lambda p: write_json(p / "cfg", more=1), "TC035"),
    "tuning": (lambda p: write_json(p / "cfg", tuning={"temperature": 0}), "TC031"),
    "spans_key": (lambda p: write_json(p / "cfg", spans_key="auto"), "TC432"),
    "given": (lambda p: write_json(p / "cfg", given={"threshold": -1}), "TC022"),
    "nan": (lambda p: change_weights(p, lambda w: w[FIRST].fill_(float("nan"))), "TC424"),
    "integers": (lambda p: change_weights(p, lambda w: w.update({FIRST: w[FIRST].to(torch.int8)})), "TC424"),
    "header": (lambda p: (p / "encoder" / "model.safetensors").write_bytes(b"\0\0\0\0\0\0\0\x10{}"), "header"),
    "width": (lambda p: write_json(p / "encoder" / "config.json", dim=10**9), "TC426"),
    "layers": (lambda p: write_json(p / "encoder" / "config.json", n_layers=10**9), "TC426"),
    "rows": (lambda p: write_json(p / "encoder" / "config.json", vocab_size=10**9), "TC426"),
    "pieces": (more_pieces, "TC425"),
    "padding": (lambda p: write_json(p / "encoder" / "tokenizer_config.json", pad_id=10**6), "TC425"),
    "no encoder": (lambda p: shutil.rmtree(p / "encoder"), "TC431"),
    "no config": (lambda p: (p / "encoder" / "config.json").unlink(), "TC420"),
    "head's array": (spoil_array(lambda w: w * np.nan), "TC427"),
    "head's kind": (spoil_array(lambda w: w.astype("int64")), "TC427"),
    "head's shape": (spoil_array(lambda w: w[:3]), "TC427"),
    "head's width": (widen, "TC427"),
    "a pipe": (replace("model", os.mkfifo), "TC420"),
    "a folder": (replace("cfg", Path.mkdir), "TC420"),
    "a device": (replace("encoder/config.json", lambda p: p.symlink_to("/dev/zero")), "TC420"),
}


#: One of each kind; the others are slow.
QUICK = {
    "threshold",
    "a tag twice",
    "tuning",
    "nan",
    "width",
    "pieces",
    "no encoder",
    "head's array",
    "a pipe",
    "a device",
}


@pytest.mark.parametrize("kind", [pytest.param(k, marks=() if k in QUICK else pytest.mark.slow) for k in HOSTILE])
def test_one_coded_error_and_nothing_has_changed(kind: str, folder: Path, make_nlp: Callable[..., Language]) -> None:
    spoil, code = HOSTILE[kind]
    spoil(folder)
    nlp = make_nlp()
    pipe: Any = nlp.get_pipe("ner")
    pipe.threshold = 0.25
    before, cfg, config = logits(nlp), dict(pipe.cfg), str(nlp.config)
    with pytest.raises(
        ValueError, match=rf"\[TC089\] The file .* of the saved component 'ner' .*{code}.* again"
    ) as caught:
        pipe.from_disk(folder, exclude=["vocab"])
    assert str(folder) in str(caught.value) or code == "TC432"
    assert np.array_equal(logits(nlp), before) and dict(pipe.cfg) == cfg and str(nlp.config) == config


def test_the_whole_folder_loads(folder: Path, make_nlp: Callable[..., Language]) -> None:
    """What the test above would not notice if it always failed."""
    nlp = make_nlp()
    before = logits(nlp)
    nlp.get_pipe("ner").from_disk(folder, exclude=["vocab"])  # type: ignore[attr-defined]
    assert not np.array_equal(logits(nlp), before)
    assert np.array_equal(logits(nlp), logits(spacy.load(folder.parent)))


def test_bytes_that_are_refused_change_nothing(make_nlp: Callable[..., Language]) -> None:
    nlp, other = make_nlp(), make_nlp(seed=1)
    pipe: Any = nlp.get_pipe("ner")
    parts = srsly.msgpack_loads(other.get_pipe("ner").to_bytes())
    msg = srsly.msgpack_loads(parts["model"])
    msg["params"][linear(msg)]["b"] = np.full(13, np.inf, dtype="float32")
    before = logits(nlp)
    with pytest.raises(ValueError, match=r"TC089.*'ner' \(bytes\).*TC427.*nan or infinite"):
        pipe.from_bytes(srsly.msgpack_dumps({**parts, "model": srsly.msgpack_dumps(msg)}))
    assert np.array_equal(logits(nlp), before)


@pytest.mark.parametrize(
    "key", ["_attn_implementation", "attn_implementation", "auto_map", "quantization_config", "_name_or_path", "dtype"]
)
def test_a_config_fetches_and_runs_nothing(key: str, folder: Path, blocked_network: None) -> None:
    file, expected = folder / "encoder" / "config.json", logits(spacy.load(folder.parent))
    write_json(file, **{key: {"quant_method": "awq"} if key == "quantization_config" else "someone/kernels"})
    nlp = spacy.load(folder.parent)
    shim: Any = nlp.get_pipe("ner").model.get_ref("tok2vec").shims[0]  # type: ignore[attr-defined]
    assert key not in shim.config and shim.module.config._attn_implementation in ("sdpa", "eager")
    assert np.array_equal(logits(nlp), expected)


def test_files_of_spacy_are_regular_ones(folder: Path) -> None:
    strings = folder.parent / "vocab" / "strings.json"
    strings.unlink()
    os.mkfifo(strings)
    with pytest.raises(ValueError, match=r"TC420.*strings\.json"):
        load_pipeline(folder.parent)
