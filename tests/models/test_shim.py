"""The encoder on disk and as bytes: the same bits back, into whatever was there, and files that run nothing."""

import copy
import json
import pickle
import struct

import numpy as np
import pytest
import torch
from hf_reference import VOCAB, Reference, make_docs, make_encoder_model
from odd_words import ODD_WORDS
from safetensors.torch import load_file, save_file
from spacy.tokens import Doc
from thinc.api import Adam
from tiny_encoders import KINDS

from spacy_tokclf.models.encoder import build_transformer_encoder_v1
from spacy_tokclf.models.hf.pretrained import Pretrained
from spacy_tokclf.models.shim import EncoderShim

FILES = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
POSTS = [["in", "the", "Groenlinks", "\ufe0f"], [], ["tweet", " ", "5.975,74"]]


def predict(model):
    return np.concatenate(model.predict(make_docs(POSTS)))


def through_bytes(source, target, folder):
    target.from_bytes(source.to_bytes())


def through_disk(source, target, folder):
    source.shims[0].to_disk(folder)
    target.shims[0].from_disk(folder)


@pytest.mark.parametrize("way", [through_bytes, through_disk])
@pytest.mark.parametrize("model_type", sorted(KINDS))
@pytest.mark.parametrize("target", ["empty", "other weights", "other type"])
def test_the_same_vectors_after_a_round_trip(make_encoder, tmp_path, way, model_type, target):
    source = make_encoder_model(make_encoder(model_type))
    if target == "empty":
        loaded = build_transformer_encoder_v1()
    else:
        other_type = model_type if target == "other weights" else "bert" if model_type == "roberta" else "roberta"
        loaded = make_encoder_model(make_encoder(other_type, seed=7))
        assert abs(predict(loaded) - predict(source)).max() > 0.1
    way(source, loaded, tmp_path / "encoder")
    np.testing.assert_array_equal(predict(loaded), predict(source))
    assert loaded.shims[0].max_pieces == source.shims[0].max_pieces
    assert loaded.shims[0].pad_id == source.shims[0].pad_id


@pytest.mark.parametrize("model_type", sorted(KINDS))
def test_transformers_opens_the_saved_folder(make_encoder, tmp_path, model_type):
    model = make_encoder_model(make_encoder(model_type))
    model.shims[0].to_disk(tmp_path)
    from transformers import AutoTokenizer

    reference = Reference(tmp_path)
    with torch.inference_mode():
        expected = torch.cat([reference.vectors(words) for words in POSTS]).numpy()
    np.testing.assert_allclose(predict(model), expected, rtol=0, atol=1e-5)
    # The space before words is in the saved file: nothing has to be asked for.
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    shim = model.shims[0]
    pieces = [piece for ids in shim.tokenizer.encode_words(ODD_WORDS) for piece in ids]
    whole = tokenizer(ODD_WORDS, is_split_into_words=True)
    assert whole["input_ids"] == [*shim.tokenizer.prefix, *pieces, *shim.tokenizer.suffix]
    assert tokenizer.pad_token_id == shim.pad_id
    original = AutoTokenizer.from_pretrained(make_encoder(model_type))
    assert tokenizer.model_max_length == original.model_max_length
    assert tokenizer.model_input_names == original.model_input_names
    assert tokenizer.mask_token == original.mask_token


@pytest.mark.parametrize("model_type", ["distilbert", "roberta"])
def test_two_saves_are_the_same_bytes(make_encoder, tmp_path, model_type):
    model = make_encoder_model(make_encoder(model_type))
    again = build_transformer_encoder_v1()
    model.shims[0].to_disk(tmp_path / "one")
    model.shims[0].to_disk(tmp_path / "two")
    again.shims[0].from_disk(tmp_path / "one")
    again.shims[0].to_disk(tmp_path / "loaded")
    for name in FILES:
        content = (tmp_path / "one" / name).read_bytes()
        assert (tmp_path / "two" / name).read_bytes() == content, name
        assert (tmp_path / "loaded" / name).read_bytes() == content, name
    assert model.shims[0].to_bytes() == model.shims[0].to_bytes()


def test_nothing_in_the_files_runs(encoder_dir, tmp_path, monkeypatch, blocked_network):
    make_encoder_model(encoder_dir).shims[0].to_disk(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    for name in FILES - {"model.safetensors"}:
        text = (tmp_path / name).read_text(encoding="utf-8")
        json.loads(text)
        assert str(encoder_dir) not in text and "auto_map" not in text
    weights = (tmp_path / "model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", weights[:8])
    assert json.loads(weights[8 : 8 + length])["__metadata__"] == {"format": "pt"}

    def refuse(*args, **kwargs):
        pytest.fail("something was unpickled")

    for module, name in ((torch, "load"), (pickle, "load"), (pickle, "loads"), (pickle, "Unpickler")):
        monkeypatch.setattr(module, name, refuse)
    shim = EncoderShim().from_disk(tmp_path)
    EncoderShim().from_bytes(shim.to_bytes())


def without(state):
    del state["embeddings.LayerNorm.weight"]


def with_more(state):
    state["embeddings.more"] = torch.zeros(3)


def with_other_shape(state):
    state["embeddings.LayerNorm.weight"] = torch.zeros(5)


@pytest.mark.parametrize("damage", [without, with_more, with_other_shape])
@pytest.mark.parametrize("filled", [True, False])
def test_weights_that_do_not_fit_are_refused(encoder_dir, tmp_path, damage, filled):
    source = make_encoder_model(encoder_dir)
    source.shims[0].to_disk(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    damage(state)
    save_file(state, tmp_path / "model.safetensors")
    shim = EncoderShim()
    if filled:
        shim = make_encoder_model(encoder_dir).shims[0]
        before = {name: value.clone() for name, value in shim.module.state_dict().items()}
    with pytest.raises(ValueError, match=r"TC013.*embeddings\.(LayerNorm\.weight|more)"):
        shim.from_disk(tmp_path)
    if filled:
        assert all(torch.equal(before[name], value) for name, value in shim.module.state_dict().items())
    else:
        assert not shim.is_filled


def test_tied_weights_are_saved_once():
    from transformers import AutoConfig, AutoModel

    sizes = {"vocab_size": 300, "d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2}
    module = AutoModel.from_config(AutoConfig.for_model("t5", **sizes))
    names = [name for name, value in module.state_dict().items() if value.shape == (300, 8)]
    assert len(names) > 1
    tokenizer_json = make_tokenizer_json()
    limits = {"pad_id": 0, "model_max_length": 64, "model_input_names": ["input_ids"], "special_tokens": {}}
    shim = EncoderShim()
    shim.fill(Pretrained(module, module.config.to_dict(), tokenizer_json, limits))
    loaded = EncoderShim().from_bytes(shim.to_bytes())
    for name, value in module.state_dict().items():
        assert torch.equal(loaded.module.state_dict()[name], value), name
    assert loaded.to_bytes() == shim.to_bytes()


def make_tokenizer_json():
    from tiny_encoders import wordpiece_tokenizer

    return wordpiece_tokenizer().to_str()


def test_an_empty_encoder_saves_nothing(encoder_dir, tmp_path):
    shim = EncoderShim()
    assert shim.to_bytes() == b""
    shim.to_disk(tmp_path / "encoder")
    assert not (tmp_path / "encoder").exists()
    assert not EncoderShim().from_bytes(b"").is_filled
    assert not EncoderShim().from_disk(tmp_path / "encoder").is_filled
    for name in ("module", "tokenizer", "width", "max_pieces"):
        with pytest.raises(ValueError, match="TC012"):
            getattr(shim, name)


def test_loading_draws_nothing_from_the_random_state(encoder_dir, tmp_path):
    shim = make_encoder_model(encoder_dir).shims[0]
    shim.to_disk(tmp_path)
    data = shim.to_bytes()
    torch.manual_seed(5)
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    EncoderShim().from_disk(tmp_path)
    EncoderShim().from_bytes(data)
    assert torch.equal(torch.get_rng_state(), before)
    assert (np.random.get_state()[1] == numpy_before).all()


def test_a_loaded_encoder_does_not_drop_out(encoder_dir_dropout, tmp_path):
    shim = make_encoder_model(encoder_dir_dropout).shims[0]
    shim.to_disk(tmp_path)
    assert not EncoderShim().from_disk(tmp_path).module.training


def test_a_copy_has_its_own_id_and_weights(encoder_dir):
    model = make_encoder_model(encoder_dir)
    other = model.copy()
    one, two = model.shims[0], other.shims[0]
    assert one.id != two.id and one.module is not two.module
    expected = predict(model)
    np.testing.assert_array_equal(predict(other), expected)
    docs = make_docs(POSTS)
    rows, backprop = other.begin_update(docs)
    backprop([np.ones_like(row) for row in rows])
    other.finish_update(Adam(0.01))
    two.config["dropout"] = 0.5
    np.testing.assert_array_equal(predict(model), expected)
    assert abs(predict(other) - expected).max() > 0.01
    assert one.config["dropout"] == 0.0
    assert copy.deepcopy(one.tokenizer).encode_words(["in"]) == one.tokenizer.encode_words(["in"])


def as_arrays(shim, factor):
    return {(shim.id, name): (param.detach() * factor).numpy() for name, param in shim.module.named_parameters()}


def as_tensors(shim, factor):
    return {(shim.id, name): param.detach() * factor for name, param in shim.module.named_parameters()}


@pytest.mark.parametrize("values", [as_arrays, as_tensors])
def test_use_params_swaps_and_restores(encoder_dir, make_encoder, values):
    model = make_encoder_model(encoder_dir)
    expected = predict(model)
    other = make_encoder_model(make_encoder(seed=7))
    params = values(model.shims[0], 1.5) | values(other.shims[0], 1.5) | {(10**9, "W"): np.zeros(3)}
    with model.use_params(params):
        swapped = predict(model)
    assert abs(swapped - expected).max() > 0.01
    np.testing.assert_array_equal(predict(model), expected)
    with model.use_params({}):
        np.testing.assert_array_equal(predict(model), expected)
    with pytest.raises(RuntimeError, match="stop"), model.use_params(params):
        raise RuntimeError("stop")
    np.testing.assert_array_equal(predict(model), expected)
    # What is saved inside is what is swapped in, and training goes on with the own weights.
    with model.use_params(params):
        saved = model.to_bytes()
    np.testing.assert_array_equal(predict(build_transformer_encoder_v1().from_bytes(saved)), swapped)


def test_use_params_of_an_empty_encoder():
    model = build_transformer_encoder_v1()
    with model.use_params({(model.shims[0].id, "W"): np.zeros(3)}):
        assert not model.shims[0].is_filled


def test_an_encoder_that_is_loaded_while_in_training_mode_predicts_without_dropout(encoder_dir_dropout):
    model = make_encoder_model(encoder_dir_dropout)
    data = model.to_bytes()
    expected = predict(model)
    model.begin_update([Doc(VOCAB, words=["in"])])
    np.testing.assert_array_equal(predict(model.from_bytes(data)), expected)


def test_a_forked_process_may_not_use_a_gpu(encoder_dir, monkeypatch):
    shim = make_encoder_model(encoder_dir).shims[0]
    monkeypatch.setattr("spacy_tokclf.runtime.device.device_of", lambda module: torch.device("cuda", 0))
    monkeypatch.setattr(torch.cuda, "_is_in_bad_fork", lambda: True)
    with pytest.raises(ValueError, match=r"TC016.*cuda:0"):
        _ = shim.module
