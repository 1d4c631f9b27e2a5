"""One encoder, several listeners: gradients, freezing, sourcing, replacing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import spacy
import torch
from pipeline_posts import LISTENER, add_ner, found, initialize, overfit, read_posts, tagged
from spacy.language import Language
from spacy.util import fix_random_seed
from thinc.api import Adam

from spacy_tokclf import train_step
from spacy_tokclf.models.base_shim import encoder_nodes
from spacy_tokclf.training.optimizer import make_adamw_v1

LoadT = Callable[..., Language]
TAGGER = {"@architectures": "spacy.Tagger.v2", "tok2vec": {"@architectures": LISTENER}}


def encoder_of(nlp: Language, name: str = "transformer") -> torch.nn.Module:
    """Give the torch module of a component."""
    return encoder_nodes(nlp.get_pipe(name).model)[0].shims[0].module


def weights_of(nlp: Language) -> list[torch.Tensor]:
    """Give a copy of the encoder's weights."""
    return [p.detach().clone() for p in encoder_of(nlp).parameters()]


def moved(nlp: Language, before: list[torch.Tensor]) -> bool:
    """Tell whether the encoder has changed."""
    return any(not torch.equal(p, q) for p, q in zip(encoder_of(nlp).parameters(), before, strict=True))


def family(folder: Path, order: str, *, seed: int = 0) -> Language:
    """Make a pipeline with a tagger and our head on one encoder."""
    fix_random_seed(seed)
    nlp = spacy.blank("en")
    nlp.add_pipe("transformer_encoder", name="transformer")
    for name in order.split():
        if name == "ner":
            add_ner(nlp, shared=True)
        else:
            nlp.add_pipe("tagger", config={"model": TAGGER})
    initialize(nlp, folder, tagged(nlp), owners=("transformer",))
    return nlp


@pytest.mark.parametrize("order", ["tagger ner", "ner tagger"])
@pytest.mark.parametrize("make", [lambda: make_adamw_v1(1e-3, weight_decay=0.0), lambda: Adam(1e-3)])
def test_the_encoder_moves_when_our_head_has_no_gold(encoder_dir: Path, order: str, make: Callable) -> None:
    nlp = family(encoder_dir, order)
    before = weights_of(nlp)
    optimizer = make()
    for _ in range(
        2
    ):  # spaCy's tagger begins with weights of zero, so the encoder gets a gradient from the second step
        losses = train_step(nlp, tagged(nlp, ents=False), optimizer, drop=0.0)
        assert losses["ner"] == 0.0 and losses["tagger"] > 0.0
    assert moved(nlp, before)


def test_gradients_of_listeners_add_up(encoder_dir: Path) -> None:
    grads = {}
    for order in ("tagger", "ner", "tagger ner", "ner tagger"):
        nlp = family(encoder_dir, "tagger ner")
        examples = tagged(nlp)
        skip = {"tagger", "ner"} - set(order.split())
        with nlp.select_pipes(disable=list(skip)):
            for name in skip:
                nlp.get_pipe("transformer").listener_map.pop(name)
            nlp.update(examples, drop=0.0, sgd=False)
        grads[order] = [p.grad.clone() for p in encoder_of(nlp).parameters() if p.grad is not None]
    for i, both in enumerate(grads["tagger ner"]):
        assert torch.allclose(both, grads["tagger"][i] + grads["ner"][i], atol=1e-3, rtol=1e-4)
        assert torch.allclose(both, grads["ner tagger"][i], atol=1e-5)


def test_train_step_moves_the_encoder_at_once_and_update_with_an_optimizer_late(encoder_dir: Path) -> None:
    nlp = family(encoder_dir, "ner")
    before = weights_of(nlp)
    train_step(nlp, tagged(nlp), make_adamw_v1(1e-3), drop=0.0)
    assert moved(nlp, before)
    nlp = family(encoder_dir, "ner")
    optimizer = make_adamw_v1(1e-3)
    before = weights_of(nlp)
    nlp.update(tagged(nlp), drop=0.0, sgd=optimizer)
    assert not moved(nlp, before)  # a fact of spaCy: each component steps before the next has seen the batch
    nlp.update(tagged(nlp), drop=0.0, sgd=optimizer)
    assert moved(nlp, before)


def test_update_with_an_optimizer_still_learns(encoder_dir: Path) -> None:
    nlp = family(encoder_dir, "ner tagger")
    optimizer = make_adamw_v1(3e-3)
    for _ in range(60):
        losses: dict[str, float] = {}
        nlp.update(tagged(nlp), drop=0.0, sgd=optimizer, losses=losses)
    assert nlp.evaluate(tagged(nlp))["ents_f"] > 0.9


def test_everything_learns_together(encoder_dir: Path, tmp_path: Path) -> None:
    nlp = family(encoder_dir, "ner tagger")
    nlp.add_pipe("doc_cleaner")
    optimizer = make_adamw_v1(3e-3)
    for _ in range(60):
        train_step(nlp, tagged(nlp), optimizer, drop=0.0)
    scores = nlp.evaluate(tagged(nlp))
    assert scores["ents_f"] == 1.0 and scores["tag_acc"] > 0.95
    nlp.to_disk(tmp_path / "family")
    again = spacy.load(tmp_path / "family")
    doc, other = nlp("met Zorblax in Quorn Falls"), again("met Zorblax in Quorn Falls")
    assert found(doc) == found(other) != [] and [t.tag_ for t in doc] == [t.tag_ for t in other]
    assert doc.tensor is None or not doc.tensor.size


def test_frozen_encoder(encoder_dir: Path) -> None:
    nlp = family(encoder_dir, "ner")
    before = nlp.get_pipe("transformer").to_bytes()
    head = nlp.get_pipe("ner").model.get_ref("output_layer").get_param("W").copy()
    examples = tagged(nlp)
    for eg in examples:  # what training.annotating_components does for a frozen encoder
        nlp.get_pipe("transformer")(eg.predicted)
    optimizer = make_adamw_v1(1e-3)
    nlp.update(examples, sgd=False, exclude=["transformer"])
    nlp.get_pipe("ner").finish_update(optimizer)
    assert nlp.get_pipe("transformer").to_bytes() == before
    assert not np.array_equal(nlp.get_pipe("ner").model.get_ref("output_layer").get_param("W"), head)


def test_a_listener_without_vectors_is_an_error(load_trained: LoadT) -> None:
    nlp = load_trained(shared=True)
    with nlp.select_pipes(disable=["transformer"]), pytest.raises(ValueError, match="TC015"):
        nlp("met Zorblax")


def test_a_listener_without_an_encoder_is_an_error() -> None:
    nlp = spacy.blank("en")
    add_ner(nlp, shared=True)
    with pytest.raises(ValueError, match="TC014"):
        nlp.initialize(lambda: read_posts(nlp))


def test_replaced_listeners(load_trained: LoadT, tmp_path: Path) -> None:
    nlp = load_trained(shared=True)
    expected = found(nlp("met Zorblax in Quorn Falls"))
    assert expected
    nlp.replace_listeners("transformer", "ner", ["model.tok2vec"])
    frozen = weights_of(nlp)
    with nlp.select_pipes(disable=["transformer"]):
        assert found(nlp("met Zorblax in Quorn Falls")) == expected
        own = [p.detach().clone() for p in encoder_of(nlp, "ner").parameters()]
        nlp.get_pipe("ner").update(read_posts(nlp), sgd=make_adamw_v1(1e-3))
        assert any(not torch.equal(p, q) for p, q in zip(encoder_of(nlp, "ner").parameters(), own, strict=True))
    assert not moved(nlp, frozen)
    nlp.remove_pipe("transformer")
    nlp.to_disk(tmp_path / "alone")
    again = spacy.load(tmp_path / "alone")
    assert found(again("met Zorblax in Quorn Falls")) == found(nlp("met Zorblax in Quorn Falls"))


def test_sourced_from_another_pipeline(load_trained: LoadT, tmp_path: Path) -> None:
    load_trained(shared=True).to_disk(tmp_path / "source")
    nlp = spacy.blank("en")
    source = spacy.load(tmp_path / "source")
    nlp.add_pipe("transformer", source=source)
    nlp.add_pipe("ner", source=source)
    assert found(nlp("met Zorblax in Quorn Falls")) == found(source("met Zorblax in Quorn Falls")) != []
    nlp.resume_training()
    before = weights_of(nlp)
    overfit(nlp, steps=2)
    assert moved(nlp, before)
