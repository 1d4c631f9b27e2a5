"""Backends: what runs an encoder once its texts are word pieces. The contract, and Hugging Face's own forward
pass, which is the reference for all others."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import Errors
from ..runtime.arrays import to_tensor
from ..runtime.device import device_of, running
from ..types import Ints
from ..wordpieces.batch import PieceBatch, batch_windows
from ..wordpieces.pool import pool_tokens
from ..wordpieces.sequences import Sequences
from ..wordpieces.tokenizer import PieceTokenizer
from .casing import cased_embeddings
from .piece_budget import PieceBudget
from .torch_head import LinearHead, learn_head

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    #: What follows on the vectors of a batch.
    Then = Callable[[Tensor], Tensor]

BACKENDS = ("auto", "transformers")


class Backend(Protocol):
    """Runs one encoder. Chosen by its shim when that is filled, and again only if another module takes its place.

    name (str): What run records and logs call it.
    module (nn.Module): The encoder.
    fuses (bool): Whether a component with a plain head should learn by `fused_step` where the encoder is now.
    """

    name: str
    module: "nn.Module"

    @property
    def fuses(self) -> bool: ...

    def vectors(
        self,
        sequences: Sequences,
        *,
        precision: str,
        pooling: str,
        train: bool,
        then: "Then | None" = None,
    ) -> "tuple[list[Tensor], list[Ints]]":
        """Give one vector for each token that has word pieces: what a `tok2vec` slot passes on.

        sequences (Sequences): The word pieces of some texts, and the windows over them.
        precision (str): "fp32", "bf16" or "fp16", of matrix products. Weights and what is returned are float32.
        pooling (str): How a token's pieces become one vector: "first", "mean" or "max".
        train (bool): Whether to drop out and record gradients. They reach the weights by `Tensor.backward`.
        then (Callable[[Tensor], Tensor] | None): What follows on the vectors of each batch, (n_here, width), so that
            they need not be kept; given in their place.
        RETURNS (tuple[list[Tensor], list[Ints]]): For each batch of windows, float32 vectors of shape (n_here, width)
            and the tokens that they belong to, counted over all texts, of shape (n_here,). Each token comes once.
        """

    def fused_step(
        self,
        sequences: Sequences,
        gold: Ints,
        head: LinearHead,
        *,
        precision: str,
        pooling: str,
        drop: float,
        label_smoothing: float,
    ) -> "Tensor | None":
        """Take one training step of the encoder with its head, up to the gradients: those of the encoder's weights are
        added to their `grad`, those of the head are in the `grad` of its tensors.

        sequences (Sequences): The word pieces of some texts, and the windows over them.
        gold (Ints): Tag row of each token, negative where there is none to learn from. Shape: (n_tokens,).
        head (LinearHead): The classifier.
        precision, pooling: As for `vectors`.
        drop (float): Rate of the dropout before the classifier.
        label_smoothing (float): Share of the gold's probability that is spread over all tags.
        RETURNS (Tensor | None): The loss summed over tokens, shape (), on the device; None if there is nothing to learn
            from.
        """

    def forget_weights(self) -> None:
        """Drop whatever was derived from the weights: they were changed in a way that tensors do not notice."""


class TorchBackend(ABC):
    """What backends in torch share: batches of as many word pieces as the device has memory for, and a fused step by
    their own `vectors`, with the head in torch."""

    module: "nn.Module"
    tokenizer: PieceTokenizer

    def __init__(self) -> None:
        """Begin with what is good for the device."""
        self.budget = PieceBudget()

    @abstractmethod
    def run(
        self, sequences: Sequences, budget: int, then: "Then", *, precision: str, pooling: str, train: bool
    ) -> "tuple[list[Tensor], list[Ints]]":
        """Give what `Backend.vectors` gives, in batches of `budget` word pieces."""

    def vectors(
        self,
        sequences: Sequences,
        *,
        precision: str,
        pooling: str,
        train: bool,
        then: "Then | None" = None,
    ) -> "tuple[list[Tensor], list[Ints]]":
        """As for `Backend`. Where memory runs out in predictions, smaller batches are run; in training, where all of
        them are kept for the backward pass, that would be of no use."""
        device = device_of(self.module)
        follow = then or _nothing

        def work(budget: int) -> "tuple[list[Tensor], list[Ints]]":
            return self.run(sequences, budget, follow, precision=precision, pooling=pooling, train=train)

        if train or not len(sequences.lengths):
            return work(self.budget.on(device))
        return self.budget.spend(work, device, longest=int(sequences.lengths.max()) + self.tokenizer.n_special)

    @property
    def fuses(self) -> bool:
        """RETURNS (bool): On a GPU, where the way through thinc's arrays is two transfers and two waits a step."""
        return device_of(self.module).type == "cuda"

    def fused_step(
        self, sequences: Sequences, gold: Ints, head: LinearHead, *, drop: float, label_smoothing: float, **options: Any
    ) -> "Tensor | None":
        """As for `Backend`."""
        vectors, tokens = self.vectors(sequences, train=True, **options)
        return learn_head(vectors, tokens, gold, head, drop=drop, label_smoothing=label_smoothing)


class TransformersBackend(TorchBackend):
    """Runs the module's own forward pass over padded batches of windows: any architecture, hooks and adapters too."""

    name = "transformers"

    def __init__(self, module: "nn.Module", tokenizer: PieceTokenizer, pad_id: int) -> None:
        """Keep the encoder.

        module (nn.Module): A Hugging Face encoder.
        tokenizer (PieceTokenizer): Its tokenizer.
        pad_id (int): The word piece that pads.
        """
        super().__init__()
        self.module, self.tokenizer, self.pad_id = module, tokenizer, pad_id

    def run(
        self, sequences: Sequences, budget: int, then: "Then", *, precision: str, pooling: str, train: bool
    ) -> "tuple[list[Tensor], list[Ints]]":
        """As for `TorchBackend`."""
        device = device_of(self.module)
        vectors, tokens = [], []
        with running(device, precision=precision, train=train):
            for batch in batch_windows(sequences, self.tokenizer, pad=self.pad_id, budget=budget):
                vectors.append(then(self._run(batch, device, pooling).float()))
                tokens.append(batch.tokens)
        return vectors, tokens

    def forget_weights(self) -> None:
        """Do nothing: the module derives nothing from its weights."""

    def _run(self, batch: PieceBatch, device: "torch.device", pooling: str) -> "Tensor":
        """Run one padded batch and pool its pieces. Returns (n_here, width)."""
        mask = to_tensor(batch.mask, device)
        ids = to_tensor(batch.ids, device)  # (n_windows, longest)
        given: dict[str, Any] = {"input_ids": ids}
        if batch.casings is not None:
            given = {"inputs_embeds": cased_embeddings(self.module, ids, to_tensor(batch.casings, device))}
        hidden = self.module(attention_mask=mask, **given).last_hidden_state
        flat = hidden.reshape(-1, hidden.shape[-1])  # (n_windows * longest, width): `first` points into these rows
        first, counts = to_tensor(batch.first, device), to_tensor(batch.counts, device)
        return pool_tokens(flat, first, counts, pooling=pooling, n_pieces=int(batch.counts.sum()))


def _nothing(vectors: "Tensor") -> "Tensor":
    return vectors


def check_backend(name: str) -> None:
    """Refuse a backend that does not exist.

    name (str): The name in the config.
    RAISES (ValueError): TC018.
    """
    if name not in BACKENDS:
        raise ValueError(Errors.TC018.format(value=name, choices=", ".join(BACKENDS)))
