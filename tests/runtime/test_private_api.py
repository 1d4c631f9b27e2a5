"""Nothing hangs on private API of other libraries: with any of it switched off, and with all, numbers are the same."""

import functools
import re
from contextlib import nullcontext

import numpy as np
import pytest
import spacy
import torch
from hf_reference import make_docs, make_encoder_model
from hf_twin import collate, encoder_of, twin_of
from package_source import modules
from pipeline_posts import add_ner, initialize, read_posts

from spacy_tokclf import compat, train_step
from spacy_tokclf.runtime import products
from spacy_tokclf.training.optimizer import make_adamw_v1

OFF = [set(), *({name} for name in compat.NAMES), set(compat.NAMES)]
NAMED = [",".join(sorted(names)) if len(names) < 2 else "all" for names in OFF]
#: What the file must keep to itself: private names and operations that no documentation of torch lists.
PRIVATE = re.compile(
    r"torch\.ops\.|torch\._foreach|torch\.native_layer_norm|\._version\b|_forward_hooks|_forward_pre_hooks|\._modules\b"
    r"|_is_in_bad_fork|_is_avx512|_is_amx|_is_mkldnn|grad_scale|found_inf|no_init_weights|__mro__|__legacy__|\._shims\b|renameat2"
)


@pytest.fixture
def switched_off(monkeypatch):
    """Give a function that switches private API off."""

    def switch(names):
        monkeypatch.setattr(compat, "SWITCHED_OFF", set(names))

    return switch


@pytest.fixture
def amd(monkeypatch):
    """Multiply float32 through oneDNN, as on AMD's processors, where torch has it."""
    monkeypatch.setattr(
        products, "fp32_backward_library", lambda: "torch" if compat.onednn_linear() is None else "onednn"
    )


def train(folder, **settings):
    """Train for five steps, with averages; give the logits and the averages, and what Hugging Face gives for both."""
    nlp = spacy.blank("en")
    add_ner(nlp, **settings)
    spacy.util.fix_random_seed(0)
    examples = read_posts(nlp)
    initialize(nlp, folder, examples, owners=("ner",))
    optimizer = make_adamw_v1(1e-3, use_averages=True, max_grad_norm=0.5)
    for _ in range(5):
        train_step(nlp, examples, optimizer, drop=0.0)
    docs = [eg.x for eg in examples]
    ner = nlp.get_pipe("ner")
    results = [np.concatenate(ner.logits(docs))]
    batch = collate(folder, examples, ner.tags)
    labels = batch.pop("labels")
    with torch.no_grad():
        theirs = twin_of(nlp, folder).eval()(**batch).logits[labels >= 0].numpy()
    with nlp.use_params(optimizer.averages):
        results.append(np.concatenate(ner.logits(docs)))
    assert abs(results[0] - results[1]).max() > 1e-3
    return results, theirs, {name: value.clone() for name, value in encoder_of(nlp).state_dict().items()}


@functools.cache
def train_with_all(folder, crf=False):
    """Train with nothing switched off."""
    assert not compat.SWITCHED_OFF
    return train(folder, crf=crf)


@pytest.mark.parametrize("names", OFF, ids=NAMED)
def test_training_and_predicting_without(encoder_dir, switched_off, amd, names):
    (expected, expected_average), _, expected_weights = train_with_all(encoder_dir)
    switched_off(names)
    (found, average), theirs, weights = train(encoder_dir)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    np.testing.assert_allclose(average, expected_average, rtol=0, atol=1e-4)
    np.testing.assert_allclose(found, theirs, rtol=0, atol=1e-5)
    for name, value in weights.items():
        torch.testing.assert_close(value, expected_weights[name], rtol=0, atol=1e-4)


@pytest.mark.parametrize("names", OFF[1:], ids=NAMED[1:])
def test_a_field_learns_without(encoder_dir, switched_off, names):
    (expected, _), *_ = train_with_all(encoder_dir, crf=True)
    switched_off(names)
    (found, _), *_ = train(encoder_dir, crf=True)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("names", OFF[1:], ids=NAMED[1:])
def test_bf16_without(encoder_dir, switched_off, names):
    """The products are those of bf16, and in its precision the same."""
    docs = make_docs([["In", "the", "Groenlinks"], ["tweet"] * 40])
    expected = np.concatenate(make_encoder_model(encoder_dir, precision="bf16").predict(docs))
    switched_off(names)
    found = np.concatenate(make_encoder_model(encoder_dir, precision="bf16").predict(docs))
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.1)


def test_only_one_file_has_it():
    wrong = [
        f"{module.name}:{number}"
        for module in modules()
        if module.name != "spacy_tokclf.compat"
        for number, line in enumerate(module.path.read_text(encoding="utf-8").splitlines(), start=1)
        if PRIVATE.search(line)
    ]
    assert not wrong
    (file,) = [module for module in modules() if module.name == "spacy_tokclf.compat"]
    assert len(PRIVATE.findall(file.path.read_text(encoding="utf-8"))) > 15


def test_every_name_switches_something_off():
    (file,) = [module for module in modules() if module.name == "spacy_tokclf.compat"]
    used = re.findall(r'"(\w+)" (?:not )?in SWITCHED_OFF', file.path.read_text(encoding="utf-8"))
    assert set(used) == set(compat.NAMES) and len(set(compat.NAMES)) == len(compat.NAMES)


@pytest.mark.parametrize("off", [set(), set(compat.NAMES)], ids=["on", "off"])
def test_what_there_is_instead(switched_off, off):
    switched_off(off)
    torch.manual_seed(0)
    tensors = [torch.randn(3, 2), torch.randn(4)]
    for norm, tensor in zip(compat.norms(tensors), tensors, strict=True):
        torch.testing.assert_close(norm, tensor.norm())
    averages = [torch.zeros(3, 2), torch.ones(4)]
    compat.lerp_all(averages, tensors, 0.25)
    torch.testing.assert_close(averages, [0.25 * tensors[0], 0.75 + 0.25 * tensors[1]])
    param = torch.nn.Parameter(torch.ones(3))
    twin = torch.nn.Parameter(torch.ones(3))
    param.grad, twin.grad = torch.tensor([4.0, -2.0, 8.0]), torch.tensor([2.0, -1.0, 4.0])
    settings = {"lr": 0.1, "eps": 1.0, "fused": True}
    compat.step_scaled(torch.optim.AdamW([param], **settings), torch.tensor(2.0))
    torch.optim.AdamW([twin], **settings).step()
    torch.testing.assert_close(param, twin)
    hook = torch.nn.Linear(1, 1)
    assert compat.has_hooks(torch.nn.Sequential(hook)) is bool(off)
    hook.register_forward_pre_hook(print)
    assert compat.has_hooks(torch.nn.Sequential(hook))
    assert (compat.version_of(param) is None) is bool(off)
    assert isinstance(compat.weights_undrawn(), nullcontext) is bool(off)
    assert (compat.http_error() is OSError) is bool(off)
    assert not compat.in_bad_fork()
    if off:
        assert not any(compat.cpu_has(feature) for feature in ("avx512", "avx512_bf16", "amx_tile"))
        assert compat.onednn_linear() is None
    assert compat.backward_operations_work() is not bool(off)
