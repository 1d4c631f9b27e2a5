"""The progress bar: on a terminal, after a while, and nowhere else."""

import io

import pytest

from spacy_tokclf.runtime import progress as module
from spacy_tokclf.runtime.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def show(monkeypatch):
    """Give a function that replaces stderr: pytest puts its own there when a test begins."""

    def replace():
        stream = Terminal()
        monkeypatch.setattr("sys.stderr", stream)
        return stream

    return replace


def test_long_work_shows_a_bar(show, monkeypatch):
    monkeypatch.setattr(module, "DELAY", 0)
    terminal = show()
    assert list(progress(range(3), label="Reading", unit="rows")) == [0, 1, 2]
    assert "Reading" in terminal.getvalue() and "0/3" in terminal.getvalue() and "rows" in terminal.getvalue()


def test_short_work_shows_none(show):
    terminal = show()
    assert list(progress(range(3), label="Reading")) == [0, 1, 2]
    assert "Reading" not in terminal.getvalue()


def test_nothing_is_shown_where_there_is_no_terminal(monkeypatch, capsys):
    monkeypatch.setattr(module, "DELAY", 0)
    assert list(progress(range(3), label="Reading")) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_items_are_taken_one_by_one():
    taken = []
    items = progress((taken.append(item) for item in range(3)), label="Reading", total=3)
    next(items)
    assert len(taken) == 1
