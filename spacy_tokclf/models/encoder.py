"""The architecture `spacy-tokclf.TransformerEncoder.v1`: a Hugging Face encoder that gives one vector per token."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from spacy.tokens import Doc
from spacy.util import logger
from thinc.api import Model
from thinc.types import Floats2d

from ..errors import Errors
from ..runtime.arrays import to_array, to_tensor
from ..runtime.device import device_of, running
from ..runtime.products import check_precision, describe_products, resolve_precision
from ..wordpieces.pool import check_pooling
from ..wordpieces.sequences import Sequences, make_sequences
from ..wordpieces.windows import check_window
from .backend import check_backend
from .base_shim import Tok2VecT, encoder_nodes
from .casing import add_casing
from .hf.pretrained import LoaderT
from .shim import EncoderShim

if TYPE_CHECKING:
    import torch

#: Settings that are attributes of the layer, with their defaults, as in the signature below and in that of
#: `spacy-tokclf.OnnxEncoder.v1`.
SETTINGS: dict[str, Any] = {
    "pooling": "first",
    "window": 0,
    "overlap": 64,
    "precision": "auto",
    "normalize": False,
    "casing": False,
    "casing_dropout": 0.0,
    "freeze_embeddings": False,
}
#: Those that weights are trained with, and that cannot change afterwards.
FIXED_SETTINGS = ("pooling", "normalize", "casing")


def build_transformer_encoder_v1(
    pooling: str = "first",
    window: int = 0,
    overlap: int = 64,
    precision: str = "auto",
    normalize: bool = False,
    casing: bool = False,
    casing_dropout: float = 0.0,
    freeze_embeddings: bool = False,
    backend: str = "auto",
) -> Model[list[Doc], list[Floats2d]]:
    """Build the layer that runs a Hugging Face encoder over texts of any length.

    The encoder itself arrives at initialisation, through a loader, or with a saved pipeline. Tokens without word pieces
    (white space, say) get a vector of zeros.

    pooling (str): How a token's pieces become one vector: "first", "mean" or "max".
    window (int): Word pieces that the encoder sees at once, special pieces included; 0 for all it can.
    overlap (int): Word pieces that neighbouring windows of a long text share; never more than half a window.
    precision (str): Of matrix products: "fp32", "bf16", "fp16" (predictions on CUDA alone), or "auto" for bf16 on
        hardware that is faster in it (`runtime.products.resolve_precision` says which). Weights, gradients and the
        vectors that leave the layer are float32 in any case.
    normalize (bool): Whether to read links and user names (`@somebody`) as one word each, whatever they consist of.
        Such a pipeline has no Hugging Face equivalent.
    casing (bool): Whether to add a learned vector for the casing of each word to the embedding of its pieces. It tells
        an encoder that lower-cases what it cannot see. Such a pipeline has no Hugging Face equivalent.
    casing_dropout (float): Share of the texts, drawn anew for each training step, whose words get the casing that
        they have in lower-case letters, so that names without capitals are learned, too.
    freeze_embeddings (bool): Whether to leave the embeddings of the word pieces as they are: half of a small encoder's
        weights, most of which a training set never uses.
    backend (str): "transformers" to run Hugging Face's own forward pass, "auto" for the fastest that gives the same
        numbers (1e-5). A property of the running process: it is in the config and not in what is saved of the layer.
    RETURNS (Model[list[Doc], list[Floats2d]]): The layer. Output per text: (n_tokens, width).
    RAISES (ValueError): TC001, TC002, TC003, TC018 or TC031, for a setting out of range.
    """
    settings = {
        "pooling": pooling,
        "window": window,
        "overlap": overlap,
        "precision": precision,
        "normalize": normalize,
        "casing": casing,
        "casing_dropout": casing_dropout,
        "freeze_embeddings": freeze_embeddings,
    }
    check_settings(settings)
    check_backend(backend)
    return Model(
        "transformer_encoder",
        forward,
        init=init,
        dims={"nO": None},
        attrs=settings,
        shims=[EncoderShim(backend)],
    )


def check_settings(settings: Mapping[str, Any]) -> None:
    """Check the settings of an encoder, of either architecture.

    settings (Mapping[str, Any]): By their names in `SETTINGS`.
    RAISES (ValueError): TC001, TC002, TC003 or TC031, for a setting out of range.
    """
    check_pooling(settings["pooling"])
    check_window(settings["window"], settings["overlap"])
    check_precision(settings.get("precision", SETTINGS["precision"]))
    share = settings.get("casing_dropout", SETTINGS["casing_dropout"])
    if not 0.0 <= share <= 1.0:
        raise ValueError(Errors.TC031.format(name="casing_dropout", value=share, expected="a share, 0 to 1"))


def load_encoder(model: Model, loader: LoaderT) -> None:
    """Fill the encoder in a model with pretrained weights.

    model (Model): A model with one encoder in it.
    loader (Callable[[], Pretrained]): The loader.
    """
    for node in encoder_nodes(model, EncoderShim):
        shim: Any = node.shims[0]
        shim.fill(loader())
        if node.attrs["casing"]:
            add_casing(shim.module)
        node.set_dim("nO", shim.width, force=True)
        facts = describe_products(node.attrs["precision"], shim.device)
        logger.info("Encoder: backend %s, %s", shim.backend.name, ", ".join(f"{k} {v}" for k, v in facts.items()))


def init(model: Tok2VecT, X: Any = None, Y: Any = None) -> None:
    """Tell the width, once there is an encoder."""
    shim: Any = model.shims[0]
    model.set_dim("nO", shim.width)


def forward(
    model: Tok2VecT, docs: Sequence[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], list[Doc]]]:
    """Run the encoder over windows of like length, and give each token its vector.

    model (Model): The layer.
    docs (Sequence[Doc]): The texts.
    is_train (bool): Whether gradients will follow.
    RETURNS (tuple[list[Floats2d], Callable]): Per text (n_tokens, width), and the backprop callback.
    """
    shim: Any = model.shims[0]
    sequences, options = prepare_pieces(model, docs, train=is_train)
    batches, tokens = shim.backend.vectors(sequences, train=is_train, **options)
    vectors = _join(batches, shim, train=is_train)
    lengths: Any = np.fromiter(map(len, docs), dtype="int32", count=len(docs))
    rows: Any = model.ops.asarray(np.concatenate(tokens) if tokens else np.zeros(0, dtype="int64"))  # type: ignore[arg-type]  # thinc's own Ints1d is numpy's array
    output = model.ops.alloc2f(int(lengths.sum()), shim.width)
    output[rows] = to_array(vectors, model.ops)
    arrays = model.ops.unflatten(output, lengths)

    def backprop(d_arrays: list[Floats2d]) -> list[Doc]:
        if vectors.requires_grad:
            d_output = model.ops.xp.concatenate(d_arrays)
            vectors.backward(to_tensor(d_output[rows], vectors.device))
        return []

    return arrays, backprop


def _join(batches: "list[torch.Tensor]", shim: EncoderShim, *, train: bool) -> "torch.Tensor":
    """Put the vectors of all batches below each other: (n_rows, width)."""
    import torch

    if not batches:
        return torch.zeros((0, shim.width), device=shim.device)
    if len(batches) == 1:
        return batches[0]
    with running(batches[0].device, precision="fp32", train=train):
        return torch.cat(batches)


def prepare_pieces(model: Tok2VecT, docs: Sequence[Doc], *, train: bool) -> tuple[Sequences, dict[str, Any]]:
    """Make word pieces and windows of some texts, and put the encoder into the right mode for them.

    model (Model): A `TransformerEncoder.v1` with weights.
    docs (Sequence[Doc]): The texts.
    train (bool): Whether gradients will follow.
    RETURNS (tuple[Sequences, dict[str, Any]]): What `Backend.vectors` takes: the word pieces, and its `precision` and
        `pooling`.
    RAISES (ValueError): TC570, for a precision that cannot be trained in, or that the device does not have.
    """
    shim: Any = model.shims[0]
    attrs = model.attrs
    if train and attrs["precision"] == "fp16":
        raise ValueError(Errors.TC570.format(where="in training"))
    module, limit = shim.module, shim.max_pieces
    if attrs["freeze_embeddings"]:
        module.get_input_embeddings().weight.requires_grad_(False)
    size = min(attrs["window"] or limit, limit)
    sequences = make_sequences(
        docs,
        shim.tokenizer,
        size=size,
        overlap=min(attrs["overlap"], size // 2),
        normalize=attrs["normalize"],
        casing=attrs["casing"],
        casing_dropout=attrs["casing_dropout"] if train else 0.0,
    )
    if train or module.training:
        shim.backend.forget_weights()  # they may have been learned since
    if module.training != train:
        module.train(train)
    return sequences, {
        "precision": resolve_precision(attrs["precision"], device_of(module)),
        "pooling": attrs["pooling"],
    }
