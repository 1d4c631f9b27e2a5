"""What a file that cannot be read as tokens and tags looks like, and what to do with it."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ...errors import Errors
from ...tags import looks_like_tag
from .column_names import header_names
from .tokens_and_tags import first_lines

_STANDOFF = re.compile(r"(T\d+\t\S+ \d+ \d+(;\d+ \d+)*\t|[ERAMN#*]\d*\t)")
_RULE = re.compile(r"\s*\|?(\s*:?-{2,}:?\s*\|)+(\s*:?-{2,}:?)?\s*")
_JSON = re.compile(r"""\s*(\{\s*("|$)|\[\s*([{\["]|$))""")
_INLINE = re.compile(r"<(ENAMEX|TIMEX|NUMEX|START:\w+|(?P<tag>[A-Za-z]\w*)>[^<>]+</(?P=tag)>)")
_BRACKETS = re.compile(r"\[[A-Z]{2,}\s[^\]]+\]|\[[^\]]+\]\([A-Z_]{2,}\)")
_LINKS = re.compile(r"\[[^\[\]]+\](\((?!https?:)[a-z]\w*\)|\{\"entity\":)")
_PARTS = re.compile(r"\([\w-]+\*?\)?|\*\)?")
_LISTS = re.compile(r"""\[\s*['"]""")
_WORD_TAG = re.compile(r"\S+[|/_]\S+")


@contextmanager
def naming_what_it_is(path: str | Path, encoding: str | None = None) -> Iterator[None]:
    """If a file is refused, say what it is instead, if it is known to be something else. A file that is not in its
    encoding cannot be looked at.

    path (str | Path): The file.
    encoding (str | None): The encoding, as for read_line_blocks.
    YIELDS (None): While it is read.
    RAISES (ValueError): TC127, or the refusal.
    """
    try:
        yield
    except ValueError as err:
        if isinstance(err.__cause__, UnicodeDecodeError):
            raise
        lines = [line for line in first_lines(path, encoding)[:200] if line.strip()] if Path(path).is_file() else []
        for looks, kind, cure in _LOOKS:
            if lines and looks(lines):
                raise ValueError(Errors.TC127.format(where=f"{path}:1", kind=kind, cure=cure)) from err
        raise


def _is_json(lines: Sequence[str]) -> bool:
    return _JSON.match(lines[0]) is not None


def _is_xmi(lines: Sequence[str]) -> bool:
    return "xmi:XMI" in "".join(lines[:5]) or "uima.cas" in "".join(lines[:20])


def _is_gate(lines: Sequence[str]) -> bool:
    return "<GateDocument" in "".join(lines[:5])


def _is_html(lines: Sequence[str]) -> bool:
    return re.match(r"\s*(<!DOCTYPE html|<html)", lines[0], re.IGNORECASE) is not None


def _is_xml(lines: Sequence[str]) -> bool:
    return re.match(r"\s*<(\?xml\b|!DOCTYPE\b|[A-Za-z][\w:.-]*(\s[^>]*)?>)", lines[0]) is not None


def _is_standoff(lines: Sequence[str]) -> bool:
    return lines[0][0] in "T#" and sum(bool(_STANDOFF.match(line)) for line in lines) > 0.9 * len(lines)


def _is_markdown(lines: Sequence[str]) -> bool:
    return len(lines) > 1 and "|" in lines[0] and any(_RULE.fullmatch(line) for line in lines[1:3])


def _has_inline_tags(lines: Sequence[str]) -> bool:
    return any(_INLINE.search(line) for line in lines)


def _has_brackets(lines: Sequence[str]) -> bool:
    return any(_BRACKETS.search(line) for line in lines)


def _has_links(lines: Sequence[str]) -> bool:
    return any(_LINKS.search(line) for line in lines)


def _is_webanno(lines: Sequence[str]) -> bool:
    return lines[0].startswith("#FORMAT=WebAnno TSV")


def _is_conllu(lines: Sequence[str]) -> bool:
    rows = [line.split("\t") for line in lines if line[0] != "#"]
    return bool(rows) and all(len(row) == 10 and row[0][:1].isdecimal() for row in rows)


def _is_tree(lines: Sequence[str]) -> bool:
    return lines[0].split()[0] == "(S"


def _has_parts(lines: Sequence[str]) -> bool:
    """Tell columns of `(PER*`, `*` and `*)`."""
    rows = [line.split() for line in lines if line[0] != "#"]
    columns = list(zip(*rows, strict=False))[1:]
    return any("*" in column and all(map(_PARTS.fullmatch, column)) for column in columns)


def _has_lists(lines: Sequence[str]) -> bool:
    return any(_LISTS.search(line) for line in lines[:3])


def _has_tag_lines(lines: Sequence[str]) -> bool:
    """Tell lines of tags, each after a line of as many words, or in one cell beside them."""
    for line in lines[:50]:
        tags = line.split("\t")[-1].split()
        if len(tags) > 2 and sum(map(looks_like_tag, tags)) == len(tags):
            return True
    return False


def _has_pairs(lines: Sequence[str]) -> bool:
    pieces = [piece for line in lines for piece in line.split()]
    return len(pieces) > len(lines) and sum(bool(_WORD_TAG.fullmatch(piece)) for piece in pieces) > 0.9 * len(pieces)


def _is_header(lines: Sequence[str]) -> bool:
    """Tell a first row whose last cell is no tag, where all others are, and whose names are not known."""
    separator = next((mark for mark in "\t;," if mark in lines[0]), None)
    cells = [line.split(separator)[-1].strip().strip('"') for line in lines]
    return (
        len(cells) > 1
        and header_names(lines[0].split(separator), (0, -1)) is None
        and cells[0].isidentifier()
        and not looks_like_tag(cells[0])
        and all(map(looks_like_tag, cells[1:]))
    )


def _is_prose(lines: Sequence[str]) -> bool:
    """Tell sentences: most lines have many words, and not equally many, and none ends in a tag."""
    words = [line.split() for line in lines]
    long = sum(len(line) > 4 for line in words)
    return 2 * long > len(words) and len(set(map(len, words))) > 1 and not any(looks_like_tag(w[-1]) for w in words)


_COLUMNS = "Expected one token a row with its tag, and a blank line after each sentence"
_LOOKS: tuple[tuple[Callable[[Sequence[str]], bool], str, str], ...] = (
    (_is_json, "JSON", "Name the file *.json or *.jsonl"),
    (_is_xmi, "UIMA's XMI", "Export it as JSON with character offsets, or as CoNLL"),
    (_is_gate, "an XML file of GATE", "Export it as JSON with character offsets, or as CoNLL"),
    (_is_html, "HTML", "It may be a page that says that there is no such file; download the data themselves"),
    (_has_inline_tags, "text with tags of XML in it", f"{_COLUMNS}; or JSON with character offsets"),
    (_is_xml, "XML", "Export it as JSON with character offsets, or as CoNLL"),
    (_is_webanno, "WebAnno TSV (INCEpTION, WebAnno)", "Export it as CoNLL 2002"),
    (_has_parts, "columns in brackets (`(PER*`, `*`, `*)`), as in CoNLL-2012", "Write them as B-PER, I-PER and O"),
    (
        _is_conllu,
        "CoNLL-U without a column of tags, which may stand among other things in its last column",
        "Write the tags of entities into a column of their own",
    ),
    (_is_tree, "trees in brackets, as NLTK prints them", "Write them by `nltk.chunk.tree2conllstr`"),
    (_is_standoff, "stand-off annotation (brat)", "Name the folder, or the .txt file that belongs to it"),
    (_is_markdown, "a table in Markdown", f"{_COLUMNS}, with tabs between columns"),
    (_has_lists, "a table with lists in its cells", "Save it as JSON lines or parquet, with real lists"),
    (_has_tag_lines, "lines of words and lines of tags", _COLUMNS),
    (_has_brackets, "text with entities in brackets", f"{_COLUMNS}; or JSON with character offsets"),
    (_has_links, "examples of Rasa, `[Rome](city)`", "Convert them to JSON with character offsets"),
    (_is_header, "columns under a row that names them", "Name the columns: `--token-column NAME --tag-column NAME`"),
    (_has_pairs, "lines of `word|tag` whose tags are not known", "Expected tags such as B-PER, I-PER and O"),
    (_is_prose, "text without annotation", _COLUMNS),
)
