"""A graph in ONNX Runtime: one session a process, one thread a batch."""

import importlib.util
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import Errors
from ...runtime.blame import short
from ...runtime.threads import cpu_threads
from ...types import Floats32
from ...wordpieces.tokenizer import PieceTokenizer

Feed = dict[str, NDArray[Any]]

_making = threading.Lock()


class _Session(NamedTuple):
    """A session, and the threads that run it in the process that made both."""

    process: int
    session: Any
    threads: ThreadPoolExecutor | None


class GraphRunner:
    """Run a graph over batches.

    Each batch runs on one thread, and as many batches at once as there are threads: two threads that work on two
    batches never wait for each other, as two that share the rows of one do after each of its steps. The session is made
    when it is first needed, and anew in a process that was forked.
    """

    def __init__(self, graph: bytes) -> None:
        """graph (bytes): The ONNX graph."""
        self.graph = graph
        self._session: _Session | None = None

    def __getstate__(self) -> bytes:
        return self.graph

    def __setstate__(self, graph: bytes) -> None:
        self.graph = graph
        self._session = None

    @property
    def n_threads(self) -> int:
        """RETURNS (int): The number of batches that run at once."""
        return cpu_threads()

    def run(self, feeds: Sequence[Feed]) -> list[Floats32]:
        """Run the graph.

        feeds (Sequence[dict[str, NDArray]]): The inputs by name, batch by batch.
        RETURNS (list[Floats32]): The first output for each batch.
        """
        _, session, threads = self._get()

        def run_one(feed: Feed) -> Floats32:
            output: Floats32 = session.run(None, feed)[0]
            return output

        if threads is None or len(feeds) == 1:
            return [run_one(feed) for feed in feeds]
        return list(threads.map(run_one, feeds))

    def _get(self) -> _Session:
        with _making:
            if self._session is None or self._session.process != os.getpid():
                n = self.n_threads
                threads = ThreadPoolExecutor(n, thread_name_prefix="onnx") if n > 1 else None
                self._session = _Session(os.getpid(), _open(self.graph), threads)
        return self._session


def _open(graph: bytes) -> Any:
    """Make a session. RAISES (ImportError): TC302, without ONNX Runtime."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(Errors.TC302.format(package="onnxruntime", extra="onnx")) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_mem_pattern = False  # no two batches have the same sizes
    # Of the wider sets, one joins additions and layer norms to an operator that is ten times slower than both.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def try_graph(runner: GraphRunner, tokenizer: PieceTokenizer, *, width: int, pad_id: int, casing: bool) -> None:
    """Run a graph once, over the last word piece of a vocabulary: it has to give finite vectors of the right width.
    Without ONNX Runtime nothing is run, here as later.

    runner (GraphRunner): The graph.
    tokenizer (PieceTokenizer): The vocabulary.
    width (int): Width of the vectors.
    pad_id (int): The piece that pads.
    casing (bool): Whether the graph reads casings.
    RAISES (ValueError): TC429.
    """
    if importlib.util.find_spec("onnxruntime") is None:
        return
    ids = np.array([[tokenizer.highest_id, pad_id]], dtype="int64")
    feed: Feed = {"ids": ids, "mask": np.ones_like(ids), "rows": np.arange(2, dtype="int64")}
    if casing:
        feed["casings"] = np.zeros_like(ids)
    try:
        found = runner.run([feed])[0]
    except Exception as error:  # whatever ONNX Runtime stumbles over
        raise ValueError(Errors.TC429.format(detail=short(error, limit=200))) from error
    if found.shape != (2, width) or not np.isfinite(found).all():
        detail = f"it gives vectors of the shape {found.shape}, or some that are not finite; {width} numbers expected."
        raise ValueError(Errors.TC429.format(detail=detail))
