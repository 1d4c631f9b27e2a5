"""The padding-free backend: BERT's family over the word pieces of many windows in one row."""

from typing import TYPE_CHECKING

from ...runtime.device import device_of, running
from ...types import Ints
from ...wordpieces.pack import pack_windows
from ...wordpieces.sequences import Sequences
from ...wordpieces.tokenizer import PieceTokenizer
from ..backend import BATCH_PIECES, Backend, TorchBackend
from .encoder import encode_packed
from .modules import find_modules
from .ops import LinearWeightsCache

if TYPE_CHECKING:
    from torch import Tensor, nn


class PaddingFreeBackend(TorchBackend):
    """Gives the numbers of Hugging Face's forward and backward pass (1e-5) without computing on padding.

    An encoder that was changed after it was filled (an adapter, a hook, a layer replaced) is right in its own forward
    pass alone: it is run by the reference backend for as long as it is so.
    """

    name = "padding_free"

    def __init__(self, module: "nn.Module", tokenizer: PieceTokenizer, reference: Backend, pad_id: int) -> None:
        """Keep the encoder.

        module (nn.Module): A Hugging Face encoder of BERT's family.
        tokenizer (PieceTokenizer): Its tokenizer.
        reference (Backend): Runs the module's own forward pass.
        pad_id (int): The word piece that pads.
        """
        self.module, self.tokenizer, self.reference, self.pad_id = module, tokenizer, reference, pad_id
        self.cache = LinearWeightsCache()

    def vectors(
        self, sequences: Sequences, *, precision: str, pooling: str, train: bool
    ) -> "tuple[list[Tensor], list[Ints]]":
        """As for `Backend`."""
        modules = find_modules(self.module)
        if modules is None:
            return self.reference.vectors(sequences, precision=precision, pooling=pooling, train=train)
        vectors, tokens = [], []
        # Products are cast where they are made: no autocast.
        with running(device_of(self.module), precision="fp32", train=train):
            for packed in pack_windows(sequences, self.tokenizer, budget=BATCH_PIECES):
                vectors.append(
                    encode_packed(modules, packed, cache=self.cache, precision=precision, pooling=pooling, train=train)
                )
                tokens.append(packed.tokens)
        return vectors, tokens

    def forget_weights(self) -> None:
        """Make the stacked and cast weights anew when they are next needed."""
        self.cache.clear()
