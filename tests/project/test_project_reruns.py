"""Which steps run again after an edit: weasel's own decision, on a copy of the project in which all has been made."""

import shutil
import subprocess
import sys

import pytest
from weasel.cli.run import check_rerun, update_lockfile
from weasel.util.config import load_project_config

PORTABLE = ("train-portable", "evaluate-portable", "export-portable")


@pytest.fixture
def project(tmp_path, root):
    """A copy of the project after every command ran: stamps that are real, and stand-ins for the other outputs."""
    for name in ("configs", "scripts", "spacy_tokclf"):
        shutil.copytree(root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("project.yml", "setup.cfg"):
        shutil.copy(root / name, tmp_path)
    for command in commands_of(tmp_path).values():
        for out in command["outputs"]:
            (tmp_path / out).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / out).write_text(f"made by {command['name']}")
    stamp(tmp_path)
    for command in commands_of(tmp_path).values():
        update_lockfile(tmp_path, command)
    return tmp_path


def commands_of(project):
    return {command["name"]: command for command in load_project_config(project)["commands"]}


def stamp(project):
    """Run the command `code`, as every workflow does first."""
    for script in commands_of(project)["code"]["script"]:
        subprocess.run([sys.executable, *script.split()[1:]], cwd=project, check=True)


def reruns(project):
    """Stamp the code, and give the commands that would run then. (What they write may make later ones run.)"""
    stamp(project)
    return [name for name, command in commands_of(project).items() if check_rerun(project, command)]


def edit(project, path):
    with (project / path).open("a") as file:
        file.write("\n# edited\n")


def test_a_second_run_stamps_the_code_and_skips_the_rest(project):
    assert reruns(project) == ["code"]


@pytest.mark.parametrize("path", ["cli/__init__.py", "hub/__init__.py"])
def test_an_edit_of_what_only_users_call_runs_nothing(path, project):
    edit(project / "spacy_tokclf", path)
    assert reruns(project) == ["code"]


def test_an_edit_of_the_export_exports_again(project):
    edit(project, "spacy_tokclf/export/__init__.py")
    assert reruns(project) == ["code", "export-portable"]


@pytest.mark.parametrize("path", ["page.py", "templates/report.html.jinja"])
def test_an_edit_of_the_page_writes_it_again(path, project):
    edit(project / "spacy_tokclf" / "report", path)
    assert reruns(project) == ["code", "report"]


@pytest.mark.parametrize("path", ["__init__.py", "errors.py", "models/encoder.py", "runtime/__init__.py"])
def test_an_edit_of_what_trains_trains_again(path, project):
    edit(project / "spacy_tokclf", path)
    found = set(reruns(project))
    assert {"convert", "train", "train-large", "train-shared", "train-final", "evaluate", "install", *PORTABLE} <= found
    assert not found & {"encoder", "data"}


def test_a_new_source_file_trains_again(project):
    (project / "spacy_tokclf" / "models" / "new.py").write_text("new = True\n")
    assert {"train", *PORTABLE} <= set(reruns(project))


def test_an_edit_of_the_builder_of_wheels_packages_again(project):
    (builder,) = (dep for dep in commands_of(project)["package"]["deps"] if dep.startswith("spacy_tokclf/"))
    edit(project, builder)
    assert reruns(project) == ["code", "package", "package-large", "package-shared", "package-final"]


def test_an_edit_of_one_config_trains_what_it_describes(project):
    edit(project, "configs/wnut17_shared.cfg")
    assert reruns(project) == ["code", "train-shared"]
