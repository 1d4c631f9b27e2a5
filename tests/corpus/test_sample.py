from pathlib import Path

import pytest

from spacy_tokclf.corpus import conll_facts, read_conll, write_conll
from spacy_tokclf.tags import detect_scheme

SAMPLE = Path(__file__).parents[2] / "sample"
TYPES = ["corporation", "creative-work", "group", "location", "person", "product"]
LEAST = {"train": (300, 40), "dev": (60, 10), "test": (60, 10)}


@pytest.fixture(scope="module")
def splits():
    return {split: list(read_conll(SAMPLE / f"{split}.conll")) for split in LEAST}


def surfaces(records):
    """Unique (text, type) pairs."""
    return {(" ".join(r.words[start:end]), label) for r in records for start, end, label in r.spans}


def share_seen(train, held_out, *, lower=False):
    """Share of the unique surfaces of a split that occur in train; by text alone if lower-cased."""
    known, asked = surfaces(train), surfaces(held_out)
    if lower:
        known, asked = ({text.lower() for text, _ in pairs} for pairs in (known, asked))
    return len(known & asked) / len(asked)


@pytest.mark.parametrize("split", LEAST)
def test_enough_posts_and_entities(splits, split):
    posts, per_type = LEAST[split]
    facts = conll_facts(SAMPLE / f"{split}.conll")
    assert facts["posts"] >= posts
    assert facts["missing"] == 0
    assert sorted(facts["entities_per_type"]) == TYPES
    assert min(facts["entities_per_type"].values()) >= per_type
    plain = sum(not record.spans for record in splits[split]) / facts["posts"]
    assert 0.4 <= plain <= 0.6


@pytest.mark.parametrize("split", LEAST)
def test_files_are_well_formed(splits, split, tmp_path):
    path = SAMPLE / f"{split}.conll"
    assert detect_scheme(record.tags for record in splits[split]) == "IOB2"
    write_conll(splits[split], tmp_path / "again.conll")
    assert (tmp_path / "again.conll").read_bytes() == path.read_bytes()
    words = [word for record in splits[split] for word in record.words]
    assert not [word for word in words if any(c.isspace() for c in word)]
    assert max(len(record.words) for record in splits[split]) <= 45
    handles = [(r.words, t) for r in splits[split] for w, t in zip(r.words, r.tags, strict=True) if w[0] == "@"]
    assert handles and all(tag == "O" for _, tag in handles)


def test_posts_are_not_repeated(splits):
    texts = [" ".join(record.words).lower() for records in splits.values() for record in records]
    assert len(texts) >= 420
    assert len(set(texts)) == len(texts)


def test_one_text_has_one_type(splits):
    found = {(text.lower(), label) for records in splits.values() for text, label in surfaces(records)}
    assert len({text for text, _ in found}) == len(found)


@pytest.mark.parametrize("split", LEAST)
def test_no_mention_of_a_known_name_is_left_untagged(splits, split):
    known = {tuple(text.lower().split()) for text, _ in surfaces(splits[split])}
    for record in splits[split]:
        words = [word.lower() for word in record.words]
        for name in known:
            for start in range(len(words) - len(name) + 1):
                if tuple(words[start : start + len(name)]) == name:
                    assert any(tag != "O" for tag in record.tags[start : start + len(name)]), record.words


def test_no_more_surfaces_shared_than_in_real_data(splits):
    # WNUT-17 shares none in the same case, and 24 of 747 and 19 of 955 lower-cased ones
    for split in ("dev", "test"):
        assert share_seen(splits["train"], splits[split]) == 0
        assert share_seen(splits["train"], splits[split], lower=True) <= 0.019


def test_that_is_what_real_data_share(wnut17):
    real = {split: list(read_conll(path)) for split, path in wnut17.items()}
    for split in ("dev", "test"):
        assert share_seen(real["train"], real[split]) == 0
        assert share_seen(real["train"], real[split], lower=True) >= 0.019


def test_none_of_it_is_wnut17(splits, wnut17):
    real = {" ".join(record.words).lower() for path in wnut17.values() for record in read_conll(path)}
    ours = {" ".join(record.words).lower() for records in splits.values() for record in records}
    assert not {text for text in real & ours if len(text.split()) > 2}


def test_readme_says_what_it_is_and_holds_the_counts():
    text = (SAMPLE / "README.md").read_text(encoding="utf-8")
    assert "not WNUT-17" in text and "CC0" in text
    for split in LEAST:
        facts = conll_facts(SAMPLE / f"{split}.conll")
        counts = " | ".join(str(facts["entities_per_type"][name]) for name in TYPES)
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{split}.conll` |")]
        assert row.startswith(f"| `{split}.conll` | {facts['posts']} | {facts['tokens']:,} |")
        assert row.endswith(f"| {counts} |")
