"""What is fitted on dev after training."""

from pathlib import Path

from project_files import folder_made_whole

from .configs import Definition
from .data import Data
from .study import Study
from .systems import run_python


def tune(study: Study, definition: Definition, data: Data, *, seed: int, model: Path, lock: int) -> Path:
    """Fit on dev with `spacy tokclf tune`. A pipeline that is there already is not tuned again, and one that was
    trained on dev is not tuned at all.

    study (Study): The study.
    definition (Definition): What was trained, and the options of the command.
    data (Data): The data set.
    seed (int): The seed.
    model (Path): The pipeline.
    lock (int): The descriptor of a lock that the command holds on to.
    RETURNS (Path): The tuned pipeline, beside the other; the same pipeline if nothing is to be tuned.
    """
    if definition.tune is None or definition.with_dev:
        return model
    tuned = model.with_name(f"tuned-{definition.hash}")
    if not tuned.is_dir():
        with folder_made_whole(tuned) as new:
            options = ["--output", str(new), "--report", str(new / "tuning.json"), *definition.tune]
            command = ["-m", "spacy", "tokclf", "tune", str(model), str(data.path("dev")), *options]
            run_python(study, definition, command, lock=lock, log=model.with_name(f"{tuned.name}.txt"))
    return tuned
