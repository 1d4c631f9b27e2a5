"""The rooms of the package import downwards only, and one room alone crosses between arrays and tensors."""

import ast
import sys

import pytest
from package_source import PACKAGE, imports, modules

GROUND = {"types", "errors", "compat", "runtime"}
#: What each room may import, beside itself, what lies in it, and the ground.
MAY_IMPORT = {
    "types": set(),
    "errors": set(),
    "compat": set(),
    "runtime": {"compat"},
    "tags": set(),
    "wordpieces": {"tags"},
    "metrics": {"tags"},
    "models": {"wordpieces", "tags"},
    "corpus": {"tags"},
    "pipeline": {"models", "corpus", "wordpieces", "metrics", "tags"},
    "training": {"models", "corpus", "wordpieces", "metrics", "tags"},
    "start": {"pipeline", "training", "models", "corpus", "wordpieces", "metrics", "tags"},
    "report": {"pipeline", "corpus", "metrics", "tags"},
    "annotation": {"pipeline", "corpus", "tags"},
    "export": {"pipeline", "training", "models", "corpus", "wordpieces", "metrics", "tags"},
    "distillation": {"annotation", "pipeline", "training", "models", "corpus", "metrics", "tags"},
}
UPPER = {"hub"}
for room in UPPER:
    MAY_IMPORT[room] = set(MAY_IMPORT["export"]) | {"export"}
MAY_IMPORT["cli"] = set(MAY_IMPORT["export"]) | {"export", "report", "annotation", "start", "distillation"} | UPPER
MAY_IMPORT["__init__"] = set(MAY_IMPORT["cli"])  # the package itself names what programs use

#: Rooms behind a wall inside another: what of the outer room they may import. Nothing else of it reaches them.
INNER = {
    "models.padding_free": {"backend", "casing"},
    "models.graphed": {
        "padding_free.backend",
        "padding_free.modules",
        "padding_free.relative_positions",
        "torch_head",
    },
    "models.onnx": {"base_shim", "casing", "encoder", "encoder_files"},
    "models.hf": {"casing", "encoder_files", "head_transform"},
    "metrics.seqeval": set(),
    "pipeline.tuning": {"decoding", "token_classifier"},
    "corpus.hf": {"gold_tags", "records"},
    "corpus.forms": {
        "align",
        "docs",
        "gold_tags",
        "hf.load",
        "hf.records",
        "offset_report",
        "options",
        "records",
        "verify",
    },
    "annotation.shards": {"items", "predict"},
    "export.onnx": set(),
}

#: Packages that the lowest rooms do without.
ONLY = {"types": {"numpy"}, "errors": set(), "compat": set(), "tags": {"numpy"}}

#: Calls and names that move values between arrays and tensors, or between devices; the room `runtime` alone has them.
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
    assert {module.room for module in modules()} == set(MAY_IMPORT)


def test_no_modules_import_each_other_in_a_circle():
    names = {module.name for module in modules()}
    left = {m.name: {i.target for i in imports(m) if not i.for_types} & names - {m.name} for m in modules()}
    while free := [name for name, wanted in left.items() if not wanted]:
        for name in free:
            del left[name]
        left = {name: wanted - set(free) for name, wanted in left.items()}
    assert not left


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


@pytest.mark.parametrize("inner", sorted(INNER))
def test_inner_rooms_reach_little_of_the_outer_one(inner):
    outer = inner.split(".")[0]
    own, allowed = f"{PACKAGE}.{inner}", {f"{PACKAGE}.{outer}.{name}" for name in INNER[inner]}
    found = [module for module in modules() if f"{module.name}.".startswith(f"{own}.")]
    assert found
    wrong = [
        f"{module.name}:{each.line} imports {each.target}"
        for module in found
        for each in imports(module)
        if each.target.startswith(f"{PACKAGE}.{outer}.") and not f"{each.target}.".startswith(f"{own}.")
        if each.target not in allowed
    ]
    assert not wrong


@pytest.mark.parametrize("room", sorted(ONLY))
def test_the_lowest_rooms_need_little(room):
    wrong = [
        f"{module.name}:{found.line} imports {found.target}"
        for module in modules()
        if module.room == room
        for found in imports(module)
        if found.at_top and not found.for_types
        if found.target.split(".")[0] not in sys.stdlib_module_names | ONLY[room] | {PACKAGE}
    ]
    assert not wrong


def test_one_room_crosses_between_arrays_and_tensors():
    wrong = []
    for module in modules():
        if module.room == "runtime":
            continue
        for node in ast.walk(module.tree):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr
            named = (isinstance(node, ast.Attribute) and node.attr) or (isinstance(node, ast.alias) and node.name)
            if called in CROSSING_CALLS or named in CROSSING_NAMES:
                wrong.append(f"{module.name}:{node.lineno} {called or named}")
    assert not wrong, f"Put these into runtime/: {wrong}"


def test_the_rule_of_one_room_sees_that_room():
    """The names above are those in use: the room that may have them has them."""
    text = "".join(module.path.read_text(encoding="utf-8") for module in modules() if module.room == "runtime")
    for name in (".numpy(", ".to(", ".cpu(", "from_numpy", "autocast", "xp2torch", "torch2xp"):
        assert name in text
