"""An augmenter that adds lower-cased copies of posts: many people write names without capitals."""

import random
from collections.abc import Callable, Iterator
from functools import partial

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from ..errors import Errors

#: What is annotated on tokens, beside heads or the starts of sentences, which follow from each other.
ATTRS = ("TAG", "POS", "MORPH", "LEMMA", "DEP", "ENT_IOB", "ENT_TYPE", "ENT_KB_ID", "ENT_ID")


def make_lower_copies_v1(level: float = 0.5) -> Callable[[Language, Example], Iterator[Example]]:
    """Create the augmenter `spacy-tokclf.lower_copies.v1`.

    level (float): Share of the posts that are copied, from 0 to 1.
    RETURNS (Callable[[Language, Example], Iterator[Example]]): The augmenter.
    RAISES (ValueError): TC031, for a share that is none.
    """
    if not 0.0 <= level <= 1.0:
        raise ValueError(Errors.TC031.format(name="level", value=level, expected="a share from 0 to 1"))
    return partial(add_lower_copy, level=level)


def add_lower_copy(nlp: Language, example: Example, *, level: float) -> Iterator[Example]:
    """Give a post, and sometimes a lower-cased copy after it; spaCy's own `spacy.lower_case.v1` gives either.

    A corpus in memory (`training.max_epochs` = 0 or more) is augmented once, so the copies of a run are the same in
    every epoch, and an epoch has more steps than it would have without them. The random numbers are Python's, which
    spaCy seeds. A post without capitals is not copied.

    nlp (Language): The pipeline.
    example (Example): The post.
    level (float): Share of the posts that are copied.
    YIELDS (Example): The post, then its copy if there is one.
    """
    yield example
    if random.random() < level and any(token.lower_ != token.text for token in example.reference):
        yield Example(lower_copy(example.predicted), lower_copy(example.reference))


def lower_copy(doc: Doc) -> Doc:
    """Lower-case the words of a Doc. Its tokens, spaces and annotation stay.

    doc (Doc): The Doc.
    RETURNS (Doc): The copy.
    """
    spaces = [bool(token.whitespace_) for token in doc]
    copy = Doc(doc.vocab, words=[token.lower_ for token in doc], spaces=spaces)
    copy.has_unknown_spaces = doc.has_unknown_spaces
    attrs: list[int | str] = [*ATTRS, "HEAD" if doc.has_annotation("DEP") else "SENT_START"]
    copy.from_array(attrs, doc.to_array(attrs))  # type: ignore[arg-type]  # spaCy takes names, too
    copy.cats = dict(doc.cats)
    for key, group in doc.spans.items():
        copy.spans[key] = [Span(copy, s.start, s.end, label=s.label, kb_id=s.kb_id, span_id=s.id) for s in group]
    return copy
