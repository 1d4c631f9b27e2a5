"""The folder of soft targets: what teachers said of some texts, found by the tokens of these; and the texts among them
that have no gold."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..errors import Errors
from ..runtime.blame import short
from ..runtime.files import whole_folder
from ..runtime.manifest import check_manifest, checks_files, write_manifest
from ..runtime.reading import HUGE, expect_keys, read_file, read_json
from .forms.docbin import read_docs

FORMAT = 1
FACTS, ARRAYS, TEXTS = "distilled.json", "soft_targets.safetensors", "texts.spacy"
#: Bytes of a key.
_KEY = 16
#: Logarithms that fp16 holds; what is less likely than that is never.
LEAST = -60000.0


class SoftStore:
    """What teachers said, in memory.

    scheme (str): The scheme of their tags.
    tags (tuple[str, ...]): The tags, in the order of the columns.
    made_of (dict[str, str]): Digests of the teachers and of the texts.
    """

    def __init__(
        self, scheme: str, tags: Iterable[str], made_of: Mapping[str, str], found: Mapping[bytes, Any]
    ) -> None:
        """scheme, tags, made_of: As above.
        found (Mapping[bytes, NDArray]): Logarithms of probabilities by the keys of texts: (n_tokens, n_tags) each, or
            (0, n_tags) for a text of which no teacher says anything."""
        self.scheme = scheme
        self.tags = tuple(tags)
        self.made_of = dict(made_of)
        self.found = found

    def __contains__(self, key: bytes) -> bool:
        """RETURNS (bool): Whether a text is among those that were to be taught."""
        return key in self.found

    def of(self, key: bytes) -> Any:
        """RETURNS (NDArray[np.float16] | None): What was said of a text; None if nothing was."""
        rows = self.found.get(key, ())
        return rows if len(rows) else None


def text_hash(doc: Doc) -> bytes:
    """Give the key of a text: the same for the same tokens with the same spaces.

    doc (Doc): The text.
    RETURNS (bytes): The key, of 16 bytes.
    """
    spaces = None if doc.has_unknown_spaces else [bool(token.whitespace_) for token in doc]
    told = json.dumps([[token.text for token in doc], spaces])
    return hashlib.blake2b(told.encode("ascii"), digest_size=_KEY).digest()


def write_store(path: Path, store: SoftStore, texts: Iterable[Doc]) -> None:
    """Write the folder, whole or not at all.

    path (Path): The folder.
    store (SoftStore): What teachers said.
    texts (Iterable[Doc]): The texts without gold among them.
    """
    from safetensors.numpy import save_file

    rows = [np.maximum(each, LEAST).astype("float16") for each in store.found.values()]
    with whole_folder(path) as made:
        made.mkdir()
        arrays = {
            "keys": np.frombuffer(b"".join(store.found), dtype="uint8").reshape(-1, _KEY),
            "lengths": np.array([len(each) for each in rows], dtype="int64"),
            "log_probs": np.concatenate([np.zeros((0, len(store.tags)), "float16"), *rows]),
        }
        save_file(arrays, str(made / ARRAYS))
        DocBin(attrs=["SPACY"], docs=texts).to_disk(made / TEXTS)
        facts = {"format": FORMAT, "scheme": store.scheme, "tags": list(store.tags), "made_of": store.made_of}
        (made / FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        write_manifest(made)


def read_store(path: str | Path) -> SoftStore:
    """Read what teachers said.

    path (str | Path): The folder.
    RETURNS (SoftStore): It.
    RAISES (ValueError): TC554, if there is none, or something else; TC403, if a file of it was changed.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    path = Path(path)
    try:
        facts = expect_keys(
            read_json(read_file(path / FACTS, within=path), FACTS), ("format", "tags", "made_of"), FACTS
        )
        if checks_files():
            check_manifest(path)
        arrays = load(read_file(path / ARRAYS, within=path, limit=HUGE))
    except (SafetensorError, OSError) as error:
        raise _no_store(path, short(error, limit=150)) from error
    except ValueError as error:
        if str(error).startswith("[TC403]"):
            raise
        raise _no_store(path, short(error, limit=150)) from error
    tags, made_of = facts["tags"], facts["made_of"]
    if facts["format"] != FORMAT:
        raise _no_store(path, "it comes from another version of spacy-tokclf")
    if not isinstance(made_of, dict) or not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise _no_store(path, f"{FACTS} says something else")
    keys, lengths, log_probs = (arrays.get(name) for name in ("keys", "lengths", "log_probs"))
    if keys is None or lengths is None or log_probs is None or not _fit(keys, lengths, log_probs, len(tags)):
        raise _no_store(path, f"{ARRAYS} has arrays that do not fit each other")
    ends = np.cumsum(lengths)
    parts = np.split(log_probs, ends[:-1]) if len(ends) else []
    found = {row.tobytes(): part for row, part in zip(keys, parts, strict=True)}
    return SoftStore(str(facts["scheme"]), tags, {str(key): str(value) for key, value in made_of.items()}, found)


def read_texts(path: str | Path, vocab: Vocab) -> Iterable[Doc]:
    """Read the texts without gold.

    path (str | Path): The folder.
    vocab (Vocab): Their vocabulary.
    RETURNS (Iterable[Doc]): The texts.
    RAISES (ValueError): As `read_docs`.
    """
    return read_docs(Path(path) / TEXTS, vocab)


def _fit(keys: Any, lengths: Any, log_probs: Any, n_tags: int) -> bool:
    """Tell whether arrays are of the shapes and kinds that they should be of, and numbers that can be."""
    kinds = keys.dtype == np.uint8 and lengths.dtype == np.int64 and log_probs.dtype == np.float16
    shapes = keys.ndim == 2 and keys.shape[1] == _KEY and lengths.shape == keys.shape[:1]
    if not kinds or not shapes or log_probs.shape != (int(lengths.sum()), n_tags) or (lengths < 0).any():
        return False
    return bool(np.isfinite(log_probs).all())


def _no_store(path: Path, detail: str) -> ValueError:
    return ValueError(Errors.TC554.format(path=path, detail=detail))
