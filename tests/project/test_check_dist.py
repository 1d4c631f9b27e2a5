"""The check of wheel and sdist finds the README's commands, which it runs outside the source tree."""

from pathlib import Path

import pytest
from check_dist import front_door_commands


def test_the_commands_of_the_front_door(root: Path) -> None:
    commands = front_door_commands((root / "README.md").read_text(encoding="utf-8"))
    assert [command[:3] for command in commands] == [["-m", "spacy", "tokclf"]] * 4
    assert [command[3] for command in commands] == ["init", "train", "report", "annotate"]


def test_a_readme_without_them_is_no_readme() -> None:
    with pytest.raises(IndexError):
        front_door_commands("# spacy-tokclf\n")
