"""spaCy's commands on a pipeline with our component: those that other tests leave out, and others in other ways."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly
from config_runs import FAST, FOLDER, short, write_posts
from pipeline_posts import LABELS, annotate, found, read_posts, same, scores_of
from spacy.cli._util import app
from spacy.cli.info import info
from spacy.tokens import DocBin
from spacy.util import load_config
from typer.testing import CliRunner

POST = "just met Zorblax in Quorn Falls lol"


def invoke(*args: object, code: int = 0) -> str:
    """Run a command in this process; give what it printed."""
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def options(values: dict[str, Any]) -> list[str]:
    return [part for key, value in values.items() for part in (f"--{key}", json.dumps(value).strip('"'))]


@pytest.fixture(scope="module")
def posts_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_posts(tmp_path_factory.mktemp("as_commands"))


def test_apply(model: Path, tmp_path: Path) -> None:
    texts = [eg.reference.text for eg in read_posts(spacy.blank("en"))]
    srsly.write_jsonl(tmp_path / "texts.jsonl", [{"text": text} for text in texts])
    invoke("apply", model, tmp_path / "texts.jsonl", tmp_path / "out.spacy")
    nlp = spacy.load(model)
    docs = list(DocBin().from_disk(tmp_path / "out.spacy").get_docs(nlp.vocab))
    same(docs, list(nlp.pipe(texts)))


def test_apply_to_gold_texts(model: Path, posts_dir: Path, tmp_path: Path) -> None:
    """What has entities keeps them, as with spaCy's own; our scores are in the group."""
    invoke("apply", model, posts_dir / "posts.spacy", tmp_path / "out.spacy")
    docs = list(DocBin().from_disk(tmp_path / "out.spacy").get_docs(spacy.blank("en").vocab))
    assert [found(doc) for doc in docs] == [found(eg.reference) for eg in read_posts(spacy.blank("en"))]
    assert sum(len(doc.spans["entities"].attrs["scores"]) for doc in docs) > 10


def test_evaluate_is_not_fooled_by_gold(model: Path, posts_dir: Path, tmp_path: Path) -> None:
    nlp = spacy.load(model)
    layer = nlp.get_pipe("ner").model.get_ref("output_layer")
    layer.set_param("W", layer.get_param("W") * 0)
    nlp.to_disk(tmp_path / "nothing")
    for flags in ([], ["--gold-preproc"]):
        invoke("evaluate", tmp_path / "nothing", posts_dir / "posts.spacy", "--output", tmp_path / "s.json", *flags)
        assert srsly.read_json(tmp_path / "s.json")["ents_f"] == 0.0
    assert "NER F   0.00" in invoke("benchmark", "accuracy", tmp_path / "nothing", posts_dir / "posts.spacy")


def test_info(model: Path) -> None:
    facts = info(str(model), silent=True)
    assert facts["pipeline"] == ["ner"] and facts["labels"]["ner"] == LABELS
    invoke("info", model)


def test_a_config_of_one_component(tmp_path: Path) -> None:
    base = '[nlp]\nlang = "zh"\npipeline = ["ner"]\n[components]\n[components.ner]\nfactory = "token_classifier"\n'
    (tmp_path / "base.cfg").write_text(base)
    invoke("init", "fill-config", tmp_path / "base.cfg", tmp_path / "filled.cfg")
    filled = load_config(tmp_path / "filled.cfg")
    assert filled["nlp"]["tokenizer"]["@tokenizers"] == "spacy.zh.ChineseTokenizer"
    assert filled["components"]["ner"]["spans_key"] == "auto" and filled["training"]["score_weights"]["ents_f"] == 1.0
    assert "already complete" in invoke(
        "init", "fill-config", tmp_path / "filled.cfg", tmp_path / "again.cfg", "--diff"
    )


def test_debug_config_of_a_saved_pipeline(model: Path, posts_dir: Path) -> None:
    paths = {f"paths.{name}": str(posts_dir / "posts.spacy") for name in ("train", "dev")}
    config = load_config(model / "config.cfg")
    assert config["components"]["ner"]["factory"] == "token_classifier"
    assert "Config is valid" in invoke("debug", "config", model / "config.cfg", *options(paths))


def test_debug_diff_config(model: Path, tmp_path: Path) -> None:
    assert "factory" in invoke("debug", "diff-config", model / "config.cfg")


def test_a_key_of_two_is_heard_of_in_assemble(model: Path, tmp_path: Path) -> None:
    text = '[nlp]\nlang = "en"\npipeline = ["ner","two"]\n[components]\n'
    text += "".join(f'[components.{name}]\nsource = "{model}"\ncomponent = "ner"\n' for name in ("ner", "two"))
    (tmp_path / "two.cfg").write_text(text)
    invoke("assemble", tmp_path / "two.cfg", tmp_path / "two")
    nlp = spacy.load(tmp_path / "two")
    assert sorted(nlp(POST).spans) in (["entities"], ["entities", "two"]) and len(nlp.pipe_names) == 2


def test_package_with_settings_changed(model: Path, tmp_path: Path) -> None:
    nlp = spacy.load(model, config={"components.ner.model.tok2vec.precision": "fp32"})
    nlp.get_pipe("ner").threshold = 0.1
    nlp.to_disk(tmp_path / "model")
    invoke("package", tmp_path / "model", tmp_path, "--name", "posts", "--build", "none")
    (folder,) = tmp_path.glob("en_posts-*/en_posts/en_posts-*")
    again = spacy.load(folder)
    assert again.get_pipe("ner").threshold == again.config["components"]["ner"]["threshold"] == 0.1
    assert again.config["components"]["ner"]["model"]["tok2vec"]["precision"] == "fp32"
    same(annotate(again), annotate(nlp))


@pytest.mark.slow
def test_find_threshold_beginning_at_another(model: Path, posts_dir: Path, tmp_path: Path) -> None:
    """0.0 is a value like any, also where another was saved."""
    spacy.load(model, config={"components.ner.threshold": 0.9}).to_disk(tmp_path / "high")
    args = ("ner", "threshold", "ents_f", "--n_trials", 3)
    high, low = (invoke("find-threshold", m, posts_dir / "posts.spacy", *args) for m in (tmp_path / "high", model))
    rows = [[line for line in out.splitlines() if line[:1].isdigit()] for out in (high, low)]
    assert rows[0] == rows[1] and len(rows[0]) == 3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["own_data", "wnut17_shared"])
def test_train_from_the_command_line(posts_dir: Path, encoder_dir: Path, tmp_path: Path, name: str) -> None:
    overrides = short(name, posts_dir, encoder_dir, steps=20) | FAST
    printed = invoke("train", FOLDER / f"{name}.cfg", "--output", tmp_path / "out", *options(overrides))
    assert "Saved pipeline" in printed
    nlp = spacy.load(tmp_path / "out" / "model-best")
    assert nlp.get_pipe("ner").labels == tuple(LABELS)
    printed = invoke("benchmark", "speed", tmp_path / "out" / "model-best", posts_dir / "posts.spacy", "--batches", 30)
    assert "words/s" in printed


@pytest.mark.slow
def test_train_in_a_language_without_spaces(encoder_dir: Path, tmp_path: Path) -> None:
    """`--nlp.lang zh` and nothing else: texts are read in characters, in training and afterwards."""
    nlp = spacy.blank("zh")
    text = "安娜住在伦敦"
    doc = nlp(text)
    doc.set_ents([doc.char_span(4, 6, label="place")])
    DocBin(docs=[doc] * 8).to_disk(tmp_path / "posts.spacy")
    overrides = short("wnut17", tmp_path, encoder_dir, steps=30) | FAST | {"nlp.lang": "zh"}
    invoke("train", FOLDER / "wnut17.cfg", "--output", tmp_path / "out", *options(overrides))
    trained = spacy.load(tmp_path / "out" / "model-best")
    assert len(trained(text)) == 6 and type(trained.tokenizer).__name__ == "ChineseTokenizer"


@pytest.mark.slow
def test_frozen_and_annotating_in_a_config(
    as_trained: Callable[..., Path], posts_dir: Path, encoder_dir: Path, tmp_path: Path
) -> None:
    """A frozen, annotating component beside one that learns."""
    config = load_config(FOLDER / "wnut17.cfg")
    config["nlp"]["pipeline"] = ["ner", "two"]
    two = dict(config["components"]["ner"]) | {"spans_key": "auto"}
    two["scorer"] = dict(two["scorer"]) | {"score_prefix": "two_"}
    config["components"] = {"ner": {"source": str(as_trained())}, "two": two}
    config["initialize"]["components"] = {"two": config["initialize"]["components"]["ner"]}
    config.to_disk(tmp_path / "config.cfg")
    overrides = short("wnut17", posts_dir, encoder_dir, steps=6) | FAST
    overrides |= {"training.frozen_components": ["ner"], "training.annotating_components": ["ner"]}
    invoke("train", tmp_path / "config.cfg", "--output", tmp_path / "out", *options(overrides))
    nlp = spacy.load(tmp_path / "out" / "model-last")
    frozen, before = nlp(POST), spacy.load(as_trained())(POST)
    assert scores_of(frozen) == pytest.approx(scores_of(before)) and sorted(frozen.spans) == ["entities", "two"]


@pytest.mark.slow
def test_onnx_takes_settings_at_load(model: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    from spacy_tokclf.export.optimize import optimize

    optimize(model, tmp_path / "fast", precision="fp32")
    nlp = spacy.load(tmp_path / "fast", config={"components.ner.model.tok2vec.window": 80})
    assert nlp.config["components"]["ner"]["model"]["tok2vec"]["window"] == 80
    assert next(node for node in nlp.get_pipe("ner").model.walk() if node.name == "onnx_encoder").attrs["window"] == 80
    with pytest.raises(ValueError, match="TC033"):
        spacy.load(tmp_path / "fast", config={"components.ner.model.tok2vec.pooling": "mean"})
    same(annotate(nlp), annotate(spacy.load(model)))
    nlp.resume_training(sgd=lambda *args: args[1:])  # a copy is made of it, as of any
    shutil.rmtree(tmp_path / "fast")
    assert found(nlp(POST))
