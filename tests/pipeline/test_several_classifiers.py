"""Several token classifiers in one pipeline: labels, gold, entities and scores of their own."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from config_runs import FAST, Run, run, same, short, weights_of
from pipeline_posts import ENCODER, HEAD, LISTENER, found, read_posts, scores_of
from spacy.language import Language
from spacy.tokens import DocBin, Span
from spacy.training import Corpus

from spacy_tokclf import entity_score, train_step
from spacy_tokclf.training.optimizer import make_adamw_v1

POST = "just met Zorblax in Quorn Falls lol"
OURS = ["location", "person"]
#: Words that are skills of a second component; some lie inside entities of the first.
SKILLS = {"Falls": "nature", "playing": "art", "met": "social", "Okafor": "social", "rain": "nature"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a DocBin: places and people in `doc.ents`, skills in a span group."""
    folder = tmp_path_factory.mktemp("skills")
    docs = [eg.reference for eg in read_posts(spacy.blank("en"))]
    for doc in docs:
        doc.ents = [ent for ent in doc.ents if ent.label_ in OURS]
        doc.spans["skills"] = [Span(doc, t.i, t.i + 1, SKILLS[t.text]) for t in doc if t.text in SKILLS]
    DocBin(docs=docs).to_disk(folder / "posts.spacy")
    return folder


def blocks(shared: bool, *, ner_in_group: bool = False) -> dict[str, Any]:
    """Give the parts of a config that add a second token classifier."""
    tok2vec = {"@architectures": LISTENER} if shared else {"@architectures": ENCODER}
    skills = {
        "factory": "token_classifier",
        "annotate_ents": False,
        "spans_key": "skills",
        "model": {"@architectures": HEAD, "tok2vec": tok2vec},
        "scorer": {"@scorers": "spacy-tokclf.seqeval_scorer.v1", "score_prefix": "skills_"},
    }
    weights = {"ents_f": 0.5, "skills_ents_f": 0.5, "skills_ents_per_type": None}
    loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": "${paths.encoder}"}
    made = {"components.skills": skills, "training.score_weights": weights}
    if shared:
        return made | {"nlp.pipeline": ["transformer", "ner", "skills"]}
    return made | {"nlp.pipeline": ["ner", "skills"], "initialize.components.skills": {"encoder": loader}}


@pytest.fixture(scope="module", params=["wnut17", "wnut17_shared"])
def trained(request: pytest.FixtureRequest, data: Path, encoder_dir: Path, tmp_path_factory: Any) -> Run:
    """Both components trained by `spacy train`, each with an encoder of its own, or on a shared one."""
    shared = request.param == "wnut17_shared"
    overrides = short(request.param, data, encoder_dir, steps=30) | FAST
    return run(request.param, tmp_path_factory.mktemp("trained"), overrides, blocks=blocks(shared))


def best_scores(finished: Run) -> tuple[float, float]:
    performance = finished.best.meta["performance"]
    return performance["ents_f"], performance["skills_ents_f"]


def test_training_both(trained: Run, data: Path) -> None:
    nlp = trained.best
    assert nlp.get_pipe("ner").labels == tuple(OURS)
    assert nlp.get_pipe("skills").labels == ("art", "nature", "social")
    assert best_scores(trained) == (1.0, 1.0)
    doc = nlp(POST)
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("Zorblax", "person"), ("Quorn Falls", "location")]
    assert [(span.text, span.label_) for span in doc.spans["skills"]] == [("met", "social"), ("Falls", "nature")]
    assert [entity_score(ent) for ent in doc.ents] == scores_of(doc)
    assert [entity_score(span, "skills") for span in doc.spans["skills"]] == scores_of(doc, "skills")
    assert entity_score(doc.spans["skills"][0]) is None
    assert set(nlp.meta["performance"]["skills_ents_per_type"]) == {"art", "nature", "social"}


def test_each_is_scored_on_its_own(trained: Run, data: Path) -> None:
    nlp = trained.best
    examples = list(Corpus(data / "posts.spacy")(nlp))
    both = nlp.evaluate(examples)
    assert both["ents_f"] == both["skills_ents_f"] == both["seqeval_f1"] == both["skills_seqeval_f1"] == 1.0
    for name, kept in (("ner", "skills_"), ("skills", "")):
        layer = nlp.get_pipe(name).model.get_ref("output_layer")
        weights = layer.get_param("W").copy()
        layer.set_param("W", weights * 0.0)
        scores = nlp.evaluate(examples)
        layer.set_param("W", weights)
        lost = "" if kept else "skills_"
        assert scores[f"{kept}ents_f"] == scores[f"{kept}seqeval_f1"] == 1.0
        assert scores[f"{lost}ents_f"] == scores[f"{lost}seqeval_f1"] == 0.0
        assert scores[f"{kept}ents_per_type"] == both[f"{kept}ents_per_type"]


def test_stored_and_opened(trained: Run, tmp_path: Path) -> None:
    nlp = trained.nlp
    nlp.to_disk(tmp_path / "both")
    doc, again = nlp(POST), spacy.load(tmp_path / "both")(POST)
    assert found(again) == found(doc)
    assert scores_of(again, "skills") == scores_of(doc, "skills") != []


def copied(trained: Run) -> Language:
    return spacy.load(trained.out / "model-last")


def parts(nlp: Language, name: str) -> dict[str, np.ndarray]:
    """Give a copy of the weights of one component."""
    return {key: value for key, value in weights_of(nlp).items() if key.startswith(f"{name}.")}


@pytest.mark.parametrize("frozen", ["ner", "skills"])
def test_a_frozen_one_stays_as_it_is_while_the_other_learns(trained: Run, data: Path, frozen: str) -> None:
    nlp = copied(trained)
    other = {"ner": "skills", "skills": "ner"}[frozen]
    before = {name: parts(nlp, name) for name in nlp.pipe_names}
    examples = list(Corpus(data / "posts.spacy")(nlp))
    optimizer = make_adamw_v1(1e-3)
    for _ in range(2):
        nlp.update(examples, drop=0.0, sgd=False, exclude=[frozen])
        for name in nlp.pipe_names:
            if name != frozen:
                nlp.get_pipe(name).finish_update(optimizer)
    assert same(parts(nlp, frozen), before[frozen])
    assert not same(parts(nlp, other), before[other])
    if "transformer" in before:  # also if the frozen component is the encoder's last listener
        assert not same(parts(nlp, "transformer"), before["transformer"])


def test_a_frozen_one_in_a_config(trained: Run, data: Path, encoder_dir: Path, tmp_path: Path) -> None:
    """A second component is trained beside a finished one that is `source`d and frozen."""
    trained.nlp.to_disk(tmp_path / "source")
    shared = "transformer" in trained.nlp.pipe_names
    name = "wnut17_shared" if shared else "wnut17"
    new = blocks(shared) | {"components.ner": {"source": str(tmp_path / "source")}}
    overrides = short(name, data, encoder_dir, steps=4) | FAST | {"training.frozen_components": ["ner"]}
    if shared:
        new["components.transformer"] = {"source": str(tmp_path / "source")}
        new["initialize.components"] = {}
        overrides["training.frozen_components"] = ["transformer", "ner"]
        overrides["training.annotating_components"] = ["transformer"]
    else:
        new["initialize.components.ner"] = {}
    finished = run(name, tmp_path / "out", overrides, blocks=new)
    for frozen in overrides["training.frozen_components"]:
        assert same(parts(finished.nlp, frozen), parts(trained.nlp, frozen))
    assert found(finished.best(POST)) == found(trained.nlp(POST)) != []


def test_gold_in_groups_alone(data: Path, encoder_dir: Path, tmp_path: Path) -> None:
    """Both components keep to their groups, and no text has `doc.ents`."""
    vocab = spacy.blank("en").vocab
    docs = list(DocBin().from_disk(data / "posts.spacy").get_docs(vocab))
    for doc in docs:
        doc.spans["entities"] = list(doc.ents)
        doc.set_ents([], default="missing")
    DocBin(docs=docs).to_disk(tmp_path / "posts.spacy")
    overrides = short("wnut17_shared", tmp_path, encoder_dir, steps=30) | FAST
    finished = run("wnut17_shared", tmp_path / "out", overrides, blocks=blocks(True))
    assert best_scores(finished) == (1.0, 1.0)


def test_learning_together_is_learning_alone(data: Path, encoder_dir: Path, trained: Run) -> None:
    """With an encoder each, neither component notices the other."""
    if "transformer" in trained.nlp.pipe_names:
        pytest.skip("a shared encoder learns from both")
    weights = []
    for others in ([], ["ner"], ["skills"]):
        nlp = copied(trained)
        with nlp.select_pipes(disable=others):
            optimizer = make_adamw_v1(1e-3)
            for _ in range(2):
                train_step(nlp, list(Corpus(data / "posts.spacy")(nlp)), optimizer, drop=0.0)
        weights.append({name: parts(nlp, name) for name in ("ner", "skills")})
    together, skills, ner = weights
    assert same(together["ner"], ner["ner"]) and not same(ner["ner"], skills["ner"])
    assert same(together["skills"], skills["skills"]) and not same(ner["skills"], skills["skills"])
