"""The logger `spacy-tokclf.TrainingLog.v1` of `spacy train`: a line of JSON an evaluation, beside the pipelines."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import srsly
from spacy.language import Language
from spacy.training.loggers import console_logger_v3

from ..runtime.files import whole_file

#: What the file is called. The page of `report` looks for it in the folder of a pipeline, and in the one above it.
LOG_NAME = "log.jsonl"
StepT = Callable[[dict[str, Any] | None], None]
#: What spaCy calls a logger: it gets the pipeline and two streams, and gives what logs a step, and what ends.
LoggerT = Callable[..., tuple[StepT, Callable[[], None]]]


def make_training_log_v1(logger: LoggerT | None = None) -> LoggerT:
    """Make a logger that writes each evaluation into `log.jsonl`, in the folder that the pipelines are saved to: the
    lines that spaCy's ConsoleLogger writes to its `output_file`, without a path in the config. Written as they come, so
    that a training that is broken off has them.

    logger (Callable | None): The logger that shows them; spaCy's `ConsoleLogger.v3` if not given, with a bar over all
        steps where there is a terminal.
    RETURNS (Callable): The logger.
    """
    shown = console_logger_v3(progress_bar="train") if logger is None else logger

    def setup(nlp: Language, stdout: IO = sys.stdout, stderr: IO = sys.stderr) -> tuple[StepT, Callable[[], None]]:
        show, finalize = shown(nlp, stdout, stderr)
        weights = nlp.config["training"]["score_weights"]
        columns = columns_of(weights)

        def log_step(info: dict[str, Any] | None) -> None:
            if info is not None and "output_path" in info:
                path = Path(info["output_path"]).parent / LOG_NAME
                # Step 0 is always evaluated; a training that goes on finds the rows of before in the file.
                with path.open("a" if info["step"] else "w", encoding="utf-8") as file:
                    file.write(srsly.json_dumps(make_row(info, columns)) + "\n")
            show(info)

        return log_step, finalize

    return setup


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read such a file.

    path (Path): The file.
    RETURNS (list[dict[str, Any]]): The evaluations, in order.
    """
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def best_row(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Find the evaluation of `model-best`: of those with the highest score, the last.

    rows (list[dict[str, Any]]): The evaluations, at least one.
    RETURNS (dict[str, Any]): The evaluation.
    """
    return max(rows, key=lambda row: (row["score"], row["step"]))


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write such a file anew, whole.

    path (Path): The file.
    rows (list[dict[str, Any]]): The evaluations.
    """
    with whole_file(path) as made:
        made.write_text("".join(srsly.json_dumps(row) + "\n" for row in rows), encoding="utf-8")


def columns_of(score_weights: dict[str, float | None]) -> list[str]:
    """RETURNS (list[str]): The scores that are logged, those of `[training.score_weights]` that are not null."""
    return [name for name, weight in score_weights.items() if weight is not None]


def make_row(info: dict[str, Any], columns: list[str]) -> dict[str, Any]:
    """Give an evaluation as the ConsoleLogger writes it: scores in percent, but speed.

    info (dict[str, Any]): What spaCy tells a logger.
    columns (list[str]): The scores.
    RETURNS (dict[str, Any]): The row.
    """
    scores = {name: float(info["other_scores"].get(name) or 0.0) for name in columns}
    return {
        "epoch": info["epoch"],
        "step": info["step"],
        "losses": {name: float(loss) for name, loss in info["losses"].items()},
        "scores": {name: score if name == "speed" else 100 * score for name, score in scores.items()},
        "score": float(info["score"]),
    }
