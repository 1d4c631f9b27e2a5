"""The tests of the encoder run on every backend."""

import hf_reference
import pytest
import torch

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


@pytest.fixture(params=[1, 3])
def threads(request, monkeypatch):
    """Let that many threads share a batch, however small it is."""
    threads = torch.get_num_threads()
    torch.set_num_threads(request.param)
    monkeypatch.setattr("spacy_tokclf.models.padding_free.encoder.SHARD_PIECES", 1)
    yield request.param
    torch.set_num_threads(threads)
