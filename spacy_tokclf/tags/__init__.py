"""Tags: tag schemes, decoding, linear-chain conditional random fields. Standard library and numpy only."""

from .detect import SchemeDetector, TagForm, detect_scheme
from .schemes import (
    MISSING,
    OUTSIDE,
    SCHEMES,
    Span,
    convert_tags,
    expected_tags,
    is_missing,
    is_tag_of,
    spans_to_tags,
    split_tag,
    tags_to_spans,
)
from .spelling import UNNAMED, UNSPECIFIED, USUAL, Spelling, find_spelling, is_usual, looks_like_tag

__all__ = [
    "MISSING",
    "OUTSIDE",
    "SCHEMES",
    "UNNAMED",
    "UNSPECIFIED",
    "USUAL",
    "SchemeDetector",
    "Span",
    "Spelling",
    "TagForm",
    "convert_tags",
    "detect_scheme",
    "expected_tags",
    "find_spelling",
    "is_missing",
    "is_tag_of",
    "is_usual",
    "looks_like_tag",
    "spans_to_tags",
    "split_tag",
    "tags_to_spans",
]
