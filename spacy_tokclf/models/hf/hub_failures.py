"""What can go wrong between here and the Hugging Face Hub, in one place: each cause gets a code and says what helps."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from ... import compat
from ...errors import Errors
from ...runtime.blame import as_cause, short, without_credentials

#: What a token has to allow.
RIGHTS = {"load": "read it", "push to": "write to it"}
WHOLE = {
    "load": "A file that is not whole is not used, and what is whole is not fetched twice.",
    "push to": "All files are uploaded in one commit, which is made last: it is there whole or not at all.",
}
_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def hub_failures(action: str, name: str, *, revision: str | None = None) -> Iterator[None]:
    """Say with a code why the Hub, or the way to it, failed.

    action (str): "load" or "push to".
    name (str): The repository.
    revision (str | None): Its branch, tag or commit.
    RAISES (OSError): TC280 to TC285; TC010 or TC286 for anything else.
    """
    # Beside OSError: the base of what the HTTP library of this version raises, and failed uploads of single files.
    try:
        yield
    except (OSError, ValueError, RuntimeError, compat.http_error()) as error:
        known = _known_cause(error, action, name, revision or "main")
        if known is not None:
            raise OSError(known) from None  # all is said: what led to it would only be a long chain of HTTP
        if action == "load":
            facts = {"name": name, "revision": revision or "main", "detail": short(error)}
            raise OSError(Errors.TC010.format(**facts)) from as_cause(error)
        raise OSError(Errors.TC286.format(name=name, detail=short(error))) from as_cause(error)


def _known_cause(error: BaseException, action: str, name: str, revision: str) -> str | None:
    """Find the first cause that is known, from the error to what it came from."""
    cause: BaseException | None = error
    while cause is not None:
        message = _describe_one(cause, action, name, revision)
        if message is not None:
            return message
        cause = cause.__cause__ or cause.__context__
    return None


def _describe_one(error: BaseException, action: str, name: str, revision: str) -> str | None:
    from huggingface_hub import constants, get_token
    from huggingface_hub.utils import (
        LocalTokenNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    status, said = _answer(error)
    missing = isinstance(error, FileNotFoundError)
    if isinstance(error, RevisionNotFoundError):
        return Errors.TC281.format(name=name, revision=revision)
    if isinstance(error, LocalTokenNotFoundError) or status == 403 or (status == 401 and "credentials" in said):
        detail = "there is no token." if status is None else short(error)
        return Errors.TC282.format(action=action, name=name, detail=detail, right=RIGHTS[action])
    if isinstance(error, RepositoryNotFoundError):  # a gated one as well
        who = "the token in use" if get_token() else "somebody without a token"
        return Errors.TC280.format(name=name, who=who, right=RIGHTS[action])
    if isinstance(error, OSError) and error.errno in _FULL:
        return Errors.TC285.format(action=action, name=name, detail=short(error), cache=constants.HF_HUB_CACHE)
    if isinstance(error, OfflineModeIsEnabled) or (constants.HF_HUB_OFFLINE and missing):
        return Errors.TC284.format(name=name, revision=revision, cache=constants.HF_HUB_CACHE)
    if missing:  # not in the cache: for which reason it was not fetched is said by what it came from
        return None
    broken = status is not None and (status >= 500 or status in (408, 429))
    transport = isinstance(error, (ConnectionError, TimeoutError, compat.http_error())) and status is None
    unknown = isinstance(error, OSError) and (error.errno, status) == (None, None)
    if broken or transport or unknown:
        endpoint = without_credentials(constants.ENDPOINT)
        return Errors.TC283.format(
            action=action, name=name, endpoint=endpoint, detail=short(error), whole=WHOLE[action]
        )
    return None


def _answer(error: BaseException) -> tuple[int | None, str]:
    """Give status and message of the answer that an error of HTTP is about, None if it is about none."""
    response = getattr(error, "response", None)
    if response is None:
        return None, ""
    return response.status_code, response.headers.get("X-Error-Message", "")
