"""Whatever is put into a page of Markdown stays text there: escaped where the template does not say otherwise."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

#: What means something anywhere in a line of Markdown, of HTML in it, or of a table.
_MARKS = re.compile(r"[\\`*_\[\]|~$]")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
#: What means something where a line begins: headings, lists, rules.
_OPENING = re.compile(r"^(\d*)([-+#=.)])(?=[-+#=]*(\s|$))")
_TICKS = re.compile(r"`+")


def escape(text: str) -> str:
    """Escape a text for one line of Markdown.

    text (str): Any text.
    RETURNS (str): Markdown that shows it, on one line.
    """
    line = " ".join(text.split())
    marked = _MARKS.sub(lambda found: f"\\{found[0]}", line)
    html = re.sub("[&<>]", lambda found: _HTML[found[0]], marked)
    return _OPENING.sub(r"\1\\\2", html)


def inline(text: str) -> str:
    """Show a text as code, in a line or a cell of a table.

    text (str): Any text.
    RETURNS (str): Markdown.
    """
    line = " ".join(text.split()).replace("|", "\\|")
    fence = "`" * (_longest(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def block(lines: Iterable[str], language: str) -> str:
    """Show lines as a block of code.

    lines (Iterable[str]): The lines.
    language (str): Their language.
    RETURNS (str): Markdown; the fence is longer than any in the lines.
    """
    code = "\n".join(lines)
    fence = "`" * max(3, _longest(code) + 1)
    return f"{fence}{language}\n{code}\n{fence}"


def link(text: str, url: str) -> str:
    """Link to a page of the web.

    text (str): What is shown.
    url (str): Its address; anything but http and https is left out.
    RETURNS (str): Markdown.
    """
    if not url.lower().startswith(("https://", "http://")):
        return escape(text)
    address = quote(url, safe=":/?#@!$&*+,;=%~._-").replace("&", "&amp;")
    return f"[{escape(text)}]({address})"


def environment(package: str) -> Any:
    """Make the environment of templates of Markdown.

    package (str): The package whose `templates` they are.
    RETURNS (jinja2.Environment): The environment. Its filters `code`, `block` and `link` are the functions here;
        `percent` gives two digits.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from jinja2.filters import FILTERS

    safe = FILTERS["safe"]
    env = Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=True,
        finalize=lambda value: value if hasattr(value, "__html__") else safe(escape(str(value))),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.filters["code"] = lambda value: safe(inline(str(value)))
    env.filters["block"] = lambda lines, language: safe(block(lines, language))
    env.filters["link"] = lambda text, url: safe(link(str(text), str(url)))
    env.filters["percent"] = lambda value: f"{100 * value:.2f}"
    return env


def _longest(text: str) -> int:
    """Count the ticks of the longest run of them."""
    return max(map(len, _TICKS.findall(text)), default=0)
