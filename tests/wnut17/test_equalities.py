"""The promises that hold on real data with real weights: slow, and skipped where either is missing."""

from pathlib import Path

import numpy as np
import pytest
import spacy
import torch
from hf_twin import collate, encoder_of, twin_of
from pipeline_posts import add_ner, initialize
from spacy.language import Language
from spacy.training import Example
from spacy.util import fix_random_seed, registry
from thinc.api import warmup_linear

from spacy_tokclf import train_step
from spacy_tokclf.corpus import batch_by_length
from spacy_tokclf.training.optimizer import make_adamw_v1

pytestmark = pytest.mark.slow


def read(nlp: Language, path: Path, limit: int) -> list[Example]:
    """Read the first posts of a file."""
    return list(registry.readers.get("spacy-tokclf.ConllCorpus.v1")(path, limit=limit)(nlp))


def pipeline(folder: Path, train: Path, *, shared: bool, limit: int) -> tuple[Language, list[Example]]:
    """Make a pipeline and its training data."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    if shared:
        nlp.add_pipe("transformer_encoder", name="transformer")
    add_ner(nlp, shared=shared)
    examples = read(nlp, train, limit)
    initialize(nlp, folder, examples, owners=("transformer" if shared else "ner",))
    return nlp, examples


@pytest.fixture(scope="module")
def no_dropout(embedded_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the embedded encoder without dropout."""
    import json
    import shutil

    folder = tmp_path_factory.mktemp("encoder") / "plain"
    shutil.copytree(embedded_encoder, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "dropout": 0.0, "attention_dropout": 0.0}))
    return folder


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("max_norm", [1.0, 0.05])
def test_twenty_steps_equal_pytorch_and_hugging_face(
    no_dropout: Path, wnut17_dir: Path, shared: bool, max_norm: float
) -> None:
    from transformers import get_linear_schedule_with_warmup

    nlp, examples = pipeline(no_dropout, wnut17_dir / "wnut17train.conll", shared=shared, limit=160)
    twin = twin_of(nlp, no_dropout).train()
    tags = nlp.get_pipe("ner").tags
    ours = make_adamw_v1(warmup_linear(5e-4, 4, 20), weight_decay=0.01, max_grad_norm=max_norm)
    flat = [p for p in twin.parameters() if p.ndim < 2]
    deep = [p for p in twin.parameters() if p.ndim >= 2]
    groups = [{"params": deep, "weight_decay": 0.01}, {"params": flat, "weight_decay": 0.0}]
    theirs = torch.optim.AdamW(groups, lr=5e-4)
    schedule = get_linear_schedule_with_warmup(theirs, 4, 20)
    clipped = 0
    for start in range(0, 160, 8):
        batch = examples[start : start + 8]
        train_step(nlp, batch, ours, drop=0.0)
        twin(**collate(no_dropout, batch, tags)).loss.backward()
        clipped += float(torch.nn.utils.clip_grad_norm_(twin.parameters(), max_norm)) > max_norm
        theirs.step()
        schedule.step()
        theirs.zero_grad()
    assert clipped
    reference = twin.distilbert.state_dict()
    for name, value in encoder_of(nlp).state_dict().items():
        assert torch.allclose(value, reference[name], atol=1e-4), name
    layer = nlp.get_pipe("ner").model.get_ref("output_layer")
    assert np.allclose(layer.get_param("W"), twin.classifier.weight.detach().numpy(), atol=1e-4)


def test_inline_and_shared_are_the_same_after_a_hundred_steps(embedded_encoder: Path, wnut17_dir: Path) -> None:
    """Half an epoch of the training data with dropout, then the scores on dev."""
    results = []
    for shared in (False, True):
        nlp, examples = pipeline(embedded_encoder, wnut17_dir / "wnut17train.conll", shared=shared, limit=1600)
        steps = -(-len(examples) // 16)
        optimizer = make_adamw_v1(warmup_linear(1e-4, steps // 10, steps), head_multiplier=10.0)
        fix_random_seed(0)
        for batch in batch_by_length(examples, size=16, buffer=64):
            train_step(nlp, batch, optimizer, drop=0.1)
        scores = nlp.evaluate(read(nlp, wnut17_dir / "emerging.dev.conll", 0))
        layer = nlp.get_pipe("ner").model.get_ref("output_layer")
        weights = [*(p.detach().numpy().copy() for p in encoder_of(nlp).parameters()), layer.get_param("W").copy()]
        results.append((weights, {key: value for key, value in scores.items() if key != "speed"}))
    (one, scores), (other, shared_scores) = results
    assert scores == shared_scores and scores["ents_f"] > 0.2
    for mine, theirs in zip(one, other, strict=True):
        assert np.array_equal(mine, theirs)


def test_scores_of_a_trained_pipeline_agree_in_every_tool(wnut17_dir: Path) -> None:
    """spaCy, ours, and seqeval in both modes count the same on the test posts."""
    classification_report = pytest.importorskip("seqeval.metrics").classification_report
    IOB2 = pytest.importorskip("seqeval.scheme").IOB2

    from spacy_tokclf.corpus.docs import doc_to_record
    from spacy_tokclf.metrics.examples import score_examples

    folder = Path(__file__).parents[2] / "training" / "model-best"
    if not folder.is_dir():
        pytest.skip("no trained pipeline at hand: run `make run`")
    nlp = spacy.load(folder)
    examples = read(nlp, wnut17_dir / "emerging.test.annotated", 0)
    spacy_scores = nlp.evaluate(examples)
    for eg, doc in zip(examples, list(nlp.pipe([eg.predicted for eg in examples])), strict=True):
        eg.predicted = doc
    ours = score_examples(examples)
    gold = [list(doc_to_record(eg.reference).tags) for eg in examples]
    predicted = [list(doc_to_record(eg.predicted).tags) for eg in examples]
    default = classification_report(gold, predicted, output_dict=True, zero_division=0)
    strict = classification_report(gold, predicted, output_dict=True, mode="strict", scheme=IOB2, zero_division=0)
    for report in (default, strict):
        assert report["micro avg"]["f1-score"] == ours["overall_f1"] == spacy_scores["seqeval_f1"]
        assert report["micro avg"]["f1-score"] == pytest.approx(spacy_scores["ents_f"], abs=1e-12)
        for label, per_type in spacy_scores["seqeval_per_type"].items():
            assert report[label]["support"] == per_type["number"] == ours[label]["number"]
            assert report[label]["precision"] == per_type["precision"]
            assert report[label]["recall"] == per_type["recall"]
    assert ours["overall_f1"] > 0.0
