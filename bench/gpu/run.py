"""What the parts of `python -m bench gpu` share: the setting, what failed so far, and the forms of rows."""

import dataclasses
from typing import Any

from ..rounds import run_rounds
from ..rows import Row
from ..system import ROOT, Setting, System
from .family import AnswersT, apart, family, note
from .size import Size

#: The plain recipe, which speed is measured with.
PLAIN = ROOT / "bench" / "accuracy" / "plain.cfg"


@dataclasses.dataclass
class Run:
    """All that the parts share.

    setting (Setting): Paths, and until when a part may take.
    size (Size): How much is measured.
    device (str): "cpu", or a card.
    facts (dict[str, Any]): What all rows say.
    failed (dict[str, str]): What failed, and why; filled in on the way.
    """

    setting: Setting
    size: Size
    device: str
    facts: dict[str, Any]
    failed: dict[str, str] = dataclasses.field(default_factory=dict)

    def until(self, end: float) -> Setting:
        """RETURNS (Setting): The setting of a part that has to be over at a time."""
        return dataclasses.replace(self.setting, until=end)

    def out(self, name: str) -> str:
        """RETURNS (str): A folder for what a training writes."""
        return str(self.setting.work / "gpu" / "".join(c if c.isalnum() else "-" for c in name))


def single(work: str, system: str, value: float, unit: str, *, precision: str = "", **facts: Any) -> Row:
    """RETURNS (Row): A row of a value that was measured once."""
    given = {"work": work, "system": system, "precision": precision, "value": value, "unit": unit}
    return {**given, "ratio": None, "f1": None, "reference": False, "values": [], "environment": "newest", **facts}


def measured(run: Run, families: dict[str, list[System]], until: float) -> AnswersT:
    """Measure families of systems in rounds, each family in its process.

    run (Run): What is shared; gets what fails.
    families (dict[str, list[System]]): The systems.
    until (float): When it is over, by `time.monotonic`.
    RETURNS (AnswersT): By the system's key: what its process said of itself, then its results.
    """
    processes = [family(name, members, run.device, last=run.setting.rounds - 1) for name, members in families.items()]
    answers = run_rounds(processes, run.until(until), note=note, failed=run.failed)
    for key, (_about, *results) in answers.items():
        if any(result["tf32"] != run.facts["tf32"] for result in results):
            run.failed[f"tf32 of {key}"] = f"it is not {run.facts['tf32']} as elsewhere"
    return apart(answers, run.failed)
