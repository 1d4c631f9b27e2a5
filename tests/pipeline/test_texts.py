"""Long texts, white space, and tokens without word pieces."""

import random
from collections.abc import Callable

import numpy as np
import pytest
from pipeline_posts import found, scores_of
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_tokclf import train_step
from spacy_tokclf.models.base_shim import encoder_nodes
from spacy_tokclf.pipeline.decoding import decode_docs
from spacy_tokclf.pipeline.token_classifier import TokenClassifier
from spacy_tokclf.tags.decode import Decoder
from spacy_tokclf.training.optimizer import make_adamw_v1
from spacy_tokclf.wordpieces.sequences import make_sequences

LoadT = Callable[..., Language]


def logits_for(ner: TokenClassifier, doc: Doc, tags: list[str | None]) -> list[np.ndarray]:
    """Make logits that say clearly which tag each token has; None for a token that the model does not see."""
    rows = np.zeros((len(doc), len(ner.tags)), dtype="float32")
    for i, tag in enumerate(tags):
        if tag is not None:
            rows[i] = -5.0
            rows[i, ner.tags.index(tag)] = 5.0
    return [rows]


def decoded(ner: TokenClassifier, doc: Doc, tags: list[str | None]) -> list[tuple[int, int, str]]:
    """Set the entities that some tags stand for."""
    logits = logits_for(ner, doc, tags)
    spans = decode_docs([doc], logits, Decoder(ner.tag_table, constrained=True))
    ner.set_annotations([doc], (logits, spans))
    return found(doc)


def learn_anywhere(nlp: Language) -> None:
    """Teach the model that London Paris is a place wherever it stands in the green."""
    rng = random.Random(0)
    optimizer = make_adamw_v1(3e-3, head_multiplier=3.0)
    for _ in range(40):
        batch = []
        for _ in range(8):
            words = ["green"] * rng.randint(1, 60)
            start = rng.randrange(len(words))
            words[start:start] = ["London", "Paris"]
            reference = Doc(nlp.vocab, words=words)
            reference.set_ents([Span(reference, start, start + 2, "location")])
            batch.append(Example(Doc(nlp.vocab, words=words), reference))
        train_step(nlp, batch, optimizer, drop=0.0)


def test_three_thousand_words_with_an_entity_on_every_seam(make_nlp: LoadT) -> None:
    nlp = make_nlp()
    learn_anywhere(nlp)
    ner = nlp.get_pipe("ner")
    shim = encoder_nodes(ner.model)[0].shims[0]
    assert [len(ids) for ids in shim.tokenizer.encode_words(["green", "London", "Paris"])] == [1, 1, 1]
    words = ["green"] * 3000
    doc = Doc(nlp.vocab, words=words)
    windows = make_sequences([doc], shim.tokenizer, size=shim.max_pieces, overlap=31).windows
    planted = []
    for window in windows[1:]:
        words[window.own_start - 1 : window.own_start + 1] = ["London", "Paris"]
        planted.append((window.own_start - 1, window.own_start + 1, "location"))
    assert len(planted) > 90
    doc = nlp(Doc(nlp.vocab, words=words))
    assert found(doc) == planted
    logits = ner.logits([doc])[0]
    assert len(logits) == 3000 and logits.any(axis=1).all()


def test_the_tail_of_a_long_text_is_learned(make_nlp: LoadT) -> None:
    nlp = make_nlp()
    ner = nlp.get_pipe("ner")
    reference = Doc(nlp.vocab, words=["rain"] * 500 + ["Zorblax"])
    reference.set_ents([Span(reference, 500, 501, "person")])
    logits, _ = ner.model.begin_update([Doc(nlp.vocab, words=[t.text for t in reference])])
    _, gradient = ner.get_loss([Example(Doc(nlp.vocab, words=[t.text for t in reference]), reference)], logits)
    assert gradient[0][-1].any() and gradient[0][0].any()


@pytest.mark.parametrize("spaces", [1, 2, 3, 6])
def test_space_between_and_around_entities(load_trained: LoadT, spaces: int) -> None:
    nlp = load_trained()
    doc = nlp(f"just met{' ' * spaces}Zorblax in Quorn{' ' * spaces}Falls lol{' ' * spaces}")
    texts = [" ".join(ent.text.split()) for ent in doc.ents]
    assert texts == ["Zorblax", "Quorn Falls"]
    assert not any(ent[0].is_space or ent[-1].is_space for ent in doc.ents)


def test_unseen_tokens_are_transparent(load_trained: LoadT) -> None:
    nlp = load_trained()
    ner = nlp.get_pipe("ner")
    doc = Doc(nlp.vocab, words=["a", "\ufe0f", "b", "\n", "c", "d"])
    assert decoded(ner, doc, ["B-person", None, "I-person", None, "O", "O"]) == [(0, 3, "person")]
    assert decoded(ner, doc, ["B-person", None, "B-person", None, "I-person", "O"]) == [
        (0, 1, "person"),
        (2, 5, "person"),
    ]
    assert decoded(ner, doc, [None, None, "O", None, "B-person", "I-person"]) == [(4, 6, "person")]
    # White space is not part of an entity, whatever a model says of it.
    assert decoded(ner, doc, ["O", "O", "B-person", "I-person", "O", "O"]) == [(2, 3, "person")]


def test_empty_texts(load_trained: LoadT) -> None:
    nlp = load_trained()
    for text in ("", " ", "\n \t", "\u200b", "\ufe0f"):
        doc = nlp(text)
        assert not doc.ents and scores_of(doc) == []
    assert nlp.get_pipe("ner").logits([Doc(nlp.vocab)])[0].shape == (0, 9)


def test_a_word_longer_than_a_window(load_trained: LoadT) -> None:
    nlp = load_trained()
    url = "https://example.com/" + "abc/" * 200
    words = ["just", "met", "Zorblax", url, "in", "Quorn", "Falls", "lol"]
    doc = nlp(Doc(nlp.vocab, words=words))
    assert len(nlp.get_pipe("ner").logits([doc])[0]) == len(words)
    without = nlp(Doc(nlp.vocab, words=[word for word in words if word != url]))
    assert [ent.text for ent in without.ents] == ["Zorblax", "Quorn Falls"]
    assert (5, 7, "location") in found(doc)
