"""What the commands share: help texts, clean failures, JSON files."""

import errno
import json
import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import Errors
from ..runtime.files import whole_file
from ..runtime.refusals import CHECK, CURES, refusal
from ._printer import msg

TRAIN_HELP = "Training corpus (CoNLL or .spacy), to score names seen in it apart from new ones"
JSON_HELP = "Write all scores to a JSON file"
CODE_HELP = "Python file with registered functions that the config names"
RESAMPLES_HELP = "Bootstrap resamples for the 95% interval; 0 leaves it out"
CodeT = Annotated[Path | None, typer.Option("--code", "-c", help=CODE_HELP)]


@contextmanager
def failing_cleanly() -> Iterator[None]:
    """Show our errors and warnings as one message each, without a traceback; exit code 1 after an error. So are what
    the machine refuses (a path, a right, a full disk) and an interruption; any other error is a bug, with a traceback.
    """
    with warnings.catch_warnings():
        warnings.showwarning = _show
        warnings.filterwarnings("always", message=r"\[TW")
        try:
            yield
        except KeyboardInterrupt:
            msg.fail(Errors.TC145, exits=1)
        except Exception as error:
            text = str(error) if str(error).startswith("[TC") else _refusal(error)
            if text is None:
                raise
            msg.fail(text, exits=1)


def _refusal(error: Exception) -> str | None:
    """Say what the machine refused, None if it was nothing that it did."""
    number = refusal(error)
    if number is None or number == errno.EPIPE:  # the reader of a pipe went away: Click knows what to do
        return None
    path = getattr(error, "filename", None) or getattr(error, "filename2", None)
    reason = f"{path}: {os.strerror(number)}" if path else os.strerror(number)
    return Errors.TC144.format(reason=reason, cure=CURES.get(number, CHECK))


def _show(message: Warning | str, *args: Any, **kwargs: Any) -> None:
    """Print a warning."""
    msg.warn(str(message))


def parse_overrides(words: list[str]) -> dict[str, Any]:
    """Read overrides of a config, in spaCy's form.

    words (list[str]): The words of the command line that are no options: `--section.key`, `value`.
    RETURNS (dict[str, Any]): The values, by "section.key".
    RAISES (ValueError): TC090, for a word that is no part of any.
    """
    from spacy.cli._util import parse_config_overrides

    for before, word in zip(["", *words], words, strict=False):
        is_value = before.startswith("--") and "=" not in before
        if "." not in word if word.startswith("--") else not is_value:
            raise ValueError(Errors.TC090.format(detail=f"{word!r} is neither an option nor an override."))
    return parse_config_overrides(words)


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Write JSON, with its folder.

    path (Path): The file.
    data (dict[str, Any]): What to write.
    """
    with whole_file(path) as made:
        made.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    msg.good(f"Wrote {path}")


def write_jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write JSON lines, with their folder.

    path (Path): The file.
    rows (Iterable[dict[str, Any]]): What to write.
    """
    with whole_file(path) as made:
        made.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
