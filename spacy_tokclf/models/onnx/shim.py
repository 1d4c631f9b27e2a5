"""An encoder as an ONNX graph behind thinc's `Shim`: the graph, its settings and its tokenizer."""

import copy
import json
from pathlib import Path
from typing import Any

import srsly

from ...errors import Errors
from ...runtime.reading import expect_keys, is_there, read_msgpack
from ...wordpieces.tokenizer import PieceTokenizer
from ..base_shim import BaseEncoderShim
from .files import FILES, FORMAT, GRAPH, SETTINGS, TOKENIZER, OnnxFiles, check_onnx, graph_inputs, read_onnx
from .session import GraphRunner, try_graph


class OnnxShim(BaseEncoderShim):
    """Hold a graph with its settings and tokenizer. Empty until `fill` or a load.

    settings (dict[str, Any]): "width" of the vectors, "pad_id" (the piece that pads), "max_pieces" that the encoder can
        see at once, "precision" of the products ("fp32" or "int8"), "model_type" of the encoder, "format".
    """

    def __init__(self) -> None:
        super().__init__(None)
        self.settings: dict[str, Any] = {}
        self._tokenizer: PieceTokenizer | None = None

    @property
    def is_filled(self) -> bool:
        """RETURNS (bool): Whether there is a graph."""
        return self._model is not None

    @property
    def width(self) -> int:
        """RETURNS (int): Width of the encoder's vectors."""
        return int(self.settings["width"])

    @property
    def reads_casings(self) -> bool:
        """RETURNS (bool): Whether the encoder reads the casing of words."""
        return "casings" in graph_inputs(self.runner.graph)

    @property
    def runner(self) -> GraphRunner:
        """RETURNS (GraphRunner): Runs the graph. RAISES (ValueError): TC301, while there is none."""
        if self._model is None:
            raise ValueError(Errors.TC301)
        return self._model

    @property
    def tokenizer(self) -> PieceTokenizer:
        """RETURNS (PieceTokenizer): The tokenizer. RAISES (ValueError): TC301, while there is none."""
        if self._tokenizer is None:
            raise ValueError(Errors.TC301)
        return self._tokenizer

    def fill(self, graph: bytes, *, settings: dict[str, Any], tokenizer_json: str) -> None:
        """Take over an encoder.

        graph (bytes): The graph. Its inputs are `ids` and `mask` (n_windows, longest), `rows` (n_rows,) and, for an
            encoder that reads casings, `casings` (n_windows, longest); its output are the vectors of the pieces that
            `rows` counts from the first of the first window on, float32, (n_rows, width).
        settings (dict[str, Any]): As for the class.
        tokenizer_json (str): The contents of a `tokenizer.json`.
        RAISES (ValueError): TC303, for settings of a later version; TC421 to TC429, for parts that cannot be used.
        """
        self._take(check_onnx(graph, {"format": FORMAT, **settings}, tokenizer_json))

    def _take(self, files: OnnxFiles) -> None:
        """Take over an encoder that runs: one word piece, the last of the vocabulary, tells."""
        runner, settings = GraphRunner(files.graph), files.settings
        size = {"width": settings["width"], "pad_id": settings["pad_id"]}
        try_graph(runner, files.tokenizer, casing="casings" in graph_inputs(files.graph), **size)
        self.settings, self._model, self._tokenizer = settings, runner, files.tokenizer

    def copy(self) -> "OnnxShim":
        """RETURNS (OnnxShim): A copy with another session; the graph itself never changes and is shared."""
        other = OnnxShim()
        if self.is_filled:
            other.settings, other._model = dict(self.settings), GraphRunner(self.runner.graph)
            other._tokenizer = copy.deepcopy(self.tokenizer)
        return other

    def to_bytes(self) -> bytes:
        """RETURNS (bytes): Graph, settings and tokenizer; empty while there is no graph."""
        if not self.is_filled or self.is_elsewhere:
            return b""
        parts = {GRAPH: self.runner.graph, SETTINGS: self.settings, TOKENIZER: self.tokenizer.to_str()}
        data: bytes = srsly.msgpack_dumps(parts)
        return data

    def from_bytes(self, data: bytes) -> "OnnxShim":
        """Load what `to_bytes` gave.

        data (bytes): The bytes.
        RETURNS (OnnxShim): Itself, as it was if they are refused.
        RAISES (ValueError): TC303, TC421 to TC429.
        """
        if data:
            parts = expect_keys(read_msgpack(data, "the encoder"), FILES, "the encoder")
            self._take(check_onnx(parts[GRAPH], parts[SETTINGS], parts[TOKENIZER]))
        return self

    def to_disk(self, path: str | Path) -> None:
        """Write a folder: `model.onnx`, `onnx.json` and `tokenizer.json`.

        path (str | Path): The folder.
        """
        if not self.is_filled:
            return
        path = Path(path)
        path.mkdir(parents=True, exist_ok=True)
        (path / GRAPH).write_bytes(self.runner.graph)
        (path / SETTINGS).write_text(json.dumps(self.settings, indent=2), encoding="utf8")
        (path / TOKENIZER).write_text(self.tokenizer.to_str(), encoding="utf8")

    def from_disk(self, path: str | Path) -> "OnnxShim":
        """Load the folder that `to_disk` wrote. Reads nothing else.

        path (str | Path): The folder.
        RETURNS (OnnxShim): Itself, as it was if the folder is refused, or if there is none.
        RAISES (ValueError): TC303, TC420 to TC429.
        """
        if any(is_there(Path(path) / name) for name in FILES):
            self._take(read_onnx(Path(path)))
        return self
