"""A system that is measured, and the setting that it is measured in: paths, sizes and environments."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OURS = "spacy-tokclf"

#: The Python of the environment with older versions, for peers that need them. `make bench-env` makes it.
OLDER_PYTHON = ROOT / ".venv-spacy-transformers" / "bin" / "python"


@dataclass(frozen=True)
class System:
    """One system as it is measured: a function that is called in a process of its own.

    name (str): What the rows call it. Names of ours begin with "spacy-tokclf".
    target (str): The function, as "module:function". It takes `options`, gets everything ready, warms up, and returns
        a function of the round's number that does the work and returns what it measured.
    options (dict[str, Any]): What the function needs to know; JSON.
    precision (str): "fp32", "bf16" or "int8".
    environment (str): "newest", which is the running one, or "older", with the last versions that some peers work with.
    needs (tuple[str, ...]): Distributions that have to be installed there.
    reference (bool): Whether ratios are taken to this system; of several, to the best.
    """

    name: str
    target: str
    options: dict[str, Any] = field(default_factory=dict)
    precision: str = "fp32"
    environment: str = "newest"
    needs: tuple[str, ...] = ()
    reference: bool = False

    @property
    def key(self) -> str:
        """RETURNS (str): The name with the precision, which no other system of the same work shares."""
        return f"{self.name} [{self.precision}]"


@dataclass(frozen=True)
class Setting:
    """Where everything lies, and how much of it is measured.

    model (Path): The trained pipeline that annotates.
    transition (Path): A trained pipeline of spacy-transformers. Without it, that peer's F1 is not measured.
    encoder (Path): The pretrained encoder that training starts from.
    data (Path): The folder with train.conll, dev.conll and test.conll.
    source (str): "wnut17", "sample", or whatever the folder holds.
    work (Path): The folder for what is made on the way: samples, exports, logs.
    results (Path): The folder of the rows, for what is made of the rows of other commands.
    rounds (int): Interleaved rounds of measurement.
    posts (int): Posts of a round of training, at most.
    texts (int): Texts of a round of annotation, at most; 0 for the whole test set.
    words (int): Words of the long runs.
    threads (int): Threads of every system; 0 for what each takes by itself.
    older (Path): The Python of the older environment.
    only (tuple[str, ...]): Parts of names; other systems are left out. Empty: all are measured.
    until (float | None): When processes that still measure are ended, by `time.monotonic`; None: never.
    """

    model: Path
    transition: Path
    encoder: Path
    data: Path
    source: str
    work: Path
    results: Path = ROOT / "bench" / "results"
    rounds: int = 5
    posts: int = 800
    texts: int = 0
    words: int = 1_000_000
    threads: int = 0
    older: Path = OLDER_PYTHON
    only: tuple[str, ...] = ()
    until: float | None = None

    def python(self, environment: str) -> Path:
        """RETURNS (Path): The Python of an environment."""
        return Path(sys.executable) if environment == "newest" else self.older

    def wants(self, system: System) -> bool:
        """RETURNS (bool): Whether a system is to be measured."""
        return not self.only or any(part in system.key for part in self.only)


def transition(setting: Setting) -> dict[str, str]:
    """RETURNS (dict[str, str]): The transition-based peer's trained pipeline, or how to make one."""
    made = str(setting.work / "transition-untrained")
    return {"encoder": str(setting.encoder), "model": str(setting.transition), "made": made}
