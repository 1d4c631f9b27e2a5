"""Every error and warning this package raises, with a code.

A message says what went wrong, what was found, what was expected and how to fix it. Raise with
`raise ValueError(Errors.TC001.format(...))`; tests match on the code.
"""


class ErrorsWithCodes(type):
    """Prefix each message with its code, as spaCy's own errors do."""

    def __getattribute__(self, code: str) -> str:
        msg: str = super().__getattribute__(code)
        if code.startswith("__"):
            return msg
        return f"[{code}] {msg}"


class Warnings(metaclass=ErrorsWithCodes):
    """TW0: pipeline and models. TW1: corpus. TW2: metrics."""


class Errors(metaclass=ErrorsWithCodes):
    """TC0: pipeline, models, training. TC1: corpus and tags. TC2: metrics. TC3: project and CLI."""
