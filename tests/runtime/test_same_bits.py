"""The same machine, seed, config and number of threads give the same bits, whether the machine is idle or busy."""

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
