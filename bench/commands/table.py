"""`table`: the tables of docs/measurements.md, from the rows alone: all systems side by side, and our targets."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from wasabi import msg

from ..rows import Row, read_rows
from ..system import OURS
from ..targets import check_targets

#: Columns: the work in the rows, and what stands above.
COLUMNS = (
    ("train", "training, posts/s"),
    ("annotate", "annotating, words/s"),
    ("latency", "one text, ms"),
    ("load", "loading, s"),
    ("memory of training", "training, MiB"),
    ("memory of annotating", "annotating, MiB"),
)
#: Lines: what stands at the left, precision, and the systems of the rows that it stands for.
LINES = (
    (
        OURS,
        ("fp32", "bf16"),
        (f"{OURS} spacy train", f"{OURS} nlp.pipe", f"{OURS} nlp(text)", f"{OURS} spacy.load"),
    ),
    (
        f"{OURS}, ONNX Runtime",
        ("fp32", "int8"),
        (
            f"{OURS} nlp.pipe, ONNX Runtime",
            f"{OURS} nlp(text), ONNX Runtime",
            f"{OURS} spacy.load, ONNX Runtime",
        ),
    ),
    (
        'Trainer, pipeline("ner")',
        ("fp32",),
        ("Trainer, tutorial recipe", 'pipeline("ner")', 'pipeline("ner"), one by one'),
    ),
    ("the same in batches of 32", ("fp32",), ('pipeline("ner"), batches of 32',)),
    (
        "the same by length",
        ("fp32", "bf16"),
        ("Trainer, group_by_length", 'pipeline("ner"), sorted batches of 32'),
    ),
    ("spacy-transformers, transition NER", ("fp32",), ("spacy-transformers + transition NER",)),
    ("hf_token_pipe", ("fp32",), ("hf_token_pipe",)),
    ("ONNX Runtime by hand", ("fp32", "int8"), ("ONNX Runtime by hand",)),
    ("bare torch", ("fp32", "bf16"), ("bare torch loop", "bare torch forward")),
    ("bare torch, our kernels", ("fp32", "bf16"), ("bare torch loop, packed", "bare torch forward, packed")),
    ("bare ONNX Runtime", ("fp32", "int8"), ("bare ONNX Runtime forward",)),
)


def report(folder: Path) -> None:
    """Print both tables.

    folder (Path): The folder of the rows.
    """
    rows = all_rows(folder)
    if not rows:
        msg.fail(f"There are no results in {folder}", "`python -m bench all` makes them.", exits=1)
    print("\n".join([*systems_table(rows), "", *targets_table(rows)]))


def all_rows(folder: Path) -> list[Row]:
    """RETURNS (list[Row]): The rows of all files of a folder."""
    return [row for path in sorted(folder.glob("*.json")) if path.stem != "machine" for row in read_rows(path)]


def systems_table(rows: Sequence[Row]) -> Iterator[str]:
    """Put medians and ratios of all systems side by side.

    rows (Sequence[Row]): The rows.
    YIELDS (str): Lines of Markdown. Columns and lines without values are left out.
    """
    columns = [(work, title) for work, title in COLUMNS if any(row["work"] == work for row in rows)]
    found = {(row["work"], row["system"], row["precision"]): row for row in rows if row["work"] in dict(columns)}
    yield f"| | | {' | '.join(title for _, title in columns)} |"
    yield f"|---|---|{'---:|' * len(columns)}"
    for name, precisions, systems in LINES:
        for precision in precisions:
            cells = []
            for work, _ in columns:
                own = (found.get((work, system, precision)) for system in systems)
                cells.append(next((cell(row) for row in own if row is not None), ""))
            if any(cells):
                yield f"| {name} | {precision} | {' | '.join(cells)} |"


def cell(row: Row) -> str:
    """RETURNS (str): The median of a row, and how many times the reference's it is."""
    value = row["value"]
    shown = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return shown if row["ratio"] is None or row["reference"] else f"{shown} ({row['ratio']:.2f}x)"


def targets_table(rows: Sequence[Row]) -> Iterator[str]:
    """Show our targets.

    rows (Sequence[Row]): The rows.
    YIELDS (str): Lines of Markdown.
    """
    yield "| target | set | measured | |"
    yield "|---|---|---:|---|"
    for target in check_targets(rows):
        yield f"| {target.what} | {target.limit} | {target.value} | {'reached' if target.holds else 'missed'} |"
