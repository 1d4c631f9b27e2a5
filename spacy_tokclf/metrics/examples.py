"""Scores of spaCy Examples: gold entities of the reference against predicted ones, on gold tokens or on raw text."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..errors import Errors
from ..types import Bools, Ints
from .gold_groups import gold_group
from .seqeval.chunks import Chunks
from .seqeval.compare import Comparison, without
from .seqeval.counts import count
from .seqeval.report import evaluate_dict
from .seqeval.tag_codes import Sentences

if TYPE_CHECKING:
    from spacy.tokens import Doc, Span, SpanGroup
    from spacy.training import Example

_Entity = tuple[str, int, int]


@dataclass
class _Gathered:
    """Entities collected document by document: labels are numbered, positions still count from 0 in each."""

    numbers: dict[str, int]
    rows: list[tuple[int, int, int, int]] = field(default_factory=list)

    def add(self, document: int, entities: Iterable[_Entity]) -> None:
        """Add the entities of one document: label, start, end (exclusive)."""
        for label, start, end in entities:
            kind = self.numbers.setdefault(label, len(self.numbers))
            self.rows.append((document, kind, start, end - 1))

    def chunks(self, sentences: Sentences) -> Chunks:
        """Put the entities on the common axis."""
        document, kind, start, end = np.array(self.rows, dtype=np.int64).reshape(-1, 4).T
        shift = sentences.offsets[document]
        return Chunks(kind, start + shift, end + shift)


def annotated(
    examples: Iterable["Example"], *, spans_key: str | None = None, annotate_ents: bool = False
) -> list["Example"]:
    """Keep the examples that can be scored, as spaCy's get_ner_prf does: those with any entity annotation in gold.

    examples (Iterable[Example]): The examples.
    spans_key (str | None): As for compare_examples.
    annotate_ents (bool): As for compare_examples.
    RETURNS (list[Example]): Those whose reference has the span group, or says for at least one token whether it is in
        an entity.
    """
    return [
        eg
        for eg in examples
        if eg.reference.has_annotation("ENT_IOB")
        or gold_group(eg.reference, spans_key, annotate_ents=annotate_ents) is not None
    ]


def compare_examples(
    examples: Iterable["Example"],
    *,
    spans_key: str | None = None,
    labels: Sequence[str] = (),
    annotate_ents: bool = False,
) -> Comparison:
    """Compare entities on the gold tokens.

    Predicted entities are mapped to gold tokens by the alignment of the example. Tokens without gold annotation
    are left out: a prediction that touches one is ignored. Both are what spaCy's get_ner_prf does.

    examples (Iterable[Example]): The examples.
    spans_key (str | None): Take predictions from doc.spans[spans_key] instead of doc.ents; the gold then is the
        reference's span group of that key if it has one, else its entities that have one of the labels. A span
        without label in that group marks tokens without annotation.
    labels (Sequence[str]): Labels of the component, for spans_key; empty: all.
    annotate_ents (bool): Whether the component sets doc.ents, for spans_key: then a group with scores is no gold.
    RETURNS (Comparison): Gold beside prediction; accuracy on the tags IOB2 of the annotated tokens.
    """
    numbers: dict[str, int] = {}
    gold, pred = _Gathered(numbers), _Gathered(numbers)
    missing: list[Bools] = []
    for i, eg in enumerate(annotated(examples, spans_key=spans_key, annotate_ents=annotate_ents)):
        spans, unknown = gold_of(eg.reference, spans_key=spans_key, labels=labels, annotate_ents=annotate_ents)
        missing.append(unknown)
        gold.add(i, dict.fromkeys(_entities(spans)))
        pred.add(i, _aligned(eg, eg.predicted.ents if spans_key is None else _group(eg.predicted, spans_key)))
    sentences = Sentences.of(np.array([len(mask) for mask in missing], dtype=np.int64))
    unknown = sentences.place(np.concatenate([np.zeros(0, dtype=bool), *missing]), gap=1)
    gold_chunks, all_pred = gold.chunks(sentences), pred.chunks(sentences)
    pred_chunks = without(all_pred, unknown)
    equal = paint(gold_chunks, sentences.size) == paint(pred_chunks, sentences.size)
    return Comparison(
        list(numbers),
        sentences,
        gold_chunks,
        pred_chunks,
        int(np.count_nonzero(equal & ~unknown)),
        int(np.count_nonzero(~unknown)),
        n_ignored=len(all_pred) - len(pred_chunks),
    )


def gold_of(
    doc: "Doc", *, spans_key: str | None, labels: Sequence[str], annotate_ents: bool
) -> tuple[list["Span"], Bools]:
    """Give the gold entities of a text, and which of its tokens nobody annotated.

    doc (Doc): The gold text.
    spans_key (str | None): As for compare_examples.
    labels (Sequence[str]): As for compare_examples.
    annotate_ents (bool): As for compare_examples.
    RETURNS (tuple[list[Span], Bools]): The entities; and for each token whether its annotation is missing.
    """
    group = gold_group(doc, spans_key, annotate_ents=annotate_ents)
    if group is not None:
        return _group_gold(group)
    return _ents_gold(doc, labels if spans_key is not None else ())


def compare_characters(examples: Iterable["Example"]) -> Comparison:
    """Compare entities as character spans of the raw text: what users get, tokenizer included.

    The predicted Docs are made from `reference.text` by the pipeline's own tokenizer. The axis of positions is that
    of characters. For the accuracy every entity is laid over the gold tokens that it touches.

    examples (Iterable[Example]): The examples.
    RETURNS (Comparison): Gold beside prediction.
    RAISES (ValueError): TC212, if the texts differ.
    """
    numbers: dict[str, int] = {}
    gold, pred = _Gathered(numbers), _Gathered(numbers)
    tokens: list[Ints] = []
    lengths: list[int] = []
    for i, eg in enumerate(annotated(examples)):
        _check_text(i, eg)
        lengths.append(len(eg.reference.text))
        columns = eg.reference.to_array(["IDX", "LENGTH", "ENT_IOB"]).astype(np.int64)
        tokens.append(np.column_stack([np.full(len(columns), i), columns]))
        for side, doc in ((gold, eg.reference), (pred, eg.predicted)):
            side.add(i, ((ent.label_, ent.start_char, ent.end_char) for ent in doc.ents))
    sentences = Sentences.of(np.array(lengths, dtype=np.int64))
    document, first, length, iob = np.concatenate([np.zeros((0, 4), dtype=np.int64), *tokens]).T
    first = first + sentences.offsets[document]
    known = iob != 0
    unknown = paint(Chunks(np.zeros_like(first), first, first + length - 1).where(~known), sentences.size) > 0
    gold_chunks, all_pred = gold.chunks(sentences), pred.chunks(sentences)
    pred_chunks = without(all_pred, unknown)
    sides = (_on_tokens(chunks, first, length) for chunks in (gold_chunks, pred_chunks))
    gold_tags, pred_tags = (paint(chunks, len(first)) for chunks in sides)
    return Comparison(
        list(numbers),
        sentences,
        gold_chunks,
        pred_chunks,
        int(np.count_nonzero((gold_tags == pred_tags) & known)),
        int(np.count_nonzero(known)),
        n_ignored=len(all_pred) - len(pred_chunks),
    )


def score_examples(examples: Iterable["Example"]) -> dict[str, object]:
    """Score examples on gold tokens, in the form of `evaluate`'s seqeval module.

    examples (Iterable[Example]): The examples.
    RETURNS (dict[str, object]): For each type {precision, recall, f1, number}; overall_precision, overall_recall,
        overall_f1, overall_accuracy. 0.0 where there is nothing to divide by.
    """
    return evaluate_dict(count(compare_examples(examples)), zero_division=0)


def score_character_spans(examples: Iterable["Example"]) -> dict[str, object]:
    """Score examples on raw text, by (start_char, end_char, label), in the form of score_examples.

    examples (Iterable[Example]): The examples, predicted from `reference.text`.
    RETURNS (dict[str, object]): As score_examples.
    RAISES (ValueError): TC212, if the texts differ.
    """
    return evaluate_dict(count(compare_characters(examples)), zero_division=0)


def paint(chunks: Chunks, size: int) -> Ints:
    """Write IOB2 tags: 0 is "O", 2 * type + 1 is B, 2 * type + 2 is I.

    chunks (Chunks): Entities on an axis.
    size (int): Number of positions.
    RETURNS (Ints): The tags, (size,).
    """
    tags = np.zeros(size, dtype=np.int64)
    lengths = chunks.end - chunks.start + 1
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    tags[np.repeat(chunks.start, lengths) + within] = np.repeat(chunks.type, lengths) * 2 + 2
    tags[chunks.start] = chunks.type * 2 + 1
    return tags


def _on_tokens(chunks: Chunks, first: Ints, length: Ints) -> Chunks:
    """Turn character positions to token positions; entities that touch no token vanish."""
    start = np.searchsorted(first + length - 1, chunks.start, side="left")
    end = np.searchsorted(first, chunks.end, side="right") - 1
    return Chunks(chunks.type, start, end).where(start <= end)


def _ents_gold(doc: "Doc", labels: Sequence[str]) -> tuple[list["Span"], Bools]:
    """Give the entities of a text that have one of the labels, or any; and which tokens nobody annotated."""
    spans = [ent for ent in doc.ents if not labels or ent.label_ in labels]
    return spans, doc.to_array(["ENT_IOB"]).reshape(-1) == 0


def _group_gold(group: "SpanGroup") -> tuple[list["Span"], Bools]:
    """Give the entities of a gold group, and which tokens nobody annotated."""
    missing = np.zeros(len(group.doc), dtype=bool)
    for span in group:
        missing[span.start : span.end] |= not span.label
    return [span for span in group if span.label], missing


def _group(doc: "Doc", spans_key: str) -> Iterable["Span"]:
    """Give a span group, or nothing if there is none."""
    return doc.spans.get(spans_key, ())


def _entities(spans: Iterable["Span"]) -> Iterator[_Entity]:
    """Give label, start and exclusive end of spans."""
    return ((span.label_, span.start, span.end) for span in spans)


def _aligned(eg: "Example", spans: Iterable["Span"]) -> Iterator[_Entity]:
    """Map predicted spans to gold tokens; spans that align to none are dropped."""
    for label, start, end in _entities(spans):
        indices = eg.alignment.x2y[start:end]
        if len(indices):
            yield label, int(indices[0]), int(indices[-1]) + 1


def _check_text(index: int, eg: "Example") -> None:
    """Insist on one text, since character spans of two texts cannot be compared."""
    gold, pred = eg.reference.text, eg.predicted.text
    if gold != pred:
        shared = min(len(gold), len(pred))
        place = next((i for i in range(shared) if gold[i] != pred[i]), shared)
        found, wanted = pred[place : place + 20], gold[place : place + 20]
        raise ValueError(Errors.TC212.format(index=index, place=place, pred=found, gold=wanted))
