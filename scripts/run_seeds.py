"""Train and score the project's recipe with several seeds: what stands beside the run of seed 0.

Every seed is trained once with the config as it stands and scored once; nothing is selected on test. A seed that has
its scores already is not run again.

Usage: python scripts/run_seeds.py configs/wnut17.cfg metrics/seeds.json --encoder assets/encoder
"""

import argparse
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from project_files import checksum, fail, read_json, write_json
from wasabi import msg

FOLDER = Path("training/seeds")
SCORES = ("overall_precision", "overall_recall", "overall_f1")


def run_seed(config: Path, seed: int, encoder: str, precision: str) -> dict[str, Any]:
    """Train with one seed, and score the best model on dev and test.

    config (Path): The training config.
    seed (int): The seed.
    encoder (str): A model folder, or a name on the Hub.
    precision (str): "fp32", "bf16" or "auto".
    RETURNS (dict[str, Any]): The seed, the time it took, and the scores.
    """
    out = FOLDER / str(seed)
    train = ["scripts/train.py", str(config), str(out), "--encoder", encoder, "--seed", str(seed)]
    subprocess.run([sys.executable, *train, "--precision", precision, "--tune"], check=True)
    score = ["scripts/evaluate_model.py", str(out / "model-best"), "--metrics", str(out)]
    subprocess.run([sys.executable, *score], check=True)
    result = {
        "seed": seed,
        "config_sha256": checksum(config),
        "training": read_json(out / "time.json"),
        **{split: read_json(out / f"{split}.json") for split in ("dev", "test")},
        "raw_text": read_json(out / "raw_text.json"),
    }
    for name in ("model-best", "model-last"):
        shutil.rmtree(out / name)
    return result


def table_of(runs: list[dict[str, Any]]) -> str:
    """Make a table of the scores.

    runs (list[dict[str, Any]]): What `run_seed` gave.
    RETURNS (str): A Markdown table: a row a seed, then mean and standard deviation.
    """
    names = [f"{split} {score.removeprefix('overall_')}" for split in ("dev", "test") for score in SCORES]
    rows = [[run[split][score] for split in ("dev", "test") for score in SCORES] for run in runs]
    lines = [f"| seed | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    lines += [
        f"| {run['seed']} | {' | '.join(f'{value:.4f}' for value in row)} |"
        for run, row in zip(runs, rows, strict=True)
    ]
    for name, function in (("mean", statistics.mean), ("sd", statistics.stdev)):
        if len(rows) > 1:
            lines.append(f"| {name} | {' | '.join(f'{function(column):.4f}' for column in zip(*rows, strict=True))} |")
    return "\n".join(lines)


def main() -> None:
    """Run the seeds named on the command line."""
    parser = argparse.ArgumentParser(description="Train and score with several seeds.")
    parser.add_argument("config", type=Path, help="the training config")
    parser.add_argument("out", type=Path, help="the file that collects the scores")
    parser.add_argument("--encoder", required=True, help="a model folder, or a name on the Hugging Face Hub")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4], help="the seeds")
    parser.add_argument("--precision", default="auto", help="fp32, bf16 or auto")
    args = parser.parse_args()
    if read_json(Path("assets/data.json"))["source"] != "wnut17":
        fail("Seeds are compared on WNUT-17 only", "The data at hand is the sample corpus; name WNUT17_DIR.")
    digest = checksum(args.config)
    runs = read_json(args.out) if args.out.is_file() else []
    runs = [run for run in runs if run["config_sha256"] == digest]
    for seed in args.seeds:
        if all(run["seed"] != seed for run in runs):
            runs.append(run_seed(args.config, seed, args.encoder, args.precision))
            write_json(args.out, runs)
    print(table_of(sorted(runs, key=lambda run: run["seed"])))
    msg.good(f"Scores of {len(runs)} seeds: {args.out}")


if __name__ == "__main__":
    main()
