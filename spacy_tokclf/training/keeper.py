"""What keeps a training while it runs: its checkpoints, and the signals that ask it to stop."""

import warnings
from pathlib import Path
from timeit import default_timer

from spacy.training.loop import DIR_MODEL_BEST, DIR_MODEL_LAST

from ..errors import Warnings
from ..runtime.refusals import refusal
from ..runtime.signals import Stopped, StopSignals
from .checkpoint import read_last_together, write_checkpoint
from .fingerprint import check_fingerprint
from .folder import check_there, read_finished
from .log import LOG_NAME, write_rows
from .loop import Training, check_learned, save
from .resume import go_on_from, read_data_together, take_checkpoint, why_not_resumable

STOPPING = "\nStopping after this step{kept}{more}.\n"


class Keeper:
    """Write the checkpoints of a training, and stop it where a signal asks for that. Of several processes, the first
    one reads and writes.

    fingerprint (dict[str, Any]): What the training is of.
    signals (StopSignals): The signals, to be entered around the training.
    """

    def __init__(self, training: Training, out: Path, *, steps: int, silent: bool = False) -> None:
        """Read the last checkpoint, and the data: with the random numbers that were drawn then.

        training (Training): The training, as it was made.
        out (Path): The folder of the training.
        steps (int): Steps from one checkpoint to the next, beside those of the evaluations; 0 for none.
        silent (bool): Whether a signal is not answered.
        RAISES (ValueError): TC452, if there are checkpoints and none is whole.
        """
        self._training, self._out, self._steps = training, out, steps
        group = training.group
        self._found = read_last_together(out, group)
        self._lost = why_not_resumable(training)
        self._written = -1
        self._owed = False  # a checkpoint, or that a signal is obeyed
        self._start = default_timer()
        message = STOPPING.format(
            kept="" if self._lost else ", with a checkpoint", more=" (once more: at once)" if group.is_alone else ""
        )
        is_shown = group.is_first and not silent
        self.signals = StopSignals(message if is_shown else "", patient=not group.is_alone)
        self.fingerprint = read_data_together(training, self._found)
        if self._lost and group.is_first:
            warnings.warn(Warnings.TW452.format(reason=self._lost), stacklevel=3)

    def is_finished(self) -> bool:
        """Tell whether the training in the folder is at its end, and warn of that (TW454).

        RETURNS (bool): Whether it is.
        RAISES (ValueError): TC451, if that was another training; TC460, if what it made is not there any more.
        """
        group = self._training.group
        finished = read_finished(self._out) if group.is_first else None
        if finished is not None:
            check_fingerprint(finished, self.fingerprint)
            check_there(self._out, DIR_MODEL_BEST, DIR_MODEL_LAST, LOG_NAME)
            warnings.warn(Warnings.TW454.format(path=self._out), stacklevel=3)
        return bool(group.largest(finished is not None))

    def go_on(self, folder: Path) -> None:
        """Go to the last checkpoint, if there is one. Pipelines that it is ahead of are saved.

        folder (Path): The folder of the pipelines.
        RAISES (ValueError): TC451, TC457 or TC459, if it is of something else; TC460, if the best pipeline so far is
            not there any more.
        """
        if self._found is None:
            return
        go_on_from(self._training, self._found, self.fingerprint)
        progress = self._training.progress
        self._found, self._written = None, progress.step  # and its memory is free
        if progress.is_evaluated:
            save(self._training, folder, best=progress.is_best)
        if self._training.group.is_first:
            check_there(folder, DIR_MODEL_BEST)
            write_rows(folder / LOG_NAME, progress.rows)

    def after_step(self, training: Training) -> None:
        """Write a checkpoint if it is time for one, and stop if a signal came, to any of the processes. Where the next
        batch is drawn already, both come after its step: a checkpoint is a place between two batches.

        RAISES (Stopped): If one did.
        RAISES (ConnectionError): TC542, if a process is gone.
        """
        self.signals.number = training.group.largest(self.signals.number)
        due = bool(self._steps) and not (training.progress.step + 1) % self._steps
        self._owed = self._owed or due or bool(self.signals.number)
        training.looks_ahead = not self._owed
        if self._owed and training.ahead is None:
            self._owed, training.looks_ahead = False, True
            self.write(training)
            self.stop_if_asked()

    def write(self, training: Training) -> None:
        """Write a checkpoint. Where the machine refuses that, the training goes on with a warning (TW453).

        RAISES (ValueError): TC456 or TC544, if what was learned is no numbers, or not the same in all processes.
        """
        step = training.progress.step
        if self._lost or step == self._written:
            return
        if not training.progress.is_evaluated:  # else that was looked at before
            check_learned(training)
        seconds = training.progress.seconds + default_timer() - self._start
        try:
            if training.group.is_first:
                write_checkpoint(self._out, step, take_checkpoint(training, self.fingerprint, seconds=seconds))
        except Exception as error:
            if refusal(error) is None:
                raise
            warnings.warn(Warnings.TW453.format(step=step, detail=error), stacklevel=2)
            return
        self._written = step

    def stop_if_asked(self) -> None:
        """Stop if a signal came. RAISES (Stopped): If one did."""
        if self.signals.number:
            raise Stopped(self.signals.number, is_kept=self._written == self._training.progress.step)
