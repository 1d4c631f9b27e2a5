"""Our classifier on the `transformer` of spacy-transformers, and our own encoder in that environment."""

import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import spacy
from config_runs import ELSEWHERE, FAST, FOLDER, run, same, short, weights_of
from packaging.version import Version
from pipeline_posts import found, read_posts, scores_of
from spacy.cli.init_config import fill_config
from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.util import load_config
from thinc.api import ConfigValidationError
from thinc.shims import PyTorchShim
from tiny_encoders import write_encoder


def module_of(nlp: Language) -> Any:
    """Give the torch module of the `transformer`."""
    nodes = nlp.get_pipe("transformer").model.walk()
    (shim,) = [shim for node in nodes for shim in node.shims if isinstance(shim, PyTorchShim)]
    return shim._model


def predictions(nlp: Language) -> list[list[tuple[int, int, str]]]:
    """Give the entities of the posts, read as raw text."""
    return [found(doc) for doc in nlp.pipe(eg.reference.text for eg in read_posts(nlp))]


def test_the_environment() -> None:
    # Another one would test the rest of the repository's tests once more, and not this.
    assert Version(version("spacy-transformers")) >= Version("1.4.0")
    assert Version("4.45") <= Version(version("transformers")) < Version("4.53.3")


def test_fills_cleanly(tmp_path: Path) -> None:
    path = FOLDER / f"{ELSEWHERE}.cfg"
    before, filled = fill_config(tmp_path / "filled.cfg", path, silent=True)
    assert before == load_config(path)
    assert before["nlp"].setdefault("tokenizer", filled["nlp"]["tokenizer"])["@tokenizers"] == "spacy.Tokenizer.v1"
    assert filled == before


@pytest.mark.parametrize("width", [32, 48])
def test_one_variable_changes_the_encoder(
    width: int, posts: Path, make_encoder: Callable[..., Path], tmp_path: Path
) -> None:
    finished = run(ELSEWHERE, tmp_path, short(ELSEWHERE, posts, make_encoder(width=width), steps=4))
    assert [row["#"] for row in finished.rows] == ["0", "2", "4"]
    best = finished.best
    assert module_of(best).config.dim == width
    assert best.get_pipe("ner").model.get_ref("output_layer").get_dim("nI") == width


def test_learns_saves_and_opens_alone(posts: Path, tmp_path: Path, blocked_network: None) -> None:
    encoder = write_encoder(tmp_path / "encoder")
    finished = run(ELSEWHERE, tmp_path / "out", short(ELSEWHERE, posts, encoder, steps=80) | FAST)
    assert float(finished.rows[-1]["ENTS_F"]) == 100.0
    assert float(finished.rows[-1]["LOSS NER"]) < 0.25 * float(finished.rows[1]["LOSS NER"])
    shutil.rmtree(encoder)
    best = finished.best
    assert best.evaluate(read_posts(best))["ents_f"] == 1.0
    assert predictions(best) == predictions(finished.nlp)
    assert any(predictions(best))
    doc = best("met Zorblax in Quorn Falls")
    assert len(scores_of(doc)) == len(doc.ents) > 0 and all(0.0 < score <= 1.0 for score in scores_of(doc))
    assert doc._.trf_data is None
    config = (tmp_path / "out" / "model-best" / "config.cfg").read_text()
    assert str(tmp_path) not in config and 'name = "encoder"' in config


def test_the_encoder_learns_too(posts: Path, encoder_dir: Path, tmp_path: Path) -> None:
    nlp = init_nlp(load_config(FOLDER / f"{ELSEWHERE}.cfg", overrides=short(ELSEWHERE, posts, encoder_dir) | FAST))
    before = {name: value.clone() for name, value in module_of(nlp).state_dict().items()}
    finished = run(ELSEWHERE, tmp_path, short(ELSEWHERE, posts, encoder_dir) | FAST)
    after = module_of(finished.nlp).state_dict()
    moved = [name for name, value in before.items() if not value.equal(after[name])]
    assert len(moved) == len(before)


WRONG = [
    ("components.transformer.max_batch_items", "many"),
    ("components.transformer.model.name", 3),
    ("components.transformer.model.get_spans.window", "wide"),
    ("components.transformer.model.revision", "main"),
    ("components.ner.threshold", "high"),
    ("components.ner.decoder", "greedy"),
    ("components.ner.model.tok2vec.grad_factor", "high"),
    ("components.ner.model.tok2vec.window", 1),
    ("training.optimizer.head_multiplier", "ten"),
]


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_wrong_values_are_refused(key: str, value: Any, posts: Path, encoder_dir: Path) -> None:
    config = load_config(FOLDER / f"{ELSEWHERE}.cfg", overrides=short(ELSEWHERE, posts, encoder_dir))
    *sections, last = key.split(".")
    block = config
    for section in sections:
        block = block[section]
    block[last] = value
    with pytest.raises(ConfigValidationError) as caught:
        init_nlp(config)
    assert last in str(caught.value).split("{")[0]


@pytest.mark.parametrize("name", ["own_data", "wnut17", "wnut17_shared"])
def test_our_own_encoder_with_this_transformers(
    name: str, posts: Path, encoder_dir: Path, tmp_path: Path, blocked_network: None
) -> None:
    finished = run(name, tmp_path, short(name, posts, encoder_dir) | FAST)
    best = finished.best
    assert best.evaluate(read_posts(best))["ents_f"] == 1.0
    assert same(weights_of(best), weights_of(finished.nlp))
    assert predictions(best) == predictions(finished.nlp)


def test_a_tagger_of_spacy_beside_ours(posts: Path, encoder_dir: Path, tmp_path: Path) -> None:
    """The usual reason for that encoder: other components listen to it."""
    pooling = {"@layers": "reduce_mean.v1"}
    listener = {"@architectures": "spacy-transformers.TransformerListener.v1", "grad_factor": 1.0, "pooling": pooling}
    blocks: dict[str, Any] = {
        "components.tagger": {"factory": "tagger", "model": {"@architectures": "spacy.Tagger.v2", "tok2vec": listener}},
        "nlp.pipeline": ["transformer", "ner", "tagger", "doc_cleaner"],
        "initialize.components.tagger": {"labels": ["NAME", "WORD"]},
    }
    # The posts have no tags, so the tagger learns nothing; our gradients must reach the encoder all the same.
    finished = run(ELSEWHERE, tmp_path, short(ELSEWHERE, posts, encoder_dir, steps=40) | FAST, blocks=blocks)
    best = spacy.load(tmp_path / "model-best")
    assert float(finished.rows[-1]["LOSS NER"]) < 0.5 * float(finished.rows[1]["LOSS NER"])
    assert best.pipe_names == ["transformer", "ner", "tagger", "doc_cleaner"]
