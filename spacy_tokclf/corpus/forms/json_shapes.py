"""What annotation tools export for one text: the shapes of Doccano, Prodigy and Label Studio.

Two additional keys, which the tools keep as they do any key that they do not know, make a round trip of a Doc lossless:
"missing", a list of [start, end] where the gold is not known, and "has_unknown_spaces".
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from ...errors import Errors
from ..records import TextRecord
from .json_spans import read_offsets, read_spans

FORMATS = ("doccano", "prodigy", "label-studio")
Row = dict[str, Any]
_PRODIGY_KEYS = {"spans", "answer", "_task_hash", "_input_hash"}
_DOCCANO_KEYS = ("label", "labels", "entities")
_STUDIO_KEYS = {"annotations", "completions", "predictions"}
_STUDIO_MIN_KEYS = {"annotation_id", "lead_time"}


def read_row(row: Any, path: str, line: int, *, format: str = "auto") -> TextRecord:
    """Read one object.

    row (Any): The object.
    path (str): The file, for messages.
    line (int): The line.
    format (str): One of FORMATS, or "auto" to go by the keys of the object.
    RETURNS (TextRecord): The text. With no annotation at all it is missing throughout.
    RAISES (ValueError): TC161 to TC164, TC168, TC170, TC173, with file and line.
    """
    where = f"{path}:{line}"
    if not isinstance(row, dict):
        raise ValueError(Errors.TC161.format(where=where, found=repr(row)[:60], hint=""))
    if format == "auto":
        format = _detect(row)
    record = _READERS[format](row, where) if format in _READERS else None
    if record is None:
        hint = f'; the format "{format}" was asked for' if format in FORMATS else ""
        raise ValueError(Errors.TC161.format(where=where, found=f"an object with the keys {list(row)}", hint=hint))
    extra = row["data"] if isinstance(row.get("data"), dict) else row
    missing = [*record.missing, *read_offsets(extra.get("missing"), record.text, where)]
    if not record.annotations and record.text:
        missing = [(0, len(record.text))]
    unknown = extra.get("has_unknown_spaces") is True
    return replace(record, missing=missing, unknown_spaces=unknown, path=path, line=line)


def _detect(row: Row) -> str:
    """Name the tool that an object comes from, "" if it is none that is known."""
    if "data" in row and _STUDIO_KEYS & row.keys():
        return "label-studio"
    if "text" not in row:
        return ""
    if row.keys() & _PRODIGY_KEYS:
        return "prodigy"
    if row.keys() & _STUDIO_MIN_KEYS or any(map(_are_regions, row.values())):
        return "label-studio"
    return "doccano"


def _doccano(row: Row, where: str) -> TextRecord | None:
    """Read {"text", "label": [[start, end, label]]}, or "labels", or "entities" with objects."""
    if "text" not in row:
        return None
    text = _text(row["text"], where)
    found = next((row[key] for key in _DOCCANO_KEYS if key in row), None)
    if found is None:
        return TextRecord(text, [], annotations=0)
    return TextRecord(text, read_spans(found, text, where))


def _prodigy(row: Row, where: str) -> TextRecord | None:
    """Read {"text", "spans", "tokens", "answer"}. What was rejected or ignored is no annotation; an accepted answer to
    a yes/no question says nothing of the rest of the text."""
    if "text" not in row:
        return None
    text = _text(row["text"], where)
    tokens = read_offsets(row["tokens"], text, where) if "tokens" in row else None
    if row.get("answer", "accept") != "accept" or not row.keys() & {"spans", "answer"}:
        return TextRecord(text, [], tokens=tokens, annotations=0)
    missing = [(0, len(text))] if row.get("_is_binary") and text else []
    return TextRecord(text, read_spans(row.get("spans") or [], text, where), missing, tokens)


def _label_studio(row: Row, where: str) -> TextRecord | None:
    """Read {"data", "annotations": [{"result": [{"value": {...}}]}]}, or a row of JSON-MIN. Of several annotations the
    one that is marked as ground truth is read, else the first."""
    if "data" not in row:
        return _label_studio_min(row, where)
    data, done = row["data"], row.get("annotations", row.get("completions")) or []
    if not isinstance(data, dict) or not _are_objects(done):
        return None
    done = [one for one in done if not one.get("was_cancelled")]
    done.sort(key=lambda one: not one.get("ground_truth"))
    results = (done[0].get("result") or []) if done else []
    strings = [value for value in data.values() if isinstance(value, str)]
    if not _are_objects(results) or ("text" not in data and len(strings) != 1):
        return None
    text = _text(data["text"] if "text" in data else strings[0], where)
    values = [result["value"] for result in results if isinstance(result.get("value"), dict)]
    regions = [value for value in values if "labels" in value]
    return TextRecord(text, read_spans(_single(regions), text, where), annotations=len(done))


def _label_studio_min(row: Row, where: str) -> TextRecord | None:
    """Read {"text", "label": [{"start", "end", "text", "labels"}]}, whatever the second key is called."""
    if "text" not in row:
        return None
    text = _text(row["text"], where)
    regions: list[Row] = next(filter(_are_regions, row.values()), [])
    annotations = 1 if regions or row.keys() & _STUDIO_MIN_KEYS else 0
    return TextRecord(text, read_spans(_single(regions), text, where), annotations=annotations)


_READERS: dict[str, Callable[[Row, str], TextRecord | None]] = {
    "doccano": _doccano,
    "prodigy": _prodigy,
    "label-studio": _label_studio,
}


def _are_objects(value: Any) -> bool:
    """Tell a list of objects from other values."""
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _are_regions(value: Any) -> bool:
    """Tell the regions of Label Studio from other values."""
    return _are_objects(value) and bool(value) and all("labels" in region for region in value)


def _single(regions: Iterable[Row]) -> list[Row]:
    """Write a region with several labels as several spans."""
    return [
        {**region, "label": label}
        for region in regions
        for label in (region["labels"] if isinstance(region["labels"], list) and region["labels"] else [None])
    ]


def _text(value: Any, where: str) -> str:
    """Check a text."""
    if not isinstance(value, str):
        raise ValueError(Errors.TC168.format(where=where, found=repr(value)[:60]))
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        found = f"broken at character {error.start}, half of a surrogate pair"
        raise ValueError(Errors.TC168.format(where=where, found=found)) from error
    return value
