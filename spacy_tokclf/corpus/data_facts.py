"""What data hold: counts of records and files, texts of entities, and what is wrong with annotated Docs."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from spacy.language import Language
from spacy.tokens import Doc, Span

from ..tags import is_missing
from .docs import doc_to_record
from .forms.conll import read_conll
from .records import Record
from .verify import file_md5


class SplitFacts(TypedDict):
    """What a split holds; plain Python values, ready for JSON."""

    posts: int
    tokens: int
    missing: int
    entities: int
    entities_per_type: dict[str, int]


class FileFacts(SplitFacts):
    """What a file holds, with its md5 sum."""

    md5: str


def count_records(records: Iterable[Record]) -> SplitFacts:
    """Count what records hold.

    records (Iterable[Record]): The posts.
    RETURNS (SplitFacts): Posts, tokens, tokens with a missing tag, entities, and entities per type in order
        of name.
    """
    posts, tokens, missing = 0, 0, 0
    types: Counter[str] = Counter()
    for record in records:
        posts += 1
        tokens += len(record.words)
        missing += sum(map(is_missing, record.tags))
        types.update(label for _, _, label in record.spans)
    return {
        "posts": posts,
        "tokens": tokens,
        "missing": missing,
        "entities": types.total(),
        "entities_per_type": dict(sorted(types.items())),
    }


def conll_facts(path: str | Path, *, scheme: str = "auto", token_column: int = 0, tag_column: int = -1) -> FileFacts:
    """Count what a CoNLL file holds.

    path (str | Path): The file.
    scheme (str): Scheme of the tags, or "auto".
    token_column (int): Column of the tokens.
    tag_column (int): Column of the tags.
    RETURNS (FileFacts): The counts and the md5 sum.
    RAISES (ValueError): As read_conll does.
    """
    records = read_conll(path, scheme=scheme, token_column=token_column, tag_column=tag_column)
    return {**count_records(records), "md5": file_md5(path)}


def entity_texts(docs: Iterable[Doc]) -> set[str]:
    """Collect the texts of the entities of a training corpus.

    docs (Iterable[Doc]): Its Docs.
    RETURNS (set[str]): Tokens of each entity, joined by a space.
    """
    return {" ".join(token.text for token in ent) for doc in docs for ent in doc.ents}


@dataclass
class DataFacts:
    """Counts and places; a place is "document INDEX", from 0.

    texts (int): Docs.
    tokens (int): Tokens.
    missing (int): Tokens whose gold is missing, in Docs that are annotated.
    entities (Counter[str]): Entities by type.
    empty (int): Docs without tokens.
    unannotated (list[str]): Docs with tokens and without any annotation of entities.
    without_entities (int): Annotated Docs without an entity.
    misaligned (list[str]): Entities that do not fit the pipeline's own tokens, of Docs whose white space is known.
    blank_ends (list[str]): Entities that begin or end with a token of white space.
    repeated (list[str]): Docs whose text stood before.
    contradictory (list[str]): Those of them that are annotated otherwise than before.
    texts_seen (dict[str, tuple[int, list[str]]]): First index, and tags, of each text (tokens joined by blanks).
    """

    texts: int = 0
    tokens: int = 0
    missing: int = 0
    entities: Counter[str] = field(default_factory=Counter)
    empty: int = 0
    unannotated: list[str] = field(default_factory=list)
    without_entities: int = 0
    misaligned: list[str] = field(default_factory=list)
    blank_ends: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    contradictory: list[str] = field(default_factory=list)
    texts_seen: dict[str, tuple[int, list[str]]] = field(default_factory=dict)

    def shared_with(self, other: "DataFacts") -> list[str]:
        """Find the Docs whose text is in other data too.

        other (DataFacts): The other data.
        RETURNS (list[str]): The places, here and there.
        """
        return [
            f"document {index} (there {other.texts_seen[text][0]}): {text[:60]!r}"
            for text, (index, _) in self.texts_seen.items()
            if text in other.texts_seen
        ]


def data_facts(docs: Iterable[Doc], nlp: Language) -> DataFacts:
    """Look at annotated Docs.

    docs (Iterable[Doc]): The Docs; read once.
    nlp (Language): The pipeline whose tokenizer is compared.
    RETURNS (DataFacts): What was found.
    """
    facts = DataFacts()
    for index, doc in enumerate(docs):
        facts.texts += 1
        facts.tokens += len(doc)
        if not len(doc):
            facts.empty += 1
            continue
        if not doc.has_annotation("ENT_IOB"):
            facts.unannotated.append(f"document {index}: {doc.text[:60]!r}")
            continue
        facts.missing += sum(not token.ent_iob for token in doc)
        facts.entities.update(ent.label_ for ent in doc.ents)
        facts.without_entities += not doc.ents
        facts.blank_ends += [_place(index, ent) for ent in doc.ents if ent[0].is_space or ent[-1].is_space]
        if not doc.has_unknown_spaces and doc.ents:
            own = nlp.make_doc(doc.text)
            lost = [ent for ent in doc.ents if own.char_span(ent.start_char, ent.end_char) is None]
            facts.misaligned += [_place(index, ent) for ent in lost]
        _look_for_repeats(facts, index, doc)
    return facts


def _look_for_repeats(facts: DataFacts, index: int, doc: Doc) -> None:
    """Compare a Doc with those before."""
    record = doc_to_record(doc)
    text = " ".join(word for word in record.words if not word.isspace())
    if text not in facts.texts_seen:
        facts.texts_seen[text] = (index, record.tags)
        return
    first, tags = facts.texts_seen[text]
    place = f"document {index} (as {first}): {text[:60]!r}"
    facts.repeated.append(place)
    if tags != record.tags:
        facts.contradictory.append(place)


def _place(index: int, ent: Span) -> str:
    """Say where an entity stands."""
    return f"document {index} ({ent.start_char}, {ent.end_char}, {ent.label_!r}) {ent.text[:40]!r}"
