"""What runs in the process of everybody who has the package installed stays light."""

import json
import subprocess
import sys

import pytest
from package_source import PACKAGE, imports, modules

HEAVY = {
    "transformers",
    "datasets",
    "evaluate",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "huggingface_hub",
    "spacy_transformers",
    "ray",
    "pandas",
    "seqeval",
}
STAGES = """
import json, sys
def say(): print(json.dumps(sorted(name for name in sys.modules if name in HEAVY)))
HEAVY = set(json.loads(sys.argv[1]))
import spacy
nlp = spacy.blank("en")
nlp.add_pipe("token_classifier")
nlp.add_pipe("transformer_encoder", first=True)
say()
import spacy_tokclf.cli
say()
from importlib.metadata import distribution
for entry in distribution("spacy-tokclf").entry_points:
    entry.load()
say()
"""


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    """Run the stages in a fresh process, outside the source tree. Gives the heavy modules after each."""
    command = [sys.executable, "-c", STAGES, json.dumps(sorted(HEAVY))]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path_factory.mktemp("elsewhere"), check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("stage", [0, 1, 2], ids=["factories", "commands", "all entry points"])
def test_nothing_heavy_is_imported(stages, stage):
    assert len(stages) == 3
    assert stages[stage] == []


def test_the_package_itself_needs_no_scores():
    """They are half of what it would take."""
    code = "import sys, spacy_tokclf; print(*(name for name in sys.modules if name.startswith('spacy_tokclf.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = done.stdout.split()
    assert "spacy_tokclf.pipeline.annotate" in found
    assert not [name for name in found if name.startswith(("spacy_tokclf.metrics", "spacy_tokclf.tags"))]


def test_modules_that_entry_points_reach_import_nothing_heavy(setup_cfg):
    """The same by reading: whatever is imported on the way, whether or not it is installed here."""
    by_name = {module.name: module for module in modules()}
    entries = [value.split(":")[0] for group in setup_cfg.entry_points.values() for value in group.values()]
    queue, seen, wrong = [PACKAGE, *entries], set(), []
    while queue:
        name = queue.pop()
        if name in seen or name not in by_name:
            continue
        seen.add(name)
        queue += [".".join(name.split(".")[:i]) for i in range(1, name.count(".") + 1)]
        for found in imports(by_name[name]):
            if not found.at_top or found.for_types:
                continue
            queue.append(found.target)
            if found.target.split(".")[0] in HEAVY:
                wrong.append(f"{name}:{found.line} {found.target}")
    assert {"spacy_tokclf.models.shim", "spacy_tokclf.tags.decode", "spacy_tokclf.runtime.device"} <= seen
    assert not wrong
