import json
import subprocess
import sys
from pathlib import Path

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


def test_import_of_the_room_is_light():
    # the package's own __init__ is left out, so that only this room and what it imports are looked at
    code = (
        "import sys, types; package = types.ModuleType('spacy_tokclf'); package.__path__ = [sys.argv[1]];"
        "sys.modules['spacy_tokclf'] = package; import spacy_tokclf.corpus as corpus;"
        "print('spacy' in sys.modules, 'torch' in sys.modules, corpus.write_docbin.__name__)"
    )
    folder = Path(spacy_tokclf.__file__).parent
    done = subprocess.run([sys.executable, "-c", code, folder], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False", "write_docbin"]


def test_every_exported_name_exists():
    corpus = spacy_tokclf.corpus
    assert sorted(corpus.__all__) == sorted(set(corpus.__all__))
    assert all(getattr(corpus, name) is not None for name in corpus.__all__)
    with pytest.raises(AttributeError, match="nothing_like_it"):
        corpus.nothing_like_it  # noqa: B018
