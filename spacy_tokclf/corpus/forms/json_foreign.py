"""JSON that people have beside their annotated texts, or that is annotated otherwise: named for what it is."""

from typing import Any, NamedTuple

from ...errors import Errors
from .json_source import Place, Row

_NAME_TEXTS = "Name the file of annotated texts"
_EXPORT = "Export it in a format with the text and character offsets, such as that of Doccano or Label Studio"
_ANSWERS = "Make texts with spans of its answers"
_MESSAGES = "Make texts with spans of its messages"


class _Foreign(NamedTuple):
    """Something that is no annotated text.

    what (str): What it is.
    keys (tuple[str, ...]): Keys that it has, the most telling one first.
    hint (str): What to do.
    """

    what: str
    keys: tuple[str, ...]
    hint: str


_FOREIGN = (
    _Foreign("a COCO file of pictures", ("images", "annotations"), "Its annotations are of pictures"),
    _Foreign("a task on a picture", ("image",), "Export a project of texts"),
    _Foreign("a task on sound", ("audio",), "Export a project of texts"),
    _Foreign("a task on a video", ("video",), "Export a project of texts"),
    _Foreign("the dataset_info.json of a data set", ("features", "splits"), "Name the folder of the data set"),
    _Foreign("the state.json of a saved data set", ("_fingerprint", "_data_files"), "Name the folder of the data set"),
    _Foreign("a chat", ("messages",), _MESSAGES),
    _Foreign("a chat", ("conversations",), _MESSAGES),
    _Foreign("GeoJSON", ("features", "type"), "Its places are on the earth"),
    _Foreign("the meta.json of a spaCy pipeline", ("spacy_version", "lang"), _NAME_TEXTS),
    _Foreign("the config.json of a Hugging Face model", ("model_type",), _NAME_TEXTS),
    _Foreign("the tokenizer.json of a Hugging Face model", ("added_tokens", "model"), _NAME_TEXTS),
    _Foreign("a notebook", ("nbformat", "cells"), _NAME_TEXTS),
    _Foreign("a pattern for spaCy's rules", ("pattern", "label"), "Let an `entity_ruler` annotate texts with it"),
    _Foreign("data for answers to questions", ("qas",), _ANSWERS),
    _Foreign("data for answers to questions", ("paragraphs", "title"), _ANSWERS),
    _Foreign("data for answers to questions", ("question", "context"), _ANSWERS),
    _Foreign("a document of DocRED", ("vertexSet", "sents"), "Write its sentences as rows of tokens and tags"),
    _Foreign("an export of tagtog", ("anncomplete", "entities"), _EXPORT),
    _Foreign("an export of INCEpTION (UIMA CAS)", ("%FEATURE_STRUCTURES",), "Export CoNLL (2002 or 2003) instead"),
    _Foreign("an export of Labelbox", ("Labeled Data",), _EXPORT),
    _Foreign("an export of Labelbox", ("data_row", "projects"), _EXPORT),
    _Foreign("an entity that a pipeline found, without its text", ("word", "score"), "Keep the text with its entities"),
)
_TELLING = frozenset(each.keys[0] for each in _FOREIGN) | {"entities"}
_BRAT = _Foreign("a document of brat's server", ("entities",), "Read brat's own files, NAME.txt beside NAME.ann")


def check_foreign(row: Row, place: Place) -> None:
    """Refuse what is known and is no annotated text.

    row (dict[str, Any]): The row.
    place (Place): Where it stands.
    RAISES (ValueError): TC179.
    """
    if _TELLING.isdisjoint(row):
        return
    has_text = "text" in row or "data" in row
    found = next((each for each in _FOREIGN if not has_text and row.keys() >= set(each.keys)), None)
    found = _BRAT if found is None and _is_brat(row.get("entities")) else found
    if found is not None:
        raise ValueError(Errors.TC179.format(where=place.where, what=found.what, hint=found.hint))


def _is_brat(items: Any) -> bool:
    """Tell the spans of brat's server: [id, label, [[start, end], ...]]."""
    return isinstance(items, list) and any(
        isinstance(each, list) and len(each) == 3 and isinstance(each[2], list) for each in items
    )
