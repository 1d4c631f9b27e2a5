"""The optimizer `spacy-tokclf.AdamW.v1`: AdamW with global clipping, the same over torch modules and thinc layers."""

import math
import re
import warnings
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast
from weakref import WeakKeyDictionary

from thinc.api import Model, Optimizer
from thinc.backends import get_array_ops
from thinc.types import FloatsXd, Generator

from .. import compat
from ..errors import Errors, Warnings
from ..models.casing import CASING_WEIGHT
from ..models.gradients import torch_gradients
from ..models.optimizer_contract import RATE_FACTOR
from ..runtime.arrays import tensor_from_host
from ..runtime.device import device_of
from ..runtime.threads import count_threads, run_parallel
from ..types import Floats32

if TYPE_CHECKING:
    import torch
    from torch import nn

KeyT = tuple[int, str]
#: A sum of squares, in float64: a number of numpy's or CuPy's, or a tensor on any device. Shape: ().
Square = Any
T = TypeVar("T", bound="torch.Tensor")
RateT = float | list[float] | Generator

LAYER = re.compile(r"(?:^|\.)(?:layer|layers|h|block|blocks)\.(\d+)\.")


class AdamW(Optimizer):
    """AdamW (Loshchilov and Hutter, 2019) for pipelines that hold torch modules as well as thinc layers: a
    `TwoPhaseOptimizer`.

    A step has two phases. `prepare` sees all gradients of the models that learn together, divides them by the number of
    tokens whose loss they sum, and clips them by their global norm; then each parameter is stepped as thinc's
    `Model.finish_update` comes to it. A module is stepped by a fused `torch.optim.AdamW` that this optimizer owns, so
    its state ends with the optimizer. Where there is no gradient, there is neither step nor decay.

    In `prepare` a GPU is waited for: parameters of thinc layers are stepped on the host, which needs to know by what
    gradients are multiplied. `step_module` does not wait.

    last_norm (float): The norm of all gradients of the last step, before they were clipped.
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
        self._scales: dict[KeyT, float] = {}
        self._rate_factors: dict[KeyT, float] = {}
        self._waiting: set[int] = set()
        self._torch_optimizers: WeakKeyDictionary[nn.Module, list[torch.optim.AdamW]] = WeakKeyDictionary()
        self._steps = 0
        self._idle = 0

    def step_schedules(self) -> None:
        """Go to the rates of the next step, and warn if those of the last two were 0."""
        self._steps += 1
        self._idle = 0 if self.learn_rate else self._idle + 1
        if self._idle == 2:
            warnings.warn(Warnings.TW001.format(step=self._steps), stacklevel=2)
        super().step_schedules()

    def prepare(self, models: Sequence[Model], n_tokens: int) -> bool:
        """Work out, for all parameters of some models, by what their gradients are multiplied in this step.

        The first model is stepped next. The others wait: their own call of `prepare`, later in the same step, finds
        them prepared.

        models (Sequence[Model]): The models that learn together.
        n_tokens (int): Tokens whose loss the gradients sum, at least 1.
        RETURNS (bool): Whether the step is refused, since the norm is not finite.
        RAISES (ValueError): TC471, if the learning rate is not a finite number.
        """
        if models[0].id in self._waiting:
            self._waiting.discard(models[0].id)
            return False
        self._waiting = set()
        if not math.isfinite(self.learn_rate):
            raise ValueError(Errors.TC471.format(rate=self.learn_rate))
        keys: list[KeyT] = []
        squares: list[Square] = []
        for model in models:
            for node in model.walk():
                for key, square in _squares(node):
                    keys.append(key)
                    squares.append(square)
                    if RATE_FACTOR in node.attrs:
                        self._rate_factors[key] = node.attrs[RATE_FACTOR]
        norm = math.sqrt(_sum(squares)) / n_tokens
        self.last_norm = norm
        if not math.isfinite(norm):
            return True
        self._waiting = {model.id for model in models[1:]}
        self._scales.update(dict.fromkeys(keys, self._clip(norm) / n_tokens))
        return False

    def __call__(
        self, key: KeyT, weights: FloatsXd, gradient: FloatsXd, *, lr_scale: float = 1.0
    ) -> tuple[FloatsXd, FloatsXd]:
        """Step one parameter of a thinc layer.

        key (tuple[int, str]): The layer's id and the parameter's name.
        weights (FloatsXd): Its values, changed in place.
        gradient (FloatsXd): Its gradient, set to zero.
        lr_scale (float): Multiplies the learning rate.
        RETURNS (tuple[FloatsXd, FloatsXd]): The two arrays.
        RAISES (ValueError): TC472, if the gradient is not finite, and was not seen by `prepare`.
        """
        # numpy's or CuPy's arrays of one shape: the types of thinc have neither in-place products nor slices of any.
        values, grad = cast(Floats32, weights), cast(Floats32, gradient)
        scale = self._scales.pop(key, None)
        if scale is None:
            scale = self._clip_alone(math.sqrt(float((grad.astype("float64") ** 2).sum())))
        if scale and grad.size:
            grad *= scale
            rate = self.learn_rate * self.head_multiplier * lr_scale * self._rate_factors.get(key, 1.0)
            self._step_array(key, values, grad, rate=rate)
        grad[...] = 0.0
        return weights, gradient

    def _step_array(self, key: KeyT, weights: Floats32, gradient: Floats32, *, rate: float) -> None:
        """Step one array with its scaled gradient, both of any one shape, and average it."""
        ops = get_array_ops(weights)
        if key not in self.mom1 or self.mom1[key].shape != weights.shape:
            self.mom1[key] = ops.alloc(weights.shape)
            self.mom2[key] = ops.alloc(weights.shape)
        mom1, mom2 = cast(Floats32, self.mom1[key]), cast(Floats32, self.mom2[key])
        self.nr_update[key] += 1
        step = self.nr_update[key]
        if weights.ndim > 1:  # matrices decay, biases do not
            weights *= 1.0 - rate * self.L2
        mom1 += (1.0 - self.b1) * (gradient - mom1)
        mom2 += (1.0 - self.b2) * (gradient * gradient - mom2)
        denominator = (mom2 / (1.0 - self.b2**step)) ** 0.5 + self.eps
        weights -= (rate / (1.0 - self.b1**step)) * mom1 / denominator
        if self.averages is not None:
            if key not in self.averages or self.averages[key].shape != weights.shape:
                self.averages[key] = cast(Any, weights.copy())
            average = cast(Floats32, self.averages[key])
            average += (1.0 - self._decay(step)) * (weights - average)

    def step_module(self, shim_id: int, module: "nn.Module") -> None:
        """Step all parameters of a torch module, and drop its gradients.

        shim_id (int): The id of the shim that holds the module.
        module (nn.Module): The module.
        RAISES (ValueError): TC472, if gradients are not finite, and were not seen by `prepare`.
        """
        import torch

        scale = self._scales.pop((shim_id, ""), None)
        params = compat.named_parameters(module)
        if scale is None:
            grads = [param.grad for _, param in params if param.grad is not None]
            scale = self._clip_alone(math.sqrt(_sum([_square_norm(grads)])) if grads else 0.0)
        if scale:
            halves = self._torch_optimizers.get(module)
            if halves is None:
                halves = self._torch_optimizers[module] = self._make_torch_adamws(module)
            device = device_of(module)
            for half in halves:
                for group in half.param_groups:
                    group["lr"] = self.learn_rate * group["multiplier"]
            divisor = torch.full((), 1.0 / scale, device=device)
            run_parallel([partial(compat.step_scaled, half, divisor) for half in halves], device)
            if self.averages is not None:
                self._average(self.averages, shim_id, params)
        for _, param in params:
            param.grad = None

    def module_state(self, module: "nn.Module") -> "dict[str, torch.Tensor]":
        """Give what is remembered of a module's parameters.

        module (nn.Module): The module.
        RETURNS (dict[str, torch.Tensor]): Moments and counts of steps, by "parameter/kind"; empty before a step.
        """
        names: dict[torch.Tensor, str] = {param: name for name, param in module.named_parameters()}
        return {
            f"{names[param]}/{kind}": value
            for half in self._torch_optimizers.get(module, [])
            for param, state in half.state.items()
            for kind, value in state.items()
        }

    def set_module_state(self, module: "nn.Module", state: "dict[str, torch.Tensor]") -> None:
        """Remember what `module_state` gave.

        module (nn.Module): The module, with parameters of the same names.
        state (dict[str, torch.Tensor]): Values by "parameter/kind", in the memory of the CPU.
        """
        params = dict(module.named_parameters())
        halves = self._torch_optimizers[module] = self._make_torch_adamws(module)
        owners = {param: half for half in halves for group in half.param_groups for param in group["params"]}
        for key, value in state.items():
            name, _, kind = key.rpartition("/")
            param = params[name]
            owners[param].state[param][kind] = tensor_from_host(value, param)

    def _clip(self, norm: float) -> float:
        """Give what gradients of a norm are multiplied by: 0 without a gradient, and with one that is not finite, so
        that nothing is stepped."""
        if not norm or not math.isfinite(norm):
            return 0.0
        return min(1.0, self.grad_clip / (norm + 1e-6)) if self.grad_clip else 1.0

    def _clip_alone(self, norm: float) -> float:
        """Do as `_clip` does with gradients that no component has prepared. RAISES (ValueError): TC472."""
        if not math.isfinite(norm):
            raise ValueError(Errors.TC472.format(norm=norm))
        return self._clip(norm)

    def _decay(self, step: int) -> float:
        """Give the decay of averaged weights at a step, counted from 1: short at first, as in spaCy."""
        return min((1.0 + step) / (10.0 + step), self.average_decay)

    def _make_torch_adamws(self, module: "nn.Module") -> "list[torch.optim.AdamW]":
        """Make torch's optimizers of a module: two for its two halves on a CPU, else one. In each a group of parameters
        for every pair of rate and decay."""
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
                decays = param.ndim > 1 and "bias" not in name  # as in the Trainer: tables of biases do not, either
                groups.setdefault((multiplier, self.L2 if decays else 0.0), []).append(param)
            kinds = [
                {"params": params, "weight_decay": decay, "multiplier": multiplier}
                for (multiplier, decay), params in groups.items()
            ]
            betas = (self.b1, self.b2)
            halves.append(torch.optim.AdamW(kinds, lr=self.learn_rate, betas=betas, eps=self.eps, fused=True))
        return halves

    def _average(self, averages: dict[KeyT, Any], shim_id: int, params: "list[tuple[str, nn.Parameter]]") -> None:
        """Move the averages of a module's weights towards them: tensors, kept under the shim's id and their names."""
        own = {(shim_id, name): param.data for name, param in params if param.requires_grad}
        self.nr_update[(shim_id, "")] += 1
        averages.update({key: value.clone() for key, value in own.items() if key not in averages})
        weight = 1.0 - self._decay(self.nr_update[(shim_id, "")])
        keys = {value: key for key, value in own.items()}
        halves = [([averages[keys[value]] for value in half], half) for half in _halves(list(keys))]
        run_parallel([partial(compat.lerp_all, kept, values, weight) for kept, values in halves], params[0][1].device)


def layer_of(name: str) -> int:
    """Tell how deep in an encoder a parameter lies.

    name (str): The parameter's name in the module.
    RETURNS (int): 0 for embeddings and what all layers share, 1 for the first layer, and so on.
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
    weight_decay (float): Decoupled decay; biases, those in tables too, and layer norms have none.
    max_grad_norm (float): Global norm that gradients are clipped to, 0 for none.
    head_multiplier (float): Multiplies the learning rate of everything that is not an encoder. A layer with an
        attribute `learn_rate_factor`, such as the transitions of a conditional random field, multiplies it once more.
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


def _squares(node: Model) -> Iterator[tuple[KeyT, Square]]:
    """Yield the key of each gradient of a layer with the sum of its squares: one for all parameters of a torch module,
    and one for each parameter of thinc's."""
    for shim_id, grads in torch_gradients(node):
        yield (shim_id, ""), _square_norm(grads)
    for name in node.param_names:
        if node.has_grad(name):
            # float64, since a sum over a large matrix in float32 loses digits
            yield (node.id, name), (cast(Floats32, node.get_grad(name)).astype("float64") ** 2).sum()


def _square_norm(grads: "list[torch.Tensor]") -> "torch.Tensor":
    """Sum the squares of gradients of any shapes, on their device: float64, shape ()."""
    import torch

    norms = run_parallel([partial(compat.norms, half) for half in _halves(grads)], grads[0].device)
    # Shape: (n_parameters,). Squares of float32 norms are added up in float64.
    return torch.stack([norm for half in norms for norm in half]).double().square().sum()


def _sum(squares: "Sequence[Square]") -> float:
    """Add up squares on the host, one after another, once devices have been given all their work."""
    total = 0.0
    for square in squares:
        total += float(square)
    return total


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
