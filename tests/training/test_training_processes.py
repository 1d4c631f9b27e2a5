"""Processes that train together: the weights of one that adds up the same shares, and nothing apart in silence."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import torch
from processes import Outcome, run_together, values_of
from safetensors.torch import load_file
from spacy.training import Example
from spacy.training.initialize import init_nlp
from tagged_training import CONFIG, write_tagged
from trainings import differences, read_log

from spacy_tokclf.runtime.group import ALONE, Group, joined
from spacy_tokclf.training import loop, summing
from spacy_tokclf.training.checkpoint import TENSORS, find_checkpoints
from spacy_tokclf.training.config import read_training_config
from spacy_tokclf.training.evaluation import evaluate_together
from spacy_tokclf.training.loop import Training, make_training, take_step
from spacy_tokclf.training.run import train_pipeline
from spacy_tokclf.training.shares import drawn_apart, share_of_batch
from spacy_tokclf.training.summing import find_slots

ENCODER = {"@architectures": "spacy-tokclf.TransformerEncoder.v1", "precision": "fp32"}
LISTENER = {"@architectures": "spacy-tokclf.EncoderListener.v1"}
#: Settings that change what a step is made of.
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "shared": {
        "nlp.pipeline": ["transformer", "tagger", "ner"],
        "components": {
            "transformer": {"factory": "transformer_encoder", "model": ENCODER},
            "tagger": {"factory": "tagger", "model": {"@architectures": "spacy.Tagger.v2", "tok2vec": LISTENER}},
            "ner": {
                "factory": "token_classifier",
                "model": {"@architectures": "spacy-tokclf.TokenClassifier.v1", "tok2vec": LISTENER},
            },
        },
        "initialize.components": {
            "transformer": {"encoder": {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": "${paths.encoder}"}}
        },
    },
    "crf": {"components.ner.model.crf": True},
    "accumulated": {"training.accumulate_gradient": 2, "training.batcher.size": 6},
    "stream": {"training.max_epochs": -1},
    "frozen embeddings": {"components.ner.model.tok2vec.freeze_embeddings": True},
    "Adam": {"training.optimizer": {"@optimizers": "Adam.v1", "learn_rate": 0.002, "L2": 0.01}},
    "single texts": {"training.batcher.size": 1},
}
QUICK = ("plain", "shared")

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*TW35"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked"),
]


@pytest.fixture(scope="module")
def values(encoder_dir_dropout: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Overrides of the paths in CONFIG."""
    return write_tagged(tmp_path_factory.mktemp("tagged")) | {"paths.encoder": str(encoder_dir_dropout)}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of CONFIG."""
    path = tmp_path_factory.mktemp("config") / "config.cfg"
    path.write_text(CONFIG)
    return path


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    """Use one thread, as the processes do."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def train(config: Path, out: Path, values: dict[str, Any], **settings: Any) -> None:
    """Train, and keep the checkpoints."""
    given = {"checkpoint_steps": 3, "checkpoints": "kept", "resume": True, "silent": True}
    train_pipeline(config, out, overrides=values, **given | settings)


def add_shares(patch: pytest.MonkeyPatch, *, apart: bool) -> None:
    """Let one process learn from the shares of two, one after the other, in each step. Where shares are added up in
    parts of their own, `apart` is needed: the sum of a share first, and then that of both."""
    learn: Callable[..., None] = loop._learn

    def learn_both(training: Training, batch: list[Any], dropout: float, losses: dict[str, float]) -> None:
        slots = find_slots(training.nlp)
        found: list[torch.Tensor | None] = [None] * len(slots)
        for rank in range(2):
            group = Group(rank, 2)
            with drawn_apart(group, seed=training.settings["seed"], step=training.progress.step):
                learn(training, share_of_batch(batch, group), dropout, losses)
            for index, slot in enumerate(slots if apart else ()):
                grad = slot.take()
                if grad is not None:
                    found[index] = grad.clone() if found[index] is None else found[index] + grad
                    grad.zero_()
        for slot, total in zip(slots, found, strict=True):
            if total is not None:
                slot.put(total)

    patch.setattr(loop, "_learn", learn_both)


def last_tensors(out: Path) -> dict[str, torch.Tensor]:
    """Give the weights, moments and averages of the last checkpoint."""
    return load_file(find_checkpoints(out)[0] / TENSORS)


def scores_of(out: Path) -> list[Any]:
    """Give the scores of all evaluations. Losses are means over other things."""
    return [(row["step"], row["scores"], row["score"]) for row in read_log(out)]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in SETTINGS]
)
def test_two_processes_are_one_that_adds_up_their_shares(
    name: str, values: dict[str, Any], config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = values | SETTINGS[name]
    values_of(run_together(lambda rank: train(config, tmp_path / "two", own)))
    add_shares(monkeypatch, apart=name == "accumulated")
    train(config, tmp_path / "one", own)
    ours, theirs = last_tensors(tmp_path / "two"), last_tensors(tmp_path / "one")
    assert ours.keys() == theirs.keys()
    assert [key for key in ours if not torch.equal(ours[key], theirs[key])] == []
    assert len(ours) > 50
    assert scores_of(tmp_path / "two") == scores_of(tmp_path / "one")
    nlps = [spacy.load(tmp_path / each / "model-last") for each in ("one", "two")]
    text = "Anna Lee met Bob in New York."
    one, two = (nlp(text).spans["entities"] for nlp in nlps)
    assert (list(map(str, one)), one.attrs) == (list(map(str, two)), two.attrs)


def first_steps(config: Path, values: dict[str, Any], steps: int) -> tuple[dict[str, np.ndarray], list[float]]:
    """Take some steps. Gives the gradients of the first one, and the loss of each."""
    gradients: dict[str, np.ndarray] = {}
    losses = []
    with joined() as group:
        nlp = init_nlp(read_training_config(config, values))
        training = make_training(nlp, group=group)
        training.batches.read()

        def keep_gradients(pipe: Any, finish: Callable[..., None]) -> Callable[..., None]:
            def keeping(sgd: Any) -> None:
                for slot in find_slots(nlp):
                    grad = slot.take()
                    if grad is not None and slot.name not in gradients:
                        gradients[slot.name] = grad.detach().double().numpy().copy()
                finish(sgd)

            return keeping

        pipe = nlp.get_pipe(nlp.pipe_names[0])
        finish = pipe.finish_update
        pipe.finish_update = keep_gradients(pipe, finish)
        for number in range(steps):
            take_step(training, *next(training.batches))
            if not number:
                pipe.finish_update = finish
            losses.append(float(training.progress.losses["ner"]))
    return gradients, np.diff(losses, prepend=0.0).tolist()


def test_two_processes_learn_as_one_from_whole_batches(values: dict[str, Any], config: Path) -> None:
    own = values | {"training.dropout": 0.0, "training.optimizer.learn_rate.total_steps": 100}

    def run(_: int = 0) -> tuple[dict[str, np.ndarray], list[float]]:
        return first_steps(config, own, 50)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.Dropout, "forward", lambda self, x: x)
        patch.setattr("spacy_tokclf.runtime.dropout.DropoutMasks.draw", lambda *args: None)
        found = values_of(run_together(run))
        gradients, losses = run()
    for ours, our_losses in found:
        assert ours.keys() == gradients.keys()
        norm = np.sqrt(sum(float((value**2).sum()) for value in gradients.values()))
        apart = np.sqrt(sum(float(((ours[name] - value) ** 2).sum()) for name, value in gradients.items()))
        assert apart / norm < 1e-6
        np.testing.assert_allclose(our_losses, losses, rtol=1e-4)
    assert losses[-1] < losses[0] / 2  # there was something to learn


def die_at(patch: pytest.MonkeyPatch, part: str, step: int) -> None:
    """Kill this process where a part of a step begins."""
    function = getattr(loop, part)

    def dying(training: Training, *args: Any, **kwargs: Any) -> Any:
        if training.progress.step == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(training, *args, **kwargs)

    patch.setattr(loop, part, dying)


@pytest.mark.parametrize(
    ("dying", "part", "step"),
    [
        (1, "take_step", 6),
        pytest.param(0, "evaluate", 8, marks=pytest.mark.slow),
        pytest.param(0, "save", 8, marks=pytest.mark.slow),
    ],
)
def test_a_process_that_dies_ends_the_others_and_the_training_goes_on(
    dying: int, part: str, step: int, values: dict[str, Any], config: Path, tmp_path: Path
) -> None:
    values_of(run_together(lambda rank: train(config, tmp_path / "whole", values)))

    def run(rank: int) -> None:
        if rank == dying:
            die_at(pytest.MonkeyPatch(), part, step)
        train(config, tmp_path / "broken", values)

    outcomes = run_together(run)
    assert outcomes[dying].exitcode == -signal.SIGKILL
    assert f"[TC542] Process {dying} (pid " in outcomes[1 - dying].error
    values_of(run_together(lambda rank: train(config, tmp_path / "broken", values)))
    assert differences(tmp_path / "whole", tmp_path / "broken") == []


def test_a_training_goes_on_with_another_number_of_processes(
    values: dict[str, Any], config: Path, tmp_path: Path
) -> None:
    def run(rank: int) -> None:
        die_at(pytest.MonkeyPatch(), "take_step", 6)
        train(config, tmp_path / "out", values)

    run_together(run)
    with pytest.warns(UserWarning, match=r"\[TW450\].*processes 2 -> 1"):
        train(config, tmp_path / "out", values)
    assert [row["step"] for row in read_log(tmp_path / "out")] == [0, 4, 8, 12]


def errors_of(outcomes: list[Outcome]) -> str:
    """Give what processes raised, all of which have to fail."""
    assert all(each.error for each in outcomes)
    return "\n".join(each.error for each in outcomes)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("TC545", {"training.seed": None}),
        ("TC545", {"components.tagger": {"factory": "entity_linker"}}),
        ("TC543", {"training.dropout": 0.2}),
        ("TC543", {"paths.train": "dev"}),
    ],
)
def test_what_cannot_be_trained_together_is_refused(
    code: str, changes: dict[str, Any], values: dict[str, Any], config: Path, tmp_path: Path
) -> None:
    if changes.get("paths.train"):
        changes = {"paths.train": values["paths.dev"]}

    def run(rank: int) -> None:
        own = changes if rank or code == "TC545" else {}
        if "components.tagger" in own:
            nlp = init_nlp(read_training_config(config, values))
            nlp.add_pipe("span_finder")
            raise ValueError(f"[TC545] {summing.why_not_shared(nlp, [])}")
        train(config, tmp_path / "out", values | own)

    assert f"[{code}]" in errors_of(run_together(run))
    assert not (tmp_path / "out" / "model-last").exists()


def test_weights_that_differ_are_found(values: dict[str, Any], config: Path, tmp_path: Path) -> None:
    def run(rank: int) -> None:
        step = loop.take_step

        def drifting(training: Training, *args: Any) -> None:
            step(training, *args)
            if rank and training.progress.step == 2:
                weights = training.nlp.get_pipe("ner").model.get_ref("output_layer").get_param("b")
                weights += 1e-6

        pytest.MonkeyPatch().setattr(loop, "take_step", drifting)
        train(config, tmp_path / "out", values)

    text = errors_of(run_together(run))
    assert "[TC544] After step 2, process 1 has other weights" in text
    assert "ner/" in text


def test_batches_that_differ_are_found(values: dict[str, Any], config: Path, tmp_path: Path) -> None:
    def run(rank: int) -> None:
        step = loop.take_step

        def other_batch(training: Training, epoch: int, batch: list[Any]) -> None:
            step(training, epoch, batch[:-1] if rank and training.progress.step == 1 else batch)

        pytest.MonkeyPatch().setattr(loop, "take_step", other_batch)
        train(config, tmp_path / "out", values)

    assert "[TC546]" in errors_of(run_together(run))


def test_a_signal_to_one_stops_all_with_a_checkpoint(values: dict[str, Any], config: Path, tmp_path: Path) -> None:
    def run(rank: int) -> None:
        step = loop.take_step

        def signalled(training: Training, *args: Any) -> None:
            step(training, *args)
            if rank and training.progress.step == 5:
                os.kill(os.getpid(), signal.SIGTERM)
                os.kill(os.getpid(), signal.SIGTERM)  # as torchrun sends them once more

        pytest.MonkeyPatch().setattr(loop, "take_step", signalled)
        train(config, tmp_path / "out", values, checkpoint_steps=0)

    assert [each.error.strip().splitlines()[-1] for each in run_together(run)] == [
        "spacy_tokclf.runtime.signals.Stopped: SIGTERM"
    ] * 2
    assert find_checkpoints(tmp_path / "out")[0].name == "step-000005"


def test_evaluation_together_is_that_of_one(values: dict[str, Any], config: Path) -> None:
    nlp = init_nlp(read_training_config(config, values))
    training = make_training(nlp)
    examples = list(training.dev_corpus(nlp))[:5]
    alone = evaluate_together(nlp, examples, ALONE)

    def run(_: int) -> dict[str, Any]:
        with joined() as group:
            return evaluate_together(nlp, examples, group)

    for scores in values_of(run_together(run)):
        assert scores.keys() == alone.keys()
        assert {**scores, "speed": 0} == {**alone, "speed": 0}


def test_shares_are_all_of_a_batch_and_about_as_long(values: dict[str, Any], config: Path) -> None:
    nlp = init_nlp(read_training_config(config, values))
    training = make_training(nlp)
    training.batches.read()
    _, batch = next(training.batches)
    for size in (1, 2, 3, 7):
        shares = [share_of_batch(batch, Group(rank, size)) for rank in range(size)]
        assert sorted(id(each) for share in shares for each in share) == sorted(map(id, batch))
        longest = max(len(example) for example in batch)
        words = [sum(map(len, share)) for share in shares]
        assert max(words) - min(words) <= longest


def test_sums_that_are_made_during_the_backward_pass_are_the_same(
    values: dict[str, Any], config: Path, tmp_path: Path
) -> None:
    def run(rank: int) -> int:
        patch = pytest.MonkeyPatch()
        patch.setattr(summing, "BUCKET", 5000)  # so that there are several
        patch.setattr(summing, "share_memory", lambda group, size: None)
        patch.setattr(summing, "overlaps", lambda slot: slot.like.requires_grad)
        begun = []
        begin = summing.EarlySum._begin
        patch.setattr(summing.EarlySum, "_begin", lambda self: begun.append(self._is_last) or begin(self))
        train(config, tmp_path / "early", values)
        return sum(begun)

    assert min(values_of(run_together(run))) > 20  # while the backward pass went on
    values_of(run_together(lambda rank: train(config, tmp_path / "late", values)))
    assert differences(tmp_path / "late", tmp_path / "early") == []


def test_a_second_backward_pass_after_the_sum_has_begun_is_refused() -> None:
    def run(_: int) -> None:
        with joined() as group:
            weights = torch.nn.Parameter(torch.ones(3))
            slot = summing.Slot("a", weights, lambda: weights.grad, lambda value: None)
            early = summing.EarlySum([slot], group)
            early.expect_last()
            (weights * 2).sum().backward()
            (weights * 2).sum().backward()

    assert errors_of(run_together(run)).count("[TC547]") == 2


GOLD = {
    "tagger": {"tags": ["A", "B", "A", "C"]},
    "morphologizer": {"pos": ["NOUN", "VERB", "NOUN", "ADV"], "morphs": ["A=1", "", "A=2", ""]},
    "senter": {"sent_starts": [1, -1, 1, -1]},
    "trainable_lemmatizer": {"lemmas": ["one", "be", "three", "fou"]},
    "textcat": {"cats": {"A": 1.0, "B": 0.0}},
    "textcat_multilabel": {"cats": {"A": 1.0, "B": 1.0}},
    "spancat": {"spans": {"sc": [(0, 4, "A"), (5, 9, "B")]}},
}


@pytest.mark.parametrize("name", GOLD)
def test_gradients_of_spacys_components_are_sums_over_texts(name: str) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe(name, config={"min_tree_freq": 1} if name == "trainable_lemmatizer" else {})
    texts = ["ones were three fours", "ones were three fours", "once were seven trees"]
    gold = [GOLD[name]] * 3
    if name.startswith("textcat"):
        gold = [GOLD[name], {"cats": {"A": 0.0, "B": 1.0}}, GOLD[name]]
    examples = [Example.from_dict(nlp.make_doc(text), own) for text, own in zip(texts, gold, strict=True)]
    nlp.initialize(lambda: examples)
    assert summing.why_not_shared(nlp, []) == ""

    def gradients(*batches: list[Any]) -> dict[str, np.ndarray]:
        for batch in batches:
            nlp.update(batch, drop=0.0, sgd=False)
        found = {}
        for slot in find_slots(nlp):
            grad = slot.take()
            if grad is not None:
                found[slot.name] = grad.numpy().copy()
                grad.zero_()
        return found

    whole, parts = gradients(examples), gradients(examples[:1], examples[1:])
    assert whole.keys() == parts.keys()
    assert max(float(abs(value).max()) for value in whole.values()) > 0
    for key, value in whole.items():
        np.testing.assert_allclose(
            parts[key], value, rtol=1e-4, atol=1e-6 * float(abs(value).max() + 1e-9), err_msg=key
        )


def test_torchruns_environment_has_to_be_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(ValueError, match=r"\[TC540\].*MASTER_ADDR"), joined():
        pass
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "1")
    monkeypatch.setenv("RANK", "2")
    with pytest.raises(ValueError, match=r"\[TC540\].*process 2 of 2"), joined():
        pass
    monkeypatch.setenv("WORLD_SIZE", "1")
    with joined() as group:
        assert group is ALONE


def test_registered_classes_are_those_that_are_meant() -> None:
    nlp = spacy.blank("en")
    for name in GOLD:
        nlp.add_pipe(name)
    nlp.add_pipe("tok2vec", first=True)
    kinds = {f"{type(pipe).__module__}.{type(pipe).__qualname__}" for _, pipe in nlp.pipeline}
    assert kinds == summing.SUMMING
