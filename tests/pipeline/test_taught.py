"""Learning from soft targets: the loss against torch's, its limits, tags by name, and what is masked."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import torch
from pipeline_posts import add_ner, initialize, read_posts
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import NumpyOps
from torch.nn import functional as F

from spacy_tokclf import train_step
from spacy_tokclf.corpus.digest import digest_examples
from spacy_tokclf.corpus.soft_targets import SoftTargets, attach
from spacy_tokclf.models.fused_update import can_fuse
from spacy_tokclf.pipeline import token_classifier
from spacy_tokclf.pipeline.gold import INVISIBLE, UNKNOWN
from spacy_tokclf.pipeline.loss import masked_cross_entropy
from spacy_tokclf.pipeline.taught import Taught, taught_loss
from spacy_tokclf.training.optimizer import make_adamw_v1

TAGS = 5
MIXTURES = list(itertools.product([0.5, 1.0, 2.0, 7.0], [0.0, 0.3, 1.0]))
GOLD = np.array([0, 3, UNKNOWN, 4, INVISIBLE, 2])


def log_probs(n: int = len(GOLD), tags: int = TAGS, seed: int = 1) -> Any:
    rows = np.random.default_rng(seed).normal(size=(n, tags)) * 3
    return (rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))).astype("float16").astype("float32")


def taught(temperature: float, share: float, rows: Any = None) -> Taught:
    rows = log_probs() if rows is None else rows
    return Taught(rows, *(np.full(len(rows), value, "float32") for value in (temperature, share)))


def logits(seed: int = 2) -> Any:
    return (np.random.default_rng(seed).normal(size=(len(GOLD), TAGS)) * 2).astype("float32")


def by_torch(rows: Any, teacher: Taught, smoothing: float) -> tuple[float, Any]:
    """The same in double precision, by torch's own losses and its gradient."""
    x = torch.tensor(rows, dtype=torch.float64, requires_grad=True)
    total = x.sum() * 0
    for at, gold in enumerate(GOLD.tolist()):
        temperature, share = float(teacher.temperature[at]), float(np.float32(teacher.gold_share[at]))
        is_taught = bool(teacher.log_probs[at].any()) and gold != INVISIBLE
        if gold >= 0:
            own = F.cross_entropy(x[at : at + 1], torch.tensor([gold]), label_smoothing=smoothing)
            total = total + own * (share if is_taught else 1.0)
        if is_taught:
            wanted = torch.log_softmax(torch.tensor(teacher.log_probs[at], dtype=torch.float64) / temperature, 0)
            given = torch.log_softmax(x[at] / temperature, 0)
            divergence = F.kl_div(given, wanted, reduction="sum", log_target=True)
            total = total + temperature**2 * divergence * (1 - share if gold >= 0 else 1.0)
    total.backward()
    return float(total.detach()), x.grad


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize(("temperature", "share"), MIXTURES)
def test_loss_and_gradient_are_those_of_torch(temperature: float, share: float, smoothing: float) -> None:
    teacher = taught(temperature, share)
    teacher.log_probs[3] = 0.0  # a token that the teacher does not see: gold alone
    loss, gradient, n_tokens = taught_loss(NumpyOps(), logits(), GOLD, teacher, label_smoothing=smoothing)
    expected, slopes = by_torch(logits(), teacher, smoothing)
    assert loss == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(gradient, slopes.numpy(), atol=2e-6 * temperature)
    assert n_tokens == 5
    assert not gradient[4].any() and gradient[2].any()


def test_a_teacher_that_sees_nothing_teaches_nothing() -> None:
    ops, teacher = NumpyOps(), taught(2.0, 0.3, np.zeros((len(GOLD), TAGS), "float32"))
    loss, gradient, n_tokens = taught_loss(ops, logits(), GOLD, teacher)
    expected, slopes = masked_cross_entropy(ops, logits(), GOLD)
    assert loss == expected and n_tokens == 4
    np.testing.assert_array_equal(gradient, slopes)


def test_a_high_temperature_compares_logits() -> None:
    """With growing temperature the gradient is the difference of centred logits, divided by the number of tags times
    the temperature, times T (Hinton et al., 2015, equation 4)."""
    gold = np.full(len(GOLD), UNKNOWN)
    _, gradient, _ = taught_loss(NumpyOps(), logits(), gold, taught(1000.0, 0.5))
    one, other = (rows - rows.mean(axis=1, keepdims=True) for rows in (logits(), log_probs()))
    np.testing.assert_allclose(gradient, (one - other) / TAGS, atol=0.02)


def test_a_low_temperature_asks_for_the_best_tag() -> None:
    gold = np.full(len(GOLD), UNKNOWN)
    _, gradient, _ = taught_loss(NumpyOps(), logits(), gold, taught(0.02, 0.5))
    best = log_probs().argmax(axis=1)
    differs = logits().argmax(axis=1) != best
    assert differs.any()
    assert (gradient[differs].argmin(axis=1) == best[differs]).all() and not gradient[~differs].round(4).any()


@pytest.fixture
def student(encoder_dir: Path) -> Language:
    return make_student(encoder_dir)


def make_student(encoder: Path, *, crf: bool = False, shared: bool = False) -> Language:
    nlp = spacy.blank("en")
    if shared:
        nlp.add_pipe("transformer_encoder")
    add_ner(nlp, crf=crf, shared=shared)
    spacy.util.fix_random_seed(0)
    initialize(nlp, encoder, read_posts(nlp), owners=("transformer_encoder" if shared else "ner",))
    return nlp


def teach(examples: list[Example], tags: list[str], *, share: float = 0.5, seed: int = 3) -> list[Example]:
    """Attach targets; they are the same whatever the order of tags is."""
    order = [sorted(tags).index(tag) for tag in tags]
    for number, eg in enumerate(examples):
        rows = log_probs(len(eg.predicted), len(tags), seed + number)[:, order].astype("float16")
        attach(eg, SoftTargets(rows, tuple(tags), 2.0, share))
    return examples


def without_gold(nlp: Language) -> list[Example]:
    words = [[token.text for token in eg.x] for eg in read_posts(nlp)]
    return [Example(*(Doc(nlp.vocab, words=own) for _ in range(2))) for own in words]


def test_tags_are_matched_by_name(student: Language) -> None:
    pipe: Any = student.get_pipe("ner")
    shuffled = [*pipe.tags[4:], *pipe.tags[:4]]
    scores = pipe.logits([eg.x for eg in read_posts(student)])
    (one, d_one), (other, d_other) = (
        pipe.get_loss(teach(read_posts(student), tags), scores) for tags in (pipe.tags, shuffled)
    )
    assert one == pytest.approx(other, rel=1e-12)
    assert one != pytest.approx(pipe.get_loss(read_posts(student), scores)[0], rel=0.01)
    np.testing.assert_array_equal(np.concatenate(d_one), np.concatenate(d_other))


@pytest.mark.parametrize("change", [lambda tags: tags[:-1], lambda tags: [*tags, "B-new"]])
def test_other_tags_are_refused(student: Language, change: Callable[[list[str]], list[str]]) -> None:
    tags = change(student.get_pipe("ner").tags)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="TC551"):
        student.update(teach(read_posts(student), tags))
    with pytest.raises(ValueError, match="TC551"):
        student.initialize(lambda: teach(read_posts(student), tags))


def test_targets_of_other_tokens_are_refused(student: Language) -> None:
    (eg, *_) = teach(read_posts(student), student.get_pipe("ner").tags)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="TC558"):
        student.update([Example(Doc(student.vocab, words=["one"]), eg.reference)])


def test_a_conditional_random_field_is_refused(encoder_dir: Path) -> None:
    nlp = make_student(encoder_dir, crf=True)
    examples = teach(read_posts(nlp), nlp.get_pipe("ner").tags)  # type: ignore[attr-defined]
    for learn in (lambda: nlp.update(examples), lambda: nlp.initialize(lambda: examples)):
        with pytest.raises(ValueError, match="TC557"):
            learn()


def test_only_batches_without_soft_targets_take_the_fused_step(
    student: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(token_classifier, "can_fuse", lambda model: calls.append(1) or can_fuse(model))
    pipe: Any = student.get_pipe("ner")
    student.update(teach(read_posts(student), pipe.tags))
    assert not calls
    student.update(read_posts(student))
    assert calls


def test_tokens_are_counted_that_have_gold_or_a_teacher(student: Language) -> None:
    pipe: Any = student.get_pipe("ner")
    examples = without_gold(student)
    pipe.update(examples)
    assert pipe.n_learned == 0
    teach(examples[:3], pipe.tags)
    losses = pipe.update(examples)
    assert pipe.n_learned == sum(len(eg.x) for eg in examples[:3])
    scores = pipe.logits([eg.x for eg in examples])
    assert losses["ner"] * pipe.n_learned == pytest.approx(pipe.get_loss(examples, scores)[0], rel=1e-4)


@pytest.mark.parametrize("shared", [False, True])
def test_a_student_learns_the_distributions_of_a_teacher(encoder_dir: Path, shared: bool) -> None:
    nlp = make_student(encoder_dir, shared=shared)
    pipe: Any = nlp.get_pipe("ner")
    examples = teach(without_gold(nlp)[:4], pipe.tags)
    optimizer = make_adamw_v1(3e-3, head_multiplier=3.0)
    losses = [train_step(nlp, examples, optimizer, drop=0.0)["ner"] for _ in range(40)]
    assert losses[-1] < 0.3 * losses[0]


def test_the_digest_of_examples_has_their_soft_targets(student: Language) -> None:
    tags = student.get_pipe("ner").tags  # type: ignore[attr-defined]
    plain, one, same, other = (
        digest_examples(made)
        for made in (
            read_posts(student),
            *(teach(read_posts(student), tags, seed=seed) for seed in (1, 1, 2)),
        )
    )
    assert one == same and len({plain, one, other}) == 3
