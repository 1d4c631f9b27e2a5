"""Change the sizes of thinc layers that have parameters already."""

from collections.abc import Mapping

from thinc.api import Model


def set_dims(node: Model, dims: Mapping[str, int | None]) -> None:
    """Give a layer other sizes. If they differ from those it has, its parameters are gone, to be set anew, and so are
    their gradients. The layer has a new id then, so that optimizers, which keep arrays by id, begin anew with it.

    node (Model): The layer.
    dims (Mapping[str, int | None]): Sizes by name; None leaves one as it is.
    """
    changed = {dim: n for dim, n in dims.items() if n is not None and node.has_dim(dim) and node.get_dim(dim) != n}
    if changed:
        for name in node.param_names:
            node.set_param(name, None)
        node.id = Model("", node._func).id
    for dim, n in changed.items():
        node.set_dim(dim, n, force=True)
