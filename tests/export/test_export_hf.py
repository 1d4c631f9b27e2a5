"""Export of pipelines: what Hugging Face opens, folders that appear whole or not at all, and what is refused."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import torch
from any_reference import Reference
from hf_reference import TEXTS
from shared_pipelines import LISTENERS, shared_pipeline
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from tiny_checkpoints import TAGS
from transformers import PreTrainedModel

from spacy_tokclf import compat
from spacy_tokclf.export import export_hf, import_hf
from spacy_tokclf.export.component import find_classifier
from spacy_tokclf.models.hf.pretrained import PretrainedEncoder
from spacy_tokclf.wordpieces.prefix import prefix_space

SHORT = TEXTS[:-1]


def assert_exported(folder: Path, nlp: Language, name: str) -> None:
    """The folder gives the component's logits."""
    pipe: Any = nlp.get_pipe(name)
    reference = Reference(folder, n_tags=len(pipe.tags))
    assert list(reference.module.config.id2label.values()) == pipe.tags
    for words in SHORT:
        doc = Doc(nlp.vocab, words=words)
        if "transformer" in nlp.pipe_names:
            doc = nlp.get_pipe("transformer")(doc)
        rows = pipe.logits([doc])[0].reshape(len(words), len(pipe.tags))
        np.testing.assert_allclose(rows, reference.logits(words).detach().numpy(), rtol=0, atol=1e-5)


class TestFolder:
    """What lies in an exported folder."""

    def test_it_holds_what_hugging_face_looks_for(self, make_nlp: Callable[..., Language], tmp_path: Path) -> None:
        nlp = make_nlp()
        out = export_hf(nlp, tmp_path / "deep" / "hf")
        assert out == tmp_path / "deep" / "hf"
        files = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
        assert {path.name for path in out.iterdir()} == files
        assert [path.name for path in out.parent.iterdir()] == ["hf"]
        config = json.loads((out / "config.json").read_text())
        tags = nlp.get_pipe("ner").tags
        assert config["architectures"] == ["DistilBertForTokenClassification"]
        assert config["id2label"] == {str(row): tag for row, tag in enumerate(tags)}
        assert config["label2id"] == {tag: row for row, tag in enumerate(tags)}
        tokenizer = json.loads((out / "tokenizer_config.json").read_text())
        assert tokenizer["tokenizer_class"] == "PreTrainedTokenizerFast"
        assert tokenizer["model_input_names"] == ["input_ids", "attention_mask"]
        assert tokenizer["model_max_length"] == 64
        assert json.loads((out / "tokenizer.json").read_text())["truncation"] is None
        assert out.stat().st_mode & 0o777 == 0o777 & ~_umask()

    def test_a_limit_that_is_none_becomes_the_encoders(
        self, make_checkpoint_dir: Callable[..., Path], tmp_path: Path
    ) -> None:
        out = export_hf(import_hf(make_checkpoint_dir(limit=None)), tmp_path / "hf")
        limit = json.loads((out / "tokenizer_config.json").read_text())["model_max_length"]
        assert limit == json.loads((out / "config.json").read_text())["max_position_embeddings"]

    def test_pipelines_by_path_and_with_a_new_label(self, nlp: Language, tmp_path: Path) -> None:
        pipe: Any = nlp.get_pipe("ner")
        pipe.add_label("event")
        nlp.to_disk(tmp_path / "saved")
        assert_exported(export_hf(tmp_path / "saved", tmp_path / "hf"), nlp, "ner")

    def test_a_byte_level_tokenizer_marks_every_word(
        self, make_nlp: Callable[..., Language], make_encoder: Callable[..., Path], tmp_path: Path
    ) -> None:
        folder = make_encoder("roberta")
        assert prefix_space((folder / "tokenizer.json").read_text()) is False
        nlp = make_nlp(folder)
        out = export_hf(nlp, tmp_path / "hf")
        assert prefix_space((out / "tokenizer.json").read_text()) is True
        assert_exported(out, nlp, "ner")

    def test_the_pipeline_is_left_as_it_was(self, nlp: Language, tmp_path: Path) -> None:
        before = nlp.to_bytes()
        state = torch.random.get_rng_state()
        export_hf(nlp, tmp_path / "hf")
        assert nlp.to_bytes() == before
        assert torch.equal(torch.random.get_rng_state(), state)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


class TestShared:
    """Components that listen to an encoder upstream."""

    @pytest.mark.parametrize("architecture", LISTENERS)
    @pytest.mark.parametrize("model_type", ["bert", "modernbert"])
    def test_each_component_has_the_encoder_upstream(
        self, architecture: str, model_type: str, make_checkpoint_dir: Callable[..., Path], tmp_path: Path
    ) -> None:
        nlp = shared_pipeline(make_checkpoint_dir(model_type), architecture)
        nlp.to_disk(tmp_path / "saved")
        loaded = spacy.load(tmp_path / "saved")
        for name in ("ner", "other"):
            assert_exported(export_hf(loaded, tmp_path / name, component=name), nlp, name)

    def test_several_components_need_a_name(self, make_checkpoint_dir: Callable[..., Path], tmp_path: Path) -> None:
        nlp = shared_pipeline(make_checkpoint_dir())
        with pytest.raises(ValueError, match=r"TC255.*ner, other"):
            export_hf(nlp, tmp_path / "hf")
        with pytest.raises(ValueError, match=r"TC255.*'transformer'"):
            export_hf(nlp, tmp_path / "hf", component="transformer")
        assert not (tmp_path / "hf").exists()


class TestAtomic:
    """A folder appears whole or not at all."""

    def test_a_full_folder_is_kept(self, nlp: Language, tmp_path: Path) -> None:
        out = tmp_path / "hf"
        out.mkdir()
        export_hf(nlp, out)
        inode = (out / "config.json").stat().st_ino
        with pytest.raises(ValueError, match="TC259"):
            export_hf(nlp, out)
        assert (out / "config.json").stat().st_ino == inode
        (out / "more.txt").write_text("x")
        export_hf(nlp, out, force=True)
        assert (out / "config.json").stat().st_ino != inode
        assert not (out / "more.txt").exists()
        assert [path.name for path in tmp_path.iterdir()] == ["hf"]

    def test_only_an_export_is_replaced(self, nlp: Language, tmp_path: Path) -> None:
        (tmp_path / "letters").mkdir()
        (tmp_path / "letters" / "one.txt").write_text("dear")
        (tmp_path / "file").write_text("x")
        for name in ("letters", "file"):
            with pytest.raises(ValueError, match="TC260"):
                export_hf(nlp, tmp_path / name, force=True)
        assert (tmp_path / "letters" / "one.txt").read_text() == "dear"

    @pytest.mark.parametrize("earlier", [False, True])
    def test_nothing_is_left_of_a_failure(
        self, earlier: bool, nlp: Language, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out = tmp_path / "hf"
        if earlier:
            export_hf(nlp, out)
        before = {path.name: path.stat().st_ino for path in out.iterdir()} if earlier else None

        def fail(self: Any, folder: Path, **kwargs: Any) -> None:
            Path(folder).mkdir()
            (Path(folder) / "config.json").write_text("{")
            raise OSError("No space left on device")

        monkeypatch.setattr(PreTrainedModel, "save_pretrained", fail)
        with pytest.raises(OSError, match="No space left"):
            export_hf(nlp, out, force=True)
        assert [path.name for path in tmp_path.iterdir()] == (["hf"] if earlier else [])
        if earlier:
            assert {path.name: path.stat().st_ino for path in out.iterdir()} == before

    def test_an_earlier_export_comes_back_if_the_new_one_cannot_take_its_place(
        self, nlp: Language, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out = export_hf(nlp, tmp_path / "hf")
        inode = (out / "config.json").stat().st_ino
        rename = Path.rename
        monkeypatch.setattr(compat, "SWITCHED_OFF", {"exchange"})

        def fail(self: Path, target: Path) -> Any:
            if self.name == "new":
                raise OSError("denied")
            return rename(self, target)

        monkeypatch.setattr(Path, "rename", fail)
        with pytest.raises(OSError, match="denied"):
            export_hf(nlp, out, force=True)
        assert (out / "config.json").stat().st_ino == inode


class TestRefusals:
    """What Hugging Face has no equivalent for is said with a code, and nothing is written."""

    @pytest.mark.parametrize("pooling", ["mean", "max"])
    def test_pooling(self, pooling: str, make_nlp: Callable[..., Language], tmp_path: Path) -> None:
        nlp = make_nlp(config={"model": {"tok2vec": {"pooling": pooling}}})
        with pytest.raises(ValueError, match=rf"TC257.*'{pooling}'"):
            export_hf(nlp, tmp_path / "hf")
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(
        ("model", "code"),
        [
            ({"tok2vec": {"casing": True}}, "TC270"),
            ({"tok2vec": {"normalize": True}}, "TC271"),
            ({"crf": True}, "TC272"),
        ],
    )
    def test_other_settings(
        self, model: dict[str, Any], code: str, make_nlp: Callable[..., Language], tmp_path: Path
    ) -> None:
        nlp = make_nlp(config={"model": model})
        with pytest.raises(ValueError, match=code):
            export_hf(nlp, tmp_path / "hf")
        assert not list(tmp_path.iterdir())

    def test_a_type_whose_head_is_not_known(self, nlp: Language, tmp_path: Path) -> None:
        find_classifier(nlp, None).shim.config["model_type"] = "gpt2"
        with pytest.raises(ValueError, match=r"TC250.*'gpt2'"):
            export_hf(nlp, tmp_path / "hf")

    def test_another_kind_of_layer(self, tmp_path: Path) -> None:
        nlp = spacy.blank("en")
        cnn = {
            "@architectures": "spacy.HashEmbedCNN.v2",
            "pretrained_vectors": None,
            "width": 8,
            "depth": 1,
            "embed_size": 50,
            "window_size": 1,
            "maxout_pieces": 2,
            "subword_features": True,
        }
        nlp.add_pipe("token_classifier", name="ner", config={"model": {"tok2vec": cnn}})
        nlp.config["initialize"]["components"]["ner"] = {"labels": ["a"]}
        nlp.initialize()
        with pytest.raises(ValueError, match="TC256"):
            export_hf(nlp, tmp_path / "hf")

    def test_no_component_and_no_weights(self, tmp_path: Path) -> None:
        nlp = spacy.blank("en")
        nlp.add_pipe("sentencizer")
        with pytest.raises(ValueError, match=r"TC255.*none"):
            export_hf(nlp, tmp_path / "hf")
        nlp.add_pipe("token_classifier", name="ner")
        with pytest.raises(ValueError, match="TC012"):
            export_hf(nlp, tmp_path / "hf")

    def test_a_head_that_does_not_fit_the_encoder(
        self, make_checkpoint_dir: Callable[..., Path], nlp: Language, tmp_path: Path
    ) -> None:
        deep = import_hf(make_checkpoint_dir("modernbert"))
        pipe: Any = deep.get_pipe("ner")
        pipe.model.get_ref("transform").set_param("W", None)
        with pytest.raises(ValueError, match=r"TC258.*missing weights \['head\.dense\.weight'\]"):
            export_hf(deep, tmp_path / "hf")
        plain: Any = nlp.get_pipe("ner")
        plain.model.get_ref("transform").set_param("W", np.eye(32, dtype="float32"))
        with pytest.raises(ValueError, match=r"TC258.*unexpected weights \['head\.dense\.weight'\]"):
            export_hf(nlp, tmp_path / "hf")

    def test_the_deeper_head_comes_with_the_encoder(
        self, make_checkpoint_dir: Callable[..., Path], tmp_path: Path
    ) -> None:
        """Fresh labels on an encoder with a deeper head: its dense layer and norm come from the checkpoint."""
        folder = make_checkpoint_dir("modernbert")
        nlp = spacy.blank("en")
        pipe: Any = nlp.add_pipe("token_classifier", name="ner")
        sample = [Example(nlp.make_doc("a"), nlp.make_doc("a"))]
        pipe.initialize(lambda: sample, nlp=nlp, labels=["x"], encoder=PretrainedEncoder(str(folder)))
        imported: Any = import_hf(folder).get_pipe("ner")
        for name in ("W", "b", "G", "B"):
            own, expected = (part.model.get_ref("transform").get_param(name) for part in (pipe, imported))
            assert np.array_equal(own, expected)
        assert pipe.tags != TAGS
