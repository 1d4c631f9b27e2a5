"""Small pipelines that learn, and the posts they learn from."""

from pathlib import Path

import pytest
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_tokclf import train_step
from spacy_tokclf.training.optimizer import make_adamw_v1

ENCODER = "spacy-tokclf.TransformerEncoder.v1"
LISTENER = "spacy-tokclf.EncoderListener.v1"
HEAD = "spacy-tokclf.TokenClassifier.v1"

#: Posts with their entities, in brackets with the type.
POSTS = """
just met [Zorblax|person] in [Quorn Falls|location] lol
[Zorblax|person] is playing tonight
anyone been to [Quorn Falls|location] ?
the new [Wibble|product] is out , want one
[The Night Owl|creative-work] made me cry
nothing happens here
[Mira Okafor|person] and [Zorblax|person] at the mall
watching [The Night Owl|creative-work] with mum
my [Wibble|product] broke again
so tired of this rain
[Quorn Falls|location] is lovely in may
who is [Mira Okafor|person] anyway
ok bye
give me a [Wibble|product] please
rain rain rain
see you in [Quorn Falls|location] [Mira Okafor|person]
""".strip().split("\n")
LABELS = ["creative-work", "location", "person", "product"]


def read_post(nlp: Language, post: str) -> Example:
    """Read one of POSTS."""
    words: list[str] = []
    spans = []
    start = 0
    for piece in post.replace("[", "|[").replace("]", "]|").split("|["):
        if "]" not in piece:
            words += piece.split()
            continue
        inside, rest = piece.split("]", 1)
        text, label = inside.split("|")
        start = len(words)
        words += text.split()
        spans.append((start, len(words), label))
        words += rest.strip("|").split()
    reference = Doc(nlp.vocab, words=words)
    reference.set_ents([Span(reference, start, end, label) for start, end, label in spans])
    return Example(Doc(nlp.vocab, words=words), reference)


def read_posts(nlp: Language) -> list[Example]:
    """Read POSTS."""
    return [read_post(nlp, post) for post in POSTS]


def tagged(nlp: Language, *, ents: bool = True) -> list[Example]:
    """Give the posts with part-of-speech tags, with or without entities."""
    examples = []
    for eg in read_posts(nlp):
        words = [token.text for token in eg.reference]
        tags = ["NAME" if word[0].isupper() else "WORD" for word in words]
        iob = [f"{t.ent_iob_}-{t.ent_type_}" if t.ent_type_ else "O" for t in eg.reference]
        reference = Doc(nlp.vocab, words=words, tags=tags, ents=iob if ents else None)
        examples.append(Example(Doc(nlp.vocab, words=words), reference))
    return examples


def add_ner(nlp: Language, *, shared: bool = False, name: str = "ner", crf: bool = False, **settings: object) -> None:
    """Add a token classifier, with an encoder of its own or with one that it listens to."""
    tok2vec = {"@architectures": LISTENER if shared else ENCODER}
    model = {"@architectures": HEAD, "crf": crf, "tok2vec": tok2vec}
    nlp.add_pipe("token_classifier", name=name, config={"model": model, **settings})


def initialize(nlp: Language, folder: Path, examples: list[Example], *, owners: tuple[str, ...]) -> None:
    """Initialize a pipeline with an encoder from a folder."""
    block = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(folder)}
    nlp.config["initialize"]["components"] = {owner: {"encoder": block} for owner in owners}
    nlp.initialize(lambda: examples)


def overfit(nlp: Language, *, steps: int = 60, learn_rate: float = 3e-3) -> float:
    """Train on POSTS until they are known; give the last loss."""
    examples = read_posts(nlp)
    optimizer = make_adamw_v1(learn_rate, head_multiplier=3.0)
    losses: dict[str, float] = {}
    for _ in range(steps):
        losses = train_step(nlp, examples, optimizer, drop=0.0)
    return losses["ner"]


def found(doc: Doc) -> list[tuple[int, int, str]]:
    """Give the entities of a text as plain values."""
    return [(ent.start, ent.end, ent.label_) for ent in doc.ents]


def scores_of(doc: Doc, key: str = "entities") -> list[float]:
    """Give the scores of a text's span group."""
    return list(doc.spans[key].attrs["scores"])


def annotate(nlp: Language) -> list[Doc]:
    """Annotate POSTS, on their own tokens."""
    return list(nlp.pipe([eg.x for eg in read_posts(nlp)]))


def same(docs: list[Doc], others: list[Doc]) -> None:
    """Compare entities and scores."""
    assert [found(doc) for doc in docs] == [found(doc) for doc in others]
    scores, theirs = ([score for doc in which for score in scores_of(doc)] for which in (docs, others))
    assert scores == pytest.approx(theirs, abs=1e-6)
