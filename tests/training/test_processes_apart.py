"""What would drive processes that train together apart, or let them wait for each other for ever: one of them draws at
random, was called otherwise, scores otherwise, or learns something else between two evaluations."""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import torch
from processes import run_together, values_of
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from tagged_training import CONFIG, write_tagged
from trainings import differences, read_log

from spacy_tokclf.pipeline import transformer_encoder
from spacy_tokclf.pipeline.transformer_encoder import Batch
from spacy_tokclf.runtime.arrays import checksum
from spacy_tokclf.runtime.group import joined
from spacy_tokclf.training import loop, summing
from spacy_tokclf.training.checkpoint import Checkpoint, find_checkpoints, read_last_together, write_checkpoint
from spacy_tokclf.training.evaluation import evaluate_together
from spacy_tokclf.training.loop import Training
from spacy_tokclf.training.run import train_pipeline

LISTENER = {"@architectures": "spacy-tokclf.EncoderListener.v1"}
SHARED: dict[str, Any] = {
    "nlp.pipeline": ["transformer", "tagger", "ner"],
    "components": {
        "transformer": {
            "factory": "transformer_encoder",
            "model": {"@architectures": "spacy-tokclf.TransformerEncoder.v1", "precision": "fp32"},
        },
        "tagger": {"factory": "tagger", "model": {"@architectures": "spacy.Tagger.v2", "tok2vec": LISTENER}},
        "ner": {
            "factory": "token_classifier",
            "model": {"@architectures": "spacy-tokclf.TokenClassifier.v1", "tok2vec": LISTENER},
        },
    },
    "initialize.components": {
        "transformer": {"encoder": {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": "${paths.encoder}"}}
    },
}
TrainT = Callable[..., None]

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*TW35"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked"),
]


@pytest.fixture(scope="module")
def train(encoder_dir_dropout: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainT:
    """Function that trains CONFIG with some overrides."""
    folder = tmp_path_factory.mktemp("tagged")
    values = write_tagged(folder) | {"paths.encoder": str(encoder_dir_dropout)}
    config = folder / "config.cfg"
    config.write_text(CONFIG)

    def run(out: Path, changes: dict[str, Any], **settings: Any) -> None:
        given = {"checkpoints": "kept", "silent": True}
        train_pipeline(config, out, overrides=values | changes, **given | settings)

    return run


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Use one thread, as the processes do."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def after_steps(function: Callable[[Training], Any]) -> None:
    """Let this process, which is a forked one, do something more after each step."""
    step = loop.take_step

    def stepping(training: Training, *args: Any) -> None:
        step(training, *args)
        function(training)

    pytest.MonkeyPatch().setattr(loop, "take_step", stepping)


def write_equally_long(folder: Path) -> str:
    """Write texts of the same number of words. Gives the file."""
    nlp = spacy.blank("en")
    docs = []
    for number in range(16):
        doc = nlp(f"Anna saw {number} posts")
        doc.set_ents([doc.char_span(0, 4, label="PER")])
        for token in doc:
            token.tag_ = "X"
        docs.append(doc)
    DocBin(docs=docs).to_disk(folder / "equal.spacy")
    return str(folder / "equal.spacy")


def test_other_texts_of_the_same_length_are_found(train: TrainT, tmp_path: Path) -> None:
    changes = {"paths.train": write_equally_long(tmp_path)}

    def run(rank: int) -> None:
        if rank:
            after_steps(lambda _: random.random())
        train(tmp_path / "out", changes)

    assert ["[TC546]" in each.error for each in run_together(run)] == [True, True]


@pytest.mark.parametrize(
    ("settings", "checkpoint_steps"),
    [
        ({"training.eval_frequency": 12}, 4),
        ({"training.eval_frequency": 50, "training.max_steps": 0, "training.max_epochs": 2}, 0),
    ],
)
def test_weights_that_differ_are_not_saved_between_evaluations(
    settings: dict[str, Any], checkpoint_steps: int, train: TrainT, tmp_path: Path
) -> None:
    def drift(training: Training) -> None:
        if training.progress.step == 2:
            weights = training.nlp.get_pipe("ner").model.get_ref("output_layer").get_param("b")
            weights += 1e-6

    def run(rank: int) -> None:
        if rank:
            after_steps(drift)
        train(tmp_path / "out", settings, checkpoint_steps=checkpoint_steps)

    errors = [each.error for each in run_together(run)]
    assert ["[TC544] After step" in each and "ner/" in each for each in errors] == [True, True]
    assert [path.name for path in find_checkpoints(tmp_path / "out")] == ["step-000000"]


@pytest.mark.slow
def test_what_one_process_draws_moves_no_other(train: TrainT, tmp_path: Path) -> None:
    def draw(thing: Any = None) -> Any:
        random.random()
        np.random.rand()
        return thing

    spacy.registry.loggers("test.drawing.v1", func=lambda: lambda nlp, *_: draw((draw, draw)))
    spacy.registry.callbacks("test.drawing.v1", func=lambda: draw)
    Language.component("test_drawing", func=draw)
    changes = {
        "nlp.pipeline": ["tok2vec", "tagger", "ner", "drawing"],
        "components.drawing": {"factory": "test_drawing"},
        "training.logger": {"@loggers": "test.drawing.v1"},
        "training.before_to_disk": {"@callbacks": "test.drawing.v1"},
    }
    dev = spacy.blank("en")
    DocBin(docs=[dev(f"A post {number}") for number in range(3)]).to_disk(tmp_path / "dev.spacy")
    values_of(run_together(lambda _: train(tmp_path / "out", changes | {"paths.dev": str(tmp_path / "dev.spacy")})))
    assert [row["step"] for row in read_log(tmp_path / "out")] == [0, 4, 8, 12]


def test_scores_of_the_first_process_decide(train: TrainT, tmp_path: Path) -> None:
    def run(rank: int) -> None:
        def score(nlp: Language, examples: Any, group: Any) -> dict[str, Any]:
            scores = evaluate_together(nlp, examples, group)
            calls.append(1)
            return scores | {"ents_f": float(len(calls)) if rank else 0.0}  # a scorer with a clock in it, say

        calls: list[int] = []
        pytest.MonkeyPatch().setattr(loop, "evaluate_together", score)
        train(tmp_path / "out", {"training.patience": 6})

    values_of(run_together(run))
    assert [row["step"] for row in read_log(tmp_path / "out")] == [0, 4]


def test_texts_that_cannot_be_packed_are_annotated_by_all() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PER", "pattern": "Anna"}])

    def keep_spans(doc: Doc) -> Doc:
        doc.user_data["spans"] = list(doc.ents)
        return doc

    Language.component("test_keeping", func=keep_spans)
    nlp.add_pipe("test_keeping")
    texts = ["Anna was here", "here was Anna", "Bob was", "Anna", "Anna and Anna"]
    gold = [{"entities": [(0, 3, "PER")]} if text.startswith("Bob") else {"entities": []} for text in texts]
    examples = [Example.from_dict(nlp.make_doc(text), own) for text, own in zip(texts, gold, strict=True)]
    alone = nlp.evaluate(examples)

    def run(_: int) -> dict[str, Any]:
        with joined() as group:
            return evaluate_together(nlp, examples, group)

    for scores in values_of(run_together(run)):
        assert {**scores, "speed": 0} == {**alone, "speed": 0}


@pytest.mark.parametrize(
    ("changes", "settings", "expected"),
    [
        ({"training.dropout": 0.3}, {}, "training.dropout"),
        ({}, {"checkpoints": "kept"}, "checkpoints: none -> kept"),
        ({}, {"resume": True}, "resume: False -> True"),
    ],
)
def test_processes_that_were_called_otherwise_are_refused(
    changes: dict[str, Any], settings: dict[str, Any], expected: str, train: TrainT, tmp_path: Path
) -> None:
    def run(rank: int) -> None:
        given: dict[str, Any] = {"checkpoints": "none"}
        train(tmp_path / "out", changes if rank else {}, **given | (settings if rank else {}))

    errors = [each.error for each in run_together(run)]
    assert ["[TC543] Process 1" in each and expected in each for each in errors] == [True, True]


def test_a_late_backward_pass_is_no_second_one(train: TrainT, tmp_path: Path) -> None:
    """With a listener that sends no gradient the shared encoder waits for it until its next batch: a part of the same
    step, whose own backward pass is the last one."""

    def run(early: bool) -> None:
        patch = pytest.MonkeyPatch()
        patch.setattr(summing, "overlaps", lambda slot: early and slot.like.requires_grad)
        patch.setattr(transformer_encoder, "Batch", lambda backprop, rows, count: Batch(backprop, rows, count + 1))
        train(tmp_path / str(early), SHARED | {"training.accumulate_gradient": 2, "training.max_steps": 4})

    for early in (True, False):
        values_of(run_together(lambda _, early=early: run(early)))  # type: ignore[misc]
    assert differences(tmp_path / "True", tmp_path / "False") == []


KINDS = (torch.float32, torch.bfloat16, torch.int16, torch.int64, torch.bool)


def test_a_checkpoint_with_numbers_of_any_kind_goes_to_all(tmp_path: Path) -> None:
    tensors = {f"{kind} {shape}": torch.ones(shape, dtype=kind) for kind in KINDS for shape in ((), (2, 3), (0,))}
    write_checkpoint(tmp_path, 3, Checkpoint({"a": 1}, tensors))

    def run(rank: int) -> dict[str, Any]:
        with joined() as group:
            found = read_last_together(tmp_path if not rank else tmp_path / "nowhere", group)
            assert found is not None
            return {key: (str(value.dtype), tuple(value.shape), checksum(value)) for key, value in found[1].items()}

    one, other = values_of(run_together(run))
    assert one == other
    assert one.keys() == tensors.keys()


def test_processes_can_join_more_than_once() -> None:
    store = torch.distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)

    def run(rank: int) -> list[list[bytes]]:
        os.environ.update({"MASTER_PORT": str(store.port), "TORCHELASTIC_USE_AGENT_STORE": "True"})  # as torchrun does
        found = []
        for number in range(3):
            with joined() as group:
                found.append(group.collect(f"{number} {rank}".encode()))
        return found

    for found in values_of(run_together(run)):
        assert found == [[f"{number} {rank}".encode() for rank in range(2)] for number in range(3)]
