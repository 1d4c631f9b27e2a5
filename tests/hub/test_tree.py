"""What is pushed, as a folder."""

import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
import torch
from packaging.utils import parse_wheel_filename
from pushed import REPO, files_of
from spacy.language import Language
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

import spacy_tokclf.hub.wheel as wheel_module
from spacy_tokclf.export import to_hf_entities
from spacy_tokclf.hub import write_tree
from spacy_tokclf.hub.wheel import build_wheel, requirements_of

TEXT = "Ada Lovelace lives in London."


def test_the_files(tree: Path) -> None:
    (wheel,) = tree.glob("*.whl")
    name, version, _, _ = parse_wheel_filename(wheel.name)  # refuses what pip refuses
    assert (str(name), str(version)) == ("en-tiny-ner", "1.2.0")
    checkpoint = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert set(files_of(tree)) == {*checkpoint, "README.md", "LICENSE", wheel.name}
    assert any(requirement.startswith("spacy-tokclf") for requirement in requirements_of(wheel))
    assert sorted(path.name for path in tree.parent.iterdir()) == ["pipeline", "tree"]


def test_the_wheel_holds_the_pipeline(
    tree: Path, pipeline_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (wheel,) = tree.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    found = spacy.load("en_tiny_ner")(TEXT)
    expected = spacy.load(pipeline_dir)(TEXT)
    assert found.to_json() == expected.to_json() and expected.ents


def test_transformers_open_the_checkpoint(tree: Path, pipeline_dir: Path) -> None:
    module, tokenizer = AutoModelForTokenClassification.from_pretrained(tree), AutoTokenizer.from_pretrained(tree)
    theirs = pipeline("ner", model=module, tokenizer=tokenizer)(TEXT)
    ours = to_hf_entities(TEXT, spacy.load(pipeline_dir))
    assert [(one["word"], one["entity"]) for one in theirs] == [(one["word"], one["entity"]) for one in ours] != []
    assert torch.allclose(torch.tensor([one["score"] for one in theirs]), torch.tensor([one["score"] for one in ours]))


def test_no_path_and_no_token_of_this_machine(tree: Path, pipeline_dir: Path) -> None:
    for name, data in files_of(tree).items():
        assert str(pipeline_dir.parent).encode() not in data and b"hf_" not in data, name


def test_a_pipeline_in_memory_under_another_name(nlp: Language, built: None, tmp_path: Path) -> None:
    assert write_tree(nlp, tmp_path / "deep" / "tree", REPO) == tmp_path / "deep" / "tree"
    assert json.loads((tmp_path / "deep" / "tree" / "config.json").read_text())["id2label"]["0"] == "O"
    (tmp_path / "empty").mkdir()
    write_tree(nlp, tmp_path / "empty", REPO)
    assert "LICENSE" not in files_of(tmp_path / "empty")


def test_name_and_version_are_passed_on(nlp: Language, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[list[str]] = []

    def refuse(arguments: list[str], pipeline: Path, folder: Path | None = None) -> None:
        asked.append(arguments)
        raise ValueError("[TC291] asked")

    monkeypatch.setattr(wheel_module, "_run", refuse)
    for settings in ({}, {"name": "en_news", "version": "2.0"}):
        with pytest.raises(ValueError, match="TC291"):
            write_tree(nlp, tmp_path / "tree", REPO, **settings)
    assert asked[0][-6:-2] == ["--name", "tiny_ner", "--version", "0.0.0"], "a name of nobody's: the repository's"
    assert asked[1][-6:-2] == ["--name", "en_news", "--version", "2.0"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{"name": "not a name"}, {"version": "one"}])
def test_a_wheel_that_cannot_be_built(pipeline_dir: Path, tmp_path: Path, settings: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="TC291") as error:
        build_wheel(pipeline_dir, tmp_path, **settings)
    assert next(iter(settings.values())) in str(error.value)


def test_a_tool_that_fails(pipeline_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(ValueError, match=r"TC291.*setuptools"):
        build_wheel(pipeline_dir, tmp_path)


def test_what_hugging_face_has_no_equivalent_of(make_nlp: Callable[..., Language], built: None, tmp_path: Path) -> None:
    nlp = make_nlp(config={"model": {"tok2vec": {"pooling": "mean"}}})
    with pytest.raises(ValueError, match=r"TC293.*TC257.*--wheel-only"):
        write_tree(nlp, tmp_path / "tree", REPO)
    assert list(tmp_path.iterdir()) == []
    write_tree(nlp, tmp_path / "tree", REPO, wheel_only=True)
    assert sorted(files_of(tmp_path / "tree")) == ["README.md", "en_tiny_ner-1.2.0-py3-none-any.whl"]


def test_one_of_several_components(make_nlp: Callable[..., Language], built: None, tmp_path: Path) -> None:
    nlp = make_nlp(labels=["one"])
    other = make_nlp(labels=["two"])
    other.rename_pipe("ner", "other")
    nlp.add_pipe("other", source=other)
    with pytest.raises(ValueError, match=r"TC293.*TC255"):
        write_tree(nlp, tmp_path / "tree", REPO)
    write_tree(nlp, tmp_path / "tree", REPO, component="other")
    assert "B-two" in (tmp_path / "tree" / "config.json").read_text()
    assert "`two`" in (tmp_path / "tree" / "README.md").read_text()


def test_what_cannot_be_written(pipeline_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    for folder in (tmp_path / "full", tmp_path / "full" / "mine"):
        with pytest.raises(ValueError, match="TC294"):
            write_tree(pipeline_dir, folder, REPO)
    with pytest.raises(ValueError, match=r"TC292.*no-such"):
        write_tree("no-such-pipeline", tmp_path / "tree", REPO)
    with pytest.raises(ValueError, match="TC287"):
        write_tree(pipeline_dir, tmp_path / "tree", "tiny-ner")
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
