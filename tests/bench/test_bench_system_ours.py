"""Our own systems and the bare loops with our encoder, on tiny models."""

import json
from pathlib import Path

import pytest
from spacy.util import load_config

import spacy_tokclf
from bench import system_ours
from bench.bare import loop, packed
from bench.commands import train
from bench.data import read_texts, write_sample, write_texts
from bench.stream import annotate as stream


@pytest.fixture(autouse=True)
def tuned(monkeypatch):
    """Note calls of `tune_malloc` instead of setting the allocator of the process that tests."""
    calls = []
    monkeypatch.setattr(spacy_tokclf, "tune_malloc", lambda: calls.append(True))
    return calls


@pytest.fixture
def options(nlp, setting, tmp_path):
    nlp.to_disk(tmp_path / "pipeline")
    texts = read_texts(setting).texts
    path = write_texts(tmp_path / "texts.json", texts)
    return {"model": str(tmp_path / "pipeline"), "precision": "fp32", "texts": path, "words": 50}


@pytest.mark.parametrize("module", [loop, packed])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_bare_training(setting, encoder_dir, module, precision, tuned):
    files = write_sample(setting)
    run = module.train({"encoder": str(encoder_dir), "posts": files["posts"], "precision": precision})
    result = run(0)
    assert result["value"] == pytest.approx(32 / result["seconds"])
    assert len(tuned) == (1 if module is packed else 0), "ours, as our configs have it"


def test_our_training_is_measured_as_users_run_it(setting):
    """The config that is measured sets the allocator itself."""
    (config,) = {
        system.options["config"]
        for system in train.systems(setting, write_sample(setting))
        if system.target == "bench.system_ours:train"
    }
    before_init = load_config(config)["initialize"]["before_init"]
    assert before_init == {"@callbacks": "spacy-tokclf.tune_malloc.v1"}


def test_bare_batches_are_those_of_our_pipeline(options, nlp, monkeypatch):
    from spacy_tokclf.models.padding_free import backend, encoder

    seen = []
    encode_packed = encoder.encode_packed

    def noted(parts, pack, **how):
        seen.append((pack.ids.tolist(), pack.lengths.tolist(), how["precision"], how["pooling"], how["train"]))
        return encode_packed(parts, pack, **how)

    for module in (encoder, backend):
        monkeypatch.setattr(module, "encode_packed", noted)
    run = packed.annotate(options)
    del seen[:]
    run(0)
    bare = list(seen)
    del seen[:]
    list(nlp.pipe(json.loads(Path(options["texts"]).read_text(encoding="utf8"))))
    assert bare and bare == seen


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_annotating(options, precision, tuned):
    run = system_ours.annotate({**options, "precision": precision})
    assert len(run(0)["entities"]) == 8
    assert "entities" not in run(1)
    assert system_ours.latency({**options, "precision": precision})(0)["value"] > 0
    assert tuned, "a service that asks for it, as the README advises"


def test_points_and_streams(options, tmp_path):
    point = {"name": "4", "texts": ["a b c d", "in the and of"], "words": 8, "batch_size": 1}
    (tmp_path / "points.json").write_text(json.dumps([point]), encoding="utf8")
    run = system_ours.points({**options, "points": str(tmp_path / "points.json"), "whole": False})
    assert set(run(0)) == {"4"}
    for target in ("bench.system_ours:stream", "bench.system_ours:tokenizer"):
        given = {"target": target, "options": options, "texts": options["texts"], "words": 200, "every": 50}
        assert stream(given)(0)["samples"][-1][0] == 200
