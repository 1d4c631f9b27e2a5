import json
import subprocess
import sys

import pytest
import transformers
from make_encoder import describe, embedded_at, main

from spacy_tokclf.start.embedded_encoder import LARGE, SMALL


def test_another_encoder_is_used_as_it_is(tmp_path, monkeypatch):
    stamp = tmp_path / "encoder.json"
    arguments = ["make_encoder", "some/encoder", "--out", str(tmp_path / "out"), "--stamp", str(stamp)]
    monkeypatch.setattr(sys, "argv", arguments)
    main()
    assert not (tmp_path / "out").exists()
    assert json.loads(stamp.read_text()) == {"encoder": "some/encoder", "files": None}


@pytest.mark.parametrize("given", ["assets/encoder-large", "./assets/encoder-large/", "embedded-large"])
def test_encoders_are_known_by_name_and_by_folder(given):
    assert embedded_at(given) == LARGE
    assert embedded_at(given.removesuffix("/").replace("-large", "").replace("embedded", "embedded-small")) == SMALL
    assert embedded_at(given + "r") is None


def test_the_stamp_tells_encoders_apart(encoder_dir, tmp_path):
    before = describe(str(encoder_dir))
    (tmp_path / "other").mkdir()
    for file in encoder_dir.iterdir():
        (tmp_path / "other" / file.name).write_bytes(file.read_bytes())
    (tmp_path / "other" / "tokenizer_config.json").write_text("{}")
    other = describe(str(tmp_path / "other"))
    assert other["files"] != before["files"]
    assert before["files"]["model.safetensors"] == other["files"]["model.safetensors"]


@pytest.mark.slow
def test_the_real_encoder(root, tmp_path):
    command = [sys.executable, str(root / "scripts" / "make_encoder.py"), "embedded-small"]
    command += ["--out", str(tmp_path / "encoder")]
    first = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "Downloading" in first.stdout
    model = transformers.AutoModel.from_pretrained(tmp_path / "encoder", local_files_only=True)
    assert sum(p.numel() for p in model.parameters()) == 22_564_608
    second = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "is complete" in " ".join(second.stdout.split()) and "Downloading" not in second.stdout
