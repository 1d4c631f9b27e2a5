"""What a component does when the memory of a GPU is full: it names the texts, or learns them in parts."""

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from spacy.tokens import Doc
from spacy.training import Example

from ..errors import Errors, Warnings
from ..models.device_logits import inline_shim_on_gpu
from ..models.gradients import drop_gradients, keep_gradients
from ..runtime.blame import short
from ..runtime.out_of_memory import free_memory, is_out_of_memory
from .finite import name_texts
from .refusal import Refusing, refuse_step

#: Of a batch, the summed loss, and of how many tokens it is.
Learned = tuple[float, int]


def memory_for_texts(name: str, docs: Sequence[Doc]) -> contextlib.AbstractContextManager[None]:
    """Name the texts, if there is too little memory for what is computed of them.

    name (str): The component's name.
    docs (Sequence[Doc]): The texts.
    RAISES (ValueError): TC567.
    """
    return _said(lambda detail: Errors.TC567.format(name=name, texts=name_texts(docs), detail=detail))


def memory_for_batch(name: str, docs: Sequence[Doc]) -> contextlib.AbstractContextManager[None]:
    """Say what to change, if there is too little memory to learn from a batch that cannot be learned in parts.

    name (str): The component's name.
    docs (Sequence[Doc]): The batch.
    RAISES (ValueError): TC569.
    """
    facts = {"count": len(docs), "tokens": sum(map(len, docs))}
    return _said(lambda detail: Errors.TC569.format(name=name, **facts, detail=detail))


@contextlib.contextmanager
def _said(message: Callable[[str], str]) -> Iterator[None]:
    """Raise a message, made from what the library says, in place of an error of a memory that is full."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        free_memory(error)
        raise ValueError(message(short(error))) from error


class PartsOfBatches:
    """Learns a batch in as many parts as the memory of a GPU asks for: its gradient is a sum over tokens. What there
    was no memory for is not tried again."""

    def __init__(self) -> None:
        """Begin with whole batches."""
        self._limit: int | None = None  # in tokens

    def learn(
        self, pipe: Refusing, examples: list[Example], attempt: Callable[[list[Example]], Learned], *, adds: bool
    ) -> Learned:
        """Learn a batch. Where the encoder is not inline and on a GPU, that is one attempt.

        pipe (Refusing): The component.
        examples (list[Example]): The batch.
        attempt (Callable[[list[Example]], tuple[float, int]]): Adds up the gradients of some of it.
        adds (bool): Whether there may be gradients already, which stay as they are: they take their memory twice.
        RETURNS (tuple[float, int]): The summed loss, and of how many tokens it is.
        RAISES (ValueError): TC568, if there is too little memory for one text. The step is refused.
        """
        if inline_shim_on_gpu(pipe.model) is None:
            return attempt(examples)
        tokens = [len(eg.predicted) for eg in examples]
        if self._limit is None or sum(tokens) <= self._limit or len(examples) == 1:
            put_back = _keep(pipe, adds=adds)
            try:
                return attempt(examples)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                free_memory(error)
                if len(examples) == 1 or put_back is None:
                    refuse_step(pipe)
                    facts = {"texts": name_texts([eg.predicted for eg in examples]), "detail": short(error)}
                    raise ValueError(Errors.TC568.format(name=pipe.name, **facts)) from error
            # Not before the error is gone, which holds on to what was computed.
            put_back()
            first, self._limit = self._limit is None, sum(tokens) // 2
            if first:
                warnings.warn(Warnings.TW359.format(name=pipe.name, limit=self._limit), stacklevel=2)
        middle = half_of(tokens)
        loss, n_tokens = self.learn(pipe, examples[:middle], attempt, adds=adds)
        other_loss, others = self.learn(pipe, examples[middle:], attempt, adds=True)
        return loss + other_loss, n_tokens + others


def _keep(pipe: Refusing, *, adds: bool) -> Callable[[], None] | None:
    """Give what undoes an attempt; None if there is no memory for a copy of the gradients that are there."""
    if not adds:
        return partial(drop_gradients, [pipe.model])
    try:
        return keep_gradients(pipe.model)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        free_memory(error)
    return None


def half_of(tokens: Sequence[int]) -> int:
    """Tell where a batch of several texts is cut in two.

    tokens (Sequence[int]): Tokens of each text; at least two texts.
    RETURNS (int): How many texts are in the first part, which has about half of the tokens; there are some in both.
    """
    total, before = sum(tokens), 0
    for index, count in enumerate(tokens[:-1]):
        before += count
        if 2 * before >= total:
            return index + 1
    return len(tokens) - 1
