"""What the pages of documentation name is there, and what is there is named: commands, settings, extras, targets."""

import re
from configparser import ConfigParser

from pages import README, ROOT, RUN, Page

from spacy_tokclf.cli import app

COMMANDS = {command.name for command in app.registered_commands}
SETTINGS = next(page for page in RUN if page.path.stem == "settings")
#: Extras of those who work on the project.
INTERNAL = {"bench", "bench-peers", "dev"}


def setup_cfg() -> ConfigParser:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config


def section(page: Page, title: str) -> str:
    """Give the text under a headline."""
    return page.text.split(f"## {title}\n")[1].split("\n## ")[0]


def test_the_readme_names_every_command() -> None:
    rows = [row.split(" | ")[0] for row in section(README, "Commands").splitlines()]
    assert {name for row in rows for name in re.findall(r"`([a-z-]+) [A-Z]", row)} == COMMANDS


def test_commands_in_prose_are_commands() -> None:
    """What a page calls `python -m spacy tokclf NAME` outside of blocks."""
    for page in RUN:
        assert set(re.findall(r"(?:-m spacy|`spacy) tokclf ([a-z-]+)", page.prose)) <= COMMANDS, page.name


def test_settings_name_all_that_is_registered() -> None:
    points = setup_cfg()["options.entry_points"]
    names = {line.split(" = ")[0] for value in points.values() for line in value.split("\n") if " = " in line}
    registered = {name for name in names if name.startswith("spacy-tokclf.")} | {"token_classifier"}
    assert len(registered) > 15
    assert {name for name in registered if f"`{name}`" not in SETTINGS.text} == set()
    assert set(re.findall(r"spacy-tokclf\.\w+\.v\d+", "".join(page.text for page in RUN))) <= registered


def test_the_readme_names_every_extra() -> None:
    extras = set(setup_cfg()["options.extras_require"]) - INTERNAL
    named = re.search(r"^Extras.*?(?=\n\n|\Z)", section(README, "Install"), re.DOTALL | re.MULTILINE)
    assert named and {name for name in re.findall(r"`([a-z-]+)`", named[0]) if name != "push"} == extras


def test_targets_of_make_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    lines = [line for page in RUN for code in page.blocks if code.language == "bash" for line in code.commands]
    text = "\n".join(page.text for page in RUN)
    made = {line.split()[1] for line in lines if line.startswith("make ")} | set(re.findall(r"`make ([a-z-]+)`", text))
    assert {"run", "test"} <= made <= targets
