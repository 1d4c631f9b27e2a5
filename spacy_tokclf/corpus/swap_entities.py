"""An augmenter that puts other entities of the same type into posts, so that contexts are learned more than names."""

import random
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..errors import Errors
from .docbin import doc_to_record, record_to_doc
from .records import Record

ReaderT = Callable[[Language], Iterable[Example]]
MentionsT = dict[str, list[list[str]]]
#: Annotation that would not fit the words any more. Posts that have it are left as they are.
OTHER = ("TAG", "POS", "MORPH", "LEMMA", "DEP", "SENT_START", "ENT_KB_ID", "ENT_ID")


def make_swap_entities_v1(entities: ReaderT, level: float = 0.5) -> Callable[[Language, Example], Iterator[Example]]:
    """Create the augmenter `spacy-tokclf.swap_entities.v1`.

    entities (Callable[[Language], Iterable[Example]]): A reader of posts with the entities to put in: of the training
        data, without an augmenter.
    level (float): Share of the posts that are changed, from 0 to 1.
    RETURNS (Callable[[Language, Example], Iterator[Example]]): The augmenter.
    RAISES (ValueError): TC031, for a share that is none.
    """
    if not 0.0 <= level <= 1.0:
        raise ValueError(Errors.TC031.format(name="level", value=level, expected="a share from 0 to 1"))
    return partial(swap_some, entities=entities, level=level, mentions={})


def swap_some(
    nlp: Language, example: Example, *, entities: ReaderT, level: float, mentions: MentionsT
) -> Iterator[Example]:
    """Give a post, or the post with other entities in the places of its own (mention replacement: Dai and Adel, 2020).

    A corpus in memory (`training.max_epochs` = 0 or more) is augmented once, so the changes of a run are the same in
    every epoch. The random numbers are Python's, which spaCy seeds. Only posts that have nothing but entities are
    changed; their tokens are the gold tokens then, the spaces between them unknown.

    nlp (Language): The pipeline.
    example (Example): The post.
    entities (Callable[[Language], Iterable[Example]]): The reader.
    level (float): Share of the posts that are changed.
    mentions (Dict[str, List[List[str]]]): What was read, by type; filled when it is empty.
    YIELDS (Example): The post.
    """
    if not mentions:
        mentions.update(read_mentions(entities(nlp)))
    doc = example.reference
    if random.random() < level and doc.ents and not _has_more(doc):
        reference = record_to_doc(swap_all(doc_to_record(doc), mentions), nlp.vocab)
        example = Example(Doc(nlp.vocab, words=[token.text for token in reference]), reference)
    yield example


def read_mentions(examples: Iterable[Example]) -> MentionsT:
    """Collect the entities of posts.

    examples (Iterable[Example]): The posts.
    RETURNS (Dict[str, List[List[str]]]): The words of each, by type; those that differ in case alone only once.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for example in examples:
        for ent in example.reference.ents:
            found.setdefault(ent.label_, {}).setdefault(ent.text.lower(), [token.text for token in ent])
    return {label: list(each.values()) for label, each in found.items()}


def swap_all(record: Record, mentions: MentionsT) -> Record:
    """Put another entity of its type into the place of each entity.

    record (Record): The post.
    mentions (Dict[str, List[List[str]]]): Words of entities by type.
    RETURNS (Record): The changed post.
    """
    words: list[str] = []
    tags: list[str] = []
    end = 0
    for start, stop, label in record.spans:
        own = record.words[start:stop]
        other = in_style(random.choice(mentions.get(label) or [own]), own)
        words += record.words[end:start] + other
        tags += record.tags[end:start] + [f"{'I' if i else 'B'}-{label}" for i in range(len(other))]
        end = stop
    return Record(words + record.words[end:], tags + record.tags[end:])


def in_style(words: list[str], model: list[str]) -> list[str]:
    """Write words as others are written: in small letters, in capitals, or with some.

    words (List[str]): The words.
    model (List[str]): The others.
    RETURNS (List[str]): The words as they are to be written.
    """
    text = " ".join(model)
    if text.islower():
        return [word.lower() for word in words]
    if text.isupper() and len(text) > 1:
        return [word.upper() for word in words]
    if not any(letter.isupper() for word in words for letter in word):
        return [word[:1].upper() + word[1:] for word in words]
    return words


def _has_more(doc: Doc) -> bool:
    """Tell whether a Doc has other annotation than entities."""
    # Of a single token spaCy always says that it starts a sentence.
    attrs = OTHER if len(doc) > 1 else [attr for attr in OTHER if attr != "SENT_START"]
    return bool(doc.spans) or bool(doc.cats) or any(doc.has_annotation(attr) for attr in attrs)
