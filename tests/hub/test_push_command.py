"""`spacy tokclf push` and `import-hf` as users run them, against the fake Hub."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from fake_hub import READER, WRITER, FakeHub
from hub_worker import HubUser
from pushed import REPO, files_of
from typer.testing import CliRunner

from spacy_tokclf.cli import app
from spacy_tokclf.hub import push

WHEEL = "en_tiny_ner-1.2.0-py3-none-any.whl"


@pytest.mark.parametrize("build", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_there_and_back(
    hub: FakeHub, user: HubUser, pipeline_dir: Path, tree: Path, tmp_path: Path, build: bool
) -> None:
    """Push a pipeline to a private repository, and make a pipeline of what is there."""
    copy = shutil.copytree(pipeline_dir, tmp_path / "pipeline")
    wheel = None if build else str(tree / WHEEL)
    args = ("push", str(copy), "--repo", REPO, "--private", "--message", "New")
    done = user("command", *args, token=WRITER, wheel=wheel)
    assert done["code"] == 0, done
    assert f"{hub.url}/{REPO}/commit/" in done["output"] and WRITER not in done["output"]
    repo = hub.repos[REPO]
    assert repo.private and [commit.message for commit in repo.branches["main"]] == ["first", "New"]
    pushed, dry = repo.find("main").files, files_of(tree)
    assert set(pushed) == {*dry, ".gitattributes"}
    built_anew = {WHEEL, "README.md"}  # dates in the one, the address of this Hub in the other
    assert all(pushed[name] == dry[name] for name in set(dry) - built_anew)
    assert pushed["README.md"].decode() == dry["README.md"].decode().replace(
        "https://huggingface.co/ada", f"{hub.url}/ada"
    )
    assert not any(WRITER.encode() in data for data in pushed.values())

    args = ("import-hf", REPO, str(tmp_path / "back"), "--revision", repo.find("main").sha)
    assert "[TC280]" in " ".join(user("command", *args)["output"].split())
    assert not (tmp_path / "back").exists()
    assert user("command", *args, token=READER)["code"] == 0
    text = "Ada Lovelace lives in London."
    one, two = (spacy.load(folder)(text) for folder in (pipeline_dir, tmp_path / "back"))
    assert [(e.text, e.label_) for e in one.ents] == [(e.text, e.label_) for e in two.ents] != []
    assert one.spans["entities"].attrs["scores"] == pytest.approx(two.spans["entities"].attrs["scores"])
    saved = "".join(path.read_text() for path in (tmp_path / "back").rglob("*") if path.suffix in (".cfg", ".json"))
    assert READER not in saved and str(user.cache) not in saved


def test_it_is_refused_before_any_work(hub: FakeHub, user: HubUser, pipeline_dir: Path) -> None:
    for args, token, code in (
        ((), None, "TC282"),
        (("--create-pr",), WRITER, "TC280"),
        (("--create-pr", "--revision", "v1"), WRITER, "TC288"),
    ):
        done = user("command", "push", "no-such-pipeline", "--repo", REPO, *args, token=token)
        assert done["code"] == 1 and f"[{code}]" in done["output"]
    done = user("command", "push", "no-such-pipeline", "--repo", REPO, token=WRITER)
    assert done["code"] == 1 and "[TC292]" in done["output"]
    assert hub.repos == {}


@pytest.mark.slow
def test_under_python_m_spacy_out_of_the_cache(hub: FakeHub, user: HubUser, tree: Path, tmp_path: Path) -> None:
    """Offline mode as users set it, in processes of their own."""
    hub.add(REPO, files_of(tree))
    command = [sys.executable, "-W", "ignore", "-m", "spacy", "tokclf", "import-hf", REPO]
    for name, settings, code in (("a", {"HF_HUB_OFFLINE": "1"}, 1), ("b", {}, 0), ("c", {"HF_HUB_OFFLINE": "1"}, 0)):
        hub.seen.clear()
        variables = {**user.variables, **settings}
        done = subprocess.run([*command, str(tmp_path / name)], env=variables, capture_output=True, text=True)
        assert done.returncode == code, done.stdout + done.stderr
        assert ("[TC284]" in done.stdout) == (code == 1)
        assert bool(hub.seen) == (settings == {})
    tags = [json.loads((tmp_path / name / "ner" / "cfg").read_text())["tags"] for name in "bc"]
    assert tags[0] == tags[1] != []


@pytest.mark.slow
def test_pip_installs_from_the_address_in_the_card(hub: FakeHub, tree: Path, tmp_path: Path) -> None:
    hub.add(REPO, files_of(tree))
    address = f"{hub.url}/{REPO}/resolve/main/{WHEEL}"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--target",
        str(tmp_path),
        address,
    ]
    subprocess.run(command, check=True)
    code = "import spacy; print(spacy.load('en_tiny_ner').meta['version'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1.2.0"


def test_a_dry_run_needs_no_network(pipeline_dir: Path, built: None, blocked_network: None, tmp_path: Path) -> None:
    args = ["push", str(pipeline_dir), "--repo", REPO, "--revision", "v2", "--dry-run", str(tmp_path / "tree")]
    done = CliRunner().invoke(app, args)
    assert done.exit_code == 0 and "nothing was sent" in " ".join(done.output.split())
    assert f"/resolve/v2/{WHEEL}" in (tmp_path / "tree" / "README.md").read_text()
    assert "[TC294]" in CliRunner().invoke(app, args).output


def test_examples_are_published_on_request_only(
    pipeline_dir: Path, built: None, blocked_network: None, tmp_path: Path
) -> None:
    (tmp_path / "dev.jsonl").write_text('{"text": "Ada sings in Oslo.", "spans": []}\n')
    (tmp_path / "empty.jsonl").write_text('{"text": " ", "spans": []}\n')
    args = ["push", str(pipeline_dir), "--repo", REPO, "--dry-run", str(tmp_path / "tree")]
    done = CliRunner().invoke(app, [*args, "--examples", str(tmp_path / "empty.jsonl")])
    assert done.exit_code == 1 and "[TC380]" in done.output and not (tmp_path / "tree").exists()
    assert CliRunner().invoke(app, [*args, "--examples", str(tmp_path / "dev.jsonl")]).exit_code == 0
    assert "doc = nlp('Ada sings in Oslo.')" in (tmp_path / "tree" / "README.md").read_text()


def test_offline_is_said(pipeline_dir: Path, blocked_network: None) -> None:
    with pytest.raises(OSError, match=r"TC290.*--dry-run"):
        push(pipeline_dir, REPO)
