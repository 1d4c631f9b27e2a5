"""Every promise of docs/reliability.md names what keeps it, and that is there."""

import ast
import re

import pytest
from package_source import ROOT

PAGE = ROOT / "docs" / "reliability.md"
KEEPER = re.compile(r"`((?:tests|scripts)/[\w/]+\.py)(?:::(\w+))?`")
TEXT = PAGE.read_text(encoding="utf-8")


def promises():
    """Give the promises: the points of the lists, with the lines that belong to them."""
    return [
        re.sub(r"\s+", " ", found) for found in re.findall(r"^\* (.*?)(?=^\* |^$|^#)", TEXT, re.DOTALL | re.MULTILINE)
    ]


def test_each_promise_names_what_keeps_it():
    assert len(promises()) > 30
    assert [promise for promise in promises() if not KEEPER.search(promise)] == []


@pytest.mark.parametrize("path, name", sorted(set(KEEPER.findall(TEXT))))
def test_what_keeps_it_is_there(path, name):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    if path.startswith("scripts/"):
        assert {"run", "judge"} & functions
    else:
        assert name in functions if name else any(one.startswith("test_") for one in functions)


def test_each_kind_of_torture_and_of_fuzzing_keeps_a_promise():
    made = [
        path.relative_to(ROOT).as_posix()
        for folder in ("torturing", "fuzzing")
        for path in (ROOT / "scripts" / folder).glob("[!_]*.py")
        if re.search(r"^def (run|judge)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert made and set(made) <= {path for path, _ in KEEPER.findall(TEXT)}
