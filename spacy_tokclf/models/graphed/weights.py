"""The weights that a recorded step reads, at places that never change: copies of matrices in the precision of products,
views of all else; and the places of their gradients."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from ... import compat
from ..padding_free.modules import Block, Modules
from ..torch_head import LinearHead

if TYPE_CHECKING:
    from torch import Tensor, nn


class Affine(NamedTuple):
    """A linear layer or a norm: weight and bias."""

    weight: "Tensor"
    bias: "Tensor"


class Layer(NamedTuple):
    """One layer of the encoder. Queries, keys and values are one product: (3 * width, width)."""

    qkv: Affine
    out: Affine
    out_norm: Affine
    up: Affine
    down: Affine
    down_norm: Affine


class Weights(NamedTuple):
    """All that is multiplied and added: tensors without history, those that learn require gradients.

    tables (dict[str, Tensor]): Of `Modules`: words, positions, types, casing, distances, where there are any.
    norm (Affine): After the sum of the tables.
    project (Affine | None): From the width of the tables to that of the layers.
    layers (list[Layer]): The layers.
    head (LinearHead): The classifier.
    """

    tables: "dict[str, Tensor]"
    norm: Affine
    project: Affine | None
    layers: list[Layer]
    head: LinearHead


TABLES = ("words", "positions", "types", "casing", "distances")


class Places:
    """Where a recorded step finds weights and leaves gradients.

    weights (Weights): What it computes with; filled by `refresh`, which is part of the step.
    grads (list[Tensor]): The gradient of each parameter of the encoder that learns, float32. All lie in one piece of
        memory, and each step writes over those of the one before.
    flat (Tensor): That memory. Shape: (numbers of them all,).
    head_grad (LinearHead): The gradient of the head.
    loss (Tensor): The summed loss. Shape: ().
    """

    def __init__(self, modules: Modules, head: LinearHead, dtype: "torch.dtype") -> None:
        """Make room.

        modules (Modules): The encoder.
        head (LinearHead): The classifier, for its shapes and its device.
        dtype (torch.dtype): Precision of products.
        """
        self._copies: list[tuple[Tensor, Tensor]] = []  # what `refresh` fills, and from where
        self._learns: list[tuple[Tensor, Tensor, slice | None]] = []  # parameter, leaf, its rows of the leaf
        layers = [self._layer(block, dtype) for block in modules.blocks]
        tables = {name: getattr(modules, name) for name in TABLES}
        self.weights = Weights(
            {name: self._leaf(table.weight) for name, table in tables.items() if table is not None},
            self._affine(modules.norm),
            None if modules.project is None else self._affine(modules.project),
            layers,
            LinearHead(*(torch.empty_like(each).requires_grad_() for each in head)),
        )
        self.params = [param for param, _, _ in self._learns]
        flat = torch.zeros(sum(param.numel() for param in self.params), device=head.weight.device)
        self.flat = flat
        sizes = [param.numel() for param in self.params]
        self.grads = [
            part.view_as(param) for part, param in zip(flat.split(sizes) if sizes else (), self.params, strict=True)
        ]
        self.head_grad = LinearHead(*(torch.zeros_like(each) for each in head))
        self.loss = torch.zeros((), device=flat.device)

    def refresh(self) -> None:
        """Copy matrices as they are now, in the precision of products."""
        with torch.no_grad():
            compat.copy_all([to for to, _ in self._copies], [source for _, source in self._copies])

    def learn(self, loss: "Tensor") -> None:
        """Compute all gradients of a loss and put them into their places.

        loss (Tensor): What the weights gave. Shape: ().
        """
        leaves = list({id(leaf): leaf for _, leaf, _ in self._learns}.values())
        found = torch.autograd.grad(loss, [*leaves, *self.weights.head], allow_unused=True)
        by_leaf = {id(leaf): grad for leaf, grad in zip(leaves, found, strict=False)}
        given = [
            torch.zeros_like(place) if grad is None else grad if rows is None else grad[rows]
            for (_, leaf, rows), place in zip(self._learns, self.grads, strict=True)
            for grad in (by_leaf[id(leaf)],)
        ]
        with torch.no_grad():
            places = [*self.grads, *self.head_grad, self.loss]
            compat.copy_all(places, [*given, *found[len(leaves) :], loss.detach()])

    def _layer(self, block: Block, dtype: "torch.dtype") -> Layer:
        return Layer(
            self._product(block.qkv, dtype),
            self._product([block.out], dtype),
            self._affine(block.out_norm),
            self._product([block.up], dtype),
            self._product([block.down], dtype),
            self._affine(block.down_norm),
        )

    def _product(self, parts: "Sequence[nn.Linear]", dtype: "torch.dtype") -> Affine:
        """Stack linear layers of the same input into one, in the precision of products."""
        return Affine(
            self._stacked([part.weight for part in parts], dtype), self._stacked([part.bias for part in parts], dtype)
        )

    def _stacked(self, params: "Sequence[Tensor]", dtype: "torch.dtype") -> "Tensor":
        if len(params) == 1 and params[0].dtype == dtype:
            return self._leaf(params[0])
        rows = [len(param) for param in params]
        leaf = torch.empty((sum(rows), *params[0].shape[1:]), dtype=dtype, device=params[0].device)
        start = 0
        for param, n in zip(params, rows, strict=True):
            own = slice(start, start + n)
            self._copies.append((leaf[own], param.detach()))
            if param.requires_grad:
                self._learns.append((param, leaf, own if len(params) > 1 else None))
            start += n
        return leaf.requires_grad_(any(param.requires_grad for param in params))

    def _affine(self, layer: "nn.LayerNorm | nn.Linear") -> Affine:
        return Affine(self._leaf(layer.weight), self._leaf(layer.bias))

    def _leaf(self, param: "Tensor") -> "Tensor":
        """A parameter's own memory, as the beginning of a history of its own."""
        leaf = param.detach().requires_grad_(param.requires_grad)
        if param.requires_grad:
            self._learns.append((param, leaf, None))
        return leaf


def parameters(modules: Modules) -> "Iterator[Tensor]":
    """YIELDS (Tensor): All weights of an encoder, always in the same order."""
    for name in TABLES:
        table = getattr(modules, name)
        if table is not None:
            yield table.weight
    layers: list[Any] = [modules.norm, *([modules.project] if modules.project is not None else [])]
    for block in modules.blocks:
        layers += [*block.qkv, block.out, block.out_norm, block.up, block.down, block.down_norm]
    for layer in layers:
        yield layer.weight
        yield layer.bias
