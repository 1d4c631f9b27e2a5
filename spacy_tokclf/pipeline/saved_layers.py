"""The file `model` of a saved component, thinc's layers: checked against the layers that the config has made, before
any of them is touched."""

from typing import Any

import numpy as np
from thinc.api import Model
from thinc.model import deserialize_attr

from ..errors import Errors
from ..models.base_shim import BaseEncoderShim, encoder_nodes
from ..models.encoder import check_settings
from ..models.head_transform import PARAMS
from ..models.transitions import TRANSITIONS
from ..runtime.reading import expect_keys, read_msgpack

FILE = "model"
PARTS = ("nodes", "attrs", "params", "shims")
#: No size of a layer is larger.
LARGEST = 1 << 31
#: The shapes of our own layers, by the names of their sizes.
SHAPES: dict[str, dict[str, tuple[str, ...]]] = {
    "linear": {"W": ("nO", "nI"), "b": ("nO",)},
    TRANSITIONS: {TRANSITIONS: ("nO", "nO")},
}
TRANSFORM = "head_transform"


def read_layers(model: Model, data: bytes) -> dict[str, Any]:
    """Read saved layers that fit a model.

    model (Model): The model, as its config makes it.
    data (bytes): The contents of the file.
    RETURNS (dict[str, Any]): What `Model.from_dict` takes.
    RAISES (ValueError): TC032, for another number of layers; TC422, TC423 or TC427, for what does not fit.
    """
    msg = expect_keys(read_msgpack(data, FILE), PARTS, FILE)
    nodes = list(model.walk())
    for part in PARTS:
        found = msg[part]
        if not isinstance(found, list):
            raise ValueError(Errors.TC423.format(name=part, found=type(found).__name__, missing="a list"))
        if len(found) != len(nodes):
            raise ValueError(Errors.TC032.format(found=len(found), expected=len(nodes)))
    for index, node in enumerate(nodes):
        info, attrs, params, shims = (msg[part][index] for part in PARTS)
        _check_node(node, expect_keys(info, ("name", "dims", "refs"), FILE), nodes)
        _check_attrs(node, expect_keys(attrs, (), FILE))
        _check_params(node, expect_keys(params, (), FILE), info["dims"])
        if not isinstance(shims, list) or len(shims) > len(node.shims) or not all(isinstance(b, bytes) for b in shims):
            raise _misfit(node, "what it holds beside arrays is something else.")
        if shims and not shims[0] and isinstance(node.shims[0], BaseEncoderShim) and node.shims[0].is_filled:
            raise ValueError(Errors.TC431.format(where="The component", file="an encoder"))
    return msg


def check_fit(model: Model) -> None:
    """Check layers that were loaded against each other.

    model (Model): A component's model.
    RAISES (ValueError): TC427, for sizes that do not fit; TC431, if an encoder is not there.
    """
    for node in encoder_nodes(model):
        width, shim = node.maybe_get_dim("nO"), _shim(node)
        if width is not None and not shim.is_filled:
            raise ValueError(Errors.TC431.format(where="The component", file="a folder `encoder`"))
        if shim.is_filled and width is not None and shim.width != width:
            raise _misfit(node, f"it gives vectors of {width} numbers, and its encoder has {shim.width}.")
        if shim.is_filled and shim.reads_casings is not node.attrs.get("casing", False):
            raise _misfit(node, "casing is not what its encoder was trained with.")
    output = model.maybe_get_ref("output_layer")
    width = output.maybe_get_dim("nI") if output is not None else None
    if output is None or width is None:
        return
    given = model.get_ref("tok2vec").maybe_get_dim("nO")
    if given is not None and given != width:
        raise _misfit(output, f"it takes vectors of {width} numbers, and gets some of {given}.")
    for node in model.walk():
        for name in SHAPES.get(node.name, ()):
            if node.has_param(name) is not True:
                raise _misfit(node, f"its array {name} is missing.")
    transform: Any = model.maybe_get_ref("transform")
    for name in transform.param_names if transform is not None and transform.attrs["activation"] else ():
        array = transform.maybe_get_param(name)
        if array is None and name in ("W", "G"):
            raise _misfit(transform, f"its array {name} is missing.")
        if array is not None and (array.shape != ((width, width) if name == "W" else (width,))):
            raise _misfit(transform, f"its array {name} has the shape {array.shape}, for vectors of {width} numbers.")


def _shim(node: Model) -> Any:
    return next(shim for shim in node.shims if isinstance(shim, BaseEncoderShim))


def _check_node(node: Model, info: dict[str, Any], nodes: list[Model]) -> None:
    # What lies within a layer is part of its name: after `replace_listeners` that is another one.
    if not isinstance(info["name"], str) or (not node.layers and info["name"] != node.name):
        raise _misfit(node, f"the file has a layer {str(info['name'])[:80]!r} in its place.")
    for dim, size in expect_keys(info["dims"], (), FILE).items():
        whole = isinstance(size, int) and not isinstance(size, bool) and 0 <= size < LARGEST
        if dim not in node.dim_names or not (size is None or whole):
            raise _misfit(node, f"its size {str(dim)[:40]} is {str(size)[:40]}.")
    for ref, place in expect_keys(info["refs"], (), FILE).items():
        known = node.maybe_get_ref(ref) if ref in node.ref_names else None
        inside = isinstance(place, int) and not isinstance(place, bool) and 0 <= place < len(nodes)
        if not (place is None or inside) or (known is not None and (place is None or nodes[place] is not known)):
            raise _misfit(node, f"its part {str(ref)[:40]} is another layer.")


def _check_attrs(node: Model, attrs: dict[str, Any]) -> None:
    loaded = {}
    for name, saved in attrs.items():
        default = node.attrs.get(name)
        if callable(default) or not isinstance(saved, bytes):
            raise _misfit(node, f"its setting {str(name)[:40]} cannot be saved so.")
        loaded[name] = deserialize_attr(default, saved, name, node)
        if default is not None and not _is_alike(default, loaded[name]):
            raise _misfit(node, f"its setting {str(name)[:40]} is {str(loaded[name])[:40]!r}.")
    if any(isinstance(shim, BaseEncoderShim) for shim in node.shims):
        check_settings({**node.attrs, **loaded})
    activation = loaded.get("activation") if node.name == TRANSFORM else None
    if activation not in (None, "", "gelu"):
        from transformers.activations import ACT2FN

        if activation not in ACT2FN:
            raise _misfit(node, f"there is no activation {activation[:40]!r}.")


def _is_alike(one: Any, other: Any) -> bool:
    """Tell whether a setting is of the kind that it is by default."""
    if isinstance(one, bool) or isinstance(other, bool):
        return isinstance(one, bool) and isinstance(other, bool)
    if isinstance(one, int):
        return isinstance(other, int)
    if isinstance(one, float):
        return isinstance(other, int | float) and bool(np.isfinite(other))
    return other is None or isinstance(other, type(one))


def _check_params(node: Model, params: dict[str, Any], dims: dict[str, Any]) -> None:
    shapes = SHAPES.get(node.name, {})
    known = node.param_names if node.name != TRANSFORM else tuple(PARAMS.values())
    for name, array in params.items():
        if name not in known:
            raise _misfit(node, f"there is no array {str(name)[:40]} in it.")
        if array is None:
            continue
        if not isinstance(array, np.ndarray) or array.dtype not in (np.float32, np.float16, np.int32, np.uint64):
            raise _misfit(node, f"its array {name} is of the kind {getattr(array, 'dtype', type(array).__name__)}.")
        if array.dtype.kind == "f" and not (np.isfinite(array.sum(dtype="float64")) or np.isfinite(array).all()):
            raise _misfit(node, f"its array {name} has numbers that are nan or infinite.")
        if name in shapes and array.shape != tuple(dims.get(dim) for dim in shapes[name]):
            raise _misfit(node, f"its array {name} has the shape {array.shape}, which is not that of its sizes {dims}.")


def _misfit(node: Model, detail: str) -> ValueError:
    return ValueError(Errors.TC427.format(layer=node.name, detail=detail))
