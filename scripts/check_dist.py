"""Build the sdist and the wheel, and test each where the source tree is out of reach.

Each is installed into an isolated environment in a temporary folder; heavy dependencies and pytest are those of the
running environment. The tests, and what they need, come out of the sdist and run against the installed package. With
the wheel, the way from annotated texts to a page and a number is gone as well, in an empty folder and with an empty
home: by the README's commands with the embedded encoder, and with a tiny one for many forms and languages.

Usage: python scripts/check_dist.py
"""

import shlex
import shutil
import tarfile
import tempfile
from pathlib import Path

from isolated_env import ROOT, borrow, build_distributions, install, isolated_variables, make_env, run
from project_files import fail
from wasabi import msg

# What must not come from the source tree: the package with its marker for type checkers
# and the templates of its page and configs, and its entry points.
SMOKE = """
import sys
from importlib.metadata import distribution
from importlib.resources import files
import spacy

nlp = spacy.blank("en")
nlp.add_pipe("token_classifier", name="ner")
nlp.add_pipe("transformer_encoder", name="transformer", first=True)
import spacy_tokclf

assert spacy_tokclf.__file__.startswith(sys.prefix), spacy_tokclf.__file__
assert files("spacy_tokclf").joinpath("py.typed").is_file()
for name in ("report/templates/report.js", "start/templates/config.cfg.jinja", "start/licenses/Apache-2.0.txt"):
    assert files("spacy_tokclf").joinpath(*name.split("/")).is_file(), name
own = distribution("spacy-tokclf")
assert own.read_text("top_level.txt").split() == ["spacy_tokclf"]
assert str(own.locate_file("")).startswith(sys.prefix)
for entry_point in own.entry_points:
    assert entry_point.value.startswith("spacy_tokclf") and entry_point.load(), entry_point
"""
TESTS = ("tags", "pipeline")
#: The tests that take annotated texts of any form to a page and a number.
EVERY_FORM = "tests/front_door"
#: The headline in the README under which the commands stand, and what they have to leave behind.
FRONT_DOOR = "## From your texts to a model, a page and a number"
LEFT = ("mine/config.cfg", "mine/training/model-best/meta.json", "report.html", "found.jsonl")


def unpack_without_package(sdist: Path, folder: Path) -> Path:
    """Unpack an sdist and take the package out of it, so that it can only be imported where it is installed.

    sdist (Path): The sdist.
    folder (Path): Where to.
    RETURNS (Path): The folder with the tests, configs and the rest.
    """
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (tree,) = folder.iterdir()
    shutil.rmtree(tree / "spacy_tokclf")
    return tree


def check(distribution: Path, sdist: Path, folder: Path) -> None:
    """Install a distribution and test it.

    distribution (Path): The sdist or the wheel.
    sdist (Path): The sdist, for the tests.
    folder (Path): A folder to make.
    RAISES (SystemExit): If anything fails.
    """
    tree = unpack_without_package(sdist, folder / "tree")
    python = make_env(folder / "env")
    if distribution.suffix == ".whl":
        install(python, "--no-deps", str(distribution))
        borrow(python)
    else:
        borrow(python)
        install(python, "--no-deps", "--no-build-isolation", "--ignore-installed", str(distribution))
    variables = isolated_variables(folder)
    run([str(python), "-I", "-c", SMOKE], f"{distribution.name}: import", cwd=folder, env=variables)
    missing = [room for room in TESTS if not (tree / "tests" / room).is_dir()]
    if missing:
        fail(f"{sdist.name} has no tests for {', '.join(missing)}", "MANIFEST.in says what goes into it.")
    run_tests(python, tree, variables, *(f"tests/{room}" for room in TESTS), what=distribution.name)
    if distribution.suffix == ".whl":
        run_tests(python, tree, variables, EVERY_FORM, "-m", "slow", what=f"{distribution.name}, every form")
        check_front_door(python, tree, folder / "front door")


def run_tests(python: Path, tree: Path, variables: dict[str, str], *arguments: str, what: str) -> None:
    """Run tests, and print how many.

    python (Path): The Python of an environment with the package.
    tree (Path): What came out of the sdist.
    variables (dict[str, str]): The environment variables.
    arguments (str): The tests, and pytest's options.
    what (str): What they test, for the message.
    RAISES (SystemExit): If one fails.
    """
    command = [str(python), "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    msg.good(f"{what}: {run(command, f'{what}: tests', cwd=tree, env=variables).strip().splitlines()[-1]}")


def front_door_commands(readme: str) -> list[list[str]]:
    """Find the commands of the README's front door.

    readme (str): The README.
    RETURNS (list[list[str]]): The arguments of `python` in each: init, train, report and annotate.
    """
    section = readme.split(FRONT_DOOR)[1].split("\n## ")[0]
    block = section.split("```bash\n")[1].split("```")[0]
    return [shlex.split(line)[1:] for line in block.splitlines()]


def check_front_door(python: Path, tree: Path, folder: Path) -> None:
    """Run the README's commands as somebody who has the wheel, annotated texts and nothing else.

    python (Path): The Python of an environment with the wheel.
    tree (Path): What came out of the sdist.
    folder (Path): A folder to make, and to work in.
    RAISES (SystemExit): If a command fails, or does not leave what it should.
    """
    from spacy_tokclf.start.embedded_encoder import CACHE, cached_folder

    (folder / "home").mkdir(parents=True)
    variables = isolated_variables(folder / "home") | {CACHE: str(folder / "cache")}
    made = ROOT / "assets" / "encoder"
    if made.is_dir():  # else it is fetched, as everybody's is
        shutil.copytree(made, folder / "cache" / "encoders" / cached_folder().name)
    convert = ["-m", "spacy", "tokclf", "convert", str(tree / "sample" / "train.conll"), "texts.jsonl"]
    (folder / "new.txt").write_text("Mira Sandoval moved to Porto.\nSo it goes.\n", encoding="utf8")
    for arguments in [convert, *front_door_commands((tree / "README.md").read_text(encoding="utf8"))]:
        run([str(python), *arguments], shlex.join(arguments), cwd=folder, env=variables)
    missing = [name for name in LEFT if not (folder / name).is_file()]
    if missing:
        fail(f"The README's commands did not write {', '.join(missing)}", "They ran without an error.")
    msg.good("The README's commands, from the wheel")


def main() -> None:
    """Build both and check both."""
    with tempfile.TemporaryDirectory() as name:
        sdist, wheel = build_distributions(Path(name) / "dist")
        check(sdist, sdist, Path(name) / "sdist")
        check(wheel, sdist, Path(name) / "wheel")


if __name__ == "__main__":
    main()
