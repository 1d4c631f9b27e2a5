"""Tune a trained component on development data: fit a decision bias, calibrate scores, and cross-validate both."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from ...corpus.digest import digest_texts
from ...errors import Errors
from ...metrics.calibration import calibration_report
from ...metrics.seqeval.prf import simple_prf
from ...tags.tuning import UNTUNED, Tuning
from ...types import Ints
from ..token_classifier import find_component
from .fit import fit_bias, fit_scores, fit_temperature
from .logits import Predictions, TuningData, read_tuning_data
from .performance import drop_performance, update_performance

FOLDS = 5


def tune(
    nlp: Language,
    references: Iterable[Doc],
    *,
    component: str | None = None,
    bias: bool = True,
    per_type: bool = False,
    calibration: bool = True,
    temperature: bool = False,
    source: str = "the data",
) -> dict[str, Any]:
    """Tune a token classifier on annotated texts that it was not trained on.

    What is fitted is in use from then on and stored with the component, until it is trained further. The setting
    `tuned = false` leaves it out. The component's `threshold` plays no part here. Its scores that the pipeline holds
    (`nlp.meta["performance"]`) are measured anew, on these texts.

    nlp (Language): The pipeline; its component is changed.
    references (Iterable[Doc]): The texts, with gold tokens and entities.
    component (str | None): The `token_classifier`; not needed if there is only one.
    bias (bool): Whether to fit a bias of the entities' tags, for the best entity F1.
    per_type (bool): Whether there is one bias per entity type.
    calibration (bool): Whether to fit slope and shift of the log-odds of scores, so that of the entities with a score
        of 0.8 four in five are correct.
    temperature (bool): Whether to fit a temperature of the logits, for the probabilities of an exported checkpoint,
        which knows nothing of slope and shift.
    source (str): Where the texts come from, for messages.
    RETURNS (dict[str, Any]): component; texts and gold (numbers); tuning (the fitted numbers); and untuned, tuned and
        held_out: precision, recall, f1 and what `calibration_report` gives. For held_out, each fifth of the texts was
        annotated with what was fitted on the others: that is what other texts can expect.
    RAISES (ValueError): TC050, TC051, TC060 to TC062, TC255, if the data or the pipeline do not allow it; TC063, if
        nothing is to be fitted.
    """
    if not (bias or calibration or temperature):
        raise ValueError(Errors.TC063)
    pipe = find_component(nlp, component)
    references = list(references)
    data = read_tuning_data(nlp, pipe, references, source=source)
    options = {"bias": bias, "per_type": per_type, "calibration": calibration, "temperature": temperature}
    everything = np.arange(len(data.lengths))
    tuning = fit(data, everything, **options)._replace(texts=digest_texts(references))
    pipe.cfg["tuning"] = tuning._asdict()
    if pipe.cfg["tuned"]:
        update_performance(nlp, pipe, references)
    return {
        "component": pipe.name,
        "texts": len(everything),
        "gold": int(data.support.sum()),
        "tuning": tuning._asdict(),
        "untuned": scores_of(data.predict(UNTUNED), data),
        "tuned": scores_of(data.predict(tuning), data),
        "held_out": scores_of(cross_val_predict(data, **options), data),
    }


def fit(data: TuningData, texts: Ints, *, bias: bool, per_type: bool, calibration: bool, temperature: bool) -> Tuning:
    """Fit all that is asked for: first what decides, then what scores the decisions.

    data (TuningData): The texts.
    texts (Ints): Indices of those to fit on.
    bias, per_type, calibration, temperature (bool): As for `tune`.
    RETURNS (Tuning): The numbers.
    """
    tuning = UNTUNED
    if bias:
        tuning = tuning._replace(bias=fit_bias(data, texts, per_type=per_type))
    if temperature:
        tuning = tuning._replace(temperature=fit_temperature(data, texts, tuning))
    if calibration:
        slope, shift = fit_scores(data.predict(tuning).of_texts(texts))
        tuning = tuning._replace(slope=slope, shift=shift)
    return tuning


def cross_val_predict(data: TuningData, **options: bool) -> Predictions:
    """Decode each fold of the texts with what was fitted on the other folds (cross-validation).

    data (TuningData): The texts.
    **options (bool): As for `fit`.
    RETURNS (Predictions): The entities of all folds.
    """
    order = np.random.default_rng(0).permutation(len(data.lengths))
    parts = []
    for fold in np.array_split(order, FOLDS):
        tuning = fit(data, np.setdiff1d(order, fold), **options)
        parts.append(data.predict(tuning).of_texts(fold))
    text, score, correct = zip(*parts, strict=True)
    return Predictions(np.concatenate(text), np.concatenate(score), np.concatenate(correct))


def copy_tuning(nlp: Language, other: Language, *, component: str | None = None) -> dict[str, Any]:
    """Copy the tuning of another pipeline: for one that was trained in the same way, with nothing left to tune it on.
    Scores of the component that the pipeline holds are dropped, if its entities may be others now.

    nlp (Language): The pipeline; its component is changed.
    other (Language): The pipeline that was tuned.
    component (str | None): The `token_classifier` in both; not needed if there is only one.
    RETURNS (dict[str, Any]): component; tuning (the numbers).
    RAISES (ValueError): TC064, if the other was not tuned or has other entity types; TC255, if there is no component.
    """
    pipe, tuned = find_component(nlp, component), find_component(other, component)
    if tuned.cfg["tuning"] is None or set(tuned.labels) != set(pipe.labels):
        facts = {"labels": ", ".join(tuned.labels), "own": ", ".join(pipe.labels)}
        raise ValueError(Errors.TC064.format(name=tuned.name, found=tuned.cfg["tuning"], **facts))
    pipe.cfg["tuning"] = dict(tuned.cfg["tuning"])
    if pipe.cfg["tuned"] and (any(pipe.tuning.bias.values()) or pipe.cfg["threshold"]):
        drop_performance(nlp, pipe)
    return {"component": pipe.name, "tuning": pipe.cfg["tuning"]}


def scores_of(predictions: Predictions, data: TuningData) -> dict[str, Any]:
    """Score entities.

    predictions (Predictions): The entities.
    data (TuningData): The texts.
    RETURNS (dict[str, Any]): precision, recall, f1, and what `calibration_report` gives.
    """
    prf = simple_prf(int(predictions.correct.sum()), len(predictions.correct), int(data.support.sum()))
    return {
        **dict(zip(("precision", "recall", "f1"), prf, strict=True)),
        **calibration_report(predictions.score, predictions.correct),
    }
