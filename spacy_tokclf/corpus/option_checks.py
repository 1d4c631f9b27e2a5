"""Options of reading that cannot be, refused whatever the form of the data."""

from dataclasses import fields

from ..errors import Errors
from ..tags import SCHEMES
from .align import MISALIGNED, OVERLAPS, check_choice
from .forms.json_shapes import FORMATS
from .forms.jsonl import OFFSETS
from .options import ReadOptions

_CHOICES = {
    "format": ("auto", *FORMATS),
    "on_misaligned": MISALIGNED,
    "overlap": OVERLAPS,
    "offsets": OFFSETS,
}


def check_options(options: ReadOptions) -> None:
    """Refuse values that none of the forms has a meaning for, and empty ones.

    options (ReadOptions): How to read.
    RAISES (ValueError): TC213 for an option that is empty; TC100 or TC167 for a choice that there is not.
    """
    for field in fields(options):
        if getattr(options, field.name) == "":
            raise ValueError(Errors.TC213.format(name=field.name, value="empty", expected="some text"))
    if options.scheme not in ("auto", *SCHEMES):
        raise ValueError(Errors.TC100.format(scheme=options.scheme, known=", ".join(SCHEMES)))
    for name, choices in _CHOICES.items():
        check_choice(name, getattr(options, name), choices)
