"""What `debug_pieces` lists is what the encoder sees."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spacy.language import Language
from spacy.tokens import Doc, Span
from tokenizers import Tokenizer

from spacy_tokclf.export.component import find_classifier
from spacy_tokclf.export.debug_pieces import IGNORED, debug_pieces


def test_words_pieces_ids_and_labels(nlp: Language) -> None:
    pipe: Any = nlp.get_pipe("ner")
    doc = Doc(nlp.vocab, words=["greenlinks", "\n", "don't", "\ufe0f", "London"])
    rows = debug_pieces(nlp, doc)
    tokenizer = pipe.model.get_ref("tok2vec").shims[0].tokenizer
    pieces = [row for row in rows if row.mask]
    assert [row.piece for row in pieces] == tokenizer.pieces([row.id for row in pieces])
    assert [(row.word, row.token) for row in pieces if row.token is None] == [("", None)] * 2
    by_token = {i: [row for row in rows if row.token == i] for i in range(len(doc))}
    encoded = [list(ids) for ids in tokenizer.encode_words([token.text for token in doc])]
    assert [[row.id for row in by_token[i] if row.mask] for i in by_token] == encoded
    logits = pipe.logits([doc])[0]
    for i, own in by_token.items():
        assert {row.word for row in own} == {doc[i].text}
        label = int(np.asarray(logits[i]).argmax()) if encoded[i] else IGNORED
        assert [row.label for row in own] == [label, *[IGNORED] * (len(own) - 1)]
        assert [row.tag for row in own] == [pipe.tags[label] if encoded[i] else "", *[""] * (len(own) - 1)]
    assert [row for row in rows if not row.mask] == [own[0] for i, own in by_token.items() if not encoded[i]]


def test_a_text_is_made_a_doc_and_an_empty_one_has_no_rows(nlp: Language) -> None:
    assert debug_pieces(nlp, "London in") == debug_pieces(nlp, nlp.make_doc("London in"))
    assert debug_pieces(nlp, "") == []


def test_a_shared_encoder_and_no_encoder(make_encoder: Callable[..., Path], nlp: Language) -> None:
    nlp.add_pipe("sentencizer")
    with pytest.raises(ValueError, match="TC255"):
        debug_pieces(nlp, "a", component="sentencizer")
    import spacy

    shared = spacy.blank("en")
    shared.add_pipe("transformer_encoder", name="transformer")
    listener = {"@architectures": "spacy-tokclf.EncoderListener.v1", "upstream": "transformer"}
    shared.add_pipe("token_classifier", name="ner", config={"model": {"tok2vec": listener}})
    loader = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": str(make_encoder())}
    shared.config["initialize"]["components"] = {"transformer": {"encoder": loader}, "ner": {"labels": ["a"]}}
    shared.initialize()
    rows = debug_pieces(shared, "London in")
    doc = shared("London in")
    expected = shared.get_pipe("ner").logits([doc])[0].argmax(axis=1)
    assert [row.label for row in rows if row.label != IGNORED] == expected.tolist()


def test_gold_as_training_sees_it(nlp: Language) -> None:
    """The labels are those of the Hugging Face guide: the tag's id at the first piece of a word, -100 elsewhere."""
    from transformers import PreTrainedTokenizerFast

    ner = nlp.get_pipe("ner")
    words = ["Schiphol", "praat", "over", "New", "York", "!!"]
    tags = ["B-location", "O", "O", "B-location", "I-location", "O"]
    doc = Doc(nlp.vocab, words=words, ents=tags)
    rows = debug_pieces(nlp, doc, gold=True)
    shim = find_classifier(nlp, None).shim
    theirs = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(shim.tokenizer.to_str()))
    encoded = theirs(words, is_split_into_words=True)
    labels, last = [], None
    for word in encoded.word_ids():
        labels.append(IGNORED if word is None or word == last else ner.tags.index(tags[word]))
        last = word
    assert [row.id for row in rows] == encoded["input_ids"] and [row.label for row in rows] == labels
    assert [row.tag for row in rows] == ["" if label == IGNORED else ner.tags[label] for label in labels]


def test_gold_that_is_missing_or_foreign(nlp: Language) -> None:
    doc = Doc(nlp.vocab, words=["London", "in"])
    assert {row.label for row in debug_pieces(nlp, doc, gold=True)} == {IGNORED}
    assert {row.label for row in debug_pieces(nlp, doc)} != {IGNORED}
    doc.ents = [Span(doc, 0, 1, "airship")]
    with pytest.raises(ValueError, match="TC020"):
        debug_pieces(nlp, doc, gold=True)
