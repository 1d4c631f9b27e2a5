"""The prefix space of byte-level BPE tokenizers: put before a text, it has its first word split as any other word."""

import json
from collections.abc import Iterator
from typing import Any

#: The setting in a `tokenizer.json`.
PREFIX_SPACE = "add_prefix_space"


def prefix_space(tokenizer_json: str) -> bool | None:
    """Tell whether a tokenizer puts a space before a text.

    tokenizer_json (str): The contents of a `tokenizer.json`.
    RETURNS (bool | None): Whether it does; None for a tokenizer that is not byte-level.
    """
    nodes = list(byte_level_steps(json.loads(tokenizer_json).get("pre_tokenizer")))
    return all(node.get(PREFIX_SPACE, False) for node in nodes) if nodes else None


def with_prefix_space(tokenizer_json: str, *, value: bool) -> str:
    """Switch the prefix space of a byte-level tokenizer on or off. Truncation and padding are taken out.

    tokenizer_json (str): The contents of a `tokenizer.json`.
    value (bool): Whether it puts a space there.
    RETURNS (str): The new contents.
    """
    state = json.loads(tokenizer_json)
    state["truncation"] = state["padding"] = None
    for node in byte_level_steps(state.get("pre_tokenizer")):
        node[PREFIX_SPACE] = value
    post = state.get("post_processor")
    for node in (post, *(post or {}).get("processors", ())):
        # The step that takes the space out of the offsets again.
        if value and node and PREFIX_SPACE in node:
            node[PREFIX_SPACE] = True
    return json.dumps(state, ensure_ascii=False)


def byte_level_steps(pre_tokenizer: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    """Find the byte-level steps of a pre-tokenizer, however deep they lie in sequences.

    pre_tokenizer (dict[str, Any] | None): The pre-tokenizer of a `tokenizer.json`.
    YIELDS (dict[str, Any]): The steps, to be read or changed.
    """
    if pre_tokenizer and pre_tokenizer.get("type") == "ByteLevel":
        yield pre_tokenizer
    for inner in (pre_tokenizer or {}).get("pretokenizers", ()):
        yield from byte_level_steps(inner)
