"""What Hugging Face gives for words, one text at a time: the reference of the tests of our models."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats2d

from spacy_tokclf.models.classifier import build_token_classifier_v1
from spacy_tokclf.models.encoder import build_transformer_encoder_v1, load_encoder
from spacy_tokclf.models.hf.pretrained import PretrainedEncoder

VOCAB = Vocab()
LONG_POST = "a longer post that goes on and on over the links in the tweet , 5.975,74 @user https://t.co/abc"
#: Posts, an empty text, white space, tokens without pieces, and a text whose tokens all have none.
TEXTS: list[list[str]] = [
    ["Groenlinks", "praat", "over", "Schiphol", "."],
    ["I", "don't", "go", "to", "New", "York", "!", "\N{FACE WITH TEARS OF JOY}"],
    [],
    ["London"],
    [" ", "\n\n"],
    ["the", "\ufe0f", "\n", "18th", "\u200b", "tweet"],
    ["\ufe0f"],
    LONG_POST.split(),
]


def make_docs(texts: Sequence[Sequence[str]] = TEXTS) -> list[Doc]:
    """RETURNS (list[Doc]): A Doc of each list of words."""
    return [Doc(VOCAB, words=list(words)) for words in texts]


#: What encoders run on, unless a test asks for another.
BACKEND = "auto"


def make_encoder_model(folder: Path, **settings: Any) -> Model[list[Doc], list[Floats2d]]:
    """Build `TransformerEncoder.v1` with the weights of a folder."""
    model = build_transformer_encoder_v1(**{"backend": BACKEND, **settings})
    load_encoder(model, PretrainedEncoder(str(folder)))
    model.initialize()
    return model


def make_classifier_model(folder: Path, n_tags: int = 5, **settings: Any) -> Model[list[Doc], list[Floats2d]]:
    """Build `TokenClassifier.v1` over the encoder of a folder, with a classifier of weights large enough to tell."""
    model = build_token_classifier_v1(make_encoder_model(folder, **settings))
    output_layer = model.get_ref("output_layer")
    output_layer.set_dim("nO", n_tags)
    model.initialize(X=make_docs([["a"]]))
    output_layer.set_param("W", np.random.normal(0.0, 0.5, (n_tags, 32)).astype("float32"))
    output_layer.set_param("b", np.random.normal(0.0, 0.5, n_tags).astype("float32"))
    return model


class Reference:
    """A Hugging Face model with its tokenizer, set up for words as its documentation asks."""

    def __init__(self, folder: Path, *, n_tags: int = 0) -> None:
        from transformers import AutoModel, AutoModelForTokenClassification, AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(folder, add_prefix_space=True)
        if n_tags:
            self.module = AutoModelForTokenClassification.from_pretrained(folder, num_labels=n_tags)
        else:
            self.module = AutoModel.from_pretrained(folder)
        self.module.eval()

    def encode(self, words: Sequence[str]) -> tuple[dict[str, Any], dict[int, list[int]]]:
        """Split the words. Returns the inputs, and the positions of the pieces of each word that has any. White space
        alone is left out."""
        kept = [i for i, word in enumerate(words) if not word.isspace()]
        encoding = self.tokenizer([words[i] for i in kept], is_split_into_words=True, return_tensors="pt")
        places: dict[int, list[int]] = {}
        for position, index in enumerate(encoding.word_ids()):
            if index is not None:
                places.setdefault(kept[index], []).append(position)
        return dict(encoding), places

    def vectors(self, words: Sequence[str], pooling: str = "first") -> "torch.Tensor":
        """Give a vector of each word, zeros where it has no piece. Keeps gradients. Shape: (n_words, width)."""
        inputs, places = self.encode(words)
        return self._rows(self.module(**inputs).last_hidden_state[0], places, len(words), pooling)

    def logits(self, words: Sequence[str]) -> "torch.Tensor":
        """Give the logits of each word's first piece, zeros where it has none. Shape: (n_words, n_tags)."""
        inputs, places = self.encode(words)
        return self._rows(self.module(**inputs).logits[0], places, len(words), "first")

    def _rows(self, states: "torch.Tensor", places: dict[int, list[int]], n: int, pooling: str) -> "torch.Tensor":
        pool = {"first": lambda x: x[0], "mean": lambda x: x.mean(0), "max": lambda x: x.amax(0)}[pooling]
        rows = [pool(states[places[i]]) if i in places else states.new_zeros(states.shape[1]) for i in range(n)]
        return torch.stack(rows) if rows else states.new_zeros((0, states.shape[1]))
