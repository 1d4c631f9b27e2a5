"""Folders to the fake Hub: one commit, or none."""

from pathlib import Path
from typing import Any

import pytest
from fake_hub import READER, WRITER, FakeHub
from hub_worker import HubUser
from pushed import REPO, files_of


def send(user: HubUser, tree: Path, repo: str = REPO, token: str | None = WRITER, **settings: Any) -> dict[str, Any]:
    return user("upload", str(tree), repo, token=token, **settings)


def test_a_new_repository_in_one_commit(hub: FakeHub, user: HubUser, tree: Path) -> None:
    found = send(user, tree, private=True, message="Erste Fassung")
    repo = hub.repos[REPO]
    assert repo.private
    made = repo.branches["main"]
    assert [commit.message for commit in made] == ["first", "Erste Fassung"]
    assert found == {"url": f"{hub.url}/{REPO}/commit/{made[-1].sha}"}
    assert made[-1].files == {".gitattributes": made[0].files[".gitattributes"], **files_of(tree)}
    assert {request.token for request in hub.seen} == {WRITER}


def test_again(hub: FakeHub, user: HubUser, tree: Path) -> None:
    """Other versions of the wheel and what else is there stay; nothing stays of an earlier checkpoint."""
    kept = {"en_tiny_ner-1.1.0-py3-none-any.whl": b"older", "notes.txt": b"mine", "model.md": b"mine"}
    sharded = {"model-00001-of-00002.safetensors": b"1", "model.safetensors.index.json": b"{}"}
    hub.add(REPO, {**kept, **sharded, "config.json": b"old"})
    send(user, tree)
    assert hub.repos[REPO].find("main").files == {**kept, **files_of(tree)}
    commits = len(hub.repos[REPO].branches["main"])
    assert send(user, tree)["url"].startswith(hub.url)
    assert hub.repos[REPO].find("main").files == {**kept, **files_of(tree)}
    assert len(hub.repos[REPO].branches["main"]) <= commits + 1
    assert len([request for request in hub.seen_by_storage if request.method == "PUT"]) == 2  # wheel and weights, once


def test_to_a_branch(hub: FakeHub, user: HubUser, tree: Path) -> None:
    hub.add(REPO, {"a": b"a"})
    for _ in range(2):
        send(user, tree, revision="v/2")
    repo = hub.repos[REPO]
    assert repo.find("main").files == {"a": b"a"}
    assert repo.find("v/2").files == {"a": b"a", **files_of(tree)}


def test_as_a_pull_request(hub: FakeHub, user: HubUser, tree: Path) -> None:
    hub.add(REPO, {"a": b"a"})
    assert send(user, tree, create_pr=True) == {"url": f"{hub.url}/{REPO}/discussions/1"}
    assert list(hub.repos[REPO].find("main").files) == ["a"]
    assert hub.repos[REPO].find("refs/pr/1").files == {"a": b"a", **files_of(tree)}
    assert "[TC280]" in send(user, tree, repo="ada/nothing", create_pr=True)["error"]
    assert "[TC288]" in send(user, tree, create_pr=True, revision="v2")["error"]


@pytest.mark.parametrize(
    ("token", "code"), [(None, "TC282"), ("hf_" + "x" * 34, "TC282"), (READER, "TC282")], ids=["none", "bad", "reader"]
)
@pytest.mark.parametrize("exists", [False, True])
def test_a_token_that_may_not(
    hub: FakeHub, user: HubUser, tree: Path, token: str | None, code: str, exists: bool
) -> None:
    if exists:
        hub.add(REPO, {"a": b"a"})
    found = send(user, tree, token=token)
    assert found["type"] == "OSError" and found["error"].startswith(f"[{code}]")
    assert "write to it" in found["error"] and str(token) not in found["error"]
    assert [len(repo.branches["main"]) for repo in hub.repos.values()] == [1] * exists
    assert hub.seen_by_storage == []


@pytest.mark.parametrize("where", ["PUT /file/*", "POST */commit/*", "POST */preupload/*", "POST */batch"])
def test_a_connection_that_breaks_off(hub: FakeHub, user: HubUser, tree: Path, where: str) -> None:
    hub.add(REPO, {"a": b"a"})
    hub.cut = where
    found = send(user, tree)["error"]
    assert found.startswith("[TC283]") and "whole or not at all" in found
    assert list(hub.repos[REPO].find("main").files) == ["a"] and len(hub.repos[REPO].branches["main"]) == 1
    hub.cut = ""
    send(user, tree)
    assert hub.repos[REPO].find("main").files == {"a": b"a", **files_of(tree)}


@pytest.mark.parametrize(("status", "code"), [(500, "TC283"), (429, "TC283"), (400, "TC286"), (403, "TC282")])
@pytest.mark.parametrize("where", ["POST */commit/main", "PUT /file/*"])
def test_a_hub_that_fails(hub: FakeHub, user: HubUser, tree: Path, status: int, code: str, where: str) -> None:
    hub.status[where] = status
    found = send(user, tree)["error"]
    assert found.startswith(f"[{code}]") and "signature" not in found
    assert len(hub.repos[REPO].branches["main"]) == 1  # made, and empty
    hub.status.clear()
    send(user, tree)
    assert files_of(tree).items() <= hub.repos[REPO].find("main").files.items()


def test_what_cannot_be_meant(hub: FakeHub, user: HubUser, tree: Path) -> None:
    hub.add(REPO, {"a": b"a"})
    assert "[TC289]" in send(user, tree, private=True)["error"]
    for name in ("tiny-ner", "ada/tiny/ner", "ada/ti ny", "ada/a--b", "https://huggingface.co/ada/tiny"):
        found = send(user, tree, repo=name)
        assert found["type"] == "ValueError" and found["error"].startswith("[TC287]")
    assert "[TC290]" in send(user, tree, offline=True)["error"]
    assert len(hub.repos[REPO].branches["main"]) == 1
    hub.repos[REPO].private = True
    assert "url" in send(user, tree, private=True)


def test_a_folder_without_checkpoint_takes_an_earlier_one_away(
    hub: FakeHub, user: HubUser, tree: Path, tmp_path: Path
) -> None:
    send(user, tree)
    (wheel,) = tree.glob("*.whl")
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / wheel.name).write_bytes(wheel.read_bytes())
    send(user, tmp_path / "alone")
    assert sorted(hub.repos[REPO].find("main").files) == sorted([".gitattributes", "LICENSE", "README.md", wheel.name])
