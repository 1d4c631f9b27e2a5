"""Our numbers beside those of Hugging Face and a plain loop of torch, on the CPU, by recorded steps, and on a GPU."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import spacy
import torch
from hf_twin import collate, encoder_of, twin_of
from pipeline_posts import add_ner, initialize, read_posts
from recorded_steps import record_on_cpu
from spacy.language import Language
from spacy.util import fix_random_seed
from thinc.api import warmup_linear
from tiny_encoders import write_encoder

import spacy_tokclf
from spacy_tokclf import train_step
from spacy_tokclf.models.base_shim import encoder_nodes
from spacy_tokclf.training.optimizer import make_adamw_v1

STEPS = 20
RATE = 2e-3
#: Gradients of the keys' biases are zero but for rounding, and Adam makes a step of any sign that it sees; so the
#: comparisons of tiny models use the larger epsilon of BERT's own training.
EPS = 1e-6
GPU = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]


@pytest.fixture(params=["cpu", "recorded", pytest.param("cuda:0", marks=GPU)])
def device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the device that encoders are on. "recorded" is the CPU, with steps as on a GPU."""
    if request.param == "recorded":
        record_on_cpu(monkeypatch)
    device = "cpu" if request.param == "recorded" else request.param
    spacy_tokclf.set_device(device)
    yield device
    spacy_tokclf.set_device(None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an encoder without dropout."""
    return write_encoder(tmp_path_factory.mktemp("recipe") / "encoder", dropout=0.0)


def pipeline(folder: Path, *, shared: bool, precision: str = "fp32") -> Language:
    """Make a pipeline around the encoder."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    if shared:
        nlp.add_pipe("transformer_encoder", name="transformer")
    add_ner(nlp, shared=shared)
    initialize(nlp, folder, read_posts(nlp), owners=("transformer" if shared else "ner",))
    for _, pipe in nlp.pipeline:
        for node in encoder_nodes(pipe.model):
            node.attrs["precision"] = precision
    return nlp


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("max_norm", [1000.0, 1.0, 0.05])
def test_twenty_steps_equal_the_hugging_face_recipe(folder: Path, device: str, shared: bool, max_norm: float) -> None:
    from transformers import get_linear_schedule_with_warmup

    far = 1e-4 if device == "cpu" else 1e-3
    nlp = pipeline(folder, shared=shared)
    tags = nlp.get_pipe("ner").tags
    twin = twin_of(nlp, folder).train().to(device)
    ours = make_adamw_v1(warmup_linear(RATE, 4, STEPS), weight_decay=0.01, max_grad_norm=max_norm, eps=EPS)
    no_decay = [
        p for name, p in twin.named_parameters() if "bias" in name or "LayerNorm" in name or "layer_norm" in name
    ]
    decay = [p for p in twin.parameters() if all(p is not other for other in no_decay)]
    groups = [{"params": decay, "weight_decay": 0.01}, {"params": no_decay, "weight_decay": 0.0}]
    theirs = torch.optim.AdamW(groups, lr=RATE, eps=EPS)
    schedule = get_linear_schedule_with_warmup(theirs, 4, STEPS)
    examples = read_posts(nlp)
    before = [p.detach().clone() for p in twin.parameters()]
    clipped = 0
    for step in range(STEPS):
        batch = examples[(4 * step) % 16 :][:4]
        losses = train_step(nlp, batch, ours, drop=0.0)
        loss = twin(**{name: value.to(device) for name, value in collate(folder, batch, tags).items()}).loss
        loss.backward()
        norm = float(torch.nn.utils.clip_grad_norm_(twin.parameters(), max_norm))
        clipped += norm > max_norm
        theirs.step()
        schedule.step()
        theirs.zero_grad()
        assert losses["ner"] == pytest.approx(float(loss.detach()), rel=far)
        assert ours.last_norm == pytest.approx(norm, rel=10 * far)
    assert max_norm == 1.0 or clipped == (STEPS if max_norm < 1.0 else 0)
    moved = max(float((p.detach() - q).abs().max()) for p, q in zip(twin.parameters(), before, strict=True))
    assert moved > 1e-2
    reference = twin.distilbert.state_dict()
    for name, value in encoder_of(nlp).state_dict().items():
        assert torch.allclose(value, reference[name], atol=far), name
    layer = nlp.get_pipe("ner").model.get_ref("output_layer")
    assert np.allclose(layer.get_param("W"), twin.classifier.weight.detach().cpu().numpy(), atol=far)
    assert np.allclose(layer.get_param("b"), twin.classifier.bias.detach().cpu().numpy(), atol=far)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(("precision", "far"), [("fp32", 1e-4), ("bf16", 1e-2)])
def test_logits_are_those_of_hugging_face_s_forward(
    folder: Path, device: str, shared: bool, precision: str, far: float
) -> None:
    """In the same precision: bf16 is autocast there."""
    nlp = pipeline(folder, shared=shared, precision=precision)
    ner = nlp.get_pipe("ner")
    layer = ner.model.get_ref("output_layer")
    layer.set_param("W", layer.get_param("W") * 0.25)  # logits about as large as those of real models
    twin = twin_of(nlp, folder).eval().to(device)
    examples = read_posts(nlp)
    batch = {name: value.to(device) for name, value in collate(folder, examples, ner.tags).items()}
    labels = batch.pop("labels")
    with torch.no_grad(), torch.autocast(device.split(":")[0], dtype=torch.bfloat16, enabled=precision == "bf16"):
        theirs = twin(**batch).logits[labels >= 0].float().cpu().numpy()
    docs = [eg.x for eg in examples]
    if shared:
        docs = [nlp.get_pipe("transformer")(doc) for doc in docs]
    found = np.concatenate(ner.logits(docs))
    assert np.abs(found - theirs).max() < far * max(1.0, np.abs(theirs).max())
