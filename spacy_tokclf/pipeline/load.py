"""Open what users name: saved pipelines, languages and configs. What is wrong with them is said with a code."""

import configparser
from importlib import import_module
from pathlib import Path
from typing import Any

import spacy
import srsly
from spacy.language import Language
from spacy.util import is_package, load_config
from thinc.api import ConfigValidationError

from ..errors import Errors
from ..runtime.blame import is_own, short
from ..runtime.manifest import check_manifest, checks_files
from ..runtime.workplace import sweep

META, CONFIG = "meta.json", "config.cfg"
#: What has to be installed for the tokenizers of languages.
PACKAGES = {"ja": "spacy[ja]", "ko": "spacy[ko]", "th": "spacy[th]", "vi": "pyvi"}
_BLANK = "blank:"


def load_pipeline(model: str | Path) -> Language:
    """Load a saved pipeline.

    model (str | Path): A folder, or the name of an installed package.
    RETURNS (Language): The pipeline.
    RAISES (ValueError): TC292, if there is none; TC138, if it cannot be loaded; TC401 to TC403, if that is because
        files are not as they were saved; TC139 and TC140, for the language of "blank:LANG"; errors of our components
        as they are.
    """
    name = str(model)
    if name.startswith(_BLANK):
        return blank_pipeline(name.removeprefix(_BLANK))
    if not Path(name).exists():  # it may have been put aside when its successor was written
        sweep(Path(name).absolute().parent)
    if not _is_pipeline(name):
        _check_files(name)
        raise ValueError(Errors.TC292.format(model=name))
    try:
        return spacy.load(model)
    except Exception as error:  # whatever spaCy, or a component, trips over
        if is_own(error):
            raise
        _check_files(name)
        raise ValueError(Errors.TC138.format(model=name, detail=short(error, limit=300), cure=_cure(error))) from error


def blank_pipeline(lang: Any) -> Language:
    """Make an empty pipeline of a language.

    lang (str): The code of the language.
    RETURNS (Language): The pipeline.
    RAISES (ValueError): TC139, if spaCy does not know the language; TC140, if its tokenizer needs a package that is not
        installed.
    """
    try:
        return spacy.blank(lang)
    except Exception as error:
        if is_own(error):
            raise
        if not isinstance(error, ImportError) or str(error).startswith("[E048]"):
            raise ValueError(Errors.TC139.format(lang=lang)) from error
        package = PACKAGES.get(lang, "")
        install = f"Install it with `pip install {package}`" if package else "Install it"
        raise ValueError(Errors.TC140.format(lang=lang, detail=short(error, limit=120), install=install)) from error


def read_config(path: str | Path, overrides: dict[str, Any]) -> dict[str, Any]:
    """Read a training config, with its variables filled in.

    path (str | Path): The file.
    overrides (dict[str, Any]): Values to replace, by "section.key".
    RETURNS (dict[str, Any]): The config.
    RAISES (ValueError): TC141, if it cannot be read.
    """
    try:
        return dict(load_config(path, overrides=overrides, interpolate=True))
    except (OSError, ValueError, KeyError, configparser.Error) as error:
        raise ValueError(Errors.TC141.format(path=path, detail=short(error, limit=300))) from error


def _is_pipeline(name: str) -> bool:
    """Tell pipelines from other files, folders and packages, by their meta.json."""
    folder = Path(name)
    if is_package(name):
        try:
            module = import_module(name)
        except ImportError:
            return False
        folder = Path(module.__file__ or "").parent
    elif not (folder / CONFIG).is_file():
        return False
    if not (folder / META).is_file():
        return False
    try:
        return isinstance(srsly.read_json(folder / META), dict)
    except ValueError:
        return False


def _check_files(name: str) -> None:
    """Say if files are not as they were saved. RAISES (ValueError): TC401 to TC403."""
    if checks_files() and Path(name).is_dir():
        check_manifest(Path(name))


def _cure(error: BaseException) -> str:
    text = str(error)
    if text.startswith("[E048]"):
        return "Correct nlp.lang in its config.cfg, or install the package of the language."
    if isinstance(error, ImportError):
        return "Install the package that it needs."
    if text.startswith(("[E002]", "[E893]")):
        return "Install the package that this comes with, or correct the name in its config.cfg."
    if isinstance(error, configparser.Error | ConfigValidationError) or text.startswith(("[E985]", "[E993]")):
        return "Correct its config.cfg, or save the pipeline again."
    return "The folder is incomplete or damaged; save or fetch the pipeline again."
