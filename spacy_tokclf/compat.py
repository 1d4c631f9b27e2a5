"""Private or unstable API of other libraries: all of it is used through this file.

Each function says why we want it, since which version it is there, and what happens without it. What plugins of spaCy
are made of is not counted: `spacy.cli._util`, and the attributes that subclasses of `Tok2VecListener` set. None of it
is needed: the tests train and predict with each name of `NAMES` in `SWITCHED_OFF`, and with all.
"""

import contextlib
import ctypes
import errno
import functools
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import Warnings

if TYPE_CHECKING:
    import torch
    from torch import nn

#: What can be switched off: one name for each private API below.
NAMES = (
    "onednn_linear",
    "onednn_order",
    "cpu_features",
    "backward_operations",
    "version_counter",
    "module_internals",
    "foreach",
    "fused_scale",
    "bad_fork",
    "shim_model",
    "undrawn_weights",
    "http_error",
    "loaded_config",
    "pipeline_optimizer",
    "exchange",
)
#: Names that act as if the library did not have them.
SWITCHED_OFF: set[str] = set()


def onednn_linear() -> "Callable[..., torch.Tensor] | None":
    """Give oneDNN's product of rows with a transposed matrix (`torch.ops.mkldnn._linear_pointwise`, torch 2.0).

    Why: on AMD's processors it takes half of the time of what torch uses in fp32, and with a bias less in bf16.
    Without: torch's own products.

    RETURNS (Callable | None): Called with (x, weight, bias, "none", [], ""); None if torch has none that works.
    """
    return None if "onednn_linear" in SWITCHED_OFF else _working_onednn_linear()


@functools.cache
def _working_onednn_linear() -> "Callable[..., torch.Tensor] | None":
    import torch

    found: Callable[..., torch.Tensor] | None = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
    if found is None or not torch.backends.mkldnn.is_available():
        return None
    x, weight, bias = torch.eye(2), torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.ones(2)
    with torch.no_grad(), contextlib.suppress(RuntimeError, TypeError, ValueError, NotImplementedError):
        if torch.equal(found(x, weight, bias, "none", [], ""), torch.addmm(bias, x, weight.t())):
            return found
    return None


def onednn_order(weight: "torch.Tensor") -> "torch.Tensor | None":
    """Copy a matrix into the order in which oneDNN reads it (`torch.ops.mkldnn._reorder_linear_weight`, torch 2.0).

    Why: else every product does it, with few rows for a third of its time. The numbers are the same.
    Without: the matrix as it is.

    weight (torch.Tensor): The matrix, on a CPU. Shape: (width out, width in).
    RETURNS (torch.Tensor | None): The copy, which `onednn_linear` alone can read; None if torch has none that works.
    """
    if "onednn_order" in SWITCHED_OFF or not _working_onednn_order(weight.dtype):
        return None
    return _onednn_order(weight)


def _onednn_order(weight: "torch.Tensor") -> "torch.Tensor":
    import torch

    found: torch.Tensor = torch.ops.mkldnn._reorder_linear_weight(weight, 64)  # of 32 rows and more, the order is one
    return found


@functools.cache
def _working_onednn_order(dtype: "torch.dtype") -> bool:
    import torch

    linear = _working_onednn_linear()
    if linear is None or not hasattr(torch.ops.mkldnn, "_reorder_linear_weight"):
        return False
    with (
        torch.inference_mode(False),
        torch.no_grad(),
        contextlib.suppress(RuntimeError, TypeError, NotImplementedError),
    ):
        weight = torch.linspace(-1, 1, 64 * 48, dtype=torch.float32).view(64, 48).type(dtype)
        x, bias = weight[:32].contiguous(), weight[0].new_zeros(64)
        expected = linear(x, weight, bias, "none", [], "")
        return torch.equal(linear(x, _onednn_order(weight), bias, "none", [], ""), expected)
    return False


@functools.cache
def onednn_takes_bf16() -> bool:
    """RETURNS (bool): Whether oneDNN multiplies in bf16 here (`torch.ops.mkldnn._is_mkldnn_bf16_supported`, torch 2.0).
    Without: torch's own products."""
    import torch

    return bool(getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", bool)())


def cpu_has(feature: str) -> bool:
    """Ask torch what the processor has (`torch.cpu._is_amx_tile_supported`, torch 2.4, and its siblings).

    Why: `precision = "auto"` takes bf16 where the processor is fast in it.
    Without: fp32.

    feature (str): "avx512", "avx512_bf16" or "amx_tile".
    RETURNS (bool): Whether it is there.
    """
    import torch

    if "cpu_features" in SWITCHED_OFF:
        return False
    if feature == "avx512":
        return torch.backends.cpu.get_cpu_capability() == "AVX512"
    return bool(getattr(torch.cpu, f"_is_{feature}_supported", bool)())


def layer_norm(x: "torch.Tensor", norm: "nn.LayerNorm") -> "tuple[torch.Tensor, torch.Tensor, torch.Tensor]":
    """Normalize rows, and keep what the backward pass needs (`torch.native_layer_norm`, torch 1.5).

    Why: this and the next three are what autograd calls; called directly, they save its record of every operation.
    Without: the padding-free backend is not used (see `backward_operations_work`).

    x (torch.Tensor): Shape: (n_rows, width).
    norm (nn.LayerNorm): The layer.
    RETURNS (tuple[torch.Tensor, torch.Tensor, torch.Tensor]): The normalized rows, and the mean and the inverse
        deviation of each. Shapes: (n_rows, width), (n_rows, 1), (n_rows, 1).
    """
    import torch

    return torch.native_layer_norm(x, [x.shape[-1]], norm.weight, norm.bias, norm.eps)


def layer_norm_backward(
    dy: "torch.Tensor", x: "torch.Tensor", mean: "torch.Tensor", deviation: "torch.Tensor", norm: "nn.LayerNorm"
) -> "tuple[torch.Tensor, torch.Tensor, torch.Tensor]":
    """Backward pass of `layer_norm` (`aten::native_layer_norm_backward`, torch 1.5).

    dy (torch.Tensor): Gradient of the normalized rows. Shape: (n_rows, width).
    x (torch.Tensor): The rows that were normalized. Shape: (n_rows, width).
    mean, deviation (torch.Tensor): What `layer_norm` gave. Shapes: (n_rows, 1).
    norm (nn.LayerNorm): The layer.
    RETURNS (tuple[torch.Tensor, torch.Tensor, torch.Tensor]): Gradients of x, weight and bias.
        Shapes: (n_rows, width), (width,), (width,).
    """
    import torch

    gradients: tuple[torch.Tensor, torch.Tensor, torch.Tensor] = torch.ops.aten.native_layer_norm_backward(
        dy, x, [dy.shape[-1]], mean, deviation, norm.weight, norm.bias, [True, True, True]
    )
    return gradients


def softmax_backward(dp: "torch.Tensor", p: "torch.Tensor") -> "torch.Tensor":
    """Backward pass of a softmax over the last axis (`aten::_softmax_backward_data`, torch 1.11).

    dp (torch.Tensor): Gradient of the probabilities.
    p (torch.Tensor): The probabilities, in the shape of dp.
    RETURNS (torch.Tensor): Gradient of the scores, in the shape of dp.
    """
    import torch

    gradient: torch.Tensor = torch.ops.aten._softmax_backward_data(dp, p, -1, p.dtype)
    return gradient


def embedding_backward(d_rows: "torch.Tensor", ids: "torch.Tensor", table: "nn.Embedding") -> "torch.Tensor":
    """Backward pass of a table's rows (`aten::embedding_dense_backward`, torch 1.0).

    d_rows (torch.Tensor): Gradient of the rows that were looked up. Shape: (n_rows, width).
    ids (torch.Tensor): Their ids. Shape: (n_rows,).
    table (nn.Embedding): The table.
    RETURNS (torch.Tensor): Gradient of the table; none for its padding. Shape: (n_ids, width).
    """
    import torch

    padding = -1 if table.padding_idx is None else table.padding_idx
    gradient: torch.Tensor = torch.ops.aten.embedding_dense_backward(d_rows, ids, table.num_embeddings, padding, False)
    return gradient


def backward_operations_work() -> bool:
    """Try the four operations above on a few numbers, beside autograd.

    RETURNS (bool): Whether they are there and right. If not, there is one warning (TW008) in a process.
    """
    if "backward_operations" in SWITCHED_OFF:
        return False
    return _operations_work()


@functools.cache
def _operations_work() -> bool:
    import torch
    from torch.nn import functional

    with torch.inference_mode(False), torch.enable_grad(), torch.random.fork_rng(devices=[]):
        x = torch.arange(6.0).reshape(2, 3).sin().requires_grad_()
        ids = torch.tensor([1, 1])
        norm, table = torch.nn.LayerNorm(3), torch.nn.Embedding(2, 3)
        try:
            y, mean, deviation = layer_norm(x.detach(), norm)
            ours = [
                *layer_norm_backward(x.detach(), x.detach(), mean, deviation, norm),
                softmax_backward(x.detach(), x.detach().softmax(-1)),
                embedding_backward(x.detach(), ids, table),
            ]
        except (AttributeError, RuntimeError, TypeError, ValueError, NotImplementedError) as error:
            warnings.warn(Warnings.TW008.format(version=torch.__version__, detail=error), stacklevel=2)
            return False
        expected = [
            *torch.autograd.grad(norm(x), [x, norm.weight, norm.bias], x.detach()),
            *torch.autograd.grad(functional.softmax(x, -1), x, x.detach()),
            *torch.autograd.grad(table(ids), table.weight, x.detach()),
        ]
        pairs = [(y, norm(x).detach()), *zip(ours, expected, strict=True)]
        if all(one.shape == other.shape and torch.allclose(one, other, atol=1e-5) for one, other in pairs):
            return True
    warnings.warn(Warnings.TW008.format(version=torch.__version__, detail="other gradients"), stacklevel=2)
    return False


def version_of(tensor: "torch.Tensor") -> int | None:
    """RETURNS (int | None): How often a tensor was changed in place (`Tensor._version`, torch 0.4), to know whether
    a copy of it is still good. Without: None, and nothing is kept."""
    return None if "version_counter" in SWITCHED_OFF else getattr(tensor, "_version", None)


def has_hooks(module: "nn.Module") -> bool:
    """Tell whether anything listens in on a module (`Module._forward_hooks`, `_forward_pre_hooks`, torch 0.2; and
    `_modules`, which is walked three times as fast as `modules()`, since that names all parts on its way).

    Why: only the module's own forward pass runs its hooks.
    Without: any module may have hooks, and Hugging Face's own forward pass is taken.

    module (nn.Module): The module.
    RETURNS (bool): Whether it or a part of it has, or may have, hooks.
    """
    if "module_internals" in SWITCHED_OFF or not hasattr(module, "_forward_hooks"):
        return True
    left: list[Any] = [module]
    while left:
        part = left.pop()
        if part._forward_hooks or part._forward_pre_hooks:
            return True
        left.extend(child for child in part._modules.values() if child is not None)
    return False


def named_parameters(module: "nn.Module") -> "list[tuple[str, nn.Parameter]]":
    """Give the parameters of a module as `named_parameters()` does, in its order (`Module._parameters` and `_modules`,
    torch 0.2).

    Why: a training step asks several times, and this takes a third of the time.
    Without: `named_parameters()`.

    module (nn.Module): The module.
    RETURNS (list[tuple[str, nn.Parameter]]): Names and parameters, each parameter once.
    """
    if "module_internals" in SWITCHED_OFF or not hasattr(module, "_parameters"):
        return list(module.named_parameters())
    found: list[tuple[str, nn.Parameter]] = []
    seen: set[int] = set()

    def walk(part: Any, prefix: str) -> None:
        if id(part) in seen:
            return
        seen.add(id(part))
        for name, param in part._parameters.items():
            if param is not None and id(param) not in seen:
                seen.add(id(param))
                found.append((prefix + name, param))
        for name, child in part._modules.items():
            if child is not None:
                walk(child, f"{prefix}{name}.")

    walk(module, "")
    return found


def _foreach(name: str) -> "Callable[..., Any] | None":
    """RETURNS (Callable | None): An operation of torch's over lists of tensors; None if it is not to be used."""
    import torch

    return None if "foreach" in SWITCHED_OFF else getattr(torch, name, None)


def lerp_all(averages: "Sequence[torch.Tensor]", values: "Sequence[torch.Tensor]", weight: float) -> None:
    """Move averages towards values, in place (`torch._foreach_lerp_`, torch 2.1).

    Why: one call for all tensors. Without: one for each.

    averages (Sequence[torch.Tensor]): The averages.
    values (Sequence[torch.Tensor]): The values, in the same shapes.
    weight (float): How far, 0 to 1.
    """
    together = _foreach("_foreach_lerp_")
    if together is not None:
        together(averages, values, weight)
        return
    for average, value in zip(averages, values, strict=True):
        average.lerp_(value, weight)


def copy_all(into: "Sequence[torch.Tensor]", values: "Sequence[torch.Tensor]") -> None:
    """Copy values into tensors, in the precision of these (`torch._foreach_copy_`, torch 2.1).

    Why: one call for all tensors. Without: one for each.

    into (Sequence[torch.Tensor]): The tensors.
    values (Sequence[torch.Tensor]): Their new values, in the same shapes.
    """
    together = _foreach("_foreach_copy_")
    if together is not None and len(into):
        together(list(into), list(values))
        return
    for each, value in zip(into, values, strict=True):
        each.copy_(value)


def add_all(into: "Sequence[torch.Tensor]", values: "Sequence[torch.Tensor]") -> None:
    """Add values to tensors, in place (`torch._foreach_add_`, torch 1.12).

    Why: one call for all tensors. Without: one for each.

    into (Sequence[torch.Tensor]): The tensors.
    values (Sequence[torch.Tensor]): What is added, in the same shapes.
    """
    together = _foreach("_foreach_add_")
    if together is not None and len(into):
        together(list(into), list(values))
        return
    for each, value in zip(into, values, strict=True):
        each.add_(value)


def norms(tensors: "Sequence[torch.Tensor]") -> "list[torch.Tensor]":
    """Give the Euclidean norm of each tensor (`torch._foreach_norm`, torch 1.12).

    Why: one call for all tensors. Without: one for each.

    tensors (Sequence[torch.Tensor]): The tensors.
    RETURNS (list[torch.Tensor]): Their norms. Shapes: ().
    """
    import torch

    together = _foreach("_foreach_norm")
    if together is not None:
        return list(together(tensors))
    return [torch.linalg.vector_norm(tensor) for tensor in tensors]


def step_scaled(optimizer: "torch.optim.AdamW", inverse_scale: "torch.Tensor") -> None:
    """Step a fused AdamW with gradients divided by a number (`grad_scale`, torch 2.0, which torch's GradScaler sets).

    Why: the kernel divides as it reads the gradients. Without: a pass over all gradients before it.

    optimizer (torch.optim.AdamW): The optimizer, fused.
    inverse_scale (torch.Tensor): What gradients are divided by; float32, on the device of the parameters. Shape: ().
    """
    if "fused_scale" in SWITCHED_OFF:
        grads = [param.grad for group in optimizer.param_groups for param in group["params"] if param.grad is not None]
        for grad in grads:
            grad.div_(inverse_scale)
    else:
        scaled: Any = optimizer
        scaled.grad_scale = inverse_scale
    optimizer.step()


def in_bad_fork() -> bool:
    """RETURNS (bool): Whether this process was forked from one that had CUDA in use (`torch.cuda._is_in_bad_fork`,
    torch 0.4), to say so in plain words. Without: torch's own error."""
    import torch

    return "bad_fork" not in SWITCHED_OFF and bool(getattr(torch.cuda, "_is_in_bad_fork", bool)())


def module_of(shim: Any) -> "nn.Module | None":
    """RETURNS (nn.Module | None): The torch module behind a shim of any library (`Shim._model`, thinc 8.0), whose
    gradients count in the norm of all. Without: None, and only our own encoders' and thinc's gradients do."""
    if "shim_model" in SWITCHED_OFF or "torch" not in sys.modules:
        return None
    from torch import nn

    module = getattr(shim, "_model", None)
    return module if isinstance(module, nn.Module) else None


def scales_gradients(shim: Any) -> bool:
    """RETURNS (bool): Whether a shim of any library keeps a scale for its gradients (`PyTorchShim._mixed_precision`,
    thinc 8.0), which a checkpoint of a training would lack. Without: True, so that no checkpoint is written."""
    return "shim_model" in SWITCHED_OFF or bool(getattr(shim, "_mixed_precision", False))


def weights_undrawn() -> contextlib.AbstractContextManager[Any]:
    """Leave the weights of a module that is being built undrawn (`no_init_weights`, transformers 4.0, in
    `modeling_utils`; in `initialization` since 5.0).

    Why: drawing them is most of the time of building a module that is filled from a file. Without: they are drawn, from
    a random state that is put back.

    RETURNS (ContextManager): The state while the module is built.
    """
    if "undrawn_weights" not in SWITCHED_OFF:
        for home in ("transformers.initialization", "transformers.modeling_utils"):
            with contextlib.suppress(ImportError, AttributeError):
                undrawn: contextlib.AbstractContextManager[Any] = import_module(home).no_init_weights()
                return undrawn
    return contextlib.nullcontext()


def http_error() -> type[Exception]:
    """RETURNS (type[Exception]): The base of what the HTTP library of huggingface_hub raises, whether requests or httpx
    (the first base of `HfHubHTTPError`, 0.21). Without: OSError, which only requests' errors are."""
    from huggingface_hub.utils import HfHubHTTPError

    base = HfHubHTTPError.__mro__[1]
    return OSError if "http_error" in SWITCHED_OFF or not issubclass(base, Exception) else base


def wheel_builder() -> str:
    """RETURNS (str): Code that builds a wheel of the working folder into `sys.argv[1]`. Setuptools' hook for folders
    without a pyproject.toml (`build_meta.__legacy__`, setuptools 40.8) is what pip calls, and `setup.py` of such
    packages imports what lies beside it; without it, the hook for other folders with the folder on the path."""
    return (
        "import sys; from setuptools import build_meta as hooks; sys.path.insert(0, ''); "
        "getattr(hooks, '__legacy__', hooks).build_wheel(sys.argv[1])"
    )


def loaded_component(nlp: Any, name: str) -> dict[str, Any]:
    """Give what the config that a pipeline is being loaded with says of a component (`Language._config`, spaCy 3.0).

    Why: `nlp.config` shows what the component was made with. Whether a default value was chosen, as by
    `spacy.load(..., config=...)`, only the config itself tells. Without: the saved setting of a component wins over a
    default.

    nlp (Language): The pipeline.
    name (str): The component's name.
    RETURNS (dict[str, Any]): Its config, with all references resolved; {} if no config is being loaded, and without.
    """
    from thinc.api import ConfigValidationError

    config: Any = None if "loaded_config" in SWITCHED_OFF else getattr(nlp, "_config", None)
    found: dict[str, Any] = config.get("components", {}).get(name, {}) if config is not None else {}
    if not found or found.get("model") is nlp.get_pipe_config(name).get("model"):
        return {}  # `nlp.config` was asked for, and repeats what the component was made with
    with contextlib.suppress(ConfigValidationError, ValueError):  # a reference to what is not there stays as it is
        found = config.interpolate()["components"][name]
    return found


def optimizer_of(nlp: Any) -> Any:
    """RETURNS (Optimizer | None): The optimizer of a pipeline that is trained in a loop of one's own
    (`Language._optimizer`, spaCy 2.0), which `nlp.rehearse` hides from components. Without: None, and `rehearse` has to
    be called on the component itself."""
    return None if "pipeline_optimizer" in SWITCHED_OFF else getattr(nlp, "_optimizer", None)


def exchange(one: Path, other: Path) -> bool:
    """Let two folders exchange their places in one step (`renameat2` of Linux 3.15, in glibc 2.28).

    Why: a folder that replaces another is there, whole, at any moment, also if the process dies.
    Without: two renames, and the old one is found again by `runtime/workplace.py: sweep`.

    one (Path): A folder.
    other (Path): Another one, on the same file system.
    RETURNS (bool): Whether the system can; if not, nothing has happened.
    RAISES (OSError): If it can, and these two cannot be renamed.
    """
    rename = None if "exchange" in SWITCHED_OFF else _renameat2()
    if rename is None:
        return False
    here, swap = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    if not rename(here, os.fsencode(one), here, os.fsencode(other), swap):
        return True
    number = ctypes.get_errno()
    if number in {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}:
        return False
    raise OSError(number, os.strerror(number), str(one), None, str(other))


@functools.cache
def _renameat2() -> Any:
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
