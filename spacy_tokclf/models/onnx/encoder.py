"""The architecture `spacy-tokclf.OnnxEncoder.v1`: a trained encoder in ONNX Runtime, for annotation on CPUs."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ...errors import Errors
from ...types import Floats32
from ...wordpieces.batch import PieceBatch, batch_windows
from ...wordpieces.pool import check_pooling, pool_arrays
from ...wordpieces.sequences import Sequences, make_sequences
from ...wordpieces.windows import check_window, spread
from ..base_shim import Tok2VecT
from .session import Feed
from .shim import OnnxShim

#: Word pieces in a batch, padding included: what one thread works on fits its cache.
BATCH_PIECES = 512
#: A call with fewer pieces is cut into a batch for each thread, but none smaller than this.
SMALLEST_BATCH = 64
#: Padding that a batch may have, in pieces: one more batch costs about as much.
SPARE_PIECES = 24


def build_onnx_encoder_v1(
    pooling: str = "first", window: int = 0, overlap: int = 64, normalize: bool = False, casing: bool = False
) -> Model[list[Doc], list[Floats2d]]:
    """Build the layer that runs an encoder in ONNX Runtime. It takes the place of `TransformerEncoder.v1` in a pipeline
    that `spacy tokclf optimize` makes, gives the same vectors, and cannot be trained. Neither torch nor transformers is
    imported.

    A text gets the same vectors whatever its neighbours in a batch are: in int8, too, where the inputs of each product
    are rounded to 8 bits with a scale for each word piece. 8 bits are fast and exact on processors that have
    instructions for them (VNNI, since about 2019); on older ones with AVX2 alone, sums of two products may overflow
    their 16 bits, and fp32 is the right choice.

    The number of threads is that of the cores, or OMP_NUM_THREADS; processes of `nlp.pipe(n_process=...)` use one each.

    pooling (str): How a token's pieces become one vector: "first", "mean" or "max".
    window (int): Word pieces that the encoder sees at once, special pieces included; 0 for all it can.
    overlap (int): Word pieces that neighbouring windows of a long text share; never more than half a window.
    normalize (bool): Whether links and user names are read as one word each.
    casing (bool): Whether the encoder reads the casing of each word beside its pieces.
    RETURNS (Model[list[Doc], list[Floats2d]]): The layer. Output per text: (n_tokens, width).
    """
    check_pooling(pooling)
    check_window(window, overlap)
    return Model(
        "onnx_encoder",
        forward,
        init=init,
        dims={"nO": None},
        attrs={"pooling": pooling, "window": window, "overlap": overlap, "normalize": normalize, "casing": casing},
        shims=[OnnxShim()],
    )


def init(model: Tok2VecT, X: Any = None, Y: Any = None) -> None:
    """Refuse to begin a training. RAISES (ValueError): TC300."""
    raise ValueError(Errors.TC300)


def forward(
    model: Tok2VecT, docs: Sequence[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], list[Doc]]]:
    """Run the encoder over windows of like length, and give each token its vector.

    model (Model): The layer.
    docs (Sequence[Doc]): The texts.
    is_train (bool): Whether gradients would follow.
    RETURNS (tuple[list[Floats2d], Callable]): Per text (n_tokens, width), and a backprop callback that raises.
    RAISES (ValueError): TC300, in training; TC301, without a graph.
    """
    if is_train:
        raise ValueError(Errors.TC300)
    shim: Any = model.shims[0]
    made: Any = encode(shim, docs, **model.attrs)
    vectors = model.ops.asarray2f(made)
    lengths: Any = np.asarray([len(doc) for doc in docs], dtype="int32")

    def backprop(d_arrays: list[Floats2d]) -> list[Doc]:
        raise ValueError(Errors.TC300)

    return model.ops.unflatten(vectors, lengths), backprop


def encode(
    shim: OnnxShim, docs: Sequence[Doc], *, pooling: str, window: int, overlap: int, normalize: bool, casing: bool
) -> Floats32:
    """Give the vectors of all tokens of some texts.

    shim (OnnxShim): The encoder.
    docs (Sequence[Doc]): The texts.
    pooling, window, overlap, normalize, casing: As for the architecture.
    RETURNS (NDArray): float32. Shape: (n_tokens, width).
    """
    runner, limit = shim.runner, int(shim.settings["max_pieces"])
    size = min(window or limit, limit)
    how: dict[str, Any] = {"size": size, "overlap": min(overlap, size // 2), "normalize": normalize, "casing": casing}
    sequences = make_sequences(docs, shim.tokenizer, **how)
    budget = _budget(sequences, shim.tokenizer.n_special, runner.n_threads)
    pad = int(shim.settings["pad_id"])
    batches = list(batch_windows(sequences, shim.tokenizer, pad=pad, budget=budget, spare=SPARE_PIECES))
    output = np.zeros((len(sequences.counts), int(shim.settings["width"])), dtype="float32")
    pieces = runner.run([_feed(batch, pooling) for batch in batches])
    for batch, rows in zip(batches, pieces, strict=True):
        output[batch.tokens] = pool_arrays(rows, batch.counts, pooling=pooling)
    return output


def _budget(sequences: Sequences, n_special: int, n_threads: int) -> int:
    """Give each thread something to do."""
    total = int(sequences.lengths.sum()) + n_special * len(sequences.lengths)
    return min(BATCH_PIECES, max(SMALLEST_BATCH, -(-total // n_threads)))


def _feed(batch: PieceBatch, pooling: str) -> Feed:
    rows = batch.first if pooling == "first" else spread(batch.first, batch.counts)
    feed = {"ids": batch.ids, "mask": batch.mask, "rows": rows}
    return feed if batch.casings is None else {**feed, "casings": batch.casings}
