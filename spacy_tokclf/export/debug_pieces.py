"""List the word pieces of a text with labels, as the token-classification guide of Hugging Face prints them."""

from typing import NamedTuple

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..tags.decode import best_tags
from ..tags.tuning import bias_of_tags
from ..wordpieces.sequences import make_sequences
from ..wordpieces.tokenizer import PieceTokenizer
from .component import find_classifier

#: The label of pieces without a prediction.
IGNORED = -100


class PieceRow(NamedTuple):
    """One word piece, or a token without any.

    window (int): The window it is in, from 0.
    word (str): The token's text, "" for a special piece.
    token (int | None): The token's index.
    piece (str): The piece, "" if the token has none.
    id (int | None): Its id.
    tag (str): The best tag at the first piece of a token, or its gold tag; "" elsewhere.
    label (int): The tag's id, or -100.
    mask (int): 1 for a piece that the encoder attends to.
    """

    window: int
    word: str
    token: int | None
    piece: str
    id: int | None
    tag: str
    label: int
    mask: int


def debug_pieces(nlp: Language, text: Doc | str, *, component: str | None = None, gold: bool = False) -> list[PieceRow]:
    """List the word pieces of a text with what the model says of them, or with what it would learn from them. In the
    overlap of two windows, a token has its label in the one that decides.

    nlp (Language): The pipeline.
    text (Doc | str): The text.
    component (str | None): The `token_classifier`; not needed if there is only one.
    gold (bool): Whether to show the entities that the text is annotated with, as training sees them, instead of the
        predicted ones.
    RETURNS (list[PieceRow]): The rows, window by window.
    RAISES (ValueError): TC255 or TC256, if there is no such component, or it uses no encoder of ours; TC020, if the
        gold has a type that the component does not know.
    """
    pipe, node, shim = find_classifier(nlp, component)
    doc = text if isinstance(text, Doc) else nlp.make_doc(text)
    tokenizer = shim.tokenizer
    size = min(node.attrs["window"] or shim.max_pieces, shim.max_pieces)
    overlap = min(node.attrs["overlap"], size // 2)
    sequences = make_sequences([doc], tokenizer, size=size, overlap=overlap, normalize=node.attrs["normalize"])
    logits = pipe.model.layers[-1].predict(node.predict([doc]))[0]
    if gold:
        labels = pipe.gold_tags([Example(doc.copy(), doc)], [logits])
    else:
        biased = pipe.model.ops.to_numpy(logits) + bias_of_tags(pipe.tuning, pipe.tag_table)
        labels = best_tags(biased, np.array([len(doc)]), pipe.decoder._replace(constrained=False))
    rows: list[PieceRow] = []
    for number, window in enumerate(sequences.windows):
        rows.extend(_special(number, tokenizer, tokenizer.prefix))
        for i in range(window.start, window.end):
            begin = sequences.offsets[i]
            ids = [int(id_) for id_ in sequences.ids[begin : begin + sequences.counts[i]]]
            decides = bool(ids) and window.own_start <= i < window.own_end and labels[i] >= 0
            label = int(labels[i]) if decides else IGNORED
            tag = pipe.tags[label] if decides else ""
            start = PieceRow(number, doc[i].text, i, "", None, tag, label, 0)
            rows.extend(_token_rows(start, ids, tokenizer))
        rows.extend(_special(number, tokenizer, tokenizer.suffix))
    return rows


def _special(window: int, tokenizer: PieceTokenizer, ids: list[int]) -> list[PieceRow]:
    names = tokenizer.pieces(ids)
    return [PieceRow(window, "", None, name, id_, "", IGNORED, 1) for id_, name in zip(ids, names, strict=True)]


def _token_rows(row: PieceRow, ids: list[int], tokenizer: PieceTokenizer) -> list[PieceRow]:
    """Give a token's rows: its first piece has its label, or it has no piece at all."""
    rows = [row._replace(piece=name, id=id_, mask=1) for id_, name in zip(ids, tokenizer.pieces(ids), strict=True)]
    return [*rows[:1], *(other._replace(tag="", label=IGNORED) for other in rows[1:])] or [row]
