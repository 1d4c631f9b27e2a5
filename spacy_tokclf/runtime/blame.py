"""Whose an error is: of what a user gave, which libraries trip over, or of our own code, which is a bug to be shown."""

import re

_PACKAGE = __name__.split(".")[0]
#: Name and password in an address.
_CREDENTIALS = re.compile(r"(?<=://)[^\s/?#'\"<>]+@")


def is_own(error: BaseException) -> bool:
    """Tell whether code of this package raised an error: one with a code, or a bug.

    error (BaseException): The error, as caught.
    RETURNS (bool): Whether the last frame that it went through is ours.
    """
    trace = error.__traceback__
    if trace is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    module = str(trace.tb_frame.f_globals.get("__name__"))
    return module == _PACKAGE or module.startswith(f"{_PACKAGE}.")


def is_panic(error: BaseException) -> bool:
    """Tell whether code in Rust broke off, as that of tokenizers does on strange files. Its class is no Exception, and
    cannot be imported.

    error (BaseException): The error, as caught.
    RETURNS (bool): Whether it is such a panic.
    """
    return type(error).__name__ == "PanicException"


def short(error: BaseException, *, limit: int = 1000) -> str:
    """Give the text of an error as a sentence on one line, without signatures and credentials in addresses.

    error (BaseException): The error.
    limit (int): How many characters at most.
    RETURNS (str): The text; the name of the error's class, if it has none.
    """
    text = re.sub(r"(https?://[^\s?]+)\?[^\s'\"]+", r"\1", " ".join(without_credentials(str(error)).split()))
    text = f"{text[:limit].rstrip()} ..." if len(text) > limit else text or type(error).__name__
    return text if text.endswith((".", "!", "?")) else f"{text}."


def without_credentials(text: str) -> str:
    """Leave name and password out of addresses, which may come from HF_ENDPOINT.

    text (str): An address, or a text with addresses.
    RETURNS (str): The text, https://name:password@host as https://host.
    """
    return _CREDENTIALS.sub("", text)


def as_cause(error: BaseException) -> BaseException | None:
    """Give an error as the cause of another one, which tracebacks show beside it.

    error (BaseException): The error, as caught.
    RETURNS (BaseException | None): The error; None if it, or what led to it, tells credentials.
    """
    cause: BaseException | None = error
    while cause is not None:
        if without_credentials(str(cause)) != str(cause):
            return None
        cause = cause.__cause__ or cause.__context__
    return error
