"""Everything that setup.cfg registers is there, is called what its name says, and is tested."""

import importlib
import inspect
import re
from importlib.metadata import distribution
from pathlib import Path

import pytest
from package_source import ROOT

TESTS = ROOT / "tests"
GROUPS = {
    "spacy_factories": "factories",
    "spacy_architectures": "architectures",
    "spacy_scorers": "scorers",
    "spacy_readers": "readers",
    "spacy_batchers": "batchers",
    "spacy_misc": "misc",
    "spacy_callbacks": "callbacks",
    "spacy_loggers": "loggers",
    "spacy_augmenters": "augmenters",
    "thinc_optimizers": "optimizers",
    "thinc_schedules": "schedules",
    "spacy_cli": "cli",
}


def squeeze(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())


@pytest.fixture(scope="session")
def entries(setup_cfg):
    return [(group, name, value) for group, found in setup_cfg.entry_points.items() for name, value in found.items()]


def load(value):
    module, attribute = value.split(":")
    return getattr(importlib.import_module(module), attribute)


def test_every_entry_resolves(entries):
    assert len(entries) > 10
    for _, _, value in entries:
        assert load(value) is not None


def test_spacy_finds_every_entry(entries):
    from spacy.util import registry

    for group, name, value in entries:
        found = getattr(registry, GROUPS[group]).get(name)
        wanted = load(value)
        assert found is wanted or found.__qualname__ == wanted.__qualname__, name


def test_what_is_installed_is_what_setup_cfg_says(entries):
    installed = {(e.group, e.name, e.value) for e in distribution("spacy-tokclf").entry_points if e.group in GROUPS}
    assert installed == set(entries), "install the package again: pip install --editable ."


def test_names_correspond(entries):
    """`spacy-tokclf.Thing.v1` is made by `build_thing_v1` or `make_thing_v1`, the factory `thing` by `make_thing`."""
    for group, name, value in entries:
        function = value.split(":")[1]
        if group == "spacy_cli":
            continue
        assert group in GROUPS
        prefix, _, bare = name.rpartition("spacy-tokclf.")
        assert not prefix
        assert function.startswith("build_" if group == "spacy_architectures" else "make_")
        assert squeeze(function.split("_", 1)[1]) == squeeze(bare), name
        assert (group == "spacy_factories") != bool(re.search(r"\.v\d+$", name)), name


def test_factories_are_declared_under_their_entry_name(entries):
    from spacy.language import Language

    for group, name, _ in entries:
        if group == "spacy_factories":
            assert Language.get_factory_meta(name).factory == name


def test_signatures_can_be_validated(entries):
    """Types in a registered signature are there at run time; else spaCy validates nothing of it, in silence."""
    import typing

    for group, name, value in entries:
        if group == "spacy_cli":
            continue
        function = load(value)
        hints = typing.get_type_hints(function)
        parameters = inspect.signature(function).parameters
        assert set(parameters) <= set(hints), f"{name}: {set(parameters) - set(hints)}"
        assert not any(isinstance(p.annotation, str) for p in parameters.values()), name


def test_every_registered_name_is_in_a_test(entries):
    here = Path(__file__).name
    texts = [path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py") if path.name != here]
    untested = [name for _, name, _ in entries if not any(name in text for text in texts)]
    assert not untested
