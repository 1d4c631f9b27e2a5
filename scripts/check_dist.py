"""Build the sdist and the wheel, and test each where the source tree is out of reach.

Each is installed into an environment of its own in a temporary folder; heavy dependencies and pytest are borrowed
from the running environment. The tests are copied there and run against the installed package.

Usage: python scripts/check_dist.py
"""

import shutil
import sys
import tempfile
from pathlib import Path

from bare_env import ROOT, borrow, build_distributions, install, lonely_variables, make_env, run
from project_files import fail
from wasabi import msg

# What must not come from the source tree: the package with its marker for type checkers, and its entry points.
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
own = distribution("spacy-tokclf")
assert own.read_text("top_level.txt").split() == ["spacy_tokclf"]
assert str(own.locate_file("")).startswith(sys.prefix)
for entry_point in own.entry_points:
    assert entry_point.value.startswith("spacy_tokclf") and entry_point.load(), entry_point
"""
TESTS = ("tags", "corpus", "pipeline")


def check(distribution: Path, folder: Path) -> None:
    """Install a distribution and test it.

    distribution (Path): The sdist or the wheel.
    folder (Path): An empty folder.
    RAISES (SystemExit): If anything fails.
    """
    python = make_env(folder / "env")
    if distribution.suffix == ".whl":
        install(python, "--no-deps", str(distribution))
        borrow(python)
    else:
        borrow(python)
        install(python, "--no-deps", "--no-build-isolation", "--ignore-installed", str(distribution))
    variables = lonely_variables(folder)
    run([str(python), "-I", "-c", SMOKE], f"{distribution.name}: import", cwd=folder, env=variables)
    if not all((ROOT / "tests" / room).is_dir() for room in TESTS):
        fail(f"No tests in one of {TESTS}")
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    command = [str(python), "-m", "pytest", "-p", "no:cacheprovider", *(f"tests/{room}" for room in TESTS)]
    said = run(command, f"{distribution.name}: tests", cwd=folder, env=variables)
    msg.good(f"{distribution.name}: {said.strip().splitlines()[-1]}")


def main() -> None:
    """Build both and check both."""
    with tempfile.TemporaryDirectory() as name:
        for distribution in build_distributions(Path(name) / "dist"):
            folder = Path(name) / distribution.name
            folder.mkdir()
            check(distribution, folder)


if __name__ == "__main__":
    sys.exit(main())
