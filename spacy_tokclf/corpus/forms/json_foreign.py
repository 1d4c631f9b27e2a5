"""JSON that people have beside their annotated texts, or that is annotated otherwise: named for what it is."""

from collections.abc import Callable
from typing import Any

from ...errors import Errors
from .json_source import Place, Row

_Test = Callable[[Row], bool]


def _has(*keys: str) -> _Test:
    """RETURNS (Callable[[dict[str, Any]], bool]): Tells objects that have all of some keys."""
    return lambda row: row.keys() >= set(keys)


def _is_brat(row: Row) -> bool:
    """Tell a document of brat: [id, label, [[start, end], ...]]."""
    items = row.get("entities")
    return isinstance(items, list) and any(
        isinstance(each, list) and len(each) == 3 and isinstance(each[2], list) for each in items
    )


def _is_prediction(row: Row) -> bool:
    """Tell one entity that a pipeline found."""
    return {"word", "score", "start", "end"} <= row.keys() and bool({"entity", "entity_group"} & row.keys())


def _is_medium(row: Row) -> bool:
    """Tell pictures and sound of Prodigy and others."""
    return bool({"image", "audio", "video"} & row.keys()) and "text" not in row and "data" not in row


_FORMATS = "Export it in a format with the text and character offsets, such as that of Doccano or Label Studio"
#: What it is, how it is told, and what to do.
_FOREIGN: tuple[tuple[str, _Test, str], ...] = (
    ("a COCO file of pictures", _has("images", "annotations"), "Its annotations are of pictures"),
    ("a task on a picture, sound or video", _is_medium, "Export a project of texts"),
    ("the dataset_info.json of a Hugging Face data set", _has("features", "splits"), "Name the folder of the data set"),
    ("the state.json of a saved data set", _has("_data_files", "_fingerprint"), "Name the folder of the data set"),
    ("a chat", _has("messages"), "Make texts with spans of its messages"),
    ("a chat", _has("conversations"), "Make texts with spans of its messages"),
    ("GeoJSON", _has("type", "features"), "Its places are on the earth"),
    ("the meta.json of a spaCy pipeline", _has("lang", "spacy_version"), "Name the file of annotated texts"),
    ("the config.json of a Hugging Face model", _has("model_type"), "Name the file of annotated texts"),
    ("the tokenizer.json of a Hugging Face model", _has("added_tokens", "model"), "Name the file of annotated texts"),
    ("a pattern for spaCy's rules", _has("label", "pattern"), "Run an `entity_ruler` with it on texts"),
    ("data for answers to questions", _has("paragraphs", "title"), "Make texts with spans of its answers"),
    ("data for answers to questions", _has("question", "context"), "Make texts with spans of its answers"),
    ("data for answers to questions", _has("qas"), "Make texts with spans of its answers"),
    ("a notebook", _has("cells", "nbformat"), "Name the file of annotated texts"),
    ("a document of brat's server", _is_brat, "Read brat's own files, NAME.txt beside NAME.ann"),
    ("an export of tagtog", _has("annotatable", "anncomplete"), _FORMATS),
    ("an export of INCEpTION (UIMA CAS)", _has("%FEATURE_STRUCTURES"), "Export CoNLL (2002 or 2003) instead"),
    ("an export of Labelbox", _has("Labeled Data"), _FORMATS),
    ("an export of Labelbox", _has("data_row", "projects"), _FORMATS),
    ("an entity that a pipeline found, without its text", _is_prediction, "Keep the text with its entities"),
)


def check_foreign(row: Row, place: Place) -> None:
    """Refuse what is known and is no annotated text.

    row (dict[str, Any]): The row.
    place (Place): Where it stands.
    RAISES (ValueError): TC179.
    """
    for what, test, hint in _FOREIGN:
        if test(row):
            raise ValueError(Errors.TC179.format(where=place.where, what=what, hint=hint))


def foreign_hint(value: Any) -> str:
    """Say what a row may be that is no object.

    value (Any): The row.
    RETURNS (str): The end of a sentence, "" if nothing is known.
    """
    if isinstance(value, str):
        return "; texts without annotation have nothing to learn from"
    return ""
