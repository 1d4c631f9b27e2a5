"""The span group of a component: its entities and their scores stay together when tokens are merged or split."""

import contextlib
import struct
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, cast

import srsly
from spacy.tokens import Doc, Span, SpanGroup

from ..types import SCORES

#: A span in the bytes of a group: id, kb_id, label, first token, one past the last, and the same in characters.
SPAN = struct.Struct(">QQQllll")
#: The attributes where spaCy keeps them.
_ATTRS: Any = SpanGroup.attrs
_set_span: Any = vars(SpanGroup)["__setitem__"]


class EntityGroup(SpanGroup):
    """A span group that follows its text through retokenization.

    spaCy's group counts in tokens, so that after `doc.retokenize` its spans lie elsewhere, or nowhere: `to_bytes`
    raises an error, or the scores are those of other words. This one finds its spans again by their characters,
    whenever it is asked for anything. A span that begins or ends inside a token now is gone, and so is its score.
    """

    #: How many spans there were when they were last seen to be in order.
    _n_in_order = -1

    @property
    def attrs(self) -> dict[str, Any]:
        """RETURNS (dict[str, Any]): The attributes of the group; "scores" are in the order of its spans."""
        self._follow()
        found: dict[str, Any] = _ATTRS.__get__(self)
        return found

    @attrs.setter
    def attrs(self, value: dict[str, Any]) -> None:
        _ATTRS.__set__(self, value)

    @property
    def is_in_order(self) -> bool:
        """RETURNS (bool): Whether its spans lie one after the other, as the component put them. Looked at once."""
        n_spans = SpanGroup.__len__(self)
        if self._n_in_order != n_spans:
            places = [_place(SpanGroup.__getitem__(self, i)) for i in range(n_spans)]
            if any(one[1] > other[0] for one, other in pairwise(places)):
                return False
            self._n_in_order = n_spans
        return True

    def __len__(self) -> int:
        self._follow()
        return SpanGroup.__len__(self)

    def __iter__(self) -> Iterator[Span]:
        self._follow()
        return iter([SpanGroup.__getitem__(self, i) for i in range(SpanGroup.__len__(self))])

    def __getitem__(self, i: int) -> Span:
        self._follow()
        return SpanGroup.__getitem__(self, i)

    def __setitem__(self, i: int, span: Span) -> None:
        before = self[i]
        _set_span(self, i, span)
        self._n_in_order = -1
        scores = self.attrs.get(SCORES)
        if scores is not None and _place(before) != _place(span) and -len(self) <= i < len(scores):
            scores[i] = None  # whatever the span is, nobody scored it

    def __delitem__(self, i: int) -> None:
        self[i]  # an index that is not there is spaCy's error
        kept = list(range(len(self)))
        del kept[i]
        self._keep(kept)

    def to_bytes(self) -> bytes:
        """RETURNS (bytes): The group as spaCy stores it."""
        self._follow()
        return SpanGroup.to_bytes(self)

    def from_bytes(self, bytes_data: bytes) -> "EntityGroup":
        """Read what `to_bytes` gave.

        bytes_data (bytes): The bytes.
        RETURNS (EntityGroup): Itself.
        """
        SpanGroup.from_bytes(self, bytes_data)
        self._n_in_order = -1
        return self

    def copy(self, doc: Doc | None = None) -> "EntityGroup":
        """Copy the group.

        doc (Doc | None): Another Doc of the same text, which the copy belongs to.
        RETURNS (EntityGroup): The copy.
        """
        self._follow()
        plain = SpanGroup.copy(self, doc)
        return EntityGroup(plain.doc, name=plain.name, attrs=plain.attrs, spans=list(plain))

    def _follow(self) -> None:
        """Find the spans again, if the tokens are others than before."""
        doc: Doc | None = cast(Any, self)._doc_ref()
        if doc is None:  # gone, and the scores are all that is left
            return
        try:
            spans: Iterable[Span] = [SpanGroup.__getitem__(self, i) for i in range(SpanGroup.__len__(self))]
            if all(_fits(span, doc) for span in spans):
                return
        except IndexError:  # a span beyond the last token
            pass
        first = {token.idx: token.i for token in doc}
        last = {token.idx + len(token): token.i + 1 for token in doc}
        _, rows = unpack_group(SpanGroup.to_bytes(self))
        places = [(first.get(row[5]), last.get(row[6])) for row in rows]
        moved = [(*row[:3], *place, *row[5:]) for row, place in zip(rows, places, strict=True)]
        self._keep([i for i, (start, end) in enumerate(places) if start is not None and end is not None], moved)

    def _keep(self, kept: Sequence[int], rows: Sequence[tuple[Any, ...]] | None = None) -> None:
        """Keep some spans, in other tokens if `rows` says so, with their scores."""
        msg, found = unpack_group(SpanGroup.to_bytes(self))
        rows = found if rows is None else rows
        attrs: dict[str, Any] = dict(_ATTRS.__get__(self))
        if attrs.get(SCORES) is not None:
            attrs[SCORES] = [attrs[SCORES][i] for i in kept if i < len(attrs[SCORES])]
        msg["spans"] = [SPAN.pack(*rows[i]) for i in kept]
        SpanGroup.from_bytes(self, srsly.msgpack_dumps({**msg, "attrs": {}}))
        _ATTRS.__set__(self, attrs)


def _fits(span: Span, doc: Doc) -> bool:
    """Tell whether the tokens of a span are still its characters."""
    if not span.start < span.end:
        return True
    last = doc[span.end - 1]
    return bool(doc[span.start].idx == span.start_char and last.idx + len(last) == span.end_char)


def _place(span: Span) -> tuple[int, int, int]:
    return span.start_char, span.end_char, span.label


def unpack_group(data: bytes) -> tuple[dict[str, Any], list[tuple[int, ...]]]:
    """Read the bytes of a span group. No `Span` is made, which a span of tokens that are gone could not be.

    data (bytes): What `SpanGroup.to_bytes` gives.
    RETURNS (tuple[dict[str, Any], list[tuple[int, ...]]]): The message, and per span the fields of `SPAN`.
    """
    msg = srsly.msgpack_loads(data)
    return msg, [SPAN.unpack(row) for row in msg["spans"]]


def span_scores(group: SpanGroup | None) -> dict[tuple[int, int, int], float]:
    """Give the scores of the spans in a group. They are found by characters, so that they stay right if tokens were
    merged or split since. Spans that somebody added have none; if some were taken out of a plain group, nothing tells
    whose the scores are, and there are none.

    group (SpanGroup | None): The group of a component, or none.
    RETURNS (dict[tuple[int, int, int], float]): Scores by first character, one past the last, and label.
    """
    scores = group.attrs.get(SCORES) if group is not None else None
    if group is None or not scores:
        return {}
    try:
        # A group of ours has followed the text by now; asked by its own methods, it would look again for each span.
        places = [_place(SpanGroup.__getitem__(group, i)) for i in range(SpanGroup.__len__(group))]
    except IndexError:  # a plain group, of more tokens than there are now
        places = [(row[5], row[6], row[2]) for row in unpack_group(group.to_bytes())[1]]
    if len(places) < len(scores):
        return {}
    return {place: float(score) for place, score in zip(places, scores, strict=False) if score is not None}


def span_score(group: SpanGroup | None, span: Span) -> float | None:
    """Give the score of one span, as `span_scores` does, in a few looks where the group is in the order of the text.

    group (SpanGroup | None): The group of a component, or none.
    span (Span): The span.
    RETURNS (float | None): Its score, if it has one.
    """
    if group is None:
        return None
    place = _place(span)
    with contextlib.suppress(IndexError):  # more tokens than there are now
        n_spans, scores = SpanGroup.__len__(group), _ATTRS.__get__(group).get(SCORES) or ()
        index = bisect_left(range(n_spans), place[:2], key=lambda i: _place(SpanGroup.__getitem__(group, i))[:2])
        hit = SpanGroup.__getitem__(group, index) if index < n_spans else None
        if hit is not None and _place(hit) == place:
            if _fits(hit, span.doc) and index < len(scores) <= n_spans:
                return None if scores[index] is None else float(scores[index])
        elif isinstance(group, EntityGroup) and group.is_in_order:
            return None
    return span_scores(group).get(place)
