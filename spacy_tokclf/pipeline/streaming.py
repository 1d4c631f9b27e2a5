"""Annotating a stream: a text that fails costs no other text of its batch."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from spacy.tokens import Doc
from spacy.util import minibatch


class Streaming:
    """The part of a component that annotates a stream."""

    name: str
    predict: Callable[[Iterable[Doc]], Any]
    set_annotations: Callable[[Iterable[Doc], Any], None]
    get_error_handler: Callable[[], Callable[..., Any]]

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Annotate a stream. If a batch fails, its texts are tried one by one, so that only the bad one is lost.

        stream (Iterable[Doc]): The texts.
        batch_size (int): Texts held back to be batched by length.
        YIELDS (Doc): The texts, in order.
        """
        handle_error = self.get_error_handler()
        for docs in minibatch(stream, size=batch_size):
            try:
                self.set_annotations(docs, self.predict(docs))
            except Exception as error:  # noqa: BLE001 (the pipeline's own error handler decides)
                if len(docs) == 1:
                    handle_error(self.name, self, docs, error)
                    continue
                for doc in docs:
                    yield from self.pipe([doc], batch_size=1)
                continue
            yield from docs
