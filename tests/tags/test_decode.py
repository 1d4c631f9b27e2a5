"""Decoding: never an invalid sequence, the best of the valid ones, and scores as they are described."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_tokclf.tags.decode import Decoder, best_tags, decode_spans, make_tag_table, softmax
from spacy_tokclf.tags.schemes import SCHEMES, spans_to_tags, tags_to_spans

RESTRICTED = {"IOB2": "BI", "IOBES": "BIES", "BILOU": "BILU"}
TYPES = ["person", "creative-work", "B-side"]
QUICK = settings(max_examples=150, deadline=None)


def tags_of(scheme, types):
    prefixes = sorted(SCHEMES[scheme].prefixes)
    return ["O", *(f"{prefix}-{type_}" if prefix else type_ for type_ in types for prefix in prefixes or [""])]


def is_valid(tags, scheme):
    """A sequence is valid if it is what one would write for the spans that it is read as."""
    return spans_to_tags(tags_to_spans(tags, scheme), len(tags), scheme) == list(tags)


def named(ids, tags):
    return [tags[i] for i in ids]


def random_logits(seed, n, n_tags, scale=3.0):
    return np.random.RandomState(seed).normal(0.0, scale, (n, n_tags)).astype("float32")


def texts_of(lengths):
    ends = np.cumsum(lengths)
    return [(int(end - n), int(end)) for n, end in zip(lengths, ends, strict=True)]


def decode_names(logits, lengths, tags, scheme, *, constrained):
    """Decode, and give (text, start, end, label) with scores apart."""
    table = make_tag_table(tags, scheme)
    spans = decode_spans(logits, np.array(lengths, dtype="int64"), Decoder(table, constrained))
    columns = (spans.text.tolist(), spans.start.tolist(), spans.end.tolist(), [table.types[i] for i in spans.type])
    return list(zip(*columns, strict=True)), spans.score


LENGTHS = st.lists(st.integers(0, 12), max_size=6)
SEEDS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("scheme", sorted(RESTRICTED))
@QUICK
@given(seed=SEEDS, lengths=st.lists(st.integers(1, 12), min_size=1, max_size=6), data=st.data())
def test_constrained_decoding_is_always_valid(scheme, seed, lengths, data):
    tags = data.draw(st.permutations(tags_of(scheme, TYPES)))
    logits = random_logits(seed, sum(lengths), len(tags))
    table = make_tag_table(tags, scheme)
    best = best_tags(logits, np.array(lengths), Decoder(table, constrained=True))
    for start, end in texts_of(lengths):
        text = named(best[start:end], tags)
        assert is_valid(text, scheme)
        greedy = named(logits[start:end].argmax(axis=1), tags)
        if is_valid(greedy, scheme):
            assert text == greedy


BRUTE = [("IOB2", ["x", "y"]), ("IOBES", ["x"]), ("BILOU", ["x"])]


@pytest.mark.parametrize(("scheme", "types"), BRUTE)
@settings(max_examples=30, deadline=None)
@given(logits=st.integers(1, 5).flatmap(lambda n: st.lists(st.integers(-4, 4), min_size=5 * n, max_size=5 * n)))
def test_constrained_decoding_equals_brute_force(scheme, types, logits):
    tags = tags_of(scheme, types)
    table = make_tag_table(tags, scheme)
    rows = np.array(logits, dtype="float32").reshape(-1, 5)
    valid = [path for path in product(range(5), repeat=len(rows)) if is_valid(named(path, tags), scheme)]
    highest = max(sum(rows[i, tag] for i, tag in enumerate(path)) for path in valid)
    got = best_tags(rows, np.array([len(rows)]), Decoder(table, constrained=True))
    assert tuple(got.tolist()) in valid
    assert sum(rows[i, tag] for i, tag in enumerate(got)) == highest


@QUICK
@given(seed=SEEDS, lengths=LENGTHS)
def test_greedy_decoding_reads_tags_as_seqeval_does(seed, lengths):
    theirs = pytest.importorskip("seqeval.metrics.sequence_labeling")
    tags = tags_of("IOB2", TYPES)
    logits = random_logits(seed, sum(lengths), len(tags))
    got, _ = decode_names(logits, lengths, tags, "IOB2", constrained=False)
    expected = [
        (text, start, end + 1, label)
        for text, (begin, stop) in enumerate(texts_of(lengths))
        for label, start, end in theirs.get_entities(named(logits[begin:stop].argmax(axis=1), tags))
    ]
    assert got == expected


@pytest.mark.parametrize("constrained", [True, False])
@pytest.mark.parametrize("scheme", sorted(SCHEMES))
@QUICK
@given(seed=SEEDS, lengths=LENGTHS)
def test_spans_are_those_of_the_tags(scheme, constrained, seed, lengths):
    tags = tags_of(scheme, TYPES)
    table = make_tag_table(tags, scheme)
    logits = random_logits(seed, sum(lengths), len(tags))
    best = best_tags(logits, np.array([n for n in lengths if n], dtype="int64"), Decoder(table, constrained))
    got, _ = decode_names(logits, lengths, tags, scheme, constrained=constrained)
    assert got == [
        (text, *span)
        for text, (start, end) in enumerate(texts_of(lengths))
        for span in tags_to_spans(named(best[start:end], tags), scheme)
    ]


def naive_score(logits, tags, scheme, start, end, label):
    """Mean over the tokens of the probability of all tags of the type, in float64 and one by one."""
    total = 0.0
    for row in logits[start:end].astype("float64"):
        chances = np.exp(row - row.max()) / np.exp(row - row.max()).sum()
        total += sum(p for p, tag in zip(chances, tags, strict=True) if tag == label or tag.endswith(f"-{label}"))
    return total / (end - start)


@pytest.mark.parametrize("scheme", ["IOB2", "IOBES", "IO"])
@QUICK
@given(seed=SEEDS, lengths=LENGTHS, constrained=st.booleans(), scale=st.sampled_from([0.1, 3.0, 100.0]))
def test_scores_are_the_mean_mass_of_the_type(scheme, seed, lengths, constrained, scale):
    tags = tags_of(scheme, ["person", "creative-work"])
    logits = random_logits(seed, sum(lengths), len(tags), scale)
    spans, scores = decode_names(logits, lengths, tags, scheme, constrained=constrained)
    places = texts_of(lengths)
    for (text, start, end, label), score in zip(spans, scores, strict=True):
        begin = places[text][0]
        assert score == pytest.approx(naive_score(logits, tags, scheme, begin + start, begin + end, label), abs=1e-6)
        assert 0.0 <= score <= 1.0
    assert scores.dtype == np.float32


@QUICK
@given(seed=SEEDS, lengths=LENGTHS, constrained=st.booleans())
def test_a_batch_equals_its_texts_one_by_one(seed, lengths, constrained):
    tags = tags_of("IOB2", TYPES)
    logits = random_logits(seed, sum(lengths), len(tags))
    spans, scores = decode_names(logits, lengths, tags, "IOB2", constrained=constrained)
    alone = [
        ((text, *span[1:]), score)
        for text, (start, end) in enumerate(texts_of(lengths))
        for span, score in zip(
            *decode_names(logits[start:end], [end - start], tags, "IOB2", constrained=constrained), strict=True
        )
    ]
    assert spans == [span for span, _ in alone]
    np.testing.assert_allclose(scores, [score for _, score in alone], rtol=1e-6)


@pytest.mark.parametrize("constrained", [True, False])
@pytest.mark.parametrize(("lengths", "tags"), [([], ["O", "B-x", "I-x"]), ([0, 0], ["O", "B-x", "I-x"]), ([2], ["O"])])
def test_nothing_to_decode(constrained, lengths, tags):
    logits = np.ones((sum(lengths), len(tags)), dtype="float32")
    spans = decode_spans(logits, np.array(lengths, dtype="int64"), Decoder(make_tag_table(tags, "IOB2"), constrained))
    assert all(len(column) == 0 for column in spans)
    assert spans.score.dtype == np.float32


def test_empty_texts_keep_the_numbers_of_the_others():
    logits = np.array([[0, 9, 0], [9, 0, 0], [0, 9, 0]], dtype="float32")
    spans, _ = decode_names(logits, [0, 2, 0, 0, 1, 0], ["O", "B-x", "I-x"], "IOB2", constrained=True)
    assert spans == [(1, 0, 1, "x"), (4, 0, 1, "x")]


def test_an_entity_never_crosses_texts():
    logits = np.array([[0, 9, 0], [0, 0, 9], [0, 0, 9]], dtype="float32")
    tags = ["O", "B-x", "I-x"]
    assert decode_names(logits, [2, 1], tags, "IOB2", constrained=False)[0] == [(0, 0, 2, "x"), (1, 0, 1, "x")]
    # Alone an I- may not begin a text; the constrained reading takes the best that may.
    logits[2] = [5, 1, 9]
    assert decode_names(logits, [2, 1], tags, "IOB2", constrained=True)[0] == [(0, 0, 2, "x")]


def test_constraints_choose_the_whole_sequence():
    tags = ["O", "B-x", "I-x", "B-y", "I-y"]
    logits = np.array([[0, 4, 0, 3, 0], [0, 0, 3, 0, 9]], dtype="float32")
    assert decode_names(logits, [2], tags, "IOB2", constrained=False)[0] == [(0, 0, 1, "x"), (0, 1, 2, "y")]
    assert decode_names(logits, [2], tags, "IOB2", constrained=True)[0] == [(0, 0, 2, "y")]


INCOMPLETE = [
    ("IOB2", ["O", "B-x", "I-y"], [2, 2, 1]),
    ("IOB2", ["O", "I-x", "B-y", "I-y"], [1, 1, 0]),
    ("IOBES", ["O", "B-x", "I-x", "S-y"], [1, 2, 0]),
    ("BILOU", ["O", "I-x", "L-x"], [1, 1, 2]),
]


@pytest.mark.parametrize(("scheme", "tags", "wanted"), INCOMPLETE)
def test_a_type_without_all_its_tags_can_still_be_found(scheme, tags, wanted):
    logits = np.zeros((len(wanted), len(tags)), dtype="float32")
    logits[np.arange(len(wanted)), wanted] = 9.0
    best = best_tags(logits, np.array([len(wanted)]), Decoder(make_tag_table(tags, scheme), constrained=True))
    assert best.tolist() == wanted


def test_softmax_of_large_numbers():
    logits = np.array([[1e4, 0, -1e4], [-3e38, 3e38, 0], [0, 0, 0]], dtype="float32")
    with np.errstate(over="ignore"):
        rows = softmax(logits)
    assert np.isfinite(rows).all()
    np.testing.assert_allclose(rows.sum(axis=1), 1.0, rtol=1e-6)
    np.testing.assert_allclose(rows[2], 1 / 3, rtol=1e-6)


def test_equal_logits_decode_to_something_valid():
    for scheme in RESTRICTED:
        for tags in (tags_of(scheme, ["x"]), tags_of(scheme, ["x"])[::-1]):
            best = best_tags(
                np.zeros((6, len(tags)), "float32"),
                np.array([1, 2, 3]),
                Decoder(make_tag_table(tags, scheme), constrained=True),
            )
            assert all(is_valid(named(best[a:b], tags), scheme) for a, b in texts_of([1, 2, 3]))
