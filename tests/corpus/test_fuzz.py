"""A little of `make fuzz`."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import fuzz


def test_damaged_data_are_read_or_refused():
    counts, findings = fuzz.work(1, seconds=60, inputs=400)
    assert counts.total() >= 400
    assert len({outcome for _, outcome in counts} - {"read"}) > 5
    assert sum(number for (_, outcome), number in counts.items() if outcome == "read") > 40
    assert not findings


@pytest.mark.parametrize("fault", [KeyError("no code"), ValueError("no code"), TimeoutError("slow")])
def test_another_error_is_found(monkeypatch, fault):
    def fail(*args, **kwargs):
        raise fault

    monkeypatch.setattr(fuzz, "read_any", fail)
    _, findings = fuzz.work(1, seconds=60, inputs=1)
    assert findings and type(fault).__name__ in findings[0][1]


def test_what_is_read_back_otherwise_is_found(monkeypatch):
    monkeypatch.setattr(fuzz, "row_facts", lambda doc: object())
    monkeypatch.setattr(fuzz, "token_facts", lambda doc: object())
    monkeypatch.setattr(fuzz, "text_facts", lambda *facts: object())
    _, findings = fuzz.work(1, seconds=60, inputs=1)
    assert any("read back otherwise" in error for _, error, _ in findings)
