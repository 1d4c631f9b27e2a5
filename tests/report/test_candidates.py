"""What a pipeline predicts at every threshold, from one run: what it would predict if that were its threshold."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pipeline_posts import add_ner, initialize, overfit, read_posts
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from spacy_tokclf.cli.evaluate import evaluate, predict
from spacy_tokclf.metrics.examples import annotated, compare_examples, scored_entities
from spacy_tokclf.metrics.summary import summarize
from spacy_tokclf.report.candidates import Candidates, find_candidates, movable
from spacy_tokclf.report.page import interval_table, thresholds_of
from spacy_tokclf.report.plots import threshold_curve


def add_ruler(nlp: Language, **options: Any) -> None:
    ruler: Any = nlp.add_pipe("entity_ruler", **options)
    ruler.add_patterns([{"label": "person", "pattern": "Mira Okafor"}, {"label": "rest", "pattern": "Falls"}])


def alone(nlp: Language) -> None:
    """The component is the last."""


def ruler_before(nlp: Language) -> None:
    nlp.get_pipe("ner").cfg["overwrite_ents"] = False  # type: ignore[attr-defined]
    add_ruler(nlp, before="ner")


def ruler_overwritten(nlp: Language) -> None:
    add_ruler(nlp, before="ner")


def ruler_after(nlp: Language) -> None:
    """Finds more where less was found."""
    add_ruler(nlp)


def ruler_wins(nlp: Language) -> None:
    add_ruler(nlp, config={"overwrite_ents": True})


def merged(nlp: Language) -> None:
    """Entities become tokens, so that the tokens hang on the threshold."""
    nlp.add_pipe("merge_entities")


PIPELINES = [alone, ruler_before, ruler_overwritten, ruler_after, ruler_wins, merged]


def expected(nlp: Language, references: list[Doc], threshold: float) -> dict[str, Any]:
    """What evaluating gives with that threshold."""
    nlp.get_pipe("ner").cfg["threshold"] = threshold  # type: ignore[attr-defined]
    examples = annotated(predict(nlp, references))
    tokens = [[token.text for token in eg.reference] for eg in examples]
    return summarize(compare_examples(examples), tokens, n_resamples=20)


def found(candidates: Candidates, threshold: float) -> dict[str, Any]:
    return summarize(candidates.at(threshold), candidates.words, n_resamples=20)


@pytest.mark.parametrize("change", PIPELINES, ids=lambda change: change.__name__)
def test_every_threshold_gives_what_evaluating_with_it_gives(
    nlp: Language, references: list[Doc], change: Callable[[Language], None]
) -> None:
    change(nlp)
    candidates = find_candidates(nlp, references)
    assert candidates.threshold == nlp.get_pipe("ner").cfg["threshold"] == 0.0  # type: ignore[attr-defined]
    exact = np.unique(candidates.upto[np.isfinite(candidates.upto)]).astype("float64")
    assert len(exact) > 4
    thresholds = st.floats(0, 1) | st.sampled_from(exact.tolist()) | st.sampled_from(np.nextafter(exact, 1).tolist())

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(thresholds)
    def same(threshold: float) -> None:
        assert found(candidates, threshold) == expected(nlp, references, threshold)

    same()
    numbers = {len(candidates.at(threshold).pred) for threshold in (0.0, *exact)}
    assert len(numbers) > 3


def test_a_ruler_after_it_finds_what_a_threshold_takes_away(nlp: Language, references: list[Doc]) -> None:
    ruler_after(nlp)
    candidates = find_candidates(nlp, references)
    assert (candidates.above > 0).any() and np.isinf(candidates.upto[candidates.above > 0]).all()


def test_a_shared_encoder_and_several_components(references: list[Doc], encoder_dir: Any) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("transformer_encoder", name="transformer")
    for name, key in (("ner", "entities"), ("other", "more")):
        scorer = {"@scorers": "spacy-tokclf.seqeval_scorer.v1", "score_prefix": f"{name}_"}
        add_ner(nlp, shared=True, name=name, spans_key=key, overwrite_ents=name == "ner", scorer=scorer)
    initialize(nlp, encoder_dir, read_posts(nlp), owners=("transformer",))
    overfit(nlp, steps=13)
    fixed = find_candidates(nlp, references)
    assert fixed.threshold is None and "several token classifiers (ner, other)" in fixed.why_fixed
    candidates = find_candidates(nlp, references, component="ner")
    for threshold in (0.0, 0.3, 0.6, float(np.median(candidates.score[np.isfinite(candidates.score)]))):
        assert found(candidates, threshold) == expected(nlp, references, threshold)
    with pytest.raises(ValueError, match="TC255"):
        find_candidates(nlp, references, component="absent")


def test_pipelines_without_scores(ruled: Language, nlp: Language, references: list[Doc]) -> None:
    candidates = find_candidates(ruled, references)
    assert candidates.threshold is None and np.isnan(candidates.score).all()
    examples = annotated(predict(ruled, references))
    assert (candidates.at(0.0).gold_hit == compare_examples(examples).gold_hit).all()
    assert thresholds_of(candidates) == [0.0]
    nlp.get_pipe("ner").cfg["annotate_ents"] = False  # type: ignore[attr-defined]
    pipe, why = movable(nlp)
    assert pipe is None and "does not set doc.ents" in why


@pytest.mark.parametrize("crf", [False, True])
@pytest.mark.parametrize(
    "tuning", [None, {"bias": {"person": 0.5, "location": -1.0}, "temperature": 1.7, "slope": 0.6, "shift": 0.2}]
)
def test_gold_has_the_score_that_it_has_where_it_is_predicted(
    references: list[Doc], encoder_dir: Any, crf: bool, tuning: dict[str, Any] | None
) -> None:
    nlp = spacy.blank("en")
    add_ner(nlp, crf=crf)
    initialize(nlp, encoder_dir, read_posts(nlp), owners=("ner",))
    overfit(nlp, steps=20)
    nlp.get_pipe("ner").cfg["tuning"] = tuning  # type: ignore[attr-defined]
    candidates = find_candidates(nlp, references)
    found = candidates.at(0.0)
    predicted = dict(zip(candidates.pred.start.tolist(), candidates.score.tolist(), strict=True))
    right = np.flatnonzero(found.gold_hit)
    assert len(right) > 3
    expected = [predicted[start] for start in candidates.gold.start[right].tolist()]
    assert candidates.gold_score[right].tolist() == pytest.approx(expected, abs=1e-6)
    # A type that the component does not have cannot have a score.
    unknown = [candidates.names[kind] not in nlp.get_pipe("ner").labels for kind in candidates.gold.type.tolist()]  # type: ignore[attr-defined]
    assert np.isnan(candidates.gold_score).tolist() == unknown and any(unknown)


def test_scores_are_those_of_evaluate(nlp: Language, references: list[Doc]) -> None:
    nlp.get_pipe("ner").cfg["threshold"] = 0.4  # type: ignore[attr-defined]
    candidates = find_candidates(nlp, references)
    scores, right = candidates.scored(0.4)
    theirs = scored_entities(annotated(predict(nlp, references)))
    assert scores.tolist() == theirs.scores.tolist() and right.tolist() == theirs.correct.tolist()
    assert len(scores) and 0.4 in thresholds_of(candidates)


def test_the_tables_of_the_page(nlp: Language, references: list[Doc], tmp_path: Any) -> None:
    nlp.get_pipe("ner").cfg["threshold"] = 0.375  # type: ignore[attr-defined]
    candidates = find_candidates(nlp, references)
    thresholds, table = thresholds_of(candidates), interval_table(candidates, n_resamples=50)
    assert len(thresholds) == len(table) == 102 and thresholds == sorted(thresholds)
    DocBin(docs=references).to_disk(tmp_path / "gold.spacy")
    nlp.to_disk(tmp_path / "model")
    summary = evaluate(str(tmp_path / "model"), tmp_path / "gold.spacy", resamples=50)
    low, high = table[thresholds.index(0.375)][2]
    assert summary["details"]["intervals"]["f1"] == pytest.approx(
        {"value": summary["overall_f1"], "low": low, "high": high}
    )
    assert interval_table(candidates, n_resamples=0) == []
    curve = threshold_curve(candidates)
    assert [point.recall for point in curve] == sorted((point.recall for point in curve), reverse=True)
    at = min(curve, key=lambda point: abs(point.threshold - 0.5))
    assert at.f1 == pytest.approx(expected(nlp, references, at.threshold)["overall_f1"])


def test_nothing_annotated_and_texts_that_are_dropped(nlp: Language, references: list[Doc]) -> None:
    with pytest.raises(ValueError, match=r"TC320.* the 1 text"):
        find_candidates(nlp, [references[3]])

    @Language.component("drops_some")
    def drops_some(doc: Doc) -> Doc:
        if "rain" in doc.text:
            raise ValueError("no rain")
        return doc

    nlp.add_pipe("drops_some", first=True)
    nlp.set_error_handler(lambda name, proc, docs, error: None)
    with pytest.raises(ValueError, match="TC240"):
        find_candidates(nlp, references)
    nlp.remove_pipe("ner")
    with pytest.raises(ValueError, match="TC240"):
        find_candidates(nlp, references)
