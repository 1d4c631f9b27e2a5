"""A learned vector for the casing of each word, beside the embedding of its pieces."""

from typing import TYPE_CHECKING, Any

from ..wordpieces.words import CASINGS

if TYPE_CHECKING:
    import torch
    from torch import nn

NAME = "casing"
CASING_WEIGHT = f"{NAME}.weight"


def add_casing(module: "nn.Module") -> None:
    """Give an encoder an embedding of casings, all zeros at first: the encoder begins as it was.

    module (nn.Module): The encoder.
    """
    import torch

    if not hasattr(module, NAME):
        words: Any = module.get_input_embeddings()  # type: ignore[operator]  # transformers' method
        weights = torch.zeros(len(CASINGS), words.embedding_dim, device=words.weight.device)
        module.add_module(NAME, torch.nn.Embedding.from_pretrained(weights, freeze=False))


def cased_embeddings(module: Any, ids: "torch.Tensor", casings: "torch.Tensor") -> "torch.Tensor":
    """Give the input of an encoder that has an embedding of casings.

    module (nn.Module): The encoder.
    ids (torch.Tensor): Word pieces. Shape: (n_windows, longest).
    casings (torch.Tensor): The casing of each piece's word. Shape: (n_windows, longest).
    RETURNS (torch.Tensor): Their sum. Shape: (n_windows, longest, width of the embeddings).
    """
    embeddings: torch.Tensor = module.get_input_embeddings()(ids) + getattr(module, NAME)(casings)
    return embeddings
