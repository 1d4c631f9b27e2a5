"""One corpus as train and dev: by text, equal texts on one side, every entity type on both where it can be."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from spacy.tokens import Doc

from ..errors import Errors

#: Different texts below which nothing is split: a score on two texts says nothing.
FEWEST = 10
#: By how much dev may be larger than asked for, so that rare types are in it.
SLACK = 1.5


class Split(NamedTuple):
    """Which Docs are for what, by their number, in the order of the data.

    train (list[int]): For training.
    dev (list[int]): For choosing the best pipeline.
    """

    train: list[int]
    dev: list[int]


def split_docs(docs: Sequence[Doc], share: float) -> Split:
    """Split Docs by text. The same Docs are split alike each time.

    Texts that are equal up to case and white space are one group, which lies on one side. The type with the fewest
    groups is dealt with first, as in iterative stratification (Sechidis et al., 2011): one group goes to train and one
    to dev, the rest by the share of the entities that dev has already. Texts without entities fill dev up.

    docs (Sequence[Doc]): Annotated Docs.
    share (float): Share of the texts that go to dev, between 0 and 1.
    RETURNS (Split): Train, with every type, and dev, with at least one.
    RAISES (ValueError): TC337 for a share that is none; TC336 if there is too little for a dev set.
    """
    if not 0.0 < share < 1.0:
        raise ValueError(Errors.TC337.format(value=share))
    groups = _groups(docs)
    counts = {key: Counter(ent.label_ for i in group for ent in docs[i].ents) for key, group in groups.items()}
    sizes = {key: len(group) for key, group in groups.items()}
    chosen = _choose(sizes, counts, share) if len(groups) >= FEWEST else set()
    if not any(counts[key] for key in chosen):
        some = sum(bool(count) for count in counts.values())
        raise ValueError(Errors.TC336.format(texts=len(groups), some=some, fewest=FEWEST))
    dev = sorted(i for key in chosen for i in groups[key])
    return Split(sorted(set(range(len(docs))).difference(dev)), dev)


def text_key(doc: Doc) -> str:
    """Give what equal texts have in common: their letters and signs, without case and white space.

    doc (Doc): The Doc.
    RETURNS (str): The key.
    """
    return "".join("".join(token.text.split()) for token in doc).casefold()


def _groups(docs: Sequence[Doc]) -> dict[str, list[int]]:
    """Gather equal texts, in an order that looks random and is always the same: that of a checksum."""
    groups: dict[str, list[int]] = {}
    for i, doc in enumerate(docs):
        groups.setdefault(text_key(doc), []).append(i)
    order = {key: hashlib.sha256(key.encode("utf-8", "replace")).digest() for key in groups}
    return {key: groups[key] for key in sorted(groups, key=order.__getitem__)}


def _choose(sizes: Mapping[str, int], counts: Mapping[str, Counter[str]], share: float) -> set[str]:
    """Choose the groups of dev."""
    wanted = share * sum(sizes.values())
    by_type: dict[str, list[str]] = defaultdict(list)
    total: Counter[str] = Counter()
    for key, count in counts.items():
        total.update(count)
        for label in count:
            by_type[label].append(key)
    train: set[str] = set()
    dev: set[str] = set()
    got: Counter[str] = Counter()
    size = 0
    for label in sorted(by_type, key=lambda label: (len(by_type[label]), total[label], label)):
        open_ones = [key for key in by_type[label] if key not in train and key not in dev]
        if open_ones and train.isdisjoint(by_type[label]):
            train.add(open_ones.pop())
        on_dev = not dev.isdisjoint(by_type[label])
        for key in open_ones:
            fits = got[label] + counts[key][label] <= share * total[label] or not on_dev
            if fits and size + sizes[key] <= max(1.0, SLACK * wanted):
                dev.add(key)
                got.update(counts[key])
                size += sizes[key]
                on_dev = True
            else:
                train.add(key)
    for keys in by_type.values():  # a type whose texts went to dev for the sake of others
        if train.isdisjoint(keys):
            train.add(keys[0])
            dev.remove(keys[0])
            size -= sizes[keys[0]]
    for key in sizes:
        if key not in train and key not in dev and size + sizes[key] <= wanted:
            dev.add(key)
            size += sizes[key]
    return dev
