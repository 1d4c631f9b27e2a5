"""Floating-point operations (FLOPs) of a forward pass over texts, from the encoder's shapes and their word pieces."""

from collections.abc import Sequence
from typing import Any, NamedTuple


class Work(NamedTuple):
    """The FLOPs of a forward pass over some texts.

    flops (float): Operations of one forward pass, a multiplication and an addition counted as two.
    words (int): Tokens that have pieces.
    pieces (int): Pieces, special ones included.
    """

    flops: float
    words: int
    pieces: int


def work_of(model: Any, docs: Sequence[Any]) -> Work:
    """Count the operations that some texts need, without padding: products with the weights of every layer, and scores
    and sums of attention within each window. Of the last layer, what comes after attention is needed only for the first
    piece of a word. Norms, activations and the embedding are left out.

    model (Model): A token classifier of ours whose encoder is of BERT's family.
    docs (Sequence[Doc]): The texts.
    RETURNS (Work): The operations.
    """
    from spacy_tokclf.models.base_shim import encoder_nodes
    from spacy_tokclf.models.padding_free.modules import find_modules
    from spacy_tokclf.wordpieces.sequences import make_sequences

    shim = encoder_nodes(model)[0].shims[0]
    blocks = find_modules(shim.module).blocks
    sequences = make_sequences(docs, shim.tokenizer, size=shim.max_pieces, overlap=64)
    lengths = sequences.lengths[sequences.lengths > 0].astype("float64") + shim.tokenizer.n_special
    pieces, words = float(lengths.sum()), int((sequences.counts > 0).sum())
    total = 0.0
    for block in blocks:
        attended = words if block is blocks[-1] else pieces
        total += 2 * pieces * sum(layer.weight.numel() for layer in block.qkv)
        total += 2 * attended * sum(layer.weight.numel() for layer in (block.out, block.up, block.down))
        total += 4 * block.qkv[0].weight.shape[0] * float((lengths**2).sum())
    return Work(total + 2 * words * model.get_ref("output_layer").get_param("W").size, words, int(pieces))
