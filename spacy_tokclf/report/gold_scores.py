"""The scores that a token classifier would give the gold entities, whether it predicts them or not."""

from collections.abc import Sequence

import numpy as np
from spacy.tokens import Doc

from ..pipeline.decoding import find_visible
from ..pipeline.token_classifier import TokenClassifier
from ..tags.decode import type_probabilities
from ..tags.tuning import bias_of_tags, calibrate
from ..types import Floats32, Ints

#: Start, end (exclusive) and type.
_Entity = tuple[int, int, str]


def gold_scores(
    pipe: TokenClassifier, docs: Sequence[Doc], logits: Sequence[Floats32], gold: Sequence[Sequence[_Entity]]
) -> list[list[float]]:
    """Score gold entities as the component scores what it predicts: a low score says that it is sure of something else.

    pipe (TokenClassifier): The component.
    docs (Sequence[Doc]): The texts that it saw.
    logits (Sequence[Floats32]): What its model gave for them. Shape: (n_tokens, n_tags) each.
    gold (Sequence[Sequence[tuple[int, int, str]]]): Start, end (exclusive) and type of the entities of each text, in
        its tokens.
    RETURNS (list[list[float]]): Their scores; nan for types that the component does not have, and for tokens that it
        does not see.
    """
    tokens, lengths, positions = find_visible(docs, logits)
    types = [_types(len(doc), entities, pipe.labels) for doc, entities in zip(docs, gold, strict=True)]
    base = np.cumsum([0, *(len(doc) for doc in docs)])
    at = np.repeat(base[:-1], lengths) + positions  # (n_visible,): place of each among all tokens
    probability = np.full(base[-1], np.nan)
    if len(tokens):
        tuning, decoder = pipe.tuning, pipe.decoder
        if any(tuning.bias.values()):
            tokens = tokens + bias_of_tags(tuning, decoder.table)
        chosen = np.concatenate(types)[at]
        scaled = decoder._replace(temperature=tuning.temperature)
        found = type_probabilities(tokens, lengths[lengths > 0], chosen, scaled)
        probability[at] = np.where(chosen >= 0, found, np.nan)
    return [
        [_mean(probability[first + start : first + end], pipe) for start, end, _ in entities]
        for first, entities in zip(base.tolist(), gold, strict=False)
    ]


def _types(length: int, entities: Sequence[_Entity], labels: Sequence[str]) -> Ints:
    """Give the index of the gold type of each token, -1 for none and for those that are not among the labels."""
    types = np.full(length, -1, dtype="int64")
    for start, end, label in entities:
        types[start:end] = labels.index(label) if label in labels else -1
    return types


def _mean(probability: np.ndarray, pipe: TokenClassifier) -> float:
    """Give the score of one entity, from those of its tokens that the component sees."""
    seen = probability[~np.isnan(probability)]
    return float(calibrate(np.array([seen.mean()], dtype="float32"), pipe.tuning)[0]) if len(seen) else np.nan
