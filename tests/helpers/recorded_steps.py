"""Training steps as on a GPU, on the CPU: what is recorded is played back by running it again."""

from collections.abc import Callable

import pytest

from spacy_tokclf.models.backend import TorchBackend
from spacy_tokclf.models.graphed import backend


class Running:
    """A recorder that counts.

    recorded, played (int): How often something was recorded, and played back.
    """

    def __init__(self) -> None:
        self.recorded = self.played = 0

    def record(self, function: Callable[[], None]) -> Callable[[], None]:
        """As for `Recorder`."""
        self.recorded += 1

        def play() -> None:
            self.played += 1
            function()

        return play


def record_on_cpu(monkeypatch: pytest.MonkeyPatch) -> Running:
    """Let token classifiers learn by recorded steps, wherever their encoder is.

    monkeypatch (MonkeyPatch): Undoes that.
    RETURNS (Running): What records.
    """
    running = Running()
    monkeypatch.setattr(backend, "make_recorder", lambda device: running)
    monkeypatch.setattr(TorchBackend, "fuses", True)
    return running
