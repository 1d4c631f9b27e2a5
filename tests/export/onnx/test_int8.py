"""Rounded products are near the exact ones, and a row of one depends on no other row."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_tokclf.export.onnx.int8 import TABLE_ROWS, round_columns, to_int8
from spacy_tokclf.export.onnx.nodes import FLOAT, INT64, IR_VERSION, OPSET, Nodes, own_operators
from spacy_tokclf.models.onnx.session import _open

pytest.importorskip("onnxscript")
RANDOM = np.random.default_rng(0)
WEIGHT = RANDOM.normal(size=(24, 16)).astype("float32")
BIAS = RANDOM.normal(size=16).astype("float32")


def as_model(nodes: Nodes, output: str, *, of: int = FLOAT) -> Any:
    """Make a model with one input `x` of any shape."""
    from onnx import helper

    inputs = [helper.make_tensor_value_info("x", of, None)]
    outputs = [helper.make_tensor_value_info(output, FLOAT, None)]
    graph = helper.make_graph(nodes.nodes, "test", inputs, outputs, nodes.constants)
    sets = [helper.make_opsetid("", OPSET), own_operators()]
    return helper.make_model(graph, opset_imports=sets, ir_version=IR_VERSION)


def product(kind: str, activation: str | None) -> Any:
    """Make a model of one product."""
    nodes = Nodes()
    x = nodes.add(activation, "x") if activation else "x"
    if kind == "gemm":
        return as_model(nodes, nodes.add("Gemm", x, nodes.floats(WEIGHT), nodes.floats(BIAS)))
    if kind == "gemm transposed":
        return as_model(nodes, nodes.add("Gemm", x, nodes.floats(WEIGHT.T), transB=1))
    return as_model(nodes, nodes.add("Add", nodes.add("MatMul", x, nodes.floats(WEIGHT)), nodes.floats(BIAS)))


def run(model: Any, x: np.ndarray) -> np.ndarray:
    result: np.ndarray = _open(model.SerializeToString()).run(None, {"x": x})[0]
    return result


@pytest.mark.parametrize("activation", [None, "Gelu", "Relu"])
@pytest.mark.parametrize("kind", ["gemm", "gemm transposed", "matmul", "matmul of three axes"])
class TestProducts:
    """Of every form that encoders have."""

    def inputs(self, kind: str) -> np.ndarray:
        shape = (3, 5, 24) if kind == "matmul of three axes" else (15, 24)
        return RANDOM.normal(size=shape, scale=2.0).astype("float32")

    def test_near(self, kind: str, activation: str | None) -> None:
        model = product(kind, activation)
        x = self.inputs(kind)
        exact, got = run(model, x), run(to_int8(model), x)
        assert got.shape == exact.shape
        assert 0 < np.abs(got - exact).mean() < 0.01 * np.abs(exact).mean()

    def test_rows_apart(self, kind: str, activation: str | None) -> None:
        model = to_int8(product(kind, activation))
        x = self.inputs(kind)
        before = run(model, x)
        x[1:] *= 1000
        after = run(model, x)
        np.testing.assert_array_equal(after[0], before[0])
        assert np.abs(after[1] - before[1]).max() > 1

    def test_zeros(self, kind: str, activation: str | None) -> None:
        model = product(kind, activation)
        x = np.zeros_like(self.inputs(kind))
        np.testing.assert_allclose(run(to_int8(model), x), run(model, x), atol=1e-5)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.floats(-1e6, 1e6, width=32), min_size=3, max_size=3), min_size=1, max_size=9))
def test_columns(values: list[list[float]]) -> None:
    weight = np.array(values, dtype="float32")
    integers, scale = round_columns(weight)
    assert integers.dtype == np.int8 and (integers >= -127).all()
    assert (np.abs(integers * scale - weight) <= scale * 0.501).all()


def test_a_product_of_two_inputs_stays() -> None:
    nodes = Nodes()
    model = as_model(nodes, nodes.add("MatMul", "x", nodes.add("Transpose", "x", perm=[1, 0])))
    x = RANDOM.normal(size=(4, 4)).astype("float32")
    np.testing.assert_array_equal(run(to_int8(model), x), run(model, x))


@pytest.mark.parametrize("rows", [TABLE_ROWS - 1, TABLE_ROWS])
def test_large_tables_are_rounded(rows: int) -> None:
    table = RANDOM.normal(size=(rows, 8)).astype("float32")
    nodes = Nodes()
    model = as_model(nodes, nodes.add("Gather", nodes.floats(table), "x"), of=INT64)
    got = run(to_int8(model), np.arange(rows))
    difference = np.abs(got - table).max()
    assert 0 < difference < 0.02 if rows == TABLE_ROWS else difference == 0
    size = len(to_int8(model).SerializeToString())
    assert size < 2 * table.nbytes / 4 + 8 * rows if rows == TABLE_ROWS else size > table.nbytes


def test_what_a_product_needs_is_shared() -> None:
    """One rounding of an input for several products, one of weights that are used twice."""
    nodes = Nodes()
    weight = nodes.floats(WEIGHT)
    one, two = nodes.add("Gemm", "x", weight), nodes.add("Gemm", nodes.add("Relu", "x"), weight)
    three = nodes.add("Gemm", "x", nodes.floats(WEIGHT * 2))
    model = to_int8(as_model(nodes, nodes.add("Sum", one, two, three)))
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("QuantizeLinear") == 2 and kinds.count("MatMulIntegerToFloat") == 3
    assert sum(tensor.data_type == 3 for tensor in model.graph.initializer) == 2  # int8
