"""The machine's peak throughput of matrix products (GEMM): as large as an encoder's, and larger, in each precision."""

import time
from collections.abc import Callable
from typing import Any

SECONDS = 0.15  # for each shape in a round


def measured(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure products.

    options (dict[str, Any]): "precision", "fp32" or "bf16" in torch and "int8" in ONNX Runtime; "shapes", lists of
        rows, width in and width out.
    RETURNS (Callable[[int], dict[str, Any]]): The round. The value is the best of the shapes, in GFLOP/s (for int8 in
        10^9 operations a second).
    """
    make = int8_product if options["precision"] == "int8" else torch_product
    products = [(shape, make(*shape, options["precision"])) for shape in options["shapes"]]

    def run(number: int) -> dict[str, Any]:
        rates = {}
        for (rows, width, out), product in products:
            best, until = float("inf"), time.perf_counter() + SECONDS
            while time.perf_counter() < until:
                start = time.perf_counter()
                product()
                best = min(best, time.perf_counter() - start)
            rates[f"{rows}x{width}x{out}"] = round(2e-9 * rows * width * out / best, 1)
        return {"value": max(rates.values()), "shapes": rates}

    run(-1)
    return run


def torch_product(rows: int, width: int, out: int, precision: str) -> Callable[[], Any]:
    """RETURNS (Callable[[], Any]): A linear layer's product, by the fastest library that torch comes with."""
    import torch

    from spacy_tokclf.runtime.products import linear_product

    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    x, weight = torch.randn(rows, width).to(dtype), torch.randn(out, width).to(dtype)
    bias = torch.randn(out).to(dtype)

    def product() -> Any:
        with torch.inference_mode():
            return linear_product(x, weight, bias)

    return product


def int8_product(rows: int, width: int, out: int, precision: str) -> Callable[[], Any]:
    """RETURNS (Callable[[], Any]): The product of ONNX Runtime for int8: `MatMulInteger`, into int32."""
    import numpy as np
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    weight = numpy_helper.from_array(rng.integers(-127, 127, (width, out)).astype("int8"), "w")
    x = helper.make_tensor_value_info("x", TensorProto.UINT8, [rows, width])
    y = helper.make_tensor_value_info("y", TensorProto.INT32, [rows, out])
    graph = helper.make_graph([helper.make_node("MatMulInteger", ["x", "w"], ["y"])], precision, [x], [y], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    given = {"x": rng.integers(0, 255, (rows, width)).astype("uint8")}
    return lambda: session.run(None, given)
