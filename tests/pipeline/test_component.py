"""Labels, gold, settings and neighbours of the component."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import spacy
from pipeline_posts import LABELS, add_ner, found, initialize, overfit, read_posts, scores_of
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_tokclf import entity_score, train_step
from spacy_tokclf.models.base_shim import encoder_nodes
from spacy_tokclf.pipeline.loss import masked_cross_entropy
from spacy_tokclf.training.optimizer import make_adamw_v1

LoadT = Callable[..., Language]
POST = "just met Zorblax in Quorn Falls lol"


def example(nlp: Language, words: list[str], iob: list[str], predicted: list[str] | None = None) -> Example:
    """Make an example; a `-` in `iob` is a missing value."""
    reference = Doc(nlp.vocab, words=words, ents=["O" if tag == "-" else tag for tag in iob])
    missing = [reference[i : i + 1] for i, tag in enumerate(iob) if tag == "-"]
    if missing:
        reference.set_ents(list(reference.ents), missing=missing)
    return Example(Doc(nlp.vocab, words=predicted or words), reference)


def gradient(nlp: Language, eg: Example) -> tuple[float, np.ndarray]:
    """Give loss and gradient of one example."""
    ner = nlp.get_pipe("ner")
    logits, _ = ner.model.begin_update([eg.predicted])
    loss, d_logits = ner.get_loss([eg], logits)
    return loss, d_logits[0]


def test_labels_come_sorted_from_the_data_in_any_order(make_nlp: LoadT, encoder_dir: Path) -> None:
    nlp = make_nlp()
    backwards = spacy.blank("en")
    add_ner(backwards)
    initialize(backwards, encoder_dir, read_posts(backwards)[::-1], owners=("ner",))
    for pipeline in (nlp, backwards):
        ner = pipeline.get_pipe("ner")
        assert ner.labels == tuple(LABELS)
        assert ner.tags == ["O", *(f"{prefix}-{label}" for label in LABELS for prefix in "BI")]
        assert ner.label_data == {"scheme": "IOB2", "tags": ner.tags}


@pytest.mark.parametrize("labels", [["b", "a"], {"scheme": "IOBES", "tags": ["O", "B-b", "I-b", "E-b", "S-b"]}])
def test_labels_from_the_config(encoder_dir: Path, labels: object) -> None:
    nlp = spacy.blank("en")
    add_ner(nlp)
    block = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(encoder_dir)}
    nlp.config["initialize"]["components"] = {"ner": {"encoder": block, "labels": labels}}
    nlp.initialize()
    assert nlp.get_pipe("ner").labels == (("b", "a") if isinstance(labels, list) else ("b",))
    assert len(nlp.get_pipe("ner").tags) == 5


@pytest.mark.parametrize(
    ("labels", "code"),
    [([], "TC024"), (["O"], "TC026"), ({"tags": ["O"]}, "TC026"), ({"scheme": "IOB2", "tags": ["O", "X-y"]}, "TC027")],
)
def test_wrong_labels(encoder_dir: Path, labels: object, code: str) -> None:
    from spacy_tokclf import PretrainedEncoder

    nlp = spacy.blank("en")
    add_ner(nlp)
    ner = nlp.get_pipe("ner")
    with pytest.raises(ValueError, match=code):
        ner.initialize(lambda: read_posts(nlp), nlp=nlp, labels=labels, encoder=PretrainedEncoder(str(encoder_dir)))


def test_no_encoder_named() -> None:
    nlp = spacy.blank("en")
    add_ner(nlp)
    with pytest.raises(ValueError, match="TC023"):
        nlp.initialize(lambda: read_posts(nlp))


def test_a_label_that_was_not_announced(make_nlp: LoadT) -> None:
    nlp = make_nlp()
    eg = example(nlp, ["the", "Zeppelin"], ["O", "B-airship"])
    with pytest.raises(ValueError, match=r"TC020.*airship"):
        nlp.update([eg], sgd=False)


def test_a_label_added_later_keeps_the_rows_there_are(load_trained: LoadT) -> None:
    nlp = load_trained()
    ner = nlp.get_pipe("ner")
    layer = ner.model.get_ref("output_layer")
    before = {name: layer.get_param(name).copy() for name in ("W", "b")}
    tags = list(ner.tags)
    assert ner.add_label("airship") == 1 and ner.add_label("airship") == 0
    assert ner.tags == [*tags, "B-airship", "I-airship"]
    assert np.array_equal(layer.get_param("W")[: len(tags)], before["W"])
    assert np.array_equal(layer.get_param("b")[: len(tags)], before["b"])
    optimizer = make_adamw_v1(3e-3)
    nlp.resume_training()
    eg = example(nlp, ["the", "Zeppelin", "rises"], ["O", "B-airship", "O"])
    for _ in range(60):
        train_step(nlp, [eg, *read_posts(nlp)], optimizer, drop=0.0)
    assert [ent.label_ for ent in nlp("the Zeppelin rises").ents] == ["airship"]
    assert nlp.evaluate(read_posts(nlp))["ents_f"] == 1.0
    again = load_trained().from_bytes(nlp.to_bytes())
    assert found(again("the Zeppelin rises")) == [(1, 2, "airship")]


def test_missing_gold_has_no_gradient(make_nlp: LoadT) -> None:
    nlp = make_nlp()
    words = ["just", "met", "Zorblax", "in", "Quorn"]
    eg = example(nlp, words, ["O", "-", "B-person", "-", "-"])
    _, grad = gradient(nlp, eg)
    assert [bool(row.any()) for row in grad] == [True, False, True, False, False]
    loss, grad = gradient(nlp, example(nlp, words, ["-"] * 5))
    assert loss == 0.0 and not grad.any()
    # A Doc without any annotation is missing as well, not outside.
    loss, grad = gradient(nlp, Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words)))
    assert loss == 0.0 and not grad.any()


def test_misaligned_gold_is_not_taught(make_nlp: LoadT) -> None:
    nlp = make_nlp()
    eg = example(nlp, ["in", "New", "York", "now"], ["O", "O", "B-location", "O"], ["in", "New", "Yorknow"])
    eg = Example(
        Doc(nlp.vocab, words=["in", "New", "Yorknow"], spaces=[True, True, False]),
        Doc(nlp.vocab, words=["in", "New", "York", "now"], spaces=[1, 1, 0, 0], ents=["O", "O", "B-location", "O"]),
    )
    _, grad = gradient(nlp, eg)
    assert [bool(row.any()) for row in grad] == [True, True, False]


def test_gold_on_other_tokens(make_nlp: LoadT) -> None:
    nlp = make_nlp()
    ner = nlp.get_pipe("ner")
    eg = Example(
        Doc(nlp.vocab, words=["Quorn", "Falls", "!", "!"], spaces=[1, 0, 0, 0]),
        Doc(nlp.vocab, words=["Quorn", "Falls", "!!"], spaces=[1, 0, 0], ents=["B-location", "I-location", "O"]),
    )
    _, grad = gradient(nlp, eg)
    assert [ner.tags[int(row.argmin())] for row in grad] == ["B-location", "I-location", "O", "O"]


def test_entities_that_begin_with_an_unseen_token(make_nlp: LoadT) -> None:
    nlp = make_nlp()
    ner = nlp.get_pipe("ner")
    iob = ["B-location", "I-location", "I-location", "I-location", "O"]
    _, grad = gradient(nlp, example(nlp, ["\ufe0f", "Quorn", "\n", "Falls", "lol"], iob))
    tags = [ner.tags[int(row.argmin())] if row.any() else None for row in grad]
    assert tags == [None, "B-location", None, "I-location", "O"]


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_cross_entropy_against_torch(label_smoothing: float) -> None:
    import torch
    from thinc.api import NumpyOps

    rng = np.random.default_rng(0)
    logits = (rng.normal(size=(20, 5)) * 30).astype("float32")
    gold = rng.integers(-1, 5, size=20)
    loss, grad = masked_cross_entropy(NumpyOps(), logits, gold, label_smoothing=label_smoothing)
    tensor = torch.tensor(logits, requires_grad=True)
    theirs = torch.nn.functional.cross_entropy(
        tensor, torch.tensor(gold), ignore_index=-1, reduction="sum", label_smoothing=label_smoothing
    )
    theirs.backward()
    assert loss == pytest.approx(float(theirs.detach()), rel=1e-5)
    assert np.allclose(grad, tensor.grad.numpy(), atol=1e-6)


def test_a_loss_that_is_not_a_number(make_nlp: LoadT) -> None:
    nlp = make_nlp()
    layer = nlp.get_pipe("ner").model.get_ref("output_layer")
    layer.set_param("b", layer.get_param("b") + np.float32("nan"))
    with pytest.raises(ValueError, match="TC025"):
        nlp.update(read_posts(nlp), sgd=False)


def test_scores_are_the_mean_mass_of_the_type(load_trained: LoadT) -> None:
    nlp = load_trained()
    ner = nlp.get_pipe("ner")
    doc = nlp(POST)
    logits = ner.logits([doc])[0].astype("float64")
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert len(doc.ents) == 2
    for ent, score in zip(doc.ents, scores_of(doc), strict=True):
        columns = [i for i, tag in enumerate(ner.tags) if tag.endswith(f"-{ent.label_}")]
        assert score == pytest.approx(probabilities[ent.start : ent.end][:, columns].sum(axis=1).mean(), abs=1e-6)
        assert entity_score(ent) == score
    assert entity_score(doc[0:1]) is None
    assert entity_score(Span(doc, doc.ents[0].start, doc.ents[0].end, "airship")) is None


def test_threshold_removes_exactly_what_scores_less(load_trained: LoadT) -> None:
    nlp = load_trained()
    docs = [nlp(eg.reference.text) for eg in read_posts(nlp)]
    scores = sorted(score for doc in docs for score in scores_of(doc))
    middle = scores[len(scores) // 2]
    nlp.get_pipe("ner").cfg["threshold"] = middle
    kept = [score for doc in docs for score in scores_of(nlp(doc.text))]
    assert sorted(kept) == pytest.approx([score for score in scores if score >= middle])
    assert len(kept) < len(scores)


@pytest.mark.parametrize(("setting", "value", "code"), [("decode", "beam", "TC021"), ("threshold", 2.0, "TC022")])
def test_wrong_settings(setting: str, value: object, code: str) -> None:
    with pytest.raises(ValueError, match=code):
        spacy.blank("en").add_pipe("token_classifier", config={setting: value})


def test_beside_an_entity_ruler(load_trained: LoadT) -> None:
    nlp = load_trained(overwrite_ents=False)
    ruler = nlp.add_pipe("entity_ruler", before="ner")
    ruler.add_patterns([{"label": "PARTY", "pattern": "met Zorblax"}])
    doc = nlp(POST)
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("met Zorblax", "PARTY"), ("Quorn Falls", "location")]
    assert [span.text for span in doc.spans["entities"]] == ["Zorblax", "Quorn Falls"]
    assert entity_score(doc.ents[0]) is None and 0.0 < (entity_score(doc.ents[1]) or 0.0) <= 1.0
    nlp.get_pipe("ner").cfg["overwrite_ents"] = True
    assert [ent.text for ent in nlp(POST).ents] == ["Zorblax", "Quorn Falls"]


def test_spans_alone(load_trained: LoadT) -> None:
    nlp = load_trained(annotate_ents=False, spans_key="mine")
    doc = nlp(POST)
    assert not doc.ents and [span.label_ for span in doc.spans["mine"]] == ["person", "location"]


def test_analysis_of_the_pipeline(load_trained: LoadT) -> None:
    analysis = load_trained(shared=True).analyze_pipes()
    assert "doc.ents" in analysis["summary"]["ner"]["assigns"]
    assert analysis["summary"]["transformer"]["assigns"] == ["doc.tensor"]
    assert not any(analysis["problems"].values())


def test_another_tok2vec_in_the_slot(tmp_path: Path) -> None:
    tok2vec = {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "width": 32,
        "depth": 2,
        "embed_size": 200,
        "window_size": 1,
        "maxout_pieces": 2,
        "subword_features": True,
        "pretrained_vectors": None,
    }
    nlp = spacy.blank("en")
    model = {"@architectures": "spacy-tokclf.TokenClassifier.v1", "tok2vec": tok2vec}
    nlp.add_pipe("token_classifier", name="ner", config={"model": model})
    nlp.initialize(lambda: read_posts(nlp))
    overfit(nlp, steps=60, learn_rate=5e-3)
    assert nlp.evaluate(read_posts(nlp))["ents_f"] == 1.0
    nlp.to_disk(tmp_path / "cnn")
    again = spacy.load(tmp_path / "cnn")
    assert found(again(POST)) == found(nlp(POST)) != []


def test_memory_of_texts(load_trained: LoadT) -> None:
    """Nothing of torch stays on a text."""
    nlp = load_trained(shared=True)
    doc = nlp(POST)
    assert isinstance(doc.tensor, np.ndarray) and not doc.user_data
    nlp.add_pipe("doc_cleaner")
    assert nlp(POST).tensor is None or not nlp(POST).tensor.size


def test_training_is_repeatable(encoder_folder: Path) -> None:
    states = []
    for _ in range(2):
        spacy.util.fix_random_seed(3)
        nlp = spacy.blank("en")
        add_ner(nlp)
        initialize(nlp, encoder_folder, read_posts(nlp), owners=("ner",))
        optimizer = make_adamw_v1(1e-3)
        for _ in range(3):
            train_step(nlp, read_posts(nlp), optimizer, drop=0.2)
        states.append(nlp.to_bytes())
    assert states[0] == states[1]


def test_no_warning_on_plain_use(load_trained: LoadT) -> None:
    nlp = load_trained()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(nlp.pipe([POST, "rain " * 400]))


def test_frozen_encoder_of_a_source_is_untouched(load_trained: LoadT) -> None:
    source = load_trained()
    nlp = spacy.blank("en")
    nlp.add_pipe("ner", source=source)
    nlp.add_pipe("textcat_multilabel").add_label("a")
    egs = [Example.from_dict(nlp.make_doc(POST), {"cats": {"a": 1.0}})]
    before = source.get_pipe("ner").to_bytes()
    with nlp.select_pipes(disable=["ner"]):
        nlp.initialize(lambda: egs)
        nlp.update(egs)
    assert nlp.get_pipe("ner").to_bytes() == before
    assert [ent.text for ent in nlp(POST).ents] == ["Zorblax", "Quorn Falls"]
    assert all(node.shims[0].is_filled for node in encoder_nodes(nlp.get_pipe("ner").model))
