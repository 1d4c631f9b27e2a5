"""Make texts from annotated ones, for a teacher to label: names exchanged, casing changed, words dropped."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from spacy.tokens import Doc, Span

from ..corpus.folds import letters

#: Share of the words outside of entities that are dropped.
DROPPED = 0.15
#: How often another text is tried for, where one came out as a text that is there already.
TRIES = 5
CASINGS: tuple[Callable[[str], str], ...] = (str.lower, str.upper, str.capitalize)


class Words(NamedTuple):
    """A text.

    words (tuple[str, ...]): Its tokens.
    spaces (tuple[bool, ...]): Whether a space follows each.
    spans (tuple[tuple[int, int, str], ...]): Its entities in their order: start, end (exclusive), type.
    """

    words: tuple[str, ...]
    spaces: tuple[bool, ...]
    spans: tuple[tuple[int, int, str], ...] = ()


#: The names of each type: their words and spaces.
NamesT = Mapping[str, Sequence[Words]]


def make_texts(
    docs: Sequence[Doc], spans: Sequence[Sequence[Span]], number: int, *, seed: int = 0
) -> Iterator[tuple[int, Doc]]:
    """Make texts from annotated ones, each changed in one way: what is drawn for a text hangs on that text and the seed
    alone. No text comes out that is there already.

    docs (Sequence[Doc]): The texts.
    spans (Sequence[Sequence[Span]]): The entities of each, in order, without overlap.
    number (int): How many are made of each; fewer where a text has no more in it.
    seed (int): The seed.
    YIELDS (tuple[int, Doc]): Which text it was made from, and the new one with its entities.
    """
    texts = [_words_of(doc, own) for doc, own in zip(docs, spans, strict=True)]
    names = collect_names(texts)
    there = {text.words for text in texts}
    for index, (doc, text) in enumerate(zip(docs, texts, strict=True)):
        for turn in range(number):
            rng = random.Random(f"{seed} {turn} {letters(doc)}")
            made = next((one for _ in range(TRIES) if (one := change(text, names, rng)).words not in there), None)
            if made is not None:
                there.add(made.words)
                yield index, _to_doc(made, doc)


def collect_names(texts: Sequence[Words]) -> NamesT:
    """List the names of each entity type.

    texts (Sequence[Words]): Annotated texts.
    RETURNS (NamesT): The different names by type, sorted.
    """
    found: dict[str, set[Words]] = {}
    for text in texts:
        for start, end, label in text.spans:
            name = Words(text.words[start:end], (*text.spaces[start : end - 1], False))
            found.setdefault(label, set()).add(name)
    return {label: sorted(names) for label, names in found.items()}


def change(text: Words, names: NamesT, rng: random.Random) -> Words:
    """Change a text in one way.

    text (Words): The text.
    names (NamesT): The names of each type.
    rng (Random): What is drawn from.
    RETURNS (Words): The new text, with as many entities of the same types.
    """
    ways: list[Callable[[], Words]] = [
        lambda: change_casing(text, rng.choice(CASINGS)),
        lambda: drop_words(text, rng),
    ]
    if any(len(names.get(label, ())) > 1 for _, _, label in text.spans):
        ways.append(lambda: exchange_names(text, names, rng))
    return rng.choice(ways)()


def exchange_names(text: Words, names: NamesT, rng: random.Random) -> Words:
    """Put other names of the same types in the place of entities.

    text (Words): The text.
    names (NamesT): The names of each type.
    rng (Random): What is drawn from.
    RETURNS (Words): The new text.
    """
    words: list[str] = []
    spaces: list[bool] = []
    spans = []
    at = 0
    for start, end, label in text.spans:
        words += text.words[at:start]
        spaces += text.spaces[at:start]
        name = rng.choice(names[label])
        spans.append((len(words), len(words) + len(name.words), label))
        words += name.words
        spaces += [*name.spaces[:-1], text.spaces[end - 1]]
        at = end
    return Words((*words, *text.words[at:]), (*spaces, *text.spaces[at:]), tuple(spans))


def change_casing(text: Words, casing: Callable[[str], str]) -> Words:
    """Write all words of a text in another way.

    text (Words): The text.
    casing (Callable[[str], str]): How.
    RETURNS (Words): The new text.
    """
    return text._replace(words=tuple(casing(word) for word in text.words))


def drop_words(text: Words, rng: random.Random) -> Words:
    """Leave out some words that are in no entity. One word stays in any case.

    text (Words): The text.
    rng (Random): What is drawn from.
    RETURNS (Words): The new text.
    """
    inside = set(chain.from_iterable(range(start, end) for start, end, _ in text.spans))
    kept = [at for at in range(len(text.words)) if at in inside or rng.random() >= DROPPED]
    kept = kept or [0]
    place = {at: new for new, at in enumerate(kept)}
    spans = tuple((place[start], place[end - 1] + 1, label) for start, end, label in text.spans)
    return Words(tuple(text.words[at] for at in kept), tuple(text.spaces[at] for at in kept), spans)


def _words_of(doc: Doc, spans: Sequence[Span]) -> Words:
    return Words(
        tuple(token.text for token in doc),
        tuple(bool(token.whitespace_) for token in doc),
        tuple((span.start, span.end, span.label_) for span in spans),
    )


def _to_doc(text: Words, like: Doc) -> Doc:
    """RETURNS (Doc): The text, its spaces unknown if those of the other are."""
    spaces = None if like.has_unknown_spaces else list(text.spaces)
    doc = Doc(like.vocab, words=list(text.words), spaces=spaces)
    doc.set_ents([Span(doc, start, end, label=label) for start, end, label in text.spans])
    return doc
