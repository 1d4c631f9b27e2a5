"""Quantize an ONNX graph from float32 to int8: products of 8-bit integers, and tables of embeddings in 8 bits.

Weights get one scale for each column and are rounded once; what they are multiplied with gets one scale for each row
and is rounded when it comes. (ONNX Runtime's own dynamic quantization takes one scale for all rows of a batch: a value
then depends on what else is in the batch, and a single large one costs all others their precision.)
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...types import Floats32
from .nodes import FLOAT, OWN_SET, UINT8, Nodes

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

#: Rows that a table has at least to be worth rounding.
TABLE_ROWS = 1000
#: The integer that stands for 0 among the inputs of a product: without sign, as processors want it.
ZERO = 128
#: What the output of some operators is never below. Minus that is added to it before it is rounded, so that there is a
#: use for all 256 integers, and taken out again with the bias.
LOWEST = {"Gelu": -0.1701, "Relu": 0.0}
#: Smallest scale of a row, so that a row of zeros is not divided by 0.
SMALLEST = 1e-12


def to_int8(model: "ModelProto") -> "ModelProto":
    """Round the weights of a graph, and have its products run on integers. Products whose weights are no constants, as
    in attention, stay as they are.

    model (ModelProto): A graph in float32, with ONNX Runtime's own operators among its sets.
    RETURNS (ModelProto): The graph in int8.
    """
    from onnx import helper

    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    rounding = _Rounding(weights)
    for node in graph.node:
        rounding.take(node)
    nodes = rounding.nodes
    used = {name for node in nodes.nodes for name in node.input}
    kept = [tensor for name, tensor in weights.items() if name in used]
    made = helper.make_graph(nodes.nodes, graph.name, graph.input, graph.output, [*kept, *nodes.constants])
    result = helper.make_model(made, opset_imports=model.opset_import, ir_version=model.ir_version)
    result.producer_name = model.producer_name
    result.functions.extend(model.functions)
    return result


def round_columns(weight: Floats32) -> tuple[NDArray[np.int8], Floats32]:
    """Round a matrix to 8 bits.

    weight (Floats32): Shape: (width in, width out).
    RETURNS (tuple[NDArray, Floats32]): The integers, and what a column of them is multiplied with. Shape: (width out,).
    """
    scale = np.maximum(np.abs(weight).max(axis=0) / 127, SMALLEST).astype("float32")
    return np.round(weight / scale).astype("int8"), scale


class _Rows(NamedTuple):
    """The input of a product in integers.

    integers (str): Shape: (n_rows, width).
    scale (str): What a row of them is multiplied with. Shape: (n_rows, 1).
    zero (int): The integer that stands for 0.
    added (float): What was added before they were rounded.
    shape (str): Sizes of the axes before the last; "" for a matrix.
    """

    integers: str
    scale: str
    zero: int
    added: float
    shape: str


class _Rounding:
    """The new graph while it is written."""

    def __init__(self, weights: "dict[str, TensorProto]") -> None:
        self.weights = weights
        self.nodes = Nodes("int8_")
        self._lowest: dict[str, float] = {}
        self._rows: dict[str, _Rows] = {}
        self._columns: dict[tuple[str, bool], tuple[str, str, Floats32]] = {}

    def take(self, node: "NodeProto") -> None:
        """Take over a node, rounded if it can be."""
        made = None
        if node.op_type in LOWEST:
            self._lowest[node.output[0]] = LOWEST[node.op_type]
        if node.op_type in ("MatMul", "Gemm") and not node.domain:
            made = self._product(node)
        elif node.op_type == "Gather" and not node.domain and not dict(_attributes(node)).get("axis"):
            made = self._table(node)
        if made is None:
            self.nodes.nodes.append(node)
        else:
            self.nodes.nodes[-1].output[0] = node.output[0]

    def _product(self, node: "NodeProto") -> str | None:
        """Write a product in integers, if its second factor is a constant matrix."""
        options = dict(_attributes(node))
        weight = self.weights.get(node.input[1])
        plain = options.pop("alpha", 1.0) == 1.0 and options.pop("beta", 1.0) == 1.0 and not options.pop("transA", 0)
        if weight is None or len(weight.dims) != 2 or not plain:
            return None
        # integers: (width in, width out); scales, sums: (width out,)
        integers, scales, sums = self._round_weight(weight, transposed=bool(options.pop("transB", 0)))
        rows = self._round_rows(node.input[0], flat=node.op_type == "Gemm")
        nodes = self.nodes
        one, zero = nodes.floats(1.0), nodes.constant(np.uint8(rows.zero))
        y = nodes.add("MatMulIntegerToFloat", rows.integers, integers, one, scales, zero, domain=OWN_SET)
        y = nodes.add("Mul", y, rows.scale)  # (n_rows, width out) by (n_rows, 1)
        # (x + added) @ W = x @ W + added * (sums of the columns of W): the second part is taken off with the bias.
        for bias in self._biases(node, rows.added * sums):
            y = nodes.add("Add", y, bias)
        if rows.shape:
            y = nodes.add("Reshape", y, nodes.add("Concat", rows.shape, nodes.ints(len(sums)), axis=0))
        return y

    def _biases(self, node: "NodeProto", surplus: Floats32) -> list[str]:
        """Give what is added to a product: its own bias, less what comes from an addition to its input."""
        from onnx import numpy_helper

        own = list(node.input[2:])
        if not surplus.any():
            return own
        if own and own[0] in self.weights:
            return [self.nodes.floats(numpy_helper.to_array(self.weights[own[0]]) - surplus)]
        return [*own, self.nodes.floats(-surplus)]

    def _round_weight(self, weight: "TensorProto", *, transposed: bool) -> tuple[str, str, Floats32]:
        """Round weights, once for all products. Returns the integers, their scales, and the sums of the columns."""
        from onnx import numpy_helper

        key = weight.name, transposed
        if key not in self._columns:
            values = numpy_helper.to_array(weight)
            integers, scale = round_columns(values.T if transposed else values)
            sums = (integers.sum(axis=0, dtype="int64") * scale).astype("float32")
            self._columns[key] = self.nodes.constant(integers), self.nodes.floats(scale), sums
        return self._columns[key]

    def _round_rows(self, x: str, *, flat: bool) -> _Rows:
        """Round the input of a product, once for all products that read it."""
        from onnx import helper

        if x not in self._rows:
            nodes, shape, rows = self.nodes, "", x
            if not flat:  # (..., width) to (n_rows, width); `shape` are the axes before the last
                shape = nodes.add("Shape", x, end=-1)
                width = nodes.add("Shape", x, start=-1)
                rows = nodes.add("Reshape", x, nodes.add("Concat", nodes.ints(-1), width, axis=0))
            lowest = self._lowest.get(x)
            if lowest:
                rows = nodes.add("Add", rows, nodes.floats(-lowest))
            # From -largest to largest about 128, or from the lowest output of the operator before up to the largest.
            zero, steps = (ZERO, 255 - ZERO) if lowest is None else (0, 255)
            size = nodes.add("Abs", rows) if lowest is None else rows
            largest = nodes.add("ReduceMax", size, nodes.ints(1), keepdims=0)  # (n_rows,): a scale for each row
            scale = nodes.add("Max", nodes.add("Mul", largest, nodes.floats(1 / steps)), nodes.floats(SMALLEST))
            value = helper.make_tensor("value", UINT8, [1], [zero])
            zeros = nodes.add("ConstantOfShape", nodes.add("Shape", scale), value=value)
            integers = nodes.add("QuantizeLinear", rows, scale, zeros, axis=0)
            column = nodes.add("Unsqueeze", scale, nodes.ints(1))
            self._rows[x] = _Rows(integers, column, zero, -(lowest or 0.0), shape)
        return self._rows[x]

    def _table(self, node: "NodeProto") -> str | None:
        """Look up rows in a table of integers (n_ids, width), one scale a row, if it is large enough to be worth it."""
        from onnx import numpy_helper

        table = self.weights.get(node.input[0])
        if table is None or len(table.dims) != 2 or table.dims[0] < TABLE_ROWS or table.data_type != FLOAT:
            return None
        integers, scale = round_columns(numpy_helper.to_array(table).T)  # (width, n_ids), (n_ids,)
        nodes = self.nodes
        rows = nodes.add("Gather", nodes.constant(integers.T), node.input[1])
        scales = nodes.add("Gather", nodes.floats(scale[:, None]), node.input[1])
        return nodes.add("Mul", nodes.add("Cast", rows, to=FLOAT), scales)


def _attributes(node: "NodeProto") -> Iterator[tuple[str, object]]:
    from onnx import helper

    for attribute in node.attribute:
        yield attribute.name, helper.get_attribute_value(attribute)
