"""Of spans that overlap, keep those that a rule prefers."""

from collections.abc import Sequence
from itertools import pairwise

OVERLAPS = ("error", "first", "longest")


def find_overlap(spans: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """Look for two spans that overlap.

    spans (Sequence[tuple[int, int]]): Start and end (exclusive), in any order.
    RETURNS (tuple[int, int] | None): Indices of the first two, by their place in the text; None if there are none.
    """
    order = sorted(range(len(spans)), key=lambda i: (*spans[i], i))
    return next(((i, j) for i, j in pairwise(order) if spans[i][1] > spans[j][0]), None)


def keep_spans(spans: Sequence[tuple[int, int]], rule: str) -> list[int]:
    """Choose spans that do not overlap.

    spans (Sequence[tuple[int, int]]): Start and end (exclusive), in any order.
    rule (str): "longest": a longer span wins, of equal ones the one that begins first; "first": the span that begins
        first wins, of several the longest. Of spans with the same place, the one that stands first in the list.
    RETURNS (list[int]): Indices of those kept, by their place in the text.
    """

    def rank(i: int) -> tuple[int, int, int]:
        start, end = spans[i]
        return (start - end, start, i) if rule == "longest" else (start, start - end, i)

    kept: list[int] = []
    for i in sorted(range(len(spans)), key=rank):
        start, end = spans[i]
        if all(end <= spans[j][0] or start >= spans[j][1] for j in kept):
            kept.append(i)
    return sorted(kept, key=lambda i: spans[i])
