"""Annotate a stream of texts: in bounded memory, and so that a text that fails costs no other."""

import contextlib
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from itertools import chain, islice
from typing import Any, NamedTuple

from spacy.language import Language
from spacy.tokens import Doc

from ..errors import Errors
from ..runtime.blame import short
from .items import Annotated, Item, blank_doc, make_doc

#: Texts after which what the vocabulary learned of them is forgotten; with several processes, which begin anew then,
#: more.
ZONE, ZONE_OF_PROCESSES = 2048, 16384
#: If as many texts fail, and none before them did not, the pipeline is at fault.
PATIENCE = 100


def annotate_items(
    nlp: Language,
    items: Iterable[Item],
    *,
    keep_tokens: bool = False,
    batch_size: int | None = None,
    n_process: int = 1,
) -> Generator[Annotated, None, None]:
    """Annotate texts in their order. Nothing of a text may be kept when the next one is asked for: its memory is freed
    some texts later.

    nlp (Language): The pipeline; its error handlers are replaced meanwhile.
    items (Iterable[Item]): The texts.
    keep_tokens (bool): Whether to take tokens that come with a text.
    batch_size (int | None): Texts in a batch; None: the pipeline's own.
    n_process (int): Number of processes.
    YIELDS (Annotated): Each text, annotated or with the reason why it is not.
    RAISES (ValueError): TC363, if none of the first texts can be annotated, or none at all; TC241, if no component
        annotates entities.
    """
    items = iter(items)
    handler = _Handler()
    default, before = nlp.default_error_handler, _use_handler(nlp, handler)
    options: dict[str, Any] = {"keep_tokens": keep_tokens, "batch_size": batch_size, "n_process": n_process}
    try:
        with contextlib.closing(_annotate_zones(nlp, items, handler, **options)) as found:
            yield from _checked(found, nlp)
    finally:
        nlp.default_error_handler = default
        for pipe, own in before:
            pipe.set_error_handler(own)


def _use_handler(nlp: Language, handler: Any) -> list[tuple[Any, Any]]:
    """Let a pipeline use an error handler, as `nlp.set_error_handler` does, but for components that have no place for
    one: spaCy's `ner` and `parser`, since 3.8. RETURNS (list): The others, and the handlers that they had."""
    nlp.default_error_handler = handler
    before = []
    pipes: list[Any] = [pipe for _, pipe in nlp.pipeline]
    for pipe in pipes:
        if hasattr(pipe, "set_error_handler"):
            own = pipe.get_error_handler()
            with contextlib.suppress(AttributeError):
                pipe.set_error_handler(handler)
                before.append((pipe, own))
    return before


class _Waiting(NamedTuple):
    """A text that was not yet given back: its number, and why no Doc could be made of it."""

    number: int
    item: Item
    error: str


class _Handler:
    """Passes errors over while many texts are annotated: those that are not given back are tried again alone."""

    def __init__(self) -> None:
        self.alone = False

    def __call__(self, name: str, proc: Any, docs: list[Doc], error: Exception) -> None:
        """Pass over an error, unless a text is alone."""
        if self.alone:
            raise error


def _annotate_zones(
    nlp: Language, items: Iterator[Item], handler: _Handler, **options: Any
) -> Generator[Annotated, None, None]:
    """Annotate texts, zone after zone."""
    for first in items:
        yield from _annotate_zone(nlp, first, items, handler, **options)


def _annotate_zone(
    nlp: Language,
    first: Item,
    items: Iterator[Item],
    handler: _Handler,
    *,
    keep_tokens: bool,
    batch_size: int | None,
    n_process: int,
) -> Iterator[Annotated]:
    """Annotate some texts, and free the memory that they took."""
    waiting: deque[_Waiting] = deque()
    stopped = False
    size = ZONE if n_process == 1 else ZONE_OF_PROCESSES

    def docs() -> Iterator[tuple[Doc, int]]:
        for number, item in enumerate(chain([first], islice(items, size - 1))):
            if stopped:
                return
            try:
                doc = make_doc(item, nlp, keep_tokens=keep_tokens)
            except Exception as error:  # noqa: BLE001 (of any tokenizer; it is written down)
                waiting.append(_Waiting(number, item, short(error)))
                continue
            waiting.append(_Waiting(number, item, ""))
            yield doc, number

    def alone(each: _Waiting) -> Annotated:
        if each.error:
            return Annotated(each.item, blank_doc(each.item, nlp), each.error)
        handler.alone = True
        try:
            return Annotated(each.item, nlp(make_doc(each.item, nlp, keep_tokens=keep_tokens)))
        except Exception as error:  # noqa: BLE001 (of any component; it is written down)
            return Annotated(each.item, blank_doc(each.item, nlp), short(error))
        finally:
            handler.alone = False

    with nlp.memory_zone():
        piped = nlp.pipe(docs(), as_tuples=True, batch_size=batch_size, n_process=n_process)
        try:
            for doc, number in piped:
                while waiting[0].number != number:
                    yield alone(waiting.popleft())
                yield Annotated(waiting.popleft().item, doc)
        finally:
            stopped = True
            if n_process > 1:  # processes that are left while they work are waited for without end
                deque(piped, maxlen=0)
        while waiting:
            yield alone(waiting.popleft())


def _checked(found: Iterable[Annotated], nlp: Language) -> Iterator[Annotated]:
    """Pass texts on, as long as not all of them fail. RAISES (ValueError): TC241, TC363."""
    failed, first, works = 0, "", False
    for each in found:
        if not works and each.error:
            failed, first = failed + 1, first or each.error
            if failed == PATIENCE:
                break
        elif not works and len(each.doc):
            if not each.doc.has_annotation("ENT_IOB"):
                raise ValueError(Errors.TC241.format(found=", ".join(nlp.pipe_names) or "none"))
            works = True
        yield each
    if failed and not works:
        raise ValueError(Errors.TC363.format(count=failed, error=first))
