"""A pipeline in ONNX Runtime runs where neither torch nor transformers is, nor is looked for."""

import os
import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path

import pytest
import spacy
from spacy.language import Language

from spacy_tokclf.export.optimize import optimize

pytest.importorskip("onnxscript")

ROOT = Path(__file__).parents[2]
TEXTS = ["London calling in New York", "the tweet of 5.975,74", "", "Schiphol , Schiphol ! " * 30]
USE = """
import json, pickle, sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers", "onnx", "onnxscript"):
            raise ImportError("blocked: " + name)

if sys.argv[3] == "blocked":
    sys.meta_path.insert(0, Block())
import spacy
import spacy_tokclf
nlp = spacy.load(sys.argv[1])
texts = json.loads(sys.argv[2])
found = [[[ent.start, ent.end, ent.label_, round(spacy_tokclf.entity_score(ent), 4)] for ent in doc.ents]
         for doc in nlp.pipe(texts, n_process=int(sys.argv[4]))]
again = spacy.blank("en").from_config(nlp.config).from_bytes(nlp.to_bytes())
again.to_disk(sys.argv[1] + "-again")
assert [len(doc.ents) for doc in again.pipe(texts)] == [len(ents) for ents in found]
assert not {"torch", "transformers", "onnx"} & set(sys.modules), sorted(sys.modules)
print(json.dumps(found))
"""


@pytest.fixture
def optimized(nlp: Language, tmp_path: Path) -> Path:
    nlp.to_disk(tmp_path / "pipeline")
    optimize(tmp_path / "pipeline", tmp_path / "out", precision="fp32")
    return tmp_path / "out"


def use(python: Path, folder: Path, how: str, *, processes: int = 1, cwd: Path) -> list[list[list[object]]]:
    import json

    command = [str(python), "-c", USE, str(folder), json.dumps(TEXTS), how, str(processes)]
    paths = {} if how == "absent" else {"PYTHONPATH": str(ROOT)}
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | paths
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=env, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: list[list[list[object]]] = json.loads(done.stdout.splitlines()[-1])
    return found


def expected(folder: Path) -> list[list[list[object]]]:
    from spacy_tokclf import entity_score

    docs = spacy.load(folder).pipe(TEXTS)
    return [[[ent.start, ent.end, ent.label_, round(entity_score(ent) or 0, 4)] for ent in doc.ents] for doc in docs]


@pytest.mark.parametrize("processes", [1, 2])
def test_blocked(processes: int, optimized: Path, tmp_path: Path) -> None:
    wanted = expected(optimized)
    assert any(wanted)
    assert use(Path(sys.executable), optimized, "blocked", processes=processes, cwd=tmp_path) == wanted


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_absent(optimized: Path, tmp_path: Path) -> None:
    """In an environment of its own, with what the pipeline's package asks for and this package alone."""
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet"]
    names = ("spacy", "onnxruntime", "tokenizers", "safetensors", "numpy", "packaging")
    subprocess.run(
        [*pip, *(f"{name}=={version(name)}" for name in names), "-c", str(ROOT / "constraints.txt")], check=True
    )
    subprocess.run([*pip, "--no-deps", str(ROOT)], check=True)
    listed = subprocess.run([str(python), "-m", "pip", "list"], capture_output=True, text=True, check=True).stdout
    assert "spacy-tokclf" in listed and "onnxruntime" in listed
    assert not [line for line in listed.splitlines() if line.split()[0] in ("torch", "transformers", "onnx")]
    assert use(python, optimized, "absent", processes=2, cwd=tmp_path) == expected(optimized)
