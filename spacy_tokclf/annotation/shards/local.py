"""The engine `local`: processes on this machine with one thread, or one GPU, each."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from ...errors import Errors
from .cut import Shard
from .work import Setting
from .worker import raise_answered

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
#: One thread in each process: the cores are shared out among these.
ONE_THREAD = {**dict.fromkeys(_THREADS, "1"), "TOKENIZERS_PARALLELISM": "false"}
#: How often a shard is tried: a process may have been killed for what another one took.
TRIES = 2
_LAST = 300


def annotate_locally(
    shards: Iterator[Shard], setting: Setting, *, workers: int, keep_open: tuple[int, ...] = ()
) -> Generator[dict[str, Any], None, None]:
    """Annotate shards in several processes.

    shards (Iterator[Shard]): The shards, each of which is cut when a process is free.
    setting (Setting): What is to be done.
    workers (int): How many processes.
    keep_open (tuple[int, ...]): Files that stay open for as long as any of them lives.
    YIELDS (dict[str, Any]): What the manifest says of each, as they are done.
    RAISES (ValueError): TC513, if a process dies twice at a shard; TC514, if it dies twice before it has loaded the
        pipeline; as Annotator.
    """
    gpus = count_gpus() if setting.kind == "gpu" else 1
    told: set[str] = set()
    free = [_Process(setting.of_process(number, gpus), keep_open, told) for number in range(workers)]
    everyone, busy = tuple(free), dict[Future[dict[str, Any]], _Process]()
    with ThreadPoolExecutor(workers, thread_name_prefix="shards") as pool:
        try:
            while True:
                while free and (shard := next(shards, None)) is not None:
                    process = free.pop()
                    busy[pool.submit(process.annotate, shard)] = process
                if not busy:
                    return
                for future in wait(busy, return_when=FIRST_COMPLETED).done:
                    free.append(busy.pop(future))
                    yield future.result()
        finally:
            for process in everyone:
                process.end()


class _Process:
    """A process, begun when it is first asked, and once more if it dies."""

    def __init__(self, setting: Setting, keep_open: tuple[int, ...], told: set[str]) -> None:
        self.setting, self.keep_open, self.told = setting, keep_open, told
        self.ended = False
        self.process: subprocess.Popen[str] | None = None
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 (as long as the process)

    def annotate(self, shard: Shard) -> dict[str, Any]:
        """Let a shard be annotated."""
        is_loaded = False
        for _ in range(TRIES):
            is_loaded = self.process is not None or self._begin()
            answer = self._ask(json.dumps(shard)) if is_loaded else None
            if answer is not None:
                done: dict[str, Any] = raise_answered(answer)["done"]
                return done
            reason = self._death()
            self.process = None
            if self.ended:
                break
        if not is_loaded:
            raise ValueError(Errors.TC514.format(tries=TRIES, reason=reason))
        first, last = shard.row, shard.row + shard.rows - 1
        raise ValueError(Errors.TC513.format(shard=shard.number, first=first, last=last, tries=TRIES, reason=reason))

    def end(self) -> None:
        """End it at once."""
        self.ended = True
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def _begin(self) -> bool:
        """Start it, and wait until it is ready. RETURNS (bool): Whether it is; it may die before."""
        command = [sys.executable, "-m", "spacy_tokclf.annotation.shards.worker"]
        self.process = subprocess.Popen(
            command,
            env={**os.environ, **ONE_THREAD},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            encoding="utf-8",
            pass_fds=self.keep_open,
        )
        if self.ended:  # meanwhile
            self.process.kill()
        answer = self._ask(json.dumps(self.setting.to_json()))
        if answer is None:
            return False
        for text in raise_answered(answer)["warnings"]:
            if text not in self.told:
                self.told.add(text)
                warnings.warn(text, stacklevel=2)
        return True

    def _ask(self, line: str) -> dict[str, Any] | None:
        """Say a line, and hear the answer; None if the process has died."""
        process: Any = self.process
        try:
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
            heard = process.stdout.readline()
        except (BrokenPipeError, ConnectionResetError):
            return None
        answer: dict[str, Any] | None = json.loads(heard) if heard.endswith("\n") else None
        return answer

    def _death(self) -> str:
        """Say how the process died."""
        process: Any = self.process
        code = process.wait()
        if code < 0:
            killed = " (as the system does when memory is short)" if -code == signal.SIGKILL else ""
            return f"process {process.pid} was ended by {signal.Signals(-code).name}{killed}"
        if self.ended:
            return ""
        self.log.seek(max(0, self.log.seek(0, os.SEEK_END) - _LAST))
        said = " ".join(self.log.read().decode("utf-8", "replace").split())
        return f"process {process.pid} ended with exit code {code}" + (f" and said: ... {said}" if said else "")


def count_gpus() -> int:
    """RETURNS (int): How many GPUs there are; at least 1."""
    import torch

    return max(1, torch.cuda.device_count())
