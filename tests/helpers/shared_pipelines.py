"""Pipelines whose token classifiers listen to one encoder."""

from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from spacy_tokclf.training.optimizer import make_adamw_v1

LISTENERS = ("spacy-tokclf.EncoderListener.v1", "spacy.Tok2VecListener.v1")


def add_listener(nlp: Language, name: str, architecture: str = LISTENERS[0]) -> Any:
    listener = {"@architectures": architecture, "upstream": "transformer"}
    if architecture == LISTENERS[1]:
        listener["width"] = 32
    config: dict[str, Any] = {"model": {"tok2vec": listener}, "scorer": {"score_prefix": f"{name}_"}}
    return nlp.add_pipe("token_classifier", name=name, config=config | {"spans_key": name})


def shared_pipeline(folder: Path, architecture: str = LISTENERS[0]) -> Language:
    """Make a pipeline of an encoder and two token classifiers that listen to it, and train it for a step."""
    nlp = spacy.blank("en")
    nlp.add_pipe("transformer_encoder", name="transformer")
    add_listener(nlp, "ner", architecture)
    add_listener(nlp, "other", architecture)
    loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(folder)}
    nlp.config["initialize"]["components"] = {
        "transformer": {"encoder": loader},
        "ner": {"labels": ["location", "person"]},
        "other": {"labels": ["location", "person", "group"]},
    }
    nlp.initialize()
    words = ["Schiphol", "praat", "over", "New", "York"]
    gold = Doc(nlp.vocab, words=words, ents=["B-location", "O", "O", "B-person", "I-person"])
    nlp.update([Example(Doc(nlp.vocab, words=words), gold)], sgd=make_adamw_v1(1e-2))
    return nlp
