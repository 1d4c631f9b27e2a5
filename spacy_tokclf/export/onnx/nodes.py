"""Build an ONNX graph node by node, and the model with the inputs and the output of all our encoders."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

#: Operators of ONNX, and of ONNX Runtime's own set.
OPSET = 20
IR_VERSION = 9
OWN_SET = "com.microsoft"
#: Types of elements, as ONNX numbers them.
FLOAT, UINT8, INT64 = 1, 2, 7
#: Inputs with names for their sizes, and the one that only some encoders have.
INPUTS = {"ids": ["windows", "pieces"], "mask": ["windows", "pieces"], "rows": ["rows"]}
CASINGS = "casings"
OUTPUT = "vectors"


class Nodes:
    """Nodes in the order of the computation, and the constants that they use."""

    def __init__(self, prefix: str = "") -> None:
        """prefix (str): Begins all names, so that they are new in a graph that is there."""
        self.prefix = prefix
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, op: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output.

        op (str): The operator.
        inputs (str): Names of its inputs.
        domain (str): The set of the operator, if not ONNX's own.
        RETURNS (str): Name of its output.
        """
        from onnx import helper

        name = f"{self.prefix}{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, domain=domain, **attributes))
        return name

    def constant(self, value: NDArray[Any]) -> str:
        """Add a constant.

        value (NDArray): Its value.
        RETURNS (str): Its name.
        """
        from onnx import numpy_helper

        name = f"{self.prefix}constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def floats(self, value: Any) -> str:
        """RETURNS (str): Name of a constant of float32."""
        return self.constant(np.asarray(value, dtype="float32"))

    def ints(self, *values: int) -> str:
        """RETURNS (str): Name of a constant of int64. Shape: (n,)."""
        return self.constant(np.asarray(values, dtype="int64"))


def make_model(nodes: Nodes, output: str, *, width: int, casing: bool) -> "ModelProto":
    """Make the model of an encoder.

    nodes (Nodes): The graph, which reads the inputs by the names in `INPUTS`, and `casings` if need be.
    output (str): What leaves it.
    width (int): Width of the vectors.
    casing (bool): Whether the encoder reads casings.
    RETURNS (ModelProto): The model.
    """
    from onnx import helper

    shapes: Mapping[str, Sequence[str]] = {**INPUTS, **({CASINGS: INPUTS["ids"]} if casing else {})}
    inputs = [helper.make_tensor_value_info(name, INT64, shape) for name, shape in shapes.items()]
    outputs = [helper.make_tensor_value_info(OUTPUT, FLOAT, ["rows", width])]
    last = helper.make_node("Identity", [output], [OUTPUT])
    graph = helper.make_graph([*nodes.nodes, last], "encoder", inputs, outputs, nodes.constants)
    sets = [helper.make_opsetid("", OPSET), own_operators()]
    return helper.make_model(graph, opset_imports=sets, ir_version=IR_VERSION, producer_name="spacy-tokclf")


def own_operators() -> Any:
    """RETURNS (OperatorSetIdProto): ONNX Runtime's own set of operators."""
    from onnx import helper

    return helper.make_opsetid(OWN_SET, 1)
