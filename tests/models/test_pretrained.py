"""Loaders of pretrained encoders."""

import json
import shutil

import pytest
import torch
from hf_reference import make_docs, make_encoder_model
from safetensors.torch import load_file, save_file
from spacy.util import registry
from tiny_encoders import KINDS
from transformers import CONFIG_MAPPING, AutoConfig, AutoModel

from spacy_tokclf.models.hf.pretrained import PretrainedEncoder, make_pretrained_encoder_v1, module_from_config


@pytest.fixture
def folder(encoder_dir, tmp_path):
    """A copy of the tiny encoder that a test may change."""
    return shutil.copytree(encoder_dir, tmp_path / "copy")


@pytest.mark.parametrize("model_type", sorted(KINDS))
def test_loads_a_folder_without_a_network(make_encoder, blocked_network, model_type):
    folder = make_encoder(model_type)
    loaded = PretrainedEncoder(str(folder))()
    saved = load_file(folder / "model.safetensors")
    state = loaded.module.state_dict()
    assert len(state) > 30
    assert all(torch.equal(value, saved[name]) for name, value in state.items())
    assert {value.dtype for value in state.values()} == {torch.float32}
    assert loaded.config["model_type"] == model_type
    assert str(folder) not in json.dumps(loaded.config)
    assert json.loads(loaded.tokenizer_json)["model"]["vocab"]


def test_the_registered_loader_reads_nothing_until_it_is_called(encoder_dir):
    block = {"@misc": "spacy-tokclf.PretrainedEncoder.v1", "name": "no/such/folder/at/all"}
    loader = registry.resolve({"encoder": block})["encoder"]
    assert isinstance(loader, PretrainedEncoder) and not loader.is_folder
    assert make_pretrained_encoder_v1(str(encoder_dir)).is_folder


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("nobody/nothing-at-all", "TC284"),  # could be on the Hub, and the tests are offline
        ("no-such-model-xyz", "TC284"),
        ("./no/such/folder", "TC010"),
        ("a b c//", "TC010"),
    ],
)
@pytest.mark.parametrize("revision", [None, "v9"])
def test_a_model_that_is_not_there(blocked_network, name, code, revision):
    with pytest.raises(OSError, match=code) as error:
        PretrainedEncoder(name, revision)()
    assert name in str(error.value) and (revision or "main") in str(error.value)


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_an_incomplete_folder(folder, blocked_network, missing):
    (folder / missing).unlink()
    with pytest.raises(OSError, match="TC010"):
        PretrainedEncoder(str(folder))()


@pytest.mark.parametrize("model_type", sorted(KINDS))
def test_an_encoder_without_a_tokenizer(make_encoder, tmp_path, blocked_network, model_type):
    folder = shutil.copytree(make_encoder(model_type), tmp_path / "copy")
    (folder / "tokenizer.json").unlink()
    with pytest.raises((OSError, ValueError), match=r"TC010|TC017"):  # transformers 4 finds none, 5 makes one up
        PretrainedEncoder(str(folder))()


def test_a_cut_off_file_of_weights(folder):
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(OSError, match="TC010"):
        PretrainedEncoder(str(folder))()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_half_precision_checkpoint_becomes_float32(folder, dtype):
    state = {name: value.to(dtype) for name, value in load_file(folder / "model.safetensors").items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "dtype": str(dtype).removeprefix("torch.")}))
    module = PretrainedEncoder(str(folder))().module
    assert {value.dtype for value in module.state_dict().values()} == {torch.float32}
    assert all(torch.equal(value, state[name].float()) for name, value in module.state_dict().items())
    model = make_encoder_model(folder)
    model.shims[0].to_disk(folder / "saved")
    assert f'"{str(dtype).removeprefix("torch.")}"' not in (folder / "saved" / "config.json").read_text()
    model.shims[0].from_disk(folder / "saved")
    assert model.predict(make_docs([["in"]]))[0].dtype == "float32"


def test_a_tokenizer_without_a_fast_version(encoder_dir, monkeypatch):
    import transformers

    class BertweetTokenizer:
        is_fast = False

    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", lambda *args, **kwargs: BertweetTokenizer())
    with pytest.raises(ValueError, match=r"TC011.*BertweetTokenizer"):
        PretrainedEncoder(str(encoder_dir))()


def test_module_from_config_is_float32_whatever_the_default(encoder_dir):
    config = PretrainedEncoder(str(encoder_dir))().config
    torch.set_default_dtype(torch.float64)
    try:
        module = module_from_config(config)
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert {value.dtype for value in module.state_dict().values()} == {torch.float32}


def test_a_config_is_not_changed_by_building(encoder_dir):
    config = PretrainedEncoder(str(encoder_dir))().config
    before = json.dumps(config)
    module_from_config(config)
    assert json.dumps(config) == before


SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 50}
OTHERS = {
    "distilbert": {"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 4, "vocab_size": 50},
    "deberta-v2": {**SMALL, "relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
    "modernbert": {**SMALL, "pad_token_id": 1, "local_attention": 4},
}


@pytest.mark.parametrize(
    "model_type", ["albert", "bert", "deberta-v2", "distilbert", "electra", "modernbert", "mpnet", "roberta"]
)
def test_a_module_is_built_without_drawing_weights_and_whole_once_filled(model_type):
    if model_type not in CONFIG_MAPPING:
        pytest.skip(f"this transformers has no {model_type}")
    config = AutoConfig.for_model(model_type, **OTHERS.get(model_type, SMALL))
    torch.manual_seed(1)
    expected = AutoModel.from_config(config).eval()
    before = torch.get_rng_state()
    module = module_from_config(config.to_dict()).eval()
    assert torch.equal(torch.get_rng_state(), before)
    for name, buffer in module.named_buffers():  # some are not in the saved state
        assert torch.equal(buffer, expected.get_buffer(name)), name
    missing = module.load_state_dict(expected.state_dict(), strict=False).missing_keys
    assert not missing
    ids = torch.arange(5, 17).reshape(2, 6)
    with torch.inference_mode():
        assert torch.equal(module(input_ids=ids)[0], expected(input_ids=ids)[0])


def test_weights_are_drawn_again_after_a_module_was_built(encoder_dir):
    module_from_config(PretrainedEncoder(str(encoder_dir))().config)
    layer = torch.nn.Linear(4, 4)
    torch.nn.init.constant_(layer.weight, 3.0)
    assert layer.weight.eq(3.0).all()
