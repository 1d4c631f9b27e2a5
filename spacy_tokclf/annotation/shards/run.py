"""Annotate a corpus that does not fit, in shards: what the command `annotate --engine` does."""

import os
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ...corpus.options import ReadOptions
from ...errors import Errors
from ...runtime.device import named_device
from ...runtime.files import whole_file
from ...runtime.found_devices import check_device
from ...runtime.progress import progress
from ...runtime.workplace import sweep
from .corpus import JSONL, PARQUET, Corpus, find_corpus, local_folder
from .cut import cut_shards
from .identity import file_facts, model_facts
from .manifest import QUARANTINE, Manifest, open_manifest, quarantine_name
from .rows import find_columns, parquet_schema
from .work import SHOWN, Setting
from .writers import check_json, output_schema

LOCAL, RAY = "local", "ray"
ENGINES = (LOCAL, RAY)
#: Rows of a shard.
SHARD_ROWS = 50_000


@dataclass
class Totals:
    """What there is in the end.

    shards (int): Shards.
    made (int): Those made this time.
    rows (int): Rows in all shards.
    entities (int): Entities in them.
    failed (int): Rows whose text could not be annotated.
    errors (list[str]): Why, of some of them.
    replaced (set[str]): Keys of the rows that had something of their own where entities were written.
    """

    shards: int = 0
    made: int = 0
    rows: int = 0
    entities: int = 0
    failed: int = 0
    errors: list[str] = field(default_factory=list)
    replaced: set[str] = field(default_factory=set)


def annotate_corpus(
    model: str,
    source: str,
    out: str | Path,
    *,
    engine: str = LOCAL,
    workers: int | None = None,
    shard_rows: int = SHARD_ROWS,
    resume: bool = False,
    address: str | None = None,
    options: ReadOptions | None = None,
    text_column: int | str | None = None,
    threshold: float | None = None,
    component: str | None = None,
    batch_size: int | None = None,
    gpu: int = -1,
) -> Totals:
    """Annotate the rows of a corpus, and write them, with their entities, in shards.

    model (str): Name or folder of the pipeline.
    source (str): A file, a folder or a glob of lines of text, JSON lines or Parquet; a path, or an address that fsspec
        opens.
    out (str | Path): The folder of shards.
    engine (str): "local" or "ray".
    workers (int | None): How many processes; None: as many as there are cores, or GPUs, here or in the cluster.
    shard_rows (int): Rows of a shard.
    resume (bool): Whether to go on where an earlier run was ended.
    address (str | None): The cluster of Ray; None: one on this machine.
    options (ReadOptions | None): How to read: `text_key`, `encoding`, and `format`, that of the shards: "jsonl",
        "parquet" or "auto", that of the corpus.
    text_column (int | str | None): The column, or key, of the texts.
    threshold (float | None): The threshold of the component; None: its own.
    component (str | None): The component, if there are several.
    batch_size (int | None): Texts in a batch; None: the pipeline's own.
    gpu (int): The number of the first GPU, -1 for none. The device of the encoder is the one that `set_device` or the
        environment names; of several processes on GPUs, that of the first.
    RETURNS (Totals): What there is.
    RAISES (ValueError): TC119, TC522, TC523, for the options; TC143, for the device; TC524, TC525, for the folder;
        TC529, if files have changed meanwhile; as find_corpus, find_columns, open_manifest and the engines.
    """
    options = options or ReadOptions()
    _check_options(engine, address, options.format, workers=workers, shard_rows=shard_rows, batch_size=batch_size)
    device = named_device()
    if device is not None and address is None:  # else it is on other machines
        check_device(device)
    folder = _check_out(str(out), source)
    corpus = find_corpus(source)
    columns = find_columns(corpus, options, text_column)
    form = options.format if options.format != "auto" else PARQUET if corpus.form == PARQUET else JSONL
    _check_form(corpus, form, columns.text)
    setting = Setting(
        os.path.abspath(model) if os.path.isdir(model) else model,
        corpus,
        columns,
        str(folder.absolute()),
        form,
        threshold,
        component,
        batch_size,
        gpu,
        None if device is None else str(device),
    )
    about = _about(setting, shard_rows)
    with open_manifest(folder, about, resume=resume) as manifest:
        _sweep(manifest)
        before = len(manifest.done)
        shards = cut_shards(corpus, shard_rows, manifest.done)
        if engine == RAY:
            from .cluster import annotate_on_cluster

            found = annotate_on_cluster(shards, setting, workers=workers, address=address)
        else:
            from .local import annotate_locally

            found = annotate_locally(
                shards, setting, workers=workers or _count_workers(setting), keep_open=(manifest.lock,)
            )
        _note(found, manifest)
        if len(manifest.done) > before:
            _check_unchanged(corpus, source, folder)
        return _sum_up(manifest, before, source)


def _check_options(engine: str, address: str | None, form: str, **numbers: int | None) -> None:
    """Make sure that the options go together. RAISES (ValueError): TC119, TC522, TC523."""
    for name, value in numbers.items():
        if value is not None and value < 1:
            raise ValueError(Errors.TC119.format(name=name, value=value, least=1))
    if engine not in ENGINES:
        raise ValueError(Errors.TC522.format(name="engine", value=engine, known=", ".join(ENGINES)))
    if form not in ("auto", JSONL, PARQUET):
        raise ValueError(Errors.TC522.format(name="format", value=form, known=f"{JSONL}, {PARQUET}"))
    if address is not None and engine != RAY:
        raise ValueError(Errors.TC523.format(option="--address", how="without --engine ray"))


def _note(found: Generator[dict[str, Any], None, None], manifest: Manifest) -> None:
    """Note shards as they are done. Whatever ends that ends the processes, and what they leave behind goes."""
    try:
        with closing(found):
            for said in progress(found, label="Annotating", unit="shards"):
                manifest.note(said)
    finally:
        _sweep(manifest)


def _check_unchanged(corpus: Corpus, source: str, folder: Path) -> None:
    """Make sure that all was made from the same files. RAISES (ValueError): TC529."""
    changed = sorted({part.name for part in set(corpus.parts) ^ set(find_corpus(source).parts)})
    if changed:
        raise ValueError(Errors.TC529.format(names=", ".join(changed[:SHOWN]), out=folder))


def _sum_up(manifest: Manifest, before: int, source: str) -> Totals:
    """Count, and put together what could not be annotated."""
    numbers = sorted(manifest.done)
    totals = Totals(len(numbers), len(numbers) - before)
    for said in (manifest.done[number] for number in numbers):
        totals.rows += said["rows"]
        totals.entities += said["entities"]
        totals.failed += said["failed"]
        totals.errors = (totals.errors + said["errors"])[:SHOWN]
        totals.replaced.update(said["replaced"])
    if not totals.rows:
        raise ValueError(Errors.TC372.format(path=source))
    parts = [manifest.folder / quarantine_name(number) for number in numbers if manifest.done[number]["quarantine"]]
    if manifest.finished is None:
        facts: dict[str, Any] = {"shards": totals.shards, "rows": totals.rows, "failed": totals.failed}
        if parts:
            with whole_file(manifest.folder / QUARANTINE) as made, made.open("wb") as file:
                for part in parts:
                    file.write(part.read_bytes())
            facts |= {QUARANTINE: file_facts(manifest.folder / QUARANTINE)}
        manifest.note(facts)
    for part in parts:
        part.unlink(missing_ok=True)
    return totals


def _about(setting: Setting, shard_rows: int) -> dict[str, Any]:
    """Say what the shards are made from, as far as it decides what is in them."""
    options = {"shard_rows": shard_rows, "format": setting.format, "threshold": setting.threshold}
    options |= {"component": setting.component, "device": setting.kind}
    options |= setting.columns._asdict() | {"form": setting.corpus.form}
    return {
        "tokclf": {"shards": 1, "version": version("spacy-tokclf")},
        "model": model_facts(setting.model),
        "options": options,
        "input": {part.name: [part.size, part.digest] for part in setting.corpus.parts},
    }


def _check_out(out: str, source: str) -> Path:
    """Make sure that shards can be written to a place. RAISES (ValueError): TC524, TC525."""
    if "://" in out or Path(out).suffix or (Path(out).exists() and not Path(out).is_dir()):
        raise ValueError(Errors.TC524.format(out=out))
    if "://" not in source or source.startswith(("file://", "local://")):
        folder = local_folder(source)
        if folder is not None and Path(out).resolve().is_relative_to(folder.resolve()) and folder.is_dir():
            place = Path(source.split("://")[-1])
            if place.is_dir() or "*" in source:
                raise ValueError(Errors.TC525.format(out=out, source=source))
    return Path(out)


def _check_form(corpus: Corpus, form: str, text: str | None) -> None:
    """Make sure that shards of a form can hold the rows. RAISES (ValueError): TC502, TC512."""
    schema = parquet_schema(corpus) if corpus.form == PARQUET else None
    if form == PARQUET:
        output_schema(corpus.form, text, schema)
    elif schema is not None:
        check_json(schema)


def _sweep(manifest: Manifest) -> None:
    """Remove what is of shards that are not done: of a run that was ended while it wrote them."""
    for path in manifest.folder.glob("quarantine-*.jsonl"):
        number = path.stem.removeprefix("quarantine-")
        if number.isdecimal() and int(number) not in manifest.done:
            path.unlink(missing_ok=True)
    sweep(manifest.folder)


def _count_workers(setting: Setting) -> int:
    """RETURNS (int): As many as there are cores that this process may run on, or GPUs."""
    if setting.kind == "gpu":
        from .local import count_gpus

        return count_gpus()
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
