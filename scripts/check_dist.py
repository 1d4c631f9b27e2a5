"""Build the sdist and the wheel, and test each where the source tree is out of reach.

Each is installed into an isolated environment in a temporary folder; heavy dependencies and pytest are those of the
running environment. The tests, and what they need, come out of the sdist and run against the installed
package.

Usage: python scripts/check_dist.py
"""

import shutil
import tarfile
import tempfile
from pathlib import Path

from isolated_env import borrow, build_distributions, install, isolated_variables, make_env, run
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
    command = [str(python), "-m", "pytest", "-p", "no:cacheprovider", *(f"tests/{room}" for room in TESTS)]
    said = run(command, f"{distribution.name}: tests", cwd=tree, env=variables)
    msg.good(f"{distribution.name}: {said.strip().splitlines()[-1]}")


def main() -> None:
    """Build both and check both."""
    with tempfile.TemporaryDirectory() as name:
        sdist, wheel = build_distributions(Path(name) / "dist")
        check(sdist, sdist, Path(name) / "sdist")
        check(wheel, sdist, Path(name) / "wheel")


if __name__ == "__main__":
    main()
