"""The worker process of a system: get it ready, then do a round for every line that comes in on stdin.

Run as `python -m bench.serve MODULE:FUNCTION OPTIONS`, with OPTIONS in JSON. What libraries print goes to stderr, and
stdout carries one line of JSON for each answer: first the versions, then what each round measured.
"""

import gc
import importlib
import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

DISTRIBUTIONS = (
    "accelerate",
    "onnxruntime",
    "openvino",
    "spacy",
    "spacy-huggingface-pipelines",
    "spacy-tokclf",
    "spacy-transformers",
    "thinc",
    "tokenizers",
    "torch",
    "transformers",
)


def versions() -> dict[str, str]:
    """RETURNS (dict[str, str]): Versions of Python and of every package of interest that is installed."""
    found = {"python": platform.python_version()}
    for name in DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def threads() -> int | None:
    """RETURNS (int | None): Threads that torch uses, if it is in use."""
    torch = sys.modules.get("torch")
    return torch.get_num_threads() if torch is not None else None


def main() -> None:
    """Serve the system that the command line names."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf8")
    os.dup2(2, 1)

    def say(value: dict[str, Any]) -> None:
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    module, function = sys.argv[1].split(":")
    run = getattr(importlib.import_module(module), function)(json.loads(sys.argv[2]))
    say({"versions": versions(), "threads": threads()})
    for line in sys.stdin:
        gc.collect()
        say(run(json.loads(line)["round"]))


if __name__ == "__main__":
    main()
