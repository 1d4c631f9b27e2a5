"""Loading into a component that works: what fails leaves it as it was."""

import contextlib
import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

from thinc.api import Model


class Kept(NamedTuple):
    """What loading changes of a layer."""

    node: Model
    id: int
    name: str
    dims: dict[str, int | None]
    params: dict[str, Any]
    refs: dict[str, Model | None]
    attrs: dict[str, Any]
    shims: list[tuple[Any, dict[str, Any]]]


@contextlib.contextmanager
def kept_on_failure(pipe: Any) -> Iterator[None]:
    """Put a component back, after an error, into the state that it had before: settings, layers, and what its config in
    the pipeline says. Nothing is copied but names: loading puts new arrays and modules in the place of the old ones.

    pipe (Stored): The component.
    """
    cfg, config = dict(pipe.cfg), pipe.home.config_of(pipe)
    said = copy.deepcopy(dict(config))
    layers = [_keep(node) for node in pipe.model.walk()]
    try:
        yield
    except BaseException:
        dict.clear(pipe.cfg)
        dict.update(pipe.cfg, cfg)
        config.clear()
        config.update(said)
        for kept in layers:
            _put_back(kept)
        raise


def _keep(node: Model) -> Kept:
    return Kept(
        node,
        node.id,
        node.name,
        {name: node.maybe_get_dim(name) for name in node.dim_names},
        {name: node.maybe_get_param(name) for name in node.param_names},
        {name: node.maybe_get_ref(name) for name in node.ref_names},
        dict(node.attrs),
        [(shim, dict(vars(shim))) for shim in node.shims],
    )


def _put_back(kept: Kept) -> None:
    node = kept.node
    for name in node.param_names:
        node.set_param(name, None)  # sizes change only where there are none
    for name, size in kept.dims.items():
        node.set_dim(name, size, force=True)  # type: ignore[arg-type]  # None is a size that is not known
    node.id, node.name = kept.id, kept.name
    for name, value in kept.params.items():
        node.set_param(name, value)
    for name, ref in kept.refs.items():
        node.set_ref(name, ref)
    node.attrs.clear()
    node.attrs.update(kept.attrs)
    for shim, state in kept.shims:
        vars(shim).clear()
        vars(shim).update(state)
