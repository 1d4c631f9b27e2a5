import json

import pytest

import spacy_tokclf
from spacy_tokclf.corpus import WNUT17_FILES, check_md5, conll_facts, file_md5

EXPECTED = {
    "train": (3394, 62730, [221, 140, 264, 548, 660, 142]),
    "dev": (1009, 15733, [34, 105, 39, 74, 470, 114]),
    "test": (1287, 23394, [66, 142, 165, 150, 429, 127]),
}
TYPES = ["corporation", "creative-work", "group", "location", "person", "product"]


@pytest.mark.parametrize("split", EXPECTED)
def test_facts_of_wnut17(wnut17, split):
    posts, tokens, counts = EXPECTED[split]
    facts = conll_facts(wnut17[split])
    assert json.loads(json.dumps(facts)) == {
        "posts": posts,
        "tokens": tokens,
        "missing": 0,
        "entities": sum(counts),
        "entities_per_type": dict(zip(TYPES, counts, strict=True)),
        "md5": WNUT17_FILES[split][1],
    }
    check_md5(wnut17[split], WNUT17_FILES[split][1])


def test_counts_and_md5(conll):
    path = conll("Ada\tB-p\nL\tI-p\n\n!\t-\nx\tB-q\n")
    facts = conll_facts(path, scheme="IOB2")
    assert (facts["posts"], facts["tokens"], facts["missing"], facts["entities"]) == (2, 4, 1, 2)
    assert facts["entities_per_type"] == {"p": 1, "q": 1}
    with pytest.raises(ValueError, match=r"TC120.*posts\.conll.*0cc175b9c0f1b6a831c399e269772661"):
        check_md5(path, "0cc175b9c0f1b6a831c399e269772661")
    assert file_md5(conll(b"a", "a")) == "0cc175b9c0f1b6a831c399e269772661"


def test_every_exported_name_exists():
    corpus = spacy_tokclf.corpus
    assert sorted(corpus.__all__) == sorted(set(corpus.__all__))
    assert all(getattr(corpus, name) is not None for name in corpus.__all__)
