"""The page of all codes, docs/errors.md, made from `spacy_tokclf/errors.py`."""

import re
from string import Formatter
from typing import NamedTuple

from pages import anchor

from spacy_tokclf.errors import Errors, Warnings

CODE = re.compile(r"T[CW]\d{3}")


class Topic(NamedTuple):
    """What some codes are about.

    title (str): The headline.
    codes (tuple[tuple[int, int], ...]): First and last numbers of its errors.
    warned (tuple[tuple[int, int], ...]): First and last numbers of its warnings.
    """

    title: str
    codes: tuple[tuple[int, int], ...]
    warned: tuple[tuple[int, int], ...] = ()


TOPICS = (
    Topic("Saved folders: not written, or not whole", ((400, 419),), ((400, 404),)),
    Topic("The command line", ((54, 55), (90, 90), (144, 145))),
    Topic("Files, pipelines, languages, configs and devices that cannot be opened", ((136, 143), (562, 566))),
    Topic("Data with one tag a token: CoNLL, tables, brat", ((100, 135), (480, 480)), ((100, 109), (113, 119))),
    Topic("Data with offsets: JSON", ((160, 199),), ((110, 110), (120, 129))),
    Topic("Data sets of Hugging Face", ((150, 159),), ((111, 111),)),
    Topic("The encoder", ((1, 18), (96, 96)), ((8, 9),)),
    Topic("Files that are loaded: saved components, encoders, DocBins", ((420, 449),), ((420, 424),)),
    Topic("The component: settings, labels, training", ((20, 49), (81, 81), (89, 89)), ((1, 1), (11, 11))),
    Topic("Numbers that are not finite", ((470, 479),)),
    Topic("Entities in span groups, several components", ((50, 53),), ((10, 10), (12, 15))),
    Topic("`init`", ((330, 349), (530, 534)), ((330, 349),)),
    Topic("`train`", ((350, 359), (450, 469)), ((350, 357), (450, 454))),
    Topic("Memory and precision of GPUs", ((567, 570),), ((358, 359),)),
    Topic("`train` in several processes", ((540, 549),)),
    Topic("`distill`", ((550, 561),), ((550, 559),)),
    Topic("`annotate`", ((360, 379),), ((360, 379),)),
    Topic("`annotate --engine`: shards of a corpus", ((500, 529), (537, 537)), ((500, 504),)),
    Topic("The model card, `curve`", ((380, 399),), ((380, 399),)),
    Topic("Scores", ((200, 249),), ((200, 202),)),
    Topic("`tune`", ((60, 69),)),
    Topic("`report`", ((320, 329),), ((320, 329),)),
    Topic("Checkpoints of Hugging Face", ((82, 88), (250, 279)), ((203, 209),)),
    Topic("The Hugging Face Hub", ((280, 299),)),
    Topic("ONNX Runtime", ((300, 319),)),
)

LEAD = """# Every error and warning

What goes wrong ends in a message with a code: `TC` for errors, `TW` for warnings, after which the work goes on. A
message says what is wrong, where, what was expected and how to put it right; here they all are, by what they are about.
What stands in *italics*, or in CAPITALS within code, is filled in: *where* is the file and line, or the text; *detail*
what another library, or the system, said of it.

This page is made from `spacy_tokclf/errors.py` by `UPDATE_DOCS=1 pytest tests/meta/test_error_page.py`.
"""


def messages() -> dict[str, str]:
    """RETURNS (dict[str, str]): The messages by their codes, errors first."""
    found = {}
    for holder in (Errors, Warnings):
        for code in sorted(name for name in vars(holder) if CODE.fullmatch(name)):
            found[code] = getattr(holder, code).removeprefix(f"[{code}] ")
    return found


def topics_of(code: str) -> list[Topic]:
    """Give the topics that a code is in: one, or the table above has a hole or names it twice."""
    number = int(code[2:])
    place = "codes" if code.startswith("TC") else "warned"
    return [one for one in TOPICS if any(first <= number <= last for first, last in getattr(one, place))]


def readable(message: str) -> str:
    """Write a message in Markdown, with words for what is filled in."""
    text, code = "", False
    for literal, field, _, _ in Formatter().parse(message):
        for part in re.split("(`)", literal):
            code ^= part == "`"
            text += part if code or "\n" in part else re.sub(r"([<*])", r"\\\1", part)
        if field is not None:
            ini = "\n\n" in text
            text += field.upper() if code or ini else f"*{field.replace('_', ' ')}*"
    said, _, config = text.partition("\n\n")
    return f"{said}\n\n```ini\n{config}\n```" if config else said


def page() -> str:
    """RETURNS (str): The page."""
    all_messages = messages()
    codes_of = {topic: [code for code in all_messages if topic in topics_of(code)] for topic in TOPICS}
    parts = [LEAD, "".join(f"* [{one.title}](#{anchor(one.title)})\n" for one in TOPICS if codes_of[one])]
    for topic, codes in codes_of.items():
        if not codes:
            continue
        parts += [f"## {topic.title}\n", *(f"### {code}\n\n{readable(all_messages[code])}\n" for code in codes)]
    return "\n".join(parts)
