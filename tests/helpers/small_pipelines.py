"""Small pipelines of spaCy's own components, trained on the spot, to put a token classifier into."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Config

WORDS = ["Anna", "met", "Ben", "in", "Oslo", "and", "Lima", "."]
TAGS = ["N", "V", "N", "P", "N", "C", "N", "."]
NER = ["B-PERSON", "O", "B-PERSON", "O", "B-LOC", "O", "B-LOC", "O"]
TOK2VEC = """
[model]
@architectures = "spacy.HashEmbedCNN.v2"
pretrained_vectors = null
width = 16
depth = 1
embed_size = 64
window_size = 1
maxout_pieces = 2
subword_features = true
"""
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 16, "upstream": "tok2vec"}


def examples(nlp: Language) -> list[Example]:
    """Give gold for all components."""
    reference = Doc(nlp.vocab, words=WORDS, tags=TAGS, ents=NER, sent_starts=[True] + [False] * 7)
    return [Example(Doc(nlp.vocab, words=WORDS), reference)] * 4


def save_pipeline(
    folder: Path, *, shared: bool = True, ner: str | None = "ner", change: Callable[[Language], Any] | None = None
) -> Path:
    """Train and save a pipeline: tok2vec, tagger, ner and sentencizer.

    folder (Path): Where to.
    shared (bool): Whether tagger and ner listen to the tok2vec; else each has its own.
    ner (str | None): The name of the `ner`; None: there is none.
    change (Callable[[Language], Any] | None): What is done to the pipeline before it is saved.
    RETURNS (Path): The folder.
    """
    nlp = spacy.blank("en")
    own = Config().from_str(TOK2VEC)["model"]
    nlp.add_pipe("tok2vec", config={"model": own})
    tok2vec: Any = LISTENER if shared else own
    nlp.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": tok2vec}})
    if ner:
        parser = {"@architectures": "spacy.TransitionBasedParser.v2", "state_type": "ner", "extra_state_tokens": False}
        parser |= {"hidden_width": 8, "maxout_pieces": 1, "use_upper": False, "nO": None, "tok2vec": tok2vec}
        nlp.add_pipe("ner", name=ner, config={"model": parser})
    nlp.add_pipe("sentencizer")
    spacy.util.fix_random_seed(1)
    optimizer = nlp.initialize(lambda: examples(nlp))
    optimizer.learn_rate = 0.02
    for _ in range(25):
        nlp.update(examples(nlp), sgd=optimizer)
    nlp.vocab.strings.add("a-string-of-its-own")
    if change is not None:
        change(nlp)
    nlp.to_disk(folder)
    return folder
