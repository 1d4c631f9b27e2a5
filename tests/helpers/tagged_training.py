"""A training of a tagger with a `tok2vec`, and a token classifier with an encoder, on a few posts."""

from pathlib import Path

import spacy
from pipeline_posts import read_posts
from spacy.tokens import DocBin

CONFIG = """
[paths]
train = null
dev = null
encoder = null

[system]
seed = 3

[nlp]
lang = "en"
pipeline = ["tok2vec", "tagger", "ner"]

[components]

[components.tok2vec]
factory = "tok2vec"

[components.tok2vec.model]
@architectures = "spacy.HashEmbedCNN.v2"
pretrained_vectors = null
width = 8
depth = 1
embed_size = 40
window_size = 1
maxout_pieces = 2
subword_features = true

[components.tagger]
factory = "tagger"

[components.tagger.model]
@architectures = "spacy.Tagger.v2"

[components.tagger.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = 8
upstream = "tok2vec"

[components.ner]
factory = "token_classifier"

[components.ner.model]
@architectures = "spacy-tokclf.TokenClassifier.v1"

[components.ner.model.tok2vec]
@architectures = "spacy-tokclf.TransformerEncoder.v1"
precision = "fp32"

[corpora]

[corpora.train]
@readers = "spacy.Corpus.v1"
path = ${paths.train}

[corpora.train.augmenter]
@augmenters = "spacy-tokclf.lower_copies.v1"
level = 0.5

[corpora.dev]
@readers = "spacy.Corpus.v1"
path = ${paths.dev}

[training]
seed = ${system.seed}
gpu_allocator = null
train_corpus = "corpora.train"
dev_corpus = "corpora.dev"
dropout = 0.1
max_steps = 12
eval_frequency = 4

[training.batcher]
@batchers = "spacy-tokclf.LengthBatcher.v1"
size = 4
buffer = 2

[training.optimizer]
@optimizers = "spacy-tokclf.AdamW.v1"
use_averages = true

[training.optimizer.learn_rate]
@schedules = "spacy-tokclf.warmup_linear.v2"
initial_rate = 0.003
total_steps = 12

[training.score_weights]
ents_f = 1.0
tag_acc = 0.0

[initialize]

[initialize.components]

[initialize.components.ner]

[initialize.components.ner.encoder]
@misc = "spacy-tokclf.PretrainedEncoder.v1"
name = ${paths.encoder}
"""


def write_tagged(folder: Path) -> dict[str, str]:
    """Write the posts with tags.

    folder (Path): Where to.
    RETURNS (dict[str, str]): Overrides of the paths in CONFIG.
    """
    docs = [eg.reference for eg in read_posts(spacy.blank("en"))]
    for doc in docs:
        for token in doc:
            token.tag_ = "N" if token.text[0].isupper() else "X"
    DocBin(docs=docs).to_disk(folder / "train.spacy")
    DocBin(docs=docs[:6]).to_disk(folder / "dev.spacy")
    return {f"paths.{name}": str(folder / f"{name}.spacy") for name in ("train", "dev")}
