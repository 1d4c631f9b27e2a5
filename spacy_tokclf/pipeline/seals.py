"""Which parts of a saved pipeline were saved together.

spaCy writes a pipeline in place, part after part: tokenizer, meta.json, config.cfg, the components in their order, the
vocabulary. If that is broken off over an older pipeline, the folder is a mixture, and may load. So each part of ours
has a manifest in its folder, which says what is to lie beside it, and puts a seal into meta.json last: the checksum of
its manifest. spaCy writes meta.json anew, without seals, before it writes anything else that could be mixed up.
"""

import contextlib
import json
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2Vec

from ..errors import Errors
from ..runtime.files import MANIFEST, whole_file
from ..runtime.manifest import check_manifest, checks_files, checksums, hash_file, is_inside, read_manifest

META, CONFIG, SEALS = "meta.json", "config.cfg", "spacy_tokclf"
TOKENIZER, VOCAB, STRINGS = "tokenizer", "vocab", "strings.json"
#: Of a component's manifest: what is to lie beside its folder.
BESIDE = "beside"
#: Which folder a pipeline is being loaded from, and the components that have been.
_LOADING: "weakref.WeakKeyDictionary[Language, tuple[Path, set[str]]]" = weakref.WeakKeyDictionary()


def lies_in_pipeline(folder: Path, exclude: Iterable[str]) -> bool:
    """Tell whether a component is saved with a pipeline: that shares its vocabulary with it, and has written its
    meta.json.

    folder (Path): The component's folder.
    exclude (Iterable[str]): What is left out of it.
    RETURNS (bool): Whether it is.
    """
    return VOCAB in exclude and all((folder.parent / name).is_file() for name in (META, CONFIG))


def beside(pipe: Any, folder: Path, exclude: Iterable[str], temporary: Path) -> dict[str, Any]:
    """Say what is to lie beside a component's folder: what is there, but for the vocabulary. spaCy writes it after all
    components, unless it is a part of a component alone that is saved.

    pipe (Stored): The component.
    folder (Path): Its place.
    exclude (Iterable[str]): What is left out of it.
    temporary (Path): A path for files that go again.
    RETURNS (dict[str, Any]): Checksums of the tokenizer, the vocabulary, and the encoder that it listens to.
    """
    vocab = folder.parent / VOCAB
    if set(exclude) == {VOCAB}:
        vocab = temporary
        pipe.vocab.to_disk(vocab)
    found = {TOKENIZER: checksums(folder.parent / TOKENIZER), VOCAB: checksums(vocab)}
    nlp = pipe.home.nlp
    for name, other in nlp.components if nlp is not None else ():
        listens = isinstance(other, Tok2Vec) and pipe.name in other.listener_map
        if listens and (folder.parent / name / MANIFEST).is_file():
            found[name] = {MANIFEST: hash_file(folder.parent / name / MANIFEST)}
    return found


def unlist(folder: Path) -> None:
    """Remove the manifest of a pipeline, before one of its components is replaced.

    folder (Path): The component's folder.
    """
    path = folder.parent / MANIFEST
    if not path.is_file():
        return
    try:
        listed = any(name.startswith(f"{folder.name}/") for name in read_manifest(folder.parent)["files"])
    except ValueError:  # one that is damaged would have the new component refused
        listed = True
    if listed:
        path.unlink()


def seal(folder: Path, checksum: str) -> None:
    """Put the seal of a component into the pipeline's meta.json.

    folder (Path): The component's folder.
    checksum (str): The SHA-256 of its manifest.
    """
    path = folder.parent / META
    meta = json.loads(path.read_bytes())
    meta[SEALS] = {**_seals(path), folder.name: checksum}
    with whole_file(path) as made:
        made.write_text(json.dumps(meta, indent=2, ensure_ascii=False), encoding="utf-8")


def check_saved(pipe: Any, folder: Path, *, with_pipeline: bool) -> None:
    """Check the files of a component before they are read, and what lies beside them. The pipeline does not keep the
    seals: the next time that spaCy writes its meta.json, they are not true yet.

    pipe (Stored): The component.
    folder (Path): Its folder.
    with_pipeline (bool): Whether a whole pipeline is being loaded.
    RAISES (ValueError): TC401 to TC403, if files are not as they were saved; TC404, if parts were not saved together.
    """
    nlp = pipe.home.nlp
    if nlp is not None and with_pipeline:
        nlp.meta.pop(SEALS, None)
    if not checks_files():
        return
    if with_pipeline and _is_first(nlp, folder):
        check_manifest(folder.parent)
    manifest = check_manifest(folder)
    if with_pipeline and (folder.parent / META).is_file():
        _check_beside(folder, manifest)


def _check_beside(folder: Path, manifest: dict[str, Any] | None) -> None:
    """Refuse a component that was not saved with what lies beside it. RAISES (ValueError): TC401 or TC404."""
    seals, wrong = _seals(folder.parent / META), []
    expected = (manifest or {}).get(BESIDE)
    if expected is not None and not _is_beside(expected):
        raise ValueError(Errors.TC401.format(path=folder / MANIFEST))
    if manifest is None and seals and folder.name not in seals:  # an older version's, among components of this one
        wrong.append(META)
    if expected is not None and seals.get(folder.name) != hash_file(folder / MANIFEST):
        wrong.append(META)
    for name, files in expected.items() if expected is not None and not wrong else ():
        place = folder.parent / name
        found = checksums(place, only=files)
        if name == VOCAB and STRINGS not in found:  # what can be left out of a pipeline
            found[STRINGS] = files.get(STRINGS, "")
        if place.exists() and found != files:
            wrong.append(name)
    if wrong:
        raise ValueError(
            Errors.TC404.format(folder=folder.parent, name=folder.name, part=wrong[-1], manifest=folder / MANIFEST)
        )


def _is_beside(found: Any) -> bool:
    """Tell whether this gives checksums of what lies beside a component."""
    return isinstance(found, dict) and all(
        is_inside(name)
        and isinstance(files, dict)
        and all(inner == "" or is_inside(inner) for inner in files)
        and all(isinstance(checksum, str) for checksum in files.values())
        for name, files in found.items()
    )


def _seals(path: Path) -> dict[str, Any]:
    """Read the seals in a meta.json; one that is damaged has none."""
    with contextlib.suppress(ValueError, RecursionError):
        meta = json.loads(path.read_bytes())
        seals = meta.get(SEALS) if isinstance(meta, dict) else None
        return seals if isinstance(seals, dict) else {}
    return {}


def _is_first(nlp: Language | None, folder: Path) -> bool:
    """Tell whether no other component of a pipeline has been loaded from a folder, since this one was."""
    if nlp is None:
        return True
    parent, names = _LOADING.get(nlp, (None, set()))
    if parent == folder.parent and folder.name not in names:
        names.add(folder.name)
        return False
    _LOADING[nlp] = (folder.parent, {folder.name})
    return True
