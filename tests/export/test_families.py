"""Every family of encoders through the same tests: logits equal to Hugging Face both ways, training, batches, windows,
saving, import and export."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import torch
from any_reference import Reference
from hf_reference import LONG_POST, TEXTS
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from tiny_checkpoints import FAMILIES, TAGS

from spacy_tokclf.export import export_hf, import_hf
from spacy_tokclf.export.component import find_classifier
from spacy_tokclf.export.debug_pieces import IGNORED, debug_pieces
from spacy_tokclf.models.hf.pretrained import PretrainedEncoder
from spacy_tokclf.training.optimizer import make_adamw_v1

#: What fits into one window of every family.
SHORT = TEXTS[:-1]
EXACT = {"rtol": 0, "atol": 1e-5}
LONG = (LONG_POST + " ") * 12


def docs_of(nlp: Language, texts: list[list[str]] = TEXTS) -> list[Doc]:
    return [Doc(nlp.vocab, words=words) for words in texts]


def logits_of(nlp: Language, texts: list[list[str]] = TEXTS) -> list[Any]:
    pipe: Any = nlp.get_pipe("ner")
    return [np.asarray(rows) for rows in pipe.logits(docs_of(nlp, texts))]


def train(nlp: Language, steps: int = 2) -> None:
    """Make a few steps on one post, without any dropout."""
    doc = Doc(
        nlp.vocab,
        words=["Schiphol", "praat", "over", "New", "York"],
        ents=["B-location", "O", "O", "B-person", "I-person"],
    )
    example = Example(Doc(nlp.vocab, words=[token.text for token in doc]), doc)
    pipe: Any = nlp.get_pipe("ner")
    optimizer = make_adamw_v1(1e-2)
    for _ in range(steps):
        pipe.update([example], sgd=optimizer, drop=0.0)


def weights_of(nlp: Language) -> dict[str, Any]:
    """Give all weights of the classifier and its encoder, copied."""
    classifier = find_classifier(nlp, None)
    found = {
        f"encoder.{name}": value.detach().clone().numpy() for name, value in classifier.shim.module.state_dict().items()
    }
    for ref in ("transform", "output_layer"):
        layer = classifier.pipe.model.get_ref(ref)
        found |= {f"{ref}.{name}": layer.get_param(name).copy() for name in layer.param_names if layer.has_param(name)}
    return found


def assert_same_weights(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert np.array_equal(value, other[name]), name


@pytest.mark.parametrize("model_type", list(FAMILIES))
class TestFamily:
    """What holds for each family."""

    @pytest.fixture
    def folder(self, model_type: str, make_checkpoint_dir: Callable[..., Path]) -> Path:
        """A checkpoint of the family."""
        return make_checkpoint_dir(model_type)

    @pytest.fixture
    def nlp(self, folder: Path) -> Language:
        """The same as a pipeline."""
        return import_hf(folder)

    def test_imported_logits_equal_those_of_hugging_face(self, nlp: Language, folder: Path) -> None:
        reference = Reference(folder)
        for words, rows in zip(SHORT, logits_of(nlp, SHORT), strict=True):
            expected = reference.logits(words).detach().numpy()
            np.testing.assert_allclose(rows.reshape(len(words), len(TAGS)), expected, **EXACT)
        assert nlp.get_pipe("ner").label_data == {"scheme": "IOB2", "tags": TAGS}

    def test_exported_logits_equal_ours_after_training(self, folder: Path, tmp_path: Path) -> None:
        nlp = spacy.blank("en")
        pipe: Any = nlp.add_pipe("token_classifier", name="ner")
        sample = Example(nlp.make_doc("a"), nlp.make_doc("a"))
        pipe.initialize(
            lambda: [sample], nlp=nlp, labels=["location", "person"], encoder=PretrainedEncoder(str(folder))
        )
        train(nlp)
        reference = Reference(export_hf(nlp, tmp_path / "hf"))
        assert [reference.module.config.id2label[i] for i in range(len(TAGS))] == pipe.tags
        for words, rows in zip(SHORT, logits_of(nlp, SHORT), strict=True):
            expected = reference.logits(words).detach().numpy()
            np.testing.assert_allclose(rows.reshape(len(words), len(TAGS)), expected, **EXACT)

    def test_a_training_step_changes_every_part(self, nlp: Language) -> None:
        before = weights_of(nlp)
        train(nlp, steps=1)
        after = weights_of(nlp)
        changed = {name for name in before if not np.array_equal(before[name], after[name])}
        head = {name for name in before if not name.startswith("encoder.")}
        assert head <= changed
        layers = {name for name in before if "att" in name}
        assert layers
        assert len(layers & changed) > 0.9 * len(layers)

    def test_gradients_equal_those_of_hugging_face(self, nlp: Language, folder: Path) -> None:
        words = ["London", "praat", "over", "Schiphol"]
        reference = Reference(folder)
        gold = torch.tensor([3, 0, 0, 1])
        torch.nn.functional.cross_entropy(reference.logits(words), gold, reduction="sum").backward()
        pipe: Any = nlp.get_pipe("ner")
        doc = Doc(nlp.vocab, words=words, ents=["B-location", "O", "O", "B-person"])
        pipe.update([Example(Doc(nlp.vocab, words=words), doc)], drop=0.0)
        expected = {name: value.grad for name, value in reference.module.named_parameters() if value.grad is not None}
        prefix = f"{reference.module.base_model_prefix}."
        for name, value in find_classifier(nlp, None).shim.module.named_parameters():
            if value.grad is not None:
                torch.testing.assert_close(value.grad, expected[prefix + name], rtol=1e-3, atol=1e-4)
        layer = pipe.model.get_ref("output_layer")
        np.testing.assert_allclose(layer.get_grad("W"), expected["classifier.weight"].numpy(), rtol=1e-3, atol=1e-4)
        transform = pipe.model.get_ref("transform")
        for own, name in (("W", "dense.weight"), ("b", "dense.bias"), ("G", "norm.weight"), ("B", "norm.bias")):
            if transform.has_param(own):
                grad = expected[f"head.{name}"].numpy()
                np.testing.assert_allclose(transform.get_grad(own), grad, rtol=1e-3, atol=1e-4)

    def test_logits_do_not_depend_on_the_batch(self, nlp: Language) -> None:
        together = logits_of(nlp)
        for words, rows in zip(TEXTS, together, strict=True):
            np.testing.assert_allclose(logits_of(nlp, [words])[0].reshape(rows.shape), rows, **EXACT)

    def test_every_window_gives_what_hugging_face_gives_for_it(self, nlp: Language, folder: Path) -> None:
        doc = Doc(nlp.vocab, words=LONG.split())
        ours = nlp.get_pipe("ner").logits([doc])[0]
        module = Reference(folder).module
        rows = debug_pieces(nlp, doc)
        windows = {row.window for row in rows}
        assert len(windows) > 3
        decided = []
        for window in windows:
            seen = [row for row in rows if row.window == window]
            with torch.no_grad():
                logits = module(input_ids=torch.tensor([[row.id for row in seen]])).logits[0].numpy()
            for row, expected in zip(seen, logits, strict=True):
                if row.label != IGNORED:
                    np.testing.assert_allclose(ours[row.token], expected, **EXACT)
                    decided.append(row.token)
        assert sorted(decided) == list(range(len(doc)))

    def test_saved_and_loaded_it_is_the_same(self, nlp: Language, tmp_path: Path, blocked_network: None) -> None:
        nlp.to_disk(tmp_path / "saved")
        loaded = spacy.load(tmp_path / "saved")
        assert_same_weights(weights_of(loaded), weights_of(nlp))
        assert find_classifier(loaded, None).shim.config == json.loads(
            json.dumps(find_classifier(nlp, None).shim.config)
        )
        sourced = spacy.blank("en")
        sourced.add_pipe("ner", source=loaded)
        from_bytes = spacy.blank("en")
        from_bytes.add_pipe("token_classifier", name="ner")
        from_bytes.from_bytes(nlp.to_bytes())
        for other in (loaded, sourced, from_bytes):
            for one, two in zip(logits_of(nlp), logits_of(other), strict=True):
                np.testing.assert_allclose(one, two, rtol=0, atol=1e-6)

    def test_import_and_export_are_inverse(self, nlp: Language, folder: Path, tmp_path: Path) -> None:
        from transformers import AutoModelForTokenClassification, AutoTokenizer

        out = export_hf(nlp, tmp_path / "hf")
        before = AutoModelForTokenClassification.from_pretrained(folder)
        after, report = AutoModelForTokenClassification.from_pretrained(out, output_loading_info=True)
        assert not any(report[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
        assert before.state_dict().keys() == after.state_dict().keys()
        for name, value in before.state_dict().items():
            assert torch.equal(value, after.state_dict()[name]), name
        kept = ("id2label", "label2id", "architectures", "model_type")
        assert {key: getattr(before.config, key) for key in kept} == {key: getattr(after.config, key) for key in kept}
        one, two = AutoTokenizer.from_pretrained(folder), AutoTokenizer.from_pretrained(out)
        for words in TEXTS:
            text = " ".join(words)
            assert one(text)["input_ids"] == two(text)["input_ids"]
        again = import_hf(out)
        assert_same_weights(weights_of(again), weights_of(nlp))
        assert again.get_pipe("ner").cfg == nlp.get_pipe("ner").cfg

    def test_half_precision_is_read_as_single(
        self, model_type: str, make_checkpoint_dir: Callable[..., Path], tmp_path: Path
    ) -> None:
        folder = make_checkpoint_dir(model_type, half=True)
        nlp = import_hf(folder)
        shim = find_classifier(nlp, None).shim
        assert {value.dtype for value in shim.module.parameters()} == {torch.float32}
        out = export_hf(nlp, tmp_path / "hf")
        for place in (folder, out):
            reference = Reference(place)
            reference.module.float()
            for words, rows in zip(TEXTS[:2], logits_of(nlp, TEXTS[:2]), strict=True):
                np.testing.assert_allclose(rows, reference.logits(words).detach().numpy(), **EXACT)
