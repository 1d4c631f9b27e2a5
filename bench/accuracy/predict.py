"""Annotate files of posts with a trained pipeline. A script of its own, since some pipelines live in an environment of
their own.

Usage: python bench/accuracy/predict.py MODEL WORDS.spacy OUT.spacy [WORDS.spacy OUT.spacy ...]
"""

import sys
from pathlib import Path

import spacy
from spacy import Language
from spacy.tokens import Doc, DocBin


def annotate(nlp: Language, path: Path, out: Path) -> None:
    """Predict the entities of the posts in a .spacy file, given their words and nothing else. What is written has the
    entities and the span group with their scores."""
    posts = DocBin().from_disk(path).get_docs(nlp.vocab)
    words = [Doc(nlp.vocab, words=[token.text for token in post]) for post in posts]
    DocBin(attrs=("ENT_IOB", "ENT_TYPE"), docs=nlp.pipe(words)).to_disk(out)


if __name__ == "__main__":
    model, *paths = sys.argv[1:]
    pipeline = spacy.load(model)
    for one, other in zip(paths[::2], paths[1::2], strict=True):
        annotate(pipeline, Path(one), Path(other))
