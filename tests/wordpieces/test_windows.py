"""Windows over long texts: every token once, in order, never more pieces than fit."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_tokclf.wordpieces.windows import Window, check_window, split_windows

PIECES = st.lists(st.integers(0, 9), max_size=60)
QUICK = settings(max_examples=300, deadline=None)


def split(pieces, size, overlap):
    return split_windows(np.array(pieces, dtype="int64"), size=size, overlap=overlap)


@QUICK
@given(pieces=PIECES, size=st.integers(1, 25), overlap=st.integers(0, 30))
def test_every_token_is_owned_once_in_order(pieces, size, overlap):
    windows = split(pieces, size, overlap)
    owned = [i for window in windows for i in range(window.own_start, window.own_end)]
    assert owned == list(range(len(pieces)))
    for window in windows:
        assert window.start <= window.own_start < window.own_end <= window.end


@QUICK
@given(pieces=PIECES, size=st.integers(1, 25), overlap=st.integers(0, 30))
def test_windows_are_full_and_never_too_full(pieces, size, overlap):
    clipped = np.minimum(pieces, size)
    windows = split(pieces, size, overlap)
    for i, window in enumerate(windows):
        assert clipped[window.start : window.end].sum() <= size
        if i + 1 < len(windows):
            assert clipped[window.start : window.end + 1].sum() > size


@QUICK
@given(pieces=PIECES, size=st.integers(1, 25), overlap=st.integers(0, 30))
def test_windows_advance_and_overlap_no_more_than_asked(pieces, size, overlap):
    clipped = np.minimum(pieces, size)
    windows = split(pieces, size, overlap)
    for one, other in pairwise(windows):
        assert one.start < other.start <= one.end < other.end
        assert clipped[other.start : one.end].sum() <= overlap
    if windows:
        assert (windows[0].start, windows[-1].end) == (0, len(pieces))
    # Each window but the last holds more than size - longest pieces, and begins again at most `overlap` before its end.
    step = size - max(clipped, default=0) + 1 - min(overlap, size - 1)
    if step > 0:
        assert len(windows) <= 1 + clipped.sum() / step


@pytest.mark.parametrize("overlap", [0, 1, 4, 7, 8])
def test_owned_tokens_keep_half_the_overlap_as_context(overlap):
    windows = split([1] * 1000, 16, overlap)
    assert len(windows) == np.ceil((1000 - overlap) / (16 - overlap))
    for one, other in pairwise(windows[:-1]):
        assert one.end - one.own_end == overlap // 2
        assert other.own_start - other.start == (overlap + 1) // 2


def test_a_text_that_fits_is_one_window():
    assert split([2, 0, 3], 5, 2) == [Window(0, 3, 0, 3)]
    assert split([0, 0], 5, 2) == [Window(0, 2, 0, 2)]
    assert split([], 5, 2) == []


def test_a_token_longer_than_the_window_neither_crashes_nor_shifts_its_neighbours():
    assert split([1, 50, 1], 4, 2) == [Window(0, 1, 0, 1), Window(1, 2, 1, 2), Window(2, 3, 2, 3)]


@pytest.mark.parametrize(("size", "overlap"), [(10, 10), (10, 11), (1, 1), (-1, 0), (10, -1), (0, -1)])
def test_windows_that_cannot_advance_are_refused(size, overlap):
    with pytest.raises(ValueError, match="TC002"):
        check_window(size, overlap)


@pytest.mark.parametrize(("size", "overlap"), [(0, 0), (0, 64), (10, 9), (1, 0)])
def test_windows_that_advance_are_accepted(size, overlap):
    check_window(size, overlap)
