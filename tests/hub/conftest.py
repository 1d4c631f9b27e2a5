"""The fake Hub, somebody who uses it, and a pipeline to push."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import spacy
from fake_hub import TOKENS, FakeHub
from hub_worker import HubUser
from pushed import REPO, SCORES
from spacy.language import Language

from spacy_tokclf.hub import write_tree


@pytest.fixture(scope="session")
def running_hub() -> Iterator[FakeHub]:
    """The servers."""
    with FakeHub() as hub:
        yield hub


@pytest.fixture
def hub(running_hub: FakeHub) -> Iterator[FakeHub]:
    """The fake Hub, empty. Afterwards: nothing was asked that it does not know, and the storage saw no token."""
    running_hub.reset()
    yield running_hub
    assert running_hub.unknown == []
    assert not [request.line for request in running_hub.seen_by_storage if request.holds_token(TOKENS)]


@pytest.fixture(scope="session")
def worker(running_hub: FakeHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubUser]:
    """The process."""
    if sys.platform == "win32":
        pytest.skip("no fork on Windows")
    user = HubUser(running_hub.url, tmp_path_factory.mktemp("home"))
    yield user
    user.close()


@pytest.fixture
def user(worker: HubUser, tmp_path: Path) -> HubUser:
    """Somebody with an empty cache."""
    worker.cache = tmp_path / "cache"
    return worker


@pytest.fixture
def trained(make_nlp: Callable[..., Language]) -> Language:
    """A pipeline that looks as if `spacy train` had made it."""
    nlp = make_nlp(labels=["location", "person"])
    nlp.meta.update({"performance": SCORES, "name": "tiny_ner", "version": "1.2.0", "license": "CC BY-SA 4.0"})
    return nlp


@pytest.fixture(scope="session")
def pipeline_dir(encoder_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved pipeline."""
    nlp = spacy.blank("en")
    nlp.add_pipe("token_classifier", name="ner")
    loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(encoder_dir)}
    nlp.config["initialize"]["components"]["ner"] = {"encoder": loader, "labels": ["location", "person"]}
    spacy.util.fix_random_seed(0)
    nlp.initialize()
    del nlp.config["initialize"]["components"]["ner"]["encoder"]
    nlp.meta.update({"performance": SCORES, "name": "tiny_ner", "version": "1.2.0"})
    folder = tmp_path_factory.mktemp("pushed") / "pipeline"
    nlp.to_disk(folder)
    (folder / "LICENSE").write_text("Do what you like.\n")
    return folder


@pytest.fixture(scope="session")
def tree(pipeline_dir: Path) -> Path:
    """What is pushed of it; made once, so nobody may change it."""
    return write_tree(pipeline_dir, pipeline_dir.parent / "tree", REPO)


@pytest.fixture
def built(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Save the time to build wheels: the one of `tree` is taken for all."""
    import spacy_tokclf.hub.tree as module

    def copy_wheel(pipeline: Path, out: Path, **settings: Any) -> Path:
        out.mkdir()
        (wheel,) = tree.glob("*.whl")
        (out / wheel.name).write_bytes(wheel.read_bytes())
        return out / wheel.name

    monkeypatch.setattr(sys.modules[module.__name__], "build_wheel", copy_wheel)
