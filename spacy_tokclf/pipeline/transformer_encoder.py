"""The component `transformer_encoder`: one encoder that several components listen to."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, cast

from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2Vec
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate
from thinc.types import Floats2d

from ..errors import Errors
from ..models.device_logits import launch_vectors
from ..models.encoder import load_encoder
from ..models.hf.pretrained import LoaderT
from ..models.listener import EncoderListener
from ..models.optimizer_contract import has_learned, most_learned
from ..types import Floats32
from .finite import check_rows
from .home import Home
from .length import check_length
from .lookup import all_filled
from .memory_full import memory_for_batch, memory_for_texts
from .refusal import StepGuard
from .storage import Stored
from .streaming import Begun, Streaming

FORMAT = 1


class Batch:
    """A batch between the encoder's forward and backward pass, and the sum of the gradients of its listeners so far."""

    def __init__(self, backprop: Callable[[list[Floats2d]], Any], gradient: list[Floats2d], waiting_for: int) -> None:
        """Begin with the encoder's backprop callback, a gradient of zeros (per text: n_tokens, width), and the number
        of listeners."""
        self.backprop = backprop
        self.gradient = gradient
        self.waiting_for = waiting_for
        self.has_gradient = False

    def add(self, d_vectors: list[Floats2d]) -> float:
        """Add a listener's gradient.

        d_vectors (list[Floats2d]): The gradient. Per text (n_tokens, width).
        RETURNS (float): The sum of its squares.
        """
        self.waiting_for -= 1
        self.has_gradient = True
        for total, rows in zip(self.gradient, d_vectors, strict=True):
            total += rows
        return sum(float((cast(Floats32, rows) ** 2).sum()) for rows in d_vectors)

    def backpropagate(self) -> None:
        """Run the encoder's backward pass with the gradient, once, if any listener has sent one."""
        if self.has_gradient:
            self.has_gradient = False
            self.backprop(self.gradient)


class TransformerEncoder(Streaming, Stored, Tok2Vec):
    """Run an encoder once and hand its token vectors to every component that listens: ours, and spaCy's own."""

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], list[Floats2d]],
        name: str = "transformer",
    ) -> None:
        """Initialize the component.

        vocab (Vocab): The shared vocabulary.
        model (Model[list[Doc], list[Floats2d]]): Gives token vectors.
        name (str): The component's name.
        """
        super().__init__(vocab, model, name)
        self.cfg = {"format": FORMAT}
        self.home = Home()
        self._pipes: dict[str, Any] = {}
        self._batch: Batch | None = None
        self._guard = StepGuard()

    def find_listeners(self, component: Any) -> None:
        """Connect the listeners in a component's model.

        component (Any): A component later in the pipeline.
        """
        super().find_listeners(component)
        if getattr(component, "name", None) in self.listener_map:
            self._pipes[component.name] = component
            for listener in self.listener_map[component.name]:
                if isinstance(listener, EncoderListener):
                    listener.upstream = self.model

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        encoder: LoaderT | None = None,
    ) -> None:
        """Fetch the encoder.

        get_examples (Callable[[], Iterable[Example]]): Gives a representative sample of the training data.
        nlp (Language | None): The pipeline.
        encoder (Callable | None): Loader of the pretrained encoder.
        RAISES (ValueError): TC023, if there is no encoder.
        """
        validate_get_examples(get_examples, "TransformerEncoder.initialize")
        if encoder is not None:
            load_encoder(self.model, encoder)
        elif not all_filled(self.model):
            raise ValueError(Errors.TC023.format(name=self.name))
        self.model.initialize(X=[eg.x for eg in islice(get_examples(), 4)])

    def predict(self, docs: Iterable[Doc]) -> list[Floats2d]:
        """Give the vectors of some texts, without touching the texts.

        docs (Iterable[Doc]): The texts.
        RETURNS (list[Floats2d]): Per text (n_tokens, width).
        RAISES (ValueError): TC473, if some are not finite.
        """
        docs = list(docs)
        with memory_for_texts(self.name, docs):
            vectors: list[Floats2d] = super().predict(docs)
        check_rows(self.model, docs, vectors, name=self.name, what="vectors")
        return vectors

    def launch(self, docs: list[Doc]) -> Begun | None:
        """Begin to compute vectors on a GPU, and do not wait for it.

        docs (list[Doc]): The texts.
        RETURNS (Callable | None): Gives what `predict` gives; None where nothing is to be fetched from a GPU.
        """
        with memory_for_texts(self.name, docs):
            begun = launch_vectors(self.model, docs)
        if begun is None:
            return None

        def finish() -> list[Floats32]:
            vectors = begun()
            check_rows(self.model, docs, vectors, name=self.name, what="vectors")
            return vectors

        return finish

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Give the vectors of a batch to all listeners, and sum the gradients that they send back.

        The encoder's backward pass runs once all listeners have sent theirs. A listener that sends none (a frozen
        component, or one that has nothing to learn from in this batch) does not hold up the others: the backward pass
        runs before the encoder's next step or batch at the latest. (In spaCy's `tok2vec` the gradients are lost if the
        last listener sends none.)

        examples (Iterable[Example]): The batch.
        drop (float): Rate of dropout layers in the model; the encoder has that of its own config.
        sgd (Optimizer | None): Steps once the gradients are there.
        losses (dict[str, float] | None): Losses by component; this one adds the squares of the gradients.
        RETURNS (dict[str, float]): The losses.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        self.backpropagate()
        examples = list(examples)
        validate_examples(examples, "TransformerEncoder.update")
        docs = [eg.predicted for eg in examples]
        self._guard.saw(docs)
        set_dropout_rate(self.model, drop)
        with memory_for_batch(self.name, docs):
            vectors, backprop = self.model.begin_update(docs)
        alloc = self.model.ops.alloc2f

        def backpropagate(d_vectors: list[Floats2d]) -> None:
            with memory_for_batch(self.name, docs):
                backprop(d_vectors)

        batch = self._batch = Batch(backpropagate, [alloc(*rows.shape) for rows in vectors], len(self.listeners))

        def gather(d_vectors: list[Floats2d]) -> list[Floats2d]:
            losses[self.name] += batch.add(d_vectors)
            if not batch.waiting_for:
                batch.backpropagate()
                if sgd not in (None, False):
                    self.finish_update(sgd)
            return [alloc(*rows.shape) for rows in d_vectors]

        batch_id = EncoderListener.get_batch_id(docs)
        for listener in self.listeners:
            listener.receive(batch_id, vectors, gather)
        return losses

    def backpropagate(self) -> None:
        """Run the backward pass of the last batch, if it has not run yet."""
        batch, self._batch = self._batch, None
        if batch is not None:
            batch.backpropagate()

    def finish_update(self, sgd: Optimizer) -> None:
        """Step: first the norm over the gradients of the encoder and of all that listen to it, then the encoder.

        sgd (Optimizer): The optimizer.
        RAISES (ValueError): TC470, if a gradient is not finite; TC471, if the learning rate is not.
        """
        check_length(self.home.nlp, sgd)
        self.backpropagate()
        # A token classifier that has nothing to learn from yet (`nlp.update` with `sgd`) prepares itself later.
        pipes = [pipe for name, pipe in self._pipes.items() if name in self.listener_map and has_learned(pipe)]
        self._guard.prepare(self, sgd, [self.model, *(pipe.model for pipe in pipes)], most_learned(pipes))
        self.model.finish_update(sgd)

    def forget_step(self) -> None:
        """Forget the batch."""
        self._batch = None
        self._guard.forget()
