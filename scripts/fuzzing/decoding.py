"""Decoding: spans inside of their texts that do not overlap, with scores from 0 to 1; the best of all tag sequences,
and the probabilities, as they come out when all sequences are gone through one by one."""

import random
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from fuzzing.drawing import LABELS, coded, must
from spacy_tokclf.pipeline.decoding import VisibleTokens, decode_tokens
from spacy_tokclf.tags import SCHEMES, spans_to_tags, tags_to_spans
from spacy_tokclf.tags.chain import chain_loss, forward_backward
from spacy_tokclf.tags.decode import Decoder, best_tags, decode_spans, make_tag_table
from spacy_tokclf.tags.tuning import Tuning

SCHEME_NAMES = tuple(SCHEMES)
TYPES = tuple(label for label in LABELS if label not in ("O", "-"))
#: Sequences that may be gone through one by one.
FEW = 800
#: How far apart logits are: nothing, usually, confident, and what only a damaged model gives.
SCALES = (0.0, 1.0, 1.0, 5.0, 30.0, 1e3, 1e6, 1e30)


def judge(rng: random.Random, folder: Path) -> str:
    """Draw one input and judge it.

    rng (random.Random): Draws it.
    folder (Path): Not needed.
    RETURNS (str): What became of it.
    """
    try:
        return rng.choice((entities, entities, best, chances, losses))(rng)
    except ValueError as error:
        return coded(error)


def any_tags(rng: random.Random, most: int) -> tuple[list[str], str]:
    """Draw a label set, of which a checkpoint may lack some tags, and its scheme."""
    scheme = rng.choice(SCHEME_NAMES)
    prefixes = sorted(SCHEMES[scheme].prefixes)
    types = rng.sample(TYPES, rng.randint(1, most))
    tags = ["O", *(f"{prefix}-{type_}" if prefix else type_ for type_ in types for prefix in prefixes or [""])]
    if rng.random() < 0.3:
        tags = rng.sample(tags, rng.randint(1, len(tags)))
    return rng.sample(tags, len(tags)), scheme


def any_numbers(rng: random.Random, shape: tuple[int, ...], scale: float) -> Any:
    """Draw numbers: many of them equal, or all different."""
    drawn = np.random.default_rng(rng.getrandbits(32))
    found = drawn.integers(-2, 3, shape) if rng.random() < 0.3 else drawn.normal(0.0, 1.0, shape)
    return (found * scale).astype("float32")


def any_decoder(rng: random.Random, tags: list[str], scheme: str) -> Decoder:
    """Draw how to decode."""
    transitions = (
        any_numbers(rng, (len(tags), len(tags)), rng.choice((0.0, 1.0, 5.0, 300.0))) if rng.random() < 0.4 else None
    )
    return Decoder(make_tag_table(tags, scheme), rng.random() < 0.7, transitions, rng.choice((1.0, 1.0, 0.05, 20.0)))


def entities(rng: random.Random) -> str:
    """Decode texts, among whose tokens some are not seen; alone as together."""
    tags, scheme = any_tags(rng, 3)
    decoder = any_decoder(rng, tags, scheme)
    sizes = [rng.choice((0, 1, 2, 5, 9)) for _ in range(rng.randint(0, 4))]
    seen = [sorted(rng.sample(range(size), rng.randint(0, size))) for size in sizes]
    lengths = np.array([len(one) for one in seen], dtype="int64")
    positions = np.array([i for one in seen for i in one], dtype="int64")
    logits = any_numbers(rng, (len(positions), len(tags)), rng.choice(SCALES))
    tuning = Tuning()
    if rng.random() < 0.4:
        bias = {type_: rng.uniform(-8, 8) for type_ in decoder.table.types}
        tuning = Tuning(bias, decoder.temperature, rng.uniform(0.05, 8), rng.uniform(-9, 9))
    visible = VisibleTokens(logits, lengths, positions)
    spans = decode_tokens(visible, decoder, tuning=tuning)
    must(spans.score.dtype == np.float32, lambda: spans.score.dtype)
    must(((spans.score >= 0) & (spans.score <= 1)).all(), lambda: f"scores {spans.score}")
    columns = (spans.text, spans.start, spans.end, spans.type)
    found = list(zip(*(column.tolist() for column in columns), strict=True))
    must(found == sorted(found), lambda: f"{found} are not in order")
    last = (-1, 0)
    for text, start, end, type_ in found:
        must(0 <= start < end <= sizes[text] and 0 <= type_ < len(decoder.table.types), lambda: f"{found} in {sizes}")
        must((text, start) >= last or text != last[0], lambda: f"{found} overlap")
        must({start, end - 1} <= set(seen[text]), lambda: f"{found} begin or end where nothing is seen: {seen}")
        last = text, end
    threshold = rng.random()
    kept = spans.where(spans.score >= threshold)
    must(len(kept.score) == (spans.score >= threshold).sum(), lambda: f"{threshold} of {spans.score}")
    if decoder.transitions is not None and not decoder.constrained:
        return "decoded"  # by marginals, among which the last bit decides between equal ones
    alone = [one for i in range(len(sizes)) for one in decode_one(visible, i, decoder, tuning)]
    must([place for place, _ in alone] == found, lambda: f"together {found}, alone {alone}")
    apart = np.abs(np.array([score for _, score in alone]) - spans.score).max(initial=0)
    must(apart <= 1e-5, lambda: f"together {spans.score}, alone {alone}")
    return "decoded"


def decode_one(visible: VisibleTokens, text: int, decoder: Decoder, tuning: Tuning) -> list[tuple[Any, float]]:
    """Decode one text of a batch."""
    end = int(visible.lengths[: text + 1].sum())
    here = slice(end - int(visible.lengths[text]), end)
    part = VisibleTokens(visible.logits[here], visible.lengths[text : text + 1], visible.positions[here])
    spans = decode_tokens(part, decoder, tuning=tuning)
    places = zip(spans.start.tolist(), spans.end.tolist(), spans.type.tolist(), strict=True)
    return [((text, *place), score) for place, score in zip(places, spans.score.tolist(), strict=True)]


@cache
def all_paths(n_tags: int, length: int) -> Any:
    """Give all sequences of tags. Shape: (n_paths, length)."""
    return np.array(list(product(range(n_tags), repeat=length)), dtype="int64")


def any_few(rng: random.Random) -> tuple[list[str], str, int]:
    """Draw a label set and a length, whose sequences are few."""
    tags, scheme = any_tags(rng, rng.choice((1, 1, 2)))
    length = 1
    while len(tags) ** (length + 1) <= FEW and length < 5 and rng.random() < 0.8:
        length += 1
    return tags, scheme, length


def path_scores(paths: Any, logits: Any, transitions: Any) -> Any:
    """Add up the scores of each sequence. Shape: (n_paths,)."""
    scores = logits.astype("float64")[np.arange(paths.shape[1]), paths].sum(axis=1)
    if transitions is not None:
        scores = scores + transitions.astype("float64")[paths[:, :-1], paths[:, 1:]].sum(axis=1)
    return scores


def best(rng: random.Random) -> str:
    """Find the best valid sequence of tags."""
    tags, scheme, length = any_few(rng)
    decoder = any_decoder(rng, tags, scheme)._replace(constrained=True)
    logits = any_numbers(rng, (length, len(tags)), rng.choice(SCALES[:6]))
    found = best_tags(logits, np.array([length]), decoder)
    table, paths = decoder.table, all_paths(len(tags), length)
    valid = table.first[paths[:, 0]] & table.last[paths[:, -1]]
    valid &= table.follows[paths[:, :-1], paths[:, 1:]].all(axis=1)
    if not valid.any():  # without O, and with types that no single token can have
        return "none valid"
    is_found = (paths == found).all(axis=1)
    must(valid[is_found].all(), lambda: f"{[tags[i] for i in found]} of {tags}, {scheme}")
    scores = path_scores(paths, logits, decoder.transitions)
    must(
        np.isclose(scores[is_found], scores[valid].max(), rtol=1e-12, atol=1e-9).all(),
        lambda: f"{found.tolist()}: {scores[is_found]}, and not {scores[valid].max()}",
    )
    names = [tags[i] for i in found]
    spans = tags_to_spans(names, scheme)
    if set(tags) >= {tag for span in spans for tag in spans_to_tags([span], length, scheme)}:
        must(tags_to_spans(spans_to_tags(spans, length, scheme), scheme) == spans, lambda: f"{names} of {scheme}")
    places = decode_spans(logits, np.array([length]), decoder)
    own = list(zip(places.start.tolist(), places.end.tolist(), [table.types[i] for i in places.type], strict=True))
    must(own == spans, lambda: f"{names} read as {own}")
    return "best"


def chances(rng: random.Random) -> str:
    """Compute the probability of each tag of a text."""
    tags, _, length = any_few(rng)
    logits = any_numbers(rng, (length, len(tags)), rng.choice(SCALES[:6]))
    transitions = any_numbers(rng, (len(tags), len(tags)), rng.choice((0.0, 1.0, 5.0, 30.0, 300.0)))
    found = forward_backward(logits, np.array([length]), transitions)
    log_z, marginals, pairs = gone_through(all_paths(len(tags), length), logits, transitions)
    must(np.isclose(found.log_z, log_z, rtol=1e-9, atol=1e-6), lambda: f"log z {found.log_z}, and not {log_z}")
    must(np.abs(found.tags - marginals).max() < 1e-6, lambda: f"tags {found.tags}, and not {marginals}")
    must(np.abs(found.pairs - pairs).max() < 1e-6, lambda: f"pairs {found.pairs}, and not {pairs}")
    return "chances"


def gone_through(paths: Any, logits: Any, transitions: Any) -> tuple[float, Any, Any]:
    """Add up the probabilities of sequences: log of the partition function, marginals of tags, and expected pairs."""
    scores = path_scores(paths, logits, transitions)
    weights = np.exp(scores - scores.max())
    log_z = float(scores.max() + np.log(weights.sum()))
    weights /= weights.sum()
    n_tags = logits.shape[1]
    places = [np.bincount(column, weights, n_tags) for column in paths.T]
    both = [np.bincount(a * n_tags + b, weights, n_tags**2) for a, b in zip(paths.T, paths.T[1:], strict=False)]
    return log_z, np.array(places), sum(both, np.zeros(n_tags**2)).reshape(n_tags, n_tags)


def losses(rng: random.Random) -> str:
    """Compute the loss where some of gold is not known."""
    tags, _, length = any_few(rng)
    logits = any_numbers(rng, (length, len(tags)), rng.choice(SCALES[:5]))
    transitions = any_numbers(rng, (len(tags), len(tags)), rng.choice((0.0, 1.0, 5.0)))
    gold = np.array([rng.randrange(-1, len(tags)) for _ in range(length)])
    loss, by_logits, by_transitions = chain_loss(logits, np.array([length]), gold, transitions)
    paths = all_paths(len(tags), length)
    fits = ((gold < 0) | (paths == gold)).all(axis=1)
    free, clamped = gone_through(paths, logits, transitions), gone_through(paths[fits], logits, transitions)
    must(np.isclose(loss, free[0] - clamped[0], rtol=1e-9, atol=1e-6), lambda: f"{loss}, not {free[0] - clamped[0]}")
    must(np.abs(by_logits - (free[1] - clamped[1])).max() < 1e-6, lambda: f"by logits {by_logits}")
    must(np.abs(by_transitions - (free[2] - clamped[2])).max() < 1e-6, lambda: f"by transitions {by_transitions}")
    return "loss"
