"""Who is asked about which text, what is kept of what was said, and the config of the student."""

import functools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from distilling import CONFIG, POSTS
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Corpus
from spacy.util import load_config

from spacy_tokclf.corpus.folds import fold_of, letters
from spacy_tokclf.corpus.soft_store import read_store, read_texts, text_hash
from spacy_tokclf.distillation import prepare, teachers
from spacy_tokclf.distillation.prepare import Lesson, Prepared, prepare_student
from spacy_tokclf.distillation.teachers import Teacher, ask_teachers, read_teacher
from spacy_tokclf.pipeline.loss import log_softmax
from spacy_tokclf.tags.chain import forward_backward

TeacherT = Callable[..., str]


def run(models: list[str], settings: dict[str, Any], out: Path, *, overwrite: bool = False, **lesson: Any) -> Prepared:
    return prepare_student(models, CONFIG, out, Lesson(**lesson), overrides=settings, overwrite=overwrite)


@functools.cache
def load(model: str) -> Any:
    return spacy.load(model)


def says(model: str, doc: Doc) -> Any:
    nlp = load(model)
    pipe = nlp.get_pipe("ner")
    return pipe, pipe.logits([Doc(nlp.vocab, words=[token.text for token in doc])])[0]


def ask(models: list[str], *docs: Doc) -> Any:
    known = [read_teacher(model) for model in models]
    return ask_teachers(known, {text_hash(doc): (doc, frozenset(range(len(models)))) for doc in docs})


def test_the_probabilities_of_teachers_are_averaged(teacher: TeacherT, blank: Language) -> None:
    doc = blank("Zorblax is in Quorn Falls")
    models = [teacher(seed=1), teacher(seed=2)]
    found = ask(models, doc).log_probs[text_hash(doc)]
    rows = [np.exp(log_softmax(np, says(model, doc)[1])) for model in models]
    np.testing.assert_allclose(np.exp(found), np.mean(rows, axis=0), rtol=1e-5)


def test_tags_in_another_order_are_averaged_by_name(teacher: TeacherT, blank: Language) -> None:
    doc = blank("Zorblax is in Quorn Falls")
    labels = ["product", "person", "location", "creative-work"]
    models = [teacher(seed=1), teacher(seed=2, labels=labels)]
    one, other = ask(models, doc), ask(models[::-1], doc)
    assert one.tags != other.tags and set(one.tags) == set(other.tags)
    columns = [other.tags.index(tag) for tag in one.tags]
    key = text_hash(doc)
    np.testing.assert_allclose(one.log_probs[key], other.log_probs[key][:, columns], rtol=1e-5)


def test_a_conditional_random_field_says_its_marginals(teacher: TeacherT, blank: Language) -> None:
    doc = blank("Zorblax is \n in Quorn Falls")
    model = teacher(crf=True, steps=5)
    pipe, logits = says(model, doc)
    seen = np.array([not token.is_space for token in doc])
    expected = forward_backward(logits[seen], np.array([seen.sum()]), pipe.transitions).tags
    found = ask([model], doc).log_probs[text_hash(doc)]
    np.testing.assert_allclose(np.exp(found[seen]), expected, rtol=1e-4)
    assert not found[~seen].any() and (~seen).sum() == 1
    assert np.abs(np.exp(found[seen]) - np.exp(log_softmax(np, logits[seen]))).max() > 1e-3


def test_only_teachers_that_have_not_seen_a_text_speak_of_it(
    teacher: TeacherT, student: dict[str, Any], lines: str, tmp_path: Path, blank: Language
) -> None:
    """Cross-fitting: with two folds, the teacher that left a text out; of texts without gold, both."""
    models = [teacher(seed=fold, fold=(fold, 2)) for fold in range(2)]
    found = run(models, student, tmp_path / "out", texts=[lines])
    assert found.taught == found.gold > len(POSTS) and found.others == len(POSTS)  # lower-cased copies, too
    store = read_store(tmp_path / "out" / "distilled")
    folds = set()
    for eg in Corpus(student["paths.train"])(blank):
        fold = fold_of(letters(eg.reference), 2)
        folds.add(fold)
        expected = log_softmax(np, says(models[fold], eg.x)[1])
        np.testing.assert_allclose(store.of(text_hash(eg.x)), expected, atol=0.01)
    assert folds == {0, 1}
    (first, *_) = read_texts(tmp_path / "out" / "distilled", blank.vocab)
    np.testing.assert_allclose(
        store.of(text_hash(first)), np.maximum(ask(models, first).log_probs[text_hash(first)], -6e4), atol=0.01
    )


def test_gold_that_all_teachers_have_seen_is_learned_from_gold_alone(
    teacher: TeacherT, student: dict[str, Any], lines: str, tmp_path: Path
) -> None:
    model = teacher()
    with pytest.raises(ValueError, match="TC556"):
        run([model], student, tmp_path / "out")
    with pytest.warns(UserWarning, match="TW550"):
        found = run([model], student, tmp_path / "out", texts=[lines], made=1)
    assert found.taught == 0 and len(POSTS) < found.others <= 2 * len(POSTS)
    assert run([model], student, tmp_path / "unseen", unseen=True).taught == found.gold


def test_texts_of_gold_or_development_data_are_not_taught_as_others(
    teacher: TeacherT, student: dict[str, Any], tmp_path: Path, blank: Language
) -> None:
    path = tmp_path / "some.jsonl"
    rows = [POSTS[0].upper(), f"so {POSTS[1]}", "", "this one is new", "this one is new"]
    path.write_text("".join(f'{{"text": "{text}"}}\n' for text in [*rows, "\\ud800 half"]), encoding="utf-8")
    with pytest.warns(UserWarning, match=r"TW551.* 4 of 6 .*1 are in the training data, 1 are in the dev"):
        found = run([teacher()], student, tmp_path / "out", texts=[str(path)], unseen=True)
    assert found.others == 1
    assert [doc.text for doc in read_texts(tmp_path / "out" / "distilled", blank.vocab)] == ["this one is new"]


def test_the_teacher_runs_once(
    teacher: TeacherT, student: dict[str, Any], lines: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [teacher(seed=fold, fold=(fold, 2)) for fold in range(2)]
    first = run(models, student, tmp_path / "out", texts=[lines], made=1)
    config = (tmp_path / "out" / "student.cfg").read_text()
    with monkeypatch.context() as patch:
        patch.setattr(prepare, "ask_teachers", lambda *args, **kwargs: pytest.fail("it ran again"))
        again = run(models[::-1], student, tmp_path / "out", texts=[lines], made=1)
        assert (tmp_path / "out" / "student.cfg").read_text() == config
        assert first.asked and not again.asked and again[:-1] == first[:-1]
        other = run(models, student, tmp_path / "out", texts=[lines], made=1, temperature=4.0, gold_share=0.1)
        block = load_config(other.config).interpolate()["corpora"]["train"]
        assert (block["temperature"], block["gold_share"]) == (4.0, 0.1)
    with pytest.raises(ValueError, match=r"TC553.*the texts changed"):
        run(models, student, tmp_path / "out", texts=[lines])
    with pytest.raises(ValueError, match=r"TC553.*the teachers and texts changed"):
        run([*models, teacher(seed=3)], student, tmp_path / "out", texts=[lines], made=1)
    assert run(models, student, tmp_path / "out", texts=[lines], overwrite=True).asked
    (tmp_path / "out" / "distilled" / "soft_targets.safetensors").write_bytes(b"")
    with pytest.raises(ValueError, match="TC403"):
        run(models, student, tmp_path / "out", texts=[lines])
    assert run(models, student, tmp_path / "out", texts=[lines], overwrite=True).asked


def test_the_student_gets_the_labels_of_its_teacher(
    teacher: TeacherT, student: dict[str, Any], lines: str, tmp_path: Path
) -> None:
    model = teacher(labels=["zebra", "product", "person", "location", "creative-work"])
    config = load_config(run([model], student, tmp_path / "out", unseen=True).config)
    assert config["initialize"]["components"]["ner"]["labels"]["tags"][:3] == ["O", "B-zebra", "I-zebra"]
    assert config["corpora"]["train"]["corpus"] == {
        "@readers": "spacy.Corpus.v1",
        "path": "${paths.train}",
        "gold_preproc": False,
        "max_length": 0,
        "limit": 0,
    }
    without = {**student, "paths.train": None}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = run([model], without, tmp_path / "texts", texts=[lines])
    assert (found.gold, found.others) == (0, len(POSTS))
    assert load_config(found.config)["corpora"]["train"]["corpus"] is None


def test_what_does_not_fit_is_refused(teacher: TeacherT, student: dict[str, Any], tmp_path: Path) -> None:
    model, out = teacher(), tmp_path / "out"

    def refused(code: str, models: list[str], settings: dict[str, Any] = student, **lesson: Any) -> None:
        with pytest.raises(ValueError, match=code):
            run(models, settings, out, **{"unseen": True, **lesson})

    spacy.blank("xx").to_disk(tmp_path / "blank")
    refused("TC255", [str(tmp_path / "blank")])
    refused("TC292", [str(tmp_path)])
    refused("TC292", [str(tmp_path / "nowhere")])
    refused("TC552.*creative-work", [teacher(labels=["person", "product", "location"])])
    refused("TC550", [model, teacher(labels=["person", "product", "location", "creative-work", "new"])])
    refused("TC557", [model], {**student, "components.ner.model.crf": True})
    for temperature in (0.0, -1.0, float("inf")):
        refused("TC031", [model], temperature=temperature)
    refused("TC031", [model], gold_share=2.0)
    refused("TC119", [model], made=-1)
    refused("TC556.*there are no texts", [model], {**student, "paths.train": None})
    refused("TC118", [model], texts=[str(tmp_path / "none.txt")])
    refused("TC394", [model], {**student, "training.train_corpus": "corpora.other"})
    assert not out.exists()
    config = run([model], student, out, unseen=True).config
    with pytest.raises(ValueError, match="TC560"):
        prepare_student([model], config, out, Lesson(unseen=True))


def test_a_teacher_says_which_fold_it_has_not_seen(teacher: TeacherT) -> None:
    found = read_teacher(teacher(fold=(3, 5)))
    texts = [f"text {number}" for number in range(50)]
    assert found.left_out == (3, 5)
    assert [found.has_not_seen(text) for text in texts] == [fold_of(text, 5) == 3 for text in texts]
    assert not any(Teacher("x", "", None).has_not_seen(text) for text in texts)
    assert teachers.read_teacher(found.model) == found
