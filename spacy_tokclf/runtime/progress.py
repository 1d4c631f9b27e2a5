"""The progress bar of everything that takes long."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

#: Seconds after which a bar appears, so that short work shows none.
DELAY = 2.0

ItemT = TypeVar("ItemT")


def progress(items: Iterable[ItemT], *, label: str, total: int | None = None, unit: str = "texts") -> Iterator[ItemT]:
    """Pass items on, with a bar on the terminal that stderr is. Where it is none, or after less than two seconds,
    nothing is shown.

    items (Iterable[ItemT]): What is gone through; it is never held whole.
    label (str): What is being done: "Reading".
    total (int | None): How many there are; None: their length, if they have one.
    unit (str): What they are.
    YIELDS (ItemT): Each item.
    """
    from tqdm import tqdm

    yield from tqdm(items, desc=label, total=total, unit=f" {unit}", delay=DELAY, disable=None, leave=False)
