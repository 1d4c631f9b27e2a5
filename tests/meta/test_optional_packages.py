"""The tests are collected where only what the package needs, pytest and hypothesis are installed: what compares with
other packages is skipped there."""

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]
#: Packages of the extras.
OPTIONAL = {
    *("accelerate", "datasets", "evaluate", "matplotlib", "pyarrow", "ray", "seqeval", "sklearn", "streamlit"),
    *("onnx", "onnxruntime", "onnxscript", "spacy_transformers"),
}
#: A script that a test runs in a process of its own.
SCRIPTS = {"evaluate_offline.py"}


def imported_first(path):
    """Give the optional packages that a module imports at its top before it has asked whether they are there."""
    found = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if "importorskip" in ast.unparse(node):
            break
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.append(node.module or "")
    return [name for name in found if name.split(".")[0] in OPTIONAL]


def test_no_test_needs_more_to_be_collected():
    files = [path for path in TESTS.rglob("*.py") if path.name not in SCRIPTS]
    assert len(files) > 100
    assert not {path.name: names for path in files if (names := imported_first(path))}


def test_the_rule_sees_what_it_is_about(tmp_path):
    path = tmp_path / "test_it.py"
    path.write_text("import pytest\nfrom seqeval.metrics import f1_score\n")
    assert imported_first(path) == ["seqeval.metrics"]
    path.write_text('import pytest\npytest.importorskip("seqeval")\nfrom seqeval.metrics import f1_score\n')
    assert not imported_first(path)
