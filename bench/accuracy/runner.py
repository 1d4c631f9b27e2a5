"""Run configs over seeds: train, which leaves predictions, and score these. What has been done is not done again."""

import fcntl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from threading import Lock

from project_files import fail, read_json
from wasabi import msg

from spacy_tokclf.corpus import read_conll

from .configs import Config, find_configs, read_configs
from .data import gold_file
from .ledger import score_test
from .predictions import CHOSEN, facts_of, folder_of, pack, read_facts
from .scoring import keep_entity_scores, pair_up, scores_of
from .study import Line, Study, find_line, put_line
from .systems import FACTS, TEACHER_SEED, teacher_folder, train_and_predict

#: Facts about predictions that no line has.
NOT_IN_LINES = ("code", "seconds")


@dataclass(frozen=True)
class Machine:
    """Where runs are trained.

    jobs (int): How many at a time, each on a thread of its own.
    device (str): Where encoders run: "cpu" or "cuda:0" and the like.
    """

    jobs: int = 1
    device: str = "cpu"


def run(
    study: Study,
    names: Sequence[str],
    seeds: Sequence[int],
    *,
    test: bool = False,
    trained: bool = False,
    machine: Machine = Machine(),
) -> list[Line]:
    """Train and score every config with every seed, and go on with the others if one fails.

    study (Study): The study.
    names (Sequence[str]): The configs: names, or patterns with *.
    seeds (Sequence[int]): The seeds.
    test (bool): Whether to score on test as well, once for each config and seed.
    trained (bool): Whether those alone are scored that have been trained.
    machine (Machine): Where they are trained.
    RETURNS (list[dict[str, Any]]): The lines of the runs.
    RAISES (SystemExit): At the end, if a run failed; at once, if there is no such config, or if another process is
        running configs.
    """
    configs = read_configs(study)
    runs = list(product(seeds, find_configs(configs, names, study)))
    lines: list[Line] = []

    def is_needed(seed: int, config: Config) -> bool:
        line = _line_of(study, config, seed)
        if line is None:
            return read_facts(study, config, seed) is None
        return test and line["test_f1"] is None and not folder_of(study, config, seed).is_dir()

    def then(seed: int, config: Config) -> None:
        lines.append(_score(study, config, seed, test=test))

    needed = {(seed, config.hash) for seed, config in runs if is_needed(seed, config)}
    if trained:
        runs, needed = [(seed, config) for seed, config in runs if (seed, config.hash) not in needed], set()
    _train_each(study, configs, runs, needed, machine, then=then)
    return lines


def train(
    study: Study,
    names: Sequence[str],
    seeds: Sequence[int],
    *,
    machine: Machine = Machine(),
    chosen: bool = False,
    into: Path | None = None,
) -> None:
    """Train every config with every seed, and predict, without scores: neither git nor the gold of test are needed.

    study (Study): The study.
    names, seeds, machine: As for `run`.
    chosen (bool): Whether configs with a grid have the settings of the point that `choose` has chosen.
    into (Path | None): A tar file for their predictions, written anew after each run.
    RAISES (SystemExit): As `run`.
    """
    configs = read_configs(study, read_json(study.predictions / CHOSEN) if chosen else None)
    runs = list(product(seeds, find_configs(configs, names, study)))
    done = {(seed, config.hash) for seed, config in runs if read_facts(study, config, seed) is not None}
    # The models of teachers stay on the machine that they were trained on.
    done -= {(seed, config.hash) for seed, config in runs if _is_kept(configs, config, seed)
             and not teacher_folder(study, config).is_dir()}  # fmt: skip
    needed = {(seed, config.hash) for seed, config in runs} - done
    lock = Lock()

    def after() -> None:
        with lock:
            if into is not None:
                pack(study, into, runs)

    _train_each(study, configs, runs, needed, machine, after=after)


def _train_each(
    study: Study,
    configs: dict[str, Config],
    runs: Sequence[tuple[int, Config]],
    needed: set[tuple[int, str]],
    machine: Machine,
    *,
    after: Callable[[], None] = lambda: None,
    then: Callable[[int, Config], None] = lambda seed, config: None,
) -> None:
    """Train what is needed, once for configs of equal settings; `after` each in its thread; `then` all, in their order.
    RAISES (SystemExit): At the end, if one failed."""

    def do(seed: int, config: Config) -> None:
        msg.text(f"{config.name}, seed {seed}: training")
        facts = facts_of(study, config, seed=seed, device=machine.device)
        out, keep = folder_of(study, config, seed), _is_kept(configs, config, seed)
        try:
            train_and_predict(study, config, seed=seed, out=out, facts=facts, device=machine.device, keep=keep)
            msg.good(f"{config.name}, seed {seed}: trained")
        finally:
            after()

    failed: list[str] = []
    with _alone(study), ThreadPoolExecutor(machine.jobs) as pool:
        training = {}
        for seed, config in runs:
            key = (seed, config.hash)
            if key in needed and key not in training:
                training[key] = pool.submit(do, seed, config)
        for seed, config in runs:
            try:
                if (seed, config.hash) in training:
                    training[seed, config.hash].result()
                then(seed, config)
            except SystemExit:
                failed.append(f"{config.name}, seed {seed}")
    if failed:
        raise SystemExit(f"Failed: {'; '.join(failed)}")


def _is_kept(configs: dict[str, Config], config: Config, seed: int) -> bool:
    """RETURNS (bool): Whether students learn from a run, so that its model is kept."""
    return seed == TEACHER_SEED and any(config.hash == each.hash for own in configs.values() for each in own.teachers)


@contextmanager
def _alone(study: Study) -> Iterator[None]:
    """Keep other processes from running configs. RAISES (SystemExit): If one does."""
    study.work.mkdir(parents=True, exist_ok=True)
    with (study.work / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fail("Another process is running configs", "One at a time: wait for it to end.")
        yield


def _line_of(study: Study, config: Config, seed: int) -> Line | None:
    return find_line(study.file("runs.jsonl"), config=config.name, seed=seed, config_hash=config.hash)


def _score(study: Study, config: Config, seed: int, *, test: bool) -> Line:
    """Score the predictions of a run, or read its line, which is written as soon as it is known."""
    runs, line = study.file("runs.jsonl"), _line_of(study, config, seed)
    if line is None:
        line = _score_dev(study, config, seed)
        put_line(runs, line, "config", "seed")
    if test and line["test_f1"] is None:
        predictions = folder_of(study, config, seed) / "test.spacy"
        line = {**line, **score_test(study, config, line, predictions)}
        put_line(runs, line, "config", "seed")
    f1 = [f"{split} F1 {100 * line[f'{split}_f1']:.2f}" for split in ("dev", "test") if line[f"{split}_f1"] is not None]
    msg.good(f"{config.name}, seed {seed}: {', '.join(f1)}")
    return line


def _score_dev(study: Study, config: Config, seed: int) -> Line:
    """Score on dev; the line has no scores on test."""
    folder = folder_of(study, config, seed)
    facts = {key: value for key, value in read_json(folder / FACTS).items() if key not in NOT_IN_LINES}
    if facts["commit"] is None:
        fail(f"{config.name}, seed {seed} was trained without git", "Such predictions are scored once they were taken.")
    line = {"config": config.name, "seed": seed, "commit": facts["commit"], "config_hash": config.hash}
    line |= {"dev_f1": None, "test_f1": None, **facts, "config": config.name}
    examples = None
    if not config.with_dev:
        examples = pair_up(read_conll(gold_file(study, config.data, "dev")), folder / "dev.spacy")
        run = {name: line[name] for name in ("config", "config_hash", "seed", "data")}
        keep_entity_scores(study, {**run, "split": "dev"}, examples)
    return {**line, **scores_of(examples, "dev"), **scores_of(None, "test")}
