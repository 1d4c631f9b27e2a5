"""Evaluation by several processes: each annotates a share of the texts, and all of them score the whole."""

from collections.abc import Iterable, Sequence
from timeit import default_timer
from typing import Any

import numpy as np
import srsly
from spacy.language import Language
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example
from thinc.util import convert_recursive

from ..runtime.group import Group
from ..runtime.random_state import kept_states


def evaluate_together(nlp: Language, examples: Iterable[Example], group: Group) -> dict[str, Any]:
    """Score a pipeline as `nlp.evaluate` does, with the texts shared out and put together in their order.

    nlp (Language): The pipeline.
    examples (Iterable[Example]): The texts with their gold, the same in all processes. They are left as they are.
    group (Group): The processes.
    RETURNS (dict[str, Any]): The scores, the same in all processes.
    RAISES (ConnectionError): TC542, if a process is gone.
    """
    if group.is_alone:
        return nlp.evaluate(examples)
    together = [Example(example.x.copy(), example.y) for example in examples]
    shares = [together[rank :: group.size] for rank in range(group.size)]
    start = default_timer()
    own = _annotate(nlp, shares[group.rank])
    for rank, data in enumerate(group.collect(_pack(own))):
        docs = own
        if rank != group.rank:
            docs = _unpack(nlp, data) if data else _annotate(nlp, shares[rank])
        for example, doc in zip(shares[rank], docs, strict=True):
            example.predicted = doc
    seconds = default_timer() - start
    scores = Scorer(nlp=nlp).score(together)
    words = sum(len(example.predicted) for example in together)
    scores["speed"] = group.number_of_first(words / seconds)
    return convert_recursive(lambda value: isinstance(value, np.floating), float, scores)


def _annotate(nlp: Language, examples: Sequence[Example]) -> list[Doc]:
    """RETURNS (list[Doc]): The texts, annotated. What a component draws at random, other processes do not draw."""
    with kept_states():
        return list(nlp.pipe([example.predicted for example in examples], batch_size=nlp.batch_size))


def _pack(docs: Sequence[Doc]) -> bytes:
    """RETURNS (bytes): The texts for other processes; empty if a component has put something on them that cannot be
    packed, so that each process annotates them itself."""
    try:
        packed: bytes = srsly.msgpack_dumps([doc.to_bytes(exclude=["tensor"]) for doc in docs])
    except (TypeError, ValueError, OverflowError, NotImplementedError):
        return b""
    return packed


def _unpack(nlp: Language, data: bytes) -> list[Doc]:
    packed: Any = srsly.msgpack_loads(data)
    return [Doc(nlp.vocab).from_bytes(each) for each in packed]
