"""Which columns of a file are meant: by number, by the names that a file gives them, or by what stands in them."""

import re
from collections.abc import Sequence

from ...errors import Errors
from ...tags import looks_like_tag

#: What columns are called, best first, in small letters without what is no letter.
TOKEN_NAMES = ("form", "token", "tokens", "word", "words", "text")
TAG_NAMES = (
    *("necoarselit", "ner", "nertag", "nertags", "netag", "netags", "ne", "namedentity", "entity", "entitytag", "bio"),
    *("iob", "iob2", "bioes", "bilou", "biotag", "iobtag", "tag", "tags", "label", "labels"),
)
#: What the column of the scores of predicted entities is called.
SCORE = "SCORE"
_GLOBAL = re.compile(r"#\s*global\.columns\s*=\s*(.*)")
_ID = re.compile(r"[0-9]+([-.][0-9]+)?")
#: Ids of CoNLL-U that stand for no token: of a multiword token (2-3), of an empty node (8.1).
NO_TOKEN = re.compile(r"[0-9]+[-.][0-9]+")


def global_columns(lines: Sequence[str]) -> list[str] | None:
    """Read the names of the columns of CoNLL-U Plus.

    lines (Sequence[str]): The first lines of a file.
    RETURNS (list[str] | None): The names; None if there are none.
    """
    match = next((match for line in lines if "\t" not in line and (match := _GLOBAL.match(line))), None)
    return match[1].split() if match else None


def header_names(cells: Sequence[str], columns: Sequence[int | str]) -> list[str] | None:
    """Tell a row that names the columns from one of data.

    cells (Sequence[str]): The cells of the first row.
    columns (Sequence[int | str]): The columns that are asked for.
    RETURNS (list[str] | None): The names; None if it is a row of data.
    """
    names = [cell.strip() for cell in cells]
    known = [_plain(name) for name in names]
    asked = [column for column in columns if isinstance(column, str)]
    if asked:
        return names if all(find_name(column, names) is not None for column in asked) else None
    has_token, has_tag = (any(name in known for name in found) for found in (TOKEN_NAMES, TAG_NAMES))
    return names if has_token and has_tag and not any(map(_is_tag, names)) else None


def find_name(name: str, names: Sequence[str]) -> int | None:
    """Find a column by its name.

    name (str): The name.
    names (Sequence[str]): The names of all columns.
    RETURNS (int | None): Its number; None if there is none of that name.
    """
    for spelled in (str, str.casefold):
        found = [i for i, other in enumerate(names) if spelled(other) == spelled(name)]
        if len(found) == 1:
            return found[0]
    return None


def choose_columns(
    columns: Sequence[int | str], names: Sequence[str] | None, rows: Sequence[Sequence[str]], path: object
) -> list[int]:
    """Say by number which columns are meant. Where the first and the last are asked for, which is the default, the
    names decide, if there are any; and a first column of ids is passed over.

    columns (Sequence[int | str]): Columns by number or by name: that of the tokens, then those of tags.
    names (Sequence[str] | None): The names that the file gives.
    rows (Sequence[Sequence[str]]): The cells of the first sentences, an empty row after each.
    path (object): The file, for the message.
    RETURNS (list[int]): Their numbers.
    RAISES (ValueError): TC131 if there is no column of a name, TC186 if the first column numbers texts or names them.
    """
    chosen = []
    for column in columns:
        number = find_name(column, names or ()) if isinstance(column, str) else column
        if number is None:
            found = ", ".join(names) if names else "no names"
            raise ValueError(Errors.TC131.format(path=path, column=column, found=found))
        chosen.append(number)
    if list(columns) != [0, -1]:
        return chosen
    if names:
        token, tag = (_known(names, known) for known in (TOKEN_NAMES, TAG_NAMES))
        return [0 if token is None else token, -1 if tag is None else tag]
    if has_ids(rows):
        return [1, _tag_column(rows)]
    if _tells_texts(rows):
        raise ValueError(Errors.TC186.format(path=path, found=next(row[0] for row in rows if row)))
    return chosen


def has_ids(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first column counts the tokens of each sentence, as in CoNLL-U.

    rows (Sequence[Sequence[str]]): As for choose_columns.
    RETURNS (bool): True if it does, and there is more than that and a token.
    """
    expected = None
    for row in rows:
        if not row:
            expected = None
            continue
        if len(row) < 3 or not _ID.fullmatch(row[0]):
            return False
        number = int(row[0].split("-")[0].split(".")[0])
        if NO_TOKEN.fullmatch(row[0]):
            continue
        if number not in ((0, 1) if expected is None else (expected,)):
            return False
        expected = number + 1
    return sum(map(len, rows)) > 3


def _tells_texts(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first of several columns numbers the texts, or names them: its cells are numbers that never
    fall, or one and the same name, while the other columns change."""
    cells = [row for row in rows if row]
    others = {tuple(row[1:-1]) for row in cells}
    if len(cells) < 2 or min(map(len, cells)) < 3 or len(others) < 2:
        return False
    first = [row[0] for row in cells]
    if all(cell.isdecimal() for cell in first):
        numbers = list(map(int, first))
        return numbers == sorted(numbers)
    return len(cells) > 2 and len(set(first)) == 1 and any(map(str.isalnum, first[0]))


def _tag_column(rows: Sequence[Sequence[str]]) -> int:
    """Choose the column of tags beside ids and tokens: the only one that has tags, else the first of two (the outer
    tags of GermEval), else the last."""
    rows = [row for row in rows if row]
    width = min(map(len, rows))
    found = [
        i
        for i in range(2, width)
        if any(_is_tag(row[i]) for row in rows) and all(_is_tag(row[i]) or row[i] in ("-", "_") for row in rows)
    ]
    return found[0] if found and (len(found) == 1 or width == 4) else -1


def _known(names: Sequence[str], known: Sequence[str]) -> int | None:
    """Find the column that has the best of known names."""
    plain = [_plain(name) for name in names]
    return next((plain.index(name) for name in known if name in plain), None)


def _plain(name: str) -> str:
    """Reduce a name to its letters; of one like "NER:TAG" its first part."""
    return re.sub(r"[\W_]", "", name.split(":")[0]).casefold()


def _is_tag(cell: str) -> bool:
    return looks_like_tag(cell.strip())
