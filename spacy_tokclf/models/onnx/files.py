"""What a saved ONNX encoder is made of, read and checked before any of it is used."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...errors import Errors
from ...runtime.reading import HUGE, LARGE, SMALL, expect_keys, read_file, read_json
from ...wordpieces.tokenizer import PieceTokenizer
from ..encoder_files import TOKENIZER, read_tokenizer

GRAPH, SETTINGS = "model.onnx", "onnx.json"
FILES = (GRAPH, SETTINGS, TOKENIZER)
#: Version of what is stored.
FORMAT = 1
#: Settings that are whole numbers, and their least values.
NUMBERS = {"width": 1, "pad_id": 0, "max_pieces": 3}
#: Fields of the messages of ONNX that are looked at: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
MODEL_GRAPH, GRAPH_WEIGHTS, GRAPH_INPUT, INPUT_NAME = 7, 5, 11, 1
WEIGHTS_TYPE, WEIGHTS_NAME, WEIGHTS_RAW, WEIGHTS_ELSEWHERE, WEIGHTS_PLACE = 2, 8, 9, 13, 14
#: Types of weights by their numbers, of those that may be nan.
FLOATS = {1: "float32", 10: "float16", 11: "float64"}


class OnnxFiles(NamedTuple):
    """A saved ONNX encoder: the graph, its settings (as for `OnnxShim`), its tokenizer."""

    graph: bytes
    settings: dict[str, Any]
    tokenizer: PieceTokenizer


def read_onnx(path: Path) -> OnnxFiles:
    """Read the folder of an ONNX encoder, and nothing else.

    path (Path): The folder.
    RETURNS (OnnxFiles): What it holds.
    RAISES (ValueError): TC303, for a later version; TC096, TC420, TC421, TC423, TC424, TC428 or TC429, with the file
        that is at fault.
    """
    inside = path.parent
    settings = read_json(read_file(path / SETTINGS, within=inside, limit=SMALL), SETTINGS)
    tokenizer_json = read_file(path / TOKENIZER, within=inside, limit=LARGE)
    return check_onnx(read_file(path / GRAPH, within=inside, limit=HUGE), settings, tokenizer_json)


def check_onnx(graph: Any, settings: Any, tokenizer_json: str | bytes) -> OnnxFiles:
    """Check the parts of an ONNX encoder.

    graph (bytes): The graph.
    settings (dict[str, Any]): As for `OnnxShim`.
    tokenizer_json (str | bytes): The contents of its `tokenizer.json`.
    RETURNS (OnnxFiles): The same.
    RAISES (ValueError): As for `read_onnx`.
    """
    settings = expect_keys(settings, (*NUMBERS, "format"), SETTINGS)
    for name, least in {**NUMBERS, "format": 1}.items():
        value = settings[name]
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            expected = f"a whole number, at least {least}"
            raise ValueError(Errors.TC428.format(name=name, where=SETTINGS, value=repr(value)[:80], expected=expected))
    if settings["format"] > FORMAT:
        raise ValueError(Errors.TC303.format(found=settings["format"], known=FORMAT))
    if not isinstance(graph, bytes):
        raise ValueError(Errors.TC429.format(detail=f"it is {type(graph).__name__}."))
    try:
        check_weights(graph)
    except (IndexError, ValueError, OverflowError) as error:
        if str(error).startswith("[TC"):
            raise
        raise ValueError(Errors.TC429.format(detail="it is no ONNX, or cut off.")) from error
    return OnnxFiles(graph, dict(settings), PieceTokenizer(read_tokenizer(tokenizer_json)))


def check_weights(graph: bytes) -> None:
    """Refuse weights that are no numbers, and those that lie in another file, which ONNX Runtime would read.

    graph (bytes): The graph.
    RAISES (ValueError): TC424 or TC429.
    """
    for number, part in _fields(_graph(graph)):
        if number != GRAPH_WEIGHTS or not isinstance(part, memoryview):
            continue
        weights = dict(_fields(part))
        if WEIGHTS_ELSEWHERE in weights or weights.get(WEIGHTS_PLACE, 0):
            raise ValueError(Errors.TC429.format(detail="its weights are in another file."))
        kind, raw = FLOATS.get(weights.get(WEIGHTS_TYPE, 0)), weights.get(WEIGHTS_RAW)
        if kind is None or not isinstance(raw, memoryview):
            continue
        numbers: Any = np.frombuffer(raw, dtype=kind)
        if not (np.isfinite(numbers.sum(dtype="float64")) or np.isfinite(numbers).all()):
            name = bytes(weights.get(WEIGHTS_NAME, b"")).decode("utf-8", "replace")
            raise ValueError(Errors.TC424.format(where=GRAPH, weights=name, found="nan or infinite"))


def graph_inputs(graph: bytes) -> set[str]:
    """Name the inputs of a graph.

    graph (bytes): The graph.
    RETURNS (set[str]): Their names.
    RAISES (ValueError): TC429, for what is no graph.
    """
    found = [part for number, part in _fields(_graph(graph)) if number == GRAPH_INPUT]
    return {bytes(dict(_fields(part)).get(INPUT_NAME, b"")).decode("utf-8", "replace") for part in found}


def _graph(model: bytes) -> memoryview:
    """Give the graph of a model."""
    graphs = [part for number, part in _fields(memoryview(model)) if number == MODEL_GRAPH]
    if len(graphs) != 1 or not isinstance(graphs[0], memoryview):
        raise ValueError(Errors.TC429.format(detail="it is no ONNX."))
    return graphs[0]


def _fields(data: memoryview) -> Iterator[tuple[int, Any]]:
    """Give the fields of a message of Protocol Buffers: numbers, and bytes as they lie there."""
    at = 0
    while at < len(data):
        key, at = _number(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _number(data, at)
            yield key >> 3, value
            continue
        if kind == 2:
            size, at = _number(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError("no kind of field")
        if at + size > len(data):
            raise ValueError("cut off")
        yield key >> 3, data[at : at + size]
        at += size


def _number(data: memoryview, at: int) -> tuple[int, int]:
    """Read a number of variable length. Returns it, and where the next field begins."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if not byte & 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("no number")
