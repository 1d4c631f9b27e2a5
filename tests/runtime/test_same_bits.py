"""The same machine, seed, config and number of threads give the same bits: whether the machine is idle or busy, and
from process to process, whose hashes of strings differ."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUSY = "import torch; torch.set_num_threads(1); x = torch.randn(500, 500)\nwhile True: x @ x"
#: A training of the recipe on the sample corpus, cut short: steps, an evaluation and a save.
STEPS = 10

pytestmark = pytest.mark.slow


def train(out, encoder, precision):
    """Train in a process with two threads. Gives the md5 sums of all files with weights."""
    command = [sys.executable, "-m", "spacy", "train", str(ROOT / "configs" / "wnut17.cfg"), "--output", str(out)]
    settings = {
        "paths.train": out.parent / "train.spacy",
        "paths.dev": out.parent / "dev.spacy",
        "paths.encoder": encoder,
        "training.max_steps": STEPS,
        "training.eval_frequency": STEPS // 2,
        "training.optimizer.learn_rate.warmup_steps": 2,
        "components.ner.model.tok2vec.precision": precision,
    }
    command += [part for name, value in settings.items() for part in (f"--{name}", str(value))]
    done = subprocess.run(
        command, env=os.environ | {"OMP_NUM_THREADS": "2"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    files = sorted(path for path in out.rglob("*") if path.is_file() and path.name in ("model", "model.safetensors"))
    assert len(files) == 4
    return [hashlib.md5(path.read_bytes()).hexdigest() for path in files]


@pytest.fixture
def corpus(tmp_path):
    """The sample corpus as DocBins."""
    from spacy_tokclf.corpus import read_conll, write_docbin

    for split in ("train", "dev"):
        write_docbin(read_conll(ROOT / "sample" / f"{split}.conll"), tmp_path / f"{split}.spacy")
    return tmp_path


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_busy_machine_gives_the_same_bits(corpus, embedded_encoder, precision):
    idle = train(corpus / "idle", embedded_encoder, precision)
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(2)]
    try:
        beside_others = train(corpus / "busy", embedded_encoder, precision)
        assert all(process.poll() is None for process in busy)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert beside_others == idle


def files_of(folder):
    """Give the contents of all files below a folder, but for the log, which has times in it."""
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }
    return {name: content for name, content in found.items() if not name.endswith("log.jsonl")}


def test_every_byte_from_process_to_process(encoder_dir_dropout, tmp_path):
    """Four processes at once, which keep each other waiting, with one thread and two, and hashes of their own: weights,
    averages, strings in their order, settings, metrics and the data that were written."""
    worker = ROOT / "tests" / "helpers" / "train_kinds.py"
    processes = {}
    for threads in ("1", "2"):
        for hashes in ("0", "1234"):
            out = tmp_path / f"{threads}-{hashes}"
            environ = os.environ | {"OMP_NUM_THREADS": threads, "PYTHONHASHSEED": hashes}
            command = [sys.executable, str(worker), str(encoder_dir_dropout), str(out), threads]
            with (tmp_path / f"{out.name}.log").open("w") as log:
                processes[out] = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
    for out, process in processes.items():
        assert process.wait() == 0, (tmp_path / f"{out.name}.log").read_text()[-2000:]
    folders = {out.name: files_of(out) for out in processes}
    assert sum(name.endswith(("model.safetensors", "/model")) for name in folders["1-0"]) == 18
    assert {"data/train.spacy", "crf-bf16/model-best/meta.json", "shared/model-last/vocab/strings.json"} <= set(
        folders["1-0"]
    )
    for threads in ("1", "2"):
        one, other = folders[f"{threads}-0"], folders[f"{threads}-1234"]
        assert sorted(one) == sorted(other)
        assert [name for name in one if one[name] != other[name]] == []
