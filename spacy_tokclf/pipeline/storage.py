"""Store components on disk and as bytes: JSON, safetensors and thinc's arrays. Loading runs no code of a file and
fetches nothing."""

import contextlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import srsly
from spacy import util
from spacy.vocab import Vocab
from thinc.api import Model

from ..errors import Errors
from ..models.base_shim import BaseEncoderShim, encoder_nodes
from ..models.thinc_params import set_dims
from ..runtime.blame import is_own, short
from ..runtime.files import MANIFEST, copy_links, whole_folder
from ..runtime.manifest import write_manifest
from ..runtime.workplace import PREFIX
from .home import Home
from .restore import encoder_settings, restore_encoders, restore_settings, saved_settings
from .seals import BESIDE, beside, check_saved, lies_in_pipeline, seal, unlist

ENCODER = "encoder"
PARTS = ("cfg", "vocab", "model", ENCODER)
StoredT = TypeVar("StoredT", bound="Stored")
ReadT = TypeVar("ReadT")


class Stored:
    """The part of a component that stores it. In `cfg`, `given` holds the settings that the config has too.

    home (Home): The pipeline that the component was made in.
    """

    vocab: Vocab
    model: Model
    name: str
    cfg: dict[str, Any]
    home: Home

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write the component: `cfg` (JSON), `model` (small layers), a folder per encoder that transformers opens.

        The folder appears whole or not at all, with a manifest of its files; in that of a pipeline, the manifest
        also says what it was saved with (`pipeline/seals.py`).

        path (str | Path): The folder.
        exclude (Iterable[str]): Parts to leave out; those that are in the folder stay.
        RAISES (OSError): TC400, if it cannot be written.
        """
        place = Path(path).absolute()
        serialize: dict[str, Callable[[Path], Any]] = {
            "cfg": lambda p: p.write_text(_exact_json(saved_settings(self, place)), encoding="utf8"),
            "vocab": lambda p: self.vocab.to_disk(p, exclude=exclude),
            "model": lambda p: _layers_to_disk(self.model, p),
            ENCODER: lambda p: _encoders_to_disk(self.model, p),
        }
        with whole_folder(place) as made:
            util.to_disk(made, serialize, exclude)
            foreign = _keep_others(place, made, exclude)
            sealed = lies_in_pipeline(place, exclude)
            about = {BESIDE: beside(self, place, exclude, made.with_name("vocab"))} if sealed else {}
            checksum = write_manifest(made, about, leave_out=foreign)
            unlist(place)
        if sealed:
            seal(place, checksum)

    def from_disk(self: StoredT, path: str | Path, *, exclude: Iterable[str] = ()) -> StoredT:
        """Read what `to_disk` wrote.

        path (str | Path): The folder.
        exclude (Iterable[str]): Parts to leave out.
        RETURNS (Stored): The component.
        RAISES (ValueError): TC401 to TC404, if files are not as they were saved, or not what they were saved with;
            TC013, TC030 or TC032, if the folder is not whole, or of a later version; TC033 or TC034, if the config
            asks for something that cannot change any more; TC089, if a file holds something else.
        """
        in_pipeline = _in_pipeline(exclude)
        check_saved(self, Path(path).absolute(), with_pipeline=in_pipeline)
        deserialize: dict[str, Callable[[Path], Any]] = {
            "cfg": lambda p: restore_settings(self, json.loads(p.read_text(encoding="utf8")), in_pipeline=in_pipeline),
            # A folder in that of a pipeline has none: the vocabulary is in the pipeline's.
            "vocab": lambda p: self.vocab.from_disk(p, exclude=exclude) if p.exists() else None,
            ENCODER: lambda p: _encoders_from_disk(self.model, p),
            "model": lambda p: _from_bytes(self, p.read_bytes(), in_pipeline=in_pipeline),
        }
        util.from_disk(path, {part: self._naming(part, read) for part, read in deserialize.items()}, exclude)
        self.check_config()
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Give the component as bytes.

        exclude (Iterable[str]): Parts to leave out.
        RETURNS (bytes): Settings, labels and weights.
        """
        serialize: dict[str, Callable[[], Any]] = {
            "cfg": lambda: _exact_json(self.cfg),
            "vocab": lambda: self.vocab.to_bytes(exclude=exclude),
            "model": self.model.to_bytes,
        }
        data: bytes = util.to_bytes(serialize, exclude)
        return data

    def from_bytes(self: StoredT, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> StoredT:
        """Read what `to_bytes` gave.

        bytes_data (bytes): The bytes.
        exclude (Iterable[str]): Parts to leave out.
        RETURNS (Stored): The component.
        RAISES (ValueError): TC013, TC030, TC032 to TC034, TC089, as for `from_disk`.
        """
        in_pipeline = _in_pipeline(exclude)
        deserialize: dict[str, Callable[[bytes], Any]] = {
            "cfg": lambda b: restore_settings(self, json.loads(b), in_pipeline=in_pipeline),
            "vocab": lambda b: self.vocab.from_bytes(b, exclude=exclude),
            "model": lambda b: _from_bytes(self, b, in_pipeline=in_pipeline),
        }
        util.from_bytes(bytes_data, {part: self._naming(part, read) for part, read in deserialize.items()}, exclude)
        self.check_config()
        return self

    def _naming(self, part: str, read: Callable[[ReadT], Any]) -> Callable[[ReadT], None]:
        """Let a reader name the file that it stumbles over. What libraries say of it, and what has a code, stays."""

        def reading(given: ReadT) -> None:
            try:
                read(given)
            except Exception as error:
                if str(error).startswith("[T") or not is_own(error):
                    raise
                detail = short(error, limit=150)
                raise ValueError(Errors.TC089.format(file=part, name=self.name, detail=detail)) from error

        return reading

    def check_config(self) -> None:
        """Refuse what the config says and the component is not. By default there is nothing."""


def _keep_others(old: Path, made: Path, exclude: Iterable[str]) -> list[str]:
    """Keep what is in the folder of a component and is not written anew: the parts that are left out, and what is none
    of ours. RETURNS (list[str]): The names of the latter."""
    foreign = []
    for path in sorted(old.iterdir()) if old.is_dir() else ():
        part = next((part for part in PARTS if path.name == part or path.name.startswith(f"{part}_")), None)
        if path.name == MANIFEST or path.name.startswith(PREFIX) or (part is not None and part not in exclude):
            continue
        copy_links(path, made / path.name)
        if part is None:
            foreign.append(path.name)
    return foreign


def _exact_json(cfg: dict[str, Any]) -> str:
    """Write settings with all digits: srsly (ujson) would round them, reading as well as writing."""
    return json.dumps(cfg, indent=2, sort_keys=True, ensure_ascii=False)


def _layers_to_disk(model: Model, path: Path) -> None:
    """Write all layers but the encoders, which have their folders."""
    with contextlib.ExitStack() as stack:
        for shim in _shims(model):
            stack.enter_context(shim.stored_elsewhere())
        msg = model.to_dict()
    with_encoder = {node.id for node in encoder_nodes(model)}
    pairs = zip(model.walk(), msg["shims"], strict=True)
    msg["shims"] = [[] if node.id in with_encoder else shims for node, shims in pairs]
    path.write_bytes(srsly.msgpack_dumps(msg))


def _in_pipeline(exclude: Iterable[str]) -> bool:
    """Tell whether a pipeline loads its components: it shares its vocabulary with them, and they do not read it."""
    return "vocab" in exclude


def _from_bytes(pipe: Stored, data: bytes, *, in_pipeline: bool) -> None:
    """Load the layers of a component's model, whatever sizes they had before. RAISES (ValueError): TC032 or TC033."""
    model, given = pipe.model, encoder_settings(pipe.model)
    msg = srsly.msgpack_loads(data)
    nodes = list(model.walk())
    if len(nodes) != len(msg["nodes"]):
        raise ValueError(Errors.TC032.format(found=len(msg["nodes"]), expected=len(nodes)))
    for node, info in zip(nodes, msg["nodes"], strict=True):
        set_dims(node, info["dims"])
    model.from_dict(msg)
    _check_rows(pipe)
    restore_encoders(pipe, given, in_pipeline=in_pipeline)


def _check_rows(pipe: Stored) -> None:
    """Refuse other tags than the classifier has rows for. RAISES (ValueError): TC089."""
    if "tags" not in pipe.cfg:
        return
    found, rows = len(pipe.cfg["tags"]), pipe.model.get_ref("output_layer").maybe_get_dim("nO")
    if rows is not None and rows != found:
        detail = f"it has {found} tags, and the classifier has {rows} rows."
        raise ValueError(Errors.TC089.format(file="cfg", name=pipe.name, detail=detail))


def _shims(model: Model) -> list[BaseEncoderShim]:
    """RETURNS (list[BaseEncoderShim]): What holds the encoders of a model, in the order of its layers."""
    return [shim for node in encoder_nodes(model) for shim in node.shims if isinstance(shim, BaseEncoderShim)]


def _encoders_to_disk(model: Model, path: Path) -> None:
    for index, shim in enumerate(_shims(model)):
        shim.to_disk(path if not index else path.with_name(f"{path.name}_{index}"))


def _encoders_from_disk(model: Model, path: Path) -> None:
    for index, shim in enumerate(_shims(model)):
        shim.from_disk(path if not index else path.with_name(f"{path.name}_{index}"))
