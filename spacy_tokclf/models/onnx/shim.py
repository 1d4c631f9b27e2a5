"""An encoder as an ONNX graph behind thinc's `Shim`: the graph, its settings and its tokenizer."""

import json
from pathlib import Path
from typing import Any

import srsly

from ...errors import Errors
from ...wordpieces.tokenizer import PieceTokenizer
from ..base_shim import BaseEncoderShim
from .session import GraphRunner

GRAPH, SETTINGS, TOKENIZER = "model.onnx", "onnx.json", "tokenizer.json"
#: Version of what is stored.
FORMAT = 1


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
        RAISES (ValueError): TC303, for settings of a later version.
        """
        if settings.get("format", 0) > FORMAT:
            raise ValueError(Errors.TC303.format(found=settings["format"], known=FORMAT))
        self.settings = {"format": FORMAT, **settings}
        self._model = GraphRunner(graph)
        self._tokenizer = PieceTokenizer(tokenizer_json)

    def copy(self) -> "OnnxShim":
        """RETURNS (OnnxShim): A copy with another session; the graph itself never changes and is shared."""
        other = OnnxShim()
        if self.is_filled:
            other.fill(self.runner.graph, settings=self.settings, tokenizer_json=self.tokenizer.to_str())
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
        RETURNS (OnnxShim): Itself.
        """
        if data:
            parts = srsly.msgpack_loads(data)
            self.fill(parts[GRAPH], settings=parts[SETTINGS], tokenizer_json=parts[TOKENIZER])
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
        RETURNS (OnnxShim): Itself.
        """
        path = Path(path)
        if (path / SETTINGS).exists():
            self.fill(
                (path / GRAPH).read_bytes(),
                settings=json.loads((path / SETTINGS).read_text(encoding="utf8")),
                tokenizer_json=(path / TOKENIZER).read_text(encoding="utf8"),
            )
        return self
