import configparser
from typing import NamedTuple

import pytest
from package_source import ROOT


class SetupCfg(NamedTuple):
    """What setup.cfg declares: entry points by group, requirements, and extras."""

    entry_points: dict[str, dict[str, str]]
    requires: list[str]
    extras: dict[str, list[str]]


def lines(text):
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.fixture(scope="session")
def setup_cfg():
    parser = configparser.ConfigParser()
    parser.optionxform = str
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    groups = {
        group: dict(tuple(part.strip() for part in line.split("=", 1)) for line in lines(text))
        for group, text in parser["options.entry_points"].items()
    }
    extras = {name: lines(text) for name, text in parser["options.extras_require"].items()}
    return SetupCfg(groups, lines(parser["options"]["install_requires"]), extras)
