"""The runs as the page sees them: by config, as the configs stand now, and the figures that follow from them."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from spacy_tokclf.metrics.bootstrap import paired_bootstrap_counts

from .configs import Definition, find, grid_points, point_name, read_entries
from .data import NAMES
from .ledger import counts_of
from .study import Line, Study, read_lines

RESAMPLES = 10_000
SPLITS = ("dev", "test")
SeedsT = dict[int, Line]


class Spread(NamedTuple):
    """A mean over seeds.

    mean (float): The mean.
    deviation (float | None): The standard deviation (n - 1); None for a single seed.
    n (int): The number of seeds.
    """

    mean: float
    deviation: float | None
    n: int


@dataclass(frozen=True)
class Results:
    """What has been run.

    entries (dict[str, Any]): What `configs.yml` says.
    definitions (dict[str, Definition]): The configs that have runs, as they stand now.
    runs (dict[str, dict[int, Line]]): Lines of `runs.jsonl` by config and seed.
    outdated (list[str]): Runs of configs that were changed since, or are there no more: they count for nothing.
    posts (dict[tuple[str, int], Line]): Lines of `posts.jsonl` by hash and seed.
    curves (list[Line]): The lines of `curves.jsonl`.
    ledger (list[Line]): The lines of `ledger.jsonl`.
    """

    entries: dict[str, Any]
    definitions: dict[str, Definition]
    runs: dict[str, SeedsT]
    outdated: list[str]
    posts: dict[tuple[str, int], Line]
    curves: list[Line]
    ledger: list[Line]

    def seeds(self, name: str) -> SeedsT:
        """Give the runs of a config.

        name (str): Its full name.
        RETURNS (dict[int, Line]): Its lines by seed; empty if it was not run.
        """
        return self.runs.get(name, {})

    def same(self, *names: str) -> bool:
        """Tell whether configs are the same under other names.

        names (str): Their full names.
        RETURNS (bool): Whether all of them were run, with the same settings.
        """
        return len({self.definitions[name].hash if name in self.definitions else name for name in names}) == 1

    def points(self, name: str, data: str = "") -> list[str]:
        """List the points of a config's grid that were run.

        name (str): The config.
        data (str): The mark of the data set: "", or "@DATA".
        RETURNS (list[str]): Their full names, the best on dev first: by the mean over the seeds that all of them have.
        """
        points = [point_name(name, point) + data for point in grid_points(self.entries["configs"][name])]
        points = [point for point in points if self.seeds(point)]
        shared = set.intersection(*(set(self.seeds(point)) for point in points)) if points else set()

        def on_dev(point: str) -> float:
            lines = self.seeds(point)
            return statistics.mean(lines[seed]["dev_f1"] for seed in sorted(shared or lines))

        return sorted(points, key=on_dev, reverse=True)


def read_results(study: Study) -> Results:
    """Read the files of a study.

    study (Study): The study.
    RETURNS (Results): The results.
    """
    definitions: dict[str, Definition] = {}
    runs: dict[str, SeedsT] = {}
    outdated: list[str] = []
    for line in read_lines(study.runs):
        name, seed = line["config"], line["seed"]
        definition = definitions.get(name) or find(study, name)
        if definition is None or definition.hash != line["config_hash"]:
            outdated.append(f"{name}, seed {seed}")
            continue
        definitions[name] = definition
        runs.setdefault(name, {})[seed] = line
    return Results(
        read_entries(study),
        definitions,
        {name: dict(sorted(lines.items())) for name, lines in runs.items()},
        outdated,
        {(line["config_hash"], line["seed"]): line for line in read_lines(study.posts)},
        read_lines(study.curves),
        read_lines(study.ledger),
    )


def spread(values: Iterable[float | None]) -> Spread | None:
    """Give mean and standard deviation.

    values (Iterable[float | None]): A value a seed; None where there is none.
    RETURNS (Spread | None): Both; None without values.
    """
    there = [value for value in values if value is not None]
    if not there:
        return None
    return Spread(statistics.mean(there), statistics.stdev(there) if len(there) > 1 else None, len(there))


def differences(one: SeedsT, other: SeedsT, field: str) -> Spread | None:
    """Compare two configs seed by seed.

    one (dict[int, Line]): The runs of the first.
    other (dict[int, Line]): The runs of the second.
    field (str): What to compare, such as "dev_f1".
    RETURNS (Spread | None): Mean and standard deviation of first minus second over the seeds that both have.
    """
    pairs = [(one[seed][field], other[seed][field]) for seed in one if seed in other]
    return spread(a - b for a, b in pairs if a is not None and b is not None)


def significance(results: Results, one: str, other: str) -> dict[str, float] | None:
    """Test whether two configs differ on the test posts, with the counts of all seeds that both have.

    results (Results): The results.
    one (str): The first config.
    other (str): The second one.
    RETURNS (dict[str, float] | None): As paired_bootstrap_counts, and "seeds"; None if there is no such seed.
    """
    hashes = [results.definitions[name].hash for name in (one, other) if name in results.definitions]
    if len(hashes) < 2:
        return None
    shared = [seed for hash_, seed in results.posts if hash_ == hashes[0] and (hashes[1], seed) in results.posts]
    if not shared:
        return None
    sums = [np.sum([counts_of(results.posts[hash_, seed]) for seed in shared], axis=0) for hash_ in hashes]
    return {**paired_bootstrap_counts(*sums, n_resamples=RESAMPLES), "seeds": len(shared)}


def data_sets(results: Results) -> list[str]:
    """RETURNS (list[str]): The data sets that there are runs on, in the order of `data.py`."""
    there = {definition.data for definition in results.definitions.values()}
    return [name for name in NAMES if name in there]
