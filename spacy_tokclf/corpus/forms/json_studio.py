"""Label Studio: its tasks, and the rows of JSON-MIN."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ...errors import Errors
from ..records import Mark, TextRecord
from .json_offsets import Found, fits
from .json_source import Place, Row
from .json_spans import read_spans

_TASK = {"annotations", "completions", "predictions"}
_MIN = {"annotation_id", "lead_time"}
#: Keys of labels on a stretch of text. What others mark is seen, heard or measured.
_TEXT_LABELS = ("labels", "hypertextlabels")
_OTHER_MEDIA = (
    "rectanglelabels",
    "polygonlabels",
    "brushlabels",
    "ellipselabels",
    "keypointlabels",
    "timeserieslabels",
)
_OTHER_PLACES = {"x", "y", "points", "rle", "channel", "sequence", "instant"}
#: Keys of what says something of the whole task, or of another region.
_SAID = ("choices", "rating", "number", "taxonomy", "datetime", "pairwise", "ranker", "textarea")


class _Region(NamedTuple):
    """One result of an annotation.

    kind (str): What it is, for messages.
    field (str | None): What it lies on: `to_name`.
    value (dict[str, Any] | None): Start, end, text and labels of a stretch of text; None if it is none.
    blocks (bool): Whether it is a mark on some text, whose place is not known if there is no value.
    """

    kind: str
    field: str | None
    value: Row | None
    blocks: bool


def is_task(row: Row) -> bool:
    """Tell a task of Label Studio.

    row (dict[str, Any]): The row.
    RETURNS (bool): Whether it is one.
    """
    return "data" in row and bool(_TASK & row.keys())


def read_task(row: Row, place: Place) -> Iterator[TextRecord]:
    """Read {"data", "annotations": [{"result": [{"value": {...}}]}]}. Of several annotations the one that is marked as
    ground truth is read, else the first; or that of the annotator who is asked for.

    row (dict[str, Any]): The row.
    place (Place): Where it stands.
    YIELDS (TextRecord): The text.
    RAISES (ValueError): TC161 to TC164, TC168, TC173, TC177, TC179, with file and line.
    """
    data = row.get("data")
    done = row.get("annotations", row.get("completions")) or []
    guessed = row.get("predictions") or []
    if not isinstance(data, dict) or not _are_objects(done) or not isinstance(guessed, list):
        raise place.unknown()
    guessed = [one for one in guessed if isinstance(one, dict)]  # some exports have their numbers
    done = [one for one in done if place.source.is_asked_for(one.get("completed_by")) and not one.get("was_cancelled")]
    done.sort(key=lambda one: not one.get("ground_truth"))
    options = place.source.options
    if not done and options.predictions:
        done = guessed[:1]
    results = (done[0].get("result") or []) if done else []
    guesses = (guessed[0].get("result") or []) if guessed and not done else []
    if not _are_objects(results) or not _are_objects(guesses):
        raise place.unknown()
    regions = [_region(result, place) for result in _without_extras(results)]
    key = _text_key(data, [*regions, *(_region(each, place) for each in guesses)], place)
    text = place.text(data[key])
    record = _record(regions, key, data, place, annotations=len(done))
    marks = [Mark("prediction", (0, len(text)))] if guesses else []
    yield TextRecord(
        text, record.spans, marks=[*record.marks, *marks], scores=record.scores, annotations=record.annotations
    )


def is_min(row: Row) -> bool:
    """Tell a row of JSON-MIN.

    row (dict[str, Any]): The row.
    RETURNS (bool): Whether it is one.
    """
    return bool(row.keys() & _MIN) or any(map(_are_regions, row.values()))


def read_min(row: Row, place: Place) -> Iterator[TextRecord]:
    """Read {"text", "label": [{"start", "end", "text", "labels"}]}, whatever the keys are called.

    row (dict[str, Any]): The row.
    place (Place): Where it stands.
    YIELDS (TextRecord): The text; nothing if it is of an annotator who is not asked for.
    RAISES (ValueError): As read_task.
    """
    if not place.source.is_asked_for(row.get("annotator")):
        return
    lists = {name: value for name, value in row.items() if _are_regions(value)}
    regions = [_region({"to_name": name, "value": value}, place) for name in lists for value in lists[name]]
    regions = [region._replace(field=None) for region in regions]
    strings = {name: value for name, value in row.items() if name not in lists and name not in _MIN_OWN}
    key = _text_key(strings, regions, place)
    place.source.has_regions |= bool(regions)
    if row.keys() & _MIN:
        place.source.said_else |= {name for name in row if row[name] and name not in (key, *lists, *_MIN_OWN)}
    yield _record(regions, key, row, place, annotations=1 if regions or row.keys() & _MIN else 0)


_MIN_OWN = {
    "annotator",
    "created_at",
    "updated_at",
    "id",
    "annotation_id",
    "lead_time",
    "meta",
    "inner_id",
    "agreement",
}


def _record(regions: Sequence[_Region], key: str, data: Row, place: Place, *, annotations: int) -> TextRecord:
    """Read the regions of one text."""
    text = place.text(data[key])
    own, marks = [], []
    fields = _fields_on(regions, key, data)
    for region in regions:
        if region.value is None or region.field not in fields:
            marks.append(Mark(region.kind, (0, len(text)) if region.blocks and region.value is None else None))
        else:
            own.append(region)
    spans = read_spans([one.value for one in own], text, place.where, trust=place.trust)
    if not spans.spans and not spans.marks and marks and annotations:
        # Nobody looked for entities, as far as one can see.
        marks = [Mark(mark.why, (0, len(text))) for mark in marks]
    return TextRecord(text, spans.spans, marks=[*spans.marks, *marks], scores=spans.scores, annotations=annotations)


def _region(result: Row, place: Place) -> _Region:
    """Read one result."""
    value, kind = result.get("value"), str(result.get("type", ""))
    name = result.get("to_name")
    name = name if isinstance(name, str) else None
    if not isinstance(value, dict):
        return _Region(kind or "another kind", name, None, blocks=False)
    key = next((key for key in value if key.lower().endswith("labels")), None)
    said = next((each for each in _SAID if each in value or kind == each), None)
    if (key in _OTHER_MEDIA) or _OTHER_PLACES & value.keys():
        return _Region(key or kind or "another kind", name, None, blocks=False)
    start, end = _offsets(value)
    if start is None or end is None:
        return _Region(key or said or kind or "another kind", name, None, blocks=said is None)
    if said is not None and key is None:
        # Said of a region that is there with its labels, too; else a mark without a label.
        return _Region(said, name, {"start": start, "end": end, "labels": []}, blocks=True)
    if key == "paragraphlabels":  # its offsets count within a turn
        return _Region(key, name, None, blocks=True)
    says = value.get("text")
    span = {"start": start, "end": end, "labels": value.get(key) if key is not None else []}
    span |= {"text": says} if isinstance(says, str) else {}
    score = result.get("score", value.get("score"))
    span |= {"score": score} if score is not None else {}
    state = {
        name: found[name] for found in (result, value) for name in ("rejected", "status", "state") if name in found
    }
    return _Region(key or kind or "no label", name, span | state, blocks=True)


def _offsets(value: Row) -> tuple[Any, Any]:
    """Find the offsets of a region. In HTML start and end are paths, and the offsets in all of the text stand apart."""
    whole = value.get("globalOffsets")
    if isinstance(whole, dict):
        return whole.get("start"), whole.get("end")
    if not isinstance(value.get("start"), str) and not isinstance(value.get("end"), str):
        return value.get("start"), value.get("end")
    if value.get("start") == value.get("end") == "/text()[1]" and isinstance(value.get("text"), str):
        return value.get("startOffset"), value.get("endOffset")  # all of the text is one node
    return None, None


def _without_extras(results: Sequence[Row]) -> list[Row]:
    """Leave out what is said of a region that is there with its labels: choices, a text, under the same id."""
    labelled = {
        number
        for result in results
        if (number := _id(result)) is not None
        if isinstance(result.get("value"), dict) and any(key in result["value"] for key in _TEXT_LABELS)
    }
    kept = []
    for result in results:
        value = result["value"] if isinstance(result.get("value"), dict) else {}
        said = any(key in value or key == result.get("type") for key in _SAID)
        is_extra = said and _id(result) in labelled and not any(key in value for key in _TEXT_LABELS)
        kept.append({**result, "value": None, "type": result.get("type", "said of a region")} if is_extra else result)
    return kept


def _id(result: Row) -> str | None:
    """Give the number of a result, which what is said of a region shares with it."""
    number = result.get("id")
    return str(number) if isinstance(number, str | int) else None


def _fields_on(regions: Sequence[_Region], key: str, data: Row) -> set[str | None]:
    """Find the names of the fields (`to_name`) that lie on the text that is read. They are names of the labeling form,
    and need not be keys of the data: what the regions read tells more."""
    others = [name for name, value in data.items() if name != key and isinstance(value, str)]
    groups = _by_field(regions)
    on = set()
    for field, found in groups.items():
        named = field != key and isinstance(data.get(field or ""), str)
        says = any(one.says for one in found)
        if not says or not others:
            elsewhere = named
        elif fits(found, data[key]):
            elsewhere = named and len(groups) > 1 and fits(found, data[field or ""])
        else:
            elsewhere = any(fits(found, data[name]) for name in others)
        if not elsewhere:
            on.add(field)
    return on


def _by_field(regions: Sequence[_Region]) -> dict[str | None, list[Found]]:
    """Sort regions on text by the field that they lie on."""
    groups: dict[str | None, list[Found]] = {}
    for region in regions:
        if region.value is not None:
            group = groups.setdefault(region.field, [])
            if (one := _found(region)) is not None:
                group.append(one)
    return groups


def _text_key(data: Row, regions: Sequence[_Region], place: Place) -> str:
    """Find the key of the text.

    RAISES (ValueError): TC161, TC177, TC179.
    """
    asked = place.source.options.text_key
    if asked is not None:
        if asked not in data:
            raise _cannot_tell(data, place)
        return asked
    _check_medium(data, regions, place)
    strings = [key for key, value in data.items() if isinstance(value, str)]
    if "text" in data and not isinstance(data["text"], str):
        return "text"
    if len(strings) < 2:
        if not strings:
            raise place.unknown("; there is no string among its data")
        return strings[0]
    key = _fitting_key(data, regions)
    if key is None and "text" not in strings:
        key = place.source.fact("text key", _learn_key)
    if key is None and "text" in strings:
        key = "text"
    if key is None or key not in strings:
        raise _cannot_tell(data, place)
    return key


def _fitting_key(data: Row, regions: Sequence[_Region]) -> str | None:
    """Find the string that the regions fit: the only one, or that under "text"."""
    by_field = {field: told for field, group in _by_field(regions).items() if (told := [x for x in group if x.says])}
    strings = {key: value for key, value in data.items() if isinstance(value, str)}
    if not by_field:
        return None
    named = [field for field in by_field if field in strings]
    groups = list(by_field.values())
    fitting = [key for key, text in strings.items() if any(fits(group, text) for group in groups)]
    if "text" in fitting:
        return "text"
    if len(fitting) == 1:
        return fitting[0]
    return named[0] if len(named) == 1 and named[0] in fitting else None


def _found(region: _Region) -> Found | None:
    """Give a region as a span."""
    value = region.value
    if value is None or type(value["start"]) is not int or type(value["end"]) is not int:
        return None
    return Found(value["start"], value["end"], None, value.get("text"), None, False)


def _learn_key(rows: Iterator[Place]) -> str | None:
    """Find the key of the text in another row of the file."""
    for place in rows:
        row = place.row.value
        if not isinstance(row, dict):
            continue
        data: Row = row["data"] if isinstance(row.get("data"), dict) else row
        done = [one for key in _TASK for one in _objects(row.get(key))]
        results = [each for one in done for each in _objects(one.get("result"))]
        lists = [value for value in row.values() if _are_regions(value)]
        results += [{"value": value} for regions in lists for value in regions]
        key = _fitting_key(data, [_region(result, place) for result in results])
        if key is not None:
            return key
    return None


def _check_medium(data: Row, regions: Sequence[_Region], place: Place) -> None:
    """Refuse pictures, sound and dialogues, whose regions mark no text."""
    media = [region.kind for region in regions if region.value is None and region.kind in (*_OTHER_MEDIA, "labels")]
    on_text = any(region.value is not None for region in regions)
    keys = {"image", "img", "audio", "video", "sound", "ocr", "pdf"} & {key.lower() for key in data}
    strings = [value for value in data.values() if isinstance(value, str)]
    if not on_text and "text" not in data and (media or keys) and all(len(each.split()) < 2 for each in strings):
        what = f"a task of Label Studio on a picture, sound or video ({', '.join(sorted(keys)) or media[0]})"
        raise ValueError(Errors.TC179.format(where=place.where, what=what, hint="Export a project of texts"))
    if any(region.kind == "paragraphlabels" for region in regions) and not strings:
        hint = "Its spans count within each turn; join the turns to one text"
        raise ValueError(Errors.TC179.format(where=place.where, what="a dialogue of Label Studio", hint=hint))


def _cannot_tell(data: Row, place: Place) -> ValueError:
    """Say that the key of the text is not known."""
    strings = [f"{key} ({value[:20]!r})" for key, value in data.items() if isinstance(value, str)]
    asked = place.source.options.text_key
    found = ", ".join(strings[:8]) or "there is none"
    return ValueError(
        Errors.TC177.format(where=place.where, found=found if asked is None else f"no {asked!r}, but {found}")
    )


def _objects(value: Any) -> list[Row]:
    """Give the objects in a list; none if it is none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _are_objects(value: Any) -> bool:
    """Tell a list of objects from other values."""
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _are_regions(value: Any) -> bool:
    """Tell the regions of Label Studio from other values."""
    if not _are_objects(value) or not value:
        return False
    return all(any(key in region for key in (*_TEXT_LABELS, "paragraphlabels")) for region in value)
