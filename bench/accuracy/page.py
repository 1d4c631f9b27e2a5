"""The page of the study, RESULTS.md: made from the committed files alone, so that anybody can make it again."""

from itertools import product
from pathlib import Path

from project_files import write_whole

from .configs import BEST, all_names, find
from .curves import Found, lines_of, read_found
from .data import NAMES
from .plots import plot_f1, plot_scores
from .results import SPLITS, Results, data_sets, read_results
from .study import Study
from .tables import (
    systems,
    table_of_levers,
    table_of_readings,
    table_of_scores,
    table_of_systems,
    table_of_tests,
    verdicts,
)

SEEDS = 5
UNCALIBRATED = f"{BEST}-calibration"
TITLES = {
    "wnut17": "WNUT-17",
    "resplit": "The training posts of WNUT-17, split anew",
    "sample": "The sample corpus of the project",
}
HEAD = """# Results

Made by `python -m bench.accuracy page` from `runs.jsonl`, `posts.jsonl`, `curves.jsonl` and `ledger.jsonl`; README.md
says what the names mean and how the figures come about. Scores are percent, micro averages over entities, mean ±
standard deviation over seeds.
"""
TESTS = """### More than chance?

Paired bootstrap over the test posts, each drawn with the predictions of all seeds that both systems have; p is
two-sided.
"""
LEVERS = """### What each lever does

Differences in F1, seed by seed. *Alone*: the plain recipe with the lever minus the plain recipe. *In the best*: the
same for the best recipe, from which levers are taken out that are in it; few of the others were put into it.
"""
VERDICTS = "Alone, on dev, by more than two standard errors over three seeds or more:\n"
SCORES = """## How sure the best recipe is

All seeds of `{name}` together, without a threshold, before scores were calibrated on dev (`{before}`) and after. ECE:
15 bins of equal size. Brier: the mean squared error, and that of the precision as everybody's score. AUROC: the
probability that a right entity has a higher score than a wrong one.
"""
READINGS = """## When the gold of test was read

{count} times: once for each config and seed, and only after config and code were committed.
"""


def write_page(study: Study) -> Path:
    """Write RESULTS.md and its pictures.

    study (Study): The study.
    RETURNS (Path): The page.
    """
    results = read_results(study)
    plots = study.here / "plots"
    parts = [HEAD]
    for data in data_sets(results):
        parts += data_part(results, data, plots)
    parts += scores_part(results, plots)
    parts += missing_part(study, results)
    if results.ledger:
        parts += [READINGS.format(count=len(results.ledger)), table_of_readings(results.ledger)]
    page = study.here / "RESULTS.md"
    write_whole(page, "\n".join(parts).encode("utf8"))
    return page


def data_part(results: Results, data: str, plots: Path) -> list[str]:
    """Show what was found on a data set.

    results (Results): The results.
    data (str): The data set.
    plots (Path): The folder for pictures.
    RETURNS (list[str]): Parts of the page.
    """
    mark = "" if data == NAMES[0] else f"@{data}"
    rows = systems(results, mark)
    if not rows:
        return []
    plot_f1(results, rows, plots / f"f1_{data}.png")
    parts = [f"## {TITLES[data]}\n", table_of_systems(results, rows), f"![F1 by system](plots/f1_{data}.png)\n"]
    tests = table_of_tests(results, BEST + mark, rows)
    if tests:
        parts += [TESTS, tests]
    levers = table_of_levers(results, mark)
    if levers:
        lines = verdicts(results) if not mark else []
        parts += [LEVERS, levers, *([VERDICTS, "\n".join(lines) + "\n"] if lines else [])]
    return parts


def scores_part(results: Results, plots: Path) -> list[str]:
    """Show what the scores of the best recipe's entities are worth.

    results (Results): The results.
    plots (Path): The folder for pictures.
    RETURNS (list[str]): Parts of the page; none without scores.
    """
    found: dict[tuple[str, str], Found] = {}
    for name, split in product((UNCALIBRATED, BEST), SPLITS):
        if name in results.definitions:
            each = read_found(lines_of(results.curves, results.definitions[name].hash, split))
            found |= {(name, split): each} if len(each.scores) else {}
    best = {split: each for (name, split), each in found.items() if name == BEST}
    if not best:
        return []
    plot_scores(best, plots / "scores.png")
    picture = "![Precision and recall by threshold, and reliability](plots/scores.png)\n"
    return [SCORES.format(name=BEST, before=UNCALIBRATED), table_of_scores(found), picture]


def missing_part(study: Study, results: Results) -> list[str]:
    """Name what the page has not: configs without runs or with few, and runs that count for nothing.

    study (Study): The study.
    results (Results): The results.
    RETURNS (list[str]): Parts of the page; none if nothing is missing.
    """
    best = find(study, BEST)
    same = set() if best is None else {best.hash}
    names = [name for name in all_names(study) if ":" not in name]
    # A lever that is not in the best recipe cannot be taken out of it.
    wanted = [name for name in names if not name.startswith(f"{BEST}-") or _hash(study, name) not in same]
    ledger = {(line["config_hash"], line["seed"]) for line in results.ledger}
    lines = [line for seeds in results.runs.values() for line in seeds.values()]
    few = [name for name in wanted if 0 < len(results.seeds(name)) < SEEDS]
    kinds = {
        "Not run": [name for name in wanted if not results.seeds(name)],
        f"Fewer than {SEEDS} seeds": [f"{name} ({len(results.seeds(name))})" for name in few],
        "Points of grids not run": [name for name in all_names(study) if ":" in name and not results.seeds(name)],
        "Run before the config was changed, and left out": results.outdated,
        "Trained with code that is in no commit": [_run(line) for line in lines if line.get("uncommitted")],
        "Scored on test, but not in the ledger": [
            _run(line)
            for line in lines
            if line["test_f1"] is not None and (line["config_hash"], line["seed"]) not in ledger
        ],
    }
    found = [f"- {kind}: {', '.join(f'`{name}`' for name in names)}." for kind, names in kinds.items() if names]
    return ["## What is missing\n", "\n".join(found) + "\n"] if found else []


def _hash(study: Study, name: str) -> str | None:
    definition = find(study, name)
    return None if definition is None else definition.hash


def _run(line: dict[str, object]) -> str:
    return f"{line['config']}, seed {line['seed']}"
