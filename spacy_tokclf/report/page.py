"""The page: everything that is known of one or two pipelines on gold texts, in one file without network."""

import base64
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

from spacy.language import Language

from ..metrics.analysis import KINDS
from ..metrics.bootstrap import bootstrap_scores
from ..metrics.calibration import calibration_report
from ..metrics.learning_curve import PartRun, curve_points, last_gain
from ..metrics.summary import summarize
from .candidates import Candidates
from .colors import colors
from .contrast import contrast
from .facts import data_facts, pipeline_facts, versions
from .payload import script_json, text_rows
from .plots import Frame, reliability, threshold_curve
from .training_log import Evaluation

TEMPLATE = "report.html.jinja"
STEPS = 100
_SCORES = ("precision", "recall", "f1")


@dataclass(frozen=True)
class System:
    """A pipeline with what it predicts.

    name (str): What to call it.
    facts (list[tuple[str, str]]): What there is to say about it.
    candidates (Candidates): Gold and predictions.
    """

    name: str
    facts: list[tuple[str, str]]
    candidates: Candidates

    @classmethod
    def of(cls, nlp: Language, name: str, candidates: Candidates) -> "System":
        """Describe a pipeline.

        nlp (Language): The pipeline.
        name (str): Its name or folder.
        candidates (Candidates): Gold and predictions.
        RETURNS (System): The pipeline.
        """
        facts = pipeline_facts(nlp, name, candidates.references)
        return cls(facts[0][1].split(" (")[0], facts, candidates)


def thresholds_of(candidates: Candidates) -> list[float]:
    """List the thresholds that the page offers: hundredths, and the pipeline's own.

    candidates (Candidates): Gold and predictions.
    RETURNS (list[float]): The thresholds, rising; one alone if it cannot be moved.
    """
    if candidates.threshold is None:
        return [candidates.own]
    return sorted({*(step / STEPS for step in range(STEPS + 1)), candidates.own})


def interval_table(candidates: Candidates, *, n_resamples: int = 1000) -> list[list[list[float]]]:
    """Compute the 95% intervals at each threshold that the page offers.

    candidates (Candidates): Gold and predictions.
    n_resamples (int): Bootstrap resamples; 0: no intervals.
    RETURNS (list[list[list[float]]]): At each threshold, for precision, recall and F1: low and high.
    """
    if not n_resamples:
        return []
    found = (bootstrap_scores(candidates.at(one), n_resamples=n_resamples) for one in thresholds_of(candidates))
    return [[[scores[name][end] for end in ("low", "high")] for name in _SCORES] for scores in found]


def make_page(
    system: System,
    *,
    data_name: str,
    other: System | None = None,
    train_texts: Collection[str] | None = None,
    train_name: str = "",
    log: Sequence[Evaluation] = (),
    parts: Sequence[PartRun] = (),
    n_resamples: int = 1000,
) -> str:
    """Make the page.

    system (System): The pipeline.
    data_name (str): What to call the data.
    other (System | None): Another pipeline on the same data, to compare with.
    train_texts (Collection[str] | None): Texts of the entities of the training corpus, for seen and unseen ones.
    train_name (str): What to call that corpus.
    log (Sequence[Evaluation]): The evaluations of the training.
    parts (Sequence[PartRun]): Trainings on parts of the data.
    n_resamples (int): Bootstrap resamples; 0: no intervals and no test.
    RETURNS (str): The HTML.
    RAISES (ValueError): TC214, if the two pipelines have different gold.
    """
    candidates = system.candidates
    if other is not None and other.name == system.name:
        other = replace(other, name=f"{other.name} (2)")
    comparison = candidates.at(candidates.own)
    summary = summarize(comparison, candidates.words, train_texts=train_texts, n_resamples=n_resamples)
    systems = [each.candidates for each in (system, other) if each is not None]
    types = sorted({name for each in systems for name in each.names})
    compared = None
    if other is not None:
        compared = contrast(comparison, other.candidates.at(other.candidates.own), n_resamples=n_resamples)
    thresholds = thresholds_of(candidates)
    rows = text_rows(candidates, types, other=None if other is None else other.candidates, train_texts=train_texts)
    payload = {
        "types": types,
        "colors": list(colors(types).values()),
        "kinds": KINDS,
        "thresholds": thresholds,
        "own": thresholds.index(candidates.own),
        "moves": candidates.threshold is not None,
        "intervals": interval_table(candidates, n_resamples=n_resamples),
        "other": "" if other is None else other.name,
        "texts": rows,
    }
    script = _asset("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf8")).digest()).decode("ascii")
    return _template().render(
        system=system,
        other=other,
        compared=compared,
        data_name=data_name,
        train_name=train_name,
        summary=summary,
        details=summary["details"],
        types=types,
        colors=colors(types),
        kinds=KINDS,
        thresholds=thresholds,
        own=thresholds.index(candidates.own),
        moves=candidates.threshold is not None,
        data_facts=data_facts(summary, candidates),
        versions=versions(),
        payload=script_json(payload),
        style=_asset("report.css"),
        script=script,
        script_hash=digest,
        **_plots(candidates, log),
        **_part_plots(parts),
    )


def _plots(candidates: Candidates, log: Sequence[Evaluation]) -> dict[str, Any]:
    """Compute the plots; None for those that there is nothing for."""
    plots: dict[str, Any] = {"frame": Frame(), "curve": [], "bins": None, "calibration": None, "log": list(log)}
    if candidates.threshold is not None:
        plots["curve"] = threshold_curve(candidates)
        scores, right = candidates.scored(candidates.own)
        if len(scores):
            plots["bins"] = reliability(candidates)
            plots["calibration"] = calibration_report(scores, right)
    if log:
        last = max(one.step for one in log)
        plots["log_frame"] = Frame(x1=max(last, 1))
        losses = [one.loss for one in log]
        plots["loss_frame"] = Frame(x1=max(last, 1), y1=max([*losses, 1e-9]) * 1.05)
        plots["best"] = max(log, key=lambda one: one.score)
    return plots


def _part_plots(parts: Sequence[PartRun]) -> dict[str, Any]:
    """Compute the plot of trainings on parts of the data."""
    points = curve_points(parts)
    most = max((one.texts for one in parts), default=1)
    return {"parts": list(parts), "points": points, "gain": last_gain(parts), "part_frame": Frame(x1=1.05 * most)}


def _asset(name: str) -> str:
    """Read a file of the page."""
    return (files(__package__) / "templates" / name).read_text(encoding="utf8")


def _template() -> Any:
    """Open the template; what it shows is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    env = Environment(
        loader=PackageLoader(__package__, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["percent"] = lambda value, digits=2: f"{100 * value:.{digits}f}"
    env.filters["spaced"] = lambda value: str(value).replace("_", " ")
    return env.get_template(TEMPLATE)
