"""Tokens, and credentials in HF_ENDPOINT, stay out of everything: files, pages, output, errors with tracebacks."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from fake_hub import BASIC, CREDENTIALS, WRITER, FakeHub
from hub_worker import HubUser
from pushed import REPO, files_of

from spacy_tokclf.runtime.blame import as_cause, short, without_credentials

WHEEL = "en_tiny_ner-1.2.0-py3-none-any.whl"
TEXTS = [f"Ada {verb} {name} in {place}." for verb in ("met", "saw") for name in "BCDE" for place in ("Rome", "Oslo")]


SECRETS = (WRITER, *CREDENTIALS, unquote(CREDENTIALS[1]), BASIC.split()[1])


class Place:
    """A user whose HF_ENDPOINT may have credentials, and everything that they leave behind."""

    def __init__(self, hub: FakeHub, home: Path, *, has_credentials: bool) -> None:
        self.hub, self.home, self.said = hub, home, ""
        self.errors = (home / "stderr").open("w")
        url = hub.url.replace("://", f"://{':'.join(CREDENTIALS)}@") if has_credentials else hub.url
        self.user = HubUser(url, home, stderr=self.errors)

    def __call__(self, *job: str, token: str | None = WRITER, **settings: Any) -> dict[str, Any]:
        """Do a job of hub_user."""
        done = self.user(*job, token=token, **settings)
        self.said += json.dumps(done, ensure_ascii=False)
        return done

    def leaks(self) -> list[str]:
        """Find secrets in what was said, written and pushed."""
        pushed = [(name, data) for repo in self.hub.repos.values() for name, data in repo.find("main").files.items()]
        written = [(str(path), path.read_bytes()) for path in sorted(self.home.rglob("*")) if path.is_file()]
        assert {"README.md", WHEEL} <= {name for name, _ in pushed} and len(written) > 10
        everything = [("said", self.said.encode()), *pushed, *written]
        everything += [(f"{name}: {inner}", data) for name, data in everything for inner, data in unpacked(data)]
        return [f"{name}: {secret}" for name, data in everything for secret in SECRETS if secret.encode() in data]


def unpacked(data: bytes) -> list[tuple[str, bytes]]:
    """The files in an archive."""
    if not data.startswith(b"PK\x03\x04"):
        return []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


@pytest.fixture(params=[False, True], ids=["token", "credentials"])
def place(hub: FakeHub, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    made = Place(hub, tmp_path, has_credentials=request.param)
    yield made
    made.user.close()


@pytest.mark.slow
def test_a_push_an_import_a_training_and_what_goes_wrong(
    place: Place, hub: FakeHub, pipeline_dir: Path, tree: Path, encoder_dir: Path, tmp_path: Path
) -> None:
    push = ("command", "push", str(pipeline_dir), "--repo", REPO)
    done = place(*push, wheel=str(tree / WHEEL))
    assert done["code"] == 0 and f"{hub.url}/{REPO}/commit/" in done["output"], done
    assert f"{hub.url}/{REPO}/resolve/main/{WHEEL}" in hub.repos[REPO].find("main").files["README.md"].decode()

    done = place("command", "import-hf", REPO, str(tmp_path / "imported"))
    assert done["code"] == 0 and (tmp_path / "imported" / "config.cfg").is_file()

    hub.add("ada/encoder", files_of(encoder_dir))
    spans = [{"text": text, "spans": [{"start": 0, "end": 3, "label": "PER"}]} for text in TEXTS]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(one) + "\n" for one in spans))
    data, out = str(tmp_path / "data.jsonl"), str(tmp_path / "trained")
    done = place("command", "train", data, out, "--encoder", "ada/encoder", "--epochs", "1")
    assert done["code"] == 0 and (tmp_path / "trained" / "model-best").is_dir(), done

    place.user.cache = tmp_path / "empty"
    codes = []
    for status in (401, 403, 404, 429, 500):
        hub.status = {"*": status}
        for job in (("load", REPO), ("upload", str(tree), REPO)):
            codes.append(place(*job).get("error", "")[1:6])
        codes.append(place(*push)["output"])
    hub.status = {}
    for token in (None, "hf_" + "x" * 34):
        codes += [place("load", "ada/none", token=token).get("error", "")[1:6], place(*push, token=token)["output"]]
    hub.cut = "GET *resolve*model.safetensors"
    codes.append(place("load", REPO).get("error", "")[1:6])
    hub.cut = ""
    codes.append(place("load", "ada/none", offline=True).get("error", "")[1:6])
    assert {"TC280", "TC282", "TC283", "TC284"} <= set(codes)
    place.errors.flush()
    assert place.leaks() == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:pass@hub.example/a?b=c", "https://hub.example/a?b=c"),
        ("no way to 'http://me@hub:80/x' or http://a:b%40@c", "no way to 'http://hub:80/x' or http://c"),
        ("mail me@host, see https://host/@me", "mail me@host, see https://host/@me"),
    ],
)
def test_addresses_without_credentials(text: str, shown: str) -> None:
    assert without_credentials(text) == shown
    assert "pass" not in short(OSError(text)) and short(OSError(shown)) == short(OSError(text))


def test_errors_that_tell_credentials_are_no_causes() -> None:
    inner, outer = OSError("cannot reach https://me:pass@hub"), ValueError("failed")
    assert as_cause(outer) is outer
    outer.__context__ = inner
    assert as_cause(outer) is None and as_cause(inner) is None
