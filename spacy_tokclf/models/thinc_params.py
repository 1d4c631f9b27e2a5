"""Change the sizes of thinc layers that have parameters already."""

from collections.abc import Mapping

from thinc.api import Model
from thinc.types import FloatsXd


def set_dims(node: Model, dims: Mapping[str, int | None]) -> None:
    """Give a layer other sizes. If they differ from those it has, its parameters are gone, to be set anew.

    node (Model): The layer.
    dims (Mapping[str, int | None]): Sizes by name; None leaves one as it is.
    """
    changed = {dim: n for dim, n in dims.items() if n is not None and node.has_dim(dim) and node.get_dim(dim) != n}
    if changed:
        for name in node.param_names:
            node.set_param(name, None)
    for dim, n in changed.items():
        node.set_dim(dim, n, force=True)


def set_params(node: Model, params: Mapping[str, FloatsXd]) -> None:
    """Set a layer's parameters and forget gradients of another size.

    node (Model): The layer.
    params (Mapping[str, FloatsXd]): Values by name.
    """
    for name, value in params.items():
        node.set_param(name, value)
        if node.has_grad(name) and node.get_grad(name).shape != value.shape:
            node.set_grad(name, node.ops.alloc(value.shape))
