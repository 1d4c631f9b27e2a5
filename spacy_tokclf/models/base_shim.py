"""The base of our shims: an encoder with its tokenizer, stored in a folder beside the file of thinc's layers."""

import contextlib
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacy.tokens import Doc
from thinc.api import Model, Shim
from thinc.types import Floats2d

if TYPE_CHECKING:
    from .hf.heads import HeadWeights


#: What fills a `tok2vec` slot, and a token classifier as a whole: per text one row per token.
Tok2VecT = Model[list[Doc], list[Floats2d]]


class BaseEncoderShim(Shim):
    """An encoder with its tokenizer. Components put it into a folder `encoder`, beside the file of their small layers.

    head (HeadWeights | None): What a checkpoint had between the encoder and its labels, for the classifiers that are
        initialized next.
    """

    head: "HeadWeights | None" = None
    is_elsewhere = False

    @property
    @abstractmethod
    def is_filled(self) -> bool:
        """RETURNS (bool): Whether there is an encoder."""

    @property
    @abstractmethod
    def width(self) -> int:
        """RETURNS (int): Width of the encoder's vectors."""

    @property
    @abstractmethod
    def reads_casings(self) -> bool:
        """RETURNS (bool): Whether the encoder reads the casing of words."""

    @contextlib.contextmanager
    def stored_elsewhere(self) -> Iterator[None]:
        """Give no bytes for a while: the encoder is stored in its folder."""
        self.is_elsewhere = True
        try:
            yield
        finally:
            self.is_elsewhere = False

    @abstractmethod
    def to_disk(self, path: str | Path) -> None:
        """Write the folder, if there is an encoder."""

    @abstractmethod
    def from_disk(self, path: str | Path) -> Any:
        """Read the folder, if it is there."""

    def to_device(self, device_type: str, device_id: int) -> None:
        """Do nothing: an encoder is where it is used, and not where thinc's arrays are."""


def encoder_nodes(model: Model, kind: type[BaseEncoderShim] = BaseEncoderShim) -> list[Model]:
    """Find the layers in a model that hold an encoder.

    model (Model): Any model.
    kind (type[BaseEncoderShim]): `EncoderShim` for those in torch alone; any by default.
    RETURNS (list[Model]): The layers.
    """
    return [node for node in model.walk() if any(isinstance(shim, kind) for shim in node.shims)]
