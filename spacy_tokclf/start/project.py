"""From somebody's own data to train, dev and a config that trains as it is."""

import errno
import math
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from ..corpus.convert import write_any
from ..corpus.options import ReadOptions
from ..errors import Errors
from ..pipeline.load import blank_pipeline
from ..runtime.files import updated_folder
from ..runtime.progress import progress
from .config import check_path, config_text
from .embedded_encoder import embedded_encoder, embedded_named
from .findings import Findings, Part, check_parts, check_pieces, read_part
from .languages import check_language
from .pieces import PieceFacts, load_shim, piece_facts
from .plan import Plan, make_plan
from .source import NAME, Source, open_source
from .split import split_docs

CONFIG, TRAIN, DEV = "config.cfg", "train.spacy", "dev.spacy"
#: The share of dev, if nothing else is said.
SHARE = 0.2
#: What is meant as a share, whether it is one or not: 0.2, .2, 0,2, 20%, nothing.
_LIKE_A_SHARE = re.compile(r"\s*([-+]?[\d.,]*(e[-+]?\d+)?\s*%?|[-+]?(nan|inf))\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Project:
    """What a project begins with, before anything is written.

    parts (dict[str, Part]): What was read: "data" to be split, or "train" and "dev".
    train, dev (list[Doc]): The texts for each.
    findings (Findings): What is to be said about them.
    encoder (str): The encoder's folder, or its name on the Hub.
    pieces (PieceFacts): What it sees.
    plan (Plan): The numbers of the config.
    lang (str): The language.
    source (Source | None): The pipeline that the component is put into.
    """

    parts: dict[str, Part]
    train: list[Doc]
    dev: list[Doc]
    findings: Findings
    encoder: str
    pieces: PieceFacts
    plan: Plan
    lang: str
    source: Source | None

    @property
    def pipe(self) -> str:
        """RETURNS (str): The name of the component."""
        return self.source.pipe if self.source else NAME

    def write(self, out: str | Path, *, force: bool = False) -> Path:
        """Write config.cfg, train.spacy and dev.spacy: all of them, or none.

        out (str | Path): Their folder; other files in it stay.
        force (bool): Whether to replace earlier ones.
        RETURNS (Path): The config.
        RAISES (ValueError): As `check_place`; TC339, for a path of the encoder that no config can hold.
        """
        out = Path(out)
        check_place(out, force=force)
        paths = {"train": str((out / TRAIN).absolute()), "dev": str((out / DEV).absolute()), "encoder": self.encoder}
        paths |= {"source": self.source.name} if self.source else {}
        text = config_text(self.plan, paths=paths, lang=self.lang, pipe=self.pipe, source=self.source)
        with updated_folder(out) as made:
            made.mkdir(parents=True)
            write_any(self.train, made / TRAIN)
            write_any(self.dev, made / DEV)
            (made / CONFIG).write_text(text, encoding="utf-8")
        return out / CONFIG


def start_project(
    data: str,
    out: str | Path,
    *,
    dev: str | float = SHARE,
    encoder: str | None = None,
    lang: str | None = None,
    epochs: int | None = None,
    source: str | None = None,
    options: ReadOptions | None = None,
    force: bool = False,
) -> Path:
    """Make a project: `prepare_project`, and what it gives written to a folder.

    data, dev, encoder, lang, epochs, source, options: As for `prepare_project`.
    out (str | Path): The folder.
    force (bool): Whether to replace an earlier project in it.
    RETURNS (Path): The config.
    RAISES (ValueError): As `prepare_project` and `Project.write`.
    """
    check_place(out, force=force)
    project = prepare_project(data, dev=dev, encoder=encoder, lang=lang, epochs=epochs, source=source, options=options)
    return project.write(out, force=force)


def prepare_project(
    data: str,
    *,
    dev: str | float = SHARE,
    encoder: str | None = None,
    lang: str | None = None,
    epochs: int | None = None,
    source: str | None = None,
    options: ReadOptions | None = None,
) -> Project:
    """Read and check data, split them, and choose encoder and numbers.

    data (str): Annotated data in any form.
    dev (str | float): Data of any form to choose the best pipeline on, or the share of the texts that is taken for it.
    encoder (str | None): An encoder's folder, its name on the Hub, or "embedded-large"; None: "embedded-small".
    lang (str | None): The language, for the tokenizer; None: English, or that of the source.
    epochs (int | None): How often each text is seen; None: as often as the size of the data asks for.
    source (str | None): A pipeline to put the component into, in the place of its `ner`.
    options (ReadOptions | None): How to read the data.
    RETURNS (Project): All that is to be written.
    RAISES (ValueError): TC334 or TC335, if the data cannot be trained on; TC336 or TC337, if no dev set can be taken
        from them; TC340 for fewer than one epoch; TC341 or TC342 for a source that does not fit; TC1xx, if the data
        cannot be read; TC330 to TC333, TC530, TC010 to TC017 and TC280 to TC285 for the encoder.
    """
    if epochs is not None and epochs < 1:
        raise ValueError(Errors.TC340.format(value=epochs))
    share = _share(dev)
    base = open_source(source) if source else None
    nlp = base.nlp if base else blank_pipeline("en" if lang is None else lang)
    own = str(nlp.lang)
    if base and lang not in (None, own):
        raise ValueError(Errors.TC342.format(lang=lang, source=source, own=own))
    options = options or ReadOptions()
    parts = {"data" if share else "train": read_part(data, nlp, options)}
    if not share:
        parts["dev"] = read_part(str(dev), nlp, options)
    findings = Findings(examples=1)
    _check_data(data, parts, nlp, findings)
    train, held = _split(parts, share, findings)
    name = _encoder_name(encoder)
    shim = load_shim(name)
    docs = progress(train + held, label="Counting word pieces")
    pieces = piece_facts(docs, shim)
    plan = make_plan(list(map(len, train)), pieces.lengths[: len(train)], shim, encoder=name, epochs=epochs)
    check_pieces(pieces, findings)
    check_language(train, own, name, findings)
    return Project(parts, train, held, findings, name, pieces, plan, own, base)


def check_place(out: str | Path, *, force: bool = False) -> None:
    """Refuse a folder that a project is in, or in which there can be none.

    out (str | Path): The folder.
    force (bool): Whether a project in it may be replaced.
    RAISES (ValueError): TC338; TC339, for a path that no config can hold.
    RAISES (OSError): FileExistsError, if it, or what it is to be in, is no folder.
    """
    check_path(str(Path(out).absolute()))
    for path in (Path(out), *Path(out).parents):
        if (path.exists() or path.is_symlink()) and not path.is_dir():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    found = [path for name in (CONFIG, TRAIN, DEV) if (path := Path(out) / name).exists()]
    if found and not force:
        raise ValueError(Errors.TC338.format(path=found[0]))


def _share(dev: str | float) -> float | None:
    """Tell a share from data. RETURNS (float | None): The share; None if it is data. RAISES (ValueError): TC337."""
    if isinstance(dev, str):
        if (dev and Path(dev).exists()) or not _LIKE_A_SHARE.fullmatch(dev):
            return None
        try:
            share = float(dev)
        except ValueError:
            share = math.nan
    else:
        share = dev
    if not 0.0 < share < 1.0:
        raise ValueError(Errors.TC337.format(value=dev))
    return share


def _check_data(data: str, parts: dict[str, Part], nlp: Language, findings: Findings) -> None:
    """Check what was read. RAISES (ValueError): TC334 or TC335, if it cannot be trained on."""
    for part in parts.values():
        masked = part.report.counts["mask"]
        if 2 * masked > part.report.spans:
            example = part.report.examples_of("mask")[0]
            facts = {"count": masked, "spans": part.report.spans, "lang": nlp.lang, "example": example}
            raise ValueError(Errors.TC335.format(data=data, **facts))
    check_parts(parts, findings)
    if findings.errors:
        raise ValueError(Errors.TC334.format(data=data, errors="; ".join(findings.errors)))


def _split(parts: dict[str, Part], share: float | None, findings: Findings) -> tuple[list[Doc], list[Doc]]:
    """Give train and dev. RAISES (ValueError): TC336, if there is too little for both."""
    if share is None:
        return parts["train"].docs, parts["dev"].docs
    docs = parts["data"].docs
    split = split_docs(docs, share)
    train, dev = [docs[i] for i in split.train], [docs[i] for i in split.dev]
    lost = sorted(set(count_types(train)) - set(count_types(dev)))
    if lost:
        findings.warn(
            f"{len(lost)} type(s) with too few texts to be in dev, too: no score tells how well they do", lost
        )
    return train, dev


def count_types(docs: Sequence[Doc]) -> Counter[str]:
    """Count entities.

    docs (Sequence[Doc]): Annotated Docs.
    RETURNS (Counter[str]): Entities by type.
    """
    return Counter(ent.label_ for doc in docs for ent in doc.ents)


def _encoder_name(encoder: str | None) -> str:
    """Give the encoder as the config names it: a folder by its whole path."""
    embedded = embedded_named(encoder)
    if embedded is not None:
        return str(embedded_encoder(embedded))
    named = str(encoder)
    return str(Path(named).absolute()) if Path(named).exists() else named
