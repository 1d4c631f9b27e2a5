"""A checkpoint of the plain Hugging Face Trainer, made by the steps of its token-classification guide: it imports,
predicts equally, trains on and is exported again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from any_reference import Reference
from spacy.tokens import Doc
from spacy.training import Example
from tiny_checkpoints import TAGS

from spacy_tokclf.export import export_hf, import_hf, to_hf_entities

POSTS = [
    (["Schiphol", "praat", "over", "New", "York"], [3, 0, 0, 1, 2]),
    (["the", "tweet", "of", "Paris", "!"], [0, 0, 0, 3, 0]),
    (["wouter", "in", "London"], [1, 0, 3]),
]


def align(tokenizer: Any) -> list[dict[str, Any]]:
    """Label the first piece of each word, as the guide does."""
    rows = []
    for words, tags in POSTS:
        encoding = tokenizer(words, is_split_into_words=True, truncation=True)
        labels, previous = [], None
        for index in encoding.word_ids():
            labels.append(-100 if index is None or index == previous else tags[index])
            previous = index
        rows.append({**encoding, "labels": labels})
    return rows


@pytest.fixture(scope="module")
def trained(make_checkpoint_dir: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the Trainer saved after a few steps."""
    pytest.importorskip("accelerate", reason="the Hugging Face Trainer needs accelerate")
    from transformers import (
        AutoModelForTokenClassification,
        AutoTokenizer,
        DataCollatorForTokenClassification,
        Trainer,
        TrainingArguments,
    )

    start, out = make_checkpoint_dir(dropout=0.1), tmp_path_factory.mktemp("trainer")
    tokenizer = AutoTokenizer.from_pretrained(start)
    model = AutoModelForTokenClassification.from_pretrained(start)
    arguments = TrainingArguments(
        str(out),
        learning_rate=2e-3,
        max_steps=12,
        per_device_train_batch_size=3,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
    )
    collator = DataCollatorForTokenClassification(tokenizer)
    Trainer(model, arguments, train_dataset=align(tokenizer), data_collator=collator).train()
    before = AutoModelForTokenClassification.from_pretrained(start)
    assert not torch.equal(model.classifier.weight, before.classifier.weight)
    model.save_pretrained(out / "final")
    tokenizer.save_pretrained(out / "final")
    return out / "final"


def test_it_predicts_equally_trains_on_and_is_exported(trained: Path, tmp_path: Path) -> None:
    from transformers import pipeline

    nlp = import_hf(trained)
    pipe: Any = nlp.get_pipe("ner")
    assert (pipe.tags, nlp.config["training"]["dropout"]) == (TAGS, 0.1)
    reference, real = Reference(trained), pipeline("ner", model=str(trained), device="cpu")
    docs = [Doc(nlp.vocab, words=words) for words, _ in POSTS]
    for doc, rows in zip(docs, pipe.logits(docs), strict=True):
        words = [token.text for token in doc]
        np.testing.assert_allclose(rows, reference.logits(words).detach().numpy(), rtol=0, atol=1e-5)
        ours, theirs = to_hf_entities(doc.text, nlp), real(doc.text)
        assert [(one["entity"], one["start"], one["end"]) for one in ours] == [
            (one["entity"], one["start"], one["end"]) for one in theirs
        ]
    ents = [["O" if tag == 0 else TAGS[tag] for tag in tags] for _, tags in POSTS]
    gold = [Doc(nlp.vocab, words=words, ents=tags) for (words, _), tags in zip(POSTS, ents, strict=True)]
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in gold]
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 5e-3
    for _ in range(30):
        nlp.update(examples, sgd=optimizer)
    assert nlp.evaluate(examples)["ents_f"] == 1.0
    again = Reference(export_hf(nlp, tmp_path / "hf"))
    for doc, rows in zip(docs, pipe.logits(docs), strict=True):
        expected = again.logits([token.text for token in doc]).detach().numpy()
        np.testing.assert_allclose(rows, expected, rtol=0, atol=1e-5)
