"""What spaCy's training loop offers, asked for in a config: streams, epochs, averages, frozen parts, languages."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from config_runs import FAST, Run, encoder_of, run, same, short, weights_of
from pipeline_posts import LABELS, read_posts
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Corpus, Example
from thinc.api import Optimizer

from spacy_tokclf.corpus import Record, write_conll
from spacy_tokclf.training.optimizer import AdamW


@pytest.mark.parametrize("name", ["own_data", "wnut17", "wnut17_shared"])
def test_a_streamed_corpus(name: str, posts: Path, encoder_dir: Path, tmp_path: Path) -> None:
    overrides = short(name, posts, encoder_dir) | FAST | {"training.max_epochs": -1}
    block = {"labels": LABELS}
    if name != "wnut17_shared":
        loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": "${paths.encoder}"}
        block["encoder"] = loader
    finished = run(name, tmp_path, overrides, blocks={"initialize.components.ner": block})
    assert [row["E"] for row in finished.rows] == ["0", "10", "20"]
    assert float(finished.rows[-1]["ENTS_F"]) == 100.0


def late_label(folder: Path) -> Path:
    """Write a stream whose last texts have a type that the first hundred have not."""
    early = Record(["Ada", "came"], ["B-person", "O"])
    late = Record(["to", "Rome"], ["O", "B-location"])
    write_conll([early] * 100 + [late] * 4, folder / "late.conll")
    return folder / "late.conll"


def test_a_stream_needs_the_labels_of_its_end(posts: Path, encoder_dir: Path, tmp_path: Path) -> None:
    path = str(late_label(tmp_path))
    overrides = short("own_data", posts, encoder_dir, steps=8) | {"paths.train": path, "training.max_epochs": -1}
    with pytest.raises(ValueError, match=r"TC020.*location"):
        run("own_data", tmp_path / "out", overrides)
    overrides["initialize.components.ner.labels"] = ["person", "location"]
    best = run("own_data", tmp_path / "out", overrides | {"paths.dev": path}).best
    assert best.get_pipe("ner").labels == ("person", "location")
    overrides |= {"initialize.components.ner.labels": None, "training.max_epochs": 0}
    assert set(run("own_data", tmp_path / "out", overrides | {"paths.dev": path}).best.get_pipe("ner").labels) == {
        "person",
        "location",
    }


def test_epochs(posts: Path, encoder_dir: Path, tmp_path: Path) -> None:
    overrides = short("own_data", posts, encoder_dir, steps=1000)
    overrides |= {"training.max_epochs": 3, "training.batcher.size": 4, "training.eval_frequency": 4}
    finished = run("own_data", tmp_path, overrides)
    # 16 posts in batches of 4: an epoch has four steps, and the twelfth is the last.
    assert [(row["E"], row["#"]) for row in finished.rows] == [("0", "0"), ("1", "4"), ("2", "8")]
    assert same(weights_of(spacy.load(tmp_path / "model-last")), weights_of(finished.nlp))
    assert not same(weights_of(finished.best), weights_of(finished.nlp))


def test_epochs_alone(posts: Path, encoder_dir: Path, tmp_path: Path) -> None:
    overrides = short("own_data", posts, encoder_dir) | FAST
    overrides |= {"training.max_steps": 0, "training.max_epochs": 21}
    finished = run("own_data", tmp_path, overrides)
    assert [row["#"] for row in finished.rows] == ["0", "10", "20"]
    assert float(finished.rows[-1]["ENTS_F"]) == 100.0


def test_a_rate_that_stays_zero_is_told(posts: Path, encoder_dir: Path, tmp_path: Path) -> None:
    overrides = short("own_data", posts, encoder_dir) | {"training.optimizer.learn_rate.total_steps": 10}
    with pytest.warns(UserWarning, match="TW001"):
        run("own_data", tmp_path, overrides)


@pytest.fixture
def optimizers(monkeypatch: pytest.MonkeyPatch) -> list[Optimizer]:
    """The optimizers that are made during a test."""
    made: list[Optimizer] = []
    plain = AdamW.__init__

    def remember(self: Optimizer, *args: Any, **kwargs: Any) -> None:
        plain(self, *args, **kwargs)
        made.append(self)

    monkeypatch.setattr(AdamW, "__init__", remember)
    return made


@pytest.mark.parametrize("name", ["own_data", "wnut17_shared"])
def test_averages_are_evaluated_and_saved(
    name: str,
    posts: Path,
    encoder_dir: Path,
    tmp_path: Path,
    optimizers: list[Optimizer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[dict[str, np.ndarray]] = []
    plain = Language.evaluate

    def remember(self: Language, *args: Any, **kwargs: Any) -> dict[str, Any]:
        seen.append(weights_of(self))
        return plain(self, *args, **kwargs)

    monkeypatch.setattr(Language, "evaluate", remember)
    overrides = short(name, posts, encoder_dir) | FAST | {"training.optimizer.use_averages": True}
    finished = run(name, tmp_path, overrides)
    averages = optimizers[-1].averages
    assert averages
    best, live = weights_of(finished.best), weights_of(finished.nlp)
    assert same(best, seen[-1]) and len(seen) == 3
    assert not any(np.array_equal(best[key], live[key]) for key in best if best[key].ndim > 1)
    shim = encoder_of(finished.nlp)
    owner = "transformer" if name == "wnut17_shared" else "ner"
    for key, _ in shim.module.named_parameters():
        assert np.array_equal(best[f"{owner}.{key}"], averages[(shim.id, key)].numpy()), key
    layer = finished.nlp.get_pipe("ner").model.get_ref("output_layer")
    assert np.array_equal(best["ner.output.W"], averages[(layer.id, "W")])
    monkeypatch.undo()
    found = 100 * finished.best.evaluate(read_posts(finished.best))["ents_f"]
    assert found == pytest.approx(float(finished.rows[-1]["ENTS_F"]), abs=0.01)


@pytest.fixture(scope="module")
def trained(posts: Path, encoder_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished training of the shared form."""
    overrides = short("wnut17_shared", posts, encoder_dir) | FAST
    return run("wnut17_shared", tmp_path_factory.mktemp("shared"), overrides)


def sourced(trained: Run, *names: str) -> dict[str, Any]:
    """Give blocks that take components from a trained pipeline."""
    blocks: dict[str, Any] = {f"components.{name}": {"source": str(trained.out / "model-best")} for name in names}
    return blocks | {"initialize.components": {}}


def part(weights: dict[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """Give the weights of one component."""
    return {key: value for key, value in weights.items() if key.startswith(f"{name}.")}


def test_a_frozen_encoder_that_annotates(trained: Run, posts: Path, tmp_path: Path) -> None:
    overrides = short("wnut17_shared", posts, "", steps=4) | FAST | {"paths.encoder": None}
    overrides |= {f"training.{kind}_components": ["transformer"] for kind in ("frozen", "annotating")}
    finished = run("wnut17_shared", tmp_path, overrides, blocks=sourced(trained, "transformer", "ner"))
    before, after = weights_of(trained.best), weights_of(spacy.load(tmp_path / "model-last"))
    assert same(part(before, "transformer"), part(after, "transformer"))
    assert not same(part(before, "ner"), part(after, "ner"))
    assert float(finished.rows[-1]["ENTS_F"]) == 100.0
    assert "LOSS TRANS..." not in finished.rows[0]


def test_a_fresh_classifier_on_a_frozen_encoder(trained: Run, posts: Path, tmp_path: Path) -> None:
    overrides = short("wnut17_shared", posts, "") | FAST | {"paths.encoder": None}
    overrides |= {f"training.{kind}_components": ["transformer"] for kind in ("frozen", "annotating")}
    finished = run("wnut17_shared", tmp_path, overrides, blocks=sourced(trained, "transformer"))
    assert same(part(weights_of(trained.best), "transformer"), part(weights_of(finished.best), "transformer"))
    assert float(finished.rows[-1]["LOSS NER"]) < float(finished.rows[1]["LOSS NER"])


def test_a_fresh_encoder_cannot_be_frozen(posts: Path, encoder_dir: Path, tmp_path: Path) -> None:
    overrides = short("wnut17_shared", posts, encoder_dir) | {"training.frozen_components": ["transformer"]}
    with pytest.raises(ValueError, match="TC014"):
        run("wnut17_shared", tmp_path, overrides)


def test_training_goes_on_from_a_sourced_pipeline(trained: Run, posts: Path, tmp_path: Path) -> None:
    overrides = short("wnut17_shared", posts, "", steps=4) | FAST | {"paths.encoder": None}
    finished = run("wnut17_shared", tmp_path, overrides, blocks=sourced(trained, "transformer", "ner"))
    assert float(finished.rows[0]["ENTS_F"]) == 100.0
    before, after = weights_of(trained.best), weights_of(finished.best)
    assert not same(part(before, "transformer"), part(after, "transformer"))
    source = {"source"} & set(finished.best.config["components"]["ner"])
    assert not source and str(trained.out) not in finished.best.config.to_str()


def test_a_frozen_classifier_beside_a_new_tagger(trained: Run, tmp_path: Path) -> None:
    docs = []
    for eg in read_posts(spacy.blank("en")):
        words = [token.text for token in eg.reference]
        iob = [f"{t.ent_iob_}-{t.ent_type_}" if t.ent_type_ else "O" for t in eg.reference]
        tags = ["NAME" if word[0].isupper() else "WORD" for word in words]
        docs.append(Doc(eg.reference.vocab, words=words, ents=iob, tags=tags))
    DocBin(docs=docs).to_disk(tmp_path / "posts.spacy")
    tok2vec = {"@architectures": "spacy-tokclf.EncoderListener.v1", "upstream": "transformer"}
    blocks = sourced(trained, "transformer", "ner")
    blocks["components.tagger"] = {
        "factory": "tagger",
        "model": {"@architectures": "spacy.Tagger.v2", "tok2vec": tok2vec},
    }
    blocks["nlp.pipeline"] = ["transformer", "ner", "tagger", "doc_cleaner"]
    overrides = short("wnut17_shared", tmp_path, "") | FAST | {"paths.encoder": None}
    for kind in ("frozen", "annotating"):
        overrides[f"training.{kind}_components"] = ["transformer", "ner"]
    finished = run("wnut17_shared", tmp_path / "out", overrides, blocks=blocks)
    assert same(weights_of(trained.best), weights_of(finished.best))
    scores = finished.best.evaluate([Example(Doc(doc.vocab, words=[t.text for t in doc]), doc) for doc in docs])
    assert scores["ents_f"] == 1.0 and scores["tag_acc"] > 0.9


def test_annotating_changes_nothing_for_the_classifier_itself(posts: Path, encoder_dir: Path, tmp_path: Path) -> None:
    overrides = short("own_data", posts, encoder_dir) | FAST
    plain = run("own_data", tmp_path / "plain", overrides)
    overrides["training.annotating_components"] = ["ner"]
    annotating = run("own_data", tmp_path / "annotating", overrides)
    assert same(weights_of(plain.nlp), weights_of(annotating.nlp))
    assert plain.rows == annotating.rows


#: Gold tokens are set apart by spaces, and by "+" where the text has no space.
RAW = """
just met Zorblax+, in Quorn Falls lol
Zorb+lax ist heute in Quorn Falls+!
(+Zorblax+) wohnt in Quorn Falls+.
what about Quorn Falls+?
met (Zorblax) in Quorn-Falls
"""
ENTITIES = {
    "Quorn Falls": "location",
    "Zorblax": "person",
    "Zorb": "person",
    "(Zorblax)": "person",
    "Quorn-Falls": "location",
}


def raw_docs(nlp: Language) -> list[Doc]:
    """Make texts whose gold tokens are not those of the tokenizer. In one of them a part of a token is an entity."""
    docs = []
    for line in RAW.strip().split("\n"):
        chunks = [chunk.split("+") for chunk in line.split()]
        words = [word for chunk in chunks for word in chunk]
        spaces = [i == len(chunk) for chunk in chunks for i, _ in enumerate(chunk, start=1)]
        doc = Doc(nlp.vocab, words=words, spaces=spaces)
        spans = [
            Span(doc, i, i + n, ENTITIES[" ".join(words[i : i + n])])
            for n in (1, 2)
            for i in range(len(words) - n + 1)
            if " ".join(words[i : i + n]) in ENTITIES
        ]
        doc.set_ents(spans)
        docs.append(doc)
    return docs


@pytest.mark.parametrize("lang", ["xx", "de"])
def test_the_tokenizer_of_another_language(lang: str, encoder_dir: Path, tmp_path: Path) -> None:
    nlp = spacy.blank(lang)
    DocBin(docs=raw_docs(nlp)).to_disk(tmp_path / "posts.spacy")
    examples = list(Corpus(tmp_path / "posts.spacy")(nlp))
    assert any(len(eg.predicted) > len(eg.reference) for eg in examples)
    tags = [(token.text, tag) for eg in examples for token, tag in zip(eg.predicted, eg.get_aligned_ner(), strict=True)]
    assert ("Zorblax", None) in tags and ("Zorblax", "U-person") in tags
    overrides = short("wnut17", tmp_path, encoder_dir) | FAST | {"nlp.lang": lang}
    finished = run("wnut17", tmp_path / "out", overrides)
    assert finished.best.lang == lang
    assert [(ent.text, ent.label_) for ent in finished.best("(Zorblax) wohnt in Quorn Falls.").ents] == [
        ("Zorblax", "person"),
        ("Quorn Falls", "location"),
    ]
