"""The batches of a training, in the order in which `spacy train` draws them, from any place on."""

import hashlib
import random
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from spacy.errors import Errors as SpacyErrors
from spacy.language import Language
from spacy.training import Example

from ..corpus.digest import digest_examples
from ..errors import Errors
from ..runtime import random_state as states

CorpusT = Callable[[Language], Iterable[Example]]
BatcherT = Callable[[Iterable[Example]], Iterable[Iterable[Example]]]
#: The generators that readers, augmenters and batchers draw from: how each is taken, put back, written and read.
GENERATORS = {
    "python": (states.python_state, states.set_python_state, states.python_to_json, states.python_from_json),
    "numpy": (states.numpy_state, states.set_numpy_state, states.numpy_to_json, states.numpy_from_json),
}


class Batches:
    """Draw batches as spaCy's `create_train_batches` does: data in memory are read once and shuffled for each epoch,
    a stream is read again. `place` says where the drawing is, and `go_to` goes there in another process.

    epoch (int): The epoch of the last batch, from 0.
    done (int): The batches of that epoch that were drawn.
    """

    def __init__(self, nlp: Language, corpus: CorpusT, batcher: BatcherT, *, max_epochs: int) -> None:
        """Begin before the first batch.

        nlp (Language): The pipeline.
        corpus (Callable[[Language], Iterable[Example]]): Reads the training data.
        batcher (Callable[[Iterable[Example]], Iterable[Iterable[Example]]]): Cuts them into batches.
        max_epochs (int): Epochs to draw; 0: without end; -1: without end, from a stream.
        """
        self._nlp = nlp
        self._corpus = corpus
        self._batcher, self.sizes = _counted(batcher)
        self._max_epochs = max_epochs
        self._examples: list[Example] = []
        self._order: list[int] = []
        self._stream: Iterator[Iterable[Example]] | None = None
        self._sizes_at_start: list[int] = []
        self._tracks: dict[str, _Track] = {}
        self._seen = hashlib.sha256()
        self.epoch = 0
        self.done = 0

    @property
    def is_stream(self) -> bool:
        """RETURNS (bool): Whether the data are read again in each epoch."""
        return self._max_epochs < 0

    def read(self) -> None:
        """Read data that are held in memory, once, before the first batch.

        RAISES (ValueError): E986 of spaCy's, if there are none.
        """
        if self.is_stream:
            return
        self._examples = list(self._corpus(self._nlp))
        self._order = list(range(len(self._examples)))
        if not self._examples:
            raise ValueError(SpacyErrors.E986)

    def digest(self) -> str:
        """RETURNS (str): The digest of data that are held in memory; empty for a stream."""
        return "" if self.is_stream else digest_examples(self._examples)

    def __iter__(self) -> Iterator[tuple[int, list[Example]]]:
        """RETURNS (Iterator[tuple[int, list[Example]]]): Itself: the batches with their epochs."""
        return self

    def __next__(self) -> tuple[int, list[Example]]:
        """RETURNS (tuple[int, list[Example]]): The next batch, after its epoch. RAISES (ValueError): TC351."""
        while True:
            if self._stream is None:
                if 0 < self._max_epochs == self.epoch:
                    raise StopIteration
                self._begin_epoch()
            batch = self._draw()
            if batch is not None:
                return self.epoch, batch
            if not self.done:
                raise ValueError(Errors.TC351.format(batcher=self._nlp.config["training"]["batcher"]))
            self._stream = None
            self.epoch += 1

    def _begin_epoch(self) -> None:
        if not self.is_stream:
            random.shuffle(self._order)  # the same numbers as for the examples themselves
        self._tracks = {name: _Track(*GENERATORS[name][:2]) for name in GENERATORS}
        self._open()

    def _open(self) -> None:
        """Begin to cut the epoch into batches."""
        self.done = 0
        self._seen = hashlib.sha256()
        self._sizes_at_start = [size.count for size in self.sizes]
        examples = self._corpus(self._nlp) if self.is_stream else [self._examples[index] for index in self._order]
        self._stream = iter(self._batcher(examples))

    def _draw(self) -> list[Example] | None:
        """Draw a batch of the epoch; None at its end."""
        for track in self._tracks.values():
            track.before()
        batch = self._next()
        for track in self._tracks.values():
            track.after(self.done)
        if batch is not None:
            self.done += 1
        return batch

    def _next(self) -> list[Example] | None:
        if self._stream is None:
            return None
        found = next(self._stream, None)
        if found is None:
            return None
        batch = list(found)
        if self.is_stream:
            self._seen.update(digest_examples(batch).encode("ascii"))
        return batch

    def place(self) -> dict[str, Any]:
        """RETURNS (dict[str, Any]): Where the drawing is, for JSON: the epoch, its order and what was random in it."""
        return {
            "epoch": self.epoch,
            "done": self.done,
            "order": self._order,
            "sizes": self._sizes_at_start,
            "seen": self._seen.hexdigest() if self.is_stream else "",
            "random": {name: track.to_json(GENERATORS[name][2]) for name, track in self._tracks.items()},
        }

    def go_to(self, place: dict[str, Any]) -> bool:
        """Go to a place: the epoch's batches are drawn again, and those that were done are passed over. The random
        states are the batches' own then; the caller puts in those of the place.

        place (dict[str, Any]): What `place` gave.
        RETURNS (bool): Whether the data are those of then, as far as that shows.
        """
        if not self.is_stream and len(place["order"]) != len(self._examples):
            return False
        self.epoch, self._order = place["epoch"], list(place["order"])
        for size, count in zip(self.sizes, place["sizes"], strict=True):
            size.advance(count)
        self._tracks = {name: _Track(*GENERATORS[name][:2]) for name in GENERATORS}
        for name, track in self._tracks.items():
            track.from_json(place["random"][name], GENERATORS[name][3])
        self._open()
        for index in range(place["done"]):
            for track in self._tracks.values():
                track.replay(index)
            if self._next() is None:
                return False
        self.done = place["done"]
        for track in self._tracks.values():
            track.expect()
        return not self.is_stream or self._seen.hexdigest() == place["seen"]


class _Track:
    """What a generator of random numbers was at an epoch's start, and wherever a draw found it changed by others since
    the draw before (dropout, a component): with that, all draws can be made again."""

    def __init__(self, take: Callable[[], states.State], put: Callable[[states.State], None]) -> None:
        self._take, self._put = take, put
        self._start = self._expected = self._before = take()
        self._marks: dict[int, states.State] = {}

    def before(self) -> None:
        """Note the state before a draw."""
        self._before = self._take()

    def after(self, index: int) -> None:
        """Note what the draw did: its state matters only if it drew."""
        now = self._take()
        if now != self._before:
            if self._before != self._expected:
                self._marks[index] = self._before
            self._expected = now

    def replay(self, index: int) -> None:
        """Put in the state that a draw found."""
        if index in self._marks:
            self._put(self._marks[index])

    def expect(self) -> None:
        """Expect to go on from here."""
        self._expected = self._take()

    def to_json(self, encode: Callable[[states.State], Any]) -> list[Any]:
        """RETURNS (list[Any]): The start, and the marks."""
        return [encode(self._start), {str(index): encode(state) for index, state in self._marks.items()}]

    def from_json(self, data: list[Any], decode: Callable[[Any], states.State]) -> None:
        """Take over what `to_json` gave, and go to the epoch's start."""
        self._start = decode(data[0])
        self._marks = {int(index): decode(state) for index, state in data[1].items()}
        self._put(self._start)


class Counted:
    """A schedule that counts its values, so that it can be advanced again.

    count (int): The values so far.
    """

    def __init__(self, values: Iterable[Any]) -> None:
        """values (Iterable[Any]): The schedule."""
        self._values = iter(values)
        self.count = 0

    def __iter__(self) -> Iterator[Any]:
        """RETURNS (Iterator[Any]): Itself."""
        return self

    def __next__(self) -> Any:
        """RETURNS (Any): The next value."""
        self.count += 1
        return next(self._values)

    def advance(self, count: int) -> None:
        """Go on to a number of values.

        count (int): The number.
        """
        while self.count < count:
            next(self)


def _counted(batcher: BatcherT) -> tuple[BatcherT, list[Counted]]:
    """Count the values of schedules in a batcher of spaCy's, which go on from epoch to epoch."""
    if not isinstance(batcher, partial):
        return batcher, []
    found = {key: Counted(value) for key, value in batcher.keywords.items() if hasattr(value, "__next__")}
    return partial(batcher.func, *batcher.args, **{**batcher.keywords, **found}), list(found.values())
