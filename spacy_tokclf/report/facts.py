"""What a page says of its making: the pipeline, what it was tuned to, the data and the versions."""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from ..corpus.digest import digest_texts
from ..pipeline.token_classifier import TokenClassifier
from ..tags.tuning import UNTUNED, Tuning, read_tuning
from .candidates import Candidates

_PACKAGES = ("spacy", "spacy-tokclf", "torch", "transformers")


def model_name(model: str) -> str:
    """Name a pipeline without the folders that it lies in: for `training/model-best` that is both names.

    model (str): Name or folder.
    RETURNS (str): What to call it.
    """
    folder = Path(model)
    if not folder.is_dir():
        return model
    folder = folder.resolve()
    return f"{folder.parent.name}/{folder.name}" if folder.name.startswith("model-") else folder.name


def pipeline_facts(nlp: Language, model: str, references: Sequence[Doc] = ()) -> list[tuple[str, str]]:
    """Describe a pipeline.

    nlp (Language): The pipeline.
    model (str): Its name or folder.
    references (Sequence[Doc]): The texts that the page is about.
    RETURNS (list[tuple[str, str]]): What, and what about it; texts that still have to be escaped.
    """
    meta = nlp.meta
    labels = sorted({label for name in nlp.pipe_names for label in nlp.pipe_labels.get(name, [])})
    rows = [
        ("Pipeline", f"{model_name(model)} ({meta['lang']}_{meta['name']} {meta['version']})"),
        ("Components", ", ".join(nlp.pipe_names) or "none"),
        ("Labels", ", ".join(labels) or "none"),
        ("Licence", str(meta.get("license") or "meta.json names none")),
    ]
    for name, pipe in nlp.pipeline:
        if isinstance(pipe, TokenClassifier):
            rows += [
                (f"Threshold of {name}", f"{pipe.cfg['threshold']:g}"),
                (f"Tuning of {name}", tuning_text(pipe, references)),
            ]
    return rows


def tuning_text(pipe: TokenClassifier, references: Sequence[Doc] = ()) -> str:
    """Say what a component was tuned to, and whether it was on the texts of the page.

    pipe (TokenClassifier): The component.
    references (Sequence[Doc]): The texts.
    RETURNS (str): A sentence or two.
    """
    saved = pipe.cfg["tuning"]
    if not saved:
        return "none"
    tuning = read_tuning(saved)
    here = bool(tuning.texts) and tuning.texts == digest_texts(references)
    text = f"Tuned on {'these data' if here else 'annotated texts'} after training ({_numbers(tuning)})"
    if not pipe.cfg["tuned"]:
        return f"{text}, and not in use: tuned = false."
    if here:
        return f"{text}: the scores here are somewhat too good."
    if tuning.texts:
        return f"{text}, which are not these data as a whole; those of these texts that are among them score too well."
    return f"{text}. On which texts is not stored: if it was on these, the scores here are somewhat too good."


def _numbers(tuning: Tuning) -> str:
    """List what differs from the defaults."""
    bias = set(tuning.bias.values()) - {0.0}
    parts = []
    if len(bias) == 1:
        parts.append(f"bias {bias.pop():+.2f}")
    elif bias:
        parts.append("bias " + ", ".join(f"{value:+.2f} {name}" for name, value in tuning.bias.items()))
    if tuning.temperature != UNTUNED.temperature:
        parts.append(f"temperature {tuning.temperature:.2f}")
    if tuning.calibrates:
        parts.append(f"scores: slope {tuning.slope:.2f}, shift {tuning.shift:+.2f}")
    return "; ".join(parts) or "to the defaults"


def versions() -> list[tuple[str, str]]:
    """List the versions of what computed.

    RETURNS (list[tuple[str, str]]): Package and version.
    """
    return [("Python", platform.python_version()), *((name, _version(name)) for name in _PACKAGES)]


def _version(name: str) -> str:
    """Give the version of a package."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def data_facts(summary: dict[str, Any], candidates: Candidates) -> list[tuple[str, str]]:
    """Describe the texts.

    summary (dict[str, Any]): As metrics.summary.summarize gives it.
    candidates (Candidates): What it summarizes.
    RETURNS (list[tuple[str, str]]): What, and what about it.
    """
    details = summary["details"]
    n_texts = len(candidates.references)
    n_missing = int(np.count_nonzero(candidates.unknown)) - n_texts  # less the one position after each text
    rows = [("Texts", f"{n_texts:,}"), ("Annotated tokens", f"{details['n_tokens']:,}")]
    if n_missing:
        rows.append(("Tokens without annotation", f"{n_missing:,} (masked: predictions that touch them do not count)"))
    if candidates.n_texts > n_texts:
        rows.append(("Texts without annotation", f"{candidates.n_texts - n_texts:,} (not scored)"))
    return [*rows, ("Gold entities", f"{details['n_gold']:,}")]
