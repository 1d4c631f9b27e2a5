"""Texts, their gold entities in characters, and scores."""

import json
import warnings

import pytest
import spacy
from spacy.tokens import DocBin
from tagged_training import CONFIG, write_tagged

from bench.clock import EpochClock, epoch_of
from bench.data import entity_f1, read_texts, texts_of, write_sample
from bench.peers.hf_data import read_posts, tags_of
from bench.peers.onnx_by_hand import entities_of
from spacy_tokclf.corpus import Record, batch_by_length


def test_gold_in_characters():
    posts = [
        Record(["In", "New", "York", "!"], ["O", "B-location", "I-location", "O"]),
        Record(["Ann"], ["B-person"]),
    ]
    texts = texts_of(posts)
    assert texts.texts == ["In New York !", "Ann"]
    assert texts.gold == [[(3, 11, "location")], [(0, 3, "person")]]
    assert texts.texts[0][3:11] == "New York"
    assert texts.words == 5


def test_the_sample_is_the_same_each_time(setting):
    assert read_texts(setting) == read_texts(setting)
    assert len(read_texts(setting).texts) == 8


def test_all_systems_get_the_same_posts(setting):
    files = write_sample(setting)
    posts = read_posts(files["posts"])
    docs = list(DocBin().from_disk(files["train"]).get_docs(spacy.blank("en").vocab))
    assert len(posts) == len(docs) == 32
    assert [post["words"] for post in posts] == [[token.text for token in doc] for doc in docs]
    assert tags_of(posts)[0] == "O"
    assert json.loads((setting.work / "data" / "posts.json").read_text(encoding="utf8")) == posts


@pytest.mark.parametrize(
    ("pred", "expected"),
    [
        ([[(0, 3, "person")], []], 0.6667),
        ([[(0, 3, "person")], [(1, 2, "group")]], 1.0),
        ([[(0, 3, "group"), (0, 2, "person")], []], 0.0),
        ([[], []], 0.0),
    ],
)
def test_entity_f1(pred, expected):
    assert entity_f1([[(0, 3, "person")], [(1, 2, "group")]], pred) == expected


class Encoding:
    """What `tokenizers` gives for "In New Yorkish Rome" with special pieces."""

    word_ids = (None, 0, 1, 2, 2, 3, None)
    offsets = ((0, 0), (0, 2), (3, 6), (7, 11), (11, 14), (15, 19), (0, 0))


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O O B-location I-location O B-location O", [(3, 14, "location"), (15, 19, "location")]),
        ("B-x O I-location I-group B-group I-group O", [(3, 6, "location"), (7, 19, "group")]),
        ("O O O O B-location O O", []),
    ],
)
def test_first_pieces_make_entities(tags, expected):
    assert entities_of(Encoding, tags.split()) == expected


def test_the_clock_counts_an_epoch_without_its_warm_up():
    clock = EpochClock(lambda items: batch_by_length(items, size=4, buffer=2))
    items = ["x" * (i + 1) for i in range(50)]
    batches = list(clock(items))
    assert batches[0] == items[:16]
    assert sorted(item for batch in batches[1:] for item in batch) == items
    assert clock.posts == 50
    assert clock.steps == len(batches) - 1
    assert clock.seconds > 0


def test_the_clock_measures_the_epoch_that_was_trained(tmp_path, encoder_dir):
    """Not one in which the steps of an epoch were counted, which takes no time."""
    overrides = write_tagged(tmp_path) | {"paths.encoder": str(encoder_dir), "training.max_steps": 0}
    (tmp_path / "config.cfg").write_text(CONFIG)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clock = epoch_of(str(tmp_path / "config.cfg"), overrides)
    assert clock.posts > clock.steps > 0 and clock.seconds > 0.005
