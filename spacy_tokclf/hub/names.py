"""Names on the Hugging Face Hub, and addresses made of them."""

import re
from urllib.parse import quote

from ..errors import Errors

_REPO = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)


def check_repo(repo: str) -> None:
    """Insist on a name with its owner: it stands in the card, in the lines to be copied.

    repo (str): The name.
    RAISES (ValueError): TC287.
    """
    if not _REPO.fullmatch(repo) or ".." in repo or "--" in repo or repo.endswith((".git", "-", ".")):
        raise ValueError(Errors.TC287.format(repo=repo))


def file_url(repo: str, name: str, *, revision: str | None = None) -> str:
    """Give the address of a file.

    repo (str): The repository, USER/NAME.
    name (str): The file.
    revision (str | None): Branch, tag or commit; main if not given.
    RETURNS (str): The address.
    """
    from huggingface_hub import constants

    return f"{constants.ENDPOINT}/{repo}/resolve/{quote(revision or 'main', safe='')}/{quote(name)}"
