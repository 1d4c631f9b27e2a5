"""`spacy tokclf debug`: check data, and their word pieces, before training."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import Errors
from ._app import app
from ._printer import msg
from ._reading import reading
from ._table import print_table, print_title
from ._util import JSON_HELP, failing_cleanly, parse_overrides, write_json

if TYPE_CHECKING:
    from ..corpus.options import ReadOptions
    from ..start.findings import Findings, Part
    from ..start.pieces import PieceFacts

_LABEL_ROWS = 60


@app.command("debug", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@reading(data_sets=True, overlap="longest")
def debug_cli(
    context: typer.Context,
    data: Annotated[str, typer.Argument(help="Training data, in any form that `convert` reads")],
    config: Annotated[
        Path | None, typer.Argument(help="Training config; names language and encoder. Overrides: --section.key value")
    ] = None,
    dev: Annotated[str | None, typer.Option("--dev", "-d", help="Development data")] = None,
    encoder: Annotated[str | None, typer.Option("--encoder", "-e", help="Encoder, if the config names none")] = None,
    lang: Annotated[str | None, typer.Option("--lang", "-l", help="Language, if no config is given (en)")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with code 1 after warnings too")] = False,
    json_path: Annotated[Path | None, typer.Option("--json", "-j", help=JSON_HELP.replace("scores", "facts"))] = None,
    *,
    options: "ReadOptions",
) -> None:
    """Check data before training: labels, spans that do not fit, missing annotation, repeats, unknown word pieces.

    Exit code 1 if training could not work with these data.
    """
    with failing_cleanly():
        settings = _settings(config, context.args)
        found = debug(data, settings, dev=dev, encoder=encoder, lang=lang, options=options)
        if json_path is not None:
            write_json(json_path, found)
        if found["errors"] or (strict and found["warnings"]):
            raise typer.Exit(1)


def debug(
    data: str,
    settings: dict[str, Any],
    *,
    dev: str | None = None,
    encoder: str | None = None,
    lang: str | None = None,
    options: "ReadOptions",
) -> dict[str, Any]:
    """Check data and print what was found.

    data (str): The training data.
    settings (dict[str, Any]): The training config, or nothing.
    dev (str | None): The development data.
    encoder (str | None): An encoder, if the config names none.
    lang (str | None): A language, if the config names none.
    options (ReadOptions): How to read the data.
    RETURNS (dict[str, Any]): Facts by part of the data, of the encoder, and the errors and warnings that were printed.
    RAISES (ValueError): TC1xx, if the data cannot be read; TC010 to TC017 and TC280 to TC285,
        if the encoder cannot.
    """
    from ..pipeline.load import blank_pipeline
    from ..start.findings import Findings, check_config, check_parts, check_pieces, read_part
    from ..start.pieces import encoder_in_config, load_shim, piece_facts

    nlp = blank_pipeline(settings.get("nlp", {}).get("lang") or lang or "en")
    parts = {"train": read_part(data, nlp, options)}
    if dev is not None:
        parts["dev"] = read_part(dev, nlp, options)
    _print_parts(parts)
    findings = Findings()
    check_parts(parts, findings)
    name, revision, window = encoder_in_config(settings)
    name = name or encoder
    pieces: dict[str, Any] = {}
    if name is not None:
        docs = (doc for part in parts.values() for doc in part.docs)
        facts = piece_facts(docs, load_shim(name, revision), window=window)
        pieces = {"encoder": name, **asdict(facts)}
        del pieces["lengths"]
        _print_pieces(name, facts)
        check_pieces(facts, findings)
    check_config(settings, findings)
    msg.divider("Findings")
    show_findings(findings)
    return {
        **{split: part.summary for split, part in parts.items()},
        "pieces": pieces,
        "errors": findings.errors,
        "warnings": findings.warnings,
    }


def _settings(config: Path | None, words: list[str]) -> dict[str, Any]:
    """Read a config, with the overrides that stand behind it. RAISES (ValueError): TC090, if they are none; TC141."""
    from ..pipeline.load import read_config

    if config is None or str(config).startswith("-"):
        words = [*([str(config)] if config is not None else []), *words]
        if words:
            raise ValueError(Errors.TC090.format(detail=f"{words[0]!r} is no option, and there is no config."))
        return {}
    return read_config(config, parse_overrides(words))


def show_findings(findings: "Findings") -> None:
    """Print errors and warnings.

    findings (Findings): What was found.
    """
    for text in findings.errors:
        msg.fail(text)
    for text in findings.warnings:
        msg.warn(text)
    if not findings.errors and not findings.warnings:
        msg.good("Nothing to object to")


def _print_pieces(name: str, facts: "PieceFacts") -> None:
    """Print what the encoder will see."""
    print_title(f"Word pieces of {name}")
    msg.text(
        f"{facts.pieces} word pieces, {100 * facts.share_unknown:.2f} % unknown; {facts.n_unseen} word(s) without any; "
        f"longest text {facts.longest} pieces; {facts.long_texts} text(s) take more than one window of {facts.window}"
    )


def _print_parts(parts: dict[str, "Part"]) -> None:
    """Print counts, and entities by type."""
    msg.divider("Data")
    keys = ("texts", "tokens", "missing", "unannotated", "without_entities", "entities")
    rows = [(split, *(part.summary[key] for key in keys)) for split, part in parts.items()]
    header = ("", "texts", "tokens", "no gold", "not annotated", "no entity", "entities")
    print_table(rows, header=header, divider=True, aligns=("l", *"r" * len(keys)))
    types = sorted({label for part in parts.values() for label in part.facts.entities})
    rows = [(label, *(part.facts.entities[label] for part in parts.values())) for label in types]
    if rows:
        print_table(rows[:_LABEL_ROWS], header=("type", *parts), divider=True, aligns=("l", *"r" * len(parts)))
    if len(rows) > _LABEL_ROWS:
        msg.text(f"... and {len(rows) - _LABEL_ROWS} more types")
