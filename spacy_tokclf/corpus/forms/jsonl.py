"""JSON files of texts with character offsets, or of tokens and tags: the reader."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..align import check_choice
from ..docs import doc_text
from ..options import ReadOptions
from ..records import Record, TextRecord
from .json_shapes import FORMATS, read_row
from .json_source import Source
from .json_write import write_jsonl
from .lines import inner_name, read_line_blocks

__all__ = ["OFFSETS", "SUFFIXES", "doc_text", "is_json", "read_jsonl", "write_jsonl"]

#: Suffixes of files that are JSON.
SUFFIXES = (".jsonl", ".json", ".ndjson")
#: What may be done with offsets that do not fit.
OFFSETS = ("check", "trust")


def read_jsonl(
    path: str | Path, *, format: str = "auto", options: ReadOptions | None = None
) -> Iterator[TextRecord | Record]:
    """Stream the texts of a file: one JSON object a line, objects over several lines, or a list of them.

    path (str | Path): The file, packed or not.
    format (str): "doccano", "prodigy" or "label-studio" (its JSON and its JSON-MIN); "auto" decides by the keys of
        each object, and knows other shapes, too.
    options (ReadOptions | None): How to read: encoding, text_key, annotator, predictions, offsets, scheme, tokens,
        tags; and format, if it is not given.
    YIELDS (TextRecord | Record): The texts, in order; rows of tokens and tags without their text as Record.
    RAISES (ValueError): TC111, TC160 to TC164, TC168, TC173, TC176 to TC183 with file and line; TC101, TC104, TC110,
        TC152, TC153 if tags are at fault; TC167 for an unknown choice; TC169 if there is no such file.
    """
    options = options or ReadOptions()
    options = options if format == "auto" else replace(options, format=format)
    check_choice("format", options.format, ("auto", *FORMATS))
    check_choice("offsets", options.offsets, OFFSETS)
    source = Source(str(path), options)
    for place in source.rows():
        yield from read_row(place)
    source.finish()


def is_json(path: str | Path) -> bool:
    """Tell JSON by its name, packed or not; where that does not tell, by how it begins.

    path (str | Path): The file.
    RETURNS (bool): Whether it is to be read as JSON.
    """
    file = Path(path)
    suffix = Path(inner_name(path)).suffix
    if suffix in SUFFIXES:
        return not file.is_dir()
    return suffix in ("", ".txt") and file.is_file() and _begins_as_json(path)


def _begins_as_json(path: str | Path) -> bool:
    """Tell whether the first line of a file is a JSON object or list, or opens one and holds nothing else."""
    try:
        blocks = read_line_blocks(path)
        first = next((line.strip() for lines in blocks for line in lines if line.strip()), "")
    except ValueError:  # of a file that is no text, which another reader names
        return False
    if first in ("[", "{", "[{", "[["):
        return True
    try:
        value = json.loads(first) if first[:1] in ("[", "{") else None
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(x, dict | list) for x in value))
