"""Rules of the house that a machine can check."""

import ast
import re
import sys
from collections import Counter
from string import Formatter

import pytest
from package_source import PACKAGE, ROOT, docstring_lines, functions, imports, modules

from spacy_tokclf.errors import Errors, Warnings

FILE_LINES = 400
FUNCTION_LINES = 60
CODE = re.compile(r"\b(Errors|Warnings)\.(T[CW]\d+)\b")


def catalogue():
    """Give the assignments of each class in errors.py."""
    (module,) = [module for module in modules() if module.room == "errors"]
    classes = [node for node in module.tree.body if isinstance(node, ast.ClassDef)]
    return {
        node.name: [target.id for line in node.body if isinstance(line, ast.Assign) for target in line.targets]
        for node in classes
    }


def test_files_are_short():
    """Docstrings apart; the catalogue of errors is a list and not logic."""
    lengths = {
        module.name: len(module.path.read_text(encoding="utf-8").splitlines()) - docstring_lines(module.tree)
        for module in modules()
        if module.room != "errors"
    }
    assert {name: n for name, n in lengths.items() if n > FILE_LINES} == {}


def test_docstrings_write_types_as_signatures_do():
    wrong = [
        f"{module.name}:{node.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if re.search(r"\b(Optional|Union|List|Dict|Tuple|Set|Type)\[", ast.get_docstring(node) or "")
    ]
    assert not wrong


def test_functions_are_short():
    """Signature and docstring apart from the body."""
    long = [
        f"{module.name}:{node.lineno} {node.name}"
        for module in modules()
        for node in functions(module)
        if node.end_lineno - node.lineno + 1 - docstring_lines(node) > FUNCTION_LINES
    ]
    assert not long


def test_no_assert_and_no_print():
    wrong = []
    for module in modules():
        for node in ast.walk(module.tree):
            printed = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
            if printed or isinstance(node, ast.Assert):
                wrong.append(f"{module.name}:{node.lineno}")
    assert not wrong


def test_registered_functions_have_types_at_run_time():
    future = [m.name for m in modules() for found in imports(m) if found.target == "__future__"]
    assert not future


def test_codes_are_unique():
    names = [name for found in catalogue().values() for name in found if re.match(r"T[CW]\d", name)]
    assert len(names) > 50
    assert [name for name, n in Counter(names).items() if n > 1] == []
    assert all(re.fullmatch(r"TC\d{3}", name) for name in catalogue()["Errors"])
    assert all(re.fullmatch(r"TW\d{3}", name) for name in catalogue()["Warnings"])


def test_every_code_is_used_and_every_used_code_is_there():
    listed = {(kind, name) for kind, names in catalogue().items() for name in names if re.match(r"T[CW]\d", name)}
    used = {
        found
        for module in modules()
        if module.room != "errors"
        for found in CODE.findall(module.path.read_text(encoding="utf-8"))
    }
    assert used - listed == set()
    assert listed - used == set()


def test_messages_get_what_they_name():
    """The names in `Errors.TC001.format(...)` are those in the message: a KeyError is no message."""
    wrong = []
    for module in modules():
        for node in ast.walk(module.tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"):
                continue
            source = ast.unparse(node.func.value)
            found = CODE.fullmatch(source)
            if not found or any(keyword.arg is None for keyword in node.keywords):
                continue
            text = getattr(Errors if found[1] == "Errors" else Warnings, found[2])
            names = {re.split(r"[.\[]", field)[0] for _, field, _, _ in Formatter().parse(text) if field}
            if node.args or names != {keyword.arg for keyword in node.keywords}:
                wrong.append(f"{module.name}:{node.lineno} {found[2]}")
    assert not wrong


def test_messages_begin_with_their_code():
    assert Errors.TC001.startswith("[TC001] ")
    for kind in (Errors, Warnings):
        for name in catalogue()[kind.__name__]:
            text = getattr(kind, name)
            assert text.startswith(f"[{name}] ") and text.rstrip().endswith((".", "}", ":", '"')), name


def test_imported_packages_are_declared(setup_cfg):
    def names(lines):
        return {re.split(r"[^A-Za-z0-9_-]", line)[0].lower().replace("-", "_") for line in lines}

    required = names(setup_cfg.requires)
    optional = required | {name for lines in setup_cfg.extras.values() for name in names(lines)}
    known = sys.stdlib_module_names | {PACKAGE}
    wrong = []
    for module in modules():
        for found in imports(module):
            top = found.target.split(".")[0]
            needed = found.at_top and not found.for_types and module.room not in ("hub", "metrics")
            if top not in known | (required if needed else optional):
                wrong.append(f"{module.name}:{found.line} {found.target}")
    assert not wrong


def test_test_files_have_names_of_their_own():
    """Without __init__.py two files of one name cannot be collected together."""
    paths = [path for path in (ROOT / "tests").rglob("*.py") if path.name not in ("conftest.py", "__init__.py")]
    assert [name for name, n in Counter(path.name for path in paths).items() if n > 1] == []


@pytest.mark.parametrize("folder", [PACKAGE, "tests", "configs", "scripts"])
def test_no_path_of_a_machine_in_the_repository(folder):
    pattern = re.compile(r"(?<![\w.:/])/(?:home|root|work|Users)/\w")
    wrong = []
    for path in (ROOT / folder).rglob("*"):
        if (
            path.is_file()
            and path.suffix in (".py", ".cfg", ".json", ".md", ".toml")
            and "__pycache__" not in path.parts
        ):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                if pattern.search(line):
                    wrong.append(f"{path.relative_to(ROOT)}:{number}")
    assert not wrong
