"""`spacy tokclf evaluate`: a pipeline on annotated data, with an analysis of its errors."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import Errors
from ._app import app
from ._device import DeviceT, GpuT, on_device
from ._reading import reading
from ._util import JSON_HELP, RESAMPLES_HELP, TRAIN_HELP, failing_cleanly, write_json, write_jsonl

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc
    from spacy.training import Example

    from ..corpus.options import ReadOptions


@app.command("evaluate")
@reading()
def evaluate_cli(
    model: Annotated[str, typer.Argument(help="Name or folder of a pipeline that sets doc.ents")],
    data: Annotated[Path, typer.Argument(help="Annotated data, in any form that `convert` reads")],
    raw: Annotated[
        bool, typer.Option("--raw", help="Predict on the raw text with the pipeline's tokenizer, compare characters")
    ] = False,
    train: Annotated[Path | None, typer.Option("--train", "-t", help=TRAIN_HELP)] = None,
    resamples: Annotated[int, typer.Option("--resamples", help=RESAMPLES_HELP)] = 1000,
    json_path: Annotated[Path | None, typer.Option("--json", "-j", help=JSON_HELP)] = None,
    errors_path: Annotated[
        Path | None, typer.Option("--errors", "-e", help="Write every error to a JSONL file")
    ] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", "-b", help="Texts in a batch")] = None,
    device: DeviceT = None,
    use_gpu: GpuT = -1,
    *,
    options: "ReadOptions",
) -> None:
    """Evaluate a pipeline: scores as seqeval and spaCy count them, surface F1, kinds of error, calibration.

    Gold tokens are kept by default, which is the standard; --raw shows what users get.
    """
    from .tables import print_summary

    with failing_cleanly(), on_device(device, use_gpu):
        summary = evaluate(
            model,
            data,
            raw=raw,
            train=train,
            resamples=resamples,
            errors_path=errors_path,
            batch_size=batch_size,
            use_gpu=use_gpu,
            options=options,
        )
        print_summary(summary, title=f"{model} on {data.name}{', raw text' if raw else ''}")
        if json_path is not None:
            write_json(json_path, summary)


def evaluate(
    model: str,
    data: Path,
    *,
    raw: bool = False,
    train: Path | None = None,
    resamples: int = 1000,
    errors_path: Path | None = None,
    batch_size: int | None = None,
    use_gpu: int = -1,
    options: "ReadOptions | None" = None,
) -> dict[str, Any]:
    """Evaluate a pipeline; the options are those of the command.

    model (str): Name or folder of the pipeline.
    data (Path): A file of annotated data, in any form.
    options (ReadOptions | None): How to read it, and the training data.
    RETURNS (dict[str, Any]): As metrics.summary.summarize; details.calibration has the calibration of the entity
        scores, if there are any.
    RAISES (ValueError): TC1xx, if the data are at fault; TC119, TC142, TC240 and TC241, if the pipeline cannot be
        evaluated as asked; TC138 and TC292, if it cannot be loaded.
    """
    from ..corpus.convert import read_file
    from ..corpus.data_facts import entity_texts
    from ..metrics.calibration import calibration_report
    from ..metrics.examples import annotated, compare_characters, compare_examples, scored_entities
    from ..metrics.summary import describe_errors, summarize
    from ..pipeline.load import load_pipeline
    from ..pipeline.token_classifier import TokenClassifier
    from ..runtime.device import choose_gpu

    if batch_size is not None and batch_size < 1:
        raise ValueError(Errors.TC119.format(name="batch_size", value=batch_size, least=1))
    choose_gpu(use_gpu)
    nlp = load_pipeline(model)
    examples = annotated(predict(nlp, read_file(data, nlp, options), raw=raw, batch_size=batch_size))
    joiner = "" if raw else " "
    if raw:
        comparison = compare_characters(examples)
        tokens: list[Any] = [eg.reference.text for eg in examples]
    else:
        comparison = compare_examples(examples)
        tokens = [[token.text for token in eg.reference] for eg in examples]
    texts = entity_texts(read_file(train, nlp, options)) if train is not None else None
    summary = summarize(comparison, tokens, train_texts=texts, n_resamples=resamples, joiner=joiner)
    keys = [pipe.cfg["spans_key"] for _, pipe in nlp.pipeline if isinstance(pipe, TokenClassifier)]
    scored = scored_entities(examples, [key for key in keys if key is not None])
    if len(scored.scores):
        summary["details"]["calibration"] = calibration_report(scored.scores, scored.correct)
    if errors_path is not None:
        write_jsonl(errors_path, describe_errors(comparison, tokens, joiner=joiner))
    return summary


def predict(
    nlp: "Language", references: list["Doc"], *, raw: bool = False, batch_size: int | None = None
) -> list["Example"]:
    """Annotate fresh copies of gold Docs, paired with them by identity rather than by position.

    nlp (Language): The pipeline.
    references (list[Doc]): The gold.
    raw (bool): Whether the pipeline tokenises the raw text; else the gold tokens are kept.
    batch_size (int | None): Texts in a batch; None: the pipeline's own.
    RETURNS (list[Example]): Prediction and gold of each text.
    RAISES (ValueError): TC240, if an error handler dropped texts; TC241, if no component annotates entities.
    """
    from spacy.training import Example

    from ..corpus.docs import bare_copy
    from ..runtime.progress import progress

    inputs = ((doc.text if raw else bare_copy(doc, nlp.vocab), doc) for doc in references)
    size = None if batch_size is None else min(batch_size, sys.maxsize)
    pairs = nlp.pipe(inputs, as_tuples=True, batch_size=size)
    shown = progress(pairs, label="Predicting", total=len(references))
    examples = [Example(predicted, reference) for predicted, reference in shown]
    if len(examples) != len(references):
        raise ValueError(Errors.TC240.format(found=len(examples), expected=len(references)))
    if not any(eg.predicted.has_annotation("ENT_IOB") for eg in examples if len(eg.predicted)):
        raise ValueError(Errors.TC241.format(found=", ".join(nlp.pipe_names) or "none"))
    return examples
