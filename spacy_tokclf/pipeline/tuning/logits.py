"""Development data for tuning: logits of annotated texts, computed once, to be decoded many times and compared with
gold."""

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
from ...metrics.examples import annotated
from ...metrics.gold_groups import check_groups, gold_entities, gold_key
from ...runtime.progress import progress
from ...tags.decode import Decoder
from ...tags.tuning import Tuning
from ...types import Bools, Floats32, Floats64, Ints
from ..decoding import VisibleTokens, decode_tokens, find_visible
from ..token_classifier import TokenClassifier

BATCH = 128


class Predictions(NamedTuple):
    """Predicted entities, those left out that touch a token without gold annotation.

    text (Ints): Index of the text. Shape: (n,).
    score (Floats64): The score. Shape: (n,).
    correct (Bools): Which are true positives. Shape: (n,).
    """

    text: Ints
    score: Floats64
    correct: Bools

    def of_texts(self, texts: Ints) -> "Predictions":
        """Select the entities of some texts.

        texts (Ints): Indices of texts.
        RETURNS (Predictions): Those in them.
        """
        keep = np.isin(self.text, texts)
        return Predictions(self.text[keep], self.score[keep], self.correct[keep])


@dataclass(frozen=True)
class TuningData:
    """Annotated texts with their logits and gold.

    visible (VisibleTokens): The logits.
    decoder (Decoder): How the component decodes.
    lengths (Ints): Tokens of each text. Shape: (n_texts,).
    gold (Ints): A number for each gold entity, as `number_entities` gives it, sorted. Shape: (n_gold,).
    support (Ints): Gold entities of each text. Shape: (n_texts,).
    missing_before (Ints): For each border between tokens, the number of tokens before it that have no gold annotation.
        Shape: (n_tokens + 1,).
    """

    visible: VisibleTokens
    decoder: Decoder
    lengths: Ints
    gold: Ints
    support: Ints
    missing_before: Ints
    _counted: dict[tuple[float, ...], Ints] = field(default_factory=dict)

    @property
    def types(self) -> list[str]:
        """RETURNS (list[str]): The component's entity types."""
        return self.decoder.table.types

    def predict(self, tuning: Tuning) -> Predictions:
        """Decode all texts.

        tuning (Tuning): With what.
        RETURNS (Predictions): The entities.
        """
        spans = decode_tokens(self.visible, self.decoder, tuning=tuning)
        base = (np.cumsum(self.lengths) - self.lengths)[spans.text]
        start, end = base + spans.start, base + spans.end
        known = self.missing_before[end] == self.missing_before[start]  # no token without annotation in between
        numbers = number_entities(start, end, spans.type, self.lengths, n_types=len(self.types))
        correct = np.isin(numbers, self.gold)
        return Predictions(spans.text[known], spans.score[known].astype("float64"), correct[known])

    def count(self, bias: Sequence[float]) -> Ints:
        """Count true positives and predictions of each text, decoded with a bias of each type. What was counted once is
        remembered.

        bias (Sequence[float]): In the order of the types.
        RETURNS (Ints): Columns true positives and predictions. Shape: (n_texts, 2).
        """
        key = tuple(bias)
        if key not in self._counted:
            predictions = self.predict(Tuning(dict(zip(self.types, key, strict=True))))
            columns = (predictions.text[predictions.correct], predictions.text)
            counts = [np.bincount(texts, minlength=len(self.lengths)) for texts in columns]
            self._counted[key] = np.stack(counts, axis=1)
        return self._counted[key]


def read_tuning_data(nlp: Language, pipe: TokenClassifier, references: Iterable[Doc], *, source: str) -> TuningData:
    """Compute the logits of annotated texts, on their gold tokens.

    nlp (Language): The pipeline.
    pipe (TokenClassifier): The component.
    references (Iterable[Doc]): The texts.
    source (str): Where they come from, for messages.
    RETURNS (TuningData): The texts that have gold.
    RAISES (ValueError): TC050, if only some of the texts have the component's gold; TC051, if spans of a gold group
        overlap; TC060, if no text is annotated; TC061, if no text has an entity that the component could find; TC062,
        if a logit is no finite number.
    """
    spans_key, annotate_ents = pipe.cfg["spans_key"], pipe.cfg["annotate_ents"]
    examples = [Example(bare_copy(doc, nlp.vocab), doc) for doc in references]
    key = gold_key(examples, spans_key, annotate_ents=annotate_ents)
    if key is not None:
        check_groups(examples, key, pipe.labels, annotate_ents=annotate_ents)
    kept = annotated(examples, spans_key=key, annotate_ents=annotate_ents)
    golds = [gold_entities(eg.reference, key, labels=pipe.labels, annotate_ents=annotate_ents) for eg in kept]
    missing = np.concatenate([np.zeros(1, dtype=bool), *(gold.missing for gold in golds)])
    if missing[1:].all():
        raise ValueError(Errors.TC060.format(source=source, count=len(examples), name=pipe.name))
    lengths = np.array([len(eg.reference) for eg in kept], dtype="int64")
    types = pipe.labels
    rows = np.array(
        [
            (text, span.start, span.end, types.index(span.label_))
            for text, gold in enumerate(golds)
            for span in gold.spans
            if span.label_ in types
        ],
        dtype="int64",
    ).reshape(-1, 4)
    if not len(rows):
        raise ValueError(Errors.TC061.format(source=source, name=pipe.name, labels=", ".join(types)))
    found = list(stream_logits(nlp, pipe, [eg.predicted for eg in kept]))
    docs, logits = [doc for doc, _ in found], [row for _, row in found]
    base = (np.cumsum(lengths) - lengths)[rows[:, 0]]
    numbers = number_entities(base + rows[:, 1], base + rows[:, 2], rows[:, 3], lengths, n_types=len(types))
    return TuningData(
        find_visible(docs, logits),
        pipe.decoder,
        lengths,
        np.sort(numbers),
        np.array([len(gold.spans) for gold in golds], dtype="int64"),
        np.cumsum(missing, dtype="int64"),
    )


def number_entities(start: Ints, end: Ints, types: Ints, lengths: Ints, *, n_types: int) -> Ints:
    """Number entities so that equal ones, and only those, have equal numbers.

    start, end (Ints): First token and one past the last, counted over all texts. Shape: (n,).
    types (Ints): Index of the type. Shape: (n,).
    lengths (Ints): Tokens of each text. Shape: (n_texts,).
    n_types (int): Number of types.
    RETURNS (Ints): The numbers. Shape: (n,).
    """
    return (start * (lengths.max(initial=0) + 1) + end - start) * n_types + types


def stream_logits(nlp: Language, pipe: TokenClassifier, docs: Sequence[Doc]) -> Iterator[tuple[Doc, Floats32]]:
    """Run what comes before a component, and the component's model.

    nlp (Language): The pipeline.
    pipe (TokenClassifier): The component.
    docs (Sequence[Doc]): The texts.
    YIELDS (tuple[Doc, Floats32]): Each text with its raw logits. Shape: (n_tokens, n_tags).
    RAISES (ValueError): TC062, if a logit is no finite number; TC240, if an error handler dropped texts.
    """
    before = nlp.pipe_names[: nlp.pipe_names.index(pipe.name)]
    with nlp.select_pipes(enable=before):
        piped = progress(_piped(nlp, docs), label="Predicting", total=len(docs))
        for batch in minibatch(piped, size=BATCH):
            rows = [pipe.model.ops.to_numpy(row) for row in pipe.logits(batch)]
            for doc, row in zip(batch, rows, strict=True):
                if not np.isfinite(row).all():
                    raise ValueError(Errors.TC062.format(name=pipe.name, text=doc.text[:60]))
                yield doc, row


def _piped(nlp: Language, docs: Sequence[Doc]) -> Iterator[Doc]:
    """Run a part of the pipeline. RAISES (ValueError): TC240, if an error handler dropped texts."""
    number = 0
    for doc in nlp.pipe(docs):
        number += 1
        yield doc
    if number != len(docs):
        raise ValueError(Errors.TC240.format(found=number, expected=len(docs)))
