"""`spacy tokclf distill`: a student learns what a teacher knows, also from texts without gold; a training that is
broken off goes on."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from distilling import CONFIG, POSTS, save_teacher, student_settings, write_gold
from pipeline_posts import LABELS
from spacy.util import load_config
from trainings import Broken, break_off, differences
from typer.testing import CliRunner

from spacy_tokclf.cli import app
from spacy_tokclf.distillation.prepare import Lesson, prepare_student
from spacy_tokclf.training.run import train_pipeline


def run(*args: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["distill", *(str(arg) for arg in args)])
    assert result.exit_code == code, result.output
    assert code == 0 or len(result.output.strip().splitlines()) < 12
    return " ".join(result.output.split())


def words(settings: dict[str, Any]) -> list[str]:
    return [part for key, value in settings.items() for part in (f"--{key}", json.dumps(value))]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory, encoder_dir: Path) -> str:
    """Folder of a pipeline that has not learned anything."""
    return save_teacher(tmp_path_factory.mktemp("teacher") / "saved", encoder_dir)


@pytest.fixture
def posts(tmp_path: Path) -> str:
    """The posts, a line each, without gold."""
    path = tmp_path / "posts.txt"
    path.write_text("".join(f"{text}\n" for text in POSTS), encoding="utf-8")
    return str(path)


@pytest.mark.slow
def test_a_student_finds_what_its_teacher_finds_in_texts_without_gold(
    posts: str, tmp_path: Path, encoder_dir: Path, make_encoder: Callable[..., Path]
) -> None:
    """The student has other word pieces (bytes, and cased) than the teacher, and no gold at all."""
    teacher = save_teacher(tmp_path / "teacher", encoder_dir, steps=40)
    settings = student_settings(write_gold(tmp_path), make_encoder("roberta"), steps=60, every=60)
    settings |= {"paths.train": None, "training.batcher.size": 16, "components.ner.model.tok2vec.casing": False}
    output = run(teacher, CONFIG, tmp_path / "out", "--texts", posts, "--temperature", 1.5, *words(settings))
    assert "0 of 0 gold texts, and 16 without gold." in output and "Best on dev" in output
    found: list[list[tuple[str, str]]] = []
    for folder in (teacher, tmp_path / "out" / "model-last"):
        nlp = spacy.load(folder)
        found.append([(ent.text, ent.label_) for doc in nlp.pipe(POSTS) for ent in doc.ents])
    assert len(found[0]) == 15 and found[1] == found[0]
    assert nlp.get_pipe("ner").labels == spacy.load(teacher).get_pipe("ner").labels  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_training_that_was_broken_off_goes_on(
    teacher: str, tmp_path: Path, encoder_dir_dropout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = student_settings(write_gold(tmp_path), encoder_dir_dropout) | {"training.dropout": 0.1}
    args = (teacher, CONFIG, tmp_path / "out", "--unseen", "--made", 1, *words(settings))
    with monkeypatch.context() as patch:
        break_off(patch, "take_step", 4)
        with pytest.raises(Broken):
            CliRunner().invoke(app, ["distill", *map(str, args)], catch_exceptions=False)
    assert "as kept from before" in run(*args, "--resume")
    lesson = Lesson(unseen=True, made=1)
    config = prepare_student([teacher], CONFIG, tmp_path / "whole", lesson, overrides=settings).config
    train_pipeline(config, tmp_path / "whole", silent=True)
    assert not differences(tmp_path / "out", tmp_path / "whole")
    assert "[TC355]" in run(*args, code=1)


def test_it_prepares_a_config_that_train_takes(
    teacher: str, posts: str, tmp_path: Path, encoder_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = student_settings(write_gold(tmp_path), encoder_dir)
    args = (teacher, CONFIG, tmp_path / "out", "--no-train", "--unseen", *words(settings))
    output = run(*args, "--gpu-id", -1, "--gold-share", 0.2)
    assert f"train {tmp_path / 'out' / 'student.cfg'} {tmp_path / 'out'}" in output
    assert "gold_share = 0.2" in (tmp_path / "out" / "student.cfg").read_text()
    assert not (tmp_path / "out" / "model-best").exists()
    assert "TC553" in run(*args, "--texts", posts, "--made", 1, code=1)
    assert "and 0 without gold, as kept from before." in run(*args)
    output = run(*args, "--texts", posts, "--made", 1, "--overwrite")
    assert "[TW551]" in output and "and 16 without gold." in output
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    assert "TC561" in run(*args, code=1)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["--temperature", "0"], "TC031"),
        (["--gold-share", "7"], "TC031"),
        (["--texts", "nowhere.txt"], "TC118"),
        (["--component", "other"], "TC255"),
        (["--training.unknown", "1"], "TC354"),
        ([], "TC556"),
    ],
)
def test_mistakes_have_a_code(teacher: str, tmp_path: Path, encoder_dir: Path, args: list[str], code: str) -> None:
    settings = student_settings(write_gold(tmp_path), encoder_dir)
    unseen = ["--unseen"] if args else []
    output = run(teacher, CONFIG, tmp_path / "out", *unseen, *args, *words(settings), code=1)
    assert f"[{code}]" in output and not (tmp_path / "out" / "student.cfg").exists()


@pytest.mark.slow
def test_teachers_that_were_trained_without_a_fold_teach_it(tmp_path: Path, encoder_dir: Path) -> None:
    """A config with the reader of folds is trained, and its pipelines say themselves what they have not seen."""
    settings = student_settings(write_gold(tmp_path), encoder_dir, steps=2, every=1)
    config = load_config(CONFIG, interpolate=False)
    block = dict(config["corpora"]["train"])
    augmenter = block.pop("augmenter")
    config["corpora"]["train"] = {"@readers": "spacy-tokclf.AllButFold.v1", "corpus": block, "fold": 0, "folds": 2}
    config["corpora"]["train"]["augmenter"] = augmenter
    config["initialize"]["components"]["ner"]["labels"] = LABELS
    config.to_disk(tmp_path / "folds.cfg", interpolate=False)
    models = []
    for fold in range(2):
        own = settings | {"corpora.train.fold": fold}
        models.append(train_pipeline(tmp_path / "folds.cfg", tmp_path / f"fold{fold}", overrides=own, silent=True))
    output = run(models[0], CONFIG, tmp_path / "out", "--also", models[1], "--no-train", *words(settings))
    taught = re.search(r"Taught: (\d+) of (\d+) gold", output)
    assert taught and taught[1] == taught[2] and "TW550" not in output
    output = run(models[0], CONFIG, tmp_path / "half", "--no-train", *words(settings))
    taught = re.search(r"Taught: (\d+) of (\d+) gold", output)
    assert taught and 0 < int(taught[1]) < int(taught[2]) and "TW550" in output
