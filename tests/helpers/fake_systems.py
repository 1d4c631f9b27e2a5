"""Systems that take no time, for the tests of `bench`."""

import os
from collections.abc import Callable
from typing import Any


def steady(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Give the values in turn, and note the order of the rounds in a file."""
    print("a library prints")
    os.system("echo a program of a library prints")

    def run(number: int) -> dict[str, Any]:
        with open(options["order"], "a", encoding="utf8") as file:
            file.write(f"{number} {options['name']}\n")
        return {"value": options["values"][number], "f1": options.get("f1")}

    return run


def broken(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Fail while getting ready."""
    raise FileNotFoundError(f"there is no model in {options['name']}")


def words(options: dict[str, Any]) -> Callable[[Any], Any]:
    """Give a function that passes texts on, and keeps what it was given if it is to leak."""
    kept: list[Any] = []

    def pipe(texts: Any) -> Any:
        for text in texts:
            if options.get("leak"):
                kept.append(bytearray(options["leak"]))
            yield text

    return pipe


def takes(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Take some memory in a round."""

    def run(number: int) -> dict[str, Any]:
        bytes_ = bytearray(options["bytes"])
        return {"seconds": 1.0, "value": len(bytes_)}

    return run
