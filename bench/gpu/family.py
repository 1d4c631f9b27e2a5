"""Systems of one family that share a process, and take turns within its rounds."""

import importlib
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from ..system import System
from . import card

ResultT = dict[str, Any]
AnswersT = dict[str, list[ResultT]]


def family(name: str, systems: Sequence[System], device: str, *, last: int = -1) -> System:
    """Put systems into one process.

    name (str): What the process is called.
    systems (Sequence[System]): The systems.
    device (str): What they compute on.
    last (int): The last round.
    RETURNS (System): The process, as a system of its own.
    """
    members = {system.key: {"target": system.target, "options": system.options} for system in systems}
    return System(name, "bench.gpu.family:serve", {"device": device, "members": members, "last": last})


def serve(options: dict[str, Any]) -> Callable[[int], ResultT]:
    """Get all systems of a family ready. One that fails is left out.

    options (dict[str, Any]): "device"; "members" by their keys: "target" and "options"; and "last", the round after
        which a system that has a function `finish` adds to its result what that gives: what would disturb the others,
        or can take the process along.
    RETURNS (Callable[[int], ResultT]): The round: "members", results by key; "failed", reasons by key; and "tf32",
        whether that is on.
    """
    card.choose(options["device"])
    runs: dict[str, Callable[[int], ResultT]] = {}
    failed: dict[str, str] = {}

    def attempt(key: str, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except Exception as error:  # noqa: BLE001 (whatever it is, the others go on, and it is said)
            traceback.print_exc()
            failed[key] = f"{type(error).__name__}: {error}"[:500]
            runs.pop(key, None)
            return None

    for key, member in options["members"].items():
        module, function = member["target"].split(":")
        own = member["options"]
        run = attempt(key, lambda m=module, f=function, own=own: getattr(importlib.import_module(m), f)(own))
        if run is not None:
            runs[key] = run

    def round_of_all(number: int) -> ResultT:
        keys = list(runs)
        turn = number % max(len(keys), 1)
        found = {}
        for key in [*keys[turn:], *keys[:turn]]:
            result = attempt(key, lambda run=runs[key]: run(number))
            if result is not None:
                found[key] = result
        for key in found if number == options["last"] else ():
            if hasattr(runs.get(key), "finish"):
                found[key] |= attempt(key, runs[key].finish) or {}  # type: ignore[attr-defined]
        return {"members": found, "failed": failed, "tf32": card.tf32()}

    return round_of_all


def apart(answers: AnswersT, failed: dict[str, str]) -> AnswersT:
    """Give the answers of each system instead of those of families.

    answers (AnswersT): What `run_rounds` gave of families.
    failed (dict[str, str]): Gets the reasons of systems that failed.
    RETURNS (AnswersT): By the system's key: what its process said of itself, then its results.
    """
    found: AnswersT = {}
    for about, *results in answers.values():
        for result in results:
            failed |= result["failed"]
            for key, own in result["members"].items():
                found.setdefault(key, [about]).append(own)
    return found


def note(result: ResultT) -> str:
    """RETURNS (str): The values of a family's round, to print."""
    values = (f"{key} {own['value']:,.0f}" for key, own in result["members"].items())
    return "; ".join([*values, *(f"{key} failed: {why}" for key, why in result["failed"].items())])
