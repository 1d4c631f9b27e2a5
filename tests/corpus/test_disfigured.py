"""Right files whose tags are disfigured: each is read right or refused with a code, by every reader of columns."""

import re
import warnings
from itertools import pairwise

import pytest
import spacy
from disfigured import DISFIGURE
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from spacy_tokclf.corpus import ConllCorpus, doc_to_record
from spacy_tokclf.corpus.convert import read_any
from spacy_tokclf.corpus.tagged import read_tagged
from spacy_tokclf.tags import SCHEMES, spans_to_tags, tags_to_spans

LABELS = ["PER", "LOC", "creative-work", "Person", "vitamin_b", "O2"]
WORDS = ["Mira", "spoke", "in", "Lagos", ".", "#", "a|b", "x/y", "1", "word", "tag", "do_n't", "O", "B-PER", "-", '"']
CODE = re.compile(r"\[TC\d{3}\]")
NLP = spacy.blank("en")


@st.composite
def corpora(draw):
    """Sentences of words and spans, and the scheme that their tags are written in."""
    sentences = []
    for _ in range(draw(st.integers(1, 4))):
        spans, at = [], draw(st.integers(0, 2))
        for _ in range(draw(st.integers(0, 3))):
            end = at + draw(st.integers(1, 3))
            spans.append((at, end, draw(st.sampled_from(LABELS))))
            at = end + draw(st.integers(0, 2))
        length = at + draw(st.integers(0, 2)) or 1
        length = max(length, *(end for _, end, _ in spans), 1)
        sentences.append(([draw(st.sampled_from(WORDS)) for _ in range(length)], spans))
    return sentences, draw(st.sampled_from(list(SCHEMES)))


#: What is put around rows: the cells of a row, to a line.
LAYOUTS = {
    "tabs": "\t".join,
    "blanks": " ".join,
    "trailing tab": lambda cells: "\t".join(cells) + "\t",
    "doubled tab": "\t\t".join,
    "semicolons": ";".join,
    "commas": ",".join,
    "pipes": "|".join,
}
HEADS = [
    "",
    "word\ttag\n",
    "token label\n",
    "# a comment\n",
    "-DOCSTART- O\n\n",
    "# global.columns = FORM NER\n",
    "x\ty\n",
]


def readers(path):
    """Give what each way of reading a file finds: words, and spans of each sentence."""

    def convert():
        for doc in read_any(path, NLP):
            record = doc_to_record(doc)
            yield record.words, tags_to_spans(record.tags)

    def train():
        for example in ConllCorpus(path)(NLP):
            record = doc_to_record(example.reference)
            yield record.words, tags_to_spans(record.tags)

    def score():
        file = read_tagged(path)
        bounds = [0, *file.lengths.cumsum().tolist()]
        for start, end in pairwise(bounds):
            tags = file.tags[start:end]
            yield file.tokens[start:end], tags_to_spans(tags, "IOBES" if {"S", "E"} & {t[0] for t in tags} else "BILOU")

    return {"convert": convert, "train": train, "score": score}


def outcome(read):
    """Give what a reader found, or the code of its refusal; anything else than a refusal with a code fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return list(read())
        except ValueError as error:
            assert CODE.search(str(error)), error
            return CODE.search(str(error))[0]


@settings(deadline=None, max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    corpus=corpora(),
    how=st.sampled_from(sorted(DISFIGURE)),
    layout=st.sampled_from(sorted(LAYOUTS)),
    head=st.sampled_from(HEADS),
)
def test_read_right_or_refused(tmp_path, corpus, how, layout, head):
    sentences, scheme = corpus
    # Words that all hold what stands between columns are two columns.
    assume(layout != "pipes" or any("|" not in word for words, _ in sentences for word in words))
    lines, right, row = [], [], 0
    for words, spans in sentences:
        tags = spans_to_tags(spans, len(words), scheme)
        for word, tag in zip(words, tags, strict=True):
            lines.append(LAYOUTS[layout]([word, DISFIGURE[how](tag, row)]))
            row += 1
        lines.append("")
        known = [f"{tag[0]}-ENTITY" if tag[1:2] == "-" else tag for tag in tags] if how == "bare" else tags
        right.append((words, tags_to_spans(known, scheme)))
    path = tmp_path / "x.conll"
    path.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    found = {name: outcome(read) for name, read in readers(path).items()}
    for name, seen in found.items():
        assert isinstance(seen, str) or seen == right, name
    assert len({isinstance(seen, str) for seen in found.values()}) == 1, found


@pytest.mark.parametrize("how", ["lower", "underscore", "colon", "slash", "behind", "quoted", "quoted singly", "bare"])
@pytest.mark.parametrize("scheme", [name for name in SCHEMES if name != "IO"])
def test_common_forms_are_read(tmp_path, how, scheme):
    """Enough evidence, and nothing is refused."""
    spans = [(0, 2, "PER"), (3, 4, "PER"), (5, 8, "LOC"), (8, 9, "LOC"), (11, 14, "PER"), (15, 17, "LOC")]
    tags = spans_to_tags(spans, 18, scheme)
    words = [f"w{i}" for i in range(18)]
    path = tmp_path / "x.conll"
    rows = zip(words, tags, strict=True)
    path.write_text("".join(f"{word}\t{DISFIGURE[how](tag, 0)}\n" for word, tag in rows), encoding="utf-8")
    expected = [(words, [(s, e, "ENTITY" if how == "bare" else label) for s, e, label in spans])]
    for name, read in readers(path).items():
        assert outcome(read) == expected, name
