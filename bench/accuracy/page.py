"""The pages of the study, RESULTS.md and DETAILS.md: made from the committed files alone, so that anybody can make them
again.
"""

import statistics
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import srsly
from project_files import write_whole

from spacy_tokclf.metrics.calibration import auroc, brier_score, calibration_error, constant_brier

from .configs import Config, read_configs
from .data import NAMES
from .plots import plot_f1, plot_scores
from .results import Seeds, differences, grid_points, read_runs, significance
from .scoring import CALIBRATION, read_entity_scores
from .study import Line, Study, read_lines

SPLITS = ("dev", "test")
#: Encoders by their folders: what they are called here, and their parameters.
ENCODERS = {"assets/encoder": "small, 22.6 M", "assets/encoder-large": "large, 109 M"}
MAIN = "wnut17"
TITLES = {
    MAIN: "WNUT-17",
    "resplit": "The training posts of WNUT-17, split anew",
    "sample": "The sample corpus of the project",
}
HEAD = """# Results

Recipes for WNUT-17 (novel and emerging entities in noisy text) beside their peers: which is best, whether by more than
chance, and what it is made of. F1 of entities on gold tokens, percent, mean ± standard deviation over seeds. Everything
was chosen on dev; test was read once for each config and seed.

[README.md](README.md) says what the names mean and how all of it is run again; [DETAILS.md](DETAILS.md) has other data,
calibration in figures, and when test was read; [TRIED.md](TRIED.md) has what never became an option. This page is made
by `python -m bench.accuracy page`.

## Which is best
"""
DETAILS = """# Details of the results

What [RESULTS.md](RESULTS.md) has no room for, made with it.
"""
TESTS = """## By more than chance?

A paired bootstrap over the test posts, the seeds of each together; p is two-sided.
"""
ABLATIONS = """## What helped, and what did not

Differences in F1, seed by seed. *In the best*: the best recipe with the setting minus the best recipe without it.
*Alone*: the plain recipe with the setting minus the plain recipe.
"""
SETTINGS = "### What each setting does\n"
SCORES = """## Can the scores of entities be believed?

Test, all seeds together, scores calibrated on dev. In figures: [DETAILS.md](DETAILS.md).

![Precision and recall by threshold, and reliability](plots/scores.png)
"""
CALIBRATED = """## How well the scores of entities are calibrated

All seeds together, without a threshold; `{}`: before scores were calibrated on dev. ECE: the expected calibration
error, 15 bins of equal size. Brier: the mean squared error, and that of the precision as everybody's score. AUROC: the
probability that a true positive has a higher score than a false one.
"""
OUTDATED = "## Left out\n\nRuns of configs that were changed since, or are there no more: {}.\n"
READINGS = """## When the gold of test was read

{} times: once for each config and seed, and only after config and code were committed.
"""
#: The title of a system, and its config.
SystemT = tuple[str, str]


def write_page(study: Study) -> Path:
    """Write RESULTS.md with its plots, and DETAILS.md.

    study (Study): The study.
    RETURNS (Path): RESULTS.md.
    """
    configs = read_configs(study)
    runs, outdated = read_runs(study, configs)
    systems = _systems(runs, configs, MAIN)
    parts = [HEAD, *_table_of_systems(runs, configs, systems)]
    if systems:
        f1 = {split: [_column(runs[name], f"{split}_f1") for _, name in systems] for split in SPLITS}
        plot_f1([title.split(": best on dev")[0] for title, _ in systems], f1, study.file("plots") / "f1.png")
        parts.append("![F1 by system](plots/f1.png)\n")
    pairs = srsly.read_yaml(study.configs).get("comparisons") or [[systems[0][1], name] for _, name in systems[1:]]
    parts += [*_tests(study, configs, pairs, TESTS), *_ablations(study, runs, MAIN, ABLATIONS)]
    table, is_plotted = _calibration(study, configs)
    parts += [SCORES] if is_plotted else []
    details = [DETAILS]
    for data in NAMES[1:]:
        others = _systems(runs, configs, data)
        tables = _table_of_systems(runs, configs, others)
        pairs = [[others[0][1], name] for _, name in others[1:]]
        tables += [*_tests(study, configs, pairs, ""), *_ablations(study, runs, data, SETTINGS)]
        details += [f"## {TITLES[data]}\n", *tables] if tables else []
    details += table
    if outdated:
        details.append(OUTDATED.format(", ".join(f"`{name}`" for name in outdated)))
    ledger = read_lines(study.file("ledger.jsonl"))
    if ledger:
        details += [READINGS.format(len(ledger)), _readings(ledger)]
    for name, texts in (("RESULTS.md", parts), ("DETAILS.md", details)):
        write_whole(study.file(name), "\n".join(texts).encode("utf8"))
    return study.file("RESULTS.md")


def _systems(runs: dict[str, Seeds], configs: dict[str, Config], data: str) -> list[SystemT]:
    """List the systems that were run on a data set; of a grid, its best point."""
    systems: list[SystemT] = []
    for name, config in configs.items():
        if config.title and config.data == data:
            points = grid_points(runs, configs, name)
            title = f"{config.title}: best on dev of {len(points)} points"
            same = bool(points) and runs[name] and configs[points[0]].hash == config.hash
            systems += [(title if same else config.title, name)] if runs[name] else []
            systems += [(title, points[0])] if points and not same else []
    return systems


def _table_of_systems(runs: dict[str, Seeds], configs: dict[str, Config], systems: Sequence[SystemT]) -> list[str]:
    """Show the scores of systems."""
    cells = []
    for title, name in systems:
        lines = runs[name]
        scored = len(_column(lines, "test_f1"))
        seeds = str(len(lines)) + (f" ({scored} on test)" if 0 < scored < len(lines) else "")
        fields = ("dev_f1", "test_f1", "test_precision", "test_recall")
        own = (f"`{name}`", ENCODERS.get(configs[name].encoder, configs[name].encoder), _where(lines), seeds)
        cells.append([title, *own, *(_percent(_column(lines, field)) for field in fields)])
    header = ("system", "config", "encoder", "trained on", "seeds", "dev F1", "test F1", "precision", "recall")
    return [_table(header, cells, text=4)] if cells else []


def _where(lines: Seeds) -> str:
    """Say what the runs of a config were trained on: of those on the CPU, how long it computed."""
    devices = sorted({line.get("device", "cpu") for line in lines.values()})
    if devices != ["cpu"]:
        return ", ".join(devices)
    return f"CPU, {statistics.mean(_column(lines, 'cpu_seconds')) / 60:.1f} minutes"


def _tests(study: Study, configs: dict[str, Config], pairs: Sequence[Sequence[str]], heading: str) -> list[str]:
    """Show by how much configs are above others on test, and whether by more than chance."""
    posts, cells = read_lines(study.file("posts.jsonl")), []
    for one, other in pairs:
        found = significance(posts, configs[one], configs[other])
        if found:
            gain, low, high = (f"{100 * found[key]:+.2f}" for key in ("difference", "low", "high"))
            names = [
                f"{configs[name].title} (`{name}`)" if configs[name].title else f"`{name}`" for name in (one, other)
            ]
            cells.append([*names, found["seeds"], gain, f"{low} to {high}", f"{found['p_value']:.4f}"])
    header = ("", "minus", "seeds", "test F1", "95 % of resamples", "p")
    return [*([heading] if heading else []), _table(header, cells)] if cells else []


def _ablations(study: Study, runs: dict[str, Seeds], data: str, heading: str) -> list[str]:
    """Show what each setting gives on a data set, first what gives most: in the best recipe, or alone."""
    configs, rows = read_configs(study), []
    for name, ablation in srsly.read_yaml(study.configs)["ablations"].items():
        pairs = [ablation.get(side, ()) for side in ("in_best", "alone")]
        if data in {configs[each].data for pair in pairs for each in pair}:
            sides = [[runs[each] for each in pair] or [{}, {}] for pair in pairs]
            gains = [differences(*side, f"{split}_f1") for side, split in product(sides, SPLITS)]
            shown = [_percent(gain, sign=True) for gain in gains]
            row = [ablation["title"], f"`{name}`", max(map(len, gains)), *shown]
            rows += [(gains[0] or gains[2] or gains[1] or gains[3], row)] if any(gains) else []
    if not rows:
        return []
    rows.sort(key=lambda each: -statistics.mean(each[0]))
    helped = [row[0] for gain, row in rows if len(gain) > 1 and statistics.mean(gain) > statistics.stdev(gain)]
    other = [row[0] for _, row in rows if row[0] not in helped]
    said = [("**Helped**, on dev by more than it varies over seeds:", helped), ("**Did not:**", other)]
    lists = "\n".join(f"- {what} {'; '.join(which)}." for what, which in said if which)
    header = ("setting", "name", "seeds", "in the best: dev", "in the best: test", "alone: dev", "alone: test")
    return [heading, f"{lists}\n", _table(header, [row for _, row in rows])]


def _calibration(study: Study, configs: dict[str, Config]) -> tuple[list[str], bool]:
    """Show what the scores of entities are worth: in a table, and whether there is a plot."""
    lines = read_lines(study.file("scores.jsonl"))
    found = {}
    for name, split in product(CALIBRATION, SPLITS):
        wanted = (name in configs and configs[name].hash, split)
        own = [line for line in lines if (line["config_hash"], line["split"]) == wanted]
        found |= {(name, split): read_entity_scores(own)} if own else {}
    if not found:
        return [], False
    plotted = {
        configs[name].title: each for (name, split), each in found.items() if configs[name].title and split == "test"
    }
    if plotted:
        plot_scores(plotted, study.file("plots/scores.png"))
    cells = []
    for (name, split), (scores, correct, gold) in found.items():
        errors = calibration_error(scores, correct), brier_score(scores, correct), constant_brier(correct)
        area = auroc(scores, correct)
        values = [f"{value:.3f}" for value in (scores.mean(), correct.mean(), *errors)]
        cells.append([f"`{name}`", split, len(scores), gold, *values, "" if area is None else f"{area:.3f}"])
    header = ("config", "split", "found", "gold", "mean score", "precision", "ECE", "Brier", "of a constant", "AUROC")
    return [CALIBRATED.format(CALIBRATION[0]), _table(header, cells)], bool(plotted)


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


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]], *, text: int = 2) -> str:
    """Make a table in Markdown whose first columns are text and whose others are numbers."""
    lines = [header, [*["---"] * text, *["---:"] * (len(header) - text)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"
