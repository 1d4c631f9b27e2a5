"""The runs of the configs as they stand now, and the figures that follow from them."""

import statistics
from collections.abc import Iterable, Mapping

import numpy as np

from spacy_tokclf.metrics import paired_bootstrap_counts

from .configs import Config
from .scoring import COUNTS
from .study import Line, Study, read_lines

#: The runs of a config: the line of each seed.
Seeds = dict[int, Line]


def read_runs(study: Study, configs: Mapping[str, Config]) -> tuple[dict[str, Seeds], list[str]]:
    """RETURNS (tuple[dict[str, Seeds], list[str]]): The lines of runs.jsonl for each config; and the names of runs that
    count for nothing, since their config was changed or is there no more."""
    runs: dict[str, Seeds] = {name: {} for name in configs}
    outdated = []
    for line in sorted(read_lines(study.file("runs.jsonl")), key=lambda line: line["seed"]):
        name = line["config"]
        if name in configs and configs[name].hash == line["config_hash"]:
            runs[name][line["seed"]] = line
        else:
            outdated.append(f"{name}, seed {line['seed']}")
    return runs, outdated


def differences(one: Seeds, other: Seeds, field: str) -> list[float]:
    """RETURNS (list[float]): A field such as "dev_f1", first minus second, for each seed where both have it."""
    pairs = [(one[seed][field], other[seed][field]) for seed in one if seed in other]
    return [a - b for a, b in pairs if a is not None and b is not None]


def grid_points(runs: Mapping[str, Seeds], configs: Mapping[str, Config], name: str) -> list[str]:
    """RETURNS (list[str]): The points of a config's hyperparameter grid that were run, the best on dev first: by the
    mean over the seeds that all of them have."""
    points = [point for point, config in configs.items() if config.grid_of == name and runs[point]]
    shared = set.intersection(*(set(runs[point]) for point in points)) if points else set()

    def on_dev(point: str) -> float:
        return statistics.mean(runs[point][seed]["dev_f1"] for seed in sorted(shared or runs[point]))

    return sorted(points, key=on_dev, reverse=True)


def significance(posts: Iterable[Line], one: Config, other: Config) -> dict[str, float] | None:
    """Test whether two configs differ on the test posts, with the counts of all seeds that both have.

    posts (Iterable[dict[str, Any]]): The lines of posts.jsonl.
    one (Config): The first config.
    other (Config): The second one.
    RETURNS (dict[str, float] | None): As `paired_bootstrap_counts`, and "seeds"; None if there is no such seed.
    """
    counts = {(line["config_hash"], line["seed"]): np.array([line[name] for name in COUNTS]).T for line in posts}
    seeds = [seed for config_hash, seed in counts if config_hash == one.hash and (other.hash, seed) in counts]
    if not seeds:
        return None
    # Summed over seeds, so that a post is one sample however many seeds there are. Shape: (n_posts, 3).
    sums = [np.sum([counts[config.hash, seed] for seed in seeds], axis=0) for config in (one, other)]
    return {**paired_bootstrap_counts(*sums, n_resamples=10_000), "seeds": len(seeds)}
