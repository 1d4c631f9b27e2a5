"""Save a pipeline as one: the folder appears whole or not at all, with a manifest of all that is in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import srsly
from spacy.language import Language

from .files import MANIFEST, copy_links, whole_folder
from .manifest import write_manifest
from .workplace import PREFIX

META, CONFIG = "meta.json", "config.cfg"


def save_pipeline(nlp: Language, out_dir: Path) -> None:
    """Write a pipeline. An earlier one in the folder stays until all is written; what else lies there (README, LICENSE)
    stays beside the new one.

    nlp (Language): The pipeline.
    out_dir (Path): The folder.
    RAISES (OSError): TC400, if it cannot be written.
    """
    with checked_pipeline(nlp, out_dir):
        pass


@contextmanager
def checked_pipeline(nlp: Language, out_dir: Path) -> Iterator[Path]:
    """Write a pipeline as `save_pipeline` does, and try it out before it takes its place.

    nlp (Language): The pipeline.
    out_dir (Path): The folder.
    YIELDS (Path): Where it is until then.
    RAISES (OSError): TC400, if it cannot be written.
    """
    out_dir = out_dir.absolute()
    with whole_folder(out_dir) as made:
        nlp.to_disk(made)
        write_manifest(made)
        for path in _others(out_dir):
            if not (made / path.name).exists():
                copy_links(path, made / path.name)
        yield made


@contextmanager
def updated_pipeline(folder: Path) -> Iterator[Path]:
    """Change some files of a saved pipeline: all of them, or none.

    folder (Path): The folder of the pipeline.
    YIELDS (Path): A copy to change, whose files are those of the pipeline: they are to be replaced, never written to.
    RAISES (OSError): TC400, if it cannot be written.
    """
    folder = folder.absolute()
    with whole_folder(folder) as made:
        made.mkdir()
        for path in sorted(folder.iterdir()):
            if not path.name.startswith(PREFIX):
                copy_links(path, made / path.name)
        yield made
        write_manifest(made, leave_out=[path.name for path in _others(made)])


def _others(folder: Path) -> list[Path]:
    """Give what lies in the folder of a pipeline and is none of it."""
    if not (folder / META).is_file():
        return []
    meta = srsly.read_json(folder / META)
    own = {META, CONFIG, MANIFEST, "tokenizer", "vocab", *meta.get("components", meta.get("pipeline", []))}
    return sorted(path for path in folder.iterdir() if path.name not in own and not path.name.startswith(PREFIX))
