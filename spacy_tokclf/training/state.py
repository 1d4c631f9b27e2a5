"""What a training has learned so far, as tensors and numbers: weights, gradients that wait, and the optimizer's memory,
by places that are the same in every process."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from spacy.language import Language
from thinc.api import Optimizer, get_current_ops

from ..errors import Errors
from ..models.optimizer_contract import TwoPhaseOptimizer
from ..models.shim import EncoderShim
from ..runtime.arrays import any_bit_set, array_from_host, checksum, host_copy, is_finite, tensor_from_host
from ..runtime.group import Group
from .optimizer import AdamW
from .places import (
    DROPOUT,
    KeyT,
    PlaceT,
    ThincPlace,
    TorchPlace,
    find_dropouts,
    find_places,
    keys_of,
    unknown_parts,
)

if TYPE_CHECKING:
    import torch

#: Numbers of an optimizer that may have schedules.
RATES = ("learn_rate", "grad_clip", "b1", "b2", "eps", "L2")
#: What an optimizer keeps for each parameter.
MEMORY = ("mom1", "mom2", "averages")


class Learned(NamedTuple):
    """What was learned.

    tensors (dict[str, torch.Tensor]): In the memory of the CPU, by kind, place and name: "weights/ner/3:W".
    numbers (dict[str, Any]): The rest, for JSON.
    """

    tensors: "dict[str, torch.Tensor]"
    numbers: dict[str, Any]


def cannot_be_kept(nlp: Language, optimizer: Optimizer) -> str:
    """Say why the state of a training cannot be kept.

    nlp (Language): The pipeline.
    optimizer (Optimizer): The optimizer.
    RETURNS (str): Why; empty if it can.
    """
    if type(optimizer) not in (Optimizer, AdamW):
        return f"the optimizer {type(optimizer).__name__} may hold something that is not known"
    if optimizer.use_radam and {"b1", "b2"} & optimizer.schedules.keys():
        return "RAdam keeps what it computed with earlier values of beta1 and beta2"
    return unknown_parts(nlp)


def check_finite(nlp: Language, optimizer: Optimizer, step: int) -> None:
    """Refuse what was learned if it is no numbers: parameters, and what the optimizer remembers of each.

    nlp (Language): The pipeline.
    optimizer (Optimizer): Its optimizer.
    step (int): The step, for the message.
    RAISES (ValueError): TC456.
    """
    places = find_places(nlp)
    for name, values in _learned_numbers(places, optimizer):
        if not is_finite(values):
            raise ValueError(Errors.TC456.format(step=step, place=name))


def _learned_numbers(places: list[PlaceT], optimizer: Optimizer) -> Iterator[tuple[str, Any]]:
    """Yield arrays and tensors with their names. Buffers of modules are none: a mask may be infinite."""
    for place in places:
        own = _weights(place) if isinstance(place, ThincPlace) else dict(place.module.named_parameters())
        yield from ((f"{place.name}:{name}", value) for name, value in own.items())
        if isinstance(place, TorchPlace) and isinstance(optimizer, AdamW):
            state = optimizer.module_state(place.module)
            yield from ((f"{place.name}:{name} of the optimizer", value) for name, value in state.items())
    keys = keys_of(places)
    for kind in MEMORY:
        for key, value in (getattr(optimizer, kind) or {}).items():
            yield f"{keys.get(key, key[1])} in {kind} of the optimizer", value


def check_same_weights(nlp: Language, group: Group, *, after: str) -> None:
    """Refuse to go on if the processes of a training do not have the same weights, by checksums.

    nlp (Language): The pipeline.
    group (Group): The processes.
    after (str): When, for the message.
    RAISES (ValueError): TC544.
    RAISES (ConnectionError): TC542, if a process is gone.
    """
    if group.is_alone:
        return
    sums = {
        f"{place.name}:{name}": checksum(value) for place in find_places(nlp) for name, value in _weights(place).items()
    }
    told = [json.loads(each) for each in group.collect(json.dumps(sums).encode("ascii"))]
    for rank, theirs in enumerate(told):
        differing = sorted(name for name in told[0].keys() | theirs.keys() if told[0].get(name) != theirs.get(name))
        if differing:
            raise ValueError(Errors.TC544.format(after=after, rank=rank, count=len(differing), place=differing[0]))


def take_learned(nlp: Language, optimizer: Optimizer) -> Learned:
    """Take what was learned so far, at the end of a step.

    nlp (Language): The pipeline.
    optimizer (Optimizer): Its optimizer, one that `cannot_be_kept` has nothing against.
    RETURNS (Learned): Copies, or on a CPU what the pipeline itself has: to be written before the next step.
    RAISES (ValueError): TC457, if the optimizer remembers something that is not in the pipeline.
    """
    places = find_places(nlp)
    keys = keys_of(places)
    tensors: dict[str, torch.Tensor] = {}
    waiting: list[str] = []
    for place in places:
        tensors |= {f"weights/{place.name}:{name}": host_copy(value) for name, value in _weights(place).items()}
        for name, gradient in _gradients(place).items():
            waiting.append(f"{place.name}:{name}")
            if any_bit_set(gradient):
                tensors[f"gradients/{place.name}:{name}"] = host_copy(gradient)
        if isinstance(place, TorchPlace) and isinstance(optimizer, AdamW):
            for name, value in optimizer.module_state(place.module).items():
                tensors[f"adamw/{place.name}:{name}"] = host_copy(value)
    for kind in MEMORY:
        for key, value in (getattr(optimizer, kind) or {}).items():
            tensors[f"{kind}/{_place_of(key, keys)}"] = host_copy(value)
    numbers = {
        "optimizer": type(optimizer).__name__,
        "rates": {name: float(getattr(optimizer, name)) for name in RATES},
        "updates": {_place_of(key, keys): int(count) for key, count in optimizer.nr_update.items()},
        "waiting": waiting,
        "dropouts": {name: float(node.attrs[DROPOUT]) for name, node in find_dropouts(nlp).items()},
    }
    return Learned(tensors, numbers)


def put_learned(nlp: Language, optimizer: Optimizer, learned: Learned) -> None:
    """Put in what was learned, in another process.

    nlp (Language): A pipeline that was initialized in the same way.
    optimizer (Optimizer): Its optimizer, its schedules advanced to the same step.
    learned (Learned): What `take_learned` gave.
    RAISES (ValueError): TC457, if it does not fit; nothing was changed then.
    """
    places = find_places(nlp)
    _check_fit(places, learned)
    tensors, numbers = learned
    by_place = {place: key for key, place in keys_of(places).items()}
    for place in places:
        _put_weights(place, _below(tensors, f"weights/{place.name}:"))
        gradients = _below(tensors, f"gradients/{place.name}:")
        prefix = f"{place.name}:"
        for name in (each.removeprefix(prefix) for each in numbers["waiting"] if each.startswith(prefix)):
            _put_gradient(place, name, gradients.get(name))
        state = _below(tensors, f"adamw/{place.name}:")
        if isinstance(place, TorchPlace) and isinstance(optimizer, AdamW) and state:
            optimizer.set_module_state(place.module, state)
    owners = {key: place for place in places for key in keys_of([place])}
    for kind in MEMORY:
        memory = getattr(optimizer, kind)
        for name, value in _below(tensors, f"{kind}/").items():
            key = by_place[name]
            memory[key] = _memory_value(owners[key], key[1], value, optimizer)
    optimizer.nr_update.update({by_place[name]: count for name, count in numbers["updates"].items()})
    for name, node in find_dropouts(nlp).items():
        node.attrs[DROPOUT] = numbers["dropouts"][name]


def _weights(place: PlaceT) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): The arrays or tensors of a place, buffers of a module included, tied ones once."""
    if isinstance(place, ThincPlace):
        node = place.node
        return {name: node.get_param(name) for name in node.param_names if node.has_param(name)}
    found, seen = {}, set()
    for name, tensor in place.module.state_dict().items():
        if tensor.data_ptr() not in seen or not tensor.numel():
            seen.add(tensor.data_ptr())
            found[name] = tensor
    return found


def _gradients(place: PlaceT) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): Gradients that are there after a step. Most are zeros, and still let thinc's optimizers
    take a step by what they remember."""
    if isinstance(place, ThincPlace):
        node = place.node
        return {name: node.get_grad(name) for name in node.param_names if node.has_grad(name)}
    return {name: param.grad for name, param in place.module.named_parameters() if param.grad is not None}


def _place_of(key: KeyT, keys: dict[KeyT, str]) -> str:
    if key not in keys:
        raise ValueError(Errors.TC457.format(detail=f"the optimizer remembers {key[1]!r} of a layer that is not there"))
    return keys[key]


def _below(tensors: "dict[str, torch.Tensor]", prefix: str) -> "dict[str, torch.Tensor]":
    """RETURNS (dict[str, torch.Tensor]): What is there under names with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _check_fit(places: list[PlaceT], learned: Learned) -> None:
    """Refuse what is of another pipeline. RAISES (ValueError): TC457."""
    own = {f"{place.name}:{name}": tuple(value.shape) for place in places for name, value in _weights(place).items()}
    given = {name: tuple(value.shape) for name, value in _below(learned.tensors, "weights/").items()}
    differing = sorted(name for name in own.keys() | given.keys() if own.get(name) != given.get(name))
    if differing:
        name = differing[0]
        detail = f"{name} has the shape {own.get(name)} in the pipeline, and {given.get(name)} there"
        raise ValueError(Errors.TC457.format(detail=detail))
    known = set(keys_of(places).values())
    named = {name for kind in MEMORY for name in _below(learned.tensors, f"{kind}/")} | set(learned.numbers["updates"])
    unknown = sorted(named - known)
    if unknown:
        raise ValueError(Errors.TC457.format(detail=f"there is no {unknown[0]} in the pipeline"))


def _put_weights(place: PlaceT, tensors: "dict[str, torch.Tensor]") -> None:
    if isinstance(place, ThincPlace):
        for name, value in tensors.items():
            place.node.set_param(name, array_from_host(value, place.node.ops))
        return
    place.module.load_state_dict(tensors, strict=False)
    if isinstance(place.shim, EncoderShim):
        place.shim.backend.forget_weights()


def _put_gradient(place: PlaceT, name: str, value: "torch.Tensor | None") -> None:
    """Set a gradient: zeros, where no other is given."""
    if isinstance(place, ThincPlace):
        node = place.node
        given = node.ops.xp.zeros_like(node.get_param(name)) if value is None else array_from_host(value, node.ops)
        node.set_grad(name, given)
        return
    param = place.module.get_parameter(name)
    param.grad = param.detach().clone().zero_() if value is None else tensor_from_host(value, param)


def _memory_value(place: PlaceT, name: str, value: "torch.Tensor", optimizer: Optimizer) -> Any:
    """Give what an optimizer remembers in the form in which it does: tensors of modules that it steps itself, beside
    them; of other modules arrays, and of thinc's layers those of their backend."""
    if isinstance(place, ThincPlace):
        return array_from_host(value, place.node.ops)
    if isinstance(place.shim, EncoderShim):
        if isinstance(optimizer, TwoPhaseOptimizer):
            return tensor_from_host(value, place.module.get_parameter(name))
        return array_from_host(value, None)
    return array_from_host(value, get_current_ops())
