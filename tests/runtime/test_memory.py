"""The allocator is set when somebody asks for it, and by nothing else."""

import os
import platform
import subprocess
import sys

import pytest
import spacy

from spacy_tokclf.runtime import memory

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
FAULTS = """
import resource, torch
def faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
torch.ones(50_000_000); start = faults(); torch.ones(49_000_000); print(faults() - start)
"""


def run(code, **variables):
    """Run code in a process whose environment says nothing of memory but `variables`. Gives the last line."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=kept | variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@glibc
@pytest.mark.parametrize("asked", [True, False])
def test_memory_is_kept_where_it_is_asked_for(asked):
    """A block that was freed serves the next, smaller one. (One as large may not fit, depending on where its alignment
    falls.)"""
    code = "import spacy_tokclf; spacy_tokclf.tune_malloc()" if asked else "import spacy_tokclf"
    assert (int(run(code + FAULTS)) < 1000) == asked


@glibc
def test_the_environment_has_the_last_word():
    code = "import spacy_tokclf; print(spacy_tokclf.tune_malloc())"
    assert run(code) == "True"
    assert run(code, MALLOC_ARENA_MAX="2") == "False"
    assert run(code, GLIBC_TUNABLES="glibc.malloc.arena_max=2") == "False"


def test_without_glibc_nothing_happens(monkeypatch):
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    for name in [name for name in os.environ if name.startswith(("MALLOC_", "GLIBC_"))]:
        monkeypatch.delenv(name)
    assert memory.tune_malloc() is False


def test_the_callback_sets_it(monkeypatch):
    called = []
    monkeypatch.setattr(memory, "tune_malloc", lambda: called.append(True))
    callback = spacy.util.registry.callbacks.get("spacy-tokclf.tune_malloc.v1")()
    assert not called
    nlp = spacy.blank("en")
    assert callback(nlp) is nlp and called == [True]


@glibc
def test_importing_training_and_annotating_set_nothing(encoder_dir):
    """`mallopt` is a symbol of the C library: it stays untouched in a process that does all but ask."""
    code = f"""
import ctypes
class Watched(ctypes.CDLL):
    def __getattr__(self, name):
        if name == "mallopt": raise SystemExit("mallopt was looked up")
        return super().__getattr__(name)
ctypes.CDLL = Watched
import spacy, torch
from spacy.training import Example
import spacy_tokclf
from spacy_tokclf import train_step
torch.set_num_threads(2)
nlp = spacy.blank("en")
nlp.add_pipe("token_classifier", name="ner")
loader = {{"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": {str(encoder_dir)!r}}}
nlp.config["initialize"]["components"]["ner"] = {{"encoder": loader}}
words = "London is large . " * 60
examples = [Example.from_dict(nlp.make_doc(words), {{"entities": [(0, 6, "LOC")]}})] * 4
nlp.initialize(lambda: examples)
optimizer = spacy.util.registry.optimizers.get("spacy-tokclf.AdamW.v1")(1e-4)
train_step(nlp, examples, optimizer)
assert len(list(nlp.pipe([words] * 9))) == 9
print("untouched")
"""
    assert run(code) == "untouched"
