"""All entities that a pipeline predicts at any threshold, from one run of its models."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch

from ..corpus.docs import bare_copy
from ..errors import Errors
from ..metrics.examples import aligned_entities, annotated, compare_on_tokens
from ..metrics.gold_groups import gold_entities
from ..metrics.seqeval.chunks import Chunks
from ..metrics.seqeval.compare import Comparison
from ..metrics.seqeval.tag_codes import Sentences
from ..pipeline.annotate import set_entities
from ..pipeline.token_classifier import TokenClassifier, find_component
from ..runtime.progress import progress
from ..types import Bools, Floats32, Floats64, Ints
from .gold_scores import gold_scores

_Scored = tuple[int, int, str, float]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Gold entities, and predicted ones with the thresholds at which they are there: those above one number and up to
    another.

    A text has few scores, so that it has few states: after a component whose threshold moves, the others run once for
    each. An entity ruler that finds more where less was found is thus counted as it would be.

    n_texts (int): Number of texts in the data.
    references (list[Doc]): Those that have gold.
    places (list[int]): Index of each in the data, from 0.
    names (list[str]): Names of the types that the chunks index.
    sentences (Sentences): The axis of their tokens.
    gold (Chunks): Gold entities.
    gold_score (Floats32): The scores that the component would give them; nan where there is none. Shape: (n_gold,).
    unknown (Bools): Which positions have no gold annotation. Shape: (size,).
    pred (Chunks): Predicted entities.
    score (Floats32): Their scores; nan for those without. Shape: (n,).
    above (Floats32): The threshold up to which each is not there; -inf for none. Shape: (n,).
    upto (Floats32): The last threshold at which it is there; inf for none. Shape: (n,).
    threshold (float | None): The component's own threshold; None if there is none that can be moved.
    why_fixed (str): Why not.
    """

    n_texts: int
    references: list[Doc]
    places: list[int]
    names: list[str]
    sentences: Sentences
    gold: Chunks
    gold_score: Floats32
    unknown: Bools
    pred: Chunks
    score: Floats32
    above: Floats32
    upto: Floats32
    threshold: float | None
    why_fixed: str

    @property
    def own(self) -> float:
        """RETURNS (float): The threshold that the pipeline has; 0.0 if it has none."""
        return self.threshold or 0.0

    def there(self, threshold: float) -> Bools:
        """Tell which predictions there are at a threshold.

        threshold (float): From 0 to 1.
        RETURNS (Bools): Whether each is there. Shape: (n,).
        """
        single = np.float32(threshold)  # what the component compares its scores with
        there: Bools = (self.above < single) & (single <= self.upto)
        return there

    def at(self, threshold: float) -> Comparison:
        """Compare gold with what is predicted at a threshold.

        threshold (float): From 0 to 1.
        RETURNS (Comparison): What `compare_examples` gives for a pipeline with that threshold.
        """
        pred = self.pred.where(self.there(threshold))
        return compare_on_tokens(self.names, self.sentences, gold=self.gold, pred=pred, unknown=self.unknown)

    def scored(self, threshold: float) -> tuple[Floats64, Bools]:
        """Give the scores of what is predicted at a threshold, and whether it is right; for calibration.

        threshold (float): From 0 to 1.
        RETURNS (tuple[Floats64, Bools]): Scores, and which are true positives. Shape: (n,) each.
        """
        there = self.there(threshold)
        size = np.cumsum(np.concatenate([[0], self.unknown]))
        known = size[self.pred.end[there] + 1] == size[self.pred.start[there]]
        score = self.score[there][known].astype("float64")
        has = ~np.isnan(score)
        return score[has], self.at(threshold).pred_hit[has]

    @property
    def words(self) -> list[list[str]]:
        """RETURNS (list[list[str]]): Gold tokens of each text."""
        return [[token.text for token in doc] for doc in self.references]


class _Annotated(NamedTuple):
    """A text in all its states, and the scores of its gold entities."""

    states: "list[_State]"
    gold_scores: list[float]


class _State(NamedTuple):
    """A text as the pipeline annotates it at the thresholds above one number and up to another, and the scores that the
    component gave, by characters: those after it may make other tokens."""

    doc: Doc
    above: float
    upto: float
    scores: dict[tuple[int, int, str], float]


def find_candidates(
    nlp: Language,
    references: Sequence[Doc],
    *,
    component: str | None = None,
    batch_size: int | None = None,
    source: str = "the data",
) -> Candidates:
    """Predict the entities of gold texts, on their tokens, at all thresholds of a token classifier.

    nlp (Language): The pipeline.
    references (Sequence[Doc]): The texts, with gold in `doc.ents`.
    component (str | None): The `token_classifier` whose threshold moves; not needed if there is only one.
    batch_size (int | None): Texts in a batch; None: the pipeline's own.
    source (str): Where the texts come from, for messages.
    RETURNS (Candidates): Gold and predictions.
    RAISES (ValueError): TC240, if an error handler dropped texts; TC255, if there is no such component; TC320, if no
        text is annotated.
    """
    pipe, why = movable(nlp, component)
    size = batch_size or nlp.batch_size
    done = _fixed(nlp, references, size) if pipe is None else _moved(nlp, pipe, references, size)
    threshold = None if pipe is None else float(pipe.cfg["threshold"])
    return _collect(references, done, source, threshold=threshold, why_fixed=why)


def movable(nlp: Language, name: str | None = None) -> tuple[TokenClassifier | None, str]:
    """Find the component whose threshold can be moved.

    nlp (Language): The pipeline.
    name (str | None): Its name, if it was chosen.
    RETURNS (tuple[TokenClassifier | None, str]): The component; or None, and a sentence that says why there is none.
    RAISES (ValueError): TC255, if there is no token classifier of that name.
    """
    pipes = {each: pipe for each, pipe in nlp.pipeline if isinstance(pipe, TokenClassifier)}
    if name is not None:
        find_component(nlp, name)
    setters = [each for each, pipe in pipes.items() if pipe.cfg["annotate_ents"] and name in (None, each)]
    if len(setters) == 1:
        return pipes[setters[0]], ""
    if setters:
        listed = ", ".join(setters)
        return None, f"There are several token classifiers ({listed}): --component chooses whose threshold moves here."
    if pipes:
        return None, f"{name or ', '.join(pipes)} does not set doc.ents, which is what is scored here."
    return None, "The components of this pipeline give their entities no scores."


def _fixed(nlp: Language, references: Sequence[Doc], size: int) -> list[_Annotated]:
    """Annotate each text once."""
    piped = nlp.pipe((bare_copy(doc, nlp.vocab) for doc in references), batch_size=size)
    docs = list(progress(piped, label="Predicting", total=len(references)))
    _check_all(docs, references)
    golds = [gold_entities(doc).spans for doc in references]
    return [
        _Annotated([_State(doc, -np.inf, np.inf, {})], [np.nan] * len(gold))
        for doc, gold in zip(docs, golds, strict=True)
    ]


def _moved(nlp: Language, pipe: TokenClassifier, references: Sequence[Doc], size: int) -> list[_Annotated]:
    """Annotate each text in all its states."""
    at = nlp.pipe_names.index(pipe.name)
    before = nlp.pipe((bare_copy(doc, nlp.vocab) for doc in references), batch_size=size, disable=nlp.pipe_names[at:])
    done: list[_Annotated] = []
    own = pipe.cfg["threshold"]
    pipe.cfg["threshold"] = 0.0
    try:
        for docs in minibatch(progress(before, label="Predicting", total=len(references)), size):
            logits, spans = pipe.predict(docs)
            scored: list[list[_Scored]] = [[] for _ in docs]
            for text, start, end, type_, score in zip(*(column.tolist() for column in spans), strict=True):
                scored[text].append((start, end, pipe.labels[type_], score))
            gold = [_gold_in(doc, reference) for doc, reference in zip(docs, references[len(done) :], strict=False)]
            scores = gold_scores(pipe, docs, [pipe.model.ops.to_numpy(row) for row in logits], gold)
            columns = zip(docs, scored, scores, strict=True)
            done += [_Annotated(list(_states(nlp, pipe, doc, found)), own_gold) for doc, found, own_gold in columns]
    finally:
        pipe.cfg["threshold"] = own
    _check_all(done, references)
    return done


def _gold_in(doc: Doc, reference: Doc) -> list[tuple[int, int, str]]:
    """Give the gold entities in the tokens of a text: those of the gold, if no component before made others. An entity
    that then lies nowhere is empty."""
    spans = gold_entities(reference).spans
    if len(doc) == len(reference):
        return [(span.start, span.end, span.label_) for span in spans]
    return [(0, 0, span.label_) for span in spans]


def _states(nlp: Language, pipe: TokenClassifier, doc: Doc, scored: list[_Scored]) -> Iterator[_State]:
    """Give the states of a text, the lowest thresholds first."""
    after = nlp.pipeline[nlp.pipe_names.index(pipe.name) + 1 :]
    settings = {key: pipe.cfg[key] for key in ("spans_key", "annotate_ents", "overwrite_ents")}
    above = -np.inf
    for upto in (*sorted({score for *_, score in scored}), np.inf):
        one = doc.copy()
        kept = [entity for entity in scored if entity[3] >= upto]
        set_entities(one, kept, **settings)
        scores = {(doc[start].idx, doc[start:end].end_char, label): score for start, end, label, score in kept}
        for _, proc in after:
            one = proc(one)
        yield _State(one, above, upto, scores)
        above = upto


def _check_all(done: Sequence[object], references: Sequence[Doc]) -> None:
    """Insist on all texts. RAISES (ValueError): TC240."""
    if len(done) != len(references):
        raise ValueError(Errors.TC240.format(found=len(done), expected=len(references)))


def _collect(
    references: Sequence[Doc],
    done: list[_Annotated],
    source: str,
    *,
    threshold: float | None,
    why_fixed: str,
) -> Candidates:
    """Put everything on one axis."""
    examples = [Example(found.states[0].doc, doc) for found, doc in zip(done, references, strict=True)]
    kept = {id(eg.reference) for eg in annotated(examples)}
    texts = [(place, doc) for place, doc in enumerate(references) if id(doc) in kept]
    if not texts:
        raise ValueError(Errors.TC320.format(source=source, count=len(references)))
    numbers: dict[str, int] = {}
    gold_rows, rows, missing, scores = [], [], [], []
    for index, (place, doc) in enumerate(texts):
        spans, without_gold = gold_entities(doc)
        missing.append(without_gold)
        scores += done[place].gold_scores
        for span in spans:
            gold_rows.append((index, numbers.setdefault(span.label_, len(numbers)), span.start, span.end - 1))
        for label, start, end, score, above, upto in _presence(done[place].states, doc):
            kind = numbers.setdefault(label, len(numbers))
            rows.append((index, kind, start, end - 1, score, above, upto))
    sentences = Sentences.of(np.array([len(mask) for mask in missing], dtype=np.int64))
    table = np.array(rows, dtype="float64").reshape(-1, 7)
    score, above, upto = table[:, 4:].T.astype("float32")
    return Candidates(
        n_texts=len(references),
        references=[doc for _, doc in texts],
        places=[place for place, _ in texts],
        names=list(numbers),
        sentences=sentences,
        gold=_chunks(np.array(gold_rows, dtype=np.int64).reshape(-1, 4), sentences),
        gold_score=np.array(scores, dtype="float32"),
        unknown=sentences.place(np.concatenate(missing), gap=1),
        pred=_chunks(table[:, :4].astype(np.int64), sentences),
        score=score,
        above=above,
        upto=upto,
        threshold=threshold,
        why_fixed=why_fixed,
    )


def _chunks(rows: Ints, sentences: Sentences) -> Chunks:
    """Put columns text, type, start, end (inclusive) on the axis."""
    text, kind, start, end = rows.T
    return Chunks(kind, start + sentences.offsets[text], end + sentences.offsets[text])


def _presence(states: list[_State], reference: Doc) -> Iterator[tuple[str, int, int, float, float, float]]:
    """Give label, start, end, score and the thresholds of each predicted entity on the gold tokens, in the order of the
    text. One that comes and goes is there twice."""
    runs: dict[tuple[str, int, int], list[list[float]]] = {}
    for doc, above, upto, scores in states:
        example = Example(doc, reference)
        for ent in doc.ents:
            for entity in aligned_entities(example, [ent]):
                score = scores.get((ent.start_char, ent.end_char, ent.label_), np.nan)
                found = runs.setdefault(entity, [])
                if found and found[-1][2] == above:
                    found[-1][2] = upto
                else:
                    found.append([score, above, upto])
    for (label, start, end), found in sorted(runs.items(), key=lambda item: item[0][1:]):
        for score, above, upto in found:
            yield label, start, end, score, above, upto
