"""`gpu`: tests, training, annotation and the recipe on a card, beside the Trainer and `pipeline("ner")`, in minutes.

What is missing is skipped and said; the rows are written after each part, and the table comes last."""

import dataclasses
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from wasabi import msg

from ..gpu import card, parts
from ..gpu.size import FULL, TINY
from ..rows import Row, print_rows, write_rows
from ..system import OURS, Setting
from ..targets import check_targets

#: The share of the time at which each part has to be over.
SHARES = {"tests": 0.2, "training": 0.68, "annotation": 0.82, "recipe": 1.0}


def run(setting: Setting, out: Path, *, device: str, tiny: bool, minutes: float) -> None:
    """Measure everything, and print the table.

    setting (Setting): The setting.
    out (Path): The file for the rows.
    device (str): "cpu", or a card, such as "cuda:0".
    tiny (bool): Whether it is only to be seen that all of it runs.
    minutes (float): The time that it may take.
    """
    start = time.monotonic()
    ends = {name: start + 60 * minutes * share for name, share in SHARES.items()}
    card.choose(device)
    facts = card.facts(device)
    size = TINY if tiny else FULL
    msg.info(f"{facts['card']}, {facts['memory']} GiB; tf32 is {'on' if facts['tf32'] else 'off'} for all systems")
    shared = {"card": facts["card"], "data": setting.source, "tf32": facts["tf32"]}
    given = parts.Run(dataclasses.replace(setting, rounds=size.rounds), size, device, shared)
    rows = [parts.single("card", facts["card"], facts["memory"], "GiB", **{**facts, **shared})]
    shutil.rmtree(setting.work / "gpu", ignore_errors=True)

    def part(name: str, work: Callable[[], list[Row]]) -> None:
        begun = time.monotonic()
        try:
            rows.extend(work())
        except Exception as error:  # noqa: BLE001 (the other parts go on, and it is said)
            given.failed[name] = f"{type(error).__name__}: {error}"
            msg.fail(f"{name} failed", given.failed[name])
        write_rows(out, rows)
        msg.info(f"{name}: {time.monotonic() - begun:.0f} s, {time.monotonic() - start:.0f} s in all")

    encoder = parts.write_encoder(given)
    pipeline = parts.Pipeline(given, encoder, ends["annotation"])
    part("tests", lambda: parts.run_tests(given, ends["tests"]))
    folders = pipeline.folders()
    part("training", lambda: parts.measure_training(given, encoder, ends["training"]))
    if folders:
        part("annotation", lambda: parts.measure_annotation(given, folders, ends["annotation"]))
    part("recipe", lambda: parts.train_recipe(given, ends["recipe"]))
    shutil.rmtree(setting.work / "gpu", ignore_errors=True)
    report(rows, given.failed)


def report(rows: list[Row], failed: dict[str, str]) -> None:
    """Print what was measured, what was not, and whether targets are reached.

    rows (list[Row]): The rows.
    failed (dict[str, str]): What failed or was skipped, and why.
    """
    print_rows(rows)
    for row in rows:
        if row["work"] == parts.STEP:
            names = ("wall_ms", "device_ms", "launches", "graphs", "copies", "waits", "kernels", "operations")
            msg.text(f"{row['system']}, a step: " + ", ".join(f"{name} {row[name]:g}" for name in names))
    targets = [
        (target.what, target.limit, target.value, "reached" if target.holds else "missed")
        for target in check_targets(rows)
    ]
    if targets:
        msg.table(targets, header=("target", "set", "measured", ""), divider=True, max_col=80)
    for name, why in failed.items():
        msg.warn(f"Not measured: {name}", why.splitlines()[0] if why else "")
    msg.good(f"{OURS}: {len(rows)} rows")
