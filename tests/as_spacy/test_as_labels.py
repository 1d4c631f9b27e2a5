"""Labels added to a trained component: refused or usable, in a loop and in `spacy train`, and nothing else changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from config_runs import FAST, run, short
from pipeline_posts import LABELS, annotate, found, read_post, read_posts, scores_of
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from thinc.api import Adam

from spacy_tokclf import train_step
from spacy_tokclf.pipeline.add_labels import make_add_labels_v1
from spacy_tokclf.training.optimizer import make_adamw_v1

NONSENSE = ["", None, "O", 7, " person", "person\n", "per\tson", b"person", "a\x00b"]


@pytest.mark.parametrize("label", NONSENSE)
def test_what_is_no_label_is_refused(ner_nlp: Language, label: Any) -> None:
    pipe = ner_nlp.get_pipe("ner")
    before = list(pipe.tags), pipe.model.get_ref("output_layer").get_dim("nO")
    with pytest.raises(ValueError, match="TC037"):
        pipe.add_label(label)
    assert before == (pipe.tags, pipe.model.get_ref("output_layer").get_dim("nO"))


@pytest.mark.parametrize("label", NONSENSE)
def test_as_it_is_in_initialize(encoder_dir: Path, label: Any) -> None:
    from spacy_tokclf import PretrainedEncoder

    pipe: Any = spacy.blank("en").add_pipe("token_classifier")
    with pytest.raises(ValueError, match="TC026"):
        pipe.initialize(
            lambda: read_posts(spacy.blank("en")), labels=[label], encoder=PretrainedEncoder(str(encoder_dir))
        )


def test_labels_before_initialize(encoder_dir: Path) -> None:
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe("token_classifier", name="ner")
    assert [pipe.add_label(label) for label in ("b", "a", "b")] == [1, 1, 0] and pipe.labels == ("b", "a")
    loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(encoder_dir)}
    nlp.config["initialize"]["components"] = {"ner": {"encoder": loader}}
    nlp.initialize()
    assert pipe.labels == ("b", "a")
    assert nlp.pipe_labels["ner"] == ["b", "a"]


@pytest.mark.parametrize("crf", [False, True])
@pytest.mark.parametrize("tuned", [False, True])
def test_scores_stay_where_they_were(as_trained: Callable[..., Path], crf: bool, tuned: bool) -> None:
    """Also of a model that is not sure of itself, where other tags would gain most."""
    nlp = spacy.load(as_trained(crf=crf, steps=12))
    pipe = nlp.get_pipe("ner")
    if tuned:
        pipe.cfg["tuning"] = {"bias": dict.fromkeys(LABELS, 0.7), "temperature": 1.3, "slope": 0.9, "shift": 0.1}
    before = annotate(nlp)
    for number in range(30):
        pipe.add_label(f"new {number}")
    after = annotate(nlp)
    assert [found(doc) for doc in after] == [found(doc) for doc in before]
    one, other = ([score for doc in docs for score in scores_of(doc)] for docs in (before, after))
    assert len(one) > 3 and np.mean(one) < 0.97
    assert np.abs(np.subtract(one, other)).max() < 2e-3


@pytest.mark.parametrize("crf", [False, True])
def test_new_labels_are_learned(as_trained: Callable[..., Path], crf: bool) -> None:
    nlp = spacy.load(as_trained(crf=crf))
    for number in range(10):
        nlp.get_pipe("ner").add_label(f"new {number}")
    nlp.get_pipe("ner").cfg["tuning"] = {"bias": {"person": 0.5}}
    new = read_post(nlp, "the [Zeppelin Two|new 3] rises")
    optimizer = make_adamw_v1(3e-3, head_multiplier=3.0)
    for _ in range(50):
        train_step(nlp, [new, *read_posts(nlp)], optimizer, drop=0.0)
    assert nlp.evaluate([new, *read_posts(nlp)])["ents_f"] == 1.0
    assert found(nlp("the Zeppelin Two rises")) == [(1, 3, "new 3")]


def test_a_label_added_between_two_steps(ner_nlp: Language) -> None:
    optimizer = make_adamw_v1(1e-3, use_averages=True)
    train_step(ner_nlp, read_posts(ner_nlp), optimizer)
    ner_nlp.get_pipe("ner").add_label("new")
    train_step(ner_nlp, read_posts(ner_nlp), optimizer)
    with ner_nlp.use_params(optimizer.averages):
        assert len(ner_nlp.get_pipe("ner").logits([ner_nlp.make_doc("rain")])[0][0]) == 11


@pytest.mark.parametrize(("shared", "crf"), [(False, False), (True, True)])
def test_a_label_added_between_two_steps_of_spacys_optimizer(
    as_trained: Callable[..., Path], shared: bool, crf: bool
) -> None:
    nlp = spacy.load(as_trained(shared=shared, crf=crf))
    optimizer = nlp.resume_training(sgd=Adam(1e-3, use_averages=True))
    for label in ("new", "newer"):
        nlp.update(read_posts(nlp), sgd=optimizer)
        nlp.rehearse(read_posts(nlp), sgd=optimizer)
        nlp.get_pipe("ner").add_label(label)
    with nlp.use_params(optimizer.averages):
        assert nlp.get_pipe("ner").model.get_dim("nO") == 13
        annotate(nlp)
    nlp.update(read_posts(nlp), sgd=optimizer)


def test_the_order_of_labels_stays(ner_nlp: Language, tmp_path: Path) -> None:
    pipe = ner_nlp.get_pipe("ner")
    pipe.add_label("a")
    ner_nlp.to_disk(tmp_path / "more")
    assert spacy.load(tmp_path / "more").get_pipe("ner").labels == (*LABELS, "a") == pipe.labels


# In `spacy train`.


@pytest.fixture(scope="module")
def ships(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the posts, and new ones with a new type."""
    folder = tmp_path_factory.mktemp("ships")
    nlp = spacy.blank("en")
    docs = [eg.reference for eg in read_posts(nlp)]
    docs += [read_post(nlp, "the [Zeppelin Two|ship] rises").reference] * 4
    DocBin(docs=docs).to_disk(folder / "posts.spacy")
    return folder


def train_on(model: Path, ships: Path, encoder_dir: Path, out: Path, *, callback: dict[str, Any] | None) -> Any:
    blocks: dict[str, Any] = {"components.ner": {"source": str(model)}, "initialize.components": {}}
    blocks["initialize.after_init"] = callback
    return run("wnut17", out, short("wnut17", ships, encoder_dir, steps=40) | FAST, blocks=blocks)


@pytest.mark.parametrize("labels", [None, ["ship"]])
def test_going_on_with_a_new_type(
    model: Path, ships: Path, encoder_dir: Path, tmp_path: Path, labels: list[str] | None
) -> None:
    callback = {"@callbacks": "spacy-tokclf.add_labels.v1", "labels": labels}
    finished = train_on(model, ships, encoder_dir, tmp_path / "out", callback=callback)
    assert finished.best.get_pipe("ner").labels == (*LABELS, "ship")
    assert found(finished.best("the Zeppelin Two rises")) == [(1, 3, "ship")]
    assert finished.best.meta["performance"]["ents_f"] == 1.0


def test_without_it_the_data_are_refused(model: Path, ships: Path, encoder_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"TC020.*ship"):
        train_on(model, ships, encoder_dir, tmp_path / "out", callback=None)


def test_which_component_is_meant(model: Path) -> None:
    nlp = spacy.load(model)
    for name in ("other", None):
        with pytest.raises(ValueError, match="TC038"):
            make_add_labels_v1(name)(nlp if name else spacy.blank("en"))
    nlp.add_pipe("ner", name="two", source=spacy.load(model))
    with pytest.raises(ValueError, match=r"TC038.*ner, two"):
        make_add_labels_v1(labels=["x"])(nlp)
    with nlp.select_pipes(disable=["two"]):
        make_add_labels_v1("two", ["x"])(nlp)
    assert nlp.get_pipe("two").labels == (*LABELS, "x") and nlp.get_pipe("ner").labels == tuple(LABELS)
    with pytest.raises(ValueError, match="TC037"):
        make_add_labels_v1("two", ["O"])(nlp)


# Rehearsal.


def drift(nlp: Language, before: list[Any]) -> float:
    """Give how far the probabilities of tags are from what they were."""
    pipe = nlp.get_pipe("ner")
    docs = [eg.reference for eg in read_posts(nlp)]
    rows = []
    for doc in docs:
        for name, each in nlp.pipeline:
            if name == "ner":
                break
            each(doc)
        rows.append(pipe.logits([doc])[0])
    if not before:
        before += rows
    return float(np.mean([np.abs(one - other).mean() for one, other in zip(before, rows, strict=True)]))


def go_on(nlp: Language, *, rehearse: bool) -> tuple[float, dict[str, float]]:
    """Train on one contrary text alone, with or without rehearsal; give the drift and the losses."""
    nlp.config["training"]["optimizer"] = {"@optimizers": "spacy-tokclf.AdamW.v1", "learn_rate": 1e-3}
    optimizer = nlp.resume_training()
    before: list[Any] = []
    drift(nlp, before)
    new = Doc(nlp.vocab, words=["Wibble", "Zorblax"], ents=["B-person", "B-product"])
    example = Example(Doc(nlp.vocab, words=["Wibble", "Zorblax"]), new)
    raw = [Example(eg.x, Doc(nlp.vocab, words=[token.text for token in eg.x])) for eg in read_posts(nlp)]
    losses: dict[str, float] = {}
    for _ in range(8):
        train_step(nlp, [example], optimizer, drop=0.0)
        if rehearse:
            losses = nlp.rehearse(raw)
    return drift(nlp, before), losses


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("crf", [False, True])
def test_rehearsal_holds_on_to_what_was_known(as_trained: Callable[..., Path], shared: bool, crf: bool) -> None:
    forgetful, _ = go_on(spacy.load(as_trained(shared=shared, crf=crf)), rehearse=False)
    mindful, losses = go_on(spacy.load(as_trained(shared=shared, crf=crf)), rehearse=True)
    assert losses["ner"] > 0.0 and mindful < 0.7 * forgetful


def test_rehearsal_without_anything_learned_changes_nothing(ner_nlp: Language) -> None:
    ner_nlp.resume_training()
    before = annotate(ner_nlp)
    assert ner_nlp.rehearse(read_posts(ner_nlp))["ner"] == pytest.approx(0.0, abs=1e-6)
    assert [found(doc) for doc in annotate(ner_nlp)] == [found(doc) for doc in before]


def test_rehearsal_with_labels_added_since(ner_nlp: Language) -> None:
    optimizer = ner_nlp.resume_training(sgd=make_adamw_v1(1e-3))
    ner_nlp.get_pipe("ner").add_label("ship")
    losses = ner_nlp.get_pipe("ner").rehearse(read_posts(ner_nlp), sgd=optimizer, losses={"other": 1.0})
    assert losses["other"] == 1.0 and losses["ner"] == pytest.approx(0.0, abs=1e-6)
    assert ner_nlp.get_pipe("ner").rehearse([Example(Doc(ner_nlp.vocab), Doc(ner_nlp.vocab))]) == {"ner": 0.0}


def test_rehearsal_that_cannot_be(model: Path, encoder_dir: Path) -> None:
    nlp = spacy.load(model)
    with pytest.raises(ValueError, match=r"TC039.*resume_training"):
        nlp.rehearse(read_posts(nlp), sgd=make_adamw_v1(1e-3))
    sourced = spacy.blank("en")
    sourced.add_pipe("ner", source=nlp)
    optimizer = sourced.resume_training(sgd=make_adamw_v1(1e-3))
    with pytest.raises(ValueError, match=r"TC041.*sgd=optimizer"):
        sourced.rehearse(read_posts(nlp))
    assert "ner" in sourced.get_pipe("ner").rehearse(read_posts(nlp), sgd=optimizer)


def test_rehearsal_behind_a_listener_of_spacy(encoder_dir: Path) -> None:
    from shared_pipelines import LISTENERS, shared_pipeline

    nlp = shared_pipeline(encoder_dir, LISTENERS[1])
    optimizer = nlp.resume_training(sgd=make_adamw_v1(1e-3))
    with pytest.raises(ValueError, match=r"TC040.*EncoderListener"):
        nlp.get_pipe("ner").rehearse(read_posts(nlp), sgd=optimizer)


def test_the_gradient_of_rehearsal_is_torchs(ner_nlp: Language) -> None:
    import torch
    from thinc.api import NumpyOps

    from spacy_tokclf.pipeline.rehearsal import distillation_loss

    rng = np.random.default_rng(0)
    logits = [rng.normal(size=(n, 5)).astype("float32") * 3 for n in (4, 0, 3)]
    targets = [rng.normal(size=(n, 3)).astype("float32") * 3 for n in (4, 0, 3)]
    logits[0][1] = targets[0][1] = 0.0  # a token that nothing is seen of
    loss, gradient, n_tokens = distillation_loss(NumpyOps(), logits, targets)
    rows = torch.tensor(np.concatenate(logits), requires_grad=True)
    kept = [0, 2, 3, 4, 5, 6]
    theirs = torch.nn.functional.kl_div(
        torch.log_softmax(rows[kept, :3], dim=1),
        torch.log_softmax(torch.tensor(np.concatenate(targets))[kept], dim=1),
        reduction="sum",
        log_target=True,
    )
    theirs.backward()
    assert n_tokens == 6 and loss == pytest.approx(float(theirs.detach()), rel=1e-5)
    assert np.allclose(np.concatenate(gradient), rows.grad.numpy(), atol=1e-6)


def test_spans_of_new_labels_are_spans(ner_nlp: Language) -> None:
    pipe = ner_nlp.get_pipe("ner")
    pipe.add_label("brand-new")
    assert pipe.tags[-2:] == ["B-brand-new", "I-brand-new"]
    doc = Doc(ner_nlp.vocab, words=["a", "b"])
    doc.set_ents([Span(doc, 0, 2, "brand-new")])
    assert pipe.gold_tags([Example(doc.copy(), doc)], pipe.logits([doc])).tolist() == [9, 10]
