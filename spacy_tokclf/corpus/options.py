"""How to read annotated data, and how to write them: one set of options for commands, readers and forms."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ReadOptions:
    """How to read data; what does not apply to a form is not looked at.

    on_misaligned (str): Texts with offsets: spans that do not fit the tokens, as for text_records_to_docs.
    overlap (str): Texts with offsets: spans that overlap.
    keep_tokens (bool): Texts with offsets: whether to take the tokens of the file, where it has any.
    format (str): Texts with offsets: the tool they come from, or "auto".
    scheme (str): Tags: their scheme, or "auto".
    token_column (int | str): Columns: that of the tokens, from 0, or from the end if negative; or its name, where the
        file names its columns.
    tag_column (int | str): Columns: that of the tags.
    separator (str | None): Columns: what stands between them; None: found out.
    encoding (str | None): Text files: their encoding; None: UTF-8, or what a byte order mark says.
    text_key (str | None): Texts with offsets: the key of the text; None: found out.
    annotator (str | None): Texts with offsets: whose annotations are read where there are several; None: those marked
        as ground truth, else the first.
    predictions (bool): Texts with offsets: whether to read predictions where there are no annotations.
    offsets (str): Texts with offsets: "check" refuses offsets at which the text is not what the file says it is,
        "trust" takes them as they are.
    split (str): Data sets: the split.
    name (str | None): Data sets: the configuration.
    revision (str | None): Data sets: the revision on the Hub.
    tokens (str): Data sets: column of the tokens.
    tags (str | None): Data sets: column of the tags; None: ner_tags, tags or labels.
    """

    on_misaligned: str = "mask"
    overlap: str = "error"
    keep_tokens: bool = False
    format: str = "auto"
    scheme: str = "auto"
    token_column: int | str = 0
    tag_column: int | str = -1
    separator: str | None = None
    encoding: str | None = None
    text_key: str | None = None
    annotator: str | None = None
    predictions: bool = False
    offsets: str = "check"
    split: str = "train"
    name: str | None = None
    revision: str | None = None
    tokens: str = "tokens"
    tags: str | None = None


@dataclass(frozen=True)
class WriteOptions:
    """How to write data; what does not apply to a form is not looked at.

    format (str | None): Texts with offsets: the tool they are for; None: "prodigy" for *.jsonl, "label-studio" for
        *.json.
    scheme (str): CoNLL: scheme of the tags.
    """

    format: str | None = None
    scheme: str = "IOB2"
