"""Evaluation by several processes: each annotates a share of the texts, and all of them score the whole."""

import struct
from collections.abc import Iterable
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
    start = default_timer()
    own = range(group.rank, len(together), group.size)
    docs = list(nlp.pipe([together[index].predicted for index in own], batch_size=nlp.batch_size))
    for index, doc in zip(own, docs, strict=True):
        together[index].predicted = doc
    packed = srsly.msgpack_dumps([doc.to_bytes(exclude=["tensor"]) for doc in docs])
    for rank, data in enumerate(group.collect(packed)):
        if rank == group.rank:
            continue
        theirs: Any = srsly.msgpack_loads(data)
        for index, each in zip(range(rank, len(together), group.size), theirs, strict=True):
            together[index].predicted = Doc(nlp.vocab).from_bytes(each)
    seconds = default_timer() - start
    scores = Scorer(nlp=nlp).score(together)
    words = sum(len(example.predicted) for example in together)
    (scores["speed"],) = struct.unpack("<d", group.of_first(struct.pack("<d", words / seconds)))
    return convert_recursive(lambda value: isinstance(value, np.floating), float, scores)
