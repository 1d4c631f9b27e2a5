import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_tokclf.corpus import read_conll
from spacy_tokclf.corpus.batcher import make_length_batcher_v1

LENGTHS = st.lists(st.integers(0, 40), max_size=120)


def items_of(lengths):
    return ["x" * length for length in lengths]


def waste(batches):
    """Share of the padded size that is padding."""
    padded = sum(max(map(len, batch)) * len(batch) for batch in batches)
    return 1 - sum(len(item) for batch in batches for item in batch) / padded


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 9), st.integers(1, 5), st.integers(0, 60))
def test_every_item_once_and_within_limits(lengths, size, buffer, max_tokens):
    items = [(index,) * length for index, length in enumerate(lengths)]
    batches = list(make_length_batcher_v1(size, buffer, max_tokens)(items))
    assert Counter(item for batch in batches for item in batch) == Counter(items)
    for batch in batches:
        assert 1 <= len(batch) <= size
        assert not max_tokens or len(batch) == 1 or max(map(len, batch)) * len(batch) <= max_tokens


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 9), st.integers(1, 5))
def test_only_the_last_buffer_has_a_small_batch(lengths, size, buffer):
    batches = list(make_length_batcher_v1(size, buffer)(items_of(lengths)))
    assert len(batches) == -(-len(lengths) // size)
    assert sum(len(batch) < size for batch in batches) <= 1


def test_batches_hold_neighbours_in_length():
    lengths = [9, 1, 8, 2, 7, 3, 6, 4]
    batches = list(make_length_batcher_v1(2, 4)(items_of(lengths)))
    assert sorted(sorted(map(len, batch)) for batch in batches) == [[1, 2], [3, 4], [6, 7], [8, 9]]


def test_limit_of_the_padded_size_is_inclusive():
    batches = list(make_length_batcher_v1(9, 1, 8)(items_of([4, 4, 4, 9])))
    assert sorted(list(map(len, batch)) for batch in batches) == [[4], [4, 4], [9]]


def test_reads_one_buffer_ahead():
    read = []

    def stream():
        for i in range(1000):
            read.append(i)
            yield "x" * (i % 7)

    batches = make_length_batcher_v1(4, 5)(stream())
    assert read == []
    for count in range(1, 21):
        next(batches)
        assert len(read) == 20 * -(-count // 5)


def test_order_follows_the_seed_and_changes_between_epochs():
    items = [(index,) * (index % 5) for index in range(200)]
    batcher = make_length_batcher_v1(4, 50)
    random.seed(3)
    one, two = list(batcher(items)), list(batcher(items))
    random.seed(3)
    assert list(batcher(items)) == one
    assert one != two
    assert sorted(map(sorted, one)) != sorted(map(sorted, two))
    widths = [max(map(len, batch)) for batch in one]
    assert widths != sorted(widths)


def test_faulty_arguments():
    for arguments in ({"size": 0}, {"buffer": 0}, {"max_tokens": -1}):
        with pytest.raises(ValueError, match=rf"TC119.*{next(iter(arguments))}"):
            make_length_batcher_v1(**arguments)


def test_padding_left_on_wnut17(wnut17):
    posts = [record.words for record in read_conll(wnut17["train"])]
    random.seed(0)
    random.shuffle(posts)
    at_random = waste([posts[i : i + 16] for i in range(0, len(posts), 16)])
    by_length = waste(list(make_length_batcher_v1()(posts)))
    assert at_random > 0.35
    assert by_length < 0.04
