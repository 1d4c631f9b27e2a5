"""Tags: any strings, in every scheme. What is read are spans inside the sentence that do not overlap; spans survive
being written and read; and a form that is detected reads every tag of the corpus."""

import random
import warnings
from itertools import pairwise
from pathlib import Path

from fuzzing.drawing import LABELS, any_spans, any_text, coded, must
from spacy_tokclf.corpus.gold_tags import GoldTags
from spacy_tokclf.tags import SCHEMES, SchemeDetector, convert_tags, is_tag_of, spans_to_tags, split_tag, tags_to_spans
from spacy_tokclf.tags.schemes import MISSING, OUTSIDE, PREFIXES

SCHEME_NAMES = tuple(SCHEMES)
#: How a tag of prefix and type may be spelled.
SPELLINGS = ("{p}-{t}", "{p}_{t}", "{p}:{t}", "{p}/{t}", "{t}-{p}", "{t}_{p}", '"{p}-{t}"', "{p}.{t}")
#: Spans that each scheme writes in its own way.
TELLING = [(0, 2, "PER"), (2, 3, "PER"), (4, 6, "LOC"), (7, 8, "PER")]
SANE = ("PER", "LOC", "creative-work", "corporation")


def judge(rng: random.Random, folder: Path) -> str:
    """Draw one input and judge it.

    rng (random.Random): Draws it.
    folder (Path): Not needed.
    RETURNS (str): What became of it.
    """
    way = rng.choice((there_and_back, there_and_back, any_spans_at_all, any_tags, any_tags, any_corpus, spelled_corpus))
    try:
        return way(rng)
    except ValueError as error:
        return coded(error)


def there_and_back(rng: random.Random) -> str:
    """Write spans in one scheme, rewrite them in another and back, and read them."""
    length = rng.randint(0, 12)
    labels = [any_text(rng) or "x" for _ in range(2)] if rng.random() < 0.3 else LABELS
    spans = any_spans(rng, length, labels)
    inside = {i for start, end, _ in spans for i in range(start, end)}
    missing = [i for i in range(length) if i not in inside and rng.random() < 0.2]
    one, other = rng.choice(SCHEME_NAMES), rng.choice(SCHEME_NAMES)
    tags = spans_to_tags(spans, length, one, missing=missing)
    expected = spans if one != "IO" else merged(spans)
    must(tags_to_spans(tags, one) == expected, lambda: f"{spans} written in {one} as {tags}")
    must([i for i, tag in enumerate(tags) if tag == MISSING] == missing, lambda: f"{missing} missing in {tags}")
    again = convert_tags(tags, one, other)
    expected = expected if other != "IO" else merged(expected)
    must(tags_to_spans(again, other) == expected, lambda: f"{tags} of {one} became {again} of {other}")
    must(convert_tags(again, other, other) == again, lambda: f"{again} of {other} changes")
    return "read"


def merged(spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Spans as labels without prefixes tell them: those that touch are one."""
    found: list[tuple[int, int, str]] = []
    for start, end, label in spans:
        if found and found[-1][1:] == (start, label):
            start = found.pop()[0]
        found.append((start, end, label))
    return found


def any_spans_at_all(rng: random.Random) -> str:
    """Write spans of which some cannot be written."""
    length = rng.randint(0, 8)
    spans = [
        (start := rng.randint(-2, 9), start + rng.randint(-1, 4), rng.choice(LABELS)) for _ in range(rng.randint(0, 4))
    ]
    scheme = rng.choice(SCHEME_NAMES)
    tags = spans_to_tags(spans, length, scheme)
    found = tags_to_spans(tags, scheme)
    expected = sorted(spans) if scheme != "IO" else merged(sorted(spans))
    must(found == expected, lambda: f"{spans} written in {scheme} as {tags}")
    return "read"


def any_tag(rng: random.Random) -> str | None:
    """Draw a tag, or what might stand in its place."""
    kind = rng.random()
    if kind < 0.6:
        return f"{rng.choice('BIESLU')}-{rng.choice(LABELS)}"
    if kind < 0.8:
        return rng.choice((OUTSIDE, MISSING, None))
    return any_text(rng)


def any_tags(rng: random.Random) -> str:
    """Read tags in any order, in every scheme that has them."""
    scheme = rng.choice(SCHEME_NAMES)
    prefixes = sorted(SCHEMES[scheme].prefixes)
    tags = [any_tag(rng) for _ in range(rng.randint(0, 9))]
    if prefixes and rng.random() < 0.8:
        tags = [f"{rng.choice(prefixes)}{tag[1:]}" if tag and tag[1:2] == "-" else OUTSIDE for tag in tags]
    spans = tags_to_spans(tags, scheme)
    sound(spans, len(tags))
    named = {
        i: split_tag(tag)[1] if prefixes else tag for i, tag in enumerate(tags) if tag not in (None, OUTSIDE, MISSING)
    }
    covered = {i: label for start, end, label in spans for i in range(start, end)}
    must(covered == named, lambda: f"{tags} of {scheme} read as {spans}")
    must(tags_to_spans(spans_to_tags(spans, len(tags), scheme), scheme) == spans, lambda: f"{tags} of {scheme}")
    return "read"


def sound(spans: list[tuple[int, int, str]], length: int) -> None:
    """Check that spans lie in the sentence, in order and apart."""
    must(all(0 <= start < end <= length and label for start, end, label in spans), lambda: f"{spans} in {length}")
    must(all(one[1] <= other[0] for one, other in pairwise(spans)), lambda: f"{spans} overlap")


def any_corpus(rng: random.Random) -> str:
    """Detect how any tags are written, and read them so."""
    distinct = [any_tag(rng) or OUTSIDE for _ in range(rng.randint(1, 5))]
    if rng.random() < 0.4:
        form = rng.choice((*SPELLINGS, "{t}", "{p}"))
        distinct = [form.format(p=rng.choice("BIESLUMWbi"), t=rng.choice(LABELS)) for _ in distinct] + [OUTSIDE]
    sentences = [rng.choices(distinct, k=rng.randint(0, 6)) for _ in range(rng.randint(1, 5))]
    read_back(sentences)
    return "read"


def read_back(sentences: list[list[str]]) -> list[list[tuple[int, int, str]]]:
    """Detect the form of a corpus, and read it: as many tags as there were, which IOB2 would write so."""
    detector = SchemeDetector()
    for sentence in sentences:
        detector.add(sentence)
    form = detector.form()
    normal = {tag: form.spelling.normalize([tag])[0] for sentence in sentences for tag in sentence}
    known = [tag for tag in normal.values() if tag != MISSING]  # which may be written in two ways
    must(len(set(known)) == len(known), lambda: f"two tags are one: {normal}")
    must(all(is_tag_of(tag, form.scheme) for tag in normal.values()), lambda: f"{normal} are not of {form.scheme}")
    gold, spans = GoldTags("x", form), []
    for number, sentence in enumerate(sentences):
        tags = gold.read(sentence, number)
        must(len(tags) == len(sentence), lambda: f"{sentence} read as {tags}")
        must(convert_tags(tags, "IOB2", "IOB2") == tags, lambda: f"{sentence} read as {tags}")
        for given, tag in zip(sentence, tags, strict=True):
            known = normal[given]
            same = known == tag if known in (OUTSIDE, MISSING) else tag[:1] in "BI" and known.endswith(tag[2:])
            must(same, lambda: f"{sentence} read as {tags}")
        spans.append(tags_to_spans(tags))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gold.report()
    return spans


def spelled_corpus(rng: random.Random) -> str:
    """Write spans in one of the spellings: they are found, or the corpus is refused."""
    scheme = rng.choice([name for name in SCHEME_NAMES if name != "IO"])
    form = rng.choice(SPELLINGS)
    low = rng.random() < 0.3
    many = [TELLING] + [any_spans(rng, 8, SANE) for _ in range(rng.randint(0, 4))]
    sentences = []
    for spans in many:
        tags = [split_tag(tag) for tag in spans_to_tags(spans, 8, scheme)]
        letters = [(prefix.lower() if low else prefix, label) for prefix, label in tags]
        sentences.append(
            [form.format(p=prefix, t=label) if label else quoted(prefix, form) for prefix, label in letters]
        )
    found = read_back(sentences)
    must(found == many, lambda: f"{many} written as {sentences}, read as {found}")
    return "read"


def quoted(prefix: str, form: str) -> str:
    """A tag without a type, in quotes where the others are."""
    return f'"{prefix}"' if form[0] == '"' else prefix


must(set("BIESLU") == PREFIXES, lambda: "there are other prefixes now")
