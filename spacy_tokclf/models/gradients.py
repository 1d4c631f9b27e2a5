"""Gradients and weights of thinc models, those of the torch modules in their shims included: where they lie, whether
they are finite, and how they are dropped."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from thinc.api import Model, Shim

from .. import compat
from .shim import EncoderShim

if TYPE_CHECKING:
    from torch import Tensor, nn


def module_of(shim: Shim) -> "nn.Module | None":
    """RETURNS (nn.Module | None): The torch module behind a shim, ours or that of another library, if there is one."""
    if isinstance(shim, EncoderShim):
        return shim.module if shim.is_filled else None
    return compat.module_of(shim)


def torch_gradients(node: Model) -> Iterator[tuple[int, "list[Tensor]"]]:
    """Yield the gradients of the torch modules in a layer's shims.

    node (Model): The layer.
    YIELDS (tuple[int, list[Tensor]]): The shim's id, and its gradients, one at least.
    """
    for shim in node.shims:
        module = module_of(shim)
        params = [] if module is None else compat.named_parameters(module)
        grads = [param.grad for _, param in params if param.grad is not None]
        if grads:
            yield shim.id, grads


def drop_gradients(models: Sequence[Model]) -> None:
    """Drop all gradients of some models, as a step does.

    models (Sequence[Model]): The models.
    """
    for model in models:
        for node in model.walk():
            for name in node.param_names:
                if node.has_grad(name):
                    grad: Any = node.get_grad(name)
                    grad[...] = 0.0
            for shim in node.shims:
                module = module_of(shim)
                for param in module.parameters() if module is not None else ():
                    param.grad = None


def keep_gradients(model: Model) -> Callable[[], None]:
    """Remember the gradients of a model: copies of them.

    model (Model): The model.
    RETURNS (Callable[[], None]): Puts them back, bit by bit, in place of what was added to them.
    """
    arrays: list[tuple[Any, Any]] = []  # those of thinc, and their copies
    tensors: list[tuple[Tensor, Tensor, Tensor]] = []  # of torch: parameter, gradient, copy
    for node in model.walk():
        for name in node.param_names:
            if node.has_grad(name):
                grad: Any = node.get_grad(name)
                arrays.append((grad, grad.copy()))
        for module in filter(None, map(module_of, node.shims)):
            tensors += [(p, p.grad, p.grad.detach().clone()) for p in module.parameters() if p.grad is not None]

    def put_back() -> None:
        drop_gradients([model])
        for grad, copy in arrays:
            grad[...] = copy
        for param, own, kept in tensors:
            param.grad = own.copy_(kept)

    return put_back


def has_finite_gradients(models: Sequence[Model]) -> bool:
    """Tell whether the gradients of some models are finite, by their norms. On a GPU the device is waited for.

    models (Sequence[Model]): The models.
    RETURNS (bool): Whether they are.
    """
    for model in models:
        for node in model.walk():
            for _, grads in torch_gradients(node):
                if not all(math.isfinite(float(norm)) for norm in compat.norms(grads)):
                    return False
            if not all(is_finite(node.get_grad(name)) for name in node.param_names if node.has_grad(name)):
                return False
    return True


def damaged_weights(model: Model) -> list[str]:
    """Find the weights of a model that are not finite.

    model (Model): The model.
    RETURNS (list[str]): Their names, with those of their layers.
    """
    found = []
    for node in model.walk():
        for name in node.param_names:
            if node.has_param(name) is True and not is_finite(node.get_param(name)):
                found.append(f"{node.name}.{name}")
        for module in filter(None, map(module_of, node.shims)):
            names, params = zip(*module.named_parameters(), strict=True)
            norms = compat.norms([param.detach() for param in params])
            for name, param, norm in zip(names, params, norms, strict=True):
                # A norm may overflow where no weight has.
                if not math.isfinite(float(norm)) and not bool(param.isfinite().all()):
                    found.append(f"{node.name}.{name}")
    return found


def is_finite(values: Any) -> bool:
    """Tell whether an array has finite numbers only: by their sum, and one by one only if that is not finite.

    values (FloatsXd): The array, of any shape, numpy's or CuPy's.
    RETURNS (bool): Whether it has.
    """
    with np.errstate(all="ignore"):
        return bool(math.isfinite(float(values.sum())) or np.isfinite(values).all())
