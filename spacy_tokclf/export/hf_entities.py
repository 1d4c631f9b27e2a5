"""Predict in the output format of Hugging Face's `pipeline("ner")`, a list of dictionaries, with a spaCy pipeline.

The values are those of `transformers.TokenClassificationPipeline` for the exported checkpoint, quirks included: texts
that are too long are cut, and whether a piece continues a word is guessed from the characters around it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, overload

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from ..errors import Errors
from ..tags.decode import softmax
from ..tags.tuning import tune_logits
from ..types import Floats32
from .component import Classifier, check_equivalent, find_classifier
from .hf_pieces import Encoded, encode_text, encode_tokens, piece_logits

STRATEGIES = ("none", "simple", "first", "average", "max")
OUTSIDE = "O"

Entity = dict[str, Any]


class Piece(NamedTuple):
    """A word piece with its probabilities.

    word (str): Its string.
    scores (Floats32): Probability of each tag. Shape: (n_tags,).
    number (int): Its place in the sequence, special pieces counted.
    start, end (int): Its characters.
    continues (bool): Whether it belongs to the word of the piece before.
    """

    word: str
    scores: Floats32
    number: int
    start: int
    end: int
    continues: bool


@overload
def to_hf_entities(
    texts: Doc | str,
    nlp: Language,
    *,
    aggregation_strategy: str = ...,
    ignore_labels: Sequence[str] | None = ...,
    stride: int | None = ...,
    component: str | None = ...,
) -> list[Entity]: ...


@overload
def to_hf_entities(
    texts: list[Doc] | list[str],
    nlp: Language,
    *,
    aggregation_strategy: str = ...,
    ignore_labels: Sequence[str] | None = ...,
    stride: int | None = ...,
    component: str | None = ...,
) -> list[list[Entity]]: ...


def to_hf_entities(
    texts: Doc | str | list[Doc] | list[str],
    nlp: Language,
    *,
    aggregation_strategy: str = "none",
    ignore_labels: Sequence[str] | None = None,
    stride: int | None = None,
    component: str | None = None,
) -> list[Entity] | list[list[Entity]]:
    """Give what `pipeline("ner", aggregation_strategy=...)` returns, as plain Python values.

    A text is split into pieces as a whole, as Hugging Face does, whatever the tokens of spaCy. A Doc is split token by
    token, as Hugging Face does with `is_split_into_words=True`; `start` and `end` are then characters of `doc.text`.

    texts (Doc | str | list[Doc] | list[str]): A text, or a Doc for its tokens; or several of them.
    nlp (Language): The pipeline.
    aggregation_strategy (str): "none" for a dictionary a piece (entity, score, index, word, start, end); "simple",
        "first", "average" or "max" for one an entity (entity_group, score, word, start, end).
    ignore_labels (Sequence[str] | None): What is left out: tags ("B-person") with "none", else types; None for "O".
    stride (int | None): Read all of a long text, in parts that share so many pieces with the next; of entities that
        overlap the longer is kept, then the surer. None cuts off what the encoder does not see at once.
    component (str | None): The `token_classifier`; not needed if there is only one.
    RETURNS (list[dict[str, Any]] | list[list[dict[str, Any]]]): The dictionaries, in order; for several texts a list of
        those of each.
    RAISES (ValueError): TC261, for another strategy; TC082, for a stride that cannot be; TC255 to TC257, if the
        component has no Hugging Face equivalent.
    """
    if aggregation_strategy not in STRATEGIES:
        raise ValueError(Errors.TC261.format(value=aggregation_strategy, choices=", ".join(STRATEGIES)))
    classifier = find_classifier(nlp, component)
    check_equivalent(classifier)
    if stride is not None:
        _check_stride(stride, aggregation_strategy, classifier)
    ignored = [OUTSIDE] if ignore_labels is None else list(ignore_labels)
    if isinstance(texts, Doc | str):
        return _text_entities(texts, classifier, aggregation_strategy, ignored, stride)
    return [_text_entities(text, classifier, aggregation_strategy, ignored, stride) for text in texts]


def _check_stride(stride: int, strategy: str, classifier: Classifier) -> None:
    most = classifier.shim.max_pieces - len(classifier.shim.tokenizer.prefix) - len(classifier.shim.tokenizer.suffix)
    if strategy == "none" or not 0 <= stride < most:
        raise ValueError(Errors.TC082.format(value=stride, strategy=strategy, most=most))


def _text_entities(
    text: Doc | str, classifier: Classifier, strategy: str, ignored: list[str], stride: int | None
) -> list[Entity]:
    if isinstance(text, Doc):
        parts = encode_tokens(classifier, text, stride=stride)
    else:
        parts = encode_text(classifier, text, stride=stride)
    # The label of a piece is a tag ("B-person"), that of a group a type ("person").
    key = "entity" if strategy == "none" else "entity_group"
    found = [
        entity
        for encoded in parts
        for entity in _part_entities(encoded, classifier, strategy)
        if entity[key] not in ignored
    ]
    return [_plain(entity, parts[0]) for entity in (_best_of_overlapping(found) if len(parts) > 1 else found)]


def _part_entities(encoded: Encoded, classifier: Classifier, strategy: str) -> list[Entity]:
    tags = classifier.pipe.tags
    pieces = _pieces(classifier, encoded)
    if strategy in ("none", "simple"):
        entities = [_piece_entity(piece, tags) for piece in pieces]
    else:
        entities = [_word_entity(word, tags, strategy, encoded) for word in _words(pieces)]
    return entities if strategy == "none" else [_group_entity(group, encoded) for group in _groups(entities)]


def _best_of_overlapping(entities: list[Entity]) -> list[Entity]:
    """Of entities that begin in the one before, keep the longer, then the surer."""
    kept: list[Entity] = []
    for entity in sorted(entities, key=lambda entity: entity["start"]):
        if kept and kept[-1]["start"] <= entity["start"] < kept[-1]["end"]:
            kept[-1] = max(kept[-1], entity, key=lambda each: (each["end"] - each["start"], each["score"]))
        else:
            kept.append(entity)
    return kept


def _pieces(classifier: Classifier, encoded: Encoded) -> list[Piece]:
    pipe = classifier.pipe
    # (n_pieces, n_tags), special pieces included
    scores = softmax(tune_logits(piece_logits(classifier, encoded.ids), pipe.tuning, pipe.tag_table))
    pieces = []
    for index, (id_, (start, end)) in enumerate(zip(encoded.ids, encoded.spans, strict=True)):
        if encoded.special[index]:
            continue
        word, text = str(encoded.tokenizer.id_to_token(id_)), encoded.text[start:end]
        if encoded.marks_inside:  # "##ing" is longer than the "ing" in the text
            continues = len(word) != len(text)
        else:
            continues = start > 0 and " " not in encoded.text[start - 1 : start + 1]
        if id_ == encoded.unknown:
            word, continues = text, False
        pieces.append(Piece(word, scores[index], index, start, end, continues))
    return pieces


def _piece_entity(piece: Piece, tags: list[str]) -> Entity:
    best = int(piece.scores.argmax())
    return {
        "entity": tags[best],
        "score": piece.scores[best],
        "index": piece.number,
        "word": piece.word,
        "start": piece.start,
        "end": piece.end,
    }


def _words(pieces: list[Piece]) -> list[list[Piece]]:
    words: list[list[Piece]] = []
    for piece in pieces:
        if words and piece.continues:
            words[-1].append(piece)
        else:
            words.append([piece])
    return words


def _word_entity(word: list[Piece], tags: list[str], strategy: str, encoded: Encoded) -> Entity:
    """Give a word one label: that of its first piece, of its surest piece, or the best on average."""
    if strategy == "average":
        scores = np.stack([piece.scores for piece in word]).mean(axis=0)  # (n_pieces of the word, n_tags) to (n_tags,)
    elif strategy == "max":
        scores = max(word, key=lambda piece: piece.scores.max()).scores
    else:
        scores = word[0].scores
    best = int(scores.argmax())
    return {
        "entity": tags[best],
        "score": scores[best],
        "word": encoded.join([piece.word for piece in word]),
        "start": word[0].start,
        "end": word[-1].end,
    }


def _groups(entities: Sequence[Entity]) -> list[list[Entity]]:
    """Put neighbours of one type together; `B-` begins anew, and a label without B- or I- counts as I-."""
    groups: list[list[Entity]] = []
    last = ""
    for entity in entities:
        label = entity["entity"]
        type_ = label[2:] if label.startswith(("B-", "I-")) else label
        if groups and type_ == last and not label.startswith("B-"):
            groups[-1].append(entity)
        else:
            groups.append([entity])
        last = type_
    return groups


def _group_entity(group: list[Entity], encoded: Encoded) -> Entity:
    return {
        "entity_group": group[0]["entity"].split("-", 1)[-1],
        "score": np.mean([entity["score"] for entity in group]),
        "word": encoded.join([entity["word"] for entity in group]),
        "start": group[0]["start"],
        "end": group[-1]["end"],
    }


def _plain(entity: Entity, encoded: Encoded) -> Entity:
    places = {"start": encoded.place(entity["start"]), "end": encoded.place(entity["end"], end=True)}
    return {**entity, "score": float(entity["score"]), **places}
