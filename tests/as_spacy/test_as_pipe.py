"""A component in a pipeline: streams, batches, errors, switching on and off, names, training loops, scores."""

import copy
import gc
import warnings
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly
from pipeline_posts import LABELS, add_ner, annotate, found, initialize, read_posts, same, scores_of
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Corpus, Example
from spacy.util import raise_error, registry
from thinc.api import Adam

from spacy_tokclf import PretrainedEncoder
from spacy_tokclf.cli.evaluate import evaluate
from spacy_tokclf.corpus import doc_to_record, write_conll
from spacy_tokclf.export.optimize_check import compare_pipelines
from spacy_tokclf.pipeline.tuning.tune import tune

POST = "just met Zorblax in Quorn Falls lol"
ENTS = [(2, 3, "person"), (4, 6, "location")]


# Streams.


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_a_stream_is_its_texts(ner_nlp: Language, batch_size: int) -> None:
    texts = [eg.reference.text for eg in read_posts(ner_nlp)]
    same(list(ner_nlp.pipe(texts, batch_size=batch_size)), [ner_nlp(text) for text in texts])


def test_contexts_stay_with_their_texts(ner_nlp: Language) -> None:
    pairs = list(ner_nlp.pipe([(POST, {"id": 1}), ("", {"id": 2}), ("rain", {"id": 3})], as_tuples=True))
    assert [(found(doc), context["id"]) for doc, context in pairs] == [(ENTS, 1), ([], 2), ([], 3)]


def test_several_processes(ner_nlp: Language) -> None:
    texts = [POST, "rain", "", "met Mira Okafor"]
    one, other = (list(ner_nlp.pipe(texts, n_process=n, batch_size=2)) for n in (1, 2))
    same(one, other)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\u200b"])
def test_texts_of_nothing(ner_nlp: Language, text: str) -> None:
    doc = ner_nlp(text)
    assert not doc.ents and not doc.spans["entities"] and scores_of(doc) == []
    assert all(token.ent_iob_ == "O" for token in doc)


def test_nothing_at_all(ner_nlp: Language) -> None:
    assert list(ner_nlp.pipe([])) == []
    assert ner_nlp.get_pipe("ner").update([], sgd=None) == {"ner": 0.0}
    empty = Example(Doc(ner_nlp.vocab), Doc(ner_nlp.vocab))
    assert ner_nlp.update([empty], sgd=False) == {"ner": 0.0}


def test_a_memory_zone(ner_nlp: Language) -> None:
    before = len(ner_nlp.vocab.strings)
    with ner_nlp.memory_zone():
        texts = [f"{POST} frobnicate{i}" for i in range(20)]
        assert [found(doc) for doc in ner_nlp.pipe(texts)] == [ENTS] * 20
    assert len(ner_nlp.vocab.strings) == before
    assert found(ner_nlp(POST)) == ENTS


def test_texts_are_not_kept(ner_nlp: Language) -> None:
    doc = ner_nlp(POST)
    ref = weakref.ref(doc)
    del doc
    gc.collect()
    assert ref() is None


# Errors.


def break_on(nlp: Language, word: str) -> None:
    """Let the component fail on texts with a word."""
    pipe = nlp.get_pipe("ner")
    predict = pipe.predict

    def fail(docs: Any) -> Any:
        docs = list(docs)
        if any(word in doc.text for doc in docs):
            raise ValueError("broken")
        return predict(docs)

    pipe.predict = fail


def test_an_error_handler_gets_the_bad_text_alone(ner_nlp: Language) -> None:
    break_on(ner_nlp, "bad")
    seen: list[tuple[str, list[str], str]] = []
    ner_nlp.set_error_handler(lambda name, pipe, docs, e: seen.append((name, [d.text for d in docs], str(e))))
    docs = list(ner_nlp.pipe([POST, "bad", "rain"]))
    assert [doc.text for doc in docs] == [POST, "rain"] and found(docs[0]) == ENTS
    assert seen == [("ner", ["bad"], "broken")]


def test_without_a_handler_it_raises(ner_nlp: Language) -> None:
    break_on(ner_nlp, "bad")
    assert ner_nlp.get_pipe("ner").get_error_handler() is raise_error
    with pytest.raises(ValueError, match="broken"):
        list(ner_nlp.pipe([POST, "bad"]))
    with pytest.raises(ValueError, match="broken"):
        ner_nlp("bad")


def test_a_pipeline_that_was_never_trained() -> None:
    nlp = spacy.blank("en")
    add_ner(nlp)
    with pytest.raises(ValueError, match="TC012"):
        nlp(POST)


# On and off.


def test_switched_off_and_on(ner_nlp: Language) -> None:
    with ner_nlp.select_pipes(disable=["ner"]):
        assert not ner_nlp(POST).ents and "entities" not in ner_nlp(POST).spans
    ner_nlp.disable_pipe("ner")
    assert ner_nlp.disabled == ["ner"] and not ner_nlp(POST).ents
    ner_nlp.enable_pipe("ner")
    assert found(ner_nlp(POST)) == ENTS


def test_loaded_switched_off(model: Path) -> None:
    nlp = spacy.load(model, disable=["ner"])
    assert nlp.pipe_names == [] and not nlp(POST).ents
    nlp.enable_pipe("ner")
    assert found(nlp(POST)) == ENTS


def test_saved_switched_off(model: Path, tmp_path: Path) -> None:
    spacy.load(model, disable=["ner"]).to_disk(tmp_path / "off")
    nlp = spacy.load(tmp_path / "off")
    assert nlp.disabled == ["ner"]
    nlp.enable_pipe("ner")
    assert found(nlp(POST)) == ENTS


def test_switched_off_in_one_call(ner_nlp: Language) -> None:
    assert not ner_nlp(POST, disable=["ner"]).ents
    assert not next(iter(ner_nlp.pipe([POST], disable=["ner"]))).ents


def test_another_name(ner_nlp: Language, tmp_path: Path) -> None:
    ner_nlp.rename_pipe("ner", "names")
    pipe = ner_nlp.get_pipe("names")
    pipe.threshold = 0.1
    assert ner_nlp.config["components"]["names"]["threshold"] == 0.1
    assert ner_nlp.update(read_posts(ner_nlp), sgd=False).keys() == {"names"}
    ner_nlp.to_disk(tmp_path / "names")
    again = spacy.load(tmp_path / "names")
    assert again.pipe_names == ["names"] and found(again(POST)) == ENTS and again.get_pipe("names").threshold == 0.1


def test_taken_out_and_replaced(ner_nlp: Language) -> None:
    name, pipe = ner_nlp.remove_pipe("ner")
    assert name == "ner" and not ner_nlp(POST).ents
    pipe.threshold = 0.5  # it belongs to no pipeline now
    ner_nlp.add_pipe("token_classifier", name="ner")
    ner_nlp.replace_pipe("ner", "sentencizer")
    assert ner_nlp.pipe_names == ["ner"] and not ner_nlp(POST).ents


def test_what_the_analysis_says(ner_nlp: Language) -> None:
    analysis = ner_nlp.analyze_pipes(keys=["assigns", "scores", "retokenizes"])
    assert set(analysis["summary"]["ner"]["assigns"]) >= {"doc.ents", "doc.spans"}
    assert "ents_f" in analysis["summary"]["ner"]["scores"] and not analysis["problems"]["ner"]


# Training.


def test_the_loop_of_spacys_documentation(model: Path) -> None:
    nlp = spacy.load(model)
    optimizer = nlp.resume_training(sgd=Adam(1e-3))
    losses: dict[str, float] = {}
    for _ in range(3):
        nlp.update(read_posts(nlp), sgd=optimizer, losses=losses, drop=0.1)
    assert losses["ner"] > 0 and nlp.evaluate(read_posts(nlp))["ents_f"] > 0.9


def test_losses_are_added_to(ner_nlp: Language) -> None:
    losses = {"ner": 10.0}
    ner_nlp.update(read_posts(ner_nlp), sgd=False, losses=losses)
    assert losses["ner"] > 10.0


def test_examples_have_to_be_examples(ner_nlp: Language) -> None:
    with pytest.raises(TypeError, match="E978"):
        ner_nlp.get_pipe("ner").update([ner_nlp.make_doc(POST)])
    with pytest.raises((TypeError, ValueError), match=r"E930|E978"):
        ner_nlp.get_pipe("ner").initialize(read_posts(ner_nlp))


def test_an_annotating_component_is_there_for_the_next(ner_nlp: Language) -> None:
    seen = []

    @Language.component("as_spacy_looks")
    def look(doc: Doc) -> Doc:
        seen.append(found(doc))
        return doc

    ner_nlp.add_pipe("as_spacy_looks")
    ner_nlp.update(read_posts(ner_nlp)[:2], sgd=False, annotates=["ner", "as_spacy_looks"])
    assert seen[0] == ENTS


def test_a_component_that_is_left_out_of_an_update(ner_nlp: Language) -> None:
    before = ner_nlp.get_pipe("ner").to_bytes()
    assert "ner" not in ner_nlp.update(read_posts(ner_nlp), sgd=Adam(1e-2), exclude=["ner"])
    assert ner_nlp.get_pipe("ner").to_bytes() == before


def test_averages_for_a_while(ner_nlp: Language) -> None:
    layer = ner_nlp.get_pipe("ner").model.get_ref("output_layer")
    with ner_nlp.use_params({(layer.id, "W"): layer.get_param("W") * 0, (layer.id, "b"): layer.get_param("b") * 0}):
        assert not ner_nlp(POST).ents
    assert found(ner_nlp(POST)) == ENTS


@pytest.mark.parametrize("form", ["list", "label data", "file"])
def test_labels_that_initialize_is_given(encoder_dir: Path, tmp_path: Path, ner_nlp: Language, form: str) -> None:
    data: Any = ner_nlp.get_pipe("ner").label_data
    if form == "file":
        srsly.write_json(tmp_path / "ner.json", data)
        data = registry.readers.get("spacy.read_labels.v1")(tmp_path / "ner.json")
    pipe: Any = spacy.blank("en").add_pipe("token_classifier")
    pipe.initialize(
        lambda: read_posts(ner_nlp),
        labels=LABELS if form == "list" else data,
        encoder=PretrainedEncoder(str(encoder_dir)),
    )
    assert pipe.label_data == ner_nlp.get_pipe("ner").label_data


def test_initialized_again_it_knows_nothing(ner_nlp: Language, encoder_dir: Path) -> None:
    initialize(ner_nlp, encoder_dir, read_posts(ner_nlp), owners=("ner",))
    assert ner_nlp.get_pipe("ner").labels == tuple(LABELS)
    assert ner_nlp.evaluate(read_posts(ner_nlp))["ents_f"] < 0.5


# Scores.


def test_scores_of_the_pipeline_and_of_the_component(ner_nlp: Language) -> None:
    scores = ner_nlp.evaluate(read_posts(ner_nlp))
    assert scores["ents_f"] == scores["seqeval_f1"] == 1.0 and set(scores["ents_per_type"]) == set(LABELS)
    examples = [Example(doc, eg.reference) for doc, eg in zip(annotate(ner_nlp), read_posts(ner_nlp), strict=True)]
    own = ner_nlp.get_pipe("ner").score(examples)
    assert own["ents_f"] == 1.0
    assert ner_nlp.evaluate(read_posts(ner_nlp), per_component=True)["ner"]["ents_f"] == 1.0


def test_without_a_scorer(model: Path) -> None:
    nlp = spacy.load(model, config={"components.ner.scorer": None})
    assert nlp.get_pipe("ner").score(read_posts(nlp)) == {}


def test_spacys_own_scorer(model: Path) -> None:
    nlp = spacy.load(model, config={"components.ner.scorer": {"@scorers": "spacy.ner_scorer.v1"}})
    assert nlp.evaluate(read_posts(nlp))["ents_f"] == 1.0


def forgetful(nlp: Language) -> Language:
    """Let a pipeline find nothing."""
    layer = nlp.get_pipe("ner").model.get_ref("output_layer")
    layer.set_param("W", layer.get_param("W") * 0)
    layer.set_param("b", layer.get_param("b") * 0)
    return nlp


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    """The posts in three forms, with spaces that are known, as `nlp.make_doc` has them."""
    docs = []
    for eg in read_posts(spacy.blank("en")):
        doc = Doc(eg.reference.vocab, words=[token.text for token in eg.reference])
        doc.has_unknown_spaces = False
        doc.set_ents([Span(doc, ent.start, ent.end, ent.label_) for ent in eg.reference.ents])
        docs.append(doc)
    DocBin(docs=docs).to_disk(tmp_path / "gold.spacy")
    write_conll(map(doc_to_record, docs), tmp_path / "gold.conll")
    spans = [[{"start": e.start_char, "end": e.end_char, "label": e.label_} for e in doc.ents] for doc in docs]
    rows = [{"text": doc.text, "spans": found} for doc, found in zip(docs, spans, strict=True)]
    srsly.write_jsonl(tmp_path / "gold.jsonl", rows)
    return tmp_path / "gold.spacy"


READERS: dict[str, Callable[[Path], Any]] = {
    "spaCy": lambda path: Corpus(path),
    "spaCy, gold tokens": lambda path: Corpus(path, gold_preproc=True),
    "CoNLL": lambda path: registry.readers.get("spacy-tokclf.ConllCorpus.v1")(path.with_suffix(".conll")),
    "JSONL": lambda path: registry.readers.get("spacy-tokclf.JsonlCorpus.v1")(path.with_suffix(".jsonl")),
    "lower copies": lambda path: Corpus(path, augmenter=registry.augmenters.get("spacy-tokclf.lower_copies.v1")(1.0)),
}


@pytest.mark.parametrize("reader", READERS)
def test_no_reader_lets_gold_through(ner_nlp: Language, gold: Path, reader: str) -> None:
    """What is evaluated in training, and by `nlp.evaluate`: a pipeline that finds nothing scores nothing."""
    examples = list(READERS[reader](gold)(ner_nlp))
    assert sum(len(eg.reference.ents) for eg in examples) > 10
    assert not any(eg.predicted.ents for eg in examples)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = forgetful(ner_nlp).evaluate(examples)
    assert scores["ents_f"] == scores["seqeval_f1"] == 0.0


def test_no_command_of_ours_lets_gold_through(ner_nlp: Language, gold: Path, tmp_path: Path) -> None:
    forgetful(ner_nlp).to_disk(tmp_path / "nothing")
    for raw in (False, True):
        assert evaluate(str(tmp_path / "nothing"), gold, raw=raw, resamples=2)["overall_f1"] == 0.0
    again = copy.deepcopy(ner_nlp)
    assert compare_pipelines(ner_nlp, again, gold).f1 == (0.0, 0.0)
    references = [eg.reference for eg in Corpus(gold)(ner_nlp)]
    assert tune(ner_nlp, references, bias=False)["untuned"]["f1"] == 0.0
