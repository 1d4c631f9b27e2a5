"""Our classifier on the `transformer` component of spacy-transformers; runs in an environment of its own."""

import pytest
import spacy
from spacy.cli.init_config import fill_config
from spacy.cli.train import train
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Corpus

pytest.importorskip("spacy_transformers")

CONFIG = "wnut17_spacy_transformers.cfg"
POSTS = [
    (["Zoe", "went", "to", "London", "today"], [(0, 1, "person"), (3, 4, "location")]),
    (["London", "is", "where", "Zoe", "lives"], [(0, 1, "location"), (3, 4, "person")]),
    (["nothing", "new", "here"], []),
]


@pytest.fixture
def corpus(tmp_path):
    """A few posts, as a .spacy file."""
    vocab = spacy.blank("en").vocab
    docs = DocBin()
    for words, ents in POSTS * 4:
        doc = Doc(vocab, words=words)
        doc.set_ents([Span(doc, start, end, label=label) for start, end, label in ents])
        docs.add(doc)
    docs.to_disk(tmp_path / "posts.spacy")
    return tmp_path / "posts.spacy"


def test_the_config_trains_and_the_pipeline_comes_back(pytestconfig, tmp_path, corpus, encoder_dir):
    overrides = {
        "paths.train": str(corpus),
        "paths.dev": str(corpus),
        "paths.encoder": str(encoder_dir),
        "training.max_steps": 60,
        "training.eval_frequency": 60,
        "training.optimizer.learn_rate.initial_rate": 0.003,
        "training.optimizer.learn_rate.warmup_steps": 6,
    }
    train(pytestconfig.rootpath / "configs" / CONFIG, tmp_path / "out", overrides=overrides)
    trained = spacy.load(tmp_path / "out" / "model-last")
    assert trained.pipe_names == ["transformer", "ner", "doc_cleaner"]
    assert trained.meta["performance"]["ents_f"] == 1.0
    again = spacy.load(tmp_path / "out" / "model-last")
    for eg in Corpus(corpus)(again):
        doc = again(eg.reference.text)
        assert [(e.text, e.label_) for e in doc.ents] == [(e.text, e.label_) for e in eg.reference.ents]
        scores = doc.spans["entities"].attrs["scores"]
        assert len(scores) == len(doc.ents) and all(0.5 < score <= 1.0 for score in scores)
        assert doc._.trf_data is None


def test_the_config_is_complete(pytestconfig, tmp_path, encoder_dir):
    path = pytestconfig.rootpath / "configs" / CONFIG
    text = path.read_text().replace("distilbert/distilbert-base-uncased", str(encoder_dir))
    (tmp_path / "config.cfg").write_text(text)
    before, after = fill_config(tmp_path / "out.cfg", tmp_path / "config.cfg")
    assert before == after
