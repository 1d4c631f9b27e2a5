"""Test files that compare with another library are known, so that all others run where it is absent."""

import ast
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
#: Where our tests and helpers import from, beside what is installed.
PATHS = (TESTS / "helpers", TESTS.parent / "bench")
OTHERS = ("seqeval", "sklearn")


def imported(path: Path) -> set[str]:
    """List what a file imports at its top, with what our modules that it imports do."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    ours = [folder / f"{name}.py" for name in found for folder in PATHS]
    return found.union(*(imported(each) for each in ours if each.is_file() and each != path))


def test_files_that_are_left_out_are_those_that_could_not_be_imported() -> None:
    tree = ast.parse((TESTS / "conftest.py").read_text(encoding="utf8"))
    (table,) = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "NEEDS"
    ]
    needs = ast.literal_eval(table)
    found: dict[str, list[str]] = {name: [] for name in OTHERS}
    for path in sorted(TESTS.rglob("test_*.py")):
        for name in imported(path) & set(OTHERS):
            found[name].append(str(path.relative_to(TESTS)))
    assert {name: sorted(needs[name]) for name in OTHERS} == found
