"""The padding-free backend: BERT's family over the word pieces of many windows in one row."""

from typing import TYPE_CHECKING

from ...runtime.device import device_of, running
from ...types import Ints
from ...wordpieces.pack import pack_windows
from ...wordpieces.sequences import Sequences
from ...wordpieces.tokenizer import PieceTokenizer
from ..backend import TorchBackend
from .encoder import encode_packed
from .modules import find_modules
from .ops import LinearWeightsCache

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..backend import Then


class PaddingFreeBackend(TorchBackend):
    """Gives the numbers of Hugging Face's forward and backward pass (1e-5) without computing on padding.

    An encoder that was changed after it was filled (an adapter, a hook, a layer replaced) is right in its own forward
    pass alone: it is run by the reference backend for as long as it is so.
    """

    name = "padding_free"

    def __init__(self, module: "nn.Module", tokenizer: PieceTokenizer, reference: TorchBackend, pad_id: int) -> None:
        """Keep the encoder.

        module (nn.Module): A Hugging Face encoder of BERT's family.
        tokenizer (PieceTokenizer): Its tokenizer.
        reference (TorchBackend): Runs the module's own forward pass.
        pad_id (int): The word piece that pads.
        """
        super().__init__()
        self.module, self.tokenizer, self.reference, self.pad_id = module, tokenizer, reference, pad_id
        self.cache = LinearWeightsCache()

    def run(
        self, sequences: Sequences, budget: int, then: "Then", *, precision: str, pooling: str, train: bool
    ) -> "tuple[list[Tensor], list[Ints]]":
        """As for `TorchBackend`."""
        modules = find_modules(self.module)
        if modules is None:
            return self.reference.run(sequences, budget, then, precision=precision, pooling=pooling, train=train)
        vectors, tokens = [], []
        # Products are cast where they are made: no autocast.
        with running(device_of(self.module), precision="fp32", train=train):
            for packed in pack_windows(sequences, self.tokenizer, budget=budget):
                found = encode_packed(
                    modules, packed, cache=self.cache, precision=precision, pooling=pooling, train=train
                )
                vectors.append(then(found))
                tokens.append(packed.tokens)
        return vectors, tokens

    def forget_weights(self) -> None:
        """Make the stacked and cast weights anew when they are next needed."""
        self.cache.clear()
