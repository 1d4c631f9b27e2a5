"""Long streams of texts: the memory and the time that a process takes to annotate them."""

import importlib
import json
import random
import string
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .texts import WARM

#: Every fourth word of four letters or more gets another letter. Over a million words that makes about as many
#: different words as posts of this kind have, by the growth in WNUT-17 (6,300 in 23,000 words, 20,800 in 102,000).
CHANGED = 0.25
STATUS = Path("/proc/self/status")


def fresh_texts(texts: Sequence[str], words: int, *, seed: int = 0) -> Iterator[str]:
    """Give texts without end: the same ones in another order and with other words each time.

    texts (Sequence[str]): The texts to begin with.
    words (int): Words in all; the last text is cut.
    seed (int): Of order and changes.
    YIELDS (str): The texts.
    """
    rng = random.Random(seed)
    left = words
    while left > 0:
        for text in rng.sample(list(texts), len(texts)):
            chosen = [_changed(word, rng) for word in text.split(" ")[:left]]
            left -= len(chosen)
            yield " ".join(chosen)
            if left <= 0:
                return


def _changed(word: str, rng: random.Random) -> str:
    if len(word) < 4 or not word.isalpha() or rng.random() >= CHANGED:
        return word
    place = rng.randrange(1, len(word))
    letter = rng.choice(string.ascii_lowercase)
    return word[:place] + (letter.upper() if word[place].isupper() else letter) + word[place + 1 :]


def memory() -> tuple[float, float]:
    """Give the memory that this process takes, shared pages included.

    RETURNS (tuple[float, float]): Now, and at most so far. MiB.
    """
    if not STATUS.is_file():
        import resource
        import sys

        unit = 2**20 if sys.platform == "darwin" else 2**10
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
        return most, most
    # Not getrusage: its maximum begins with what the parent took when it forked.
    lines = dict(line.split(":", 1) for line in STATUS.read_text(encoding="utf8").splitlines())
    now, most = (int(lines[name].split()[0]) / 2**10 for name in ("VmRSS", "VmHWM"))
    return now, most


def peak(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure what another function's round takes in memory, getting ready included.

    options (dict[str, Any]): "target", the function, and "options" of it.
    RETURNS (Callable[[int], dict[str, Any]]): The round; the value is in MiB.
    """
    run = _function(options["target"])(options["options"])

    def measured(number: int) -> dict[str, Any]:
        result = run(number)
        return {"seconds": result["seconds"], "value": memory()[1]}

    return measured


def annotate(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure a stream of texts.

    options (dict[str, Any]): "target", which gives a function from texts to results in their order, and "options" of
        it; "texts" (a JSON file), "words" in all, and "every" how many words a sample is taken.
    RETURNS (Callable[[int], dict[str, Any]]): The round. "samples" are lists of words so far, seconds, seconds of the
        processor and MiB; the value is the highest MiB of the process.
    """
    pipe = _function(options["target"])(options["options"])
    texts = json.loads(Path(options["texts"]).read_text(encoding="utf8"))

    def run(number: int) -> dict[str, Any]:
        waiting: deque[int] = deque()

        def counted() -> Iterator[str]:
            for text in fresh_texts(texts, options["words"], seed=number):
                waiting.append(text.count(" ") + 1)
                yield text

        done, samples = 0, []
        start, start_cpu = time.perf_counter(), time.process_time()
        for _ in pipe(counted()):
            before, done = done, done + waiting.popleft()
            if done // options["every"] > before // options["every"] or done == options["words"]:
                seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
                samples.append([done, round(seconds, 3), round(cpu, 3), round(memory()[0], 1)])
        return {"value": memory()[1], "seconds": samples[-1][1], "samples": samples}

    for _ in pipe(iter(texts[:WARM])):
        pass
    return run


def long_document(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to measure one long text beside the same words in short texts.

    options (dict[str, Any]): "target" and "options" as for `annotate`; "texts" (a JSON file) and "words", their number.
    RETURNS (Callable[[int], dict[str, Any]]): The round; the value is the speed with the long text over that with the
        short ones.
    """
    pipe = _function(options["target"])(options["options"])
    texts = json.loads(Path(options["texts"]).read_text(encoding="utf8"))
    whole = [" ".join(texts)]

    def seconds(given: Sequence[str]) -> float:
        start = time.perf_counter()
        for _ in pipe(given):
            pass
        return time.perf_counter() - start

    def run(number: int) -> dict[str, Any]:
        pair = (texts, whole) if number % 2 == 0 else (whole, texts)
        taken = {len(given) > 1: seconds(given) for given in pair}
        rates = {name: options["words"] / taken[key] for name, key in (("short", True), ("long", False))}
        return {"value": taken[True] / taken[False], **rates}

    seconds(texts[:WARM])
    return run


def _function(target: str) -> Any:
    module, function = target.split(":")
    return getattr(importlib.import_module(module), function)
