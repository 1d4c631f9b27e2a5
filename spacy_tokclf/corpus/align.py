"""Texts with character offsets to Docs: spans of characters become entities of whole tokens.

Nothing that an annotator marked is ever taught as O: a token that a span touches, and that gets no entity, has a
missing value.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

from spacy.language import Language
from spacy.tokens import Doc
from spacy.tokens import Span as DocSpan

from ..errors import Errors
from .forms.jsonl import check_choice
from .given_tokens import doc_of_given_tokens
from .offset_report import OffsetReport
from .overlaps import OVERLAPS, find_overlap, keep_spans
from .text_records import CharSpan, TextRecord

MISALIGNED = ("mask", "expand", "contract", "error")


def text_records_to_docs(
    records: Iterable[TextRecord],
    nlp: Language,
    *,
    on_misaligned: str = "mask",
    overlap: str = "error",
    keep_tokens: bool = False,
    name: str = "",
    report: OffsetReport | None = None,
) -> Iterator[Doc]:
    """Stream texts as reference Docs, and warn once at the end (TW110) of spans that did not fit.

    records (Iterable[TextRecord]): The texts.
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
    RAISES (ValueError): TC165, TC166, TC167, TC170, TC171.
    """
    counts = OffsetReport() if report is None else report
    for record in records:
        name = name or record.path
        yield text_record_to_doc(
            record, nlp, on_misaligned=on_misaligned, overlap=overlap, keep_tokens=keep_tokens, report=counts
        )
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
    given = keep_tokens and record.tokens is not None
    doc = doc_of_given_tokens(record, nlp.vocab) if given else _tokenize(record, nlp)
    tokens = _Tokens(doc)
    marked = _trimmed(record, report)
    kept = _resolve(record, marked, [span[:2] for span in marked], overlap, report)
    bounds = [tokens.place(span, record, on_misaligned, report) for span in kept]
    placed = [(*bound, span) for bound, span in zip(bounds, kept, strict=True) if bound is not None]
    chosen = _resolve(record, [p[2] for p in placed], [p[:2] for p in placed], overlap, report)
    ents = [DocSpan(doc, start, end, label=span[2]) for start, end, span in placed if span in chosen]
    touched = [tokens.touched(start, end) for start, end in (*record.missing, *(span[:2] for span in marked))]
    missing = {i for first, last in touched for i in range(first, last)}
    missing.difference_update(i for ent in ents for i in range(ent.start, ent.end))
    doc.set_ents(ents, missing=[doc[i : i + 1] for i in sorted(missing)])
    return doc


class _Tokens:
    """Where the tokens of a Doc begin and end."""

    def __init__(self, doc: Doc) -> None:
        self.doc = doc
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
        text = self.doc.text
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
    doc = nlp.make_doc(record.text)
    if doc.text != record.text:
        raise ValueError(Errors.TC171.format(where=record.where, found=doc.text[:60]))
    return doc


def _trimmed(record: TextRecord, report: OffsetReport) -> list[CharSpan]:
    """Take white space off the ends of the spans, and doubles out."""
    spans = []
    for span in dict.fromkeys(record.spans):
        start, end, label = span
        text = record.text[start:end]
        if not text.strip():
            report.add("blank", record, span)
            continue
        if text != text.strip():
            report.add("trim", record, span)
            start, end = start + len(text) - len(text.lstrip()), start + len(text.rstrip())
        spans.append((start, end, label))
    return list(dict.fromkeys(spans))


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
