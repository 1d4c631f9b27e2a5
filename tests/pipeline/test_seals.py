"""Parts of pipelines that were not saved together are refused, and what people do with folders is not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from pipeline_posts import add_ner, annotate, found, initialize, read_posts
from spacy.cli.package import package
from spacy.language import Language

from spacy_tokclf.pipeline.load import load_pipeline
from spacy_tokclf.runtime.manifest import write_manifest
from spacy_tokclf.runtime.saving import save_pipeline, updated_pipeline

SEALS = "spacy_tokclf"


def make(encoder: Path, *, shared: bool = False, two: bool = False, threshold: float = 0.0) -> Language:
    """Make a pipeline: with another threshold, another one in tokenizer, weights and vocabulary as well."""
    nlp = spacy.blank("en")
    if shared:
        nlp.add_pipe("transformer_encoder", name="transformer")
    names = ("ner", "other") if two else ("ner",)
    for name in names:
        add_ner(nlp, shared=shared, name=name, threshold=threshold, scorer={"score_prefix": name}, spans_key=name)
    spacy.util.fix_random_seed(int(threshold * 10))
    initialize(nlp, encoder, read_posts(nlp), owners=("transformer",) if shared else names)
    nlp.tokenizer.add_special_case(f"lo{threshold}", [{"ORTH": f"lo{threshold}"}])
    nlp.vocab.strings.add(f"a word of {threshold}")
    return nlp


@pytest.fixture
def old_and_new(encoder_dir: Path, tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """A function that saves two pipelines."""

    def save(**kind: bool) -> tuple[Path, Path]:
        for name, threshold in (("old", 0.0), ("new", 0.2)):
            make(encoder_dir, threshold=threshold, **kind).to_disk(tmp_path / name)
        return tmp_path / "old", tmp_path / "new"

    return save


def meta_of(folder: Path) -> dict[str, Any]:
    meta: dict[str, Any] = json.loads((folder / "meta.json").read_text())
    return meta


def replace(source: Path, target: Path) -> None:
    """Put a file or folder into the place of another."""
    if source.is_dir():
        shutil.rmtree(target)
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param({}, id="inline", marks=pytest.mark.slow),
        pytest.param({"shared": True}, id="shared"),
        pytest.param({"two": True}, id="two", marks=pytest.mark.slow),
    ],
)
def test_a_save_that_is_broken_off_between_two_parts(
    old_and_new: Callable[..., tuple[Path, Path]], kind: dict[str, bool], tmp_path: Path
) -> None:
    """As spaCy writes them; components put the seals into meta.json one after the other."""
    old, new = old_and_new(**kind)
    components = meta_of(new)["components"]
    plain = meta_of(new)
    seals = plain.pop(SEALS)
    assert list(seals) == components
    place = shutil.copytree(old, tmp_path / "place")
    parts = ["tokenizer", "meta.json", "config.cfg", *components, "vocab"]
    for part in parts:
        replace(new / part, place / part)
        if part == "meta.json":
            (place / part).write_text(json.dumps(plain))
        if part != "vocab":
            with pytest.raises(ValueError, match="TC404"):
                spacy.load(place)
        if part in components:
            meta = meta_of(place)
            meta[SEALS] = {**meta.get(SEALS, {}), part: seals[part]}
            (place / "meta.json").write_text(json.dumps(meta))
            with pytest.raises(ValueError, match="TC404"):
                spacy.load(place)
    assert spacy.load(place).get_pipe("ner").cfg["threshold"] == pytest.approx(0.2)


@pytest.mark.slow
def test_a_listener_with_the_encoder_of_another(old_and_new: Callable[..., tuple[Path, Path]]) -> None:
    old, new = old_and_new(shared=True)
    replace(new / "transformer", old / "transformer")
    meta = meta_of(old)
    meta[SEALS]["transformer"] = meta_of(new)[SEALS]["transformer"]
    (old / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(ValueError, match=r"TC404.*the vocab beside"):
        spacy.load(old)
    for part in ("tokenizer", "vocab"):
        replace(new / part, old / part)
    with pytest.raises(ValueError, match=r"TC404.*'ner'"):
        spacy.load(old)


@pytest.mark.slow
def test_a_saved_pipeline_goes_on(encoder_dir: Path, tmp_path: Path) -> None:
    """Loaded, renamed, changed, saved again in place, copied, and taken apart."""
    make(encoder_dir, two=True).to_disk(tmp_path / "model")
    nlp = spacy.load(tmp_path / "model")
    assert SEALS not in nlp.meta and set(meta_of(tmp_path / "model")[SEALS]) == {"ner", "other"}
    nlp.rename_pipe("other", "another")
    nlp.vocab.strings.add("something new")
    nlp.to_disk(tmp_path / "model")
    shutil.move(tmp_path / "model", tmp_path / "moved")
    again = spacy.load(shutil.copytree(tmp_path / "moved", tmp_path / "copied", copy_function=shutil.copyfile))
    assert again.component_names == ["ner", "another"]
    assert set(meta_of(tmp_path / "copied")[SEALS]) == {"ner", "another"}
    for part in ("exclude", "disable"):
        fewer = spacy.load(tmp_path / "copied", **{part: ["ner"]})
        fewer.to_disk(tmp_path / part)
        assert spacy.load(tmp_path / part).pipe_names == ["another"]
    alone = spacy.blank("en").add_pipe("token_classifier", name="ner")
    alone.from_disk(tmp_path / "copied" / "ner", exclude=["vocab"])
    alone.from_disk(tmp_path / "copied" / "ner")
    sourced = spacy.blank("en")
    sourced.add_pipe("ner", source=spacy.load(tmp_path / "copied"))
    sourced.to_disk(tmp_path / "sourced")
    assert spacy.load(tmp_path / "sourced").pipe_names == ["ner"]
    spacy.load(tmp_path / "copied").from_bytes(again.to_bytes()).to_disk(tmp_path / "from_bytes")
    assert [found(doc) for doc in annotate(spacy.load(tmp_path / "from_bytes"))] == [found(d) for d in annotate(again)]


def test_a_component_alone_is_replaced(encoder_dir: Path, tmp_path: Path) -> None:
    """In the folder of a pipeline, with all its parts or some, whether a command saved it or `nlp.to_disk`."""
    nlp = make(encoder_dir)
    save_pipeline(nlp, tmp_path / "by_command")
    nlp.to_disk(tmp_path / "by_spacy")
    nlp.vocab.strings.add("learned since")
    pipe = nlp.get_pipe("ner")
    for folder in (tmp_path / "by_command", tmp_path / "by_spacy"):
        for threshold, exclude in ((0.3, ["model", "encoder", "vocab"]), (0.4, ["encoder"]), (0.5, [])):
            pipe.cfg["threshold"] = threshold
            (folder / "ner" / "README.md").write_text("mine")
            pipe.to_disk(folder / "ner", exclude=exclude)
            assert spacy.load(folder).get_pipe("ner").cfg["threshold"] == pytest.approx(threshold)
            assert (folder / "ner" / "README.md").read_text() == "mine"


@pytest.mark.parametrize(
    "beside",
    [[1], {"vocab": 7}, {"vocab": ["strings.json"]}, {"/etc": {}}, {"vocab": {"../../x": "0"}}, {"ner": {"": 1}}],
)
def test_a_manifest_that_names_what_it_should_not(encoder_dir: Path, tmp_path: Path, beside: Any) -> None:
    pipe = spacy.blank("en").add_pipe("token_classifier", name="ner")
    pipe.to_disk(tmp_path / "ner")
    (tmp_path / "meta.json").write_text("{}")
    write_manifest(tmp_path / "ner", {"beside": beside})
    with pytest.raises(ValueError, match=r"TC401.*ner/manifest\.json"):
        pipe.from_disk(tmp_path / "ner", exclude=["vocab"])


@pytest.mark.parametrize("damage", ["{", '{"format": 9}'])
def test_a_manifest_that_is_damaged_goes_when_the_pipeline_is_saved_again(damage: str, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("token_classifier", name="ner", config={"threshold": 0.3})
    save_pipeline(nlp, tmp_path)
    (tmp_path / "manifest.json").write_text(damage)
    with pytest.raises(ValueError, match=r"TC40[12]"):
        spacy.load(tmp_path)
    nlp.to_disk(tmp_path)
    assert spacy.load(tmp_path).get_pipe("ner").cfg["threshold"] == pytest.approx(0.3)


def test_a_whole_pipeline(encoder_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What commands save is checked with its config; what is none of it stays when another one is saved there."""
    folder = tmp_path / "model"
    save_pipeline(make(encoder_dir), folder)
    (folder / "README.md").write_text("mine")
    for damage in ("[1]", "{", '{"components": [[]]}', "{}"):
        (folder / "meta.json").write_text(damage)
        save_pipeline(make(encoder_dir, threshold=0.2), folder)
    with updated_pipeline(folder) as made:
        assert (made / "ner" / "cfg").samefile(folder / "ner" / "cfg")
    assert (folder / "README.md").read_text() == "mine" and "README.md" not in (folder / "manifest.json").read_text()
    config = folder / "config.cfg"
    config.write_text(config.read_text().replace("threshold = 0.2", "threshold = 0.7"))
    with pytest.raises(ValueError, match="TC403") as caught:
        spacy.load(folder)
    assert str(config) in str(caught.value) and "delete" in str(caught.value)
    monkeypatch.setenv("SPACY_TOKCLF_CHECK_FILES", "0")
    assert spacy.load(folder).get_pipe("ner").cfg["threshold"] == pytest.approx(0.7)
    monkeypatch.delenv("SPACY_TOKCLF_CHECK_FILES")
    (folder / "manifest.json").unlink()
    nlp = spacy.load(folder)
    save_pipeline(nlp, folder)
    nlp.vocab.strings.add("something new")
    nlp.to_disk(folder)
    assert not (folder / "manifest.json").exists()
    assert spacy.load(folder).get_pipe("ner").cfg["threshold"] == pytest.approx(0.7)


def test_what_spacy_trips_over_is_said_with_the_file(encoder_dir: Path, tmp_path: Path) -> None:
    save_pipeline(make(encoder_dir), tmp_path / "model")
    (tmp_path / "model" / "tokenizer").write_bytes(b"\xc1")
    with pytest.raises(ValueError, match=r"TC403.*tokenizer"):
        load_pipeline(tmp_path / "model")


def test_each_file_is_read_once(encoder_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from spacy_tokclf.runtime import manifest

    save_pipeline(make(encoder_dir, shared=True, two=True), tmp_path / "model")
    read: list[str] = []
    hashed = manifest._read
    monkeypatch.setattr(manifest, "_read", lambda path: read.append(path.name) or hashed(path))
    nlp = spacy.load(tmp_path / "model")
    for name in ("model.safetensors", "config.cfg"):
        assert read.count(name) == 1
    nlp.from_disk(tmp_path / "model")
    assert read.count("config.cfg") == 2


@pytest.mark.parametrize("save", [save_pipeline, Language.to_disk])
def test_a_packaged_pipeline_loads(encoder_dir: Path, tmp_path: Path, save: Callable[[Language, Path], Any]) -> None:
    nlp = make(encoder_dir, threshold=0.2)
    save(nlp, tmp_path / "model")
    package(tmp_path / "model", tmp_path, name="sealed", version="1.0.0", create_sdist=False, create_wheel=False)
    folder = tmp_path / "en_sealed-1.0.0" / "en_sealed" / "en_sealed-1.0.0"
    assert [found(doc) for doc in annotate(spacy.load(folder))] == [found(doc) for doc in annotate(nlp)]


@pytest.mark.slow
def test_an_older_version_s_component_beside_one_of_this(old_and_new: Callable[..., tuple[Path, Path]]) -> None:
    """As it is left where the first save by this version is broken off after the first component."""
    old, new = old_and_new(two=True)
    for folder in (old, new):
        (folder / "other" / "manifest.json").unlink()
    assert spacy.load(new).pipe_names == ["ner", "other"]  # whoever deletes it, knows
    meta = meta_of(new)
    del meta[SEALS]["other"]
    (new / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(ValueError, match=r"TC404.*'other'"):
        spacy.load(new)
    (old / "ner" / "manifest.json").unlink()
    (old / "meta.json").write_text(json.dumps({key: value for key, value in meta_of(old).items() if key != SEALS}))
    assert spacy.load(old).pipe_names == ["ner", "other"]


def test_seals_that_are_none(encoder_dir: Path, tmp_path: Path) -> None:
    make(encoder_dir).to_disk(tmp_path / "new")
    for value in (7, None, [], {"ner": 7}):
        (tmp_path / "new" / "meta.json").write_text(json.dumps({**meta_of(tmp_path / "new"), SEALS: value}))
        with pytest.raises(ValueError, match="TC404"):
            spacy.load(tmp_path / "new")
