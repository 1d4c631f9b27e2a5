"""Write the forward pass of BERT and its family as an ONNX graph, in fewer and faster operators than an exporter does.

Pieces lie in rows, all first pieces of the windows before all second ones: row `piece * n_windows + window`. Attention
then reads queries, keys and values where the products left them. The last layer works on the pieces that are asked for
alone, and additions and layer norms stay apart, since ONNX Runtime's operator for both is ten times slower than the
two.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from thinc.api import NumpyOps

from ...models.padding_free.modules import Block, Modules
from ...models.padding_free.relative_positions import distance_buckets
from ...runtime.arrays import to_array
from ...types import Floats32
from .nodes import CASINGS, FLOAT, INT64, OWN_SET, Nodes, make_model

if TYPE_CHECKING:
    from onnx import ModelProto
    from torch import nn

#: Activations by their names in a config.json: the operator and its attributes.
ACTIVATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "gelu": ("Gelu", {}),
    "gelu_new": ("Gelu", {"approximate": "tanh"}),
    "gelu_pytorch_tanh": ("Gelu", {"approximate": "tanh"}),
    "relu": ("Relu", {}),
    "tanh": ("Tanh", {}),
}
#: Added to the scores of what pads.
FAR = 1e9

_NUMPY = NumpyOps()


def activation_of(config: dict[str, Any]) -> str | None:
    """Name the activation of an encoder of the family.

    config (dict[str, Any]): Its config.json.
    RETURNS (str | None): A key of `ACTIVATIONS`; None for any other.
    """
    name = config.get("activation") or config.get("hidden_act")
    return name if isinstance(name, str) and name in ACTIVATIONS else None


def family_graph(parts: Modules, activation: str) -> "ModelProto":
    """Write an encoder of the family as a graph in float32.

    parts (Modules): The encoder.
    activation (str): A key of `ACTIVATIONS`.
    RETURNS (ModelProto): The model.
    """
    nodes = Nodes()
    # Both of shape (1,): the two axes of `ids`.
    windows, pieces = nodes.add("Shape", "ids", start=0, end=1), nodes.add("Shape", "ids", start=1, end=2)
    # x: (pieces * windows, width) between all layers
    x = _embed(nodes, parts, windows, pieces)
    width = parts.blocks[0].out.out_features
    by_head = nodes.add("Concat", pieces, windows, nodes.ints(parts.heads, width // parts.heads), axis=0)
    # The mask, 1 or 0, becomes 0 or -FAR: (windows, 1, 1, pieces), to be added to the scores of all heads and queries.
    padding = nodes.add("Cast", nodes.add("Sub", "mask", nodes.ints(1)), to=FLOAT)
    bias = nodes.add("Unsqueeze", nodes.add("Mul", padding, nodes.floats(FAR)), nodes.ints(1, 2))
    if parts.distances is not None:  # (windows, heads, pieces, pieces), once for all layers
        bias = nodes.add("Add", bias, _distance_scores(nodes, parts, parts.distances, pieces))
    for block in parts.blocks:
        last = block is parts.blocks[-1]
        found = _attend(nodes, x, block, by_head, bias, parts.heads)
        if last:
            rows = _own_rows(nodes, windows, pieces)  # (n_rows,): what follows attention is done for these alone
            found, x = nodes.add("Gather", found, rows), nodes.add("Gather", x, rows)
        x = _norm(nodes, nodes.add("Add", _linear(nodes, found, *_out(block)), x), block.out_norm)
        op, attributes = ACTIVATIONS[activation]
        inner = nodes.add(op, _linear(nodes, x, *_weights(block.up)), **attributes)
        x = _norm(nodes, nodes.add("Add", _linear(nodes, inner, *_weights(block.down)), x), block.down_norm)
    return make_model(nodes, x, width=width, casing=parts.casing is not None)


def _embed(nodes: Nodes, parts: Modules, windows: str, pieces: str) -> str:
    """Give the embeddings that the first layer reads. Shape: (pieces * windows, width)."""
    width = parts.words.embedding_dim
    x = nodes.add("Gather", _table(nodes, parts.words), _in_rows(nodes, "ids"))
    if parts.casing is not None:
        x = nodes.add("Add", x, nodes.add("Gather", _table(nodes, parts.casing), _in_rows(nodes, CASINGS)))
    positions = _array(parts.positions.weight)  # (n_positions, width)
    if parts.types is not None:  # every piece is of type 0, so its embedding is part of every position's
        positions = positions + _array(parts.types.weight)[0]
    table = nodes.floats(positions)
    if parts.pad_position is None:  # the n-th piece is at position n: (pieces, 1, width), added to all windows
        place = nodes.add("Unsqueeze", nodes.add("Slice", table, nodes.ints(0), pieces), nodes.ints(1))
        shape = nodes.add("Concat", pieces, windows, nodes.ints(width), axis=0)
        x = nodes.add("Add", nodes.add("Reshape", x, shape), place)
        x = nodes.add("Reshape", x, nodes.ints(-1, width))
    else:
        x = nodes.add("Add", x, nodes.add("Gather", table, _in_rows(nodes, _counted(nodes, parts.pad_position))))
    x = _norm(nodes, x, parts.norm)
    return x if parts.project is None else _linear(nodes, x, *_weights(parts.project))


def _counted(nodes: Nodes, pad: int) -> str:
    """Count positions from that of the padding on, over the pieces that are not its id, as RoBERTa does. Shape:
    (windows, pieces)."""
    same = nodes.add("Equal", "ids", nodes.ints(pad))
    real = nodes.add("Cast", nodes.add("Not", same), to=INT64)
    counted = nodes.add("Mul", nodes.add("CumSum", real, nodes.constant(np.array(1))), real)
    return nodes.add("Add", counted, nodes.ints(pad))


def _distance_scores(nodes: Nodes, parts: Modules, table: "nn.Embedding", pieces: str) -> str:
    """Give what distances add to the scores, as MPNet has it. Shape: (heads, pieces as queries, pieces as keys)."""
    longest = parts.positions.num_embeddings
    buckets = nodes.constant(distance_buckets(longest))  # from 1 - longest to longest - 1
    count = nodes.add("Squeeze", pieces)
    place = nodes.add("Range", nodes.constant(np.array(0)), count, nodes.constant(np.array(1)))  # (pieces,)
    distance = nodes.add(
        "Sub", nodes.add("Unsqueeze", place, nodes.ints(0)), nodes.add("Unsqueeze", place, nodes.ints(1))
    )
    found = nodes.add("Gather", buckets, nodes.add("Add", distance, nodes.ints(longest - 1)))
    values = nodes.add("Gather", _table(nodes, table), found)  # (pieces, pieces, heads)
    return nodes.add("Transpose", values, perm=[2, 0, 1])


def _attend(nodes: Nodes, x: str, block: Block, by_head: str, bias: str, heads: int) -> str:
    """Write multi-head attention, from rows to rows (pieces * windows, width), before its output projection.

    The bias of the keys adds the same to all scores of a query, which the softmax takes out again; that of the values
    is left to `_out`, since the probabilities add up to 1.
    """
    query, key, value = (_weights(layer) for layer in block.qkv)  # weights (width, width), biases (width,)
    # The factor 1 / sqrt(head width) of the scores is multiplied into the queries' weights.
    scale = (query[0].shape[1] / heads) ** -0.5
    # Each (pieces, windows, heads, head width): a view of the rows, nothing is copied.
    q, k, v = (
        nodes.add("Reshape", _linear(nodes, x, *weights), by_head)
        for weights in ((query[0] * scale, query[1] * scale), (key[0], None), (value[0], None))
    )
    # transBatch: the operator reads an operand as (windows, heads, pieces, head width).
    moved: dict[str, Any] = {"domain": OWN_SET, "transBatchB": 1}
    # (windows, heads, pieces as queries, pieces as keys)
    scores = nodes.add("Add", nodes.add("FusedMatMul", q, k, transBatchA=1, transB=1, **moved), bias)
    found = nodes.add("FusedMatMul", nodes.add("Softmax", scores, axis=-1), v, **moved)
    rows = nodes.add("Transpose", found, perm=[2, 0, 1, 3])  # back to (pieces, windows, heads, head width)
    return nodes.add("Reshape", rows, nodes.ints(-1, query[0].shape[1]))


def _out(block: Block) -> tuple[Floats32, Floats32]:
    """Give weights and bias of attention's output projection, with the bias of the values multiplied through it."""
    weight, bias = _weights(block.out)
    return weight, bias + _array(block.qkv[2].bias) @ weight


def _own_rows(nodes: Nodes, windows: str, pieces: str) -> str:
    """Turn the places of the pieces that are asked for, `window * pieces + piece`, into rows, `piece * windows +
    window`. Shape: (n_rows,)."""
    window, piece = nodes.add("Div", "rows", pieces), nodes.add("Mod", "rows", pieces)
    return nodes.add("Add", nodes.add("Mul", piece, windows), window)


def _in_rows(nodes: Nodes, matrix: str) -> str:
    """Bring a matrix (windows, pieces) into the order of the rows: (pieces * windows,)."""
    return nodes.add("Reshape", nodes.add("Transpose", matrix, perm=[1, 0]), nodes.ints(-1))


def _linear(nodes: Nodes, x: str, weight: Floats32, bias: Floats32 | None) -> str:
    """Write `x @ weight + bias`: (n_rows, width in) to (n_rows, width out)."""
    return nodes.add("Gemm", x, nodes.floats(weight), *([] if bias is None else [nodes.floats(bias)]))


def _norm(nodes: Nodes, x: str, norm: "nn.LayerNorm") -> str:
    weights = nodes.floats(_array(norm.weight)), nodes.floats(_array(norm.bias))
    return nodes.add("LayerNormalization", x, *weights, axis=-1, epsilon=norm.eps)


def _table(nodes: Nodes, embedding: "nn.Embedding") -> str:
    return nodes.floats(_array(embedding.weight))


def _weights(layer: "nn.Linear") -> tuple[Floats32, Floats32]:
    """RETURNS (tuple[Floats32, Floats32]): Weights, (width in, width out), and bias."""
    return _array(layer.weight).T, _array(layer.bias)


def _array(tensor: Any) -> Floats32:
    array: Floats32 = to_array(tensor, _NUMPY)
    return array
