"""A dozen ways and more to write tags otherwise than they should be."""


def swap(tag, separator, *, behind=False, lower=False):
    """Write a tag with a prefix in another way."""
    if tag in ("O", "-") or tag[1:2] != "-":
        return tag.lower() if lower and tag == "O" else tag
    prefix, label = tag[0], tag[2:]
    prefix = prefix.lower() if lower else prefix
    return f"{label}{separator}{prefix}" if behind else f"{prefix}{separator}{label}"


#: Ways to disfigure a tag; each is given the tag and the number of the row.
DISFIGURE = {
    "lower": lambda tag, row: swap(tag, "-", lower=True),
    "underscore": lambda tag, row: swap(tag, "_"),
    "colon": lambda tag, row: swap(tag, ":"),
    "slash": lambda tag, row: swap(tag, "/"),
    "behind": lambda tag, row: swap(tag, "-", behind=True),
    "behind, underscore": lambda tag, row: swap(tag, "_", behind=True),
    "quoted": lambda tag, row: f'"{tag}"',
    "quoted singly": lambda tag, row: f"'{tag}'",
    "bare": lambda tag, row: tag[0] if tag[1:2] == "-" else tag,
    "no O": lambda tag, row: "_" if tag == "O" else tag,
    "zero": lambda tag, row: "0" if tag == "O" else tag,
    "empty O": lambda tag, row: "" if tag == "O" else tag,
    "none": lambda tag, row: "NONE" if tag == "O" else tag,
    "several": lambda tag, row: f"{tag}|{tag}",
    "words": lambda tag, row: ["the", "of", "Paris", "said"][row % 4],
    "every other": lambda tag, row: swap(tag, "_") if row % 2 else tag,
    "bracketed": lambda tag, row: f"[{tag}]",
    "numbers": lambda tag, row: str(len(tag)),
    "spaced": lambda tag, row: tag.replace("-", " ", 1) if tag[1:2] == "-" else tag,
}
