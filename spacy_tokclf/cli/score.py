"""`spacy tokclf score`: scores of two files."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from ..errors import Errors, Warnings
from ._app import app
from ._reading import column, reading
from ._util import JSON_HELP, RESAMPLES_HELP, TRAIN_HELP, failing_cleanly, write_json, write_jsonl

if TYPE_CHECKING:
    from ..corpus.options import ReadOptions
    from ..corpus.tagged import TaggedFile


@app.command("score")
@reading(without=("scheme",))
def score_cli(
    gold: Annotated[Path, typer.Argument(help="Gold: annotated data, in any form that `convert` reads")],
    pred: Annotated[Path, typer.Argument(help="Predictions for the same texts, as `annotate` writes them")],
    mode: Annotated[
        str, typer.Option("--mode", "-m", help="default (as conlleval) or strict, as in seqeval")
    ] = "default",
    scheme: Annotated[
        str | None,
        typer.Option("--scheme", "-s", help="IOB1, IOB2, IOE1, IOE2, IOBES or BILOU, with -m strict; else detected"),
    ] = None,
    suffix: Annotated[bool, typer.Option("--suffix", help="Tags are written as location-B")] = False,
    gold_column: Annotated[
        str | None, typer.Option("--gold-column", help="Column of the gold tags, if not that of the predicted ones")
    ] = None,
    pred_column: Annotated[
        str | None, typer.Option("--pred-column", help="Column of the predicted tags, if not that of the gold tags")
    ] = None,
    train: Annotated[Path | None, typer.Option("--train", "-t", help=TRAIN_HELP)] = None,
    other: Annotated[
        Path | None, typer.Option("--other", "-o", help="Predictions of a second system, for a paired test")
    ] = None,
    check_tokens: Annotated[
        bool, typer.Option("--check-tokens", help="Fail if tokens are spelled differently")
    ] = False,
    resamples: Annotated[int, typer.Option("--resamples", help=RESAMPLES_HELP)] = 1000,
    json_path: Annotated[Path | None, typer.Option("--json", "-j", help=JSON_HELP)] = None,
    errors_path: Annotated[
        Path | None, typer.Option("--errors", "-e", help="Write every error to a JSONL file")
    ] = None,
    *,
    options: "ReadOptions",
) -> None:
    """Score predictions against gold: entity F1 as seqeval and conlleval count it, surface F1 of WNUT-17, errors.

    Gold and predictions are of the same texts in the same order, each in any form: files of `annotate` as they are.
    """
    from .tables import print_summary

    with failing_cleanly():
        summary = score(
            gold,
            pred,
            mode=mode,
            scheme=scheme,
            suffix=suffix,
            gold_column=None if gold_column is None else column(gold_column),
            pred_column=None if pred_column is None else column(pred_column),
            train=train,
            other=other,
            check_tokens=check_tokens,
            resamples=resamples,
            errors_path=errors_path,
            options=options,
        )
        print_summary(summary, title=f"{pred.name} against {gold.name}")
        if json_path is not None:
            write_json(json_path, summary)


def score(
    gold: Path,
    pred: Path,
    *,
    mode: str = "default",
    scheme: str | None = None,
    suffix: bool = False,
    gold_column: int | str | None = None,
    pred_column: int | str | None = None,
    train: Path | None = None,
    other: Path | None = None,
    check_tokens: bool = False,
    resamples: int = 1000,
    errors_path: Path | None = None,
    options: "ReadOptions | None" = None,
) -> dict[str, Any]:
    """Score two files; the options are those of the command.

    gold (Path): The gold file.
    pred (Path): The predictions.
    options (ReadOptions | None): How to read all files; `gold_column` and `pred_column` stand for its `tag_column`.
    RETURNS (dict[str, Any]): As metrics.summary.summarize; with `other`, details["paired"] holds the test.
    RAISES (ValueError): TC2xx and TC1xx with file and line, if the files are at fault.
    """
    import spacy

    from ..corpus.convert import read_file
    from ..corpus.data_facts import entity_texts
    from ..corpus.options import ReadOptions
    from ..corpus.tagged import gives_tokens, read_tagged
    from ..metrics.bootstrap import paired_bootstrap
    from ..metrics.seqeval.compare import Comparison, compare_columns
    from ..metrics.summary import describe_errors, summarize

    options = options or ReadOptions()

    def read(path: Path, tag_column: int | str | None, like: "TaggedFile | None" = None) -> "TaggedFile":
        own = options if tag_column is None else replace(options, tag_column=tag_column)
        return read_tagged(path, own, suffix=suffix, like=like)

    def compare(file: "TaggedFile") -> Comparison:
        _check_aligned(reference, file, check_tokens=check_tokens)
        if mode == "strict":
            _check_scheme(scheme, reference, file, suffix=suffix)
        return compare_columns(reference.tags, file.tags, reference.lengths, mode=mode, scheme=scheme, suffix=suffix)

    _check_mode(mode, scheme)
    # Texts without tokens get those of the other file.
    if gives_tokens(gold):
        reference = read(gold, gold_column)
        predicted = read(pred, pred_column, reference)
    else:
        predicted = read(pred, pred_column)
        reference = read(gold, gold_column, predicted)
    comparison = compare(predicted)
    tokens = [reference.tokens]
    texts = None
    if train is not None:
        own = options if gold_column is None else replace(options, tag_column=gold_column)
        texts = entity_texts(read_file(train, spacy.blank("xx"), own))
    summary = summarize(comparison, tokens, train_texts=texts, n_resamples=resamples)
    if other is not None:
        second = compare(read(other, pred_column, reference))
        summary["details"]["paired"] = paired_bootstrap(comparison, second, n_resamples=max(resamples, 1))
    if errors_path is not None:
        write_jsonl(errors_path, describe_errors(comparison, tokens))
    return summary


def _check_mode(mode: str, scheme: str | None) -> None:
    """Refuse a mode that cannot be, and a scheme that would be ignored."""
    if mode not in ("default", "strict"):
        raise ValueError(Errors.TC213.format(name="--mode", value=mode, expected="default or strict"))
    if scheme is not None and mode != "strict":
        raise ValueError(Errors.TC226.format(scheme=scheme))


def _check_aligned(gold: "TaggedFile", pred: "TaggedFile", *, check_tokens: bool = False) -> None:
    """Insist on the same sentences with the same number of tokens; warn (TW202) of tokens spelled differently.

    gold (TaggedFile): The gold file.
    pred (TaggedFile): The file of predictions.
    check_tokens (bool): Whether a token spelled differently is an error.
    RAISES (ValueError): TC221, TC222, TC224.
    """
    names = {"gold": gold.path, "pred": pred.path}
    shared = min(len(gold.lengths), len(pred.lengths))
    different = np.flatnonzero(gold.lengths[:shared] != pred.lengths[:shared])
    if len(gold.lengths) != len(pred.lengths) or len(different):
        sentence = int(different[0]) if len(different) else shared
        places = {f"{side}_where": _sentence_start(file, sentence) for side, file in _sides(gold, pred)}
        if len(gold.lengths) != len(pred.lengths):
            counts = {"gold_count": len(gold.lengths), "pred_count": len(pred.lengths)}
            raise ValueError(Errors.TC221.format(**names, **counts, **places))
        counts = {"gold_count": gold.lengths[sentence], "pred_count": pred.lengths[sentence]}
        raise ValueError(Errors.TC222.format(**counts, **places))
    if gold.tokens == pred.tokens:
        return
    altered = [i for i, (one, other) in enumerate(zip(gold.tokens, pred.tokens, strict=True)) if one != other]
    facts: dict[str, object] = {**names, "count": len(altered), "total": len(gold.tokens)}
    for side, file in _sides(gold, pred):
        facts |= {f"{side}_where": file.where(altered[0]), f"{side}_token": file.tokens[altered[0]]}
    if check_tokens:
        raise ValueError(Errors.TC224.format(**facts))
    warnings.warn(Warnings.TW202.format(**facts), stacklevel=2)


def _check_scheme(scheme: str | None, gold: "TaggedFile", pred: "TaggedFile", *, suffix: bool = False) -> None:
    """Insist on prefixes of a strict scheme.

    scheme (str | None): Its name; None: detected from the gold tags, as seqeval does.
    gold (TaggedFile): The gold file.
    pred (TaggedFile): The file of predictions.
    suffix (bool): Whether the prefix letter stands last.
    RAISES (ValueError): TC206, TC207; TC227 with file and line.
    """
    from ..metrics.seqeval.rules import STRICT, detect_strict_scheme, scheme_name
    from ..tags import MISSING

    place = -1 if suffix else 0
    if scheme is None:
        scheme = detect_strict_scheme(tag[place] for tag in set(gold.tags) - {MISSING})
    allowed = STRICT[scheme_name(scheme)].allowed
    for file in (gold, pred):
        for tag in dict.fromkeys(file.tags):
            if tag[place] not in allowed and tag != MISSING:
                where, prefixes = file.where(file.tags.index(tag)), ", ".join(allowed)
                raise ValueError(Errors.TC227.format(where=where, tag=tag, scheme=scheme, allowed=prefixes))


def _sides(gold: "TaggedFile", pred: "TaggedFile") -> "tuple[tuple[str, TaggedFile], tuple[str, TaggedFile]]":
    """Name both files."""
    return ("gold", gold), ("pred", pred)


def _sentence_start(file: "TaggedFile", sentence: int) -> str:
    """Say where a sentence begins, or that the file ended before it."""
    if sentence >= len(file.lengths):
        return f"the end of {file.path}"
    return file.where(int(file.lengths[:sentence].sum())) if file.lengths[sentence] else file.path
