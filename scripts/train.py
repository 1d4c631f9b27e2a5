"""Run `spacy tokclf train` with the project's data, encoder and seed, and record time, memory and what computed.

The config decides everything that is not asked for here; the project's default variables change none of its values but
the paths. An earlier training in the folder is replaced. On the sample corpus, a tenth of WNUT-17, training takes fewer
steps. With dev as further training data it takes as many epochs, nothing is selected, and the pipeline of the last step
is kept. The pipeline can then be tuned on dev, or take over the parameters that another pipeline was tuned to.

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

from compute_facts import add_device_options, asked_device, describe_compute, encoder_sections
from project_files import fail, read_json, write_json
from spacy import util
from wasabi import msg

from spacy_tokclf.cli._device import device_words
from spacy_tokclf.cli._util import failing_cleanly
from spacy_tokclf.runtime.device import naming_device
from spacy_tokclf.runtime.found_devices import check_device

SAMPLE_STEPS = 240
EVALUATIONS = 4
WARMUP = 0.1
#: The encoder that the recipes were chosen for, and the learning rate for every other. It is not measured here: BERT
#: was fine-tuned with 2e-5 to 5e-5 (Devlin et al., 2019, appendix A.3), and published runs of distilbert-base-uncased
#: on WNUT-17 score higher with higher rates, which favours the upper end.
EMBEDDED, OTHER_RATE = Path("assets/encoder"), 5e-5


def precision_overrides(config: Path, precision: str) -> list[str]:
    """Set the precision of every encoder in a config.

    config (Path): The config.
    precision (str): The value: "fp32", "bf16" or "auto".
    RETURNS (list[str]): Options for `spacy tokclf train`.
    """
    settings = util.load_config(config, interpolate=False)
    return [part for path in encoder_sections(settings) for part in (f"--{'.'.join(path)}.precision", precision)]


def rate_overrides(encoder: str) -> list[str]:
    """Change the learning rate for an encoder that the recipes were not chosen for.

    encoder (str): A model folder, or a name on the Hub.
    RETURNS (list[str]): Options for `spacy tokclf train`.
    """
    if Path(encoder) == EMBEDDED:
        return []
    return ["--training.optimizer.learn_rate.initial_rate", str(OTHER_RATE)]


def steps_overrides(steps: int, *, evaluations: int = EVALUATIONS) -> list[str]:
    """Change the length of training, and with it the warm-up and the time between evaluations.

    steps (int): The number of steps; 0: as the config says.
    evaluations (int): The number of evaluations, beside the one before training.
    RETURNS (list[str]): Options for `spacy tokclf train`.
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


def train_command(args: argparse.Namespace, data: dict[str, Any]) -> list[str]:
    """Build the command line of `spacy tokclf train`.

    args (argparse.Namespace): The command line of this script.
    data (dict[str, Any]): The content of assets/data.json.
    RETURNS (list[str]): The command, without the Python that runs it.
    """
    steps = args.max_steps or (SAMPLE_STEPS if data["source"] == "sample" else 0)
    if args.with_dev:
        steps = steps_with_dev(args.config, data["splits"], steps)
    train = args.corpus / ("train_dev.spacy" if args.with_dev else "train.spacy")
    command = ["-m", "spacy", "tokclf", "train", str(args.config), str(args.out), "--overwrite"]
    command += device_words(args.device, args.gpu_id)
    command += ["--system.seed", str(args.seed), "--paths.encoder", args.encoder]
    command += ["--paths.train", str(train), "--paths.dev", str(args.corpus / "dev.spacy")]
    command += precision_overrides(args.config, args.precision) if args.precision else []
    command += rate_overrides(args.encoder)
    return command + steps_overrides(steps, evaluations=1 if args.with_dev else EVALUATIONS)


def tune_command(args: argparse.Namespace) -> list[str]:
    """Build the command line of `spacy tokclf tune` for the pipeline that is kept.

    args (argparse.Namespace): The command line of this script.
    RETURNS (list[str]): The command, without the Python that runs it; empty if no tuning was asked for.
    """
    model = args.out / ("model-last" if args.with_dev else "model-best")
    if args.tuned_like:
        options = [str(model), "--like", args.tuned_like]
    elif args.tune:
        # Scores alone: a decision bias gains nothing on WNUT-17, by cross-validation on dev.
        options = [str(model), str(args.corpus / "dev.spacy"), "--no-bias"]
        options += device_words(args.device, args.gpu_id)
    else:
        return []
    return ["-m", "spacy", "tokclf", "tune", *options, "--report", str(args.out / "tuning.json")]


def run(command: list[str]) -> None:
    """Print a command and run it; end this script if it fails.

    command (list[str]): The command, without the Python that runs it.
    RAISES (SystemExit): With its exit code, if it fails.
    """
    print(shlex.join(["python", *command]), flush=True)
    done = subprocess.run([sys.executable, *command], check=False)
    if done.returncode != 0:
        raise SystemExit(done.returncode)


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line of this script.

    arguments (list[str] | None): The arguments; None: those of this process.
    RETURNS (argparse.Namespace): The parsed arguments.
    """
    parser = argparse.ArgumentParser(description="Run `spacy tokclf train` with the project's data.")
    parser.add_argument("config", type=Path, help="the training config")
    parser.add_argument("out", type=Path, help="the folder for model-best, model-last, log.jsonl and time.json")
    parser.add_argument("--encoder", required=True, help="a model folder, or a name on the Hugging Face Hub")
    parser.add_argument("--seed", type=int, default=0, help="random seed")
    add_device_options(parser)
    parser.add_argument("--precision", default="", help="fp32, bf16 or auto; empty: as the config says")
    parser.add_argument("--max-steps", type=int, default=0, help="training steps; 0: as the config says")
    parser.add_argument("--corpus", type=Path, default=Path("corpus"), help="the folder with the .spacy files")
    parser.add_argument("--data", type=Path, default=Path("assets/data.json"), help="which data it is")
    parser.add_argument("--with-dev", action="store_true", help="train on train and dev, and keep the last pipeline")
    parser.add_argument("--tune", action="store_true", help="tune the best pipeline on dev")
    parser.add_argument("--tuned-like", help="copy the parameters that this pipeline was tuned to")
    return parser.parse_args(arguments)


def main() -> None:
    """Train as the command line says."""
    args = parse_args()
    if args.tune and args.with_dev:
        fail("Dev cannot tune what was trained on it", "Leave out --tune, or name a pipeline with --tuned-like.")
    command = train_command(args, read_json(args.data))
    config = util.load_config(args.config, interpolate=False)
    with failing_cleanly(), naming_device(args.device, gpu_id=args.gpu_id):
        check_device(asked_device(args.gpu_id))
        compute = describe_compute(config, gpu_id=args.gpu_id, precision=args.precision)
    msg.info("Computing with " + ", ".join(f"{name} {value}" for name, value in compute.items()))
    # time.json is written last: where it is, training and tuning are complete.
    times = args.out / "time.json"
    times.unlink(missing_ok=True)
    start = time.perf_counter()
    run(command)
    seconds = time.perf_counter() - start
    if args.with_dev:
        # Selected by a score on its own training data: nobody should take it.
        shutil.rmtree(args.out / "model-best")
    tuning = tune_command(args)
    if tuning:
        run(tuning)
    # Kilobytes on Linux, bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    write_json(times, {"seconds": round(seconds, 1), "peak_memory_mib": peak // 2**20, "compute": compute})


if __name__ == "__main__":
    main()
