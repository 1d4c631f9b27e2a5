"""The space that byte-level tokenizers put before a text, so that its first word is split as any other word is."""

import json
from collections.abc import Iterator
from typing import Any

KEY = "add_prefix_space"


def prefix_space(tokenizer_json: str) -> bool | None:
    """Tell whether a tokenizer puts a space before a text.

    tokenizer_json (str): The contents of a `tokenizer.json`.
    RETURNS (bool | None): Whether it does; None for a tokenizer that is not byte-level.
    """
    nodes = list(_byte_level(json.loads(tokenizer_json).get("pre_tokenizer")))
    return all(node.get(KEY, False) for node in nodes) if nodes else None


def with_prefix_space(tokenizer_json: str, *, value: bool) -> str:
    """Have a byte-level tokenizer put a space before a text, or not. Truncation and padding are taken out.

    tokenizer_json (str): The contents of a `tokenizer.json`.
    value (bool): Whether it puts a space there.
    RETURNS (str): The new contents.
    """
    state = json.loads(tokenizer_json)
    state["truncation"] = state["padding"] = None
    for node in _byte_level(state.get("pre_tokenizer")):
        node[KEY] = value
    post = state.get("post_processor")
    for node in (post, *(post or {}).get("processors", ())):
        # The step that takes the space out of the offsets again.
        if value and node and KEY in node:
            node[KEY] = True
    return json.dumps(state, ensure_ascii=False)


def _byte_level(pre_tokenizer: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    if pre_tokenizer and pre_tokenizer.get("type") == "ByteLevel":
        yield pre_tokenizer
    for inner in (pre_tokenizer or {}).get("pretokenizers", ()):
        yield from _byte_level(inner)
