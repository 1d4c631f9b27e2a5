"""The component `transformer_encoder`: one encoder that several components listen to."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2Vec
from spacy.tokens import Doc
from spacy.training import Example, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer
from thinc.types import Floats2d

from ..errors import Errors
from ..models.encoder import encoder_nodes, load_encoder
from ..models.listener import EncoderListener
from ..models.pretrained import LoaderT
from .steps import prepare_step
from .storage import Stored

FORMAT = 1


class TransformerEncoder(Stored, Tok2Vec):
    """Run an encoder once and hand its token vectors to every component that listens: ours, and spaCy's own."""

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], list[Floats2d]],
        name: str = "transformer",
    ) -> None:
        """Initialize the component.

        vocab (Vocab): The shared vocabulary.
        model (Model[List[Doc], List[Floats2d]]): Gives token vectors.
        name (str): The component's name.
        """
        super().__init__(vocab, model, name)
        self.cfg = {"format": FORMAT}
        self._pipes: dict[str, Any] = {}

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
        nlp (Optional[Language]): The pipeline.
        encoder (Optional[Callable]): Loader of the pretrained encoder.
        RAISES (ValueError): TC023, if there is no encoder.
        """
        validate_get_examples(get_examples, "TransformerEncoder.initialize")
        if encoder is not None:
            load_encoder(self.model, encoder)
        elif any(not node.shims[0].is_filled for node in encoder_nodes(self.model)):
            raise ValueError(Errors.TC023.format(name=self.name))
        self.model.initialize(X=[eg.x for eg in islice(get_examples(), 4)])

    def finish_update(self, sgd: Optimizer) -> None:
        """Step: first the norm over the gradients of the encoder and of all that listen to it, then the encoder.

        sgd (Optimizer): The optimizer.
        """
        # A token classifier that has nothing to learn from yet (`nlp.update` with `sgd`) prepares itself later.
        pipes = [
            pipe for name, pipe in self._pipes.items() if name in self.listener_map and getattr(pipe, "n_learned", 1)
        ]
        learned = max((getattr(pipe, "n_learned", 1) for pipe in pipes), default=1)
        prepare_step(sgd, [self.model, *(pipe.model for pipe in pipes)], learned)
        self.model.finish_update(sgd)
