"""Where the parameters of a pipeline are: a component and a place in its model, the same in every process. The ids by
which thinc and its optimizers know them are those of one process."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from spacy.language import Language
from thinc.api import Model, Shim

from .. import compat
from ..models.base_shim import BaseEncoderShim
from ..models.shim import EncoderShim

if TYPE_CHECKING:
    from torch import nn

KeyT = tuple[int, str]
#: The attribute of thinc's layers with the rate of dropout.
DROPOUT = "dropout_rate"


class ThincPlace(NamedTuple):
    """A layer of thinc's with parameters.

    name (str): The component and the layer's number in its model: "ner/3".
    node (Model): The layer.
    """

    name: str
    node: Model


class TorchPlace(NamedTuple):
    """A torch module in a layer.

    name (str): The component, the layer's number in its model, and the module's number in the layer: "ner/3.0".
    shim (Shim): What holds the module.
    module (nn.Module): The module.
    """

    name: str
    shim: Shim
    module: "nn.Module"


PlaceT = ThincPlace | TorchPlace


def find_places(nlp: Language) -> list[PlaceT]:
    """Find everything with parameters in a pipeline, disabled and frozen components included.

    nlp (Language): The pipeline.
    RETURNS (list[ThincPlace | TorchPlace]): The places, each layer and module once.
    """
    found: list[PlaceT] = []
    for name, node, shim in _nodes_and_shims(nlp):
        if shim is None:
            if node.param_names:
                found.append(ThincPlace(name, node))
        else:
            module = _module(shim)
            if module is not None:
                found.append(TorchPlace(name, shim, module))
    return found


def keys_of(places: list[PlaceT]) -> dict[KeyT, str]:
    """Give what an optimizer may hold of each place.

    places (list[ThincPlace | TorchPlace]): The places.
    RETURNS (dict[tuple[int, str], str]): By thinc's keys, the place and the name of the parameter: "ner/3:W". A module
        as a whole has the name "".
    """
    found: dict[KeyT, str] = {}
    for place in places:
        if isinstance(place, ThincPlace):
            own = [(place.node.id, name) for name in place.node.param_names]
        else:
            own = [(place.shim.id, name) for name in ("", *dict(place.module.named_parameters()))]
        for key in own:
            found.setdefault(key, f"{place.name}:{key[1]}")
    return found


def find_dropouts(nlp: Language) -> dict[str, Model]:
    """Find the layers that hold a rate of dropout, which is saved with them as the last step has set it.

    nlp (Language): The pipeline.
    RETURNS (dict[str, Model]): The layers, by component and number in its model.
    """
    return {name: node for name, node, shim in _nodes_and_shims(nlp) if shim is None and DROPOUT in node.attrs}


def unknown_parts(nlp: Language) -> str:
    """Say what of a pipeline learns in a way that is not known, so that it cannot be kept.

    nlp (Language): The pipeline.
    RETURNS (str): What it is; empty if there is nothing.
    """
    for name, pipe in nlp.components:
        model: Any = getattr(pipe, "model", None)
        if getattr(pipe, "is_trainable", False) and not isinstance(model, Model | bool | None):
            return f"the component {name!r} learns without a model of thinc's"
    for name, _, shim in _nodes_and_shims(nlp):
        if shim is None or isinstance(shim, BaseEncoderShim):
            continue
        component = name.split("/")[0]
        if compat.module_of(shim) is None:
            return f"the component {component!r} has a {type(shim).__name__} with a model of unknown kind"
        if compat.scales_gradients(shim):
            return f"the component {component!r} learns in mixed precision, with a scale of its own"
    return ""


def _nodes_and_shims(nlp: Language) -> Iterator[tuple[str, Model, Shim | None]]:
    """Yield every layer of a pipeline, and every shim in one, under its name."""
    seen: set[int] = set()
    for name, pipe in nlp.components:
        model = getattr(pipe, "model", None)
        if not isinstance(model, Model):
            continue
        for number, node in enumerate(model.walk()):
            if id(node) in seen:
                continue
            seen.add(id(node))
            yield f"{name}/{number}", node, None
            for index, shim in enumerate(node.shims):
                if id(shim) not in seen:
                    seen.add(id(shim))
                    yield f"{name}/{number}.{index}", node, shim


def _module(shim: Shim) -> "nn.Module | None":
    if isinstance(shim, BaseEncoderShim):
        return shim.module if isinstance(shim, EncoderShim) and shim.is_filled else None
    return compat.module_of(shim)
