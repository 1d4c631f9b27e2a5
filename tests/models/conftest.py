"""The tests of the encoder run on every backend."""

import hf_reference
import pytest

from spacy_tokclf.models.backend import BACKENDS

#: Files whose tests say what any backend gives.
ON_EVERY_BACKEND = {"test_encoder", "test_encoder_training", "test_encoder_windows", "test_cased_encoder"}


def pytest_generate_tests(metafunc):
    if metafunc.module.__name__ in ON_EVERY_BACKEND:
        metafunc.fixturenames.insert(0, "backend")
        metafunc.parametrize("backend", BACKENDS, indirect=True)


@pytest.fixture
def backend(request, monkeypatch):
    """Encoders that tests make run on this backend."""
    monkeypatch.setattr(hf_reference, "BACKEND", request.param)
    return request.param
