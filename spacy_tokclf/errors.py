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

    TC100 = "There is no tag scheme {scheme!r}. Known schemes: {known}."
    TC101 = (
        "The tag {tag!r} ({where}) has an unknown prefix or no type. Expected {expected}. Correct the tag, "
        "or name the scheme that the data are written in."
    )
    TC102 = (
        "The span ({start}, {end}, {label!r}) cannot be written as tags of {length} tokens: a span needs "
        "0 <= start < end <= {length} (end exclusive) and a label."
    )
    TC103 = (
        "The spans {one} and {other} (start, end, label; end exclusive) overlap, and a token can have one "
        "tag only. Keep one of the two."
    )
    TC104 = (
        "The tags {one} and {other} belong to no common scheme (IOB1, IOB2, IOE1, IOE2, IOBES, BILOU or "
        "labels without prefixes). Correct one of them; or, if the data are right, name their scheme instead "
        "of detecting it."
    )
