"""What becomes of every form of JSON with every slip, as data: "read" (right, as if there were no slip), "masked" (what
is marked has no gold, and a warning says so), or the code of the refusal."""

from json_slips import FILE_SLIPS, OFFSET_FORMS, TAG_FORMS, TOKEN_SPAN_FORMS

_NO_TEXTS = ("DataTurks", "LightTag", "UBIAI", "Label Studio", "Label Studio, hypertext", "Label Studio JSON-MIN")
#: Slips in spans of characters: what becomes of most forms, and of others. Those that say what a span reads are told
#: where offsets are wrong, and which way of counting is right.
_SPANS = {
    "none": ("read", {}),
    "offsets one too high": ("masked", dict.fromkeys(_NO_TEXTS, "TC164")),
    "end one too low": ("masked", dict.fromkeys(_NO_TEXTS, "read")),
    "end behind the text": ("TC162", {}),
    "start after end": ("TC162", {}),
    "half a word": ("masked", {}),
    "white space at the end": ("read", {}),
    "offset as a string": ("TC173", {"Label Studio": "masked", "Label Studio JSON-MIN": "masked"}),
    "label null": ("masked", {}),
    "label empty": ("masked", {}),
    "label a number": ("TC163", {}),
    "overlap": ("TC165", {}),
    "span twice": ("read", {}),
    "text a number": (
        "TC168",
        dict.fromkeys(
            (
                "Doccano, text under data",
                "spaCy TRAIN_DATA",
                "spaCy, older",
                "DataTurks",
                "LightTag",
                "UBIAI",
            ),
            "TC161",
        ),
    ),
    "text half a character": ("TC168", {}),
}
_TAGS = {
    "none": ("read", {}),
    "a tag too few": ("TC110", {}),
    "a tag null": ("masked", {}),
    "tags as numbers": ("TC176", {}),
    "prefix unknown": ("TC101", {}),
    "I- after O": ("read", {}),
    "a token empty": ("TC181", {}),
    "a token a number": ("TC161", {}),
    "two schemes": ("TC104", {}),
}
_TOKEN_SPANS = {
    "none": ("read", {}),
    "behind the tokens": ("TC182", {}),
    "label empty": ("masked", {}),
    "label a number": ("TC163", {}),
    "overlap": ("TC165", {}),
    "offset as a string": ("TC173", {"SpERT": "TC161"}),
    "a token empty": ("TC181", {}),
}
#: Slips in files, of all forms alike.
_FILES = {
    "file empty": "TC169",
    "file cut off": "TC160",
    "last line cut off": "TC160",
    "byte order mark": "read",
    "UTF-16 with a mark": "read",
    "latin-1": "TC111",
    "lines end in CR LF": "read",
    "blank lines": "read",
    "packed": "read",
    "one list": "read",
    "a list over many lines": "read",
    "objects over many lines": "read",
    "a key twice": "TC160",
    "NaN": "TC160",
    "a foreign row": "TC161",
    "Python's quotes": "TC160",
}


def _table():
    rows = []
    for forms, outcomes in ((OFFSET_FORMS, _SPANS), (TAG_FORMS, _TAGS), (TOKEN_SPAN_FORMS, _TOKEN_SPANS)):
        for form in forms:
            rows += [(form, slip, others.get(form, most)) for slip, (most, others) in outcomes.items()]
            rows += [(form, slip, _FILES[slip]) for slip in FILE_SLIPS if slip != "none"]
    return rows


#: Form, slip, outcome.
TABLE = _table()
