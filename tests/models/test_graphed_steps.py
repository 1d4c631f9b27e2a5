"""Recorded training steps on a CPU: what plays a recording back is replaced by what counts, and runs it again."""

import copy

import numpy as np
import pytest
import torch
from pipeline_posts import read_posts
from recorded_steps import record_on_cpu
from spacy.tokens import Doc, Span
from spacy.training import Example
from test_fused_update import make_pipeline, odd_texts, train

import spacy_tokclf
from spacy_tokclf import train_step
from spacy_tokclf.models.backend import TorchBackend
from spacy_tokclf.models.graphed import forward, step
from spacy_tokclf.models.graphed.backend import GraphedBackend
from spacy_tokclf.models.graphed.recorder import CudaRecorder
from spacy_tokclf.models.graphed.rectangles import COUNTS, LENGTHS, round_up
from spacy_tokclf.training.optimizer import make_adamw_v1

WAITS = ("item", "cpu", "tolist", "numpy", "__bool__", "__float__", "__int__", "nonzero")


@pytest.fixture
def recorder(monkeypatch):
    """Record steps on the CPU."""
    return record_on_cpu(monkeypatch)


@pytest.fixture
def slot(monkeypatch):
    """Give a function that trains as `train` does, through the slot."""

    def run(nlp, **options):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(TorchBackend, "fuses", False)
            return train(nlp, **options)

    return run


def backend_of(nlp):
    return nlp.get_pipe("ner").model.get_ref("tok2vec").shims[0].backend


KINDS = {
    "distilbert": {},
    "bert": {"window": 24, "overlap": 8, "casing": True},
    "roberta": {"freeze_embeddings": True},
    "mpnet": {"label_smoothing": 0.2},
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_losses_and_weights_as_through_the_slot(make_encoder, recorder, slot, kind):
    expected = slot(make_pipeline(make_encoder(kind), **KINDS[kind]))
    found = train(make_pipeline(make_encoder(kind), **KINDS[kind]))
    assert recorder.played > recorder.recorded > 0
    assert found[0][-1] < 0.9 * found[0][0]
    np.testing.assert_allclose(found[0], expected[0], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found[1], expected[1], rtol=0, atol=2e-4)


def gradients(nlp, parts):
    """Give the gradients of some batches that are added up, and of the head."""
    for part in parts:
        nlp.update(part, drop=0.0, sgd=False)
    ner = nlp.get_pipe("ner")
    params = dict(ner.model.get_ref("tok2vec").shims[0].module.named_parameters())
    found = {name: param.grad.clone() for name, param in params.items() if param.grad is not None}
    layer = ner.model.get_ref("output_layer")
    return found | {name: torch.tensor(layer.get_grad(name).copy()) for name in ("W", "b")}


@pytest.mark.parametrize("pieces", [16384, 64])
def test_batches_in_parts_add_up(encoder_dir, recorder, monkeypatch, pieces):
    """Whether the parts come one after another, or are cut from a batch that is too large for one rectangle."""
    monkeypatch.setattr("spacy_tokclf.models.graphed.rectangles.PIECES", pieces)
    nlp = make_pipeline(encoder_dir)
    examples = odd_texts(nlp)
    found = [gradients(make_pipeline(encoder_dir), parts) for parts in ([examples], [examples[::2], examples[1::2]])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TorchBackend, "fuses", False)
        expected = gradients(nlp, [examples])
    assert len(expected) > 30
    for each in found:
        assert each.keys() == expected.keys()
        for name, grad in each.items():
            torch.testing.assert_close(grad, expected[name], rtol=1e-4, atol=2e-5, msg=name)


def test_a_shape_is_recorded_when_it_comes_back(encoder_dir, recorder):
    nlp = make_pipeline(encoder_dir)
    batches = [read_posts(nlp)[:4], read_posts(nlp)[:4], odd_texts(nlp), read_posts(nlp)[:3], read_posts(nlp)[4:8]]
    counts = []
    for batch in batches:
        nlp.update(batch, drop=0.0, sgd=make_adamw_v1(1e-3))
        counts.append((recorder.recorded, recorder.played))
    assert counts == [(0, 0), (1, 1), (1, 1), (1, 2), (1, 3)]


def test_a_step_waits_for_nothing(encoder_dir_dropout, recorder, monkeypatch):
    """Between the word pieces of a batch and its loss no tensor is asked for its values."""
    nlp = make_pipeline(encoder_dir_dropout)
    backend, asked = backend_of(nlp), []
    run = GraphedBackend.fused_step

    def watched(self, *args, **kwargs):
        with pytest.MonkeyPatch.context() as patch:
            for name in WAITS:
                method = getattr(torch.Tensor, name)
                patch.setattr(torch.Tensor, name, lambda *a, n=name, m=method: asked.append(n) or m(*a))
            return run(self, *args, **kwargs)

    monkeypatch.setattr(GraphedBackend, "fused_step", watched)
    assert isinstance(backend, GraphedBackend)
    for _ in range(3):
        train_step(nlp, odd_texts(nlp), make_adamw_v1(1e-3), drop=0.1)
    assert recorder.played and not asked


def test_nothing_of_the_host_is_recorded(make_encoder, recorder, monkeypatch):
    """What is copied to the device while a step is recorded would be read again from memory that is long another's."""
    nlp = make_pipeline(make_encoder("mpnet"))
    recorded, copied = [], []
    to_tensor, record = forward.to_tensor, recorder.record

    def watched(function):
        recorded.append(True)
        function()
        recorded.pop()
        return record(function)

    monkeypatch.setattr(recorder, "record", watched)
    for module in (forward, step):
        monkeypatch.setattr(module, "to_tensor", lambda *a: copied.append(bool(recorded)) or to_tensor(*a))
    train(nlp, steps=3)
    assert copied and not any(copied)


def test_weights_that_moved_are_found(encoder_dir, recorder, slot):
    """Other tensors in the place of weights, and weights that learn no more, are what the next step reads."""
    found = {}
    for way in ("graphs", "slot"):
        nlp = make_pipeline(encoder_dir)
        module = backend_of(nlp).module
        losses = []
        for change in range(3):
            if change == 1:
                for param in module.parameters():
                    param.data = param.data * 1.1
            if change == 2:
                next(module.parameters()).requires_grad_(False)
            run = train if way == "graphs" else slot
            losses += run(nlp, steps=3)[0]
        found[way] = losses
    np.testing.assert_allclose(found["graphs"], found["slot"], rtol=0, atol=2e-5)


def test_dropout_is_drawn_anew_in_each_step(encoder_dir_dropout, recorder):
    nlp = make_pipeline(encoder_dir_dropout)
    losses = [nlp.update(read_posts(nlp), drop=0.0, sgd=False)["ner"] for _ in range(4)]
    assert len(set(losses)) == 4


def test_where_nothing_can_be_recorded_steps_are_taken_all_the_same(encoder_dir, recorder, monkeypatch, slot):
    def refuse(function):
        raise RuntimeError("operation not permitted when stream is capturing")

    expected = slot(make_pipeline(encoder_dir))
    monkeypatch.setattr(recorder, "record", refuse)
    with pytest.warns(UserWarning, match="TW009") as told:
        found = train(make_pipeline(encoder_dir))
    assert len([each for each in told if "TW009" in str(each.message)]) == 1
    np.testing.assert_allclose(found[0], expected[0], rtol=0, atol=1e-5)


def test_recordings_make_room_where_memory_is_full(encoder_dir, recorder, monkeypatch):
    nlp = make_pipeline(encoder_dir)
    train(nlp, steps=3)

    def full(*args):
        raise torch.cuda.OutOfMemoryError("no more memory")

    assert backend_of(nlp)._steps._recordings
    with monkeypatch.context() as patch, pytest.raises(torch.cuda.OutOfMemoryError):
        patch.setattr(step, "summed_loss", full)
        nlp.update(read_posts(nlp)[:1], drop=0.0, sgd=False)
    assert not backend_of(nlp)._steps._recordings
    train(nlp, steps=3)
    assert backend_of(nlp)._steps._recordings


def test_no_more_recordings_than_are_kept(encoder_dir, recorder, monkeypatch):
    monkeypatch.setattr("spacy_tokclf.models.graphed.step.KEPT", 2)
    nlp = make_pipeline(encoder_dir)
    for _ in range(2):
        for size in (1, 2, 4, 8):
            nlp.update(read_posts(nlp)[:size], drop=0.0, sgd=False)
    assert recorder.recorded == 0  # each was dropped before it came back
    assert len(backend_of(nlp)._steps._recordings) == 2


def test_shapes_are_few():
    assert [round_up(number, COUNTS) for number in (1, 3, 8, 9, 16, 17)] == [1, 4, 8, 16, 16, 24]
    assert [round_up(number, LENGTHS) for number in (1, 16, 17, 65, 256, 257, 512)] == [16, 16, 32, 96, 256, 512, 512]


def test_other_poolings_are_not_recorded(encoder_dir, recorder):
    train(make_pipeline(encoder_dir, pooling="mean"), steps=3)
    assert not recorder.recorded


def test_gold_that_is_missing_teaches_nothing(encoder_dir, recorder, slot):
    """A text whose gold is not known changes nothing beside one whose gold is."""
    nlp = make_pipeline(encoder_dir)
    known = Doc(nlp.vocab, words=["see", "Quorn", "Falls"])
    known.ents = [Span(known, 1, 3, "location")]
    nothing = Doc(nlp.vocab, words=["who", "knows"])
    pairs = [Example(Doc(nlp.vocab, words=[t.text for t in doc]), doc) for doc in (known, nothing)]
    both = gradients(make_pipeline(encoder_dir), [pairs])
    alone = gradients(make_pipeline(encoder_dir), [pairs[:1]])
    for name, grad in both.items():
        torch.testing.assert_close(grad, alone[name], rtol=1e-4, atol=1e-6, msg=name)


def test_a_copy_has_recordings_of_its_own(encoder_dir, recorder):
    nlp = make_pipeline(encoder_dir)
    train(nlp, steps=3)
    steps = backend_of(nlp)._steps
    copied = copy.deepcopy(backend_of(nlp))
    assert steps._recordings and not copied._steps._recordings and copied.module is not backend_of(nlp).module
    assert copy.deepcopy(CudaRecorder(torch.device("cuda:0"))).device == torch.device("cuda:0")


@pytest.fixture
def on_cuda():
    """Run encoders on the first CUDA device while thinc stays where it is."""
    spacy_tokclf.set_device("cuda:0")
    yield
    spacy_tokclf.set_device(None)


def uneven(nlp):
    """Batches of several shapes: a few posts, all of them, texts in windows, an odd last one."""
    posts = read_posts(nlp)
    return [posts[:8], odd_texts(nlp), posts[:8], posts[8:], odd_texts(nlp)[-6:], posts[:3], posts[:8], posts[:3]]


def losses_of(nlp, *, rounds=3):
    optimizer = make_adamw_v1(1e-3, head_multiplier=3.0, use_averages=True)
    return [float(train_step(nlp, batch, optimizer, drop=0.0)["ner"]) for _ in range(rounds) for batch in uneven(nlp)]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("kind", KINDS)
def test_recorded_on_a_gpu(make_encoder, on_cuda, kind):
    """The losses of the CPU, in several shapes, each of them recorded when it came back."""
    spacy_tokclf.set_device("cpu")
    expected = losses_of(make_pipeline(make_encoder(kind), precision="fp32", **KINDS[kind]))
    spacy_tokclf.set_device("cuda:0")
    nlp = make_pipeline(make_encoder(kind), precision="fp32", **KINDS[kind])
    found = losses_of(nlp)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)
    steps = backend_of(nlp)._steps
    assert steps._records and all(each.replay is not None for each in steps._recordings.values())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_dropout_and_learning_on_a_gpu(encoder_dir_dropout, on_cuda, precision):
    nlp = make_pipeline(encoder_dir_dropout, precision=precision)
    losses = [nlp.update(read_posts(nlp), drop=0.1, sgd=False)["ner"] for _ in range(4)]
    assert len(set(losses)) == 4
    losses = losses_of(nlp, rounds=8)
    assert losses[-2] < 0.7 * losses[0]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_training_goes_on_after_use_and_resume_on_a_gpu(encoder_dir, on_cuda):
    """Predictions, other values for a while, and a copy that was loaded, between steps that are played back."""
    nlp = make_pipeline(encoder_dir, precision="fp32")
    optimizer = make_adamw_v1(1e-3, use_averages=True)
    for _ in range(3):
        train_step(nlp, read_posts(nlp), optimizer, drop=0.0)
    with nlp.use_params(optimizer.averages):
        list(nlp.pipe([eg.x.copy() for eg in read_posts(nlp)]))
    other = make_pipeline(encoder_dir, precision="fp32")
    other.from_bytes(nlp.to_bytes())
    fresh = other.resume_training()
    assert fresh is not None
    losses = [train_step(each, read_posts(nlp), make_adamw_v1(1e-4), drop=0.0)["ner"] for each in (nlp, other)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
