"""Our head beside spaCy's tagger, textcat and ner, all on one encoder."""

from pathlib import Path
from typing import Any

import pytest
import spacy
import torch
from pipeline_posts import LISTENER, add_ner, initialize, read_posts, tagged
from spacy.language import Language
from spacy.training import Example
from spacy.util import fix_random_seed

from spacy_tokclf import train_step
from spacy_tokclf.models.base_shim import encoder_nodes
from spacy_tokclf.training.optimizer import make_adamw_v1

SPACY_LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 32, "upstream": "transformer"}
OURS = {"@architectures": LISTENER}
NEIGHBOURS: dict[str, dict[str, Any]] = {
    "tagger": {"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": OURS}},
    "textcat": {
        "model": {
            "@architectures": "spacy.TextCatReduce.v1",
            "exclusive_classes": True,
            "use_reduce_first": False,
            "use_reduce_last": False,
            "use_reduce_max": False,
            "use_reduce_mean": True,
            "tok2vec": SPACY_LISTENER,
        }
    },
    "spacy_ner": {
        "model": {
            "@architectures": "spacy.TransitionBasedParser.v2",
            "state_type": "ner",
            "extra_state_tokens": False,
            "hidden_width": 16,
            "maxout_pieces": 2,
            "use_upper": True,
            "tok2vec": OURS,
        },
        "update_with_oracle_cut_size": 0,
    },
}
FACTORIES = {"spacy_ner": "ner"}
ORDERS = ["tagger textcat spacy_ner ner", "ner spacy_ner textcat tagger", "spacy_ner ner tagger textcat"]


def gold(nlp: Language, *, ents: bool = True) -> list[Example]:
    """Give the posts with tags, categories and, if wanted, entities."""
    examples = tagged(nlp, ents=ents)
    for eg, post in zip(examples, read_posts(nlp), strict=True):
        named = bool(post.reference.ents)
        eg.reference.cats = {"named": float(named), "plain": float(not named)}
    return examples


def make_family(folder: Path, order: str) -> Language:
    """Make a pipeline of an encoder and some components that listen to it, each with random weights of its own."""
    nlp = spacy.blank("en")
    nlp.add_pipe("transformer_encoder", name="transformer")
    for name in order.split():
        if name == "ner":
            add_ner(nlp, shared=True)
        else:
            nlp.add_pipe(FACTORIES.get(name, name), name=name, config=NEIGHBOURS[name])
    fix_random_seed(0)
    initialize(nlp, folder, gold(nlp), owners=("transformer",))
    for name in order.split():
        fix_random_seed(0)
        for node in nlp.get_pipe(name).model.walk():  # spaCy begins with zeros, through which no gradient goes
            for key in node.param_names:
                if node.has_param(key) is True:
                    value = node.get_param(key)
                    node.set_param(key, node.ops.asarray_f(torch.randn(*value.shape).numpy() * 0.1))
    return nlp


def encoder_of(nlp: Language, name: str = "transformer") -> torch.nn.Module:
    return encoder_nodes(nlp.get_pipe(name).model)[0].shims[0].module


def gradient(nlp: Language, examples: list[Example], exclude: set[str]) -> list[torch.Tensor]:
    """Give the gradient of the encoder after one batch."""
    fix_random_seed(0)
    nlp.update(examples, drop=0.0, sgd=False, exclude=exclude)
    nlp.get_pipe("transformer").backpropagate()
    grads = [p.grad.clone() for p in encoder_of(nlp).parameters() if p.grad is not None]
    encoder_of(nlp).zero_grad()
    return grads


@pytest.mark.parametrize("order", ORDERS)
def test_gradients_add_up(order: str, encoder_dir: Path) -> None:
    names = set(order.split())
    each = {name: gradient(make_family(encoder_dir, order), gold(spacy.blank("en")), names - {name}) for name in names}
    nlp = make_family(encoder_dir, order)
    together = gradient(nlp, gold(nlp), set())
    assert len(together) > 30
    for parts in zip(together, *each.values(), strict=True):
        total = torch.stack(parts[1:]).sum(dim=0)
        assert all(part.any() for part in parts[1:]) or not total.any()
        assert torch.allclose(parts[0], total, atol=1e-4 * float(total.abs().max() + 1))


@pytest.mark.parametrize("order", ORDERS)
def test_components_without_gold_do_not_hold_up_the_others(order: str, encoder_dir: Path) -> None:
    """spaCy's ner sends nothing back for a batch without entities, also as the encoder's last listener."""
    nlp = make_family(encoder_dir, order)
    without = gradient(nlp, gold(nlp, ents=False), set())
    expected = gradient(make_family(encoder_dir, order), gold(spacy.blank("en")), {"ner", "spacy_ner"})
    for one, other in zip(without, expected, strict=True):
        assert torch.allclose(one, other, atol=1e-5)
    before = [p.detach().clone() for p in encoder_of(nlp).parameters()]
    train_step(nlp, gold(nlp, ents=False), make_adamw_v1(1e-3), drop=0.0)
    assert any(not torch.equal(p, q) for p, q in zip(encoder_of(nlp).parameters(), before, strict=True))


def test_batches_between_two_steps_all_count(encoder_dir: Path) -> None:
    order = "ner spacy_ner"
    nlp = make_family(encoder_dir, order)
    once = gradient(nlp, gold(nlp), {"spacy_ner"})
    nlp.update(gold(nlp), drop=0.0, sgd=False, exclude={"spacy_ner"})
    twice = gradient(nlp, gold(nlp), {"spacy_ner"})
    for one, two in zip(once, twice, strict=True):
        assert torch.allclose(2.0 * one, two, rtol=1e-4, atol=1e-4)


def test_the_family_learns_is_frozen_and_stored(encoder_dir: Path, tmp_path: Path) -> None:
    nlp = make_family(encoder_dir, "tagger textcat ner")
    optimizer = make_adamw_v1(3e-3)
    for _ in range(60):
        train_step(nlp, gold(nlp), optimizer, drop=0.0)
    scores = nlp.evaluate(gold(nlp))
    assert scores["ents_f"] == 1.0 and scores["tag_acc"] > 0.95 and scores["cats_macro_auc"] > 0.95
    nlp.to_disk(tmp_path / "family")
    again = spacy.load(tmp_path / "family")
    text = "met Zorblax in Quorn Falls"
    assert again(text).to_json() == nlp(text).to_json()
    # The encoder and the head are kept as they are, and annotate for a tagger that learns on.
    frozen = ["transformer", "textcat", "ner"]
    before = {name: again.get_pipe(name).to_bytes() for name in again.pipe_names}
    again.update(gold(again), sgd=False, exclude=frozen, annotates=["transformer"])
    again.get_pipe("tagger").finish_update(make_adamw_v1(1e-3))
    after = {name: again.get_pipe(name).to_bytes() for name in again.pipe_names}
    assert [name for name in before if before[name] != after[name]] == ["tagger"]


def test_replaced_listeners_of_the_whole_family(encoder_dir: Path) -> None:
    nlp = make_family(encoder_dir, "tagger ner")
    text = "met Zorblax in Quorn Falls"
    logits = [nlp.get_pipe(name).model.predict([nlp(text)])[0] for name in ("tagger", "ner")]
    for name in ("tagger", "ner"):
        nlp.replace_listeners("transformer", name, ["model.tok2vec"])
    assert nlp.get_pipe("transformer").listening_components == []
    modules = [encoder_of(nlp, name) for name in ("transformer", "tagger", "ner")]
    assert len({id(module) for module in modules}) == 3
    for name, expected in zip(("tagger", "ner"), logits, strict=True):
        assert nlp.get_pipe(name).model.predict([nlp.make_doc(text)])[0] == pytest.approx(expected, abs=1e-5)
    optimizer = make_adamw_v1(1e-3)
    states = [[p.detach().clone() for p in module.parameters()] for module in modules]
    train_step(nlp, gold(nlp), optimizer, drop=0.0)
    moved = [
        any(not torch.equal(p, q) for p, q in zip(module.parameters(), state, strict=True))
        for module, state in zip(modules, states, strict=True)
    ]
    assert moved == [False, True, True]


def test_a_family_sourced_from_another_pipeline(encoder_dir: Path) -> None:
    source = make_family(encoder_dir, "tagger textcat ner")
    nlp = spacy.blank("en")
    for name in source.pipe_names:
        nlp.add_pipe(name, source=source)
    assert nlp.get_pipe("transformer").listening_components == ["tagger", "textcat", "ner"]
    text = "met Zorblax in Quorn Falls"
    assert nlp(text).to_json() == source(text).to_json()
