"""Encoders by name: from the fake Hub, over connections that fail, and out of the cache."""

from pathlib import Path
from typing import Any

import pytest
import torch
from fake_hub import READER, FakeHub
from hub_worker import HubUser
from pushed import files_of
from safetensors.torch import load_file

from spacy_tokclf.models.hf.pretrained import PretrainedEncoder

NAME = "ada/tiny"


@pytest.fixture
def files(encoder_dir: Path) -> dict[str, bytes]:
    """A model's repository: the encoder among what has nothing to do with it."""
    return {
        **files_of(encoder_dir),
        "README.md": b"---\nlicense: mit\n---\n",
        "tf_model.h5": b"not for us",
        "en_tiny-1.0-py3-none-any.whl": b"nor this",
        "onnx/config.json": b"{}",
    }


@pytest.fixture
def expected(encoder_dir: Path) -> dict[str, Any]:
    """What loading the folder gives."""
    made = PretrainedEncoder(str(encoder_dir))()
    total = sum(float(value.double().sum()) for value in made.module.state_dict().values())
    return {"sum": total, "tokenizer": made.tokenizer_config, "tags": None}


def fetched(hub: FakeHub) -> list[str]:
    """Name the files whose content went over the wire."""
    return sorted(request.path.split("/")[-1] for request in hub.seen if request.line.startswith("GET /ada/tiny/res"))


def test_by_name(hub: FakeHub, user: HubUser, files: dict[str, bytes], expected: dict[str, Any]) -> None:
    hub.add(NAME, files)
    assert user("load", NAME) == expected
    needed = ["config.json", "tokenizer.json", "tokenizer_config.json"]
    assert [name for name in fetched(hub) if "safetensors" not in name] == needed
    assert len([r for r in hub.seen_by_storage if r.method == "GET"]) == 1
    hub.seen.clear(), hub.seen_by_storage.clear()
    assert user("load", NAME) == expected
    assert fetched(hub) == [] == hub.seen_by_storage  # out of the cache
    assert {request.token for request in hub.seen} == {None}


def test_by_branch_and_by_commit(hub: FakeHub, user: HubUser, files: dict[str, bytes], make_encoder: Any) -> None:
    other = make_encoder(seed=1)
    repo = hub.add(NAME, files)
    second = repo.commit("second", files_of(other), "v/2")
    first, found = user("load", NAME), user("load", NAME, revision="v/2")
    assert first["sum"] != found["sum"]
    assert found == user("load", NAME, revision=second.sha)
    total = sum(float(v.double().sum()) for v in load_file(other / "model.safetensors").values())
    assert found["sum"] == pytest.approx(total)
    repo.commit("third", files_of(other))
    assert user("load", NAME) == found  # main has moved


@pytest.mark.parametrize("both", [False, True])
def test_pickled_weights(
    hub: FakeHub, user: HubUser, files: dict[str, bytes], expected: dict[str, Any], tmp_path: Path, both: bool
) -> None:
    """They are fetched where there are no others."""
    (tmp_path / "safe").write_bytes(files["model.safetensors"])
    torch.save(load_file(tmp_path / "safe"), tmp_path / "pickled")
    if not both:
        del files["model.safetensors"]
    hub.add(NAME, {**files, "pytorch_model.bin": (tmp_path / "pickled").read_bytes()})
    assert user("load", NAME) == expected
    assert any("pytorch_model.bin" in request.path for request in hub.seen) != both


def test_private_with_a_token(hub: FakeHub, user: HubUser, files: dict[str, bytes], expected: dict[str, Any]) -> None:
    hub.add(NAME, files, private=True)
    assert user("load", NAME, token=READER) == expected
    assert {request.token for request in hub.seen} == {READER}
    assert all(request.holds_token([READER]) for request in hub.seen)
    assert hub.seen_by_storage and not any(request.holds_token([READER]) for request in hub.seen_by_storage)


@pytest.mark.parametrize(
    ("token", "status", "code", "said"),
    [
        (None, {}, "TC280", "somebody without a token"),
        ("hf_" + "x" * 34, {}, "TC282", "Invalid credentials"),
        (READER, {"GET /api/models/*": 403}, "TC282", "403"),
        (READER, {"GET /api/models/*": 503}, "TC283", "503"),
        (READER, {"GET /ada/*": 403, "HEAD /ada/*": 403}, "TC282", "403"),
    ],
)
def test_refused(
    hub: FakeHub,
    user: HubUser,
    files: dict[str, bytes],
    expected: dict[str, Any],
    token: str | None,
    status: dict[str, int],
    code: str,
    said: str,
) -> None:
    hub.add(NAME, files, private=True)
    hub.status.update(status)
    found = user("load", NAME, token=token)
    assert found["type"] == "OSError" and found["error"].startswith(f"[{code}]")
    assert said in found["error"] and NAME in found["error"] and str(token) not in found["error"]
    hub.status.clear()
    assert user("load", NAME, token=READER) == expected


def test_what_is_not_there(hub: FakeHub, user: HubUser, files: dict[str, bytes]) -> None:
    hub.add(NAME, files)
    assert "[TC280]" in user("load", "ada/nothing")["error"]
    assert "the token in use" in user("load", "ada/nothing", token=READER)["error"]
    found = user("load", NAME, revision="v9")["error"]
    assert found.startswith("[TC281]") and "'v9'" in found
    assert "[TC010]" in user("load", "./no/such/folder")["error"]
    del files["config.json"]
    hub.add("ada/data", files)
    found = user("load", "ada/data")["error"]
    assert found.startswith("[TC010]") and "config.json" in found


@pytest.mark.parametrize("cut", ["GET /file/*", "GET */tokenizer_config.json", "GET */tokenizer.json"])
def test_a_connection_that_breaks_off(
    hub: FakeHub, user: HubUser, files: dict[str, bytes], expected: dict[str, Any], cut: str
) -> None:
    hub.add(NAME, files)
    hub.cut = cut
    found = user("load", NAME)["error"]
    assert found.startswith("[TC283]") and hub.url in found
    hub.cut = ""
    offline = user("load", NAME, offline=True)["error"]  # half a model is none
    assert offline.startswith("[TC284]") and str(user.cache) in offline
    assert user("load", NAME) == expected
    assert user("load", NAME, offline=True) == expected


def test_nobody_answers(hub: FakeHub, user: HubUser, files: dict[str, bytes], expected: dict[str, Any]) -> None:
    hub.add(NAME, files)
    assert user("load", NAME, unplugged=True)["error"].startswith("[TC283]")
    hub.cut = "*"
    assert user("load", NAME)["error"].startswith("[TC283]")
    hub.cut = ""
    assert user("load", NAME) == expected


def test_a_full_disk(hub: FakeHub, user: HubUser, files: dict[str, bytes], expected: dict[str, Any]) -> None:
    hub.add(NAME, files)
    found = user("load", NAME, disk_full=True)["error"]
    assert found.startswith("[TC285]") and "No space left" in found and str(user.cache) in found
    assert "[TC284]" in user("load", NAME, offline=True)["error"]
    assert user("load", NAME) == expected


def test_offline(hub: FakeHub, user: HubUser, files: dict[str, bytes], expected: dict[str, Any]) -> None:
    repo = hub.add(NAME, files)
    assert "[TC284]" in user("load", NAME, offline=True)["error"]
    assert user("load", NAME) == expected
    hub.seen.clear()
    assert user("load", NAME, offline=True) == expected
    assert user("load", NAME, offline=True, revision=repo.find("main").sha) == expected
    assert "[TC284]" in user("load", NAME, offline=True, revision="v9")["error"]
    assert user("load", NAME, unplugged=True) == expected  # the same when nobody said that there is no network
    assert hub.seen == []
