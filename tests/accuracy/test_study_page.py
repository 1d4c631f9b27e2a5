"""The page, from fabricated runs: what is shown, what is left out, and that nothing is made up."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bench.accuracy
from bench.accuracy.configs import read_configs
from bench.accuracy.results import differences, grid_points, read_runs, significance
from bench.accuracy.scoring import COUNTS
from bench.accuracy.study import Study, read_lines
from spacy_tokclf.metrics import paired_bootstrap_counts

pytest.importorskip("matplotlib")
from bench.accuracy.page import write_page

Put = Callable[..., None]


@pytest.fixture
def put(study: Study) -> Put:
    """Give a function that writes runs of a config: a pair of F1 on dev and test for each seed."""

    def runs(config: str, *pairs: tuple[float | None, float | None]) -> None:
        facts = {"test_precision": 0.5, "test_recall": 0.25, "cpu_seconds": 90.0}
        with study.file("runs.jsonl").open("a") as file:
            for seed, (dev, test) in enumerate(pairs):
                run = {"config": config, "config_hash": read_configs(study)[config].hash, "seed": seed}
                file.write(json.dumps({**run, "dev_f1": dev, "test_f1": test, **facts}) + "\n")

    return runs


def put_posts(study: Study, config: str, seed: int, counts: list[list[int]]) -> None:
    columns = dict(zip(COUNTS, np.array(counts).T.tolist(), strict=True))
    with study.file("posts.jsonl").open("a") as file:
        file.write(json.dumps({"config_hash": read_configs(study)[config].hash, "seed": seed, **columns}) + "\n")


def page(study: Study, heading: str = "") -> str:
    """Write the page, and give a section of it, or all of it."""
    text = write_page(study).read_text()
    return text.partition(f"{heading}\n")[2].partition("\n## ")[0] if heading else text


def rows(text: str) -> list[str]:
    """Give the rows of the first table in a text."""
    lines = text.partition("| ---")[2].splitlines()[1:]
    return lines[: next((i for i, line in enumerate(lines) if not line.startswith("|")), len(lines))]


def test_the_best_point_is_chosen_on_dev_over_the_seeds_that_all_have(study: Study, put: Put) -> None:
    put("trainer:many", (0.5, 0.9), (0.9, 0.9))
    put("trainer:few", (0.6, 0.1))
    configs = read_configs(study)
    runs, _ = read_runs(study, configs)
    assert grid_points(runs, configs, "trainer") == ["trainer:few", "trainer:many"]
    assert grid_points(runs, configs, "plain") == []
    best = "| the Trainer: best on dev of 2 points | `trainer:few` | 1 | 60.00 | 10.00 | 50.00 | 25.00 | 1.5 |"
    assert rows(page(study)) == [best]
    put("trainer", (0.5, 0.9))
    assert [row.split("|")[1:3] for row in rows(page(study))] == [
        [" the Trainer ", " `trainer` "],
        [" the Trainer: best on dev of 2 points ", " `trainer:few` "],
    ]


def test_the_best_point_and_the_same_config_are_one_row(study: Study, put: Put) -> None:
    put("trainer:few", (0.5, None))
    put("trainer:many", (0.6, None))
    put("trainer", (0.6, 0.1), (0.7, 0.2))
    (row,) = rows(page(study))
    assert row.startswith("| the Trainer: best on dev of 2 points | `trainer` | 2 |"), "with all seeds of the config"


def test_the_table_of_systems(study: Study, put: Put) -> None:
    put("default", (0.5, 0.4), (0.6, None))
    put("default+dev", (None, 0.42))
    put("default@sample", (0.3, 0.2))
    put("plain+averages", (0.9, 0.9))
    assert rows(page(study, "## WNUT-17")) == [
        "| the best | `default` | 2 (1 on test) | 55.00 ± 7.07 | 40.00 | 50.00 ± 0.00 | 25.00 ± 0.00 | 1.5 |",
        "| the best, with dev | `default+dev` | 1 |  | 42.00 | 50.00 | 25.00 | 1.5 |",
    ]
    (sample,) = rows(page(study, "## The sample corpus of the project"))
    assert sample.startswith("| the best | `default@sample` | 1 | 30.00 | 20.00 |")


def test_runs_of_other_settings_count_for_nothing(study: Study, put: Put) -> None:
    put("plain", (0.5, None))
    put("default", (0.6, None))
    put("plain+averages", (0.7, None))
    text = study.configs.read_text().replace("title: the plain one\n", "set: {training.dropout: 0.3}\n", 1)
    study.configs.write_text(text.replace("plain+averages", "another"))
    runs, outdated = read_runs(study, read_configs(study))
    assert [name for name, lines in runs.items() if lines] == ["default"]
    assert outdated == ["plain, seed 0", "plain+averages, seed 0"]
    left_out = page(study, "## Left out")
    assert "`plain, seed 0`, `plain+averages, seed 0`." in left_out and "70.00" not in page(study)


def test_significance_is_that_of_the_counts_of_all_shared_seeds(study: Study, put: Put) -> None:
    gold = [3, 1, 2] * 20
    better, worse = ([[correct, correct + 1, n] for correct, n in zip(each * 20, gold, strict=True)] for each in
                     ([3, 1, 1], [1, 0, 1]))  # fmt: skip
    for config, counts in (("default", better), ("trainer", worse)):
        put(config, (0.5, 0.5), (0.5, 0.5))
        for seed in (0, 1):
            put_posts(study, config, seed, counts)
    put_posts(study, "default", 2, worse)
    put("plain", (0.5, None))
    configs, posts = read_configs(study), read_lines(study.file("posts.jsonl"))
    found = significance(posts, configs["default"], configs["trainer"])
    assert found is not None and found.pop("seeds") == 2
    expected = paired_bootstrap_counts(2 * np.array(better), 2 * np.array(worse), n_resamples=10_000)
    assert found == expected and found["low"] > 0 and found["p_value"] < 0.01
    assert significance(posts, configs["default"], configs["plain"]) is None
    (row,) = rows(page(study, "### More than chance?"))
    assert row.startswith(f"| the Trainer | `trainer` | 2 | {100 * expected['difference']:+.2f} |")


def test_ablations_are_compared_seed_by_seed(study: Study, put: Put) -> None:
    dropout = "  dropout: {title: more dropout, alone: [plain+averages, plain+dev]}\n"
    sample = "  averages@sample: {title: elsewhere, in_best: [default@sample, default@sample]}\n"
    study.configs.write_text(study.configs.read_text() + dropout + sample)
    put("plain", (0.50, 0.30), (0.52, 0.32), (0.54, None))
    put("plain+averages", (0.51, 0.31), (0.53, 0.36), (0.55, None), (0.99, 0.99))
    put("default", (0.60, 0.40))
    put("default-averages", (0.58, 0.41))
    (row,) = rows(page(study, "### What each setting does"))
    assert row == "| averaged weights | `averages` | 3 | +1.00 ± 0.00 | +2.50 ± 2.12 | +2.00 | -1.00 |"
    put("plain+dev", (None, 0.33))
    assert rows(page(study, "### What each setting does"))[1] == "| more dropout | `dropout` | 1 |  | -2.00 |  |  |"
    assert "elsewhere" not in page(study, "## The sample corpus of the project")
    put("default@sample", (0.3, 0.2))
    text = page(study, "## The sample corpus of the project").partition("### What each setting does")[2]
    assert rows(text) == ["| elsewhere | `averages@sample` | 1 |  |  | +0.00 | +0.00 |"]
    runs, _ = read_runs(study, read_configs(study))
    assert differences(runs["plain+averages"], runs["plain"], "dev_f1") == pytest.approx([0.01, 0.01, 0.01])
    assert differences(runs["plain"], {}, "dev_f1") == []


def test_the_whole_page(study: Study, put: Put) -> None:
    for config in ("default", "plain", "trainer", "plain@resplit"):
        put(config, *[(0.5 + seed / 100, 0.4) for seed in range(5)])
    run = {"config": "default", "config_hash": read_configs(study)["default"].hash}
    rng = np.random.default_rng(0)
    lines = []
    for seed in (0, 1):
        lists = {side: rng.integers(0, 1001, 25).tolist() for side in ("correct", "wrong")}
        lines.append({**run, "seed": seed, "split": "test", "gold": 60, **lists})
    study.file("scores.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    reading = {**run, "commit": "0123456789abcdef"}
    readings = [{**reading, "seed": seed, "time": f"2026-01-0{3 - seed}T10:20:30+00:00"} for seed in (1, 0)]
    study.file("ledger.jsonl").write_text("".join(json.dumps(line) + "\n" for line in readings))
    text = write_page(study).read_text()
    assert "| `default` | 2026-01-02 10:20 | 0123456789 | 0, 1 |" in text and "2 times" in text
    (row,) = rows(page(study, "## How well the scores of entities are calibrated"))
    every = np.concatenate([line[side] for line in lines for side in ("correct", "wrong")]) / 1000
    assert row.startswith(f"| `default` | test | 100 | 120 | {every.mean():.3f} | 0.500 |")
    assert "Left out" not in text
    pictures = {path.name: path.read_bytes() for path in study.file("plots").iterdir()}
    assert sorted(pictures) == ["f1_resplit.png", "f1_wnut17.png", "scores.png"]
    assert all(f"](plots/{name})" in text for name in pictures)
    assert write_page(study).read_text() == text
    assert {path.name: path.read_bytes() for path in study.file("plots").iterdir()} == pictures


def test_a_page_of_nothing(study: Study) -> None:
    assert write_page(study) == study.configs.parent / "RESULTS.md"
    assert "|" not in page(study) and not study.file("plots").exists()


def test_the_committed_page_is_that_of_the_committed_lines(tmp_path: Path) -> None:
    here = Study()
    for name in ("runs", "posts", "scores", "ledger"):
        shutil.copy(here.file(f"{name}.jsonl"), tmp_path)
    assert write_page(Study(out=tmp_path)).read_text() == here.file("RESULTS.md").read_text()
    plots: list[Any] = [
        sorted(path.name for path in study.file("plots").iterdir()) for study in (here, Study(out=tmp_path))
    ]
    assert plots[0] == plots[1]


def test_the_study_stays_small():
    """What a reader needs to rerun and check the tables, and no more."""
    files = Path(bench.accuracy.__file__).parent.glob("*.py")
    assert 0 < sum(len(path.read_text(encoding="utf8").splitlines()) for path in files) <= 1000
