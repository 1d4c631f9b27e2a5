"""Losses, gradients and predictions that are not finite numbers: refused by a code that names the texts, and nothing
that was learned or saved before is changed."""

from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import torch
from pipeline_posts import HEAD, add_ner, found, initialize, read_posts
from safetensors.torch import load_file
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed
from thinc.api import Adam, Optimizer

from spacy_tokclf import train_step
from spacy_tokclf.models.backend import TorchBackend
from spacy_tokclf.pipeline import batch_loss
from spacy_tokclf.training.optimizer import make_adamw_v1

KINDS = ("slot", "fused", "crf", "shared", "cnn")
LoadT = Callable[..., Language]


@pytest.fixture
def make(plain_encoder_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Language]:
    """Give a function that makes an initialized pipeline of a kind, always the same."""

    def build(kind: str) -> Language:
        monkeypatch.setattr(TorchBackend, "fuses", kind == "fused")
        fix_random_seed(0)
        nlp = spacy.blank("en")
        if kind == "cnn":
            tok2vec = {"@architectures": "spacy.HashEmbedCNN.v2", "width": 8, "depth": 1, "embed_size": 50}
            tok2vec |= {"window_size": 1, "maxout_pieces": 2, "subword_features": True, "pretrained_vectors": None}
            nlp.add_pipe("token_classifier", name="ner", config={"model": {"@architectures": HEAD, "tok2vec": tok2vec}})
            nlp.initialize(lambda: read_posts(nlp))
            return nlp
        if kind == "shared":
            nlp.add_pipe("transformer_encoder", name="transformer")
            scorer = {"@scorers": "spacy-tokclf.seqeval_scorer.v1", "score_prefix": "other_"}
            add_ner(nlp, shared=True, name="other", scorer=scorer)
        add_ner(nlp, shared=kind == "shared", crf=kind == "crf")
        initialize(nlp, plain_encoder_folder, read_posts(nlp), owners=("transformer" if kind == "shared" else "ner",))
        return nlp

    return build


def arrays(nlp: Language) -> Iterator[tuple[str, Any, str, bool]]:
    """Yield all parameters of a pipeline: where they are, what holds them, their names, and whether that is torch."""
    for pipe_name, pipe in nlp.pipeline:
        for index, node in enumerate(pipe.model.walk()):
            for name in node.param_names:
                if node.has_param(name) is True:
                    yield f"{pipe_name}.{index}.{name}", node, name, False
            for shim in node.shims:
                for name, param in shim.module.named_parameters():
                    yield f"{pipe_name}.{index}.{name}", param, name, True


def state(nlp: Language, optimizer: Any) -> dict[str, np.ndarray]:
    """Give weights, moments and averages as arrays of their own."""
    found = {}
    for where, holder, name, in_torch in arrays(nlp):
        if in_torch:
            found[where] = holder.detach().numpy().copy()
            for halves in getattr(optimizer, "_torch_optimizers", {}).values():
                for key, value in [item for half in halves for item in half.state.get(holder, {}).items()]:
                    found[f"{where} {key}"] = value.numpy().copy()
        else:
            found[where] = holder.get_param(name).copy()
            for key in ("mom1", "mom2"):
                if (holder.id, name) in getattr(optimizer, key):
                    found[f"{where} {key}"] = getattr(optimizer, key)[holder.id, name].copy()
    names = {holder.id: where for where, holder, _, in_torch in arrays(nlp) if not in_torch}
    for (owner, name), average in (optimizer.averages or {}).items():
        found[f"{names.get(owner, 'encoder')} {name} average"] = np.array(average.tolist(), dtype="float32")
    return found


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(one[key].tobytes() == other[key].tobytes() for key in one)


def learn(nlp: Language, examples: list[Example]) -> None:
    nlp.update(examples, drop=0.0, sgd=False)  # type: ignore[arg-type]


def step(nlp: Language, optimizer: Optimizer) -> None:
    for _, pipe in nlp.pipeline:
        pipe.finish_update(optimizer)


def poison(nlp: Language, where: str, value: float) -> None:
    """Spoil one number of the gradient of the encoder, or of the last array of the head."""
    held = [(holder, name, in_torch) for _, holder, name, in_torch in arrays(nlp)]
    chosen = [each for each in held if each[2] == (where == "encoder")]
    holder, name, in_torch = chosen[len(chosen) // 2 if where == "encoder" else -1]
    if in_torch:
        holder.grad.view(-1)[3] = value
    else:
        holder.get_grad(name).reshape(-1)[0] = value


@pytest.mark.parametrize("kind", KINDS)
def test_a_loss_that_is_not_finite_changes_nothing(make: Callable[[str], Language], kind: str) -> None:
    """The rest of the training is that of one which never saw the batch."""
    ends = []
    for spoiled in (False, True):
        nlp = make(kind)
        optimizer, posts = make_adamw_v1(1e-3, use_averages=True), read_posts(nlp)
        train_step(nlp, posts[:8], optimizer, drop=0.0)
        if spoiled:
            before = state(nlp, optimizer)
            learn(nlp, posts[8:12])  # a first part of the batch, with a loss as it should be
            layer = nlp.get_pipe("ner").model.get_ref("output_layer")
            kept = layer.get_param("b").copy()
            layer.get_param("b")[0] = np.inf
            with pytest.raises(ValueError, match="TC025") as caught:
                learn(nlp, posts[12:])
            message = str(caught.value)
            assert "4 of 4 text(s)" in message and "0: 'ok bye ', from token 0 ('ok') on" in message
            assert "damaged before: linear.b" in message
            layer.get_param("b")[:] = kept
            assert same(state(nlp, optimizer), before)
        train_step(nlp, posts[8:], optimizer, drop=0.0)
        ends.append(state(nlp, optimizer))
    assert same(*ends)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize(("kind", "where"), [(kind, "head") for kind in KINDS] + [(k, "encoder") for k in KINDS[:-1]])
def test_a_gradient_that_is_not_finite_changes_nothing(
    make: Callable[[str], Language], kind: str, where: str, value: float
) -> None:
    ends = []
    for spoiled in (False, True):
        nlp = make(kind)
        optimizer, posts = make_adamw_v1(1e-3, use_averages=True), read_posts(nlp)
        train_step(nlp, posts[:8], optimizer, drop=0.0)
        if spoiled:
            before = state(nlp, optimizer)
            learn(nlp, posts[:4])
            learn(nlp, posts[4:8])
            if kind == "shared":
                nlp.get_pipe("transformer").backpropagate()
            poison(nlp, where, value)
            with pytest.raises(ValueError, match="TC470") as caught:
                step(nlp, optimizer)
            assert ": 8 of 8 text(s), counted from 0 (0: 'just met Zorblax" in str(caught.value)
            assert "All weights are finite" in str(caught.value)
            assert same(state(nlp, optimizer), before)
        train_step(nlp, posts[8:], optimizer, drop=0.0)
        ends.append(state(nlp, optimizer))
    assert same(*ends)


@pytest.mark.parametrize("kind", ["slot", "shared", "cnn"])
def test_optimizers_of_thinc_are_not_called(make: Callable[[str], Language], kind: str) -> None:
    nlp = make(kind)
    optimizer, posts = Adam(1e-4), read_posts(nlp)
    train_step(nlp, posts, optimizer, drop=0.0)
    before = state(nlp, optimizer)
    learn(nlp, posts)
    if kind == "shared":
        nlp.get_pipe("transformer").backpropagate()
    poison(nlp, "head", np.nan)
    with pytest.raises(ValueError, match="TC470"):
        step(nlp, optimizer)
    assert same(state(nlp, optimizer), before)
    train_step(nlp, posts, optimizer, drop=0.0)
    assert not same(state(nlp, optimizer), before)


def test_a_learning_rate_that_is_not_finite(make: Callable[[str], Language]) -> None:
    nlp = make("slot")
    optimizer = make_adamw_v1([1e-3, float("nan")])
    train_step(nlp, read_posts(nlp), optimizer)
    before = state(nlp, optimizer)
    with pytest.raises(ValueError, match="TC471"):
        train_step(nlp, read_posts(nlp), optimizer)
    assert same(state(nlp, optimizer), before)


def test_gradients_that_nobody_prepared(make: Callable[[str], Language]) -> None:
    nlp = make("slot")
    optimizer, model = make_adamw_v1(1e-3), nlp.get_pipe("ner").model
    before = state(nlp, optimizer)
    for where in ("encoder", "head"):
        learn(nlp, read_posts(nlp))
        poison(nlp, where, np.nan)
        layer = model.get_ref("tok2vec" if where == "encoder" else "output_layer")
        with pytest.raises(ValueError, match="TC472"):
            layer.finish_update(optimizer)
        nlp.get_pipe("ner").forget_step()
    assert {key: before[key].tobytes() for key in before if "encoder" in key} == {
        key: value.tobytes() for key, value in state(nlp, optimizer).items() if "encoder" in key and key in before
    }


def test_rehearsal(make: Callable[[str], Language]) -> None:
    nlp = make("slot")
    optimizer = nlp.resume_training()
    layer = nlp.get_pipe("ner").model.get_ref("output_layer")
    layer.get_param("b")[0] = np.nan
    with pytest.raises(ValueError, match="TC025"):
        nlp.rehearse(read_posts(nlp), sgd=optimizer)


# --- predictions -------------------------------------------------------------------------------------------------


def spoil_word(nlp: Language, word: str = "zorblax") -> None:
    """Damage the embedding of one word piece, so that texts with the word alone are at fault."""
    owner = "transformer" if "transformer" in nlp.pipe_names else "ner"
    model = nlp.get_pipe(owner).model
    node = model if owner == "transformer" else model.get_ref("tok2vec")
    shim: Any = next(each for each in node.walk() if each.shims).shims[0]
    pieces = shim.tokenizer.encode_words([word])[0]
    with torch.no_grad():
        shim.module.get_input_embeddings().weight[pieces[0]] = torch.nan


@pytest.mark.parametrize("shared", [False, True])
def test_predictions_that_are_not_finite_cost_their_text_alone(load_trained: LoadT, shared: bool) -> None:
    nlp = load_trained(shared=shared)
    texts = ["ok bye", "just met zorblax in Quorn Falls", "Quorn Falls is lovely in may", "my Wibble broke again"]
    expected = [found(doc) for doc in nlp.pipe(texts)]
    spoil_word(nlp)
    who = "transformer" if shared else "ner"
    with pytest.raises(ValueError, match="TC473") as caught:
        nlp(texts[1])
    message = str(caught.value)
    assert repr(who) in message and "0: 'just met zorblax in Quorn Falls', from token 0 ('just')" in message
    assert "damaged before" in message and len(message) < 700
    with pytest.raises(ValueError, match="TC473"):
        list(nlp.pipe(texts))
    failed = []
    nlp.set_error_handler(lambda name, pipe, docs, error: failed.append((name, [doc.text for doc in docs], str(error))))
    docs = list(nlp.pipe(texts))
    assert [doc.text for doc in docs] == [texts[0], *texts[2:]]
    assert [found(doc) for doc in docs] == [expected[0], *expected[2:]] and sum(map(len, expected)) >= 3
    ((name, failing, error),) = failed
    assert (name, failing) == (who, [texts[1]]) and "TC473" in error


def test_large_numbers_are_numbers(load_trained: LoadT) -> None:
    """Sums that overflow do not make finite logits suspect."""
    nlp = load_trained()
    ner = nlp.get_pipe("ner")
    ner.model.get_ref("output_layer").get_param("b")[:] = 3e38
    docs = [nlp.make_doc("just met Zorblax"), nlp.make_doc("ok bye")]
    assert [len(rows) for rows in ner.predict(docs)[0]] == [3, 2]


@pytest.mark.parametrize("crf", [False, True])
def test_scores_that_are_not_finite_are_no_entities(make_nlp: LoadT, crf: bool) -> None:
    nlp = make_nlp(crf=crf)
    ner = nlp.get_pipe("ner")
    ner.model.get_ref("output_layer").get_param("b")[ner.tags.index("B-person")] = 50.0
    assert len(nlp("just met Zorblax").ents) == 3
    ner.cfg["tuning"] = {"temperature": 1e-45}
    with pytest.raises(ValueError, match="TC474"):
        nlp("just met Zorblax")


# --- saving ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["encoder", "head"])
def test_weights_that_are_not_finite_are_not_saved(load_trained: LoadT, tmp_path: Path, where: str) -> None:
    nlp = load_trained()
    nlp.to_disk(tmp_path / "saved")
    files = {path: path.read_bytes() for path in (tmp_path / "saved" / "ner").rglob("*") if path.is_file()}
    if where == "encoder":
        spoil_word(nlp)
    else:
        nlp.get_pipe("ner").model.get_ref("output_layer").get_param("W")[0, 0] = np.nan
    with pytest.raises(ValueError, match="TC475") as caught:
        nlp.to_disk(tmp_path / "saved")
    assert ("embeddings" if where == "encoder" else "linear.W") in str(caught.value)
    assert {path: path.read_bytes() for path in files} == files
    with pytest.raises(ValueError, match="TC475"):
        nlp.to_disk(tmp_path / "new")
    assert not (tmp_path / "new" / "ner").exists()


@pytest.mark.parametrize("fault", ["gradient", "loss", "weights"])
def test_plain_spacy_train_keeps_what_it_had(
    make: Callable[[str], Language], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """`model-last` is that of the last good step, or refused when it is loaded; damaged weights are in no folder."""
    from spacy.training.loop import train

    nlp = make("slot")
    posts, seen = read_posts(nlp), [0]
    real = batch_loss.masked_cross_entropy

    def failing(ops: Any, logits: Any, gold: Any, **settings: Any) -> Any:
        loss, gradient = real(ops, logits, gold, **settings)
        seen[0] += 1
        if seen[0] == 4:
            if fault == "weights":
                spoil_word(nlp, "rain")
            return (np.nan if fault == "loss" else loss), gradient * (np.inf if fault == "gradient" else 1.0)
        return loss, gradient

    monkeypatch.setattr(batch_loss, "masked_cross_entropy", failing)

    @spacy.registry.readers("not_finite_posts.v1")
    def read() -> Any:
        return lambda nlp: iter(posts)

    nlp.config["corpora"] = {name: {"@readers": "not_finite_posts.v1"} for name in ("train", "dev")}
    nlp.config["training"].update(max_steps=8, eval_frequency=2, patience=0, dropout=0.0)
    nlp.config["training"]["optimizer"] = {"@optimizers": "spacy-tokclf.AdamW.v1", "learn_rate": 0.001}
    with pytest.raises(ValueError, match="TC475" if fault == "weights" else "TC025" if fault == "loss" else "TC470"):
        train(nlp, tmp_path, use_gpu=-1, stdout=StringIO(), stderr=StringIO())
    # Over damaged weights, spaCy has written the other files of model-last before it comes to the component.
    again = spacy.load(tmp_path / ("model-best" if fault == "weights" else "model-last"))
    values = [holder if in_torch else holder.get_param(name) for _, holder, name, in_torch in arrays(again)]
    assert len(values) > 30 and all(bool(torch.isfinite(torch.as_tensor(each)).all()) for each in values)
    assert len(list(again.pipe([Doc(again.vocab, words=["rain"])]))) == 1
    kept = load_file(tmp_path / "model-last" / "ner" / "encoder" / "model.safetensors")
    assert all(bool(torch.isfinite(each).all()) for each in kept.values())
    if fault == "weights":
        with pytest.raises(ValueError, match="TC404"):
            spacy.load(tmp_path / "model-last")
