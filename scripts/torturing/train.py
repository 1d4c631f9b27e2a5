"""Kill a training at random moments, in steps, evaluations, checkpoints and while it saves, and let it go on each time:
in the end weights, averages, moments, scores and log are those of a training that nobody killed, bit by bit.

    python scripts/torture.py train --times 20 --pipeline crf

The data are WNUT-17 (WNUT17_DIR), the encoder is assets/encoder; with --tiny the sample corpus and an encoder of random
weights. A training is killed again and again until it is at its end; kills that are left go to another one.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from trainings import differences

ROOT = Path(__file__).resolve().parents[2]
PIPELINES = {
    "default": ("wnut17", {}),
    "shared": ("wnut17_shared", {}),
    "crf": ("wnut17", {"components.ner.model.crf": True}),
}
#: What a training tells when it begins it, and how many of these an attempt lives through at most.
PHASES = {"take_step": 40, "evaluate": 2, "write_checkpoint": 3, "save": 2}
SPLITS = {"train": "wnut17train.conll", "dev": "emerging.dev.conll"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command line."""
    parser.add_argument("--pipeline", choices=list(PIPELINES), default="default", help="Which config")
    parser.add_argument("--steps", type=int, default=0, help="Steps of the training; 0: as the config says")
    parser.add_argument("--texts", type=int, default=0, help="Texts to train and to evaluate on; 0: all")
    parser.add_argument("--checkpoint-steps", type=int, default=25, help="Steps from one checkpoint to the next")
    parser.add_argument("--tiny", action="store_true", help="The sample corpus and an encoder of random weights")


def run(options: argparse.Namespace) -> Counter[str]:
    """RETURNS (Counter[str]): How often there was what."""
    outcomes: Counter[str] = Counter()
    draws = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        folder = Path(name)
        train = partial(_train, *_prepare(options, folder), checkpoint_steps=options.checkpoint_steps)
        _attempt(partial(train, folder / "whole"), folder / "log.txt")
        number = 0
        while (left := options.times - outcomes.total()) > 0:
            outcomes += _torment(partial(train, folder / f"killed-{number}"), folder / "log.txt", left, draws)
            found = differences(folder / "whole", folder / f"killed-{number}")
            if found:
                print(f"FINDING: {options.pipeline}, training {number}: {'; '.join(found[:5])}", flush=True)
                outcomes["FINDING: another training"] += 1
            shutil.rmtree(folder / f"killed-{number}")
            number += 1
    print(f"{number} training(s) went to their end, {'with findings' if 'FINDING' in str(outcomes) else 'bit by bit'}")
    return outcomes


def _prepare(options: argparse.Namespace, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Write the data. RETURNS (tuple[Path, dict[str, Any]]): The config, and what is set in it."""
    from itertools import islice

    from spacy_tokclf.corpus import read_conll, write_docbin

    config, overrides = PIPELINES[options.pipeline]
    encoder = ROOT / "assets" / "encoder"
    if options.tiny:
        from tiny_encoders import write_encoder

        encoder = write_encoder(folder / "encoder", dropout=0.1)
    source = ROOT / "sample" if options.tiny else Path(os.environ.get("WNUT17_DIR", ROOT / "assets" / "wnut17"))
    values: dict[str, Any] = {**overrides, "paths.encoder": str(encoder), "paths.train": None, "paths.dev": None}
    for split, file in SPLITS.items():
        records = read_conll(source / (f"{split}.conll" if options.tiny else file))
        values[f"paths.{split}"] = str(folder / f"{split}.spacy")
        write_docbin(list(islice(records, options.texts or None)), folder / f"{split}.spacy")
    if options.steps:
        frequency = max(1, options.steps // 4)
        values |= {"training.max_steps": 4 * frequency, "training.eval_frequency": frequency}
        values["training.optimizer.learn_rate.warmup_steps"] = frequency // 2
    return ROOT / "configs" / f"{config}.cfg", values


def _train(
    config: Path, overrides: dict[str, Any], out: Path, *, checkpoint_steps: int, tell: Callable[[str], None]
) -> None:
    """Train, or go on with a training."""
    from spacy_tokclf.training import keeper, loop
    from spacy_tokclf.training.run import train_pipeline

    for module, name in ((loop, "take_step"), (loop, "evaluate"), (loop, "save"), (keeper, "write_checkpoint")):
        setattr(module, name, _telling(getattr(module, name), name, tell))
    train_pipeline(
        config,
        out,
        overrides=overrides,
        resume=True,
        checkpoints="kept",
        checkpoint_steps=checkpoint_steps,
        silent=True,
    )


def _telling(function: Callable[..., Any], name: str, tell: Callable[[str], None]) -> Callable[..., Any]:
    """Tell when a function begins."""

    def told(*args: Any, **kwargs: Any) -> Any:
        tell(name)
        return function(*args, **kwargs)

    return told


def _torment(train: Callable[..., None], log: Path, times: int, draws: random.Random) -> Counter[str]:
    """Kill a training up to so many times, and let it go on to its end. RETURNS (Counter[str]): Where it was killed."""
    outcomes: Counter[str] = Counter()
    for number in range(times):
        phase = list(PHASES)[number % len(PHASES)]
        if not _attempt(train, log, phase=phase, count=draws.randint(1, PHASES[phase]), delay=draws.random() ** 3 / 4):
            return outcomes
        outcomes[f"killed after the beginning of {phase}"] += 1
    _attempt(train, log)
    return outcomes


def _attempt(train: Callable[..., None], log: Path, *, phase: str = "", count: int = 0, delay: float = 0.0) -> bool:
    """Train in a process of its own, and kill it some time after something has begun so many times.

    train (Callable[..., None]): The training.
    log (Path): Where what it prints goes.
    phase (str): What has begun; empty for a process that is not killed.
    count (int): How often.
    delay (float): How long after that, in seconds.
    RETURNS (bool): Whether it was killed; else it was at its end before.
    RAISES (RuntimeError): If it failed.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _live(train, writing, log)
    os.close(writing)
    with os.fdopen(reading, encoding="ascii") as events:
        for event in events:
            count -= event.strip() == phase
            if phase and not count:
                time.sleep(delay)
                os.kill(child, signal.SIGKILL)
                break
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and phase:
        return True
    if status:
        raise RuntimeError(f"A training failed:\n{log.read_text(encoding='utf-8')[-2000:]}")
    return False


def _live(train: Callable[..., None], events: int, log: Path) -> None:
    """Train in this process, which ends with it."""
    code = 1
    try:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        for stream in (1, 2):
            os.dup2(output, stream)
        import torch

        torch.set_num_threads(1)
        train(tell=lambda name: os.write(events, f"{name}\n".encode("ascii")))
        code = 0
    except BaseException:  # noqa: BLE001 (it is shown by the parent)
        traceback.print_exc(file=sys.__stderr__)
        sys.__stderr__.flush()
    finally:
        os._exit(code)
