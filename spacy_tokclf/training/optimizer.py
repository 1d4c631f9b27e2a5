"""The optimizer `spacy-tokclf.AdamW.v1`: AdamW with global clipping, the same over torch modules and thinc layers."""

import re
import warnings
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from thinc.api import Model, Optimizer
from thinc.backends import get_array_ops
from thinc.types import FloatsXd, Generator

from .. import compat
from ..errors import Errors, Warnings
from ..models.casing import CASING_WEIGHT
from ..models.transitions import FASTER, TRANSITIONS
from ..runtime.device import device_of
from ..runtime.threads import count_threads, run_parallel

if TYPE_CHECKING:
    import torch
    from torch import nn

KeyT = tuple[int, str]
T = TypeVar("T", bound="torch.Tensor")
RateT = float | list[float] | Generator

LAYER = re.compile(r"(?:^|\.)(?:layer|layers|h|block|blocks)\.(\d+)\.")


class AdamW(Optimizer):
    """AdamW (Loshchilov and Hutter, 2019) for pipelines that hold torch modules as well as thinc layers.

    A step has two phases. `prepare` sees all gradients of the models that learn together, divides them by the number of
    tokens whose loss they sum, and clips them by their global norm; then each parameter is stepped as thinc's
    `Model.finish_update` comes to it. A module is stepped by a fused `torch.optim.AdamW` that this optimizer owns, so
    its state ends with the optimizer. Where there is no gradient, there is neither step nor decay.
    """

    def __init__(
        self,
        learn_rate: RateT,
        *,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        max_grad_norm: float,
        head_multiplier: float,
        layer_decay: float,
        use_averages: bool,
        average_decay: float,
    ) -> None:
        super().__init__(
            learn_rate,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            L2=weight_decay,
            L2_is_weight_decay=True,
            grad_clip=max_grad_norm,
            use_averages=use_averages,
        )
        self.head_multiplier = head_multiplier
        self.average_decay = average_decay
        self.layer_decay = layer_decay
        self.last_norm = 0.0
        self._scale: dict[KeyT, float] = {}
        self._waiting: set[int] = set()
        self._modules: WeakKeyDictionary[nn.Module, list[torch.optim.AdamW]] = WeakKeyDictionary()
        self._steps = 0
        self._idle = 0

    def step_schedules(self) -> None:
        """Go to the rates of the next step, and warn if those of the last two were 0."""
        self._steps += 1
        self._idle = 0 if self.learn_rate else self._idle + 1
        if self._idle == 2:
            warnings.warn(Warnings.TW001.format(step=self._steps), stacklevel=2)
        super().step_schedules()

    def prepare(self, models: Sequence[Model], n_tokens: int) -> None:
        """Work out, for all parameters of some models, by what their gradients are multiplied in this step.

        The first model is stepped next. The others wait: their own call of `prepare`, later in the same step, finds
        them prepared.

        models (Sequence[Model]): The models that learn together.
        n_tokens (int): Tokens whose loss the gradients sum.
        """
        if models[0].id in self._waiting:
            self._waiting.discard(models[0].id)
            return
        self._waiting = {model.id for model in models[1:]}
        keys: list[KeyT] = []
        square = 0.0
        for model in models:
            for node in model.walk():
                for shim in node.shims:
                    grads = _module_grads(shim)
                    if grads:
                        keys.append((shim.id, ""))
                        square += _square_norm(grads)
                for name in node.param_names:
                    if node.has_grad(name):
                        grad = node.get_grad(name)
                        keys.append((node.id, name))
                        square += float((grad.astype("float64") ** 2).sum())
        norm = np.sqrt(square) / n_tokens
        self.last_norm = float(norm)
        self._scale.update(dict.fromkeys(keys, float(self._clip(norm) / n_tokens)))

    def __call__(
        self, key: KeyT, weights: FloatsXd, gradient: FloatsXd, *, lr_scale: float = 1.0
    ) -> tuple[FloatsXd, FloatsXd]:
        """Step one parameter of a thinc layer.

        key (tuple[int, str]): The layer's id and the parameter's name.
        weights (FloatsXd): Its values, changed in place.
        gradient (FloatsXd): Its gradient, set to zero.
        lr_scale (float): Multiplies the learning rate.
        RETURNS (tuple[FloatsXd, FloatsXd]): The two arrays.
        """
        scale = self._scale.pop(key, None)
        if scale is None:
            norm = float(np.sqrt((gradient.astype("float64") ** 2).sum()))
            scale = self._clip(norm)
        if not scale or not gradient.size:
            gradient[...] = 0.0
            return weights, gradient
        gradient *= scale
        ops = get_array_ops(weights)
        if key not in self.mom1 or self.mom1[key].shape != weights.shape:
            self.mom1[key] = ops.alloc(weights.shape)
            self.mom2[key] = ops.alloc(weights.shape)
        self.nr_update[key] += 1
        rate = self.learn_rate * self.head_multiplier * lr_scale * (FASTER if key[1] == TRANSITIONS else 1.0)
        if weights.ndim > 1:
            weights *= 1.0 - rate * self.L2
        _adam(self.mom1[key], self.mom2[key], weights, gradient, self, rate, self.nr_update[key])
        if self.averages is not None:
            if key not in self.averages or self.averages[key].shape != weights.shape:
                self.averages[key] = weights.copy()
            average = self.averages[key]
            average += (1.0 - self._decay(self.nr_update[key])) * (weights - average)
        gradient[...] = 0.0
        return weights, gradient

    def step_module(self, shim_id: int, module: "nn.Module") -> None:
        """Step all parameters of a torch module, and drop its gradients.

        shim_id (int): The id of the shim that holds the module.
        module (nn.Module): The module.
        """
        import torch

        scale = self._scale.pop((shim_id, ""), None)
        if scale is None:
            grads = [param.grad for param in module.parameters() if param.grad is not None]
            norm = _square_norm(grads) ** 0.5 if grads else 0.0
            scale = self._clip(norm)
        if scale:
            halves = self._modules.get(module)
            if halves is None:
                halves = self._modules[module] = self._make_torch_adamws(module)
            device = device_of(module)
            for half in halves:
                for group in half.param_groups:
                    group["lr"] = self.learn_rate * group["multiplier"]
            divisor = torch.tensor(1.0 / scale, device=device)
            run_parallel([partial(compat.step_scaled, half, divisor) for half in halves], device)
            if self.averages is not None:
                self._average(self.averages, shim_id, module)
        for param in module.parameters():
            param.grad = None

    def _clip(self, norm: float) -> float:
        """Give what gradients of a norm are multiplied by: 0 without a gradient, so that nothing is stepped."""
        if not norm:
            return 0.0
        return min(1.0, self.grad_clip / (norm + 1e-6)) if self.grad_clip else 1.0

    def _decay(self, step: int) -> float:
        """Give the decay of averaged weights at a step, counted from 1: short at first, as in spaCy."""
        return min((1.0 + step) / (10.0 + step), self.average_decay)

    def _make_torch_adamws(self, module: "nn.Module") -> "list[torch.optim.AdamW]":
        import torch

        depth = 1 + max((layer_of(name) for name, _ in module.named_parameters()), default=0)
        names = {param: name for name, param in module.named_parameters() if param.requires_grad}
        halves = []
        for half in _halves(list(names)):
            groups: dict[tuple[float, float], list[nn.Parameter]] = {}
            for param in half:
                name = names[param]
                multiplier = (
                    self.head_multiplier if name == CASING_WEIGHT else self.layer_decay ** (depth - layer_of(name))
                )
                groups.setdefault((multiplier, 0.0 if param.ndim < 2 else self.L2), []).append(param)
            kinds = [
                {"params": params, "weight_decay": decay, "multiplier": multiplier}
                for (multiplier, decay), params in groups.items()
            ]
            rates = {"lr": self.learn_rate, "betas": (self.b1, self.b2), "eps": self.eps}
            halves.append(torch.optim.AdamW(kinds, fused=True, **rates))
        return halves

    def _average(self, averages: dict[KeyT, Any], shim_id: int, module: "nn.Module") -> None:

        own = {(shim_id, name): param.data for name, param in module.named_parameters() if param.requires_grad}
        self.nr_update[(shim_id, "")] += 1
        averages.update({key: value.clone() for key, value in own.items() if key not in averages})
        weight = 1.0 - self._decay(self.nr_update[(shim_id, "")])
        keys = {value: key for key, value in own.items()}
        halves = [([averages[keys[value]] for value in half], half) for half in _halves(list(keys))]
        run_parallel([partial(compat.lerp_all, kept, values, weight) for kept, values in halves], device_of(module))


def layer_of(name: str) -> int:
    """Tell how deep in an encoder a parameter lies.

    name (str): The parameter's name in the module.
    RETURNS (int): 0 for embeddings, 1 for the first layer, and so on.
    """
    found = LAYER.search(name)
    return int(found.group(1)) + 1 if found else 0


def make_adamw_v1(
    learn_rate: RateT = 5e-5,
    *,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.01,
    max_grad_norm: float = 1.0,
    head_multiplier: float = 1.0,
    layer_decay: float = 1.0,
    use_averages: bool = False,
    average_decay: float = 0.9999,
) -> Optimizer:
    """Create an `AdamW` optimizer. With `warmup_linear.v1` as its schedule it follows the Hugging Face Trainer.

    learn_rate (float | list[float] | Generator): Learning rate, or a schedule of one.
    beta1 (float): Decay of the first moment.
    beta2 (float): Decay of the second moment.
    eps (float): Added to the denominator.
    weight_decay (float): Decoupled decay; biases and layer norms have none.
    max_grad_norm (float): Global norm that gradients are clipped to, 0 for none.
    head_multiplier (float): Multiplies the learning rate of everything that is not an encoder. The transitions of a
        conditional random field learn another ten times faster.
    layer_decay (float): Multiplies the learning rate once for each layer below the top of an encoder.
    use_averages (bool): Whether to keep a moving average of the weights, for evaluation and saving.
    average_decay (float): What the average keeps of itself at each step, in the long run.
    RETURNS (Optimizer): The optimizer.
    RAISES (ValueError): TC031, for a value out of range.
    """
    limits = {
        "weight_decay": weight_decay,
        "max_grad_norm": max_grad_norm,
        "head_multiplier": head_multiplier,
    }
    for name, value in limits.items():
        if value < 0:
            raise ValueError(Errors.TC031.format(name=name, value=value, expected="0 or more"))
    if not 0 < layer_decay <= 1:
        raise ValueError(Errors.TC031.format(name="layer_decay", value=layer_decay, expected="above 0, up to 1"))
    if not 0 <= average_decay < 1:
        raise ValueError(Errors.TC031.format(name="average_decay", value=average_decay, expected="0 or more, below 1"))
    return AdamW(
        learn_rate,
        beta1=beta1,
        beta2=beta2,
        eps=eps,
        weight_decay=weight_decay,
        max_grad_norm=max_grad_norm,
        head_multiplier=head_multiplier,
        layer_decay=layer_decay,
        use_averages=use_averages,
        average_decay=average_decay,
    )


def _adam(
    mom1: FloatsXd,
    mom2: FloatsXd,
    weights: FloatsXd,
    gradient: FloatsXd,
    opt: Optimizer,
    rate: float,
    step: int,
) -> None:
    mom1 += (1.0 - opt.b1) * (gradient - mom1)
    mom2 += (1.0 - opt.b2) * (gradient * gradient - mom2)
    denominator = (mom2 / (1.0 - opt.b2**step)) ** 0.5 + opt.eps
    weights -= (rate / (1.0 - opt.b1**step)) * mom1 / denominator


def _module_grads(shim: Any) -> list["torch.Tensor"]:
    module = getattr(shim, "_model", None)
    if not hasattr(module, "parameters"):
        return []
    return [param.grad for param in module.parameters() if param.grad is not None]


def _square_norm(grads: list["torch.Tensor"]) -> float:
    import torch

    norms = run_parallel([partial(compat.norms, half) for half in _halves(grads)], grads[0].device)
    return float(torch.stack([norm for half in norms for norm in half]).double().square().sum())


def _halves(tensors: "list[T]") -> "list[list[T]]":
    """Split tensors into two lists with about as many numbers, to be worked on together; on a GPU there is one list."""
    if count_threads(tensors[0].device) == 1 or len(tensors) == 1:
        return [tensors]
    halves: list[list[T]] = [[], []]
    sizes = [0, 0]
    for tensor in sorted(tensors, key=lambda each: -each.numel()):
        i = sizes.index(min(sizes))
        halves[i].append(tensor)
        sizes[i] += tensor.numel()
    return halves
