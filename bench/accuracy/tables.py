"""The tables of the page."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from spacy_tokclf.metrics.calibration import auroc, brier_score, calibration_error, constant_brier

from .configs import BEST, PLAIN
from .curves import Found
from .data import DEV
from .results import SPLITS, Results, SeedsT, Spread, differences, significance, spread
from .study import Line

#: What stands where there is no figure.
NOTHING = ""


class Row(NamedTuple):
    """A system of a table.

    title (str): What it is.
    name (str): Its config.
    """

    title: str
    name: str


def markdown(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Make a table whose first two columns are text and whose others are numbers.

    header (Sequence[str]): The names of the columns.
    rows (Iterable[Sequence[Any]]): The cells.
    RETURNS (str): Markdown.
    """
    lines = [header, [*["---"] * 2, *["---:"] * (len(header) - 2)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def percent(found: Spread | None, *, sign: bool = False) -> str:
    """Write a mean with its standard deviation, in points of a hundred.

    found (Spread | None): Both.
    sign (bool): Whether to write a plus before what is not negative.
    RETURNS (str): Such as "58.31 ± 0.42".
    """
    if found is None:
        return NOTHING
    mean = f"{100 * found.mean:{'+' if sign else ''}.2f}"
    return mean if found.deviation is None else f"{mean} ± {100 * found.deviation:.2f}"


def systems(results: Results, data: str) -> list[Row]:
    """List what was run on a data set: each config, the best point of its grid if that is another, and its fit on train
    and dev.

    results (Results): The results.
    data (str): The mark of the data set: "", or "@DATA".
    RETURNS (list[Row]): The systems that have runs.
    """
    rows = []
    for name, entry in results.entries["configs"].items():
        points = results.points(name, data)
        best = [Row(f"{entry['title']}: best on dev of {len(points)} points", point) for point in points[:1]]
        if best and results.same(best[0].name, name + data):
            rows.append(Row(best[0].title, name + data))
        else:
            rows += [Row(entry["title"], name + data), *best]
        rows.append(Row(f"{entry['title']}, fitted on train and dev", name + DEV + data))
    return [row for row in rows if results.seeds(row.name)]


def table_of_systems(results: Results, rows: Sequence[Row]) -> str:
    """Show the scores of systems.

    results (Results): The results.
    rows (Sequence[Row]): The systems.
    RETURNS (str): Markdown.
    """
    header = ("system", "config", "seeds", "dev F1", "test F1", "test precision", "test recall", "CPU minutes")
    fields = ("dev_f1", "test_f1", "test_precision", "test_recall")
    cells = []
    for row in rows:
        lines = results.seeds(row.name)
        scores = [percent(_over(lines, field)) for field in fields]
        minutes = _over(lines, "cpu_seconds")
        time = NOTHING if minutes is None else f"{minutes.mean / 60:.1f}"
        cells.append([row.title, f"`{row.name}`", _seeds(lines), *scores, time])
    return markdown(header, cells)


def table_of_tests(results: Results, reference: str, rows: Sequence[Row]) -> str | None:
    """Show whether a config differs from others by more than chance.

    results (Results): The results.
    reference (str): The config.
    rows (Sequence[Row]): The others.
    RETURNS (str | None): Markdown; None if nothing can be compared.
    """
    cells = []
    for row in rows:
        found = significance(results, reference, row.name) if row.name != reference else None
        if found is not None:
            values = [f"{100 * found[key]:+.2f}" for key in ("difference", "low", "high")]
            p = f"{found['p_value']:.4f}"
            cells.append([row.title, f"`{row.name}`", found["seeds"], values[0], f"{values[1]} to {values[2]}", p])
    header = (f"`{reference}` minus", "config", "seeds", "test F1", "95 % of resamples", "p")
    return markdown(header, cells) if cells else None


def table_of_levers(results: Results, data: str) -> str | None:
    """Show what each lever does: put into the plain recipe, and taken out of the best one.

    results (Results): The results.
    data (str): The mark of the data set: "", or "@DATA".
    RETURNS (str | None): Markdown; None if no lever was run.
    """
    cells = []
    for lever, sides in results.entries.get("levers", {}).items():
        found = [_gain(results, lever, side, split, data) for side in ("with", "without") for split in SPLITS]
        if any(found):
            seeds = max(each.n for each in found if each is not None)
            cells.append([sides["title"], f"`{lever}`", seeds, *(percent(each, sign=True) for each in found)])
    header = ("lever", "name", "seeds", *(f"{side}: {split}" for side in ("alone", "in the best") for split in SPLITS))
    return markdown(header, cells) if cells else None


def verdicts(results: Results) -> list[str]:
    """Say which levers did something alone, and which did not, judged on dev.

    results (Results): The results.
    RETURNS (list[str]): Lines of Markdown: what helped, what cannot be told, what harmed.
    """
    sides: dict[str, list[str]] = {"Helped": [], "Cannot be told from nothing": [], "Harmed": []}
    for lever in results.entries.get("levers", {}):
        gain = _gain(results, lever, "with", "dev")
        if gain is not None:
            error = 2 * (gain.deviation or 0.0) / gain.n**0.5
            told = gain.n > 2 and abs(gain.mean) > error
            side = ("Helped" if gain.mean > 0 else "Harmed") if told else "Cannot be told from nothing"
            sides[side].append(f"`{lever}` {percent(gain, sign=True)}")
    return [f"- {side}: {', '.join(names)}." for side, names in sides.items() if names]


def _gain(results: Results, lever: str, side: str, split: str, data: str = "") -> Spread | None:
    """What a lever gives: alone ("with"), or in the best recipe ("without"), which has it or is given it."""
    into_best = [(BEST, f"{BEST}-{lever}"), (f"{BEST}+{lever}", BEST)]
    for names in [(f"{PLAIN}+{lever}", PLAIN)] if side == "with" else into_best:
        pair = [name + data for name in names]
        if all(map(results.seeds, pair)) and not results.same(*pair):
            return differences(*map(results.seeds, pair), f"{split}_f1")
    return None


def table_of_scores(found: dict[tuple[str, str], Found]) -> str:
    """Show what the scores of entities are worth.

    found (dict[tuple[str, str], Found]): What was found, by config and split.
    RETURNS (str): Markdown.
    """
    header = ("config", "split", "found", "gold", "mean score", "precision", "ECE", "Brier", "of a constant", "AUROC")
    cells = []
    for (name, split), (scores, right, gold) in found.items():
        area = auroc(scores, right)
        errors = calibration_error(scores, right), brier_score(scores, right), constant_brier(right)
        values = [f"{value:.3f}" for value in (scores.mean(), right.mean(), *errors)]
        cells.append([f"`{name}`", split, len(scores), gold, *values, NOTHING if area is None else f"{area:.3f}"])
    return markdown(header, cells)


def table_of_readings(ledger: Sequence[Line]) -> str:
    """Show when the gold of test was read, and for what.

    ledger (Sequence[Line]): The lines of the ledger.
    RETURNS (str): Markdown: a row for each config, in the order of its first reading.
    """
    first: dict[tuple[str, str], Line] = {}
    seeds: dict[tuple[str, str], list[int]] = {}
    for line in ledger:
        key = (line["config"], line["config_hash"])
        first.setdefault(key, line)
        seeds.setdefault(key, []).append(line["seed"])
    rows = [
        [f"`{line['config']}`", line["time"][:16].replace("T", " "), line["commit"][:10], _listed(seeds[key])]
        for key, line in first.items()
    ]
    return markdown(("config", "first read", "at commit", "seeds"), rows)


def _over(lines: SeedsT, field: str) -> Spread | None:
    return spread(line.get(field) for line in lines.values())


def _seeds(lines: SeedsT) -> str:
    """The number of seeds, and of those that have been scored on test."""
    scored = sum(line["test_f1"] is not None for line in lines.values())
    return str(len(lines)) if scored in (0, len(lines)) else f"{len(lines)} ({scored} on test)"


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, sorted(seeds)))
