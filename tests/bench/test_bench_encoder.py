"""The encoder alone: both systems read the same posts, and give the same vectors."""

import pytest
import torch
from tiny_encoders import write_encoder

from bench.bare import encoder as bare
from bench.commands import encoder
from bench.data import write_sample


@pytest.fixture(autouse=True)
def untuned(monkeypatch):
    """Leave the allocator of the process that tests as it is."""
    monkeypatch.setattr("spacy_tokclf.tune_malloc", lambda: None)


@pytest.fixture(params=["distilbert", "mpnet"])
def folder(request, tmp_path):
    return write_encoder(tmp_path / "encoder", request.param, dropout=0.0)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("work", encoder.WORKS)
def test_both_systems(setting, folder, precision, work):
    name, train, sort = work
    assert ("back" in name, "length" in name) == (train, sort)
    posts = write_sample(setting)["posts"]
    given = {"encoder": str(folder), "posts": posts, "precision": precision, "train": train, "sort": sort}
    for ours in (True, False):
        result = bare.measured({**given, "ours": ours})(0)
        assert result["value"] == pytest.approx(32 / result["seconds"])


def test_the_vectors_are_the_same(folder):
    from spacy_tokclf.models.hf.pretrained import PretrainedEncoder

    module = PretrainedEncoder(str(folder))().module
    batch = [([4, 5, 6, 7, 8], [1, 3]), ([4, 9, 9], [1]), ([4, 5, 6, 7, 8, 9, 10], [1, 2, 5])]
    batch.sort(key=lambda post: -len(post[0]))  # ours gives the longest first
    with torch.no_grad():
        found = [kind(module, "fp32", False) for kind in (bare._Padded, bare._Packed)]
        theirs, ours = (one(one.prepare(batch)) for one in found)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


def test_the_systems_are_of_one_precision(setting):
    for precision in ("fp32", "bf16"):
        theirs, ours = encoder.systems(setting, "posts.json", precision, train=True, sort=True)
        assert theirs.reference and not ours.reference
        assert theirs.precision == ours.precision == precision
        assert {**theirs.options, "ours": True} == ours.options
