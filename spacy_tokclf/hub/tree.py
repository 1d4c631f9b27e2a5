"""Write what is pushed to the Hugging Face Hub to a folder: the wheel, the checkpoint and the card."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from spacy.language import Language

from ..errors import Errors
from ..export import export_hf
from ..pipeline.load import load_pipeline
from ..runtime.files import whole_folder
from .card import write_card
from .card_facts import collect_facts
from .upload import check_repo
from .wheel import build_wheel

#: Papers of a pipeline that go along, as with `spacy package`.
PAPERS = ("LICENSE", "LICENSES_SOURCES")
#: What spaCy calls a pipeline that nobody has named.
UNNAMED = "pipeline"


def write_tree(
    model: Language | str | Path,
    folder: str | Path,
    repo: str,
    *,
    component: str | None = None,
    name: str | None = None,
    version: str | None = None,
    revision: str | None = None,
    wheel_only: bool = False,
    examples: Sequence[str] = (),
) -> Path:
    """Write what `push` uploads to a folder, without a network. The folder appears whole or not at all.

    model (Language | str | Path): The pipeline, or the path or name of a saved one.
    folder (str | Path): The folder; it has to be new or empty.
    repo (str): The repository that the card speaks of, USER/NAME.
    component (str | None): The `token_classifier`, if there are several.
    name (str | None): Name of the package without the language; if not given, that of the pipeline, or of the
        repository for a pipeline without a name.
    version (str | None): Version of the package; if not given, that of the pipeline.
    revision (str | None): The branch that the card speaks of.
    wheel_only (bool): Whether to leave the checkpoint out.
    examples (Sequence[str]): Texts of which the card shows a few: they are published. If there are none, spaCy's own.
    RETURNS (Path): The folder.
    RAISES (ValueError): TC287, for a repository without owner; TC291, if the wheel cannot be built; TC292, if there is
        no pipeline; TC293, if Hugging Face has no equivalent of it; TC294, if the folder is not empty.
    """
    folder = Path(folder).absolute()
    check_repo(repo)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(Errors.TC294.format(path=folder))
    nlp = model if isinstance(model, Language) else load_pipeline(model)
    with whole_folder(folder) as made:
        if wheel_only:
            made.mkdir()
        else:
            _export(nlp, made, component)
        pipeline = nlp.path
        if isinstance(model, Language) or pipeline is None:
            pipeline = made.with_name("pipeline")
            nlp.to_disk(pipeline)
        named = name or _name_of(nlp, repo)
        wheel = build_wheel(Path(pipeline), made.with_name("packages"), name=named, version=version)
        shutil.move(wheel, made / wheel.name)
        papers = [paper for paper in PAPERS if (Path(pipeline) / paper).is_file()]
        for paper in papers:
            shutil.copy(Path(pipeline) / paper, made / paper)
        facts = collect_facts(nlp, made, repo, component=component, revision=revision, examples=examples)
        write_card(facts, made)
    return folder


def _name_of(nlp: Language, repo: str) -> str | None:
    """Name the package of a pipeline that nobody has named after its repository."""
    if nlp.meta["name"] != UNNAMED:
        return None
    return re.sub(r"\W+", "_", repo.split("/")[1], flags=re.ASCII).strip("_").lower() or None


def _export(nlp: Language, folder: Path, component: str | None) -> None:
    try:
        export_hf(nlp, folder, component=component)
    except ValueError as error:
        raise ValueError(Errors.TC293.format(detail=error)) from error
