"""What glibc's allocator keeps of the memory that is freed, and what Python's garbage collector walks over: explicit
steps for processes that train or serve."""

import contextlib
import ctypes
import gc
import os
from collections.abc import Callable, Iterator

from spacy.language import Language

#: Parameters of glibc's `mallopt` (malloc.h), and how many bytes of freed memory it then keeps.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
KEPT_BYTES = 1 << 30


def tune_malloc() -> bool:
    """Set glibc's allocator, for the whole process, to how encoders use memory. Nothing in this package does so by
    itself; our training configs name the callback `spacy-tokclf.tune_malloc.v1`, and a service may call this once,
    before its first text.

    Up to a gibibyte of freed memory is kept for the next step, where glibc would give large blocks back to the kernel,
    which clears them page by page when they are asked for again: a fifth of a training step. And threads that are
    started from now on take their memory from one arena: with several arenas, what one thread frees another does
    not find, and a process grows for as long as it annotates.

    Environment variables for glibc's `malloc` have the last word. See mallopt(3).

    RETURNS (bool): Whether anything was set: not without glibc, and not where the environment has settings for it.
    """
    if any(name.startswith("MALLOC_") for name in os.environ) or "GLIBC_TUNABLES" in os.environ:
        return False
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        settings = ((M_MMAP_THRESHOLD, KEPT_BYTES), (M_TRIM_THRESHOLD, KEPT_BYTES), (M_ARENA_MAX, 1))
        # No early end: each setting stands for itself. `mallopt` returns 1 on success.
        return all([mallopt(parameter, value) == 1 for parameter, value in settings])  # noqa: C419
    return False


def make_tune_malloc_v1() -> Callable[[Language], Language]:
    """Make a callback for `[initialize.before_init]` that calls `tune_malloc`: training takes less time and
    memory. In `[nlp]`, which every load runs, it would change the process of whoever loads the pipeline.

    RETURNS (Callable[[Language], Language]): The callback; gives the pipeline back as it is.
    """

    def tune(nlp: Language) -> Language:
        tune_malloc()
        return nlp

    return tune


@contextlib.contextmanager
def objects_settled() -> Iterator[None]:
    """Let the garbage collector pass over all objects that are there now, as long as this lasts: data in memory are
    hundreds of thousands, which it would walk over many times an epoch.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
