"""Split and cut texts into word pieces as Hugging Face's pipelines do, one sequence a text, and give the logits of each
piece."""

from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from spacy.tokens import Doc

from ..models.shim import EncoderShim
from ..runtime.arrays import to_array, to_tensor
from ..runtime.device import running
from ..wordpieces.prefix import PREFIX_SPACE, with_prefix_space
from .component import Classifier

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_tokenizers: "WeakKeyDictionary[Any, Tokenizer]" = WeakKeyDictionary()


class Encoded(NamedTuple):
    """A text as Hugging Face sees it.

    tokenizer (Tokenizer): The tokenizer.
    text (str): The text; for a Doc, its tokens with one space between each two.
    ids (list[int]): Pieces, special pieces included.
    spans (list[tuple[int, int]]): First and one past the last character of each piece in `text`.
    special (list[bool]): Whether a piece is special.
    unknown (int | None): The piece for what is not in the vocabulary.
    places (list[tuple[int, int, int]] | None): For a Doc, by token: where it begins and ends in `text`, and in
        `doc.text`.
    """

    tokenizer: "Tokenizer"
    text: str
    ids: list[int]
    spans: list[tuple[int, int]]
    special: list[bool]
    unknown: int | None
    places: list[tuple[int, int, int]] | None

    @property
    def marks_inside(self) -> bool:
        """RETURNS (bool): Whether pieces inside of words are marked (##)."""
        return bool(getattr(self.tokenizer.model, "continuing_subword_prefix", None))

    def join(self, words: list[str]) -> str:
        """RETURNS (str): Pieces as text."""
        decoder = self.tokenizer.decoder
        return str(decoder.decode(words)) if decoder is not None else " ".join(words)

    def place(self, char: int, *, end: bool = False) -> int:
        """Find a character of `text` in `doc.text`.

        char (int): The character.
        end (bool): Whether it is one past the last of something.
        RETURNS (int): The character there; the same for a text that is no Doc.
        """
        for start, stop, own in self.places or ():
            if start <= char < stop or (end and start < char <= stop):
                return own + char - start
        return char


def encode_text(classifier: Classifier, text: str) -> Encoded:
    """Split a text as a whole.

    classifier (Classifier): The component with its encoder.
    text (str): The text.
    RETURNS (Encoded): Its pieces.
    """
    tokenizer = _tokenizer(classifier.shim)
    encoding = tokenizer.encode(text)
    return _encoded(classifier.shim, tokenizer, text, encoding, encoding.offsets, None)


def encode_tokens(classifier: Classifier, doc: Doc) -> Encoded:
    """Split a Doc token by token.

    classifier (Classifier): The component with its encoder.
    doc (Doc): The Doc.
    RETURNS (Encoded): Its pieces.
    """
    tokenizer = _tokenizer(classifier.shim)
    words = [token.text for token in doc]
    encoding = tokenizer.encode(words, is_pretokenized=True)
    # Where each token begins in the text of tokens with one space between, (n_tokens + 1,); then for each piece.
    ends = list(accumulate((len(word) + 1 for word in words), initial=0))
    starts = [0 if index is None else ends[index] for index in encoding.word_ids]
    spans = [(begin + first, begin + last) for begin, (first, last) in zip(starts, encoding.offsets, strict=True)]
    places = [(ends[token.i], ends[token.i] + len(token), token.idx) for token in doc]
    return _encoded(classifier.shim, tokenizer, " ".join(words), encoding, spans, places)


def piece_logits(classifier: Classifier, ids: list[int]) -> Any:
    """Run encoder and head over one sequence.

    classifier (Classifier): The component with its encoder.
    ids (list[int]): Its pieces, special pieces included.
    RETURNS (Floats2d): Shape: (n_pieces, n_tags), in numpy.
    """
    pipe, node, shim = classifier
    module = shim.module.eval()
    batch: Any = np.array([ids], dtype="int64")  # (1, n_pieces): one window, nothing to mask
    mask: Any = np.ones_like(batch)
    with running(shim.device, precision=node.attrs["precision"], train=False):
        vectors = module(
            input_ids=to_tensor(batch, shim.device), attention_mask=to_tensor(mask, shim.device)
        ).last_hidden_state[0]
    head = pipe.model.layers[-1]  # (n_pieces, width) to (n_pieces, n_tags)
    return head.ops.to_numpy(head.predict([to_array(vectors, head.ops)])[0])


def _tokenizer(shim: EncoderShim) -> "Tokenizer":
    """Give the tokenizer as an export would have it; it cuts what the encoder cannot see at once."""
    from tokenizers import Tokenizer

    found = _tokenizers.get(shim.tokenizer)
    if found is None:
        marks = shim.tokenizer_config.get(PREFIX_SPACE, True)
        found = Tokenizer.from_str(with_prefix_space(shim.tokenizer.to_str(), value=marks))
        found.enable_truncation(shim.max_pieces)
        _tokenizers[shim.tokenizer] = found
    return found


def _encoded(
    shim: EncoderShim,
    tokenizer: "Tokenizer",
    text: str,
    encoding: "Encoding",
    spans: list[tuple[int, int]],
    places: list[tuple[int, int, int]] | None,
) -> Encoded:
    unknown = shim.tokenizer_config["special_tokens"].get("unk_token")
    unknown_id = tokenizer.token_to_id(unknown) if unknown is not None else None
    special = [bool(flag) for flag in encoding.special_tokens_mask]
    return Encoded(tokenizer, text, encoding.ids, spans, special, unknown_id, places)
