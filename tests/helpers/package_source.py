"""The package as syntax trees, for tests that read its code."""

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGE = "spacy_tokclf"


class Module(NamedTuple):
    """A module of the package: its dotted name, its path and its syntax tree."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def room(self) -> str:
        """RETURNS (str): The folder below the package, or the file's name where it lies in the package itself."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else "__init__"


class Import(NamedTuple):
    """An import: the dotted name of the module, its line, whether it runs when the module is imported, and whether it
    is for type checkers alone."""

    target: str
    line: int
    at_top: bool
    for_types: bool


@lru_cache
def modules() -> list[Module]:
    """RETURNS (list[Module]): Every module of the package."""
    found = []
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(Module(name, path, ast.parse(path.read_text(encoding="utf-8"))))
    return found


def imports(module: Module) -> list[Import]:
    """RETURNS (list[Import]): Every import of a module. `from . import x` counts as an import of `.x`."""
    package = module.name.split(".")
    if module.path.name != "__init__.py":
        package = package[:-1]
    found = []
    for node, at_top, for_types in _walk(module.tree, True, False):
        if isinstance(node, ast.Import):
            found += [Import(alias.name, node.lineno, at_top, for_types) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            target = ".".join([*base, *([node.module] if node.module else [])])
            names = [target] if node.module else [f"{target}.{alias.name}" for alias in node.names]
            found += [Import(name, node.lineno, at_top, for_types) for name in names]
    return found


def functions(module: Module) -> list[ast.FunctionDef]:
    """RETURNS (list[ast.FunctionDef]): Every function and method of a module."""
    return [node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def docstring_lines(tree: ast.AST) -> int:
    """RETURNS (int): Lines of all docstrings in a tree."""
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    first = [node.body[0] for node in ast.walk(tree) if isinstance(node, holders) and node.body]
    texts = [node for node in first if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)]
    return sum(node.end_lineno - node.lineno + 1 for node in texts if isinstance(node.value.value, str))


def _walk(node: ast.AST, at_top: bool, for_types: bool) -> Iterator[tuple[ast.AST, bool, bool]]:
    for child in ast.iter_child_nodes(node):
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        checking = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test) and child in node.body
        top, types = at_top and not inside, for_types or checking
        yield child, top, types
        yield from _walk(child, top, types)
