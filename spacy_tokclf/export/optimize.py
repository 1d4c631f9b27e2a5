"""Make a pipeline faster on CPUs: the same components, with the encoder as a graph in ONNX Runtime."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.util import replace_model_node

from ..corpus.options import ReadOptions
from ..errors import Errors
from ..models.base_shim import encoder_nodes
from ..models.onnx.shim import OnnxShim
from ..models.shim import EncoderShim
from ..pipeline.load import load_pipeline
from ..pipeline.lookup import find_encoder, pipes_with_model
from ..runtime.saving import checked_pipeline
from .folders import check_apart, check_target
from .optimize_check import Agreement, check_agreement, compare_pipelines

PRECISIONS = ("fp32", "int8")
#: What a pipeline in ONNX Runtime needs beside this package, for its meta.json.
REQUIREMENT = "onnxruntime>=1.20"
BEFORE, AFTER = "spacy-tokclf.TransformerEncoder.v1", "spacy-tokclf.OnnxEncoder.v1"


def optimize(
    model: str | Path,
    out_dir: str | Path,
    *,
    precision: str = "int8",
    data: str | Path | None = None,
    max_f1_loss: float = 0.005,
    component: str | None = None,
    force: bool = False,
    options: ReadOptions | None = None,
) -> Agreement:
    """Make a pipeline whose encoder runs in ONNX Runtime, and compare it with the original. The folder appears whole or
    not at all.

    model (str | Path): The path or name of a saved pipeline.
    out_dir (str | Path): The folder for the new one.
    precision (str): "fp32", or "int8" for products of 8-bit integers.
    data (str | Path | None): Annotated data in any form that `read_any` knows; some texts of our own if None.
    max_f1_loss (float): How much lower F1 on the data may be, 0.005 for half a point.
    component (str | None): The component whose encoder is replaced, its own or the one it listens to; all if None.
    force (bool): Whether to replace a pipeline in the folder.
    options (ReadOptions | None): How to read the data.
    RETURNS (Agreement): How alike the two are.
    RAISES (ImportError): TC302, without onnx, onnxruntime or onnxscript.
    RAISES (ValueError): TC259, TC260, TC304 to TC307, TC310 to TC314, if it cannot be done as asked; TC308 or TC309, if
        the new pipeline is not as good.
    """
    out_dir = Path(out_dir).absolute()
    _check_choices(precision, max_f1_loss)
    check_target(out_dir, mark="meta.json", force=force)
    _need_packages()
    original = load_pipeline(model)
    check_apart(out_dir, original.path)
    changed = load_pipeline(model)
    replace_encoders(changed, precision, component=component)
    with checked_pipeline(changed, out_dir) as made:
        del changed
        agreement = compare_pipelines(original, load_pipeline(made), data, options)
        check_agreement(agreement, precision=precision, max_f1_loss=max_f1_loss)
    return agreement


def replace_encoders(nlp: Language, precision: str, *, component: str | None = None) -> None:
    """Put encoders in ONNX Runtime in the place of a pipeline's own. Only saving the pipeline makes sense afterwards.

    nlp (Language): The pipeline.
    precision (str): "fp32" or "int8".
    component (str | None): As for `optimize`.
    RAISES (ValueError): TC307, TC310 or TC311, if there is no encoder that can be replaced; TC012, TC312 or TC313, if
        no graph can be made of it.
    """
    from .onnx.graph import SETTINGS, onnx_layer

    found = list(_owners(nlp, component))
    if not found:
        where = f"The pipeline ({', '.join(nlp.pipe_names)})" if component is None else f"The component {component!r}"
        raise ValueError(Errors.TC307.format(where=where))
    for name, pipe in found:
        blocks = list(_blocks(nlp.get_pipe_config(name)))
        nodes = encoder_nodes(pipe.model, EncoderShim)
        if len(blocks) != len(nodes):
            raise ValueError(Errors.TC311.format(name=name))
        for node in nodes:
            layer = onnx_layer(node, precision)
            if pipe.model is node:
                pipe.model = layer
            else:
                replace_model_node(pipe.model, node, layer)
        for block in blocks:
            block["@architectures"] = AFTER
            for key in set(block) - {"@architectures", *SETTINGS}:
                del block[key]
    requirements = nlp.meta.setdefault("requirements", [])
    if REQUIREMENT not in requirements:
        requirements.append(REQUIREMENT)


def _owners(nlp: Language, component: str | None) -> Iterator[tuple[str, Any]]:
    """Find the components that hold the encoders. RAISES (ValueError): TC307 or TC310."""
    pipes = pipes_with_model(nlp)
    wanted = None
    if component is not None:
        if component not in pipes:
            raise ValueError(Errors.TC307.format(where=f"The component {component!r}"))
        wanted = find_encoder(pipes[component].model, nlp, component)
    for name, pipe in pipes.items():
        nodes = list(pipe.model.walk())
        if wanted is not None and wanted not in nodes:
            continue
        if any(isinstance(shim, OnnxShim) for node in nodes for shim in node.shims):
            raise ValueError(Errors.TC310.format(name=name))
        if encoder_nodes(pipe.model, EncoderShim) and (component is None or wanted is not None):
            yield name, pipe


def _blocks(config: Any) -> Iterator[dict[str, Any]]:
    """Find the parts of a config that describe an encoder."""
    if not isinstance(config, dict):
        return
    if config.get("@architectures") == BEFORE:
        yield config
    for value in config.values():
        yield from _blocks(value)


def _check_choices(precision: str, max_f1_loss: float) -> None:
    if precision not in PRECISIONS:
        raise ValueError(Errors.TC304.format(name="precision", value=precision, choices=", ".join(PRECISIONS)))
    if not 0.0 <= max_f1_loss <= 1.0:
        raise ValueError(Errors.TC305.format(value=max_f1_loss))


def _need_packages() -> None:
    from importlib.util import find_spec

    for package in ("onnx", "onnxruntime", "onnxscript"):
        if find_spec(package) is None:
            raise ImportError(Errors.TC302.format(package=package, extra="onnx"))
