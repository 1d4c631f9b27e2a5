"""The space before a text, in the `tokenizer.json` of byte-level tokenizers."""

import json

import pytest
from tiny_encoders import byte_bpe_tokenizer, unigram_tokenizer, wordpiece_tokenizer
from tokenizers import Tokenizer, pre_tokenizers

from spacy_tokclf.wordpieces.prefix import prefix_space, with_prefix_space


@pytest.mark.parametrize("nested", [False, True])
def test_it_is_read_and_set(nested: bool) -> None:
    tokenizer = byte_bpe_tokenizer()
    if nested:
        steps = [pre_tokenizers.Digits(), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.enable_truncation(4)
    off = tokenizer.to_str()
    on = with_prefix_space(off, value=True)
    assert (prefix_space(off), prefix_space(on), prefix_space(with_prefix_space(on, value=False))) == (
        False,
        True,
        False,
    )
    assert json.loads(on)["truncation"] is None
    marked = Tokenizer.from_str(on).encode("the in")
    assert marked.ids == byte_bpe_tokenizer().encode(" the in").ids
    assert marked.offsets[1:3] == [(0, 3), (4, 6)]


@pytest.mark.parametrize("make", [wordpiece_tokenizer, unigram_tokenizer])
def test_other_tokenizers_have_none(make: object) -> None:
    text = make().to_str()  # type: ignore[operator]
    assert prefix_space(text) is None
    assert json.loads(with_prefix_space(text, value=True)) == json.loads(text)
