import json
import random
import warnings
from itertools import islice

import pytest
import spacy
from confection import ConfigValidationError
from spacy.training.initialize import init_nlp
from spacy.training.loop import create_train_batches, train
from spacy.util import load_config_from_str, load_model_from_config, registry

from spacy_tokclf.corpus import write_jsonl
from spacy_tokclf.corpus.batcher import make_length_batcher_v1
from spacy_tokclf.corpus.jsonl_reader import make_jsonl_corpus_v1

NAMES = ["Ada", "Bo", "Cy", "Di"]
ROWS = [{"text": f"{name}  saw New York's sun", "label": [[0, len(name), "PER"]]} for name in NAMES]
CONFIG = """
[nlp]
lang = "en"
pipeline = ["ner"]

[components]

[components.ner]
factory = "token_classifier"

[corpora]

[corpora.train]
@readers = "spacy-tokclf.JsonlCorpus.v1"
path = null

[corpora.dev]
@readers = "spacy-tokclf.JsonlCorpus.v1"
path = null
limit = 2

[training]
dev_corpus = "corpora.dev"
train_corpus = "corpora.train"
max_epochs = -1
max_steps = 2
eval_frequency = 2

[initialize]

[initialize.components]

[initialize.components.ner]

[initialize.components.ner.encoder]
@misc = "spacy-tokclf.PretrainedEncoder.v1"
name = null
"""


@pytest.fixture
def jsonl(tmp_path):
    """Write objects to a file and return its path."""

    def write(rows=ROWS, name="posts.jsonl"):
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


@pytest.fixture
def nlp_blank():
    return spacy.blank("en")


def test_examples_have_the_pipelines_tokens_and_the_real_spaces(jsonl, nlp_blank):
    (example, *_) = make_jsonl_corpus_v1(jsonl())(nlp_blank)
    for doc in (example.predicted, example.reference):
        assert doc.text == ROWS[0]["text"] and not doc.has_unknown_spaces
        assert [token.text for token in doc] == [token.text for token in nlp_blank(ROWS[0]["text"])]
    assert not example.predicted.has_annotation("ENT_IOB")
    assert example.get_aligned_ner() == ["U-PER", *["O"] * 6]


def test_misaligned_gold_is_missing_in_the_example(jsonl, nlp_blank):
    path = jsonl([{"text": "New York's sun", "label": [[4, 9, "LOC"]]}])
    with pytest.warns(UserWarning, match=r"TW110.*posts\.jsonl: 1 of 1 spans.*\(4, 9, 'LOC'\) \"York'\""):
        (example,) = make_jsonl_corpus_v1(path)(nlp_blank)
    assert example.get_aligned_ner() == ["O", None, None, "O"]
    with pytest.warns(UserWarning, match="TW110"):
        (example,) = make_jsonl_corpus_v1(path, on_misaligned="expand")(nlp_blank)
    assert example.get_aligned_ner() == ["O", "B-LOC", "L-LOC", "O"]
    with pytest.raises(ValueError, match=r"TC166.*posts\.jsonl:1"):
        list(make_jsonl_corpus_v1(path, on_misaligned="error")(nlp_blank))


def test_said_once_and_only_of_a_whole_reading(jsonl, nlp_blank):
    corpus = make_jsonl_corpus_v1(jsonl([{"text": "Ada", "label": [[0, 2, "PER"]]}] * 5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        next(iter(corpus(nlp_blank)))
    with pytest.warns(UserWarning, match=r"TW110.*5 of 5 spans"):
        list(corpus(nlp_blank))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(corpus(nlp_blank))) == 5


def test_overlap(jsonl, nlp_blank):
    path = jsonl([{"text": "New York", "label": [[0, 8, "LOC"], [4, 8, "ORG"]]}])
    with pytest.raises(ValueError, match=r"TC165.*posts\.jsonl:1"):
        list(make_jsonl_corpus_v1(path)(nlp_blank))
    with pytest.warns(UserWarning, match="TW110"):
        (example,) = make_jsonl_corpus_v1(path, overlap="longest")(nlp_blank)
    assert example.get_aligned_ner() == ["B-LOC", "L-LOC"]


def test_tokens_of_the_file(tmp_path, nlp_blank):
    docs = [spacy.tokens.Doc(nlp_blank.vocab, words=["10km", "don't"])]
    write_jsonl(docs, tmp_path / "x.jsonl")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # missing throughout, yet annotated as such
        (own,) = make_jsonl_corpus_v1(tmp_path / "x.jsonl")(nlp_blank)
        (given,) = make_jsonl_corpus_v1(tmp_path / "x.jsonl", keep_tokens=True)(nlp_blank)
    assert [token.text for token in own.predicted] == ["10", "km", "do", "n't"]
    assert [token.text for token in given.predicted] == ["10km", "don't"]
    assert given.predicted.has_unknown_spaces and given.reference.has_unknown_spaces


def twice(nlp, example):
    yield from (example, example)


def test_an_augmenter(jsonl, nlp_blank):
    plain, augmented = (list(make_jsonl_corpus_v1(jsonl(), augmenter=each)(nlp_blank)) for each in (None, twice))
    assert plain
    assert [eg.text for eg in augmented] == [eg.text for eg in plain for _ in range(2)]


def test_folder_in_order_of_name_and_limit(jsonl, nlp_blank):
    jsonl(ROWS[2:], "b.jsonl")
    jsonl(["not read"], "c.txt")
    folder = jsonl(ROWS[:2], "a.json").parent
    texts = [row["text"] for row in ROWS]
    for limit, count in ((0, 4), (1, 1), (3, 3), (4, 4), (9, 4)):
        corpus = make_jsonl_corpus_v1(folder, limit=limit)
        assert [example.text for example in corpus(nlp_blank)] == texts[:count]


def test_missing_paths_and_unknown_choices(tmp_path, nlp_blank):
    with pytest.raises(ValueError, match=r"TC169.*No path"):
        make_jsonl_corpus_v1(None)
    for path in (tmp_path, tmp_path / "no.jsonl"):
        with pytest.raises(ValueError, match="TC169"):
            list(make_jsonl_corpus_v1(path)(nlp_blank))
    with pytest.raises(ValueError, match="TC119"):
        make_jsonl_corpus_v1(tmp_path, limit=-1)
    for choice in ({"format": "spacy"}, {"on_misaligned": "O"}, {"overlap": "last"}):
        with pytest.raises(ValueError, match=f"TC167.*{next(iter(choice))}"):
            make_jsonl_corpus_v1(tmp_path, **choice)


def test_registered_and_validated(jsonl, nlp_blank):
    config = {"@readers": "spacy-tokclf.JsonlCorpus.v1", "path": str(jsonl()), "limit": 2}
    assert len(list(registry.resolve({"corpus": config})["corpus"](nlp_blank))) == 2
    for faulty in ({"limit": "two"}, {"path": 3}, {"shuffle": True}):
        with pytest.raises(ConfigValidationError):
            registry.resolve({"corpus": {**config, **faulty}})


def test_streamed_epochs(jsonl, nlp_blank):
    random.seed(0)
    corpus = make_jsonl_corpus_v1(jsonl())
    batches = create_train_batches(nlp_blank, corpus, make_length_batcher_v1(3, 2), -1)
    seen = list(islice(batches, 4))
    assert [epoch for epoch, _ in seen] == [0, 0, 1, 1]
    for epoch in range(2):
        texts = sorted(eg.text for e, batch in seen for eg in batch if e == epoch)
        assert texts == sorted(row["text"] for row in ROWS)


def test_training_straight_from_offsets(jsonl, encoder_dir):
    config = load_config_from_str(CONFIG)
    rows = [*ROWS, {"text": ""}, {"text": "Ed"}, {"text": "Flo", "label": [[0, 2, "PER"]]}, {"text": " ", "label": []}]
    path = str(jsonl(rows))
    for corpus in ("train", "dev"):
        config["corpora"][corpus]["path"] = path
    config["initialize"]["components"]["ner"]["encoder"]["name"] = str(encoder_dir)
    with pytest.warns(UserWarning, match=r"TW110.*1 of 5 spans.*2 of 8 texts have no annotation"):
        nlp = init_nlp(load_model_from_config(config, auto_fill=True).config)
    with pytest.warns(UserWarning, match="TW110"):
        trained, _ = train(nlp, None, use_gpu=-1)
    assert list(trained.get_pipe("ner").labels) == ["PER"]
