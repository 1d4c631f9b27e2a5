"""Words that tokenizers disagree on, and a hypothesis strategy that makes more of them."""

from hypothesis import strategies as st

ODD_WORDS = [
    "Groenlinks",
    "Schiphol.",
    "5.975,74",
    "don't",
    "18th",
    "\N{WOMAN}\u200d\N{PERSONAL COMPUTER}",
    "\N{WAVING WHITE FLAG}\ufe0f\u200d\N{RAINBOW}",
    "e\u0301te\u0301",
    "été",
    "中文",
    "東京タワー",
    "\ufe0f",
    "\u200b",
    "a\u200bb",
    "10\u202fkm",
    "\x10",
    "a\x10b",
    "\ufeff",
    "ﬁn",
    "\uff21\uff22\uff23",
    "\u0301",
    "[MASK]",
    "x[SEP]y",
    "<s>x",
    "##ing",
    "▁the",
    "https://example.org/" + "very-long-path/" * 20 + "?q=1&r=%20#here",
    "😂😂😂",
    "#hash_tag",
    "@user123",
    "นี่คือ",
    "مرحبا",
    "ǅ",
    "İstanbul",
    "ß",
]
#: Words without a piece in a BERT-like WordPiece tokenizer.
EMPTY_WORDS = ["\ufe0f", "\u200b", "\u0301", "\x10", "\ufeff"]

_ALPHABET = "abeint'.,-#@19\xdf\xe9中東タ😂▁Ġนี้ﬁ\uff21\ufe0f\u200b\u200c\u200d\u202f\u2028\xa0\u0301\x00\x10\ufeff"


def odd_words() -> st.SearchStrategy[str]:
    """RETURNS (SearchStrategy[str]): Words that are not white space alone."""
    words = st.one_of(
        st.sampled_from(ODD_WORDS), st.text(_ALPHABET, min_size=1, max_size=8), st.text(min_size=1, max_size=6)
    )
    return words.filter(lambda word: not word.isspace())
