"""A process of the engine `local`: a setting and then shards come in as lines of JSON, what was made of each goes out.

Run as `python -m spacy_tokclf.annotation.shards.worker`. It ends when its parent does, whatever it is doing.
"""

import json
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any


def main() -> None:
    """Serve until the parent says no more."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the parent ends its processes
    asked: SimpleQueue[str] = SimpleQueue()
    setting = json.loads(sys.stdin.readline())
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()

    def say(make: Callable[[], dict[str, Any]]) -> None:
        answers.write(json.dumps(answered(make)) + "\n")
        answers.flush()

    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        state: dict[str, Any] = {}

        def begin() -> dict[str, Any]:
            from ...runtime.memory import tune_malloc
            from .work import Annotator, Setting

            tune_malloc()
            state["annotator"] = Annotator(Setting.from_json(setting))
            return {"warnings": [str(each.message) for each in found if str(each.message).startswith("[TW")]}

        say(begin)
    if "annotator" not in state:
        return
    warnings.simplefilter("ignore")
    from .work import shard_from_json

    while True:
        shard = shard_from_json(json.loads(asked.get()))
        say(lambda shard=shard: {"done": state["annotator"].annotate(shard)})  # type: ignore[misc]


def answered(make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do something, and tell what went wrong, if anything did.

    make (Callable[[], dict[str, Any]]): Gives what is to be told.
    RETURNS (dict[str, Any]): That, or the "error" and, if the machine refused something, its "errno" and "path".
    """
    try:
        return make()
    except OSError as error:
        return {"error": str(error), "errno": error.errno, "path": error.filename}
    except Exception as error:  # noqa: BLE001 (it is raised where it is read)
        return {"error": str(error) if str(error).startswith("[TC") else _where(error)}


def raise_answered(answer: dict[str, Any]) -> dict[str, Any]:
    """Raise what a process told of.

    answer (dict[str, Any]): What `answered` gave, elsewhere.
    RETURNS (dict[str, Any]): The same, if nothing was wrong.
    RAISES (ValueError): What went wrong; OSError, if the machine refused something.
    """
    from ...errors import Errors

    if "error" not in answer:
        return answer
    text = str(answer["error"])
    if answer.get("errno") and not text.startswith("[TC"):
        raise OSError(answer["errno"], os.strerror(answer["errno"]), answer["path"])
    raise ValueError(text if text.startswith("[TC") else Errors.TC516.format(detail=text))


def _where(error: Exception) -> str:
    """Say what an error is, and where it was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({last.filename}:{last.lineno})."


def _listen(asked: "SimpleQueue[str]") -> None:
    """Take in what comes. The end of it is the end of the parent, and then of this process."""
    for line in sys.stdin:
        asked.put(line)
    os._exit(0)


if __name__ == "__main__":
    main()
