"""A round of annotation, timed: the same for every system that gets texts and gives entities."""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

#: Texts to warm up with.
WARM = 64
#: Times that the texts are gone through in a round, where each is timed by itself.
PASSES = 3
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

    return measured(lambda texts: [entities_of(doc) for doc in nlp.pipe(texts)], options)


def entities_of(doc: Any) -> FoundT:
    """RETURNS (FoundT): The entities of a Doc."""
    return [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]


def measured_singly(find: Callable[[str], Any], options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure how long one text takes that comes alone.

    find (Callable[[str], Any]): From a text to its entities.
    options (dict[str, Any]): "texts" (a JSON file).
    RETURNS (Callable[[int], dict[str, Any]]): The round; the value is the median in milliseconds.
    """
    texts = json.loads(Path(options["texts"]).read_text(encoding="utf8"))

    def once(text: str) -> float:
        start = time.perf_counter()
        find(text)
        return 1000 * (time.perf_counter() - start)

    def run(number: int) -> dict[str, Any]:
        times = sorted(once(text) for _ in range(PASSES) for text in texts)
        return {"value": statistics.median(times), "p95": times[int(0.95 * len(times))]}

    run(-1)
    return run


def measured_points(
    find: Callable[[Sequence[str], int], Any], options: dict[str, Any]
) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure a curve: words a second at several lengths of texts, or sizes of batches.

    find (Callable[[Sequence[str], int], Any]): From texts and the size of a batch to entities.
    options (dict[str, Any]): "points", a JSON file with a list of {"name", "texts", "words", "batch_size"}.
    RETURNS (Callable[[int], dict[str, Any]]): The round. It gives a value a point, by name.
    """
    points = json.loads(Path(options["points"]).read_text(encoding="utf8"))

    def run(number: int) -> dict[str, Any]:
        values = {}
        for point in points:
            start = time.perf_counter()
            find(point["texts"], point["batch_size"])
            values[point["name"]] = point["words"] / (time.perf_counter() - start)
        return values

    for point in points:
        find(point["texts"][: max(WARM // 8, 1)], point["batch_size"])
    return run
