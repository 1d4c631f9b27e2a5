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
from ..runtime.blame import is_panic, short
from ..runtime.files import MANIFEST, copy_links, whole_folder
from ..runtime.manifest import write_manifest
from ..runtime.reading import HUGE, expect_keys, is_there, read_file, read_json, read_msgpack
from ..runtime.workplace import PREFIX
from .finite import check_weights
from .home import Home
from .restore import check_entries, encoder_settings, restore_encoders, restore_settings, saved_settings
from .rollback import kept_on_failure
from .saved_layers import FILE, check_fit, read_layers
from .seals import BESIDE, beside, check_saved, lies_in_pipeline, seal, unlist

ENCODER = "encoder"
PARTS = ("cfg", "vocab", FILE, ENCODER)
#: What is said of the config, of what is installed and of the device, rather than of a file.
_CODES = ("TC016", "TC030", "TC032", "TC033", "TC034", "TC089", "TC143", "TC302", "TC303")
ASKED = tuple(f"[{code}]" for code in _CODES)
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
        RAISES (ValueError): TC475, if weights are not finite; nothing is written then.
        RAISES (OSError): TC400, if it cannot be written.
        """
        check_weights(self.model, name=self.name)
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
        """Read what `to_disk` wrote. All of it is checked; a component that cannot take it over stays what it was.

        path (str | Path): The folder.
        exclude (Iterable[str]): Parts to leave out.
        RETURNS (Stored): The component.
        RAISES (ValueError): TC401 to TC404, if files are not as they were saved, or not what they were saved with;
            TC089, with the file and what is wrong with it, if one is missing or damaged, holds something else, or does
            not fit the others; TC030, if the folder is of a later version; TC032 to TC034, if the config asks for
            something that cannot change any more.
        """
        path, in_pipeline = Path(path), _in_pipeline(exclude)
        check_saved(self, path.absolute(), with_pipeline=in_pipeline)
        deserialize: dict[str, Callable[[Path], Any]] = {
            "cfg": lambda p: self._restore_settings(read_file(p, within=path), in_pipeline=in_pipeline),
            ENCODER: lambda p: _encoders_from_disk(self.model, p),
            FILE: lambda p: self._restore_layers(read_file(p, within=path, limit=HUGE), in_pipeline=in_pipeline),
            # A folder in that of a pipeline has none: the vocabulary is in the pipeline's.
            "vocab": lambda p: self.vocab.from_disk(p, exclude=exclude) if p.exists() else None,
        }
        with kept_on_failure(self):
            util.from_disk(path, {part: self._naming(part, read, path) for part, read in deserialize.items()}, exclude)
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
        """Read what `to_bytes` gave, checked as `from_disk` checks it.

        bytes_data (bytes): The bytes.
        exclude (Iterable[str]): Parts to leave out.
        RETURNS (Stored): The component.
        RAISES (ValueError): TC030, TC032 to TC034, TC089, as for `from_disk`; TC422 or TC423, for other bytes.
        """
        in_pipeline = _in_pipeline(exclude)
        needed = [part for part in ("cfg", FILE) if part not in exclude]
        msg = expect_keys(read_msgpack(bytes_data, f"the component {self.name!r}"), needed, f"{self.name!r}")
        deserialize: dict[str, Callable[[Any], Any]] = {
            "cfg": lambda b: self._restore_settings(b, in_pipeline=in_pipeline),
            FILE: lambda b: self._restore_layers(b, in_pipeline=in_pipeline),
            "vocab": lambda b: self.vocab.from_bytes(b, exclude=exclude),
        }
        with kept_on_failure(self):
            util.from_dict(msg, {part: self._naming(part, read) for part, read in deserialize.items()}, exclude)
            self.check_config()
        return self

    def _restore_settings(self, data: bytes | str, *, in_pipeline: bool) -> None:
        saved = check_entries(read_json(data, "cfg"), self.cfg)
        restore_settings(self, saved, in_pipeline=in_pipeline)

    def _restore_layers(self, data: bytes, *, in_pipeline: bool) -> None:
        """Load the layers of the model, whatever sizes they had before, and check that all parts fit each other."""
        model, given = self.model, encoder_settings(self.model)
        msg = read_layers(model, data)
        for node, info in zip(model.walk(), msg["nodes"], strict=True):
            set_dims(node, info["dims"])
        model.from_dict(msg)
        check_fit(model)
        _check_rows(self)
        restore_encoders(self, given, in_pipeline=in_pipeline)

    def _naming(self, part: str, read: Callable[[ReadT], Any], folder: Path | None = None) -> Callable[[ReadT], None]:
        """Let a reader name the file that it stumbles over. What is no fault of the file has a code of its own."""

        def reading(given: ReadT) -> None:
            try:
                read(given)
            except BaseException as error:
                # Libraries raise anything over strange files, those in Rust panics, which are no Exception.
                asks = str(error).startswith(ASKED) or part == "vocab" or isinstance(error, MemoryError)
                if asks or not (isinstance(error, Exception) or is_panic(error)):
                    raise
                where, detail = folder or "bytes", short(error, limit=400)
                text = Errors.TC089.format(file=part, name=self.name, where=where, detail=detail)
                raise ValueError(text) from error

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


def _check_rows(pipe: Stored) -> None:
    """Refuse other tags than the classifier has rows for. RAISES (ValueError): TC089."""
    if "tags" not in pipe.cfg:
        return
    found, rows = len(pipe.cfg["tags"]), pipe.model.get_ref("output_layer").maybe_get_dim("nO")
    if rows is not None and rows != found:
        detail = f"it has {found} tags, and the classifier has {rows} rows."
        raise ValueError(Errors.TC089.format(file="cfg", name=pipe.name, where="settings", detail=detail))


def _shims(model: Model) -> list[BaseEncoderShim]:
    """RETURNS (list[BaseEncoderShim]): What holds the encoders of a model, in the order of its layers."""
    return [shim for node in encoder_nodes(model) for shim in node.shims if isinstance(shim, BaseEncoderShim)]


def _encoders_to_disk(model: Model, path: Path) -> None:
    for index, shim in enumerate(_shims(model)):
        shim.to_disk(path if not index else path.with_name(f"{path.name}_{index}"))


def _encoders_from_disk(model: Model, path: Path) -> None:
    for index, shim in enumerate(_shims(model)):
        folder = path if not index else path.with_name(f"{path.name}_{index}")
        if shim.is_filled and not is_there(folder):  # the saved layers would run an encoder that is not theirs
            raise ValueError(Errors.TC431.format(where="The component", file=f"a folder `{folder.name}`"))
        shim.from_disk(folder)
