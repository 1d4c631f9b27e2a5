"""The whole project in a copy of the repository, with a tiny encoder and a few steps of training."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from tiny_encoders import write_encoder

STEPS = ["code", "encoder", "data", "convert", "train", "evaluate", "package", "install", "report"]
PAGES = ["report_dev.html", "report_test.html"]
SCORES = ["dev.json", "raw_text.json", *PAGES, "run.json", "test.json"]
LEDGER = "test_ledger.jsonl"


@pytest.fixture
def project(tmp_path, root):
    """A copy of the repository with an encoder, whose own code is what runs."""
    folder = tmp_path / "main"
    made = (".venv*", ".git", "__pycache__", "*.egg-info", "assets", "corpus", "training", "metrics", "packages",
            "installed", "dist", "build", "project.lock", ".*_cache", ".hypothesis")  # fmt: skip
    shutil.copytree(root, folder, ignore=lambda path, names: _made(root, path, names, made))
    write_encoder(folder.parent / "encoder")
    return folder


def _made(root, path, names, made):
    """Leave out what the project makes: such names at the root, caches everywhere."""
    at_root = path == str(root)
    ignored = shutil.ignore_patterns(*(made if at_root else ("__pycache__",)))
    return ignored(path, names)


def run(project, workflow="all", *, wnut17=""):
    """Run a workflow, with nothing to be downloaded; return the steps that ran and the steps that were skipped."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "WNUT17_"))}
    variables |= {"https_proxy": "http://127.0.0.1:9", "PYTHONPATH": str(project), "WNUT17_DIR": wnut17}
    command = [sys.executable, "-m", "spacy", "project", "run", workflow, "."]
    command += ["--vars.max_steps", "4", "--vars.encoder", "../encoder"]
    done = subprocess.run(command, cwd=project, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    skipped = [line.split("'")[1] for line in lines if "Skipping '" in line]
    ran = [line for line in lines if line.startswith("Running command")]
    return ran, skipped


def only_the_code(project, workflow="all", *, wnut17=""):
    """Run a workflow again: tell whether it recorded which code this is and skipped every other step."""
    ran, skipped = run(project, workflow, wnut17=wnut17)
    return skipped and "code" not in skipped and all("stamp_code.py" in line for line in ran) and len(ran) == 3


def scores(folder):
    """List the files of scores; the ledger is none, since it stays when the data changes."""
    files = [path.name for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    return sorted(name for name in files if name != LEDGER)


def ledger_lines(folder):
    """List which data each line of a folder's ledger is about."""
    ledger = folder / LEDGER
    return [json.loads(line)["data"] for line in ledger.read_text().splitlines()] if ledger.is_file() else []


@pytest.mark.slow
def test_the_project_from_the_data_to_an_installed_pipeline(project):
    ran, skipped = run(project)
    assert len(ran) == len(STEPS) + 2 and not skipped, "one command each, three for the stamps of the code"
    metrics = project / "metrics"
    assert scores(metrics / "sample") == SCORES and scores(metrics) == []
    assert ledger_lines(metrics / "sample") == ["sample"] * 2 and ledger_lines(metrics) == []
    pages = [(metrics / "sample" / name).read_text() for name in PAGES]
    assert all("<title>training/model-best on " in page and '<section id="training">' in page for page in pages)
    tuned = ["Tuned on these data" in page for page in pages]
    assert tuned == [True, False] and "Seen in train.spacy or not" in pages[1]
    written = json.loads((metrics / "sample" / "run.json").read_text())
    assert written["data"] == "sample" and written["encoder"]["sha256"] and written["training"]["seconds"] > 0
    assert written["compute"]["device"] == "cpu" and written["compute"] == written["training"]["compute"]
    saved = [path for path in (project / "training" / "model-best").rglob("*") if path.is_file()]
    assert saved and not [path for path in saved if b"cpu_vendor" in path.read_bytes()]
    installed = json.loads((project / "installed" / "ner.json").read_text())
    assert installed["package"] == "en_sample_ner" and installed["entities"] > 0

    assert only_the_code(project)

    (metrics / "sample" / "dev.json").unlink()
    ran, skipped = run(project)
    assert len(ran) == 4 and set(STEPS) - set(skipped) == {"code", "evaluate"}

    folder = os.environ.get("WNUT17_DIR", "")
    if not folder:
        return
    ran, skipped = run(project, wnut17=os.path.abspath(folder))
    assert skipped == ["encoder"]
    assert scores(metrics) == SCORES and scores(metrics / "sample") == []
    # Once for the scores and once for the page; the sample was scored again, since dev.json had been removed.
    assert ledger_lines(metrics) == ["wnut17"] * 2 and ledger_lines(metrics / "sample") == ["sample"] * 3
    assert json.loads((metrics / "run.json").read_text())["data"] == "wnut17"
    assert len(list(project.glob("packages/**/en_wnut17_ner-*.whl"))) == 1
    assert only_the_code(project, wnut17=os.path.abspath(folder))


@pytest.mark.slow
def test_the_shared_form(project):
    run(project, "shared")
    assert only_the_code(project, "shared")
    assert scores(project / "metrics" / "sample" / "shared") == [name for name in SCORES if name not in PAGES]
    installed = json.loads((project / "installed" / "shared.json").read_text())
    assert installed["package"] == "en_sample_ner_shared"


@pytest.mark.slow
def test_the_portable_form(project):
    run(project, "portable")
    assert only_the_code(project, "portable")
    folder = project / "training" / "portable"
    assert (folder / "model-best" / "config.cfg").is_file() and (folder / "hf" / "model.safetensors").is_file()
    export = json.loads((folder / "export.json").read_text())
    assert export["posts"] == 108 and export["max_logit_difference"] < 1e-4
    written = json.loads((project / "metrics" / "sample" / "portable" / "run.json").read_text())
    assert written["seed"] == 0
    assert ledger_lines(project / "metrics" / "sample") == ["sample"] and ledger_lines(project / "metrics") == []


@pytest.mark.slow
def test_the_final_fit(project):
    run(project, "final")
    assert only_the_code(project, "final")
    folder = project / "training" / "final"
    found = sorted(path.name for path in folder.iterdir())
    assert found == ["log.jsonl", "model-last", "time.json", "training.json", "tuning.json"]
    tuned = [json.loads((path / "tuning.json").read_text())["tuning"] for path in (folder, project / "training")]
    assert tuned[0] == tuned[1]
    assert scores(project / "metrics" / "sample" / "final") == ["raw_text.json", "run.json", "test.json"]
    installed = json.loads((project / "installed" / "final.json").read_text())
    assert installed["package"] == "en_sample_ner_final"
