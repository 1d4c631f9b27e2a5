"""Tokenization of words into word pieces, exactly as the Hugging Face tokenizer splits them, with a cache of words."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..errors import Errors
from ..runtime.blame import is_panic
from .prefix import PREFIX_SPACE, byte_level_steps

#: Words in the cache at most, and characters of each: longer words are rare, seldom seen twice, and take much memory.
CACHE_WORDS, CACHE_CHARACTERS = 1 << 15, 64


class PieceTokenizer:
    """Split words into word pieces with a `tokenizer.json`.

    highest_id (int): The highest id that a piece has, special pieces included.

    A fast tokenizer that is given words (`is_split_into_words=True`) treats each word on its own, so a word always
    gets the same pieces and a cache of words is exact. Tokenizers that mark word starts by a space (byte-level BPE)
    are set to add it before every word, as Hugging Face requires for words.
    """

    def __init__(self, tokenizer_json: str) -> None:
        """Read a tokenizer.

        tokenizer_json (str): The contents of a `tokenizer.json`; truncation and padding in it are ignored.
        RAISES (ValueError): TC096, if it breaks off at a word.
        """
        from tokenizers import Tokenizer

        state = json.loads(tokenizer_json)
        state["truncation"] = state["padding"] = None
        for step in byte_level_steps(state.get("pre_tokenizer")):
            step[PREFIX_SPACE] = True
        self._state = json.dumps(state, ensure_ascii=False)
        self._tokenizer = Tokenizer.from_str(self._state)
        self._cache: dict[str, tuple[int, ...]] = {}
        self.prefix, self.suffix = self._special_ids()
        self.highest_id = max([0, *_ids(state), *self.prefix, *self.suffix])

    def to_str(self) -> str:
        """RETURNS (str): The `tokenizer.json` in use."""
        return self._state

    def __deepcopy__(self, memo: Any) -> "PieceTokenizer":
        return PieceTokenizer(self._state)

    @property
    def n_special(self) -> int:
        """RETURNS (int): The number of special pieces around a sequence."""
        return len(self.prefix) + len(self.suffix)

    def encode_words(self, words: Sequence[str]) -> list[tuple[int, ...]]:
        """Split words into the ids of their pieces, without special pieces.

        words (Sequence[str]): The words; white space alone has no pieces.
        RETURNS (list[tuple[int, ...]]): The ids of each word; empty where the tokenizer gives a word none.
        """
        cache = self._cache
        # Taken out of the cache once: another thread may clear it at any moment.
        different = set(words)
        known = {word: ids for word in different if (ids := cache.get(word)) is not None}
        if len(known) < len(different):
            found = self._tokenize(different - known.keys())
            known.update(found)
            kept = {word: ids for word, ids in found.items() if len(word) <= CACHE_CHARACTERS}
            if len(cache) + len(kept) > CACHE_WORDS:
                cache.clear()
            cache.update(kept)
        return [known[word] for word in words]

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """Give the strings of pieces.

        ids (Iterable[int]): Ids of pieces.
        RETURNS (list[str]): Their strings in the vocabulary.
        """
        return [str(self._tokenizer.id_to_token(i)) for i in ids]

    def _tokenize(self, unseen: Iterable[str]) -> dict[str, tuple[int, ...]]:
        """Tokenize words in one call."""
        words = sorted(unseen)
        spans: list[list[int]] = [[] for _ in words]
        visible = [i for i, word in enumerate(words) if word and not word.isspace()]
        encoding = self._encode([words[i] for i in visible], special=False)
        for piece, word_index in zip(encoding.ids, encoding.word_ids, strict=True):
            if word_index is not None:
                spans[visible[word_index]].append(piece)
        return dict(zip(words, map(tuple, spans), strict=True))

    def _encode(self, words: list[str], *, special: bool) -> Any:
        """Let the tokenizer split words. Where it breaks off (a panic, which is no Exception), name the word."""
        try:
            return self._tokenizer.encode(words, is_pretokenized=True, add_special_tokens=special)
        except BaseException as error:
            if not is_panic(error):
                raise
            for word in words if len(words) > 1 else ():
                self._encode([word], special=special)
            raise ValueError(Errors.TC096.format(word=words[0][:80], detail=error)) from error

    def _special_ids(self) -> tuple[list[int], list[int]]:
        """Find the special pieces before and after a sequence, around any word that has pieces in this vocabulary."""
        for word in self._probes():
            encoding = self._encode([word], special=True)
            inside = [i for i, index in enumerate(encoding.word_ids) if index is not None]
            if inside:
                return list(encoding.ids[: inside[0]]), list(encoding.ids[inside[-1] + 1 :])
        return [], []

    def _probes(self) -> Iterator[str]:
        """Give words that may have pieces."""
        yield "a"
        yield from self._tokenizer.get_vocab()


def _ids(state: dict[str, Any]) -> list[int]:
    """Give the ids of all pieces of a `tokenizer.json`; of Unigram, whose ids are places in a list, the last."""
    vocab = state["model"].get("vocab") or []
    own = list(vocab.values()) if isinstance(vocab, dict) else [len(vocab) - 1]
    return own + [piece["id"] for piece in state.get("added_tokens") or []]
