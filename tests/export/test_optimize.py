"""Pipelines to pipelines in ONNX Runtime: the same entities, checked before anything is written."""

import importlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import torch
from hf_reference import TEXTS, make_docs
from onnx_layers import make_pair
from shared_pipelines import LISTENERS, shared_pipeline
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from tiny_encoders import KINDS

from spacy_tokclf.export import export_hf, import_hf
from spacy_tokclf.export.onnx import family as onnx_family
from spacy_tokclf.export.onnx import graph as onnx_graph
from spacy_tokclf.export.onnx import int8 as onnx_int8
from spacy_tokclf.export.optimize import optimize, replace_encoders
from spacy_tokclf.hub.wheel import build_wheel, requirements_of

pytest.importorskip("onnxscript")

POSTS = ["London calling in New York", "the tweet of 5.975,74\n\n", "", "Schiphol , Schiphol ! " * 30]
OWN_FAMILY = ["distilbert", "bert", "electra", "roberta", "xlm-roberta", "camembert", "mpnet"]
POST_FAMILY = ["albert", "mpnet", "deberta-v2", "modernbert"]


@pytest.fixture
def saved(nlp: Language, tmp_path: Path) -> Path:
    """A saved pipeline with a classifier of weights large enough to tell."""
    layer = nlp.get_pipe("ner").model.get_ref("output_layer")
    weights = np.random.default_rng(0).normal(size=layer.get_param("W").shape)
    layer.set_param("W", weights.astype("float32"))
    nlp.to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


def annotated_data(model: Path, path: Path) -> Path:
    """Write texts with the entities that a pipeline finds."""
    nlp = spacy.load(model)
    docs = [nlp(Doc(nlp.vocab, words=words)) for words in TEXTS if words]
    assert sum(len(doc.ents) for doc in docs) > 5
    DocBin(docs=docs).to_disk(path)
    return path


def logits(nlp: Language) -> np.ndarray:
    return np.concatenate(nlp.get_pipe("ner").logits([nlp.make_doc(text) for text in POSTS]))


def entities(nlp: Language) -> list[list[tuple[int, int, str]]]:
    return [[(ent.start, ent.end, ent.label_) for ent in doc.ents] for doc in nlp.pipe(POSTS)]


class TestOptimize:
    """The new pipeline is the old one with another encoder."""

    def test_fp32(self, saved: Path, tmp_path: Path) -> None:
        agreement = optimize(saved, tmp_path / "out", precision="fp32")
        assert (agreement.equal_tokens, agreement.equal_texts, agreement.f1) == (1.0, 1.0, None)
        assert 0 < agreement.difference < 1e-4 < agreement.largest
        one, two = spacy.load(saved), spacy.load(tmp_path / "out")
        np.testing.assert_allclose(logits(two), logits(one), atol=1e-4)
        assert entities(two) == entities(one) and any(entities(one))
        assert two.config["components"]["ner"]["model"]["tok2vec"] == {
            "@architectures": "spacy-tokclf.OnnxEncoder.v1",
            "pooling": "first",
            "window": 0,
            "overlap": 64,
            "normalize": False,
            "casing": False,
        }
        assert two.meta["requirements"] == ["onnxruntime>=1.20"]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "pipeline"]

    def test_int8(self, saved: Path, tmp_path: Path) -> None:
        data = annotated_data(saved, tmp_path / "data.spacy")
        agreement = optimize(saved, tmp_path / "out", data=data, max_f1_loss=0.2)
        assert agreement.f1 is not None and agreement.f1[0] == 1.0
        assert 0.8 <= agreement.f1[1] <= 1.0 and agreement.equal_tokens > 0.9
        assert 1e-4 < agreement.difference < 0.3 * agreement.largest
        assert (agreement.n_texts, agreement.data) == (sum(map(bool, TEXTS)), str(data))
        assert spacy.load(tmp_path / "out").get_pipe("ner").model.get_ref("tok2vec").shims[0].settings == {
            "format": 1,
            "width": 32,
            "pad_id": 0,
            "max_pieces": 64,
            "precision": "int8",
            "model_type": "distilbert",
        }

    @pytest.mark.parametrize("listener", LISTENERS)
    def test_shared(self, listener: str, encoder_dir: Path, tmp_path: Path) -> None:
        shared_pipeline(encoder_dir, listener).to_disk(tmp_path / "pipeline")
        agreement = optimize(tmp_path / "pipeline", tmp_path / "out", precision="fp32", component="ner")
        assert 0 < agreement.difference < 1e-4
        one, two = spacy.load(tmp_path / "pipeline"), spacy.load(tmp_path / "out")
        assert two.config["components"]["transformer"]["model"]["@architectures"] == "spacy-tokclf.OnnxEncoder.v1"
        for a, b in zip(one.pipe(POSTS), two.pipe(POSTS), strict=True):
            np.testing.assert_allclose(a.tensor, b.tensor, atol=1e-4)
        assert entities(one) == entities(two)

    def test_one_of_several(self, encoder_dir: Path, tmp_path: Path) -> None:
        nlp = spacy.blank("en")
        for name in ("one", "two"):
            nlp.add_pipe("token_classifier", name=name, config={"spans_key": name})
            nlp.get_pipe(name).scorer = None
        loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(encoder_dir)}
        scorer = {"@scorers": "spacy-tokclf.seqeval_scorer.v1", "score_prefix": "two_"}
        nlp.remove_pipe("two")
        nlp.add_pipe("token_classifier", name="two", config={"spans_key": "two", "scorer": scorer})
        nlp.config["initialize"]["components"] = {
            name: {"encoder": loader, "labels": ["person"]} for name in ("one", "two")
        }
        nlp.initialize()
        replace_encoders(nlp, "fp32", component="two")
        slots = [nlp.get_pipe(name).model.get_ref("tok2vec").name for name in ("one", "two")]
        assert slots == ["transformer_encoder", "onnx_encoder"]

    def test_bytes_and_other_weights(self, saved: Path, make_nlp: Callable[..., Language], tmp_path: Path) -> None:
        optimize(saved, tmp_path / "out", precision="fp32")
        nlp = spacy.load(tmp_path / "out")
        other = spacy.load(tmp_path / "out")
        other.get_pipe("ner").model.get_ref("output_layer").get_param("W")[:] = 0.0
        assert not any(entities(other))
        assert entities(other.from_bytes(nlp.to_bytes())) == entities(nlp)
        again = spacy.blank("en").from_config(nlp.config).from_bytes(nlp.to_bytes())
        assert entities(again) == entities(nlp)

    @pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
    def test_processes(self, method: str, saved: Path, tmp_path: Path) -> None:
        import multiprocessing

        optimize(saved, tmp_path / "out", precision="fp32")
        nlp = spacy.load(tmp_path / "out")
        expected = entities(nlp)
        before = multiprocessing.get_start_method()
        multiprocessing.set_start_method(method, force=True)
        try:
            docs = list(nlp.pipe(POSTS, n_process=2, batch_size=2))
        finally:
            multiprocessing.set_start_method(before, force=True)
        assert [[(ent.start, ent.end, ent.label_) for ent in doc.ents] for doc in docs] == expected


class TestNothingWorseIsWritten:
    """A pipeline that is not as good is refused, and what was there stays."""

    def test_f1(self, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        data = annotated_data(saved, tmp_path / "data.spacy")
        out = tmp_path / "out"
        optimize(saved, out, precision="fp32", data=data, max_f1_loss=0.0)
        inode = (out / "meta.json").stat().st_ino
        columns = onnx_int8.round_columns
        monkeypatch.setattr(onnx_int8, "round_columns", lambda weight: (columns(weight)[0] * 0, columns(weight)[1]))
        with pytest.raises(ValueError, match=r"TC308.*100\.00 before"):
            optimize(saved, out, data=data, force=True)
        assert (out / "meta.json").stat().st_ino == inode
        assert sorted(path.name for path in tmp_path.iterdir()) == ["data.spacy", "out", "pipeline"]
        optimize(saved, out, data=data, force=True, max_f1_loss=1.0)
        assert (out / "meta.json").stat().st_ino != inode

    def test_scores(self, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(onnx_family, "FAR", 0.0)  # padding is attended to
        with pytest.raises(ValueError, match=r"TC309.*distilbert"):
            optimize(saved, tmp_path / "out", precision="fp32")
        assert [path.name for path in tmp_path.iterdir()] == ["pipeline"]

    def test_not_a_number(self, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(onnx_family, "FAR", float("nan"))
        with pytest.raises(ValueError, match=r"TC424.*nan or infinite"):
            optimize(saved, tmp_path / "out", precision="fp32")


class TestRefusals:
    """What cannot be done is said with a code."""

    @pytest.mark.parametrize(
        ("given", "code"),
        [
            ({"precision": "int4"}, "TC304"),
            ({"max_f1_loss": 5}, "TC305"),
            ({"component": "tagger"}, "TC307"),
        ],
    )
    def test_choices(self, given: dict[str, Any], code: str, saved: Path, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=code):
            optimize(saved, tmp_path / "out", **given)
        assert not (tmp_path / "out").exists()

    def test_folders(self, saved: Path, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="TC259"):
            optimize(saved, saved)
        with pytest.raises(ValueError, match="TC306"):
            optimize(saved, saved, force=True)
        (tmp_path / "letters").mkdir()
        (tmp_path / "letters" / "one.txt").write_text("dear")
        with pytest.raises(ValueError, match=r"TC260.*meta\.json"):
            optimize(saved, tmp_path / "letters", force=True)

    def test_a_pipeline_without_encoder(self, tmp_path: Path) -> None:
        nlp = spacy.blank("en")
        nlp.add_pipe("sentencizer")
        nlp.to_disk(tmp_path / "pipeline")
        with pytest.raises(ValueError, match=r"TC307.*sentencizer"):
            optimize(tmp_path / "pipeline", tmp_path / "out")

    def test_a_missing_package(self, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import importlib.util

        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(ImportError, match=r"TC302.*onnx"):
            optimize(saved, tmp_path / "out")

    def test_no_annotation(self, saved: Path, tmp_path: Path) -> None:
        DocBin(docs=[Doc(spacy.blank("en").vocab, words=["in", "London"])]).to_disk(tmp_path / "data.spacy")
        with pytest.raises(ValueError, match=r"TC314.*data\.spacy"):
            optimize(saved, tmp_path / "out", data=tmp_path / "data.spacy")

    def test_what_is_optimized_is_not_trained_exported_or_optimized(self, saved: Path, tmp_path: Path) -> None:
        optimize(saved, tmp_path / "out")
        nlp = spacy.load(tmp_path / "out")
        for act in (
            lambda: optimize(tmp_path / "out", tmp_path / "more"),
            lambda: optimize(tmp_path / "out", tmp_path / "more", component="ner"),
            lambda: export_hf(nlp, tmp_path / "more"),
        ):
            with pytest.raises(ValueError, match=r"TC310.*original"):
                act()
        gold = Doc(nlp.vocab, words=["London"], ents=["B-location"])
        with pytest.raises(ValueError, match=r"TC300.*original"):
            nlp.update([Example(Doc(nlp.vocab, words=["London"]), gold)])
        assert not (tmp_path / "more").exists()

    def test_a_hidden_encoder(self, nlp: Language) -> None:
        nlp.get_pipe_config("ner")["model"]["tok2vec"]["@architectures"] = "mine.Encoder.v1"
        with pytest.raises(ValueError, match=r"TC311.*'ner'"):
            replace_encoders(nlp, "fp32")

    def test_a_graph_too_large(self, nlp: Language, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(onnx_graph, "LIMIT", 1000)
        with pytest.raises(ValueError, match=r"TC312.*distilbert, fp32"):
            replace_encoders(nlp, "fp32")

    def test_an_encoder_that_torch_cannot_export(
        self, make_encoder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*args: Any, **kwargs: Any) -> None:
            raise RuntimeError("no such operator")

        monkeypatch.setattr(torch.onnx, "export", fail)
        monkeypatch.setattr(onnx_graph, "activation_of", lambda config: None)
        with pytest.raises(ValueError, match=r"TC313.*distilbert.*no such operator"):
            make_pair(make_encoder())


class TestExportedByTorch:
    """Encoders beyond the family, and of the family with parts that our own graph does not know."""

    def assert_same(self, folder: Path, **settings: Any) -> None:
        layer, other = make_pair(folder, **settings)
        docs = make_docs([*TEXTS, ["in", "the", "tweet"] * 40])
        for one, two in zip(layer.predict(docs), other.predict(docs), strict=True):
            np.testing.assert_allclose(two, one, atol=2e-5)

    def test_links_as_one_word(self, make_encoder: Callable[..., Path]) -> None:
        layer, other = make_pair(make_encoder("distilbert"), normalize=True)
        texts = [["see", "https://t.co/x", "@Ada"], ["see", "url", "@user"]]
        for each in (layer, other):
            link, stand_in = each.predict(make_docs(texts))
            np.testing.assert_allclose(link, stand_in, atol=2e-5)
        np.testing.assert_allclose(other.predict(make_docs(texts))[0], link, atol=2e-5)

    def test_another_activation(self, make_checkpoint_dir: Callable[..., Path]) -> None:
        self.assert_same(make_checkpoint_dir("bert", settings={"hidden_act": "silu"}))

    @pytest.mark.slow
    @pytest.mark.parametrize("model_type", KINDS)
    def test_casing(self, model_type: str, make_encoder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(onnx_graph, "activation_of", lambda config: None)
        self.assert_same(make_encoder(model_type), casing=True)

    @pytest.mark.slow
    @pytest.mark.parametrize("model_type", POST_FAMILY)
    def test_families(self, model_type: str, make_checkpoint_dir: Callable[..., Path], tmp_path: Path) -> None:
        nlp = import_hf(make_checkpoint_dir(model_type))
        nlp.to_disk(tmp_path / "pipeline")
        for precision in ("fp32", "int8"):
            agreement = optimize(tmp_path / "pipeline", tmp_path / precision, precision=precision)
            assert agreement.difference < (1e-4 if precision == "fp32" else 0.3) * max(agreement.largest, 1.0)


class TestOurGraphOfTheFamily:
    """Every member of the family, with biases and norms that tell whether they were read."""

    @pytest.mark.parametrize(
        "model_type", ["distilbert", "bert", "electra", "roberta", "xlm-roberta", "camembert", "mpnet"]
    )
    @pytest.mark.parametrize("activation", ["gelu", "relu", "gelu_new"])
    def test_vectors(self, model_type: str, activation: str, make_checkpoint_dir: Callable[..., Path]) -> None:
        key = "activation" if model_type == "distilbert" else "hidden_act"
        folder = make_checkpoint_dir(model_type, settings={key: activation})
        layer, other = make_pair(folder)
        for one, two in zip(layer.predict(make_docs()), other.predict(make_docs()), strict=True):
            np.testing.assert_allclose(two, one, atol=1e-5)


@pytest.mark.slow
def test_package(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    optimize(saved, tmp_path / "out")
    wheel = build_wheel(tmp_path / "out", tmp_path / "packages", name="tiny", version="1.0.0")
    required = requirements_of(wheel)
    assert "onnxruntime>=1.20" in required
    assert any(line.startswith("spacy-tokclf") for line in required)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    monkeypatch.syspath_prepend(tmp_path / "installed")
    assert entities(importlib.import_module("en_tiny").load()) == entities(spacy.load(tmp_path / "out"))
