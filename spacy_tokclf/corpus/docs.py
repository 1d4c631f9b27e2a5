"""Docs with gold entities: made from records, turned into records, and copied without annotation.

The Docs keep the gold tokens and say that the spaces between them are unknown, so that spaCy's corpus reader trains and
scores on exactly these tokens instead of tokenising an invented text anew.
"""

import warnings
from collections.abc import Iterable, Iterator, Mapping

from spacy.tokens import Doc, SpanGroup
from spacy.tokens import Span as DocSpan
from spacy.vocab import Vocab

from ..errors import Errors, Warnings
from ..tags import MISSING, OUTSIDE, Span, is_missing
from ..types import SCORES
from .label_warnings import warn_of_labels
from .records import Record

#: Key of the span group that scores are read into, the default of the component.
SCORES_KEY = "entities"


def bare_copy(doc: Doc, vocab: Vocab) -> Doc:
    """Copy the tokens of a Doc and the spaces between them, without any annotation: what a pipeline gets to annotate.

    doc (Doc): The Doc.
    vocab (Vocab): Vocabulary of the copy.
    RETURNS (Doc): The copy; its spaces are unknown if those of the Doc are.
    """
    spaces = None if doc.has_unknown_spaces else [bool(token.whitespace_) for token in doc]
    return Doc(vocab, words=[token.text for token in doc], spaces=spaces)


def record_to_doc(record: Record, vocab: Vocab) -> Doc:
    """Make a reference Doc: gold tokens, spaces unknown, `doc.ents` set, missing tags kept missing.

    record (Record): The post. Entities are trimmed of white-space tokens at their ends.
    vocab (Vocab): Vocabulary of the Doc.
    RETURNS (Doc): The Doc, its `user_data` empty.
    """
    doc = Doc(vocab, words=record.words)
    ents = [DocSpan(doc, start, end, label=label) for start, end, label in _trim(record)]
    missing = [doc[i : i + 1] for i, tag in enumerate(record.tags) if is_missing(tag)]
    doc.set_ents(ents, missing=missing)
    if record.scores:
        places = {(ent.start, ent.end, ent.label_) for ent in ents}
        set_scores(doc, {span: score for span, score in record.scores.items() if span in places})
    return doc


def doc_to_record(doc: Doc) -> Record:
    """Read the gold of a Doc as a record.

    doc (Doc): A Doc with entities; tokens without entity annotation are missing values.
    RETURNS (Record): Its tokens and IOB2 tags, and the scores of entities that have one.
    """
    tags = []
    for token in doc:
        if token.ent_type:
            tags.append(f"{token.ent_iob_}-{token.ent_type_}")
        else:
            tags.append(OUTSIDE if token.ent_iob else MISSING)
    return Record([token.text for token in doc], tags, scores=doc_scores(doc))


def records_to_docs(records: Iterable[Record], vocab: Vocab) -> Iterator[Doc]:
    """Stream records as reference Docs. Warn once at the end if entities had to be trimmed (TW101), and of types that
    differ in outer white space only (TW121).

    records (Iterable[Record]): The posts.
    vocab (Vocab): Vocabulary of the Docs.
    YIELDS (Doc): One Doc a record, as record_to_doc makes it.
    """
    spans, trimmed, first, name = 0, 0, "", ""
    labels: set[str] = set()
    for record in records:
        gold = record.spans
        labels.update(label for _, _, label in gold)
        name = name or record.path
        changed = len(set(gold) - set(_trim(record)))
        spans, trimmed = spans + len(gold), trimmed + changed
        first = first or (record.where if changed else "")
        yield record_to_doc(record, vocab)
    if trimmed:
        warnings.warn(Warnings.TW101.format(count=trimmed, spans=spans, first=first), stacklevel=2)
    warn_of_labels(labels, name or "data")


def some_known(docs: Iterable[Doc], name: str) -> Iterator[Doc]:
    """Pass texts on, and refuse them at the end if not one of their tokens has gold.

    docs (Iterable[Doc]): The texts.
    name (str): Where they come from, for the message.
    YIELDS (Doc): The same texts.
    RAISES (ValueError): TC174.
    """
    texts, tokens, known = 0, 0, False
    for doc in docs:
        texts, tokens = texts + 1, tokens + len(doc)
        known = known or any(token.ent_iob for token in doc)
        yield doc
    if tokens and not known:
        raise ValueError(none_known(name, texts))


def none_known(name: str, texts: int) -> str:
    """Say that all tags of some texts are missing values.

    name (str): Where they come from.
    texts (int): How many there are.
    RETURNS (str): The message, TC174.
    """
    facts = {"facts": "every tag is a missing value", "hint": ", or tags such as B-PER and O"}
    return Errors.TC174.format(path=name, texts=texts, **facts)


def doc_text(doc: Doc) -> str:
    """Give the text of a Doc, without the space that a Doc with unknown spaces has after its last token.

    doc (Doc): The Doc.
    RETURNS (str): Its text.
    """
    last = len(doc) - 1
    return doc.text[:-1] if doc.has_unknown_spaces and doc and doc[last].whitespace_ else doc.text


def doc_scores(doc: Doc) -> dict[Span, float]:
    """Look up the scores that a component gave to the entities of a Doc.

    doc (Doc): The Doc; each of its span groups may have a list of scores.
    RETURNS (dict[Span, float]): Scores by start, end (exclusive) and label, of the entities that have one. A span that
        several groups have is scored by the default one, else by the first.
    """
    scores: dict[Span, float] = {}
    for key in sorted(doc.spans, key=lambda key: key != SCORES_KEY):
        group = doc.spans[key]
        given = group.attrs.get(SCORES) or []
        if len(given) == len(group):
            for span, score in zip(group, given, strict=True):
                if isinstance(score, int | float):
                    scores.setdefault((span.start, span.end, span.label_), score)
    entities = {(ent.start, ent.end, ent.label_) for ent in doc.ents} if scores else set()
    return {span: score for span, score in scores.items() if span in entities}


def set_scores(doc: Doc, scores: Mapping[Span, float]) -> None:
    """Keep the scores of entities as the component does: in a span group.

    doc (Doc): The Doc.
    scores (Mapping[Span, float]): Scores by start, end (exclusive) and label; nothing is kept if there are none.
    """
    if scores:
        spans = [DocSpan(doc, start, end, label=label) for start, end, label in scores]
        doc.spans[SCORES_KEY] = SpanGroup(doc, name=SCORES_KEY, attrs={SCORES: list(scores.values())}, spans=spans)


def _trim(record: Record) -> list[Span]:
    """Take white-space tokens off both ends of each entity; drop an entity that holds nothing else."""
    trimmed = []
    for start, end, label in record.spans:
        kept = [i for i in range(start, end) if not record.words[i].isspace()]
        if kept:
            trimmed.append((kept[0], kept[-1] + 1, label))
    return trimmed
