"""Tuning: what is planted is found, what is reported is what the pipeline does, and what is stored stays and goes."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from pipeline_posts import LABELS, found, overfit, read_posts, scores_of
from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example

from spacy_tokclf import train_step
from spacy_tokclf.pipeline.decoding import VisibleTokens
from spacy_tokclf.pipeline.tuning.fit import fit_bias, fit_scores, fit_temperature
from spacy_tokclf.pipeline.tuning.logits import Predictions, TuningData, read_tuning_data
from spacy_tokclf.pipeline.tuning.tune import copy_tuning, cross_val_predict, tune
from spacy_tokclf.tags.decode import Decoder, make_tag_table, softmax
from spacy_tokclf.tags.tuning import UNTUNED, Tuning, log_odds, sigmoid
from spacy_tokclf.training.optimizer import make_adamw_v1

LoadT = Callable[..., Language]
NUMBERS = {"bias": {"person": 1.25, "product": -0.5}, "temperature": 1.7, "slope": 0.6, "shift": -0.3}
POST = "just met Zorblax in Quorn Falls lol"
TYPES = ["a", "b", "c"]
#: After so many steps some of the posts are known.
STEPS = 11


def references(nlp: Language) -> list[Doc]:
    return [eg.reference for eg in read_posts(nlp)]


def tuning_data(rng: np.random.Generator, n: int, *, bias: float = 0.0, temperature: float = 1.0) -> TuningData:
    """Texts of one token each, whose gold is drawn from logits; what is read is those logits, cooled and biased."""
    logits = rng.normal(size=(n, 4)) * 2 + [2.0, 0.0, 0.0, 0.0]
    chances = softmax(logits.astype("float32"))
    gold = (chances.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(0, 3)
    seen = (logits * temperature - [0.0, bias, bias, bias]).astype("float32")
    lengths = np.ones(n, dtype="int64")
    entities = np.flatnonzero(gold)
    return TuningData(
        VisibleTokens(seen, lengths, np.zeros(n, dtype="int64")),
        Decoder(make_tag_table(["O", *(f"B-{type_}" for type_ in TYPES)], "IOB2"), constrained=False),
        lengths,
        (entities * 2 + 1) * 3 + gold[entities] - 1,
        (gold > 0).astype("int64"),
        np.zeros(n + 1, dtype="int64"),
    )


class TestFit:
    """What is planted is found."""

    @pytest.mark.parametrize("planted", [-3.0, 0.0, 4.0])
    def test_a_bias(self, planted: float) -> None:
        free, biased = (tuning_data(np.random.default_rng(1), 3000, bias=bias) for bias in (0.0, planted))
        texts = np.arange(3000)
        best = fit_bias(free, texts, per_type=False)["a"]
        fitted = fit_bias(biased, texts, per_type=False)
        assert list(fitted) == TYPES and len(set(fitted.values())) == 1
        # Near none a bias costs nothing within the slack, so the nearest to none is on the side of none.
        assert fitted["a"] - planted == pytest.approx(best, abs=1.0)
        right, predicted = biased.count(list(fitted.values())).sum(axis=0)
        wanted, number = free.count([best] * 3).sum(axis=0)
        gold = free.support.sum()
        assert 2 * right / (predicted + gold) == pytest.approx(2 * wanted / (number + gold), abs=0.01)

    def test_a_bias_of_one_type(self) -> None:
        made = tuning_data(np.random.default_rng(2), 3000)
        made.visible.logits[:, 2] -= 3.0
        texts = np.arange(3000)
        common, each = (fit_bias(made, texts, per_type=per_type) for per_type in (False, True))
        assert each["b"] > 1.5 + max(each["a"], each["c"])
        one, other = (made.count(list(bias.values())) for bias in (common, each))
        assert other[:, 0].sum() > one[:, 0].sum()

    def test_where_all_is_right_nothing_is_changed(self) -> None:
        made = tuning_data(np.random.default_rng(3), 500, temperature=1000.0)
        found = made.predict(UNTUNED)
        right = np.flatnonzero(made.support == np.bincount(found.text, weights=found.correct, minlength=500))
        right = np.setdiff1d(right, found.text[~found.correct])
        assert made.support[right].sum() > 20
        for per_type in (False, True):
            assert fit_bias(made, right, per_type=per_type) == dict.fromkeys(TYPES, 0.0)

    @pytest.mark.parametrize("planted", [0.6, 1.0, 2.5])
    def test_a_temperature(self, planted: float) -> None:
        made = tuning_data(np.random.default_rng(4), 8000, temperature=planted)
        assert fit_temperature(made, np.arange(8000), UNTUNED) == pytest.approx(planted, rel=0.1)

    def test_slope_and_shift(self) -> None:
        rng = np.random.default_rng(5)
        scores = rng.uniform(0.01, 0.99, 20000)
        correct = rng.random(20000) < sigmoid(0.6 * log_odds(scores) - 0.8)
        slope, shift = fit_scores(Predictions(np.zeros(20000, dtype="int64"), scores, correct))
        assert (slope, shift) == pytest.approx((0.6, -0.8), abs=0.05)
        # In the environments that test versions it is not installed.
        linear_model = pytest.importorskip("sklearn.linear_model")
        oracle = linear_model.LogisticRegression(C=np.inf).fit(log_odds(scores)[:, None], correct)
        assert (slope, shift) == pytest.approx((oracle.coef_[0, 0], oracle.intercept_[0]), abs=2e-3)

    @pytest.mark.parametrize("correct", ["all", "none", "apart", "against"])
    def test_scores_of_few_entities(self, correct: str) -> None:
        scores = np.array([0.3, 0.5, 0.7, 0.9, 0.95, 0.999999])
        right = {"all": scores > 0, "none": scores > 1, "apart": scores > 0.6, "against": scores < 0.6}[correct]
        slope, shift = fit_scores(Predictions(np.arange(6), scores, right))
        assert 0.05 <= slope < 10 and abs(shift) < 20
        after = sigmoid(slope * log_odds(scores) + shift)
        assert (np.diff(after) > 0).all()
        if correct != "apart":
            assert ((after - right) ** 2).mean() < ((scores - right) ** 2).mean()

    def test_no_entity_at_all(self) -> None:
        nothing = Predictions(np.zeros(0, dtype="int64"), np.zeros(0), np.zeros(0, dtype=bool))
        assert fit_scores(nothing) == (1.0, 0.0)
        made = tuning_data(np.random.default_rng(6), 50)
        assert fit_temperature(made, np.zeros(0, dtype="int64"), UNTUNED) == 1.0

    def test_held_out_texts_are_not_fitted_on(self) -> None:
        """What is found in a text does not depend on its own gold."""
        made = tuning_data(np.random.default_rng(7), 400)
        options = {"bias": True, "per_type": False, "calibration": True, "temperature": True}
        held = cross_val_predict(made, **options)
        assert len(np.unique(held.text)) == len(held.text) > 50
        for text in (0, 200, 399):
            wrong = dataclasses.replace(
                made,
                gold=made.gold[made.gold // 6 != text],
                support=np.where(np.arange(400) == text, 5, made.support),
                _counted={},
            )
            again = cross_val_predict(wrong, **options)
            one, other = (each.score[each.text == text].tolist() for each in (held, again))
            assert one == other
        # It does depend on that of others.
        assert not np.array_equal(held.score[held.text != text], again.score[again.text != text])


class TestReport:
    """What is reported is what the pipeline does."""

    @pytest.mark.parametrize("shared", [False, True])
    @pytest.mark.parametrize("decode", ["constrained", "greedy"])
    def test_scores_before_and_after(self, shared: bool, decode: str, make_nlp: LoadT) -> None:
        nlp = make_nlp(shared=shared, decode=decode)
        overfit(nlp, steps=STEPS)
        nlp.add_pipe("sentencizer")
        texts = references(nlp)
        hidden = Doc(nlp.vocab, words=["Zorblax", "\n", "in", "Quorn", "\n", "Falls", "\ufe0f"], ents=["O"] * 7)
        hidden.set_ents([Span(hidden, 3, 6, label="location")], missing=[hidden[0:1]])
        texts += [hidden, Doc(nlp.vocab, words=["not", "annotated"]), Doc(nlp.vocab)]
        before = evaluated(nlp, texts)
        report = tune(nlp, texts)
        after = evaluated(nlp, texts)
        assert 0 < before[2] < 1
        for name, expected in (("untuned", before), ("tuned", after)):
            assert [report[name][key] for key in ("precision", "recall", "f1")] == pytest.approx(expected)
        assert report["tuned"]["f1"] >= report["untuned"]["f1"] and report["component"] == "ner"
        assert report["tuned"]["brier"] < report["untuned"]["brier"]
        # The post without annotation does not count, an empty one does.
        assert report["texts"] == len(texts) - 1 and report["gold"] == sum(len(doc.ents) for doc in texts)
        json.dumps(report)

    def test_scores_of_the_pipeline_are_those_that_were_measured(self, make_nlp: LoadT) -> None:
        nlp = make_nlp()
        overfit(nlp, steps=STEPS)
        texts = references(nlp)
        made = read_tuning_data(nlp, nlp.get_pipe("ner"), texts, source="here")
        report = tune(nlp, texts, temperature=True)
        scores = [score for doc in texts for score in scores_of(nlp(Doc(nlp.vocab, words=[t.text for t in doc])))]
        assert scores == pytest.approx(made.predict(Tuning(**report["tuning"])).score.tolist(), abs=1e-6)

    def test_gold_in_a_group_of_its_own(self, make_nlp: LoadT) -> None:
        nlp = make_nlp(annotate_ents=False, spans_key="mine")
        texts = references(nlp)
        for doc in texts:
            doc.spans["mine"] = SpanGroup(doc, spans=[span for span in doc.ents if span.label_ == "person"])
            doc.ents = []
        report = tune(nlp, texts)
        assert report["gold"] == sum(len(doc.spans["mine"]) for doc in texts) > 0


def evaluated(nlp: Language, texts: list[Doc]) -> list[float]:
    scores = nlp.evaluate([Example(Doc(nlp.vocab, words=[token.text for token in doc]), doc) for doc in texts])
    return [scores[f"seqeval_{name}"] for name in ("precision", "recall", "f1")]


class TestStored:
    """What is stored stays with the weights it was fitted for."""

    @pytest.fixture
    def tuned(self, load_trained: LoadT) -> Language:
        """A trained pipeline with numbers."""
        nlp = load_trained()
        nlp.get_pipe("ner").cfg["tuning"] = dict(NUMBERS)
        return nlp

    def test_through_disk_and_bytes(self, tuned: Language, load_trained: LoadT, tmp_path: Path) -> None:
        expected, plain = (scores_of(nlp(POST)) for nlp in (tuned, load_trained()))
        assert len(expected) == 2 and expected != plain
        tuned.to_disk(tmp_path / "model")
        for nlp in (spacy.load(tmp_path / "model"), load_trained().from_bytes(tuned.to_bytes())):
            assert nlp.get_pipe("ner").tuning == Tuning(**NUMBERS) and scores_of(nlp(POST)) == expected

    def test_it_is_switched_off(self, tuned: Language, load_trained: LoadT, tmp_path: Path) -> None:
        tuned.to_disk(tmp_path / "model")
        plain = load_trained()(POST)
        off = spacy.load(tmp_path / "model", config={"components": {"ner": {"tuned": False}}})
        assert off.get_pipe("ner").tuning == UNTUNED
        assert (found(off(POST)), scores_of(off(POST))) == (found(plain), scores_of(plain))
        # Switched off and saved, it stays so, and the numbers are still there.
        off.to_disk(tmp_path / "off")
        again = spacy.load(tmp_path / "off")
        assert again.get_pipe("ner").tuning == UNTUNED
        again.get_pipe("ner").cfg["tuned"] = True
        assert again.get_pipe("ner").tuning == Tuning(**NUMBERS)

    def test_a_component_without_numbers_takes_none_over(self, tuned: Language, load_trained: LoadT) -> None:
        plain = load_trained()
        assert tuned.from_bytes(plain.to_bytes()).get_pipe("ner").tuning == UNTUNED

    def test_a_component_of_an_earlier_version(self, tuned: Language, load_trained: LoadT, tmp_path: Path) -> None:
        pipe: Any = load_trained().get_pipe("ner")
        for key in ("tuning", "tuned"):
            del pipe.cfg[key]
        del pipe.cfg["given"]["tuned"]
        pipe.to_disk(tmp_path / "ner")
        into: Any = tuned.get_pipe("ner")
        into.from_disk(tmp_path / "ner")
        assert into.tuning == UNTUNED and into.cfg["tuned"] is True

    def test_training_forgets_it(self, tuned: Language) -> None:
        examples = read_posts(tuned)
        train_step(tuned, examples, make_adamw_v1(1e-4))
        assert tuned.get_pipe("ner").cfg["tuning"] is None

    def test_the_loss_does_not_know_of_it(self, tuned: Language, load_trained: LoadT) -> None:
        plain = load_trained()
        losses = []
        for nlp in (tuned, plain):
            pipe: Any = nlp.get_pipe("ner")
            examples = read_posts(nlp)
            logits = pipe.logits([eg.predicted for eg in examples])
            losses.append(pipe.get_loss(examples, logits)[0])
        assert losses[0] == losses[1]

    def test_initialization_forgets_it(self, make_nlp: LoadT) -> None:
        nlp = make_nlp()
        nlp.get_pipe("ner").cfg["tuning"] = dict(NUMBERS)
        nlp.initialize(lambda: read_posts(nlp))
        assert nlp.get_pipe("ner").cfg["tuning"] is None

    def test_the_threshold_is_one_of_calibrated_scores(self, tuned: Language) -> None:
        low, high = sorted(scores_of(tuned(POST)))
        tuned.get_pipe("ner").cfg["threshold"] = (low + high) / 2
        assert scores_of(tuned(POST)) == [high]

    def test_a_bias_finds_more_or_less(self, make_nlp: LoadT) -> None:
        nlp = make_nlp()
        overfit(nlp, steps=STEPS)
        counts = []
        for bias in (-4.0, 0.0, 4.0):
            nlp.get_pipe("ner").cfg["tuning"] = Tuning(dict.fromkeys(LABELS, bias))._asdict()
            counts.append(sum(len(nlp(doc.text).ents) for doc in references(nlp)))
        assert counts[0] < counts[1] < counts[2]


class TestTakeOver:
    """The numbers of another pipeline."""

    def test_they_are_the_same(self, load_trained: LoadT) -> None:
        nlp, other = load_trained(), load_trained()
        other.get_pipe("ner").cfg["tuning"] = dict(NUMBERS)
        assert copy_tuning(nlp, other) == {"component": "ner", "tuning": NUMBERS}
        assert scores_of(nlp(POST)) == scores_of(other(POST))

    def test_refused(self, load_trained: LoadT, make_nlp: LoadT) -> None:
        nlp, other = load_trained(), load_trained()
        with pytest.raises(ValueError, match=r"TC064.*None"):
            copy_tuning(nlp, other)
        other.get_pipe("ner").cfg["tuning"] = dict(NUMBERS)
        other.get_pipe("ner").add_label("airship")
        with pytest.raises(ValueError, match=r"TC064.*airship"):
            copy_tuning(nlp, other)


class TestRefused:
    """Data and pipelines that cannot be tuned on."""

    def test_no_annotation(self, make_nlp: LoadT) -> None:
        nlp = make_nlp()
        for texts in ([], [Doc(nlp.vocab, words=["rain"])], [Doc(nlp.vocab)]):
            with pytest.raises(ValueError, match=r"TC060.*here"):
                tune(nlp, texts, source="here")
        masked = Doc(nlp.vocab, words=["Zorblax"], ents=["O"])
        masked.set_ents([], missing=[masked[0:1]])
        with pytest.raises(ValueError, match="TC060"):
            tune(nlp, [masked])

    def test_no_entity_that_it_knows(self, make_nlp: LoadT) -> None:
        nlp = make_nlp()
        texts = [Doc(nlp.vocab, words=["rain"], ents=["O"]), Doc(nlp.vocab, words=["Zeppelin"], ents=["B-airship"])]
        with pytest.raises(ValueError, match=r"TC061.*location"):
            tune(nlp, texts)

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_broken_weights(self, value: float, make_nlp: LoadT) -> None:
        nlp = make_nlp()
        layer = nlp.get_pipe("ner").model.get_ref("output_layer")
        layer.set_param("b", layer.get_param("b") + np.float32(value))
        with pytest.raises(ValueError, match=r"TC062.*just met"):
            tune(nlp, references(nlp))
        assert nlp.get_pipe("ner").cfg["tuning"] is None

    def test_nothing_asked_for(self, make_nlp: LoadT) -> None:
        with pytest.raises(ValueError, match="TC063"):
            tune(make_nlp(), [], bias=False, calibration=False)

    def test_no_component(self) -> None:
        with pytest.raises(ValueError, match="TC255"):
            tune(spacy.blank("en"), [])
