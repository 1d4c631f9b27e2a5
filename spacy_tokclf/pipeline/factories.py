"""The factories of the components, and their default configs."""

from collections.abc import Callable
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Config, Model
from thinc.types import Floats2d

from .home import Home
from .settings import DEFAULTS
from .token_classifier import TokenClassifier
from .transformer_encoder import TransformerEncoder

ENCODER_CONFIG = """
[model]
@architectures = "spacy-tokclf.TransformerEncoder.v1"
pooling = "first"
window = 0
overlap = 64
precision = "auto"
"""

CLASSIFIER_CONFIG = """
[model]
@architectures = "spacy-tokclf.TokenClassifier.v1"
nO = null
crf = false

[model.tok2vec]
@architectures = "spacy-tokclf.TransformerEncoder.v1"
pooling = "first"
window = 0
overlap = 64
precision = "auto"
"""


@Language.factory(
    "token_classifier",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type", "doc.spans"],
    default_config={
        "model": Config().from_str(CLASSIFIER_CONFIG)["model"],
        **DEFAULTS,
        "scorer": {"@scorers": "spacy-tokclf.seqeval_scorer.v1"},
    },
    default_score_weights={
        "ents_f": 1.0,
        "ents_p": 0.0,
        "ents_r": 0.0,
        "ents_per_type": None,
        "seqeval_f1": None,
        "seqeval_accuracy": 0.0,
        "seqeval_per_type": None,
    },
)
def make_token_classifier(
    nlp: Language,
    name: str,
    model: Model[list[Doc], list[Floats2d]],
    decode: str,
    threshold: float,
    overwrite_ents: bool,
    annotate_ents: bool,
    spans_key: str | None,
    tuned: bool,
    label_smoothing: float,
    scorer: Callable[..., dict[str, Any]] | None,
) -> TokenClassifier:
    """Make a `token_classifier`.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model, decode, threshold, overwrite_ents, annotate_ents, spans_key, tuned, label_smoothing, scorer: As for
        `TokenClassifier`.
    RETURNS (TokenClassifier): The component.
    """
    pipe = TokenClassifier(
        nlp.vocab,
        model,
        name,
        decode=decode,
        threshold=threshold,
        overwrite_ents=overwrite_ents,
        annotate_ents=annotate_ents,
        spans_key=spans_key,
        tuned=tuned,
        label_smoothing=label_smoothing,
        scorer=scorer,
    )
    pipe.live_in(nlp)
    return pipe


@Language.factory(
    "transformer_encoder",
    assigns=["doc.tensor"],
    default_config={"model": Config().from_str(ENCODER_CONFIG)["model"]},
)
def make_transformer_encoder(nlp: Language, name: str, model: Model[list[Doc], list[Floats2d]]) -> TransformerEncoder:
    """Make a `transformer_encoder`.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model[list[Doc], list[Floats2d]]): The encoder's architecture.
    RETURNS (TransformerEncoder): The component.
    """
    pipe = TransformerEncoder(nlp.vocab, model, name)
    pipe.home = Home(nlp)
    return pipe
