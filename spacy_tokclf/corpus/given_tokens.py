"""Docs with the tokens that a file gives."""

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..errors import Errors
from .text_records import TextRecord


def doc_of_given_tokens(record: TextRecord, vocab: Vocab) -> Doc:
    """Make a Doc of the tokens of a text. White space between them that is more than one blank becomes a token, as in
    spaCy's own tokenizers, so that no character is lost.

    record (TextRecord): The text, with its tokens.
    vocab (Vocab): Vocabulary of the Doc.
    RETURNS (Doc): The Doc, without entities; its spaces unknown if the record says so.
    RAISES (ValueError): TC170 if the tokens overlap, or leave more out than white space.
    """
    text, tokens = record.text, record.tokens or []
    words = [text[start:end] for start, end in tokens]
    if record.unknown_spaces and text == " ".join(words):
        return Doc(vocab, words=words)
    words = []
    spaces: list[bool] = []
    at = 0
    for start, end in (*tokens, (len(text), len(text))):
        gap = text[at:start]
        if start < at or (gap and not gap.isspace()):
            detail = f"a token begins at {start}, before the last one ends at {at}."
            if start >= at:
                detail = f"no token has the characters {gap!r} at ({at}, {start})."
            raise ValueError(Errors.TC170.format(where=record.where, detail=detail))
        if gap.startswith(" ") and words:
            spaces[-1], gap = True, gap[1:]
        if gap:
            words.append(gap)
            spaces.append(False)
        if start < end:
            words.append(text[start:end])
            spaces.append(False)
        at = end
    return Doc(vocab, words=words, spaces=spaces)
