"""Texts with character offsets to Docs: spans of characters become entities of whole tokens.

Nothing that an annotator marked is ever taught as O: a token that a span touches, and that gets no entity, has a
missing value.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from spacy.language import Language
from spacy.tokens import Doc
from spacy.tokens import Span as DocSpan
from spacy.vocab import Vocab

from ..errors import Errors
from .docs import record_to_doc, set_scores
from .offset_report import OffsetReport
from .records import CharSpan, Record, TextRecord

MISALIGNED = ("mask", "expand", "contract", "error")
OVERLAPS = ("error", "first", "longest")


def text_records_to_docs(
    records: Iterable[TextRecord | Record],
    nlp: Language,
    *,
    on_misaligned: str = "mask",
    overlap: str = "error",
    keep_tokens: bool = False,
    name: str = "",
    report: OffsetReport | None = None,
) -> Iterator[Doc]:
    """Stream texts as reference Docs, and warn once at the end (TW110) of spans that did not fit and of marks that are
    no entities.

    records (Iterable[TextRecord | Record]): The texts; those with tokens and tags become Docs as they are.
    nlp (Language): The pipeline whose tokenizer is used.
    on_misaligned (str): What becomes of a span that begins or ends inside a token: "mask": all tokens it touches have a
        missing value; "expand": it takes them all; "contract": it keeps the tokens that lie inside, and the others that
        it touches have a missing value; "error".
    overlap (str): What becomes of spans that overlap: "error"; or the "longest" or the "first" is kept, and tokens that
        only the other covers have a missing value.
    keep_tokens (bool): Whether to take the tokens that the file gives, where it does.
    name (str): What the corpus is called in the warning; "" takes the file of the first text.
    report (OffsetReport | None): Where to count what happened to the spans, instead of the warning.
    YIELDS (Doc): One Doc a text.
    RAISES (ValueError): TC165, TC166, TC167, TC170, TC171; TC174, after the last text, if something is marked in them
        and not one token has gold.
    """
    counts = OffsetReport() if report is None else report
    rules = {"on_misaligned": on_misaligned, "overlap": overlap}
    for record in records:
        name = name or record.path
        if isinstance(record, Record):
            doc = record_to_doc(record, nlp.vocab)
            counts.texts += 1
            counts.labels.update(label for _, _, label in record.spans)
        else:
            doc = text_record_to_doc(record, nlp, **rules, keep_tokens=keep_tokens, report=counts)
        counts.add_doc(doc)
        yield doc
    counts.check(name)
    if report is None:
        counts.warn(name)


def text_record_to_doc(
    record: TextRecord,
    nlp: Language,
    *,
    on_misaligned: str = "mask",
    overlap: str = "error",
    keep_tokens: bool = False,
    report: OffsetReport | None = None,
) -> Doc:
    """Make a reference Doc of one text; the arguments are those of text_records_to_docs.

    record (TextRecord): The text.
    nlp (Language): The pipeline whose tokenizer is used.
    report (OffsetReport | None): Where to count what happened to the spans.
    RETURNS (Doc): The Doc, its entities set.
    RAISES (ValueError): TC165, TC166, TC167, TC170, TC171.
    """
    check_choice("on_misaligned", on_misaligned, MISALIGNED)
    check_choice("overlap", overlap, OVERLAPS)
    report = OffsetReport() if report is None else report
    report.add_text(record)
    doc = bare_doc(record, nlp, keep_tokens=keep_tokens)
    tokens = _Tokens(doc)
    marked = _trimmed(record, report)
    kept = _resolve(record, marked, [span[:2] for span in marked], overlap, report)
    bounds = [tokens.place(span, record, on_misaligned, report) for span in kept]
    placed = [(*bound, span) for bound, span in zip(bounds, kept, strict=True) if bound is not None]
    chosen = set(_resolve(record, [p[2] for p in placed], [p[:2] for p in placed], overlap, report))
    ents = [DocSpan(doc, start, end, label=span[2]) for start, end, span in placed if span in chosen]
    unlearned = (*record.missing, *(mark.place for mark in record.marks if mark.place), *(span[:2] for span in marked))
    missing: set[int] = set()
    missing.update(*(range(*tokens.touched(start, end)) for start, end in unlearned))
    missing.difference_update(i for ent in ents for i in range(ent.start, ent.end))
    doc.set_ents(ents, missing=[doc[i : i + 1] for i in sorted(missing)])
    if record.scores:
        scores = {_trim(span, record.text): score for span, score in record.scores.items()}
        at = [(start, end, span) for start, end, span in placed if span in chosen and span in scores]
        set_scores(doc, {(start, end, span[2]): scores[span] for start, end, span in at})
    return doc


def bare_doc(record: TextRecord, nlp: Language, *, keep_tokens: bool = False) -> Doc:
    """Make a Doc of a text without its annotation.

    record (TextRecord): The text.
    nlp (Language): The pipeline whose tokenizer is used.
    keep_tokens (bool): Whether to take the tokens that the record gives, where it does.
    RETURNS (Doc): The tokens.
    RAISES (ValueError): TC170, TC171.
    """
    given = record.tokens is not None and (keep_tokens or record.own_tokens)
    return _use_tokens(record, nlp.vocab) if given else _tokenize(record, nlp)


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

    kept: list[tuple[int, int, int]] = []  # start, end and index, in the order of the text
    for i in sorted(range(len(spans)), key=rank):
        start, end = spans[i]
        at = bisect_left(kept, (start, end, i))
        if (not at or kept[at - 1][1] <= start) and (at == len(kept) or kept[at][0] >= end):
            insort(kept, (start, end, i))
    return [i for _, _, i in kept]


def check_choice(name: str, value: str, choices: Iterable[str]) -> None:
    """Refuse a value that is not among the choices.

    name (str): What it is the value of.
    value (str): The value.
    choices (Iterable[str]): The choices.
    RAISES (ValueError): TC167.
    """
    if value not in choices:
        raise ValueError(Errors.TC167.format(name=name, value=value, choices=", ".join(choices)))


class _Tokens:
    """Where the tokens of a Doc begin and end."""

    def __init__(self, doc: Doc) -> None:
        self.doc, self.text = doc, doc.text  # which spaCy puts together each time
        self.starts = [token.idx for token in doc]
        self.ends = [token.idx + len(token) for token in doc]

    def touched(self, start: int, end: int) -> tuple[int, int]:
        """Give the first token that a span of characters touches, and the one after the last."""
        return bisect_right(self.ends, start), bisect_left(self.starts, end)

    def place(
        self, span: CharSpan, record: TextRecord, on_misaligned: str, report: OffsetReport
    ) -> tuple[int, int] | None:
        """Give the tokens of an entity, None if it gets none."""
        start, end, _ = span
        first, last = self.touched(start, end)
        if self._covers(first, last, start, end):
            return first, last
        if on_misaligned == "error":
            words = [self.doc[i].text for i in range(first, last)]
            raise ValueError(Errors.TC166.format(where=record.where, span=record.show(span), tokens=words))
        bounds = self._inside(start, end) if on_misaligned == "contract" else (first, last)
        kind = on_misaligned if bounds[0] < bounds[1] else "mask"
        report.add(kind, record, span)
        return None if kind == "mask" else bounds

    def _covers(self, first: int, last: int, start: int, end: int) -> bool:
        """Tell whether tokens are a span of characters, give or take white space inside the outer tokens."""
        begin, stop = self.starts[first], self.ends[last - 1]
        text = self.text
        return begin <= start and end <= stop and not text[begin:start].strip() and not text[end:stop].strip()

    def _inside(self, start: int, end: int) -> tuple[int, int]:
        """Give the tokens that lie inside a span, without white space at either end."""
        first, last = bisect_left(self.starts, start), bisect_right(self.ends, end)
        while first < last and self.doc[first].is_space:
            first += 1
        while first < last and self.doc[last - 1].is_space:
            last -= 1
        return first, last


def _tokenize(record: TextRecord, nlp: Language) -> Doc:
    """Tokenise a text, and make sure that its offsets still hold."""
    doc = nlp.tokenizer(record.text)  # without the limit of `nlp.make_doc`, which is one of parsers
    if doc.text != record.text:
        raise ValueError(Errors.TC171.format(where=record.where, found=doc.text[:60]))
    return doc


def _use_tokens(record: TextRecord, vocab: Vocab) -> Doc:
    """Make a Doc of the tokens of a text. White space between them that is more than one blank becomes a token, as in
    spaCy's own tokenizers, so that no character is lost.

    record (TextRecord): The text, with its tokens.
    vocab (Vocab): Vocabulary of the Doc.
    RETURNS (Doc): The Doc, without entities; its spaces unknown if the record says so.
    RAISES (ValueError): TC170 if the tokens overlap, or leave more out than white space.
    """
    text, tokens = record.text, record.tokens or []
    words = [text[start:end] for start, end in tokens]
    if record.unknown_spaces and text == " ".join(words):
        return Doc(vocab, words=words)
    words = []
    spaces: list[bool] = []
    at = 0
    for start, end in (*tokens, (len(text), len(text))):
        gap = text[at:start]
        if start < at or (gap and not gap.isspace()):
            detail = f"a token begins at {start}, before the last one ends at {at}."
            if start >= at:
                detail = f"no token has the characters {gap!r} at ({at}, {start})."
            raise ValueError(Errors.TC170.format(where=record.where, detail=detail))
        if gap.startswith(" ") and words:
            spaces[-1], gap = True, gap[1:]
        if gap:
            words.append(gap)
            spaces.append(False)
        if start < end:
            words.append(text[start:end])
            spaces.append(False)
        at = end
    return Doc(vocab, words=words, spaces=spaces)


def _trimmed(record: TextRecord, report: OffsetReport) -> list[CharSpan]:
    """Take white space off the ends of the spans, and doubles out."""
    spans = []
    for span in dict.fromkeys(record.spans):
        text = record.text[span[0] : span[1]]
        if not text.strip():
            report.add("blank", record, span)
            continue
        if text != text.strip():
            report.add("trim", record, span)
        spans.append(_trim(span, record.text))
    return list(dict.fromkeys(spans))


def _trim(span: CharSpan, text: str) -> CharSpan:
    """Take white space off the ends of a span."""
    start, end, label = span
    inside = text[start:end]
    return start + len(inside) - len(inside.lstrip()), start + len(inside.rstrip()), label


def _resolve(
    record: TextRecord, spans: list[CharSpan], bounds: list[tuple[int, int]], rule: str, report: OffsetReport
) -> list[CharSpan]:
    """Choose spans that do not overlap, in characters or in tokens."""
    pair = find_overlap(bounds)
    if pair is None:
        return spans
    if rule == "error":
        one, other = (record.show(spans[i]) for i in pair)
        raise ValueError(Errors.TC165.format(where=record.where, one=one, other=other))
    kept = keep_spans(bounds, rule)
    for i in set(range(len(spans))) - set(kept):
        report.add("overlap", record, spans[i])
    return [spans[i] for i in kept]
