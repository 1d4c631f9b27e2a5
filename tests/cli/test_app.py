"""What `spacy tokclf` says of itself."""

import subprocess
import sys
from importlib.metadata import version

import typer
from typer.testing import CliRunner

from spacy_tokclf.cli import app
from spacy_tokclf.cli._app import ORDER

HEAVY = """
import sys
from typer.testing import CliRunner
from spacy_tokclf.cli import app
before = set(sys.modules)
result = CliRunner().invoke(app, ["--version"])
assert result.exit_code == 0, result
print({"transformers", "tokenizers", "huggingface_hub", "datasets"} & (set(sys.modules)))
"""


def test_versions() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert result.exit_code == 0
    for name in ("spacy-tokclf", "spacy", "torch", "transformers"):
        assert f"{name} {version(name)}\n" in result.output
    said = subprocess.run([sys.executable, "-c", HEAVY], capture_output=True, text=True, check=True).stdout
    assert said == "set()\n"


def test_commands_are_listed_in_the_order_in_which_they_are_met() -> None:
    command = typer.main.get_command(app)
    listed = command.list_commands(None)  # type: ignore[attr-defined]
    assert sorted(listed) == sorted(command.commands)  # type: ignore[attr-defined]
    assert [name for name in listed if name in ORDER] == [name for name in ORDER if name in listed]
    assert set(listed) <= set(ORDER)
