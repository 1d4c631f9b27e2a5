"""`gpu`: tests, training, annotation and the recipe on a card, beside the Trainer and `pipeline("ner")`, in minutes.

What is missing is skipped and said; the rows are written after each part, and the table comes last."""

import dataclasses
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from wasabi import msg

from ..gpu import annotation, card, checks, recipe, training
from ..gpu.run import Run, single
from ..gpu.size import FULL, TINY
from ..rows import Row, print_rows, write_rows
from ..system import Setting
from ..targets import check_targets

#: The share of the time at which each part has to be over.
SHARES = {"tests": 0.2, "training": 0.68, "annotation": 0.82, "recipe": 1.0}
#: What is printed of a step.
OF_A_STEP = ("wall_ms", "device_ms", "launches", "graphs", "copies", "waits", "kernels", "operations")


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
    device = card.only(device)
    facts = card.facts(device)
    size = TINY if tiny else FULL
    msg.info(f"{facts['card']}, {facts['memory']} GiB; tf32 is {'on' if facts['tf32'] else 'off'} for all systems")
    shared = {"card": facts["card"], "data": setting.source, "tf32": facts["tf32"]}
    given = Run(dataclasses.replace(setting, rounds=size.rounds), size, device, shared)
    rows = [single("card", facts["card"], facts["memory"], "GiB", **{**facts, **shared})]
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

    encoder = training.write_encoder(given)
    with annotation.Pipeline(given, encoder, ends["annotation"]) as pipeline:  # while the tests run
        part("tests", lambda: checks.run_tests(given, ends["tests"]))
        folders = pipeline.folders()
    part("training", lambda: training.measure_training(given, encoder, ends["training"]))
    if folders:
        part("annotation", lambda: annotation.measure_annotation(given, folders, ends["annotation"]))
    part("recipe", lambda: recipe.train_recipe(given, ends["recipe"]))
    shutil.rmtree(setting.work / "gpu", ignore_errors=True)
    report(rows, given.failed, targets=not tiny and device != "cpu")


def report(rows: list[Row], failed: dict[str, str], *, targets: bool) -> None:
    """Print what was measured, which targets are reached, and what was not measured.

    rows (list[Row]): The rows.
    failed (dict[str, str]): What failed or was skipped, and why.
    targets (bool): Whether targets are for this.
    """
    print_rows(rows)
    for row in rows:
        if "launches" in row:
            facts = ", ".join(f"{name} {row[name]:g}" for name in OF_A_STEP)
            msg.text(f"{row['work']}, {row['system']}: {facts}")
    checked = [
        (target.what, target.limit, target.value, "reached" if target.holds else "missed")
        for target in check_targets(rows if targets else [])
    ]
    if checked:
        msg.table(checked, header=("target", "set", "measured", ""), divider=True, max_col=80)
    for name, why in failed.items():
        msg.warn(f"Not measured: {name}", why)
