"""`encoder`: posts a second through an encoder alone, our kernels beside transformers' own module: there and back,
and forward, in the order of the file and sorted by length. `--encoder` says which; it has to be of BERT's family."""

from typing import Any

from ..data import write_sample
from ..rounds import run_rounds, wanted
from ..rows import Row, make_rows
from ..system import OURS, Setting, System

TARGET = "bench.bare.encoder:measured"
THEIRS = "transformers' module"
#: What is measured: name of the work, whether a backward pass follows, whether batches are of posts of like length.
WORKS = (
    ("encoder there and back, file order", True, False),
    ("encoder there and back, by length", True, True),
    ("encoder forward, file order", False, False),
    ("encoder forward, by length", False, True),
)


def systems(setting: Setting, posts: str, precision: str, *, train: bool, sort: bool) -> list[System]:
    """List the two systems of a work.

    setting (Setting): The setting.
    posts (str): The file of the posts.
    precision (str): "fp32" or "bf16", of both.
    train (bool): Whether a backward pass follows.
    sort (bool): Whether batches are of posts of like length.
    RETURNS (list[System]): Theirs and ours.
    """
    given: dict[str, Any] = {"encoder": str(setting.encoder), "posts": posts, "precision": precision}
    given |= {"train": train, "sort": sort}
    return [
        System(THEIRS, TARGET, {**given, "ours": False}, precision, reference=True),
        System(f"{OURS}, padding-free", TARGET, {**given, "ours": True}, precision),
    ]


def measure(setting: Setting) -> list[Row]:
    """Measure an encoder. Ratios are those of one precision.

    setting (Setting): The setting.
    RETURNS (list[Row]): The rows.
    """
    posts = write_sample(setting)["posts"]
    rows = []
    for work, train, sort in WORKS:
        for precision in ("fp32", "bf16"):
            found = wanted(systems(setting, posts, precision, train=train, sort=sort), setting)
            answers = run_rounds(found, setting, note=lambda result: f"{result['value']:.1f} posts/s")
            rows += make_rows(
                work, "posts/s", found, answers, data=setting.source, posts=setting.posts, encoder=setting.encoder.name
            )
    return rows
