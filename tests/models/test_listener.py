"""The listener: the encoder's own width, and never a vector made up in silence."""

import numpy as np
import pytest
import spacy
from hf_reference import VOCAB, make_docs
from spacy.training import Example
from spacy.util import registry
from thinc.api import Model

from spacy_tokclf.models.listener import build_encoder_listener_v1

LISTENER = {"@architectures": "spacy-tokclf.EncoderListener.v1", "upstream": "*"}
CLASSIFIER = {"@architectures": "spacy-tokclf.TokenClassifier.v1", "tok2vec": LISTENER}
POSTS = [["We", "met", "in", "New", "York"], ["tweet"], ["Groenlinks", " ", "\ufe0f", "praat"]]


@pytest.fixture
def shared(encoder_dir):
    """A pipeline with a `transformer_encoder` and a `token_classifier` that listens to it, not initialized."""
    nlp = spacy.blank("en")
    nlp.add_pipe("transformer_encoder", name="transformer")
    nlp.add_pipe("token_classifier", name="ner", config={"model": CLASSIFIER})
    loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(encoder_dir)}
    nlp.config["initialize"]["components"]["transformer"] = {"encoder": loader}
    nlp.config["initialize"]["components"]["ner"] = {"labels": ["location", "person"]}
    return nlp


def make_listener(width=4):
    listener = registry.resolve({"model": LISTENER})["model"]
    listener.upstream = Model("encoder", lambda model, X, is_train: (X, lambda dY: dY), dims={"nO": width})
    return listener


def with_vectors(words, width=4):
    (doc,) = make_docs([words])
    doc.tensor = np.random.normal(size=(len(words), width)).astype("float32")
    return doc


def test_the_width_is_that_of_the_encoder():
    listener = make_listener(width=7)
    assert not listener.has_dim("nO")
    listener.initialize()
    assert listener.get_dim("nO") == 7


@pytest.mark.parametrize("upstream", [None, Model("encoder", lambda model, X, is_train: (X, None), dims={"nO": None})])
def test_no_encoder_or_one_without_a_width(upstream):
    listener = build_encoder_listener_v1("transformer")
    listener.upstream = upstream
    with pytest.raises(ValueError, match=r"TC014.*'transformer'"):
        listener.initialize()


def test_no_encoder_in_the_pipeline():
    nlp = spacy.blank("en")
    nlp.add_pipe("token_classifier", name="ner", config={"model": CLASSIFIER})
    nlp.config["initialize"]["components"]["ner"] = {"labels": ["person"]}
    with pytest.raises(ValueError, match="TC014"):
        nlp.initialize()


def test_an_encoder_of_another_name(shared):
    shared.remove_pipe("ner")
    block = {**CLASSIFIER, "tok2vec": {**LISTENER, "upstream": "other"}}
    shared.add_pipe("token_classifier", name="ner", config={"model": block})
    shared.config["initialize"]["components"]["ner"] = {"labels": ["person"]}
    with pytest.raises(ValueError, match=r"TC014.*'other'"):
        shared.initialize()


def test_vectors_of_the_texts_are_passed_on():
    listener = make_listener()
    listener.initialize()
    docs = [with_vectors(["a", "b"]), make_docs([[]])[0], with_vectors(["c"])]
    for train in (False, True):  # in training without the encoder's batch: it is frozen, and annotates
        rows, backprop = listener(docs, is_train=train)
        for row, doc in zip(rows, docs, strict=True):
            assert row.shape == (len(doc), 4)
            np.testing.assert_array_equal(row, doc.tensor if len(doc) else row)
        assert backprop(rows) == []


@pytest.mark.parametrize(("words", "width"), [(["a"], 4), (["a", "b", "c"], 4), (["a", "b"], 3), (None, 4)])
@pytest.mark.parametrize("train", [False, True])
def test_missing_or_wrong_vectors_are_refused(words, width, train):
    listener = make_listener()
    listener.initialize()
    (doc,) = make_docs([["some", "text"]])
    if words:
        doc.tensor = with_vectors(words, width).tensor
    with pytest.raises(ValueError, match=r"TC015.*index 1.*'some text.*\(2, 4\)"):
        listener([with_vectors(["in"]), doc], is_train=train)


def test_in_training_the_encoders_batch_is_passed_on():
    listener = make_listener()
    listener.initialize()
    docs = make_docs(POSTS)
    given, calls = [np.ones((len(doc), 4), "float32") for doc in docs], []
    listener.receive(listener.get_batch_id(docs), given, calls.append)
    rows, backprop = listener.begin_update(docs)
    assert rows is given
    backprop("gradient")
    assert calls == ["gradient"]
    with pytest.raises(ValueError, match="E953"):
        listener.begin_update(docs[:1])


def test_texts_of_the_initialization_need_no_vectors():
    listener = make_listener()
    docs = make_docs(POSTS)
    listener.initialize(X=docs)
    assert [row.shape for row in listener.predict(docs)] == [(len(doc), 4) for doc in docs]
    with pytest.raises(ValueError, match="TC015"):
        listener.predict(make_docs(POSTS))


def test_texts_of_the_initialization_that_got_vectors_later_keep_them():
    listener = make_listener()
    docs = make_docs(POSTS)
    listener.initialize(X=docs)
    for doc in docs:
        doc.tensor = with_vectors([token.text for token in doc]).tensor
    for row, doc in zip(listener.predict(docs), docs, strict=True):
        np.testing.assert_array_equal(row, doc.tensor)


def test_a_component_that_is_run_without_its_encoder_is_an_error(shared):
    shared.initialize()
    with pytest.raises(ValueError, match="TC015"):
        shared.get_pipe("ner")(shared.make_doc("We met in New York"))
    with shared.select_pipes(disable=["transformer"]), pytest.raises(ValueError, match="TC015"):
        shared("We met in New York")
    assert len(shared("").ents) == 0
    shared("We met in New York")


def test_shared_and_inline_give_the_same_logits(shared, make_nlp, encoder_dir):
    inline = make_nlp(labels=["location", "person"])
    shared.initialize()
    layers = [pipeline.get_pipe("ner").model.get_ref("output_layer") for pipeline in (inline, shared)]
    for name in ("W", "b"):
        layers[1].set_param(name, layers[0].get_param(name).copy())
    docs, others = make_docs(POSTS), make_docs(POSTS)
    shared.get_pipe("transformer").set_annotations(docs, shared.get_pipe("transformer").predict(docs))
    got = shared.get_pipe("ner").predict(docs)[0]
    for one, other in zip(got, inline.get_pipe("ner").predict(others)[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)


def test_another_batch_than_the_encoders_is_refused_in_training(shared):
    shared.initialize()
    examples = [Example(doc, doc.copy()) for doc in make_docs(POSTS)]
    shared.get_pipe("transformer").update(examples)
    with pytest.raises(ValueError, match="E953"):
        shared.get_pipe("ner").update(examples[:1])


def test_a_spacy_listener_hears_our_encoder(shared):
    tagger = {"@architectures": "spacy.Tagger.v2", "nO": None, "normalize": False}
    tagger["tok2vec"] = {"@architectures": "spacy.Tok2VecListener.v1", "width": 32, "upstream": "transformer"}
    shared.add_pipe("tagger", config={"model": tagger})
    doc = shared.make_doc("We met")
    gold = Example.from_dict(doc, {"tags": ["A", "B"], "entities": ["O", "O"]})
    shared.initialize(lambda: [gold])
    shared.update([gold])
    assert shared("We met in York").has_annotation("TAG")
    assert VOCAB is not shared.vocab
