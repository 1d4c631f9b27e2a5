"""Annotate the texts of a source, and write their entities: what the command `annotate` does."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from spacy.language import Language

from ..corpus.options import ReadOptions
from ..errors import Errors
from ..pipeline.token_classifier import TokenClassifier, find_component
from ..runtime.progress import progress
from .inputs import read_items
from .items import Annotated
from .outputs import Target, check_output, write_annotated
from .predict import annotate_items

#: How many texts that failed are named.
SHOWN = 3
#: Characters of what is said of each.
LENGTH = 200


@dataclass
class Summary:
    """What was done.

    texts (int): Texts that were read.
    entities (int): Entities found in them, and written.
    failed (int): Texts that could not be annotated.
    errors (list[str]): Why, of the first of them.
    left_out (int): Texts that the form written has no place for.
    first_left_out (str): The first of them.
    replaced (set[str]): Keys of the rows that had something of their own where entities were written.
    """

    texts: int = 0
    entities: int = 0
    failed: int = 0
    errors: list[str] = field(default_factory=list)
    left_out: int = 0
    first_left_out: str = ""
    replaced: set[str] = field(default_factory=set)

    def counted(self, found: Iterable[Annotated]) -> Iterator[Annotated]:
        """Pass texts on, and count them.

        found (Iterable[Annotated]): The texts.
        YIELDS (Annotated): Each text.
        """
        for each in found:
            self.texts += 1
            self.entities += len(each.doc.ents)
            if each.error:
                self.failed += 1
                where = "" if each.item.where and each.item.where in each.error else f"{each.item.where}: "
                self.errors += [f"{where}{each.error}"[:LENGTH]] if len(self.errors) < SHOWN else []
            yield each

    def refuse(self, which: str, entities: int) -> None:
        """Count a text that the form has no place for.

        which (str): Where it stands, or why.
        entities (int): Entities in it, which are not written.
        """
        self.left_out += 1
        self.entities -= entities
        self.first_left_out = self.first_left_out or which


def annotate_texts(
    nlp: Language,
    source: str | Path,
    output: str | Path,
    *,
    options: ReadOptions | None = None,
    text_column: int | str | None = None,
    threshold: float | None = None,
    component: str | None = None,
    batch_size: int | None = None,
    n_process: int = 1,
    streams: tuple[BinaryIO, BinaryIO] | None = None,
) -> Summary:
    """Annotate texts and write their entities, in a stream.

    nlp (Language): The pipeline.
    source (str | Path): The texts, as for `read_items`.
    output (str | Path): *.jsonl, *.csv, *.spacy, *.conll, or *.ann for a folder of brat; "-" for JSON lines to the
        standard output. It is there whole or, after an error, not at all.
    options (ReadOptions | None): How to read.
    text_column (int | str | None): The column of a table that has the texts.
    threshold (float | None): The threshold of the component; None: its own.
    component (str | None): The component, if there are several.
    batch_size (int | None): Texts in a batch; None: the pipeline's own.
    n_process (int): Number of processes.
    streams (tuple[BinaryIO, BinaryIO] | None): What "-" stands for: standard input and output.
    RETURNS (Summary): What was done. A text that fails is written without annotation, with the reason where the form
        has a place, and counted.
    RAISES (ValueError): TC119, TC022, TC255, for the options; TC364, TC294, TC391, for the output; TC390, if it has no
        place for any of the texts; TC241, TC363, if the pipeline does not work; TC372, if there are no texts; as
        `read_items`.
    """
    for name, value in (("batch_size", batch_size), ("n_process", n_process)):
        if value is not None and value < 1:
            raise ValueError(Errors.TC119.format(name=name, value=value, least=1))
    check_output(output)
    if os.path.exists(source) and os.path.exists(output) and os.path.samefile(source, output):
        raise ValueError(Errors.TC391.format(path=output))
    options = options or ReadOptions()
    if threshold is not None or component is not None:
        pipe = find_component(nlp, component)
        pipe.threshold = pipe.cfg["threshold"] if threshold is None else threshold
    stdin, stdout = streams or (None, None)
    summary = Summary()
    items = read_items(source, options, text_column=text_column, stdin=stdin)
    found = annotate_items(nlp, items, keep_tokens=options.keep_tokens, batch_size=batch_size, n_process=n_process)
    with contextlib.closing(found):
        shown = progress(_some(summary.counted(found), source), label="Annotating")
        write_annotated(shown, Target(output, what_annotated(nlp), stdout, summary.refuse, summary.replaced))
    return summary


def what_annotated(nlp: Language) -> dict[str, Any]:
    """Name a pipeline, for what it wrote.

    nlp (Language): The pipeline.
    RETURNS (dict[str, Any]): Its name and version, and the threshold of its token classifier, by name if there are
        several.
    """
    thresholds = {name: pipe.cfg["threshold"] for name, pipe in nlp.pipeline if isinstance(pipe, TokenClassifier)}
    said: dict[str, Any] = {"model": f"{nlp.lang}_{nlp.meta.get('name') or 'pipeline'}", "version": nlp.meta["version"]}
    if thresholds:
        said["threshold"] = thresholds if len(thresholds) > 1 else next(iter(thresholds.values()))
    return said


def _some(found: Iterable[Annotated], source: str | Path) -> Iterator[Annotated]:
    """Insist on a text. RAISES (ValueError): TC372."""
    is_empty = True
    for each in found:
        is_empty = False
        yield each
    if is_empty:
        raise ValueError(Errors.TC372.format(path=source))
