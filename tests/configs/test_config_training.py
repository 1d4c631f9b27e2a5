"""Every config trains, whatever the encoder; what it saves opens, predicts, and knows nothing of this machine."""

from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
from config_runs import FAST, NAMES, Run, encoder_of, run, same, short, weights_of
from pipeline_posts import found, read_posts
from spacy.language import Language
from spacy.util import load_config

from spacy_tokclf import train_step
from spacy_tokclf.runtime import memory
from spacy_tokclf.training.optimizer import AdamW

#: Names of the layers that give token vectors.
SLOTS = ("transformer_encoder", "encoder_listener", "transformer-listener")
ENCODERS = [("distilbert", 32), ("distilbert", 48), ("xlm-roberta", 48)]


def predictions(nlp: Language) -> list[list[tuple[int, int, str]]]:
    """Give the entities of the posts, read as raw text."""
    return [found(doc) for doc in nlp.pipe(eg.reference.text for eg in read_posts(nlp))]


@pytest.mark.parametrize(("model_type", "width"), ENCODERS)
@pytest.mark.parametrize("name", NAMES)
def test_one_variable_changes_the_encoder(
    name: str, model_type: str, width: int, posts: Path, make_encoder: Callable[..., Path], tmp_path: Path
) -> None:
    overrides = short(name, posts, make_encoder(model_type, width=width), steps=4)
    finished = run(name, tmp_path, overrides)
    assert [row["#"] for row in finished.rows] == ["0", "2", "4"]
    losses = [float(row["LOSS NER"]) for row in finished.rows]
    assert losses[2] < losses[1]
    best = finished.best
    assert encoder_of(best).width == width and encoder_of(best).config["model_type"] == model_type
    slots = [node for node in best.get_pipe("ner").model.walk() if node.name in SLOTS]
    assert [node.get_dim("nO") for node in slots] == [width]
    last = spacy.load(tmp_path / "model-last")
    assert same(weights_of(last), weights_of(finished.nlp))
    assert predictions(last) == predictions(finished.nlp)
    assert len(predictions(best)) == len(read_posts(best))


@pytest.mark.parametrize("name", NAMES)
def test_learns_and_saves_what_it_learned(name: str, posts: Path, encoder_dir: Path, tmp_path: Path) -> None:
    finished = run(name, tmp_path, short(name, posts, encoder_dir) | FAST)
    best = finished.best
    scores = best.evaluate(read_posts(best))
    last = finished.rows[-1]
    assert scores["ents_f"] == 1.0 and float(last["ENTS_F"]) == 100.0 and float(last["SCORE"]) == 1.0
    assert all(found(doc.predicted) == found(doc.reference) for doc in evaluated(best))
    assert best.meta["performance"]["ents_f"] == 1.0
    assert best.meta["performance"]["ents_per_type"]["person"]["f"] == 1.0
    assert best.meta["labels"]["ner"] == ["creative-work", "location", "person", "product"]


def evaluated(nlp: Language) -> list:
    """Give the posts with predictions on gold tokens."""
    examples = read_posts(nlp)
    for eg in examples:
        eg.predicted = nlp(eg.predicted)
    return examples


def test_inline_and_shared_are_equal(posts: Path, make_encoder: Callable[..., Path], tmp_path: Path) -> None:
    encoder = make_encoder(dropout=0.1)
    overrides = {"training.batcher.size": 4, "training.optimizer.learn_rate.initial_rate": 0.001}
    runs = [
        run(name, tmp_path / name, short(name, posts, encoder) | overrides, whole=True)
        for name in ("wnut17", "wnut17_shared")
    ]
    inline, shared = (weights_of(finished.nlp) for finished in runs)
    renamed = {
        key if key.startswith("ner.output.") else key.replace("ner.", "transformer.", 1): value
        for key, value in inline.items()
    }
    assert same(renamed, shared)
    columns = ("LOSS NER", "ENTS_F", "SEQEVAL_AC...", "SCORE")
    assert [[row[name] for name in columns] for row in runs[0].rows] == [
        [row[name] for name in columns] for row in runs[1].rows
    ]


@pytest.fixture(scope="module")
def finished(posts: Path, encoder_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished training of the config for own data."""
    overrides = short("own_data", posts, encoder_dir, evaluations=4) | FAST
    return run("own_data", tmp_path_factory.mktemp("own_data"), overrides)


def test_log(finished: Run) -> None:
    assert finished.log.count("Saved pipeline to output directory") == 1
    names = ["E", "#", "LOSS NER", "ENTS_F", "ENTS_P", "ENTS_R", "SEQEVAL_AC...", "SCORE"]
    assert [list(row) for row in finished.rows] == [names] * 5
    assert [row["#"] for row in finished.rows] == ["0", "5", "10", "15", "20"]
    for row in finished.rows:
        values = {name: float(value) for name, value in row.items()}
        assert values["ENTS_F"] == pytest.approx(100 * values["SCORE"], abs=0.51)
        assert 0.0 <= values["SEQEVAL_AC..."] <= 100.0
    assert float(finished.rows[0]["SEQEVAL_AC..."]) < float(finished.rows[-1]["SEQEVAL_AC..."]) == 100.0


@pytest.mark.parametrize("name", NAMES)
def test_no_path_and_no_device_is_saved(name: str, posts: Path, encoder_dir: Path, tmp_path: Path) -> None:
    overrides = short(name, posts, encoder_dir, steps=2)
    run(name, tmp_path / "out", overrides)
    secrets = [str(posts), str(encoder_dir), str(tmp_path), str(Path.home()), "cuda", '"device"']
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(files) > 10
    leaks = [(path.name, secret) for path in files for secret in secrets if secret.encode() in path.read_bytes()]
    assert not leaks
    config = load_config(tmp_path / "out" / "model-best" / "config.cfg", interpolate=True)
    assert set(config["paths"].values()) == {None}


def test_training_sets_the_allocator_and_loading_does_not(
    posts: Path, encoder_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(memory, "tune_malloc", lambda: calls.append("training") or True)
    finished = run("own_data", tmp_path, short("own_data", posts, encoder_dir, steps=2))
    assert calls == ["training"]
    assert predictions(finished.best) and calls == ["training"]


def test_relative_paths_are_forgotten_and_names_kept(
    posts: Path, encoder_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "posts.conll").symlink_to(posts / "posts.conll")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "encoder").symlink_to(encoder_dir)
    monkeypatch.chdir(tmp_path)
    overrides = short("own_data", Path("."), "mine/encoder", steps=2) | {"paths.init_tok2vec": None}
    blocks = {"vars": {"team": "mine"}, "paths.url": "https://example.org/data"}
    run("own_data", Path("out"), overrides, blocks=blocks)
    config = load_config("out/model-best/config.cfg")
    assert config["paths"].pop("url") == "https://example.org/data"
    assert set(config["paths"].values()) == {None} and config["vars"] == {"team": "mine"}
    assert config["initialize"]["components"]["ner"]["encoder"]["name"] == "${paths.encoder}"


def test_a_saved_config_trains_again(finished: Run, posts: Path, encoder_dir: Path, tmp_path: Path) -> None:
    saved = finished.out / "model-best" / "config.cfg"
    overrides = {key: value for key, value in short("own_data", posts, encoder_dir).items() if "paths" in key}
    again = run(saved, tmp_path, overrides)
    assert again.rows == finished.rows
    assert same(weights_of(again.best), weights_of(finished.best))


def test_a_saved_pipeline_can_make_its_optimizer(finished: Run) -> None:
    # spaCy reads the optimizer's block alone then, with references that nothing resolves.
    nlp = finished.best
    optimizer = nlp.resume_training()
    assert isinstance(optimizer, AdamW)
    before = weights_of(nlp)
    rates = []
    for _ in range(3):
        rates.append(optimizer.learn_rate)
        train_step(nlp, read_posts(nlp), optimizer)
    assert rates == [0.003, 0.003, 0.003]
    assert not same(weights_of(nlp), before)


def test_a_component_that_needs_a_path_keeps_its_last_name(tmp_path: Path) -> None:
    @Language.factory("reads_a_folder", default_config={"folder": "unknown", "mode": "fast"})
    def make_it(nlp: Language, name: str, folder: str, mode: str) -> Callable:
        return lambda doc: doc

    forget = spacy.util.registry.callbacks.get("spacy-tokclf.forget_paths.v1")()
    (tmp_path / "names").mkdir()
    text = '[paths]\nnames = "{}"\nhub = "someone/names"\n[nlp]\nlang = "en"\npipeline = ["one", "two"]\n'
    text += '[components]\n[components.one]\nfactory = "reads_a_folder"\nfolder = ${{paths.names}}\n'
    text += '[components.two]\nfactory = "reads_a_folder"\nfolder = ${{paths.hub}}\n'
    config = spacy.util.load_config_from_str(text.format(tmp_path / "names"))
    nlp = spacy.util.load_model_from_config(config, auto_fill=True)
    nlp.config["training"]["logger"]["output_file"] = str(tmp_path / "names")
    forget(nlp).to_disk(tmp_path / "saved")
    saved = spacy.load(tmp_path / "saved").config.interpolate()
    assert saved["components"]["one"]["folder"] == "names"
    assert saved["components"]["two"]["folder"] == saved["paths"]["hub"] == "someone/names"
    assert saved["paths"]["names"] is None and str(tmp_path) not in saved.to_str()
