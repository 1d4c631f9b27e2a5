"""Import of checkpoints: label maps and schemes, settings, further training, and what is refused."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import torch
from hf_reference import TEXTS
from spacy.cli.train import train as spacy_train
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.util import load_config
from tiny_checkpoints import TAGS
from tiny_encoders import write_encoder

from spacy_tokclf.export import export_hf, import_hf
from spacy_tokclf.models.hf import heads
from spacy_tokclf.pipeline.labels import tag_rows
from spacy_tokclf.tags import tags_to_spans

LABEL_SETS = {
    "no prefixes": (["O", "per", "loc"], "IO", ("per", "loc")),
    "letters": (["O", "X", "N"], "IO", ("X", "N")),
    "IOB2": (["B-per", "O", "I-per", "B-loc", "I-loc"], "IOB2", ("per", "loc")),
    "I alone": (["O", "I-per", "I-loc"], "IOB1", ("per", "loc")),
    "B alone": (["O", "B-per", "B-creative-work"], "IOB2", ("per", "creative-work")),
    "IOBES": (["O", "B-per", "I-per", "E-per", "S-per"], "IOBES", ("per",)),
    "BILOU": (["B-per", "I-per", "L-per", "O", "U-per"], "BILOU", ("per",)),
    "mixed": (["X", "O", "B-per", "I-per", "[CLS]", "[SEP]"], "IOB2", ("per",)),
    "more than ten": (["O", *(f"B-t{i}" for i in range(11))], "IOB2", tuple(f"t{i}" for i in range(11))),
}


def logits_of(nlp: Language, texts: Sequence[Sequence[str]] = TEXTS) -> list[Any]:
    pipe: Any = nlp.get_pipe("ner")
    return [np.asarray(rows) for rows in pipe.logits([Doc(nlp.vocab, words=list(words)) for words in texts])]


def gold_examples(nlp: Language, label: str = "person", *, label_2: str = "location") -> list[Example]:
    words = ["Schiphol", "praat", "over", "New", "York"]
    ents = [f"B-{label_2}", "O", "O", f"B-{label}", f"I-{label}"]
    return [Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words, ents=ents))]


@pytest.mark.filterwarnings("ignore:.*TW204")
class TestLabels:
    """The label map is kept, and its scheme found."""

    @pytest.mark.parametrize("name", list(LABEL_SETS))
    def test_labels_stay_as_they_are(self, name: str, make_checkpoint_dir: Callable[..., Path]) -> None:
        tags, scheme, types = LABEL_SETS[name]
        nlp = import_hf(make_checkpoint_dir(tags=tuple(tags)))
        pipe: Any = nlp.get_pipe("ner")
        assert (pipe.label_data, pipe.labels) == ({"scheme": scheme, "tags": tags}, types)
        for words, rows in zip(TEXTS, logits_of(nlp), strict=True):
            doc = pipe(Doc(nlp.vocab, words=words))
            if len(words) < 2 or any(word.isspace() or not rows[i].any() for i, word in enumerate(words)):
                continue
            best = [tags[row] for row in rows.argmax(axis=1)]
            readable = [tag if scheme == "IO" or "-" in tag else "O" for tag in best]
            assert [(ent.start, ent.end, ent.label_) for ent in doc.ents] == tags_to_spans(readable, scheme)

    def test_the_keys_of_the_map_are_numbers(self, make_checkpoint_dir: Callable[..., Path], tmp_path: Path) -> None:
        folder = tmp_path / "copy"
        shutil.copytree(make_checkpoint_dir(tags=tuple(LABEL_SETS["more than ten"][0])), folder)
        config = json.loads((folder / "config.json").read_text())
        config["id2label"] = dict(sorted(config["id2label"].items()))
        assert list(config["id2label"])[1:3] == ["1", "10"]
        (folder / "config.json").write_text(json.dumps(config))
        assert import_hf(folder).get_pipe("ner").tags == LABEL_SETS["more than ten"][0]

    def test_other_names_and_another_scheme(self, make_checkpoint_dir: Callable[..., Path], tmp_path: Path) -> None:
        folder = make_checkpoint_dir(tags=("LABEL_0", "LABEL_1", "LABEL_2"))
        nlp = import_hf(folder, labels=["O", "B-per", "I-per"], scheme="IOB1", component="names", lang="de")
        assert (nlp.lang, nlp.pipe_names) == ("de", ["names"])
        assert nlp.get_pipe("names").label_data == {"scheme": "IOB1", "tags": ["O", "B-per", "I-per"]}
        exported = json.loads((export_hf(nlp, tmp_path / "hf") / "config.json").read_text())
        assert exported["label2id"] == {"O": 0, "B-per": 1, "I-per": 2}

    def test_tag_rows_fill_in_missing_prefixes(self) -> None:
        rows = tag_rows(["O", "B-a", "I-b", "X"], "IOB2")
        assert rows == {"O": 0, "B-a": 1, "I-b": 2, "X": 3, "I-a": 1, "B-b": 2}
        assert tag_rows(["O", "a"], "IO") == {"O": 0, "a": 1}
        assert tag_rows(["O", "U-a"], "BILOU") == {"O": 0, "U-a": 1, "B-a": 1, "I-a": 1, "L-a": 1}


class TestSettings:
    """What comes with a checkpoint beside weights and labels."""

    def test_dropout_is_kept(self, make_checkpoint_dir: Callable[..., Path]) -> None:
        nlp = import_hf(make_checkpoint_dir(dropout=0.25))
        assert nlp.config["training"]["dropout"] == 0.25
        module = nlp.get_pipe("ner").model.get_ref("tok2vec").shims[0].module
        rates = {child.p for child in module.modules() if isinstance(child, torch.nn.Dropout)}
        assert rates == {0.25}

    def test_foreign_labels_are_decoded_as_hugging_face_does(self, make_checkpoint_dir: Callable[..., Path]) -> None:
        assert import_hf(make_checkpoint_dir()).get_pipe("ner").cfg["decode"] == "greedy"
        assert import_hf(make_checkpoint_dir(), decode="constrained").get_pipe("ner").cfg["decode"] == "constrained"

    def test_an_export_comes_back_with_its_settings(
        self, make_checkpoint_dir: Callable[..., Path], tmp_path: Path
    ) -> None:
        nlp = import_hf(make_checkpoint_dir(), decode="constrained")
        pipe: Any = nlp.get_pipe("ner")
        pipe.cfg["threshold"] = 0.4
        pipe.model.get_ref("tok2vec").attrs.update(window=20, overlap=4)
        export_hf(nlp, tmp_path / "hf")
        again = import_hf(tmp_path / "hf")
        back: Any = again.get_pipe("ner")
        kept = ("scheme", "tags", "decode", "threshold")
        assert {key: back.cfg[key] for key in kept} == {key: pipe.cfg[key] for key in kept}
        assert back.model.get_ref("tok2vec").attrs == pipe.model.get_ref("tok2vec").attrs
        for words in TEXTS:
            one, two = (part(Doc(part.vocab, words=words)) for part in (nlp, again))
            assert [(e.start, e.end, e.label_) for e in one.ents] == [(e.start, e.end, e.label_) for e in two.ents]
            assert one.spans["entities"].attrs == two.spans["entities"].attrs
        again.to_disk(tmp_path / "pipeline")
        assert "spacy_tokclf" not in json.loads((tmp_path / "pipeline/ner/encoder/config.json").read_text())


class TestTraining:
    """An imported checkpoint is trained on."""

    def test_with_nlp_update(self, make_checkpoint_dir: Callable[..., Path]) -> None:
        nlp = import_hf(make_checkpoint_dir(dropout=0.1))
        optimizer = nlp.resume_training()
        assert (type(optimizer).__name__, optimizer.learn_rate) == ("AdamW", 5e-5)
        optimizer.learn_rate = 5e-3  # the model is tiny
        losses = [nlp.update(gold_examples(nlp), sgd=optimizer, drop=0.1)["ner"] for _ in range(30)]
        assert losses[-1] < 0.5 * losses[0]

    @pytest.mark.parametrize("tags", [["O", "B-per", "B-loc"], ["O", "I-per", "I-loc"], ["O", "per", "loc"]])
    def test_label_sets_without_all_prefixes(self, tags: list[str], make_checkpoint_dir: Callable[..., Path]) -> None:
        nlp = import_hf(make_checkpoint_dir(tags=tuple(tags)))
        optimizer = nlp.resume_training()
        examples = gold_examples(nlp, "per", label_2="loc")
        losses = [nlp.update(examples, sgd=optimizer)["ner"] for _ in range(10)]
        assert losses[-1] < losses[0]

    def test_with_spacy_train_and_source(self, make_checkpoint_dir: Callable[..., Path], tmp_path: Path) -> None:
        nlp = import_hf(make_checkpoint_dir(dropout=0.1))
        nlp.to_disk(tmp_path / "imported")
        DocBin(docs=[eg.reference for eg in gold_examples(nlp)]).to_disk(tmp_path / "gold.spacy")
        config = nlp.config.copy()
        config["components"] = {"ner": {"source": str(tmp_path / "imported")}}
        config["paths"].update(train=str(tmp_path / "gold.spacy"), dev=str(tmp_path / "gold.spacy"))
        config["training"].update(max_steps=40, eval_frequency=40)
        config["training"]["optimizer"]["learn_rate"] = 5e-3
        config.to_disk(tmp_path / "config.cfg")
        started = init_nlp(load_config(tmp_path / "config.cfg"))
        for one, two in zip(logits_of(nlp), logits_of(started), strict=True):
            np.testing.assert_array_equal(one, two)
        spacy_train(tmp_path / "config.cfg", tmp_path / "trained")
        trained = spacy.load(tmp_path / "trained/model-last")
        assert trained.evaluate(gold_examples(trained))["ents_f"] == 1.0
        assert nlp.evaluate(gold_examples(nlp))["ents_f"] < 1.0

    def test_a_checkpoint_as_the_start_of_new_labels(self, make_checkpoint_dir: Callable[..., Path]) -> None:
        folder = make_checkpoint_dir()
        nlp = spacy.blank("en")
        nlp.add_pipe("token_classifier", name="ner")
        loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(folder), "head": True}
        nlp.config["initialize"]["components"]["ner"] = {"encoder": loader}
        nlp.initialize(lambda: gold_examples(nlp, "group"))
        pipe: Any = nlp.get_pipe("ner")
        assert pipe.tags == [*TAGS, "B-group", "I-group"]
        for one, two in zip(logits_of(nlp), logits_of(import_hf(folder)), strict=True):
            np.testing.assert_allclose(one[:, : len(TAGS)], two, rtol=0, atol=1e-6)

    def test_rows_go_by_their_names(self, make_checkpoint_dir: Callable[..., Path]) -> None:
        folder = make_checkpoint_dir()
        nlp = spacy.blank("en")
        nlp.add_pipe("token_classifier", name="ner")
        loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(folder), "head": True}
        labels = {"scheme": "IOB2", "tags": ["O", "B-location", "I-location", "B-new", "I-new"]}
        nlp.config["initialize"]["components"]["ner"] = {"encoder": loader, "labels": labels}
        nlp.initialize()
        rows = [TAGS.index(tag) for tag in labels["tags"][:3]]
        for one, two in zip(logits_of(nlp), logits_of(import_hf(folder)), strict=True):
            np.testing.assert_allclose(one[:, :3], two[:, rows], rtol=0, atol=1e-6)

    def test_a_shared_encoder_hands_the_head_on(self, make_checkpoint_dir: Callable[..., Path]) -> None:
        folder = make_checkpoint_dir("modernbert")
        nlp = spacy.blank("en")
        nlp.add_pipe("transformer_encoder", name="transformer")
        listener = {"@architectures": "spacy-tokclf.EncoderListener.v1", "upstream": "transformer"}
        nlp.add_pipe("token_classifier", name="ner", config={"model": {"tok2vec": listener}})
        loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(folder), "head": True}
        nlp.config["initialize"]["components"]["transformer"] = {"encoder": loader}
        nlp.initialize()
        words = TEXTS[0]
        doc = nlp.get_pipe("transformer")(Doc(nlp.vocab, words=words))
        expected = logits_of(import_hf(folder), [words])[0]
        np.testing.assert_allclose(nlp.get_pipe("ner").logits([doc])[0], expected, rtol=0, atol=1e-6)


class TestRefusals:
    """What cannot be imported is said with a code."""

    def test_labels(self, make_checkpoint_dir: Callable[..., Path]) -> None:
        with pytest.raises(ValueError, match=r"TC254.*LABEL_0, LABEL_1"):
            import_hf(make_checkpoint_dir(tags=("LABEL_0", "LABEL_1")), labels=["O"])
        with pytest.raises(ValueError, match=r"TC253.*'B-a'"):
            import_hf(make_checkpoint_dir(tags=("O", "B-a", "I-a")), labels=["O", "B-a", "B-a"])
        with pytest.raises(ValueError, match=r"TC027.*'B-a'"):
            import_hf(make_checkpoint_dir(tags=("O", "B-a", "I-a")), scheme="IOE2")
        with pytest.raises(ValueError, match="TC100"):
            import_hf(make_checkpoint_dir(tags=("O", "B-a", "I-a")), scheme="IOB3")
        with pytest.raises(ValueError, match="TC104"):
            import_hf(make_checkpoint_dir(tags=("O", "S-a", "U-a")))

    def test_an_encoder_without_a_head(self, tmp_path: Path) -> None:
        folder = write_encoder(tmp_path / "encoder", "bert")
        with pytest.raises(ValueError, match=r"TC252.*classifier"):
            import_hf(folder)

    def test_a_type_whose_head_is_not_known(self, make_checkpoint_dir: Callable[..., Path], tmp_path: Path) -> None:
        folder = tmp_path / "copy"
        shutil.copytree(make_checkpoint_dir(), folder)
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "model_type": "gpt2"}))
        with pytest.raises(ValueError, match=r"TC250.*'gpt2'"):
            import_hf(folder)

    def test_a_head_with_other_weights(
        self, make_checkpoint_dir: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(heads.HEADS, "modernbert", heads.Head())
        with pytest.raises(ValueError, match=r"TC251.*head\.dense\.weight"):
            import_hf(make_checkpoint_dir("modernbert"))

    def test_no_model(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match=r"TC010.*nothing"):
            import_hf(tmp_path / "nothing")

    def test_a_tokenizer_without_word_alignment(self, make_checkpoint_dir: Callable[..., Path], tmp_path: Path) -> None:
        folder = tmp_path / "bertweet"
        shutil.copytree(make_checkpoint_dir("roberta"), folder)
        (folder / "tokenizer.json").unlink()
        (folder / "vocab.txt").write_text("a</w> 1\nb</w> 1\nab</w> 1\n")
        (folder / "bpe.codes").write_text("a b</w> 1\n")
        (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertweetTokenizer"}))
        with pytest.raises(ValueError, match=r"TC011.*BertweetTokenizer"):
            import_hf(folder)
