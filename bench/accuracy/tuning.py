"""What is fitted on dev after training."""

from pathlib import Path

from .configs import Definition
from .data import Data
from .study import Study


def tune(study: Study, definition: Definition, data: Data, *, seed: int, model: Path, lock: int) -> Path:
    """Fit on dev.

    RETURNS (Path): The pipeline.
    """
    return model
