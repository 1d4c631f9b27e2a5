"""docs/errors.md says what every code means, and every code is used."""

import os
import re
from pathlib import Path

import pytest
from error_page import CODE, messages, page, readable, topics_of

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "errors.md"


def test_the_page_is_up_to_date() -> None:
    """With UPDATE_DOCS=1 it is written."""
    made = page()
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(made, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == made
    assert re.findall(r"^### (\w+)$", made, re.MULTILINE) != [] == [code for code in messages() if made.count(code) < 1]


def test_every_code_is_about_one_thing() -> None:
    """What is in no topic needs a row in TOPICS of tests/helpers/error_page.py, or a longer one."""
    assert {code: len(topics_of(code)) for code in messages() if len(topics_of(code)) != 1} == {}


def test_every_code_is_used() -> None:
    """By the package itself, not only in its docstrings."""
    used: set[str] = set()
    for file in (ROOT / "spacy_tokclf").rglob("*.py"):
        used |= set(re.findall(r"\b(?:Errors|Warnings)\.(T[CW]\d{3})\b", file.read_text(encoding="utf-8")))
    assert used == set(messages())


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("There is no {name!r} (x {loss:.2f}).", "There is no *name* (x *loss*)."),
        ("{where}: {{1}}, <TAB>, `a {gold_key} < b`", "*where*: {1}, \\<TAB>, `a GOLD_KEY < b`"),
        ("Set it:\n\n[a.{name}]\nb = 1", "Set it:\n\n```ini\n[a.NAME]\nb = 1\n```"),
    ],
)
def test_what_is_filled_in_is_shown_as_words(message: str, expected: str) -> None:
    assert readable(message) == expected


def test_codes_look_alike() -> None:
    assert all(CODE.fullmatch(code) for code in messages())
