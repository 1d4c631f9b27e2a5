"""`spacy tokclf score`: scores of two files."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ._app import app
from ._util import JSON_HELP, RESAMPLES_HELP, TRAIN_HELP, failing_cleanly, write_json, write_jsonl


@app.command("score")
def score_cli(
    gold: Annotated[Path, typer.Argument(help="Gold: a CoNLL file or a .spacy file")],
    pred: Annotated[Path, typer.Argument(help="Predictions for the same tokens: a CoNLL file or a .spacy file")],
    mode: Annotated[
        str, typer.Option("--mode", "-m", help="default (as conlleval) or strict, as in seqeval")
    ] = "default",
    scheme: Annotated[
        str | None,
        typer.Option("--scheme", "-s", help="IOB1, IOB2, IOE1, IOE2, IOBES or BILOU, with -m strict; else detected"),
    ] = None,
    suffix: Annotated[bool, typer.Option("--suffix", help="Tags are written as location-B")] = False,
    token_column: Annotated[int, typer.Option("--token-column", help="Column of the tokens, from 0")] = 0,
    gold_column: Annotated[int, typer.Option("--gold-column", help="Column of the gold tags; -1 is the last")] = -1,
    pred_column: Annotated[
        int, typer.Option("--pred-column", help="Column of the predicted tags; -1 is the last")
    ] = -1,
    separator: Annotated[
        str | None, typer.Option("--separator", help="Text between columns, if neither a tab nor blanks")
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
) -> None:
    """Score predictions against gold: entity F1 as seqeval and conlleval count it, surface F1 of WNUT-17, errors.

    The files have one token a row and a blank line after each sentence. Columns are chosen by number.
    """
    from .tables import print_summary

    with failing_cleanly():
        summary = score(
            gold,
            pred,
            mode=mode,
            scheme=scheme,
            suffix=suffix,
            token_column=token_column,
            gold_column=gold_column,
            pred_column=pred_column,
            separator=separator,
            train=train,
            other=other,
            check_tokens=check_tokens,
            resamples=resamples,
            errors_path=errors_path,
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
    token_column: int = 0,
    gold_column: int = -1,
    pred_column: int = -1,
    separator: str | None = None,
    train: Path | None = None,
    other: Path | None = None,
    check_tokens: bool = False,
    resamples: int = 1000,
    errors_path: Path | None = None,
) -> dict[str, Any]:
    """Score two files; the options are those of the command.

    gold (Path): The gold file.
    pred (Path): The predictions.
    RETURNS (dict[str, Any]): As metrics.summary.summarize; with `other`, details["paired"] holds the test.
    RAISES (ValueError): TC2xx and TC1xx with file and line, if the files are at fault.
    """
    from ..metrics.bootstrap import paired_bootstrap
    from ..metrics.seqeval.compare import Comparison, compare_columns
    from ..metrics.summary import describe_errors, summarize
    from .tagged import check_aligned, check_scheme, entity_texts, read_tagged

    def read(path: Path, column: int) -> Any:
        return read_tagged(path, token_column=token_column, tag_column=column, separator=separator, suffix=suffix)

    def compare(path: Path) -> Comparison:
        file = read(path, pred_column)
        check_aligned(reference, file, check_tokens=check_tokens)
        if mode == "strict":
            check_scheme(scheme, reference, file, suffix=suffix)
        return compare_columns(reference.tags, file.tags, reference.lengths, mode=mode, scheme=scheme, suffix=suffix)

    _check_mode(mode, scheme)
    reference = read(gold, gold_column)
    comparison = compare(pred)
    tokens = [reference.tokens]
    texts = None
    if train is not None:
        texts = entity_texts(train, token_column=token_column, tag_column=gold_column)
    summary = summarize(comparison, tokens, train_texts=texts, n_resamples=resamples)
    if other is not None:
        summary["details"]["paired"] = paired_bootstrap(comparison, compare(other), n_resamples=max(resamples, 1))
    if errors_path is not None:
        write_jsonl(errors_path, describe_errors(comparison, tokens))
    return summary


def _check_mode(mode: str, scheme: str | None) -> None:
    """Refuse a mode that does not exist, and a scheme that would be ignored."""
    from ..errors import Errors

    if mode not in ("default", "strict"):
        raise ValueError(Errors.TC213.format(name="--mode", value=mode, expected="default or strict"))
    if scheme is not None and mode != "strict":
        raise ValueError(Errors.TC226.format(scheme=scheme))
