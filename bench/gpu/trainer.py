"""The Trainer in the process of its family."""

from collections.abc import Callable
from typing import Any

from ..peers import hf_trainer
from . import card


def measured(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure epochs of the Trainer, with the memory that each takes.

    options (dict[str, Any]): As for `hf_trainer.measured`.
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """
    run = hf_trainer.measured(options)

    def run_with_memory(number: int) -> dict[str, Any]:
        result, memory = card.measured_memory(lambda: run(number))
        return {**result, "memory": memory}

    return run_with_memory
