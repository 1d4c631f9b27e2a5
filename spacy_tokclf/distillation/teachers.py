"""Teachers: which texts they have not seen, and what they say of the tokens of texts."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from spacy.tokens import Doc
from spacy.util import get_package_path, is_package, load_config

from ..annotation.shards.identity import model_facts
from ..corpus.docs import bare_copy
from ..corpus.folds import fold_left_out, fold_of
from ..errors import Errors
from ..pipeline.decoding import visible_tokens
from ..pipeline.load import load_pipeline
from ..pipeline.loss import log_softmax
from ..pipeline.token_classifier import TokenClassifier, find_component
from ..pipeline.tuning.logits import stream_logits
from ..tags.chain import forward_backward
from ..training.config import explained
from ..types import Bools, Floats32


class Teacher(NamedTuple):
    """A pipeline that teaches.

    model (str): Its folder, or the name of a package.
    sha256 (str): The digest of its files.
    left_out (tuple[int, int] | None): The fold of the training data that it was trained without, and how many there
        were.
    """

    model: str
    sha256: str
    left_out: tuple[int, int] | None

    def has_not_seen(self, text: str) -> bool:
        """RETURNS (bool): Whether a training text, by its letters, is in the fold that was left out."""
        return self.left_out is not None and fold_of(text, self.left_out[1]) == self.left_out[0]


class Said(NamedTuple):
    """What teachers said.

    scheme (str): The scheme of their tags.
    tags (tuple[str, ...]): The tags.
    log_probs (dict[bytes, Floats32]): By the keys of texts: (n_tokens, n_tags) each, a row of zeros for a token that
        none of them sees.
    """

    scheme: str
    tags: tuple[str, ...]
    log_probs: dict[bytes, Floats32]


def read_teacher(model: str) -> Teacher:
    """Read what is known of a teacher, without loading it.

    model (str): Its folder, or the name of a package.
    RETURNS (Teacher): The teacher.
    RAISES (ValueError): TC292, if there is no pipeline; TC353, if its config cannot be read.
    """
    facts = model_facts(model)
    folder = get_package_path(model) if is_package(model) else Path(model)
    found = sorted(folder.glob("config.cfg")) or sorted(folder.glob("*/config.cfg"))  # a package has a folder inside
    if not found:
        raise ValueError(Errors.TC292.format(model=model))
    with explained(found[0]):
        return Teacher(model, facts["sha256"], fold_left_out(load_config(found[0])))


def ask_teachers(
    teachers: Sequence[Teacher],
    asked: Mapping[bytes, tuple[Doc, frozenset[int]]],
    *,
    types: Iterable[str] = (),
    component: str | None = None,
) -> Said:
    """Run each teacher once, on all texts that it is asked about. What several say is averaged: the mean of their
    probabilities.

    teachers (Sequence[Teacher]): The teachers.
    asked (Mapping[bytes, tuple[Doc, frozenset[int]]]): Texts by their keys, with the numbers of the teachers that are
        asked.
    types (Iterable[str]): The entity types that they have to know.
    component (str | None): The component of the teachers, if they have several.
    RETURNS (Said): What they said.
    RAISES (ValueError): TC255, if a teacher has no token classifier, or several; TC550, if teachers have other tags
        than the first one; TC552, if they do not know a type; TC062, if a logit is no finite number; as
            `load_pipeline`.
    """
    scheme, tags = "", tuple[str, ...]()
    sums: dict[bytes, Any] = {}  # of probabilities, as logarithms; minus infinity where nobody sees anything
    counts: dict[bytes, Any] = {}
    for number, teacher in enumerate(teachers):
        nlp = load_pipeline(teacher.model)
        pipe = find_component(nlp, component)
        unknown = sorted(set(types) - set(pipe.labels))
        if unknown:
            facts = {"types": ", ".join(unknown), "known": ", ".join(pipe.labels)}
            raise ValueError(Errors.TC552.format(model=teacher.model, **facts))
        if not tags:
            scheme, tags = pipe.cfg["scheme"], tuple(pipe.tags)
        elif (scheme, set(tags)) != (pipe.cfg["scheme"], set(pipe.tags)):
            facts = {"own": ", ".join(pipe.tags), "theirs": ", ".join(tags), "first": teachers[0].model}
            raise ValueError(Errors.TC550.format(model=teacher.model, **facts))
        columns = [pipe.tags.index(tag) for tag in tags]
        keys = [key for key, (_, who) in asked.items() if number in who]
        docs = [bare_copy(asked[key][0], nlp.vocab) for key in keys]
        for key, (doc, logits) in zip(keys, stream_logits(nlp, pipe, docs), strict=True):
            seen = visible_tokens(doc, np.asarray(logits.any(axis=1)))
            own = np.full((len(doc), len(tags)), -np.inf, dtype="float32")
            own[seen] = _log_probs(pipe, logits, seen)[:, columns]
            sums[key] = np.logaddexp(sums[key], own) if key in sums else own
            counts[key] = counts.get(key, 0) + seen
    log_probs = {key: np.zeros((0, len(tags)), dtype="float32") for key in asked}
    for key, total in sums.items():
        known = counts[key] > 0
        log_probs[key] = np.zeros_like(total)
        log_probs[key][known] = total[known] - np.log(counts[key][known, None].astype("float32"))
    return Said(scheme, tags, log_probs)


def _log_probs(pipe: TokenClassifier, logits: Floats32, seen: Bools) -> Floats32:
    """Give logarithms of the probabilities of tags: with a conditional random field, of their marginals; (n_seen,
    n_tags)."""
    if pipe.transitions is None or not seen.any():
        found: Floats32 = log_softmax(np, logits[seen])
        return found
    marginals = forward_backward(logits[seen], np.array([int(seen.sum())]), pipe.transitions)
    return np.log(np.maximum(marginals.tags, np.finfo("float64").tiny)).astype("float32")
