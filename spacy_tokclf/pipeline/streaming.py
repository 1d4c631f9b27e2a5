"""Annotating a stream: a text that fails costs no other text of its batch, and a GPU and the host work side by side."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from spacy.tokens import Doc
from spacy.util import minibatch

#: Gives what `predict` gives for texts that a device already works on; waits for them if need be.
Begun = Callable[[], Any]


class Streaming:
    """The part of a component that annotates a stream."""

    name: str
    predict: Callable[[Iterable[Doc]], Any]
    set_annotations: Callable[[Iterable[Doc], Any], None]
    get_error_handler: Callable[[], Callable[..., Any]]

    def launch(self, docs: list[Doc]) -> Begun | None:
        """Begin to predict on a device that works beside the host, and do not wait for it.

        docs (list[Doc]): The texts.
        RETURNS (Callable[[], Any] | None): Gives what `predict` gives; None where there is no such device.
        """
        return None

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Annotate a stream. If a batch fails, its texts are tried one by one, so that only the bad one is lost.

        On a GPU, a batch is read from the stream and begun before what was predicted for the one before it is fetched:
        two batches are under way. With batches of one text that text is given at once.

        stream (Iterable[Doc]): The texts.
        batch_size (int): Texts held back to be batched by length.
        YIELDS (Doc): The texts, in order.
        """
        batches = minibatch(stream, size=batch_size)
        ahead: list[tuple[list[Doc], Begun]] = []  # the batch before, or none
        while True:
            try:
                docs = next(batches, None)
            except Exception:  # of who gives the texts
                while ahead:
                    yield from self._finish(*ahead.pop())
                raise
            begun = self._begin(docs) if docs and batch_size > 1 else None
            while ahead:
                yield from self._finish(*ahead.pop())
            if docs is None:
                return
            if begun is None:
                yield from self._finish(docs, partial(self.predict, docs))
            else:
                ahead.append((docs, begun))

    def _begin(self, docs: list[Doc]) -> Begun | None:
        """Begin a batch. One that fails is tried again when it is its turn: what becomes of it is decided there."""
        try:
            return self.launch(docs)
        except Exception:  # noqa: BLE001 (it is raised again in its turn)
            return None

    def _finish(self, docs: list[Doc], begun: Begun) -> Iterator[Doc]:
        """Annotate the texts of a batch, one by one if it fails."""
        try:
            self.set_annotations(docs, begun())
        except Exception as error:  # noqa: BLE001 (the pipeline's own error handler decides)
            if len(docs) == 1:
                self.get_error_handler()(self.name, self, docs, error)
                return
        else:
            yield from docs
            return
        # Not before the error is gone, which holds on to what was computed.
        for doc in docs:
            yield from self._finish([doc], partial(self.predict, [doc]))
