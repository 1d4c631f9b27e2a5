"""The page of the study, RESULTS.md: made from the committed files alone, so that anybody can make it again."""

import statistics
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import srsly
from project_files import write_whole

from spacy_tokclf.metrics.calibration import auroc, brier_score, calibration_error, constant_brier

from .configs import BEST, read_configs
from .data import NAMES
from .plots import plot_f1, plot_scores
from .results import Seeds, differences, grid_points, read_runs, significance
from .scoring import CALIBRATION, read_entity_scores
from .study import Line, Study, read_lines

SPLITS = ("dev", "test")
TITLES = {
    "wnut17": "WNUT-17",
    "resplit": "The training posts of WNUT-17, split anew",
    "sample": "The sample corpus of the project",
}
HEAD = """# Results

Made by `python -m bench.accuracy page` from `runs.jsonl`, `posts.jsonl`, `scores.jsonl` and `ledger.jsonl`; README.md
says what the names mean and how the figures come about. Scores are percent, micro averages over entities, mean ±
standard deviation over seeds.
"""
TESTS = "### More than chance?\n\nA paired bootstrap over the test posts, the seeds of each together; p is two-sided.\n"
ABLATIONS = """### What each setting does

Differences in F1, seed by seed. *Alone*: the plain recipe with the setting minus the plain recipe. *In the best*: the
best recipe with the setting minus the best recipe without it.
"""
CALIBRATED = """## How well the scores of entities are calibrated

All seeds together, without a threshold, before scores were calibrated on dev (`{}`) and after (`{}`). ECE: the expected
calibration error, 15 bins of equal size. Brier: the mean squared error, and that of the precision as everybody's score.
AUROC: the probability that a true positive has a higher score than a false one.
"""
OUTDATED = "## Left out\n\nRuns of configs that were changed since, or are there no more: {}.\n"
READINGS = """## When the gold of test was read

{} times: once for each config and seed, and only after config and code were committed.
"""


def write_page(study: Study) -> Path:
    """Write RESULTS.md and its plots.

    study (Study): The study.
    RETURNS (Path): The page.
    """
    runs, outdated = read_runs(study, read_configs(study))
    parts = [HEAD]
    for data in NAMES:
        table, systems = _systems(study, runs, data)
        parts += [*table, *_tests(study, systems), *_ablations(study, runs, data)]
    parts += _calibration(study)
    if outdated:
        parts.append(OUTDATED.format(", ".join(f"`{name}`" for name in outdated)))
    ledger = read_lines(study.file("ledger.jsonl"))
    if ledger:
        parts += [READINGS.format(len(ledger)), _readings(ledger)]
    write_whole(study.file("RESULTS.md"), "\n".join(parts).encode("utf8"))
    return study.file("RESULTS.md")


def _systems(study: Study, runs: dict[str, Seeds], data: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Show the scores of the systems on a data set, and list them: the title of each and its config."""
    configs = read_configs(study)
    systems: list[tuple[str, str]] = []
    for name, config in configs.items():
        if config.title and config.data == data:
            points = grid_points(runs, configs, name)
            title = f"{config.title}: best on dev of {len(points)} points"
            same = bool(points) and runs[name] and configs[points[0]].hash == config.hash
            systems += [(title if same else config.title, name)] if runs[name] else []
            systems += [(title, points[0])] if points and not same else []
    if not systems:
        return [], []
    f1 = {split: [_column(runs[name], f"{split}_f1") for _, name in systems] for split in SPLITS}
    plot_f1([title.split(": best on dev")[0] for title, _ in systems], f1, study.file("plots") / f"f1_{data}.png")
    cells = []
    for title, name in systems:
        scored = len(_column(runs[name], "test_f1"))
        seeds = str(len(runs[name])) + (f" ({scored} on test)" if 0 < scored < len(runs[name]) else "")
        fields = ("dev_f1", "test_f1", "test_precision", "test_recall")
        minutes = statistics.mean(_column(runs[name], "cpu_seconds")) / 60
        cells.append([title, f"`{name}`", seeds, *(_percent(_column(runs[name], field)) for field in fields)])
        cells[-1].append(f"{minutes:.1f}")
    header = ("system", "config", "seeds", "dev F1", "test F1", "test precision", "test recall", "CPU minutes")
    return [f"## {TITLES[data]}\n", _table(header, cells), f"![F1 by system](plots/f1_{data}.png)\n"], systems


def _tests(study: Study, systems: Sequence[tuple[str, str]]) -> list[str]:
    """Show by how much the first system is above each of the others, and whether by more than chance."""
    configs, posts, cells = read_configs(study), read_lines(study.file("posts.jsonl")), []
    for title, name in systems[1:]:
        found = significance(posts, configs[systems[0][1]], configs[name])
        if found:
            gain, low, high = (f"{100 * found[key]:+.2f}" for key in ("difference", "low", "high"))
            cells.append([title, f"`{name}`", found["seeds"], gain, f"{low} to {high}", f"{found['p_value']:.4f}"])
    header = (f"`{systems[0][1]}` minus", "config", "seeds", "test F1", "95 % of resamples", "p") if cells else ()
    return [TESTS, _table(header, cells)] if cells else []


def _ablations(study: Study, runs: dict[str, Seeds], data: str) -> list[str]:
    """Show what each setting gives on a data set."""
    configs, cells = read_configs(study), []
    for name, ablation in srsly.read_yaml(study.configs)["ablations"].items():
        pairs = [ablation.get(side, ()) for side in ("alone", "in_best")]
        if data in {configs[each].data for pair in pairs for each in pair}:
            sides = [[runs[each] for each in pair] or [{}, {}] for pair in pairs]
            gains = [differences(*side, f"{split}_f1") for side, split in product(sides, SPLITS)]
            shown = [_percent(gain, sign=True) for gain in gains]
            cells += [[ablation["title"], f"`{name}`", max(map(len, gains)), *shown]] if any(gains) else []
    header = ("setting", "name", "seeds", "alone: dev", "alone: test", "in the best: dev", "in the best: test")
    return [ABLATIONS, _table(header, cells)] if cells else []


def _calibration(study: Study) -> list[str]:
    """Show what the scores of the best recipe's entities are worth."""
    configs, lines = read_configs(study), read_lines(study.file("scores.jsonl"))
    found = {}
    for name, split in product(CALIBRATION, SPLITS):
        wanted = (name in configs and configs[name].hash, split)
        own = [line for line in lines if (line["config_hash"], line["split"]) == wanted]
        found |= {(name, split): read_entity_scores(own)} if own else {}
    if not found:
        return []
    plot_scores({split: each for (name, split), each in found.items() if name == BEST}, study.file("plots/scores.png"))
    cells = []
    for (name, split), (scores, correct, gold) in found.items():
        errors = calibration_error(scores, correct), brier_score(scores, correct), constant_brier(correct)
        area = auroc(scores, correct)
        values = [f"{value:.3f}" for value in (scores.mean(), correct.mean(), *errors)]
        cells.append([f"`{name}`", split, len(scores), gold, *values, "" if area is None else f"{area:.3f}"])
    header = ("config", "split", "found", "gold", "mean score", "precision", "ECE", "Brier", "of a constant", "AUROC")
    plot = "![Precision and recall by threshold, and reliability](plots/scores.png)\n"
    return [CALIBRATED.format(*CALIBRATION), _table(header, cells), plot]


def _readings(ledger: Sequence[Line]) -> str:
    """Show when the gold of test was read, and for what: a row for each config, in the order of its first reading."""
    runs: dict[tuple[str, str], list[Line]] = {}
    for line in ledger:
        runs.setdefault((line["config"], line["config_hash"]), []).append(line)
    cells = []
    for (name, _), lines in runs.items():
        time, commit = lines[0]["time"][:16].replace("T", " "), lines[0]["commit"][:10]
        cells.append([f"`{name}`", time, commit, ", ".join(map(str, sorted(line["seed"] for line in lines)))])
    return _table(("config", "first read", "at commit", "seeds"), cells)


def _column(lines: Seeds, field: str) -> list[float]:
    """List a field of the runs of a config, without those that do not have it."""
    return [line[field] for line in lines.values() if line.get(field) is not None]


def _percent(values: Sequence[float], *, sign: bool = False) -> str:
    """Write a mean with its standard deviation (n - 1), in percent, such as "58.31 ± 0.42"; "" without values."""
    if not values:
        return ""
    mean = f"{100 * statistics.mean(values):{'+' if sign else ''}.2f}"
    return f"{mean} ± {100 * statistics.stdev(values):.2f}" if len(values) > 1 else mean


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Make a table in Markdown whose first two columns are text and whose others are numbers."""
    lines = [header, [*["---"] * 2, *["---:"] * (len(header) - 2)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"
