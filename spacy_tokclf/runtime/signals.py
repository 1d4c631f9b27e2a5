"""Signals that ask a long work to stop (Ctrl-C, SIGTERM), noted so that it can stop where nothing is lost."""

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """Note the first such signal while in use; the second does at once what it did before, unless the process is
    patient. Only the main thread gets signals: in any other, nothing is changed.

    number (int): The signal that asked to stop; 0 if none did.
    """

    def __init__(self, message: str = "", *, patient: bool = False) -> None:
        """Begin without a signal.

        message (str): What the first one is answered with, on the standard error.
        patient (bool): Whether more of them change nothing: torchrun passes on what a terminal has sent to all.
        """
        self.number = 0
        self._patient = patient
        self._message = message
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        """RETURNS (StopSignals): Itself."""
        if threading.current_thread() is threading.main_thread():
            wanted = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
            self._before = {number: signal.signal(number, self._note) for number in wanted}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Put the handlers back."""
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        if not self.number:
            self.number = number
            os.write(2, self._message.encode("utf-8"))  # a stream may be in the middle of something
            return
        if self._patient:
            return
        self._restore()
        os.kill(os.getpid(), number)  # what the process did with it before


class Stopped(KeyboardInterrupt):
    """Work stopped because a signal asked it to.

    number (int): The signal.
    is_kept (bool): Whether all of it is kept, to go on from.
    """

    def __init__(self, number: int, *, is_kept: bool) -> None:
        """number, is_kept: As above."""
        super().__init__(signal.Signals(number).name)
        self.number = number
        self.is_kept = is_kept
