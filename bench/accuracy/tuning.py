"""What is fitted on dev after training."""

from pathlib import Path

from .configs import Definition
from .data import Data
from .study import Study
from .systems import run_python


def tune(study: Study, definition: Definition, data: Data, *, seed: int, model: Path, lock: int) -> Path:
    """Fit what a recipe tunes on dev with `spacy tokclf tune`, once.

    study (Study): The study.
    definition (Definition): The config; without `tune` nothing is fitted.
    data (Data): The data set.
    seed (int): The seed.
    model (Path): The trained pipeline.
    lock (int): The descriptor of the lock of this training.
    RETURNS (Path): The tuned pipeline, or the trained one.
    """
    if definition.tune is None:
        return model
    out = model.with_name(f"tuned-{definition.hash}")
    command = ["-m", "spacy", "tokclf", "tune", str(model), str(data.path("dev")), str(out), *definition.tune]
    run_python(study, definition, command, lock=lock, log=model.with_name(f"tuned-{definition.hash}.txt"))
    return out
