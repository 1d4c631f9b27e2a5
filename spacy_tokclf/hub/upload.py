"""Upload a folder to a repository of the Hugging Face Hub, in one commit."""

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ..errors import Errors
from ..models.hf.hub_failures import hub_failures
from ..runtime.blame import without_credentials

#: Files of a checkpoint. Of an earlier one nothing may stay, since transformers would mix the two: weights in several
#: files are read only where there is no file with all of them.
CHECKPOINT = ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors", "model-*.safetensors")
INDEX = "model.safetensors.index.json"
_REPO = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)


def upload(
    tree: str | Path,
    repo: str,
    *,
    private: bool = False,
    revision: str | None = None,
    message: str | None = None,
    create_pr: bool = False,
) -> str:
    """Commit the files of a folder to a repository, all at once or not at all. Repository and branch are made if they
    are not there; files of an earlier checkpoint that are not in the folder are removed in the same commit, and all
    other files of the repository, wheels of other versions among them, stay.

    Tokens are those of huggingface_hub: `hf auth login`, or HF_TOKEN.

    tree (str | Path): The folder.
    repo (str): The repository, USER/NAME.
    private (bool): Whether a new repository is private. One that is there has to be private then, too.
    revision (str | None): The branch; main if not given.
    message (str | None): The message of the commit.
    create_pr (bool): Whether to open a pull request with the commit instead.
    RETURNS (str): The address of the commit, or of the pull request.
    RAISES (ValueError): TC287 to TC289, if the repository cannot be meant.
    RAISES (OSError): TC280 to TC286, if the Hub does not take it.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    api = HfApi()
    exists = check_access(repo, private=private, revision=revision, create_pr=create_pr)
    paths = sorted(path for path in Path(tree).rglob("*") if path.is_file())
    files = {path.relative_to(tree).as_posix(): path for path in paths}
    with hub_failures("push to", repo, revision=revision):
        if not exists:
            api.create_repo(repo, private=private, exist_ok=True)
        if revision is not None and not create_pr:
            api.create_branch(repo, branch=revision, exist_ok=True)
        there = api.model_info(repo, revision=revision).siblings or []
        stale = [file.rfilename for file in there if _is_stale(file.rfilename, files)]
        operations: list[Any] = [CommitOperationAdd(name, path) for name, path in files.items()]
        operations += [CommitOperationDelete(name) for name in stale]
        commit = api.create_commit(
            repo,
            operations,
            commit_message=message or "Upload a pipeline and its checkpoint with spacy-tokclf",
            revision=revision,
            create_pr=create_pr,
        )
    return without_credentials(str(commit.pr_url or commit.commit_url))


def check_repo(repo: str) -> None:
    """Insist on the full name of a repository, with its owner: the card has it in lines to be copied.

    repo (str): The name, USER/NAME.
    RAISES (ValueError): TC287, for any other.
    """
    if not _REPO.fullmatch(repo) or ".." in repo or "--" in repo or repo.endswith((".git", "-", ".")):
        raise ValueError(Errors.TC287.format(repo=repo))


def check_access(repo: str, *, private: bool = False, revision: str | None = None, create_pr: bool = False) -> bool:
    """Find out, before any work, whether a push can succeed, as far as the Hub tells.

    repo (str): The repository, USER/NAME.
    private (bool): Whether it has to be private.
    revision (str | None): The branch.
    create_pr (bool): Whether there will be a pull request.
    RETURNS (bool): Whether the repository is there.
    RAISES (ValueError): TC287 to TC289, if the repository cannot be meant.
    RAISES (OSError): TC280 to TC286, if the Hub refuses.
    """
    from huggingface_hub import HfApi, constants
    from huggingface_hub.utils import RepositoryNotFoundError

    check_repo(repo)
    if create_pr and revision not in (None, "main"):
        raise ValueError(Errors.TC288.format(revision=revision))
    if constants.HF_HUB_OFFLINE:
        raise OSError(Errors.TC290.format(repo=repo))
    api = HfApi()
    with hub_failures("push to", repo):
        api.whoami()
        try:
            info = api.model_info(repo)
        except RepositoryNotFoundError:
            if create_pr:
                raise
            return False
    if private and not info.private:
        raise ValueError(Errors.TC289.format(repo=repo))
    return True


def _is_stale(name: str, files: dict[str, Path]) -> bool:
    known = name == INDEX or any(fnmatch(name, pattern) for pattern in CHECKPOINT)
    return known and name not in files
