"""Push a pipeline to the Hugging Face Hub: as a wheel and as a checkpoint, with a card."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from spacy.language import Language

from .tree import write_tree
from .upload import check_access, upload


def push(
    model: Language | str | Path,
    repo: str,
    *,
    component: str | None = None,
    name: str | None = None,
    version: str | None = None,
    private: bool = False,
    revision: str | None = None,
    message: str | None = None,
    create_pr: bool = False,
    wheel_only: bool = False,
    examples: Sequence[str] = (),
) -> str:
    """Upload a pipeline as a wheel and as a Hugging Face checkpoint, with a card, in one commit. Tokens are those of
    huggingface_hub: `hf auth login`, or HF_TOKEN.

    model (Language | str | Path): The pipeline, or the path or name of a saved one.
    repo (str): The repository, USER/NAME; it is made if it is not there.
    component (str | None): The `token_classifier`, if there are several.
    name (str | None): Name of the package without the language; if not given, that of the pipeline, or of the
        repository for a pipeline without a name.
    version (str | None): Version of the package; if not given, that of the pipeline.
    private (bool): Whether a new repository is private. One that is there has to be private then, too.
    revision (str | None): The branch; main if not given.
    message (str | None): The message of the commit.
    create_pr (bool): Whether to open a pull request with the commit instead.
    wheel_only (bool): Whether to leave the checkpoint out, for a pipeline that Hugging Face has no equivalent of.
    examples (Sequence[str]): Texts of which the card shows a few: they are published. If there are none, spaCy's own.
    RETURNS (str): The address of the commit, or of the pull request.
    RAISES (ValueError): TC287 to TC289 and TC291 to TC293, if it cannot be pushed as asked.
    RAISES (OSError): TC280 to TC286 and TC290, if the Hub does not take it.
    """
    check_access(repo, private=private, revision=revision, create_pr=create_pr)
    with tempfile.TemporaryDirectory() as place:
        tree = write_tree(
            model,
            Path(place) / "tree",
            repo,
            component=component,
            name=name,
            version=version,
            revision=revision,
            wheel_only=wheel_only,
            examples=examples,
        )
        return upload(tree, repo, private=private, revision=revision, message=message, create_pr=create_pr)
