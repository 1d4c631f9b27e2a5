"""The recorded output of seqeval 1.2.2, line by line."""

import ast
import warnings
from pathlib import Path

import pytest

from spacy_tokclf.metrics import UnknownPrefixError, get_entities
from spacy_tokclf.metrics.seqeval.prefixes import count_odd_tags
from spacy_tokclf.metrics.seqeval.rules import detect_strict_scheme
from spacy_tokclf.metrics.seqeval.tag_codes import TagVocab, encode

LINES = (Path(__file__).parent / "data" / "seqeval-golden-trace.txt").read_text(encoding="utf8").splitlines()
SCHEMES = ["IOB1", "IOB2", "IOE1", "IOE2", "IOBES", "BILOU"]
ROWS = [[cell.strip() for cell in line.split(" | ")] for line in LINES if " | " in line and line[0] != "#"][1:]
DETECTED = [line for line in LINES if line.startswith("auto_detect ")]
ERRORS = {"ValueError": ValueError, "KeyError": KeyError}


def quiet_entities(*args: object, **settings: object) -> list[tuple[str, int, int]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return get_entities(*args, **settings)  # type: ignore


def test_the_trace_is_whole() -> None:
    assert len(ROWS) == 55
    assert all(len(row) == 8 for row in ROWS)
    assert len(DETECTED) == 12


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_default_mode(row: list[str]) -> None:
    tags = row[0].split()
    entities, warned = ast.literal_eval(row[1])
    assert quiet_entities(tags) == entities
    vocab = TagVocab()
    assert sum(count_odd_tags(vocab, encode([tags], vocab)).values()) == warned
    if warned:
        with pytest.warns(UserWarning, match="TW200"):
            get_entities(tags)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
@pytest.mark.parametrize("column", range(2, 8), ids=SCHEMES)
def test_strict_mode(row: list[str], column: int) -> None:
    tags, scheme, expected = row[0].split(), SCHEMES[column - 2], row[column]
    if expected.startswith("["):
        assert get_entities(tags, scheme=scheme) == ast.literal_eval(expected)
        return
    name, _, text = expected.partition(": ")
    with pytest.raises(ERRORS[name]) as caught:
        get_entities(tags, scheme=scheme)
    assert isinstance(caught.value, UnknownPrefixError) == (name == "KeyError")
    if name == "ValueError":
        found, _, allowed = text.removeprefix("Invalid token is found: ").partition(". Allowed prefixes ar")
        assert f"Invalid token is found: {found} (" in str(caught.value)
        assert _allowed(str(caught.value)).startswith(
            allowed.removeprefix("e: ").rstrip(".") if len(allowed) > 3 else ""
        )
    else:
        assert ast.literal_eval(text) == next(tag[0] for tag in tags if f"prefix: {tag} (" in str(caught.value))


def _allowed(message: str) -> str:
    """The prefixes that a message names, in seqeval's order."""
    letters = message.partition("Allowed prefixes are: ")[2].partition(". ")[0].split("|")
    return "|".join(sorted(letters, key="IOBESUL".index))


def test_suffix() -> None:
    line = next(line for line in LINES if line.startswith("suffix "))
    entities, warned = ast.literal_eval(line.removeprefix("suffix "))
    assert quiet_entities(["creative-work-B", "creative-work-I", "O", "A-B"], suffix=True) == entities
    assert warned == 0


@pytest.mark.parametrize("line", DETECTED)
def test_detection(line: str) -> None:
    letters, _, expected = line.removeprefix("auto_detect ").partition("] ")
    prefixes = ast.literal_eval(letters + "]")
    if expected in SCHEMES:
        assert detect_strict_scheme(prefixes) == expected
    else:
        assert expected.startswith("ValueError This scheme is not supported")
        with pytest.raises(ValueError, match="TC206"):
            detect_strict_scheme(prefixes)


def test_two_sentences_tuples_and_a_flat_list() -> None:
    two = next(line for line in LINES if line.startswith("two sents ")).removeprefix("two sents ")
    assert get_entities([["B-A", "I-A"], ["I-A", "O"]]) == ast.literal_eval(two)
    flat = next(line for line in LINES if line.startswith("flat ")).removeprefix("flat ")
    assert get_entities(["B-A", "I-A", "O"]) == ast.literal_eval(flat)
    assert any(line.startswith("tuple inner AttributeError") for line in LINES)
    with pytest.raises(AttributeError, match="TC202"):
        get_entities([("B-A", "I-A"), ("I-A", "O")])  # type: ignore
