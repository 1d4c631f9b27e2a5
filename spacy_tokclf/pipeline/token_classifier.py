"""The component `token_classifier`: decodes token logits into entities with scores, and learns from gold entities."""

import warnings
import weakref
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
from spacy.errors import Errors as SpacyErrors
from spacy.language import Language
from spacy.pipeline.trainable_pipe import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate
from thinc.types import Floats2d

from ..errors import Errors, Warnings
from ..metrics.gold_groups import check_groups, gold_types
from ..models.classifier import transitions_of
from ..models.device_logits import launch_logits, rows_on_host
from ..models.encoder import load_encoder
from ..models.fused_update import AheadOfTurn, Prepared, can_fuse, fused_update, prepare_update
from ..models.hf.heads import use_head
from ..models.hf.pretrained import LoaderT
from ..models.listener import EncoderListener
from ..models.transitions import TRANSITIONS
from ..tags.decode import Decoder, Spans, TagTable, make_tag_table
from ..tags.tuning import UNTUNED, Tuning, read_tuning
from ..types import Bools, Floats32, Ints
from .annotate import has_foreign_group, set_entities
from .batch_loss import sequence_loss, token_loss
from .decoding import decode_docs
from .finite import blame_weights, check_logits, name_texts
from .gold import gold_tags
from .home import Home
from .labels import LabelData, choose_labels, extend_tags, is_entity_type, tag_rows
from .length import check_length
from .lookup import all_filled, check_tokenizer, find_head
from .memory_full import PartsOfBatches, memory_for_texts
from .neighbours import Neighbour, check_neighbours, choose_key
from .refusal import StepGuard, refuse_step
from .rehearsal import distillation_loss, hold_transitions, real_optimizer, run_alone, shared_encoder
from .settings import AUTO, Setting, Settings, check_output, check_setting
from .storage import Stored
from .streaming import Begun, Streaming
from .taught import Taught, check_taught, find_taught

#: Version of what `to_disk` and `to_bytes` write.
FORMAT = 1


class TokenClassifier(Streaming, Stored, Neighbour, TrainablePipe):
    """Named-entity recognition by classifying tokens: a label and a score for every entity, on spaCy's own tokens.

    Settings are attributes, too: `ner.threshold = 0.5` is `ner.cfg["threshold"] = 0.5`.
    """

    cfg: Settings
    decode, threshold, tuned = Setting(), Setting(), Setting()
    overwrite_ents, annotate_ents, spans_key = Setting(), Setting(), Setting()
    label_smoothing = Setting()

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], list[Floats2d]],
        name: str = "token_classifier",
        *,
        decode: str = "constrained",
        threshold: float = 0.0,
        overwrite_ents: bool = False,
        annotate_ents: bool = True,
        spans_key: str | None = AUTO,
        tuned: bool = True,
        label_smoothing: float = 0.0,
        scorer: Callable[..., dict[str, Any]] | None = None,
    ) -> None:
        """Initialize the component.

        vocab (Vocab): The shared vocabulary.
        model (Model[list[Doc], list[Floats2d]]): Gives token logits.
        name (str): The component's name.
        decode (str): "constrained" (the best valid tag sequence) or "greedy" (best tag of each token, repaired).
        threshold (float): Entities with a lower score are left out.
        overwrite_ents (bool): Whether to replace the entities that a text has, or only add where there is room.
        annotate_ents (bool): Whether to set `doc.ents` at all; the span group is always set.
        spans_key (str | None): Key of the span group that holds this component's entities and their scores. Gold texts
            that have a group of this key are learned from and scored by it, the others by `doc.ents`. "auto" is
            `entities` for the first component of a pipeline and its name for the others; None is no group, and no
            scores.
        tuned (bool): Whether to use what `spacy tokclf tune` fitted, if anything.
        label_smoothing (float): Share of the gold's probability that training spreads over all tags.
        scorer (Callable | None): The scoring method.
        RAISES (ValueError): TC021, for a decoder that does not exist; TC022, for a threshold outside 0 to 1; TC031, for
            another setting out of range; TC036, if entities would be put nowhere; TC081, for a setting that a
            conditional random field does not have.
        """
        super().__init__(vocab, model, name)
        settings = {
            "decode": decode,
            "threshold": threshold,
            "overwrite_ents": overwrite_ents,
            "annotate_ents": annotate_ents,
            "spans_key": spans_key,
            "tuned": tuned,
            "label_smoothing": label_smoothing,
        }
        given = {key: check_setting(key, value) for key, value in settings.items()}
        check_output(given)
        self.cfg = Settings(format=FORMAT, scheme="IOB2", tags=[], tuning=None, given=given, **given)
        self.cfg["spans_key"] = choose_key(spans_key, name, ())
        if transitions_of(model) is not None and label_smoothing:
            raise ValueError(Errors.TC081.format(name=name, value=label_smoothing))
        self.home = Home()
        self.scorer = scorer
        self.n_learned = 0
        self.meanwhile: Callable[[], None] | None = None
        self._ahead: AheadOfTurn | None = None
        self._guard = StepGuard()
        self._parts = PartsOfBatches()
        self._table: tuple[tuple[str, ...], TagTable] | None = None
        self._warned_of_group = False
        self._rehearsal_model: Model | None = None  # a copy, made by `nlp.resume_training`

    def live_in(self, nlp: Language) -> None:
        """Take a place in a pipeline: that decides on `spans_key = "auto"`, and the pipeline's config follows the
        settings.

        nlp (Language): The pipeline, which the component is added to next.
        """
        self.home = Home(nlp)
        self.cfg["spans_key"] = choose_key(
            self.cfg["given"]["spans_key"], self.name, (pipe for _, pipe in nlp.components)
        )
        self.cfg.on_change = weakref.WeakMethod(self._tell)
        check_tokenizer(nlp)

    def _tell(self, key: str) -> None:
        """Let the pipeline's config say what a setting is now."""
        config = self.home.config_of(self)
        if key in config:
            config[key] = self.cfg[key]

    def check_config(self) -> None:
        """Refuse a number of tags in the config that is not that of the labels.

        RAISES (ValueError): TC034.
        """
        given = self.home.config_of(self).get("model", {}).get("nO")
        if isinstance(given, int) and given != len(self.tags):
            raise ValueError(Errors.TC034.format(name=self.name, given=given, found=len(self.tags)))

    @property
    def tags(self) -> list[str]:
        """RETURNS (list[str]): The tags, in the order of the classifier's rows."""
        return self.cfg["tags"]

    @property
    def labels(self) -> tuple[str, ...]:
        """RETURNS (tuple[str]): The entity types."""
        return tuple(self.tag_table.types)

    @property
    def label_data(self) -> LabelData:
        """RETURNS (dict[str, Any]): The scheme and the tags, as `spacy init labels` keeps them."""
        return {"scheme": self.cfg["scheme"], "tags": list(self.tags)}

    @property
    def tag_table(self) -> TagTable:
        """RETURNS (TagTable): The tags as the decoder reads them."""
        key = (self.cfg["scheme"], *self.tags)
        if self._table is None or self._table[0] != key:
            self._table = (key, make_tag_table(self.tags, self.cfg["scheme"]))
        return self._table[1]

    @property
    def tuning(self) -> Tuning:
        """RETURNS (Tuning): What was fitted after training and is in use."""
        return read_tuning(self.cfg["tuning"]) if self.cfg["tuned"] else UNTUNED

    @property
    def transitions(self) -> Floats32 | None:
        """RETURNS (NDArray | None): For a model with a conditional random field, the score of a tag (column) after
        another (row). Shape: (n_tags, n_tags)."""
        layer = transitions_of(self.model)
        return None if layer is None else layer.ops.to_numpy(layer.get_param(TRANSITIONS))

    @property
    def decoder(self) -> Decoder:
        """RETURNS (Decoder): How logits are turned into entities, before what was fitted after training."""
        return Decoder(self.tag_table, self.cfg["decode"] == "constrained", self.transitions)

    def add_label(self, label: str) -> int:
        """Add an entity type. A trained classifier keeps the rows that it has, and what it finds: the new type is
        unlikely everywhere until it is trained.

        label (str): The type.
        RETURNS (int): 1 if the type is new, else 0.
        RAISES (ValueError): TC037, for what cannot be an entity type.
        """
        if not is_entity_type(label):
            raise ValueError(Errors.TC037.format(label=repr(label), name=self.name))
        if label in self.labels:
            return 0
        self.cfg["tags"] = extend_tags(self.tags, [label], self.cfg["scheme"])
        self.vocab.strings.add(label)
        if self.model.get_ref("output_layer").has_param("W") is True:
            self.set_output(len(self.tags))
        return 1

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: dict[str, Any] | list[str] | None = None,
        encoder: LoaderT | None = None,
    ) -> None:
        """Fetch the encoder, set the labels, and make a fresh classifier, or take over that of a checkpoint. Nothing is
        left of an earlier tuning.

        get_examples (Callable[[], Iterable[Example]]): Gives a representative sample of the training data.
        nlp (Language | None): The pipeline.
        labels (dict[str, Any] | list[str] | None): Entity types, or what `spacy init labels` wrote; from the
            checkpoint or else from the examples if not given.
        encoder (Callable | None): Loader of the pretrained encoder, for a model with an inline encoder.
        RAISES (ValueError): TC023, if there is an encoder without weights; TC024, if there are no labels; TC050, if
            only some of the texts have the component's gold; TC052 or TC053, if another component is in the way; TC551
            or TC557, if it cannot learn from the teacher whose soft targets the examples carry.
        """
        validate_get_examples(get_examples, "TokenClassifier.initialize")
        check_neighbours(self, nlp)
        check_tokenizer(nlp)
        examples = list(get_examples())
        if encoder is not None:
            load_encoder(self.model, encoder)
        elif not all_filled(self.model):
            raise ValueError(Errors.TC023.format(name=self.name))
        head = find_head(self.model, nlp, self.name)
        types, scheme = gold_types(examples, **self.gold_at), self.cfg["scheme"]
        self.cfg["scheme"], self.cfg["tags"] = choose_labels(labels, types, scheme=scheme, tags=self.tags, head=head)
        if not self.labels:
            raise ValueError(Errors.TC024.format(name=self.name))
        self.check_config()
        check_groups(examples, labels=self.labels, **self.gold_at)
        check_taught(examples, self.tags, self.name, has_chain=transitions_of(self.model) is not None)
        for label in self.labels:
            self.vocab.strings.add(label)
        self.cfg["tuning"] = None
        self.set_output(len(self.tags))
        sample = [eg.x for eg in examples[:4] if len(eg.x)] or [Doc(self.vocab, words=["a"])]
        self.model.initialize(X=sample)
        if head is not None:
            use_head(self.model, head, self.tags)

    @property
    def gold_at(self) -> dict[str, Any]:
        """RETURNS (dict[str, Any]): Where gold is, in the names of the functions that look for it."""
        return {key: self.cfg[key] for key in ("spans_key", "annotate_ents")}

    @property
    def _listens(self) -> bool:
        return any(node.name.endswith("listener") for node in self.model.walk())

    def predict(self, docs: Iterable[Doc]) -> tuple[list[Floats2d], Spans]:
        """Give the raw logits and the entities of some texts, without touching the texts.

        docs (Iterable[Doc]): The texts.
        RETURNS (tuple[list[Floats2d], Spans]): Per text (n_tokens, n_tags); and the entities in columns.
        RAISES (ValueError): TC473 or TC474, if logits or scores are not finite.
        """
        docs = list(docs)
        logits = self.logits(docs)
        return logits, self._decode(docs, rows_on_host(self.model.ops, logits))

    def launch(self, docs: list[Doc]) -> Begun | None:
        """Begin to predict on a GPU, and do not wait for it.

        docs (list[Doc]): The texts.
        RETURNS (Callable | None): Gives what `predict` gives, logits in numpy; None where the encoder is on no GPU, or
            shared, or the head is not ours.
        """
        with memory_for_texts(self.name, docs):
            begun = launch_logits(self.model, docs)
        return None if begun is None else lambda: (rows := begun(), self._decode(docs, rows))

    def _decode(self, docs: list[Doc], rows: list[Floats32]) -> Spans:
        """Decode logits, per text (n_tokens, n_tags), with what was fitted after training."""
        check_logits(self.model, docs, rows, name=self.name)
        return decode_docs(docs, rows, self.decoder, tuning=self.tuning, threshold=self.cfg["threshold"])

    def logits(self, docs: Sequence[Doc]) -> list[Floats2d]:
        """Give the raw logits, as the loss sees them: what was fitted after training is not in them (`tune_logits` puts
        it there). A row that is all zeros belongs to a token of which the model sees nothing.

        docs (Sequence[Doc]): The texts.
        RETURNS (list[Floats2d]): Per text (n_tokens, n_tags), columns in the order of `tags`.
        """
        if not any(len(doc) for doc in docs):
            return [self.model.ops.alloc2f(0, len(self.tags)) for _ in docs]
        with memory_for_texts(self.name, docs):
            begun = launch_logits(self.model, docs)
            if begun is None:
                return self.model.predict(docs)
        return [self.model.ops.asarray2f(cast(Floats2d, each)) for each in begun()]

    def set_annotations(self, docs: Iterable[Doc], scores: tuple[list[Floats2d], Spans]) -> None:
        """Set the span group, its scores, and `doc.ents`.

        docs (Iterable[Doc]): The texts.
        scores (tuple[list[Floats2d], Spans]): What `predict` gave for them.
        """
        found = scores[1].by_text(self.labels)
        key = self.cfg["spans_key"]
        for index, doc in enumerate(docs):
            if not self._warned_of_group and has_foreign_group(doc, key):
                self._warned_of_group = True
                warnings.warn(Warnings.TW012.format(name=self.name, key=key, text=doc.text[:60]), stacklevel=2)
            set_entities(
                doc,
                found.get(index, []),
                spans_key=key,
                annotate_ents=self.cfg["annotate_ents"],
                overwrite_ents=self.cfg["overwrite_ents"],
            )

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn from a batch: from gold, and from the soft targets of a teacher where examples carry them. The gradient
        is the sum over its tokens, so that a batch in parts adds up to the whole; `spacy-tokclf.AdamW.v1` divides by
        the number of tokens. The loss is the mean per token. What was fitted after an earlier training belongs to
        other weights, and is forgotten.

        examples (Iterable[Example]): The batch.
        drop (float): Rate of the dropout before the classifier.
        sgd (Optimizer | None): Steps at once if given.
        losses (dict[str, float] | None): Losses by component, added to.
        RETURNS (dict[str, float]): The losses.
        RAISES (ValueError): TC025, if the loss is not finite; TC551, TC557, TC558, for soft targets that do not fit;
            with `sgd`, TC470 to TC472, as `finish_update`.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, "TokenClassifier.update")
        docs = [eg.predicted for eg in examples]
        if not any(len(doc) for doc in docs):
            return losses
        if not self.tags:
            raise ValueError(SpacyErrors.E109.format(name=self.name))
        adds = not isinstance(self.n_learned, int) or self.n_learned > 0
        loss, n_tokens = self._parts.learn(self, examples, partial(self._learn, drop=drop), adds=adds)
        self.n_learned += n_tokens
        self._guard.saw(docs)
        self.cfg["tuning"] = None
        losses[self.name] += loss / max(n_tokens, 1)
        if sgd not in (None, False):
            self.finish_update(sgd)
        return losses

    def _learn(self, examples: list[Example], *, drop: float) -> tuple[float, int]:
        """Add the gradients of a batch, or of a part of it. Gives the summed loss, and of how many tokens it is."""
        docs = [eg.predicted for eg in examples]
        taught = find_taught(examples, self.tags, self.name)
        ahead, self._ahead = self._ahead, None
        meanwhile, self.meanwhile = self.meanwhile, None
        if taught is None and can_fuse(self.model):
            batch = ahead.of(docs) if ahead is not None else None
            batch = self._prepare_update(examples, docs) if batch is None else batch
            smoothing = self.cfg["label_smoothing"]
            loss = fused_update(self.model, batch, drop=drop, label_smoothing=smoothing, meanwhile=meanwhile)
            self._check_loss(loss, docs)
            n_tokens = int((batch.gold >= 0).sum())
        else:
            set_dropout_rate(self.model, drop)
            loss, n_tokens = self._learn_through_slot(examples, docs, taught)
        return loss, n_tokens

    def look_ahead(self, examples: Sequence[Example]) -> None:
        """Prepare a batch that the next `update` is given, while a GPU works on another one: word pieces and gold.

        examples (Sequence[Example]): The batch: the same texts.
        """
        docs = [eg.predicted for eg in examples]
        if any(len(doc) for doc in docs) and find_taught(examples, self.tags, self.name) is None:
            self._ahead = AheadOfTurn(docs, self._prepare_update(examples, docs)) if can_fuse(self.model) else None

    def _prepare_update(self, examples: Sequence[Example], docs: Sequence[Doc]) -> Prepared:
        return prepare_update(self.model, docs, lambda seen: self._find_gold(examples, seen))

    def _learn_through_slot(self, examples: list[Example], docs: list[Doc], taught: Taught | None) -> tuple[float, int]:
        """Add the gradients of a batch by thinc's forward and backward pass. Gives the summed loss, and of how many
        tokens it is."""
        logits, backprop = self.model.begin_update(docs)
        gold = self.gold_tags(examples, logits)
        layer = transitions_of(self.model)
        if layer is None:
            loss, d_logits, n_tokens = self._token_loss(logits, gold, taught)
            self._check_loss(loss, docs, logits)
        else:
            check_taught(examples, self.tags, self.name, has_chain=True)
            loss, d_logits, d_transitions = self._chain_loss(layer, logits, gold)
            n_tokens = int((gold >= 0).sum())
            self._check_loss(loss, docs, logits)
            layer.inc_grad(TRANSITIONS, d_transitions)
        if self._listens or n_tokens:
            # A shared encoder learns from its last listener's call, so that one is made even without gold.
            backprop(d_logits)
        return loss, n_tokens

    def _check_loss(self, loss: float, docs: list[Doc], logits: list[Floats2d] | None = None) -> None:
        """Refuse the step for a loss that is not finite, of logits (n_tokens, n_tags) per text. RAISES: TC025."""
        if np.isfinite(loss):
            return
        refuse_step(self)
        rows = self.model.predict(docs) if logits is None else logits
        upstream = [node.upstream for node in self.model.walk() if isinstance(node, EncoderListener) and node.upstream]
        texts, weights = name_texts(docs, rows), blame_weights([*upstream, self.model])
        raise ValueError(Errors.TC025.format(name=self.name, loss=loss, texts=texts, weights=weights))

    def forget_step(self) -> None:
        """Forget what was counted since the last step."""
        self.n_learned = 0
        self._guard.forget()

    def rehearse(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn to predict what the model predicted when `nlp.resume_training` was called, so that a further training
        does not make it forget. The texts need no gold. With a shared encoder, that one learns, too.

        examples (Iterable[Example]): The batch.
        drop (float): Rate of the dropout before the classifier.
        sgd (Optimizer | None): Steps at once if given; else gradients are added up, as in `update`.
        losses (dict[str, float] | None): Losses by component, added to.
        RETURNS (dict[str, float]): The losses.
        RAISES (ValueError): TC039 to TC041, if it cannot be done; TC025, if the loss is not finite.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        if self._rehearsal_model is None:
            raise ValueError(Errors.TC039.format(name=self.name))
        docs = [eg.predicted for eg in examples if len(eg.predicted)]
        if not docs:
            return losses
        optimizer = None if sgd in (None, False) else real_optimizer(sgd, self.home, self.name)
        set_dropout_rate(self.model, drop)
        targets, _ = run_alone(self._rehearsal_model, docs, self.name, train=False)
        logits, backprop = run_alone(self.model, docs, self.name, train=True)
        loss, gradient, n_tokens = distillation_loss(self.model.ops, logits, targets)
        self._check_loss(loss, docs, logits)
        self._guard.saw(docs)
        backprop(gradient)
        hold_transitions(self.model, self._rehearsal_model, n_tokens)
        self.n_learned += n_tokens
        self.cfg["tuning"] = None
        losses[self.name] += loss / max(n_tokens, 1)
        upstream = shared_encoder(self.model, self.name)
        if optimizer is not None and upstream is not None:
            self._guard.prepare(self, optimizer, [upstream, self.model], self.n_learned)
            upstream.finish_update(optimizer)
        if optimizer is not None:
            self.finish_update(optimizer)
        return losses

    def get_loss(self, examples: Iterable[Example], scores: Any) -> tuple[float, list[Floats2d]]:
        """Give the summed loss of a batch, and its gradient: the cross-entropy of tokens, mixed with the divergence
        from a teacher where examples carry soft targets, or with a conditional random field that of whole texts.

        examples (Iterable[Example]): The batch.
        scores (list[Floats2d]): Logits per text (n_tokens, n_tags).
        RETURNS (tuple[float, list[Floats2d]]): The loss, and its gradient in the shape of the logits.
        """
        examples = list(examples)
        gold = self.gold_tags(examples, scores)
        layer = transitions_of(self.model)
        if layer is None:
            return self._token_loss(scores, gold, find_taught(examples, self.tags, self.name))[:2]
        check_taught(examples, self.tags, self.name, has_chain=True)
        return self._chain_loss(layer, scores, gold)[:2]

    def gold_tags(self, examples: Sequence[Example], logits: Sequence[Floats2d]) -> Ints:
        """Give the gold tags of a batch.

        examples (Sequence[Example]): The batch.
        logits (Sequence[Floats2d]): Per text (n_tokens, n_tags).
        RETURNS (Ints): Per token the row of its tag; -1 if that is not known, -2 if the token is white space or the
            model sees nothing of it. Shape: (n_tokens,).
        RAISES (ValueError): TC020 or TC051, if the gold cannot be written in the component's tags.
        """
        return self._find_gold(examples, [self.model.ops.to_numpy(row.any(axis=1)) for row in logits])

    def _find_gold(self, examples: Sequence[Example], seen: Sequence[Bools]) -> Ints:
        scheme = self.cfg["scheme"]
        return gold_tags(examples, seen, tag_rows(self.tags, scheme), scheme, **self.gold_at)

    def _token_loss(
        self, logits: list[Floats2d], gold: Ints, taught: Taught | None
    ) -> tuple[float, list[Floats2d], int]:
        return token_loss(self.model.ops, logits, gold, taught, label_smoothing=self.cfg["label_smoothing"])

    def _chain_loss(
        self, layer: Model[Floats2d, Floats2d], logits: list[Floats2d], gold: Ints
    ) -> tuple[float, list[Floats2d], Floats2d]:
        if self.cfg["label_smoothing"]:
            raise ValueError(Errors.TC081.format(name=self.name, value=self.cfg["label_smoothing"]))
        return sequence_loss(self.model.ops, layer, logits, gold)

    def finish_update(self, sgd: Optimizer) -> None:
        """Step: first the norm over all gradients of the model, then its parameters.

        sgd (Optimizer): The optimizer.
        RAISES (ValueError): TC470, if a gradient is not finite; TC471, if the learning rate is not.
        """
        check_length(self.home.nlp, sgd)
        self._guard.prepare(self, sgd, [self.model], self.n_learned)
        self.model.finish_update(sgd)
        self.n_learned = 0


def find_component(nlp: Language, name: str | None) -> TokenClassifier:
    """Find a token classifier in a pipeline, by name or because there is only one.

    nlp (Language): The pipeline.
    name (str | None): Its name; not needed if there is only one.
    RETURNS (TokenClassifier): The component.
    RAISES (ValueError): TC255, if there is none or the name does not tell which.
    """
    pipes = {each: pipe for each, pipe in nlp.pipeline if isinstance(pipe, TokenClassifier)}
    if name not in pipes and (name is not None or len(pipes) != 1):
        raise ValueError(Errors.TC255.format(name=repr(name) if name else "no name", found=", ".join(pipes) or "none"))
    return pipes[name] if name is not None else next(iter(pipes.values()))
