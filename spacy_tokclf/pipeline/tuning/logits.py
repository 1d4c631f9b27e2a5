"""Annotated texts whose logits were computed once, to be decoded many times and compared with gold."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch

from ...corpus.docs import bare_copy
from ...errors import Errors
from ...metrics.examples import annotated, gold_of
from ...metrics.gold_groups import check_groups, gold_key
from ...tags.decode import TagTable
from ...tags.tuning import Tuning
from ...types import Bools, Floats32, Floats64, Ints
from ..decoding import Visible, decode_tokens, find_visible
from ..token_classifier import TokenClassifier

BATCH = 128


class Found(NamedTuple):
    """Predicted entities, those left out that touch a token without gold annotation.

    text (Ints): Index of the text. Shape: (n,).
    score (NDArray): The score. Shape: (n,).
    correct (NDArray): Whether gold has it. Shape: (n,).
    """

    text: Ints
    score: Floats64
    correct: Bools


@dataclass(frozen=True)
class Readings:
    """Texts with logits and gold.

    visible (Visible): The logits.
    table (TagTable): The component's tags.
    constrained (bool): How it decodes.
    transitions (Floats32 | None): Score of a tag after another, if it has such scores. Shape: (n_tags, n_tags).
    lengths (Ints): Tokens of each text. Shape: (n_texts,).
    gold (Ints): A number for each gold entity, sorted.
    n_gold (Ints): Gold entities of each text. Shape: (n_texts,).
    unknown (Ints): For each place between tokens, the number of tokens before it that have no gold annotation. Shape:
        (n_tokens + 1,).
    """

    visible: Visible
    table: TagTable
    constrained: bool
    transitions: Floats32 | None
    lengths: Ints
    gold: Ints
    n_gold: Ints
    unknown: Ints
    _counted: dict[tuple[float, ...], Ints] = field(default_factory=dict)

    def find(self, tuning: Tuning) -> Found:
        """Decode all texts.

        tuning (Tuning): With what.
        RETURNS (Found): The entities.
        """
        spans = decode_tokens(
            self.visible, self.table, constrained=self.constrained, tuning=tuning, transitions=self.transitions
        )
        base = (np.cumsum(self.lengths) - self.lengths)[spans.text]
        start, end = base + spans.start, base + spans.end
        known = self.unknown[end] == self.unknown[start]
        numbers = _number(start, end, spans.type, self.lengths, self.table)
        correct = np.isin(numbers, self.gold)
        return Found(spans.text[known], spans.score[known].astype("float64"), correct[known])

    def count(self, bias: Sequence[float]) -> Ints:
        """Count what a bias of each type finds in each text. What was counted once is remembered.

        bias (Sequence[float]): In the order of the types.
        RETURNS (Ints): Right and predicted entities of each text. Shape: (n_texts, 2).
        """
        key = tuple(bias)
        if key not in self._counted:
            found = self.find(Tuning(dict(zip(self.table.types, key, strict=True))))
            columns = (found.text[found.correct], found.text)
            counts = [np.bincount(texts, minlength=len(self.lengths)) for texts in columns]
            self._counted[key] = np.stack(counts, axis=1)
        return self._counted[key]


def read_texts(nlp: Language, pipe: TokenClassifier, references: Iterable[Doc], *, source: str) -> Readings:
    """Compute the logits of annotated texts, on their gold tokens.

    nlp (Language): The pipeline.
    pipe (TokenClassifier): The component.
    references (Iterable[Doc]): The texts.
    source (str): Where they come from, for messages.
    RETURNS (Readings): The texts that have gold.
    RAISES (ValueError): TC050, if only some of the texts have the component's gold; TC060, if no text is annotated;
        TC061, if no text has an entity that the component could find; TC062, if a logit is no finite number.
    """
    spans_key, annotate_ents = pipe.cfg["spans_key"], pipe.cfg["annotate_ents"]
    examples = [Example(bare_copy(doc, nlp.vocab), doc) for doc in references]
    key = gold_key(examples, spans_key, annotate_ents=annotate_ents)
    if key is not None:
        check_groups(examples, key, pipe.labels, annotate_ents=annotate_ents)
    kept = annotated(examples, spans_key=key, annotate_ents=annotate_ents)
    sides = [gold_of(eg.reference, spans_key=key, labels=pipe.labels, annotate_ents=annotate_ents) for eg in kept]
    unknown = np.concatenate([np.zeros(1, dtype=bool), *(missing for _, missing in sides)])
    if unknown[1:].all():
        raise ValueError(Errors.TC060.format(source=source, count=len(examples), name=pipe.name))
    lengths = np.array([len(eg.reference) for eg in kept], dtype="int64")
    types = pipe.labels
    rows = np.array(
        [
            (text, span.start, span.end, types.index(span.label_))
            for text, (spans, _) in enumerate(sides)
            for span in spans
            if span.label_ in types
        ],
        dtype="int64",
    ).reshape(-1, 4)
    if not len(rows):
        raise ValueError(Errors.TC061.format(source=source, name=pipe.name, labels=", ".join(types)))
    docs, logits = _logits(nlp, pipe, [eg.predicted for eg in kept])
    base = (np.cumsum(lengths) - lengths)[rows[:, 0]]
    return Readings(
        find_visible(docs, logits),
        pipe.tag_table,
        pipe.cfg["decode"] == "constrained",
        pipe.transitions,
        lengths,
        np.sort(_number(base + rows[:, 1], base + rows[:, 2], rows[:, 3], lengths, pipe.tag_table)),
        np.array([len(spans) for spans, _ in sides], dtype="int64"),
        np.cumsum(unknown, dtype="int64"),
    )


def _number(start: Ints, end: Ints, types: Ints, lengths: Ints, table: TagTable) -> Ints:
    """Give equal entities equal numbers."""
    return (start * (lengths.max(initial=0) + 1) + end - start) * len(table.types) + types


def _logits(nlp: Language, pipe: TokenClassifier, docs: Sequence[Doc]) -> tuple[list[Doc], list[Floats32]]:
    """Run what comes before the component, and the component's model."""
    before = nlp.pipe_names[: nlp.pipe_names.index(pipe.name)]
    seen: list[Doc] = []
    logits: list[Floats32] = []
    with nlp.select_pipes(enable=before):
        for batch in minibatch(_piped(nlp, docs), size=BATCH):
            rows = [pipe.model.ops.to_numpy(row) for row in pipe.logits(batch)]
            for doc, row in zip(batch, rows, strict=True):
                if not np.isfinite(row).all():
                    raise ValueError(Errors.TC062.format(name=pipe.name, text=doc.text[:60]))
                seen.append(doc)
                logits.append(row)
    return seen, logits


def _piped(nlp: Language, docs: Sequence[Doc]) -> Iterator[Doc]:
    """Run a part of the pipeline. RAISES (ValueError): TC240, if an error handler dropped texts."""
    number = 0
    for doc in nlp.pipe(docs):
        number += 1
        yield doc
    if number != len(docs):
        raise ValueError(Errors.TC240.format(found=number, expected=len(docs)))
