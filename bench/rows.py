"""Rows: the results of a measurement, as JSON and as a table."""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wasabi import msg

from .system import System

Row = dict[str, Any]


def make_rows(
    work: str,
    unit: str,
    systems: Sequence[System],
    answers: dict[str, list[dict[str, Any]]],
    *,
    value: str = "value",
    **facts: Any,
) -> list[Row]:
    """Make a row a system out of what its rounds measured.

    work (str): What was done.
    unit (str): Of the values.
    systems (Sequence[System]): The systems.
    answers (dict[str, list[dict[str, Any]]]): What `run_rounds` gave.
    value (str): The name of the measured value in a result.
    facts (Any): What every row says beside.
    RETURNS (list[Row]): The rows. `value` is the median of the rounds, `ratio` that over the reference's.
    """
    rows = []
    for system in systems:
        about, *results = answers[system.key]
        values = [result[value] for result in results]
        rows.append(
            {
                "work": work,
                "system": system.name,
                "precision": system.precision,
                "value": significant(statistics.median(values)),
                "unit": unit,
                "ratio": None,
                "f1": results[0].get("f1"),
                "reference": system.reference,
                "values": [significant(one) for one in values],
                "environment": system.environment,
                **about,
                **facts,
            }
        )
    set_ratios(rows, smaller_is_better=unit in ("s", "ms", "MiB"))
    return rows


def read_rows(path: Path) -> list[Row]:
    """RETURNS (list[Row]): The rows of a file; none if it is not there."""
    rows: list[Row] = json.loads(path.read_text(encoding="utf8")) if path.is_file() else []
    return rows


def set_ratios(rows: Sequence[Row], *, smaller_is_better: bool = False) -> None:
    """Set every row's `ratio`: its value over that of the reference, or of the best of several references.

    rows (Sequence[Row]): Rows of one work.
    smaller_is_better (bool): Which reference is the best.
    """
    references = [row["value"] for row in rows if row["reference"]]
    if references:
        best = (min if smaller_is_better else max)(references)
        for row in rows:
            row["ratio"] = round(row["value"] / best, 3)
            row["reference"] = row["reference"] and row["value"] == best


def significant(value: float, digits: int = 5) -> float:
    """RETURNS (float): A value with so many significant digits."""
    return float(f"{value:.{digits}g}")


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as a JSON list, one row a line.

    path (Path): Where to. Missing folders are made.
    rows (Sequence[Row]): The rows.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf8")
    msg.good(f"{len(rows)} rows: {path}")


def print_rows(rows: Sequence[Row]) -> None:
    """Print rows as a table, the versions of every environment below.

    rows (Sequence[Row]): The rows.
    """
    table = []
    for row in rows:
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}{' (reference)' if row['reference'] else ''}"
        f1 = "" if row["f1"] is None else f"{100 * row['f1']:.2f}"
        spread = f"{min(row['values']):g} to {max(row['values']):g}" if row.get("values") else ""
        table.append(
            (row["work"], row["system"], row["precision"], f"{row['value']:g}", row["unit"], spread, ratio, f1)
        )
    header = ("work", "system", "precision", "median", "unit", "range", "ratio", "F1")
    msg.table(table, header=header, divider=True, aligns=("l", "l", "l", "r", "l", "l", "r", "r"), max_col=60)
    seen = {row["environment"]: row["versions"] for row in rows if "versions" in row}
    for environment, versions in seen.items():
        msg.text(f"{environment}: {', '.join(f'{name} {number}' for name, number in versions.items())}")
