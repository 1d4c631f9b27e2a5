"""Trainings that are no measurement of speed: the pipeline that annotates, and the recipe."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import card


def pipeline(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to make the pipeline that annotates, and its weights as a checkpoint of Hugging Face.

    options (dict[str, Any]): "device", "config" and "overrides" of its values, and "out", a folder.
    RETURNS (Callable[[int], dict[str, Any]]): The round: "model" and "hf", the two folders.
    """
    card.choose(options["device"])
    from spacy_tokclf.export.export_hf import export_hf
    from spacy_tokclf.training.run import train_pipeline

    def run(number: int) -> dict[str, Any]:
        start = time.perf_counter()
        out = Path(options["out"])
        train_pipeline(
            options["config"],
            out,
            overrides=options["overrides"],
            overwrite=True,
            checkpoints="none",
            silent=True,
        )
        hf = export_hf(out / "model-last", out.with_name(f"{out.name}-hf"), force=True)
        return {"value": time.perf_counter() - start, "model": str(out / "model-last"), "hf": str(hf)}

    return run


def recipe(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Get ready to train a recipe, and to tune it on the development data as the project does.

    options (dict[str, Any]): "device", "config", "overrides" and "out", as above, and "dev", a DocBin.
    RETURNS (Callable[[int], dict[str, Any]]): The round; the value is F1 on the development data. "untuned" is that of
        the training's last word, and "seconds" are those of training, with its evaluations.
    """
    card.choose(options["device"])
    from spacy_tokclf.corpus.convert import read_file
    from spacy_tokclf.pipeline.load import load_pipeline
    from spacy_tokclf.pipeline.tuning.tune import tune
    from spacy_tokclf.training.run import train_pipeline

    def run(number: int) -> dict[str, Any]:
        start = time.perf_counter()
        best = train_pipeline(
            options["config"],
            options["out"],
            overrides=options["overrides"],
            overwrite=True,
            checkpoints="none",
            silent=True,
        )
        seconds = time.perf_counter() - start
        nlp = load_pipeline(best)
        found = tune(nlp, read_file(Path(options["dev"]), nlp), source="dev")
        return {"value": found["tuned"]["f1"], "untuned": found["untuned"]["f1"], "seconds": seconds}

    return run
