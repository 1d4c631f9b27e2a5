"""Run `spacy train` with the project's data, encoder and seed, and note how long it took and how much memory.

The config has the last word on everything that is not asked for here. On the sample corpus, a tenth of WNUT-17,
training takes fewer steps.

Usage: python scripts/train.py configs/wnut17.cfg training --encoder assets/encoder
"""

import argparse
import resource
import shlex
import subprocess
import sys
import time
from pathlib import Path

from project_files import read_json, write_json
from spacy import util

ENCODER = "spacy-tokclf.TransformerEncoder.v1"
SAMPLE_STEPS = 240
EVALUATIONS = 4
WARMUP = 0.1


def precision_overrides(config: Path, precision: str) -> list[str]:
    """Name the setting of every encoder in a config.

    config (Path): The config.
    precision (str): The value: "fp32", "bf16" or "auto".
    RETURNS (list[str]): Options for `spacy train`.
    """
    settings = util.load_config(config, interpolate=False)
    encoders = [path[:-1] for path, value in util.walk_dict(settings) if path[-1][0] == "@" and value == ENCODER]
    return [part for path in encoders for part in (f"--{'.'.join(path)}.precision", precision)]


def steps_overrides(steps: int) -> list[str]:
    """Shorten training, the warm-up and the time between evaluations with it.

    steps (int): The number of steps; 0: as the config says.
    RETURNS (list[str]): Options for `spacy train`.
    """
    if not steps:
        return []
    values = {
        "training.max_steps": steps,
        "training.eval_frequency": max(1, steps // EVALUATIONS),
        "training.optimizer.learn_rate.warmup_steps": int(steps * WARMUP),
    }
    return [part for name, value in values.items() for part in (f"--{name}", str(value))]


def main() -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(description="Run `spacy train` with the project's data.")
    parser.add_argument("config", type=Path, help="the training config")
    parser.add_argument("out", type=Path, help="the folder for model-best, model-last and time.json")
    parser.add_argument("--encoder", required=True, help="a model folder, or a name on the Hugging Face Hub")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random")
    parser.add_argument("--gpu-id", type=int, default=-1, help="GPU to use, -1 for none")
    parser.add_argument("--precision", default="", help="fp32, bf16 or auto; empty: as the config says")
    parser.add_argument("--max-steps", type=int, default=0, help="training steps; 0: as the config says")
    parser.add_argument("--corpus", type=Path, default=Path("corpus"), help="the folder with the .spacy files")
    parser.add_argument("--data", type=Path, default=Path("assets/data.json"), help="which data it is")
    args = parser.parse_args()
    steps = args.max_steps
    if not steps and read_json(args.data)["source"] == "sample":
        steps = SAMPLE_STEPS
    command = ["python", "-m", "spacy", "train", str(args.config), "--output", str(args.out)]
    command += ["--gpu-id", str(args.gpu_id), "--system.seed", str(args.seed), "--paths.encoder", args.encoder]
    command += ["--paths.train", str(args.corpus / "train.spacy"), "--paths.dev", str(args.corpus / "dev.spacy")]
    command += precision_overrides(args.config, args.precision) if args.precision else []
    command += steps_overrides(steps)
    print(shlex.join(command), flush=True)
    times = args.out / "time.json"
    times.unlink(missing_ok=True)
    start = time.perf_counter()
    done = subprocess.run([sys.executable, *command[1:]], check=False)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise SystemExit(done.returncode)
    # Kilobytes on Linux, bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    write_json(times, {"seconds": round(seconds, 1), "peak_memory_mib": peak // 2**20})


if __name__ == "__main__":
    main()
