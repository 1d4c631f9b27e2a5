"""Run `spacy train` with the project's data, encoder and seed, and note how long it took and how much memory.

The config has the last word on everything that is not asked for here. On the sample corpus, a tenth of WNUT-17,
training takes fewer steps. With dev as training data, too, it takes as many epochs, nothing is chosen, and the pipeline
of the last step is kept. Then the pipeline can be tuned on dev, or take over the numbers of one that was.

Usage: python scripts/train.py configs/wnut17.cfg training --encoder assets/encoder
"""

import argparse
import resource
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from project_files import fail, read_json, write_json
from spacy import util

ENCODER = "spacy-tokclf.TransformerEncoder.v1"
SAMPLE_STEPS = 240
EVALUATIONS = 4
WARMUP = 0.1
#: The encoder that the recipes were chosen for, and the learning rate for every other. It is not measured here: BERT
#: was fine-tuned with 2e-5 to 5e-5 (Devlin et al., 2019, appendix A.3), and published runs of distilbert-base-uncased
#: on WNUT-17 score more the more they learn, which speaks for the upper end.
EMBEDDED, OTHER_RATE = Path("assets/encoder"), 5e-5


def encoder_sections(settings: dict[str, Any]) -> list[tuple[str, ...]]:
    """Find every encoder of ours in a config.

    settings (dict[str, Any]): The config.
    RETURNS (list[tuple[str, ...]]): The keys that lead to each.
    """
    return [path[:-1] for path, value in util.walk_dict(settings) if path[-1][0] == "@" and value == ENCODER]


def precision_overrides(config: Path, precision: str) -> list[str]:
    """Name the setting of every encoder in a config.

    config (Path): The config.
    precision (str): The value: "fp32", "bf16" or "auto".
    RETURNS (list[str]): Options for `spacy train`.
    """
    settings = util.load_config(config, interpolate=False)
    return [part for path in encoder_sections(settings) for part in (f"--{'.'.join(path)}.precision", precision)]


def rate_overrides(encoder: str) -> list[str]:
    """Change the learning rate for an encoder that the recipes were not chosen for.

    encoder (str): A model folder, or a name on the Hub.
    RETURNS (list[str]): Options for `spacy train`.
    """
    if Path(encoder) == EMBEDDED:
        return []
    return ["--training.optimizer.learn_rate.initial_rate", str(OTHER_RATE)]


def steps_overrides(steps: int, *, evaluations: int = EVALUATIONS) -> list[str]:
    """Change the length of training, and with it the warm-up and the time between evaluations.

    steps (int): The number of steps; 0: as the config says.
    evaluations (int): The number of evaluations, beside the one before training.
    RETURNS (list[str]): Options for `spacy train`.
    """
    if not steps:
        return []
    values = {
        "training.max_steps": steps,
        "training.eval_frequency": max(1, steps // evaluations),
        "training.optimizer.learn_rate.warmup_steps": int(steps * WARMUP),
    }
    return [part for name, value in values.items() for part in (f"--{name}", str(value))]


def steps_with_dev(config: Path, splits: dict[str, dict[str, int]], steps: int) -> int:
    """Count the steps of as many epochs over train and dev as the recipe has over train.

    config (Path): The recipe.
    splits (dict[str, dict[str, int]]): The number of posts in each split.
    steps (int): The steps of the recipe; 0: as the config says.
    RETURNS (int): The number of steps.
    """
    train, dev = (splits[split]["posts"] for split in ("train", "dev"))
    steps = steps or util.load_config(config, interpolate=False)["training"]["max_steps"]
    return round(steps * (train + dev) / train)


def tune(args: argparse.Namespace) -> None:
    """Tune the pipeline that is kept, if that was asked for. It is written before time.json, which ends a training.

    args (argparse.Namespace): The command line.
    RAISES (SystemExit): If it fails.
    """
    model = args.out / ("model-last" if args.with_dev else "model-best")
    if args.tuned_like:
        command = [str(model), "--like", args.tuned_like]
    elif args.tune:
        # Scores alone: a decision bias gains nothing on WNUT-17, by cross-validation on dev.
        command = [str(model), str(args.corpus / "dev.spacy"), "--no-bias", "--gpu-id", str(args.gpu_id)]
    else:
        return
    command = ["python", "-m", "spacy", "tokclf", "tune", *command, "--report", str(args.out / "tuning.json")]
    print(shlex.join(command), flush=True)
    done = subprocess.run([sys.executable, *command[1:]], check=False)
    if done.returncode != 0:
        raise SystemExit(done.returncode)


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
    parser.add_argument("--with-dev", action="store_true", help="train on train and dev, and keep the last pipeline")
    parser.add_argument("--tune", action="store_true", help="tune the best pipeline on dev")
    parser.add_argument("--tuned-like", help="take over what this pipeline was tuned to")
    args = parser.parse_args()
    if args.tune and args.with_dev:
        fail("Dev cannot tune what was trained on it", "Leave out --tune, or name a pipeline with --tuned-like.")
    data = read_json(args.data)
    steps = args.max_steps or (SAMPLE_STEPS if data["source"] == "sample" else 0)
    if args.with_dev:
        steps = steps_with_dev(args.config, data["splits"], steps)
    command = ["python", "-m", "spacy", "train", str(args.config), "--output", str(args.out)]
    command += ["--gpu-id", str(args.gpu_id), "--system.seed", str(args.seed), "--paths.encoder", args.encoder]
    train = "train_dev" if args.with_dev else "train"
    command += ["--paths.train", str(args.corpus / f"{train}.spacy"), "--paths.dev", str(args.corpus / "dev.spacy")]
    command += precision_overrides(args.config, args.precision) if args.precision else []
    command += rate_overrides(args.encoder)
    command += steps_overrides(steps, evaluations=1 if args.with_dev else EVALUATIONS)
    print(shlex.join(command), flush=True)
    times = args.out / "time.json"
    times.unlink(missing_ok=True)
    start = time.perf_counter()
    done = subprocess.run([sys.executable, *command[1:]], check=False)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise SystemExit(done.returncode)
    if args.with_dev:
        # The best one by a score on what it was trained on: nobody should take it.
        shutil.rmtree(args.out / "model-best")
    tune(args)
    # Kilobytes on Linux, bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    write_json(times, {"seconds": round(seconds, 1), "peak_memory_mib": peak // 2**20})


if __name__ == "__main__":
    main()
