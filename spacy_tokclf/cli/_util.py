"""What the commands share: help texts, clean failures, JSON files."""

import json
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wasabi import msg

TRAIN_HELP = "Training corpus (CoNLL or .spacy), to score names seen in it apart from new ones"
JSON_HELP = "Write all scores to a JSON file"
RESAMPLES_HELP = "Bootstrap resamples for the 95% interval; 0 leaves it out"


@contextmanager
def failing_cleanly() -> Iterator[None]:
    """Show our errors and warnings as one message each, without a traceback; exit code 1 after an error."""
    with warnings.catch_warnings():
        warnings.showwarning = _show
        warnings.filterwarnings("always", message=r"\[TW")
        try:
            yield
        except (OSError, ValueError, ImportError) as error:
            text = str(error)
            if not text.startswith("[TC"):
                raise
            msg.fail(text, exits=1)


def _show(message: Warning | str, *args: Any, **kwargs: Any) -> None:
    """Print a warning."""
    msg.warn(str(message))


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Write JSON, with its folder.

    path (Path): The file.
    data (dict[str, Any]): What to write.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    msg.good(f"Wrote {path}")


def write_jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write JSON lines, with their folder.

    path (Path): The file.
    rows (Iterable[dict[str, Any]]): What to write.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
