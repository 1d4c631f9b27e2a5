"""The scores in a pipeline's meta.json, which were measured in training, are those of the pipeline as it is now."""

from collections.abc import Iterable
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ...corpus.docs import bare_copy
from ...errors import Errors
from ..token_classifier import TokenClassifier


def update_performance(nlp: Language, pipe: TokenClassifier, references: Iterable[Doc]) -> None:
    """Score a component anew, and put its scores in the place of those that the pipeline holds. None is added: where
    there are none, nobody has trained it here, and nothing is computed.

    nlp (Language): The pipeline; `nlp.meta["performance"]` is changed.
    pipe (TokenClassifier): The component.
    references (Iterable[Doc]): Gold texts: the development data.
    RAISES (ValueError): TC240, if an error handler dropped texts.
    """
    known = nlp.meta.get("performance") or {}
    if not _scores_in(known, pipe):
        return
    gold = list(references)
    docs = list(nlp.pipe(bare_copy(doc, nlp.vocab) for doc in gold))
    if len(docs) != len(gold):
        raise ValueError(Errors.TC240.format(found=len(docs), expected=len(gold)))
    scores = pipe.score([Example(doc, reference) for doc, reference in zip(docs, gold, strict=True)])
    nlp.meta["performance"] = {key: scores.get(key, value) for key, value in known.items()}


def drop_performance(nlp: Language, pipe: TokenClassifier) -> None:
    """Forget the scores of a component, which are no longer true and cannot be measured anew.

    nlp (Language): The pipeline; `nlp.meta["performance"]` is changed.
    pipe (TokenClassifier): The component.
    """
    known = nlp.meta.get("performance") or {}
    if stale := _scores_in(known, pipe):
        nlp.meta["performance"] = {key: value for key, value in known.items() if key not in stale}


def _scores_in(known: dict[str, Any], pipe: TokenClassifier) -> set[str]:
    """Find the scores of a component among those of a pipeline: what its scorer gives, even of no texts."""
    return known.keys() & pipe.score([]).keys()
