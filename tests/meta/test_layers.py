"""The rooms of the package import downwards only, and one module alone crosses between arrays and tensors."""

import ast
import sys

import pytest
from package_source import PACKAGE, imports, modules

GROUND = {"attrs", "errors", "compat", "device"}
#: What each room may import, beside itself and the ground.
MAY_IMPORT = {
    "attrs": set(),
    "errors": set(),
    "compat": set(),
    "device": set(),
    "tags": set(),
    "wordpieces": {"tags"},
    "metrics": {"tags"},
    "models": {"wordpieces", "tags"},
    "corpus": {"tags"},
    "pipeline": {"models", "corpus", "wordpieces", "metrics", "tags"},
    "training": {"models", "corpus", "wordpieces", "metrics", "tags"},
    "export": {"pipeline", "training", "models", "corpus", "wordpieces", "metrics", "tags"},
}
UPPER = {"hub", "scale", "report"}
for room in UPPER:
    MAY_IMPORT[room] = set(MAY_IMPORT["export"]) | {"export"}
MAY_IMPORT["cli"] = set(MAY_IMPORT["export"]) | {"export"} | UPPER
MAY_IMPORT["__init__"] = set(MAY_IMPORT["cli"])  # the package itself names what programs use

#: Packages that the lowest rooms do without.
ONLY = {"attrs": set(), "errors": set(), "compat": set(), "tags": {"numpy"}}

#: Calls and names that move values between arrays and tensors, or between devices; `device.py` alone has them.
CROSSING_CALLS = {"numpy", "to", "cpu", "cuda", "pin_memory"}
CROSSING_NAMES = {
    "from_numpy",
    "from_dlpack",
    "to_dlpack",
    "autocast",
    "xp2torch",
    "torch2xp",
    "xp2tensor",
    "as_tensor",
}


def rooms_of(target):
    """Give the room that a dotted name of the package lies in."""
    parts = target.split(".")
    return parts[1] if parts[0] == PACKAGE and len(parts) > 1 else None


def test_every_room_has_its_place():
    assert {module.room for module in modules()} <= set(MAY_IMPORT)


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_imports_point_down_only(room):
    allowed = MAY_IMPORT[room] | {room} | (GROUND if room not in GROUND else {"errors"})
    wrong = [
        f"{module.name}:{found.line} imports {found.target}"
        for module in modules()
        if module.room == room
        for found in imports(module)
        if rooms_of(found.target) and rooms_of(found.target) not in allowed
    ]
    assert not wrong


def test_nothing_imports_the_package_from_its_top():
    """`from spacy_tokclf import x` inside the package would import every room."""
    wrong = [f"{m.name}:{found.line}" for m in modules() for found in imports(m) if found.target == PACKAGE]
    assert not wrong


@pytest.mark.parametrize("room", sorted(ONLY))
def test_the_lowest_rooms_need_little(room):
    wrong = [
        f"{module.name}:{found.line} imports {found.target}"
        for module in modules()
        if module.room == room
        for found in imports(module)
        if found.target.split(".")[0] not in sys.stdlib_module_names | ONLY[room] | {PACKAGE}
    ]
    assert not wrong


def test_one_module_crosses_between_arrays_and_tensors():
    wrong = []
    for module in modules():
        if module.room == "device":
            continue
        for node in ast.walk(module.tree):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr
            named = (isinstance(node, ast.Attribute) and node.attr) or (isinstance(node, ast.alias) and node.name)
            if called in CROSSING_CALLS or named in CROSSING_NAMES:
                wrong.append(f"{module.name}:{node.lineno} {called or named}")
    assert not wrong, f"Put these into device.py: {wrong}"


def test_the_rule_of_one_module_sees_that_module():
    """The names above are those in use: the module that may have them has them."""
    (device,) = [module for module in modules() if module.room == "device"]
    text = device.path.read_text(encoding="utf-8")
    for name in (".numpy(", ".to(", ".cpu(", "from_numpy", "autocast", "xp2torch", "torch2xp"):
        assert name in text
