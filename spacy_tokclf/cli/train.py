"""`spacy tokclf train`: spaCy's training, with epochs, a progress bar and a log."""

from pathlib import Path
from typing import Annotated, Any

import typer
from wasabi import msg

from ._app import app
from ._util import failing_cleanly, parse_overrides


@app.command("train", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def train_cli(
    context: typer.Context,
    config: Annotated[Path, typer.Argument(help="Training config; overrides: --section.key value")],
    out: Annotated[Path, typer.Argument(help="Folder for model-best, model-last and log.jsonl")],
    epochs: Annotated[
        float | None, typer.Option("--epochs", help="How often to go through the data; else as the config says")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace pipelines that are in the folder, once the new ones are there")
    ] = False,
    code: Annotated[
        Path | None, typer.Option("--code", "-c", help="Python file with registered functions that the config names")
    ] = None,
    use_gpu: Annotated[int, typer.Option("--gpu-id", "-g", help="GPU ID or -1 for CPU")] = -1,
) -> None:
    """Train a pipeline as `spacy train` does, with the last step evaluated, and no pipeline lost."""
    from spacy.cli._util import import_code

    from ..training.run import train_pipeline

    with failing_cleanly():
        overrides = parse_overrides(context.args)
        import_code(code)
        best = train_pipeline(config, out, overrides=overrides, epochs=epochs, gpu_id=use_gpu, force=force)
        _show_best(best, _dev_path(config, overrides))


def _dev_path(config: Path, overrides: dict[str, Any]) -> str:
    """Find the data that a training was evaluated on, to name them in the next command."""
    from ..training.config import read_training_config

    settings: Any = read_training_config(config, overrides).interpolate()
    for key in settings["training"].get("dev_corpus", "corpora.dev").split("."):
        settings = settings.get(key, {})
    return str(settings.get("path") or "DATA")


def _show_best(best: Path, dev: str) -> None:
    """Print the best evaluation, where the pipeline is, and what comes next."""
    import shlex

    from ..training.log import LOG_NAME, best_row, read_rows

    out = best.parent
    rows = read_rows(out / LOG_NAME)
    row = best_row(rows)
    f1 = row["scores"].get("ents_f")
    score = f"score {row['score']:.4f}" if f1 is None else f"F1 {f1:.2f}"
    msg.good(f"Best on dev: {score}, epoch {row['epoch']}, step {row['step']} of {rows[-1]['step']}: {best}")
    command = ["python", "-m", "spacy", "tokclf", "report", str(best), dev, "-o", str(out / "report.html")]
    msg.text(f"Next: {shlex.join(command)}")
