"""A round of annotation, timed: the same for every system that gets texts and gives entities."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

#: Texts to warm up with.
WARM = 64
#: First character of an entity, one past its last, its label.
FoundT = list[tuple[int, int, str]]


def measured(find: Callable[[Sequence[str]], list[FoundT]], options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure a function from texts to entities.

    find (Callable[[Sequence[str]], list[FoundT]]): The function; the entities are in characters of each text.
    options (dict[str, Any]): "texts" (a JSON file), and "words", the number to count.
    RETURNS (Callable[[int], dict[str, Any]]): The round. The first one also gives the entities.
    """
    texts = json.loads(Path(options["texts"]).read_text(encoding="utf8"))

    def run(number: int) -> dict[str, Any]:
        start = time.perf_counter()
        found = find(texts)
        seconds = time.perf_counter() - start
        result: dict[str, Any] = {"value": options["words"] / seconds, "seconds": seconds}
        return {**result, "entities": found} if number == 0 else result

    find(texts[:WARM])
    return run


def measured_pipe(nlp: Any, options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """The same for a pipeline of spaCy, with `nlp.pipe`.

    nlp (Language): The pipeline.
    options (dict[str, Any]): As for `measured`.
    RETURNS (Callable[[int], dict[str, Any]]): The round.
    """

    def find(texts: Sequence[str]) -> list[FoundT]:
        return [[(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents] for doc in nlp.pipe(texts)]

    return measured(find, options)
