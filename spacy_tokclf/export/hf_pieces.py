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

#: Tokenizers of exports by the pipeline's own, and by stride.
_tokenizers: "WeakKeyDictionary[Any, dict[int, Tokenizer]]" = WeakKeyDictionary()


class Encoded(NamedTuple):
    """A text as Hugging Face sees it, or the part of it that the encoder sees at once.

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


def encode_text(classifier: Classifier, text: str, *, stride: int | None = None) -> list[Encoded]:
    """Split a text as a whole.

    classifier (Classifier): The component with its encoder.
    text (str): The text.
    stride (int | None): Pieces that a part shares with the next; None cuts off what comes after the first part.
    RETURNS (list[Encoded]): Its pieces, one part after the other.
    """
    tokenizer = _tokenizer(classifier.shim, stride or 0)
    return [
        _encoded(classifier.shim, tokenizer, text, encoding, encoding.offsets, None)
        for encoding in _parts(tokenizer.encode(text), stride)
    ]


def encode_tokens(classifier: Classifier, doc: Doc, *, stride: int | None = None) -> list[Encoded]:
    """Split a Doc token by token.

    classifier (Classifier): The component with its encoder.
    doc (Doc): The Doc.
    stride (int | None): As for `encode_text`.
    RETURNS (list[Encoded]): Its pieces, one part after the other.
    """
    tokenizer = _tokenizer(classifier.shim, stride or 0)
    words = [token.text for token in doc]
    # Where each token begins in the text of tokens with one space between, (n_tokens + 1,).
    begins = list(accumulate((len(word) + 1 for word in words), initial=0))
    places = [(begins[token.i], begins[token.i] + len(token), token.idx) for token in doc]
    encoded = []
    for encoding in _parts(tokenizer.encode(words, is_pretokenized=True), stride):
        starts = [0 if index is None else begins[index] for index in encoding.word_ids]  # of each piece's token
        spans = [(begin + first, begin + last) for begin, (first, last) in zip(starts, encoding.offsets, strict=True)]
        encoded.append(_encoded(classifier.shim, tokenizer, " ".join(words), encoding, spans, places))
    return encoded


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


def _tokenizer(shim: EncoderShim, stride: int) -> "Tokenizer":
    """Give the tokenizer as an export would have it; it cuts what the encoder cannot see at once."""
    from tokenizers import Tokenizer

    found = _tokenizers.setdefault(shim.tokenizer, {})
    if stride not in found:
        marks = shim.tokenizer_config.get(PREFIX_SPACE, True)
        made = Tokenizer.from_str(with_prefix_space(shim.tokenizer.to_str(), value=marks))
        made.enable_truncation(shim.max_pieces, stride=stride)
        found[stride] = made
    return found[stride]


def _parts(encoding: "Encoding", stride: int | None) -> "list[Encoding]":
    return [encoding] if stride is None else [encoding, *encoding.overflowing]


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
