"""Scores of spaCy Examples: gold entities of the reference against predicted ones, on gold tokens or on raw text, and
the scores that a component gave its predictions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import Errors
from ..types import SCORES, Bools, Floats64, Ints
from .gold_groups import gold_entities, gold_group
from .seqeval.chunks import Chunks
from .seqeval.compare import Comparison, without
from .seqeval.counts import count
from .seqeval.report import evaluate_dict
from .seqeval.tag_codes import Sentences

if TYPE_CHECKING:
    from spacy.tokens import Doc, Span
    from spacy.training import Example

_Entity = tuple[str, int, int]


@dataclass
class _EntityColumns:
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
        document, kind, start, end = np.array(self.rows, dtype=np.int64).reshape(-1, 4).T  # (n_entities,) each
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
    RAISES (ValueError): TC051, if two spans of a gold group overlap.
    """
    numbers: dict[str, int] = {}
    gold, pred = _EntityColumns(numbers), _EntityColumns(numbers)
    missing: list[Bools] = []
    for i, eg in enumerate(annotated(examples, spans_key=spans_key, annotate_ents=annotate_ents)):
        spans, without_gold = gold_entities(eg.reference, spans_key, annotate_ents=annotate_ents, labels=labels)
        missing.append(without_gold)
        gold.add(i, _entities(spans))
        predicted = eg.predicted.ents if spans_key is None else eg.predicted.spans.get(spans_key, ())
        pred.add(i, aligned_entities(eg, predicted))
    sentences = Sentences.of(np.array([len(mask) for mask in missing], dtype=np.int64))
    unknown = sentences.place(np.concatenate([np.zeros(0, dtype=bool), *missing]), gap=1)
    return compare_on_tokens(
        list(numbers), sentences, gold=gold.chunks(sentences), pred=pred.chunks(sentences), unknown=unknown
    )


def compare_on_tokens(
    names: list[str], sentences: Sentences, *, gold: Chunks, pred: Chunks, unknown: Bools
) -> Comparison:
    """Compare entities that lie on one axis of tokens.

    names (list[str]): Names of the types that the chunks index.
    sentences (Sentences): The axis.
    gold (Chunks): Gold entities.
    pred (Chunks): Predicted entities; those that touch a token without gold annotation are ignored.
    unknown (Bools): Which positions have no gold annotation, those between the texts included. Shape: (size,).
    RETURNS (Comparison): Gold beside prediction; accuracy on the tags IOB2 of the annotated tokens.
    """
    known = without(pred, unknown)
    equal = paint(gold, sentences.size) == paint(known, sentences.size)
    return Comparison(
        names,
        sentences,
        gold,
        known,
        int(np.count_nonzero(equal & ~unknown)),
        int(np.count_nonzero(~unknown)),
        n_ignored=len(pred) - len(known),
    )


def compare_characters(examples: Iterable["Example"]) -> Comparison:
    """Compare entities as character spans of the raw text: what users get, tokenizer included.

    The predicted Docs are made from `reference.text` by the pipeline's own tokenizer. The axis of positions is that
    of characters. For the accuracy every entity is laid over the gold tokens that it touches.

    examples (Iterable[Example]): The examples.
    RETURNS (Comparison): Gold beside prediction.
    RAISES (ValueError): TC212, if the texts differ.
    """
    numbers: dict[str, int] = {}
    gold, pred = _EntityColumns(numbers), _EntityColumns(numbers)
    tokens: list[Ints] = []
    lengths: list[int] = []
    for i, eg in enumerate(annotated(examples)):
        _check_text(i, eg)
        lengths.append(len(eg.reference.text))
        spans, missing = gold_entities(eg.reference)
        columns = eg.reference.to_array(["IDX", "LENGTH"]).astype(np.int64)
        tokens.append(np.column_stack([np.full(len(columns), i), columns, missing]))
        for side, entities in ((gold, spans), (pred, eg.predicted.ents)):
            side.add(i, ((ent.label_, ent.start_char, ent.end_char) for ent in entities))
    sentences = Sentences.of(np.array(lengths, dtype=np.int64))
    # (n_tokens,) each: the text of a token, its first character and its length, and whether it has no annotation.
    document, first, length, without_gold = np.concatenate([np.zeros((0, 4), dtype=np.int64), *tokens]).T
    first = first + sentences.offsets[document]
    known = without_gold == 0
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


class ScoredEntities(NamedTuple):
    """Predicted entities that have a score, and whether they are correct.

    scores (Floats64): Their scores. Shape: (n,).
    correct (Bools): Which of them are true positives. Shape: (n,).
    n_gold (int): Number of gold entities (the support).
    """

    scores: Floats64
    correct: Bools
    n_gold: int


def scored_entities(examples: Iterable["Example"], spans_keys: Sequence[str] = ("entities",)) -> ScoredEntities:
    """Collect the entities in `doc.ents` that some component scored, for calibration. They are compared as character
    spans, and those that touch a token without gold annotation are left out.

    examples (Iterable[Example]): The examples; prediction and gold have the same text.
    spans_keys (Sequence[str]): Keys of the span groups that hold scores.
    RETURNS (ScoredEntities): The entities, in order.
    """
    rows: list[tuple[float, bool]] = []
    n_gold = 0
    for eg in annotated(examples):
        spans, missing = gold_entities(eg.reference)
        gold = {(ent.start_char, ent.end_char, ent.label_) for ent in spans}
        n_gold += len(gold)
        known = np.ones(len(eg.reference.text), dtype=bool)  # per character
        for i in np.flatnonzero(missing).tolist():
            token = eg.reference[i]
            known[token.idx : token.idx + len(token)] = False
        scores = _scores(eg.predicted, spans_keys)
        for ent in eg.predicted.ents:
            score = scores.get((ent.start, ent.end, ent.label_))
            if score is not None and known[ent.start_char : ent.end_char].all():
                rows.append((score, (ent.start_char, ent.end_char, ent.label_) in gold))
    columns = np.array(rows, dtype="float64").reshape(-1, 2).T  # (2, n)
    return ScoredEntities(columns[0], columns[1] > 0, n_gold)


def _scores(doc: "Doc", spans_keys: Sequence[str]) -> dict[tuple[int, int, str], float]:
    """Look up the scores in some span groups, by start, end and label. Spans that were added have none; if some were
    taken out, nobody knows whose the scores are."""
    found = {}
    for key in spans_keys:
        group = doc.spans.get(key)
        scores = group.attrs.get(SCORES) or () if group else ()
        for span, score in zip(group or (), scores, strict=False):
            if score is not None and len(scores) <= len(group or ()):
                found[span.start, span.end, span.label_] = float(score)
    return found


def paint(chunks: Chunks, size: int) -> Ints:
    """Write IOB2 tags as numbers: 0 is "O", 2 * type + 1 is B, 2 * type + 2 is I.

    chunks (Chunks): Entities on an axis.
    size (int): Number of positions.
    RETURNS (Ints): The tags. Shape: (size,).
    """
    tags = np.zeros(size, dtype=np.int64)
    lengths = chunks.end - chunks.start + 1
    # (sum of lengths,): 0, 1, 2 ... within each entity.
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    tags[np.repeat(chunks.start, lengths) + within] = np.repeat(chunks.type, lengths) * 2 + 2
    tags[chunks.start] = chunks.type * 2 + 1
    return tags


def _on_tokens(chunks: Chunks, first: Ints, length: Ints) -> Chunks:
    """Turn character positions to token positions; entities that touch no token vanish."""
    start = np.searchsorted(first + length - 1, chunks.start, side="left")
    end = np.searchsorted(first, chunks.end, side="right") - 1
    return Chunks(chunks.type, start, end).where(start <= end)


def _entities(spans: Iterable["Span"]) -> Iterator[_Entity]:
    """Give label, start and exclusive end of spans."""
    return ((span.label_, span.start, span.end) for span in spans)


def aligned_entities(eg: "Example", spans: Iterable["Span"]) -> Iterator[_Entity]:
    """Map predicted spans to gold tokens; spans that align to none are dropped.

    eg (Example): The example.
    spans (Iterable[Span]): Spans of its prediction.
    YIELDS (tuple[str, int, int]): Label, start and exclusive end.
    """
    x2y = eg.alignment.x2y  # asked for once: the property compares all words each time
    for label, start, end in _entities(spans):
        indices = x2y[start:end]
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
