"""One step of several processes: the gradients of their shares are added up, and what they counted, so that each takes
the step of the whole batch."""

import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from spacy.language import Language
from spacy.training import Example
from spacy.ty import TrainableComponent

from ..errors import Errors
from ..models.optimizer_contract import BackpropagatesLate, CountsTokens
from ..runtime.arrays import as_tensor_of
from ..runtime.group import Group, Pending
from ..runtime.shared_sum import SharedSum, share_memory
from .places import ThincPlace, TorchPlace, find_places, unknown_parts

if TYPE_CHECKING:
    import torch
    from torch import nn

#: Numbers in a bucket: what is added up at once. A bucket of float32 has 32 MiB.
BUCKET = 8 * 2**20
#: Components of spaCy's whose gradient is a sum over texts, so that shares add up to the batch. Those of others may be
#: means over the batch.
SUMMING = {
    "spacy.pipeline.tagger.Tagger",
    "spacy.pipeline.morphologizer.Morphologizer",
    "spacy.pipeline.senter.SentenceRecognizer",
    "spacy.pipeline.edit_tree_lemmatizer.EditTreeLemmatizer",
    "spacy.pipeline.textcat.TextCategorizer",
    "spacy.pipeline.textcat_multilabel.MultiLabel_TextCategorizer",
    "spacy.pipeline.spancat.SpanCategorizer",
    "spacy.pipeline.tok2vec.Tok2Vec",
}


class Slot(NamedTuple):
    """A parameter and where its gradient is.

    name (str): The place and the parameter: "ner/3:W".
    like (torch.Tensor): A tensor of its shape, kind and device.
    take (Callable[[], torch.Tensor | None]): Gives the gradient; None if there is none.
    put (Callable[[torch.Tensor | None], None]): Sets it.
    """

    name: str
    like: "torch.Tensor"
    take: "Callable[[], torch.Tensor | None]"
    put: "Callable[[torch.Tensor | None], None]"


def why_not_shared(nlp: Language, frozen: Sequence[str]) -> str:
    """Say why several processes cannot train a pipeline.

    nlp (Language): The pipeline.
    frozen (Sequence[str]): The components that are not trained.
    RETURNS (str): Why; empty if they can.
    """
    for name, pipe in nlp.pipeline:
        if name in frozen or not _learns(pipe) or isinstance(pipe, CountsTokens | BackpropagatesLate):
            continue
        kind = f"{type(pipe).__module__}.{type(pipe).__qualname__}"
        if kind not in SUMMING:
            return f"of the component {name!r} ({kind}) it is not known whether its gradient is a sum over texts"
    return unknown_parts(nlp)


def _learns(pipe: Any) -> bool:
    return isinstance(pipe, TrainableComponent) and pipe.is_trainable and pipe.model not in (True, False, None)


class StepSum:
    """Adds up the steps of several processes."""

    def __init__(self, nlp: Language, frozen: Sequence[str], group: Group) -> None:
        """Find the parameters of a pipeline.

        nlp (Language): The pipeline, initialized.
        frozen (Sequence[str]): The components that are not trained.
        group (Group): The processes.
        RAISES (ValueError): TC545, if a component cannot be trained so.
        """
        reason = why_not_shared(nlp, frozen)
        if reason:
            raise ValueError(Errors.TC545.format(reason=reason))
        self._group = group
        self._pipes = [(name, pipe) for name, pipe in nlp.pipeline if name not in frozen and _learns(pipe)]
        learning = {name for name, _ in self._pipes}
        self._slots = [slot for slot in find_slots(nlp) if slot.name.split("/")[0] in learning]
        self._early: EarlySum | None = None
        self._shared: SharedSum | None = None
        self._shares_memory = True  # until it is known that there is none

    def expect_last(self) -> None:
        """Note that gradients are complete after the backward pass that comes next: on a GPU their sum is made while
        that goes on."""
        if self._early is not None:
            self._backpropagate()  # what waits of the part before
            self._early.expect_last()

    def run(self, batch: Sequence[Example], losses: dict[str, float]) -> dict[str, float]:
        """Add up gradients, counts of tokens, and losses.

        batch (Sequence[Example]): The whole batch.
        losses (dict[str, float]): The losses of this process's share.
        RETURNS (dict[str, float]): Those of the batch: means over tokens for components that count them, else sums.
        RAISES (ValueError): TC546, if the processes do not have the same batch.
        RAISES (ConnectionError): TC542, if a process is gone.
        """
        self._backpropagate()
        early = set() if self._early is None else self._early.finish()
        present = self._sum_numbers(batch, losses)
        for slot, is_present in zip(self._slots, present, strict=True):
            if not is_present and slot.name in early:
                slot.put(None)  # of zeros alone, and of none
        waiting = [slot for slot, there in zip(self._slots, present, strict=True) if there and slot.name not in early]
        here = [slot for slot in waiting if _is_plain(slot)]
        shared = self._shared_for(sum(slot.like.numel() for slot in here))
        if shared is not None:
            for slot, gradient in zip(here, gradients(here), strict=True):
                if slot.take() is None:
                    slot.put(gradient)
            shared.run(gradients(here))
        for bucket in make_buckets(waiting if shared is None else [slot for slot in waiting if not _is_plain(slot)]):
            flat = flatten(bucket)
            self._group.sum(flat)
            unflatten(bucket, flat)
        if self._early is None:
            self._early = EarlySum([slot for slot in waiting if overlaps(slot)], self._group)
        return losses

    def _backpropagate(self) -> None:
        for _, pipe in self._pipes:
            if isinstance(pipe, BackpropagatesLate):
                pipe.backpropagate()

    def _shared_for(self, size: int) -> SharedSum | None:
        """Give memory for so many numbers, if processes can share any: every one asks with the same number."""
        if self._shares_memory and size > (0 if self._shared is None else self._shared.capacity):
            self._shared = share_memory(self._group, size)
            self._shares_memory = self._shared is not None
        return self._shared if size else None

    def _sum_numbers(self, batch: Sequence[Example], losses: dict[str, float]) -> list[bool]:
        """Add up counts and losses, in one small tensor. RETURNS (list[bool]): Which parameters have a gradient in any
        process."""
        import torch

        mark = 0
        for example in batch:
            mark = zlib.crc32(example.predicted.to_array(["ORTH", "SPACY"]).tobytes(), mark)
        counts = [int(pipe.n_learned) if isinstance(pipe, CountsTokens) else 1 for _, pipe in self._pipes]
        own = [losses.get(name, 0.0) * count for (name, _), count in zip(self._pipes, counts, strict=True)]
        there = [slot.take() is not None for slot in self._slots]
        numbers = torch.tensor([float(mark), *counts, *own, *there], dtype=torch.float64)
        self._group.sum(numbers)
        found = numbers.tolist()
        if found[0] != mark * self._group.size:
            raise ValueError(Errors.TC546.format(rank=self._group.rank))
        n_pipes = len(self._pipes)
        for (name, pipe), count, loss in zip(self._pipes, found[1:], found[1 + n_pipes :], strict=False):
            if isinstance(pipe, CountsTokens):
                pipe.n_learned = int(count)
                loss /= max(count, 1.0)
            losses[name] = loss
        return [number > 0 for number in found[1 + 2 * n_pipes :]]


class EarlySum:
    """Adds up gradients of torch modules while the backward pass goes on: a bucket of parameters as soon as all in it
    have theirs, in the same order in every process (Li et al., 2020, "PyTorch Distributed")."""

    def __init__(self, slots: Sequence[Slot], group: Group) -> None:
        """Watch parameters.

        slots (Sequence[Slot]): Parameters of torch modules, in the order of the forward pass.
        group (Group): The processes.
        """
        self._group = group
        self._buckets = list(make_buckets(list(reversed(slots))))
        self._names = {slot.name for slot in slots}
        self._is_last = False
        self._missing: list[set[int]] = []
        self._begun: list[tuple[torch.Tensor, Pending]] = []
        for number, bucket in enumerate(self._buckets):
            for slot in bucket:
                param: Any = slot.like
                param.register_post_accumulate_grad_hook(lambda param, number=number: self._note(param, number))

    def expect_last(self) -> None:
        """Note that the next gradient of each parameter is its last in this step."""
        self._is_last = True
        self._missing = [{id(slot.like) for slot in bucket} for bucket in self._buckets]
        self._begun = []

    def finish(self) -> set[str]:
        """Begin what is left, and wait for all of it.

        RETURNS (set[str]): The names of the parameters whose gradients are added up.
        RAISES (ConnectionError): TC542, if a process is gone.
        """
        if not self._is_last:
            self.expect_last()
        self._is_last = False
        while len(self._begun) < len(self._buckets):
            self._begin()
        for bucket, (flat, pending) in zip(self._buckets, self._begun, strict=True):
            pending.wait()
            unflatten(bucket, flat)
        self._begun = []
        return self._names

    def _note(self, param: "nn.Parameter", number: int) -> None:
        """Note a gradient. RAISES (ValueError): TC547, if the sum of its bucket has begun without it."""
        if not self._is_last:
            return
        if number < len(self._begun):
            raise ValueError(Errors.TC547)
        self._missing[number].discard(id(param))
        while len(self._begun) < len(self._buckets) and not self._missing[len(self._begun)]:
            self._begin()

    def _begin(self) -> None:
        flat = flatten(self._buckets[len(self._begun)])
        self._begun.append((flat, self._group.start_sum(flat)))


def overlaps(slot: Slot) -> bool:
    """RETURNS (bool): Whether a gradient can be added up while the backward pass goes on: that of a torch module, on a
    GPU; on a CPU both would be done by the same cores."""
    return slot.like.device.type == "cuda" and slot.like.requires_grad


def find_slots(nlp: Language) -> list[Slot]:
    """Find the parameters of a pipeline, each once.

    nlp (Language): The pipeline.
    RETURNS (list[Slot]): The parameters, in the same order in every process.
    """
    found: list[Slot] = []
    for place in find_places(nlp):
        found.extend(_thinc_slots(place) if isinstance(place, ThincPlace) else _torch_slots(place))
    return found


def _thinc_slots(place: ThincPlace) -> Iterator[Slot]:
    node = place.node

    def take(name: str) -> "torch.Tensor | None":
        return as_tensor_of(node.get_grad(name)) if node.has_grad(name) else None

    def put(name: str, value: "torch.Tensor | None") -> None:
        if value is None:
            return
        if not node.has_grad(name):
            node.inc_grad(name, node.ops.xp.zeros_like(node.get_param(name)))
        as_tensor_of(node.get_grad(name)).copy_(value)

    for name in node.param_names:
        if node.has_param(name):
            like = as_tensor_of(node.get_param(name))
            yield Slot(
                f"{place.name}:{name}",
                like,
                lambda name=name: take(name),  # type: ignore[misc]
                lambda value, name=name: put(name, value),  # type: ignore[misc]
            )


def _torch_slots(place: TorchPlace) -> Iterator[Slot]:
    for name, param in place.module.named_parameters():

        def put(value: "torch.Tensor | None", param: "nn.Parameter" = param) -> None:
            param.grad = value

        yield Slot(f"{place.name}:{name}", param, lambda param=param: param.grad, put)  # type: ignore[misc]


def make_buckets(slots: Sequence[Slot]) -> Iterator[list[Slot]]:
    """Put parameters of one kind and device together, in their order.

    slots (Sequence[Slot]): The parameters.
    YIELDS (list[Slot]): Parameters with at most `BUCKET` numbers together, or a single one.
    """
    bucket: list[Slot] = []
    size = 0
    for slot in slots:
        alike = bucket and (bucket[0].like.dtype, bucket[0].like.device) == (slot.like.dtype, slot.like.device)
        if bucket and (not alike or size + slot.like.numel() > BUCKET):
            yield bucket
            bucket, size = [], 0
        bucket.append(slot)
        size += slot.like.numel()
    if bucket:
        yield bucket


def flatten(bucket: Sequence[Slot]) -> "torch.Tensor":
    """Put the gradients of a bucket into one row, zeros where there is none.

    bucket (Sequence[Slot]): The parameters.
    RETURNS (torch.Tensor): Shape: (numbers of all,).
    """
    import torch

    return torch.cat([part.reshape(-1) for part in gradients(bucket)])


def gradients(slots: "Sequence[Slot]") -> "list[torch.Tensor]":
    """RETURNS (list[torch.Tensor]): Gradients without history, zeros where there is none."""
    import torch

    found = [slot.take() for slot in slots]
    return [torch.zeros_like(s.like) if g is None else g.detach() for s, g in zip(slots, found, strict=True)]


def _is_plain(slot: Slot) -> bool:
    """RETURNS (bool): Whether a gradient is float32 in the memory of the CPU."""
    return slot.like.device.type == "cpu" and str(slot.like.dtype) == "torch.float32"


def unflatten(bucket: Sequence[Slot], flat: "torch.Tensor") -> None:
    """Set the gradients of a bucket from such a row, whose memory they have then.

    bucket (Sequence[Slot]): The parameters.
    flat (torch.Tensor): Shape: (numbers of all,).
    """
    for slot, part in zip(bucket, flat.split([slot.like.numel() for slot in bucket]), strict=True):
        slot.put(part.view(slot.like.shape))
