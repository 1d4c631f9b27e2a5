"""A colour for every entity type, the same in every set of types: for the page, and for displaCy."""

import hashlib
import math
from collections.abc import Iterable
from itertools import count

#: Common types, going round the wheel of hues: those that occur together in the usual sets lie far apart, and
#: neighbours differ in lightness. The names of one place mean the same.
WHEEL = (
    ("event",),
    ("corporation", "company", "brand"),
    ("ordinal",),
    ("organization", "organisation", "org"),
    ("group", "norp"),
    ("percent",),
    ("date",),
    ("time",),
    ("location", "loc"),
    ("money",),
    ("gpe",),
    ("creative-work", "creative_work", "work_of_art", "work-of-art"),
    ("quantity",),
    ("cardinal", "number"),
    ("person", "per", "people"),
    ("facility", "fac"),
    ("law",),
    ("product", "prod"),
    ("miscellaneous", "misc"),
    ("language",),
)
#: Lightness and chroma (OKLCH): black reads well on all of them, and they stand out from a white page and a dark one.
TONES = ((0.86, 0.105), (0.77, 0.125))
_PLACES = {name: place for place, names in enumerate(WHEEL) for name in names}


def colors(labels: Iterable[str]) -> dict[str, str]:
    """Give each entity type a colour on which black text reads well: `displacy.render(doc, style="ent",
    options={"colors": colors(labels)})`.

    A type has its colour from its name alone, whatever its case, as displaCy has it: the same in every set of types.
    Only where two types of a set would have the very same colour, the later one in the order of the alphabet takes the
    next of its own.

    labels (Iterable[str]): The types.
    RETURNS (dict[str, str]): The colour of each, as "#rrggbb", in the order given.
    """
    labels = list(dict.fromkeys(labels))
    taken: dict[str, str] = {}  # colour -> type
    for label in sorted(labels, key=lambda label: (label.casefold(), label)):
        color = next(color for turn in count() if (color := _color(label, turn)) not in taken)
        taken[color] = label
    chosen = {label: color for color, label in taken.items()}
    return {label: chosen[label] for label in labels}


def _color(label: str, turn: int) -> str:
    """Give the first colour of a type, or with a later turn another one."""
    place = _PLACES.get(label.casefold())
    if place is not None and not turn:
        return _hex(*TONES[place % 2], 360.0 * place / len(WHEEL))
    digest = hashlib.sha256(f"{label.casefold()} {turn}".encode("utf8", "surrogatepass")).digest()
    hue, tone = int.from_bytes(digest[:4], "big") / 2**32, digest[4] / 255
    # Any lightness and chroma between the two tones.
    lightness, chroma = (one + tone * (other - one) for one, other in zip(*TONES, strict=True))
    return _hex(lightness, chroma, 360.0 * hue)


def _hex(lightness: float, chroma: float, hue: float) -> str:
    """Write a colour of OKLCH in sRGB, with less chroma where sRGB does not have it (B. Ottosson 2020, "A perceptual
    color space for image processing")."""
    angle = math.radians(hue)
    while True:
        a, b = chroma * math.cos(angle), chroma * math.sin(angle)
        l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3  # noqa: E741
        m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
        s = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
        linear = (
            4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
            -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
            -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
        )
        if all(0.0 <= value <= 1.0 for value in linear):
            return "#" + "".join(f"{round(255 * _gamma(value)):02x}" for value in linear)
        chroma *= 0.96


def _gamma(value: float) -> float:
    """Turn linear light into a channel of sRGB."""
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
