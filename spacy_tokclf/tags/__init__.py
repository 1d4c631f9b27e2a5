"""Tags: tag schemes, decoding, linear-chain conditional random fields. Standard library and numpy only."""

from .detect import SchemeDetector, detect_scheme
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

__all__ = [
    "MISSING",
    "OUTSIDE",
    "SCHEMES",
    "SchemeDetector",
    "Span",
    "convert_tags",
    "detect_scheme",
    "expected_tags",
    "is_missing",
    "is_tag_of",
    "spans_to_tags",
    "split_tag",
    "tags_to_spans",
]
