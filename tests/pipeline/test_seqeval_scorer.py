"""The registered scorer: spaCy's numbers and seqeval's at once, on Docs."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.language import Language
from spacy.scorer import get_ner_prf
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_tokclf.corpus import doc_to_record, read_conll, records_to_docs
from spacy_tokclf.metrics import compare_examples, score_character_spans, score_examples
from spacy_tokclf.pipeline.scorer import make_seqeval_scorer_v1

VOCAB = spacy.blank("en").vocab
LABELS = ("A", "B", "creative-work")
MAIN = ("ents_p", "ents_r", "ents_f", "seqeval_precision", "seqeval_recall", "seqeval_f1", "seqeval_accuracy")


def random_spans(doc: Doc, rng: random.Random) -> list[Span]:
    spans, start = [], 0
    while start < len(doc):
        end = min(len(doc), start + rng.randrange(1, 4))
        if rng.random() < 0.4:
            spans.append(Span(doc, start, end, label=rng.choice(LABELS)))
        start = end
    return spans


def random_example(rng: random.Random, *, missing: float = 0.0, retokenize: bool = False) -> Example:
    words = [rng.choice(["a", "bb", "ccc"]) for _ in range(rng.randrange(8))]
    gold = Doc(VOCAB, words=words, spaces=[True] * len(words))
    pred = Doc(VOCAB, words=words, spaces=[True] * len(words))
    if retokenize and words:
        text = "".join(words)
        pieces = [text[i : i + 2] for i in range(0, len(text), 2)]
        gold = Doc(VOCAB, words=words, spaces=[False] * len(words))
        pred = Doc(VOCAB, words=pieces, spaces=[False] * len(pieces))
    unknown = [token.i for token in gold if rng.random() < missing]
    spans = [span for span in random_spans(gold, rng) if not set(range(span.start, span.end)) & set(unknown)]
    if words:
        gold.set_ents(spans, missing=[gold[i : i + 1] for i in unknown])
        pred.ents = random_spans(pred, rng)
    return Example(pred, gold)


def tags(doc: Doc) -> list[str]:
    return doc_to_record(doc).tags


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # seqeval's macro average of no types
@pytest.mark.parametrize("retokenize", [False, True])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_equal_to_spacy_and_seqeval(missing: float, retokenize: bool) -> None:
    theirs = pytest.importorskip("seqeval.metrics")
    rng = random.Random(0)
    scorer, compared = make_seqeval_scorer_v1(), 0
    for _ in range(60):
        examples = [random_example(rng, missing=missing, retokenize=retokenize) for _ in range(rng.randrange(4))]
        scores = scorer(iter(examples))
        expected = get_ner_prf(examples)
        for key in ("ents_p", "ents_r", "ents_f"):
            assert scores[key] == (expected[key] or 0.0)
        assert scores["ents_per_type"] == (expected["ents_per_type"] or {})
        assert scores["seqeval_f1"] == pytest.approx(scores["ents_f"], abs=1e-12)
        assert scores["seqeval_precision"] == pytest.approx(scores["ents_p"], abs=1e-12)
        assert all(type(scores[key]) is float for key in MAIN)
        assert json.loads(json.dumps(scores)) == scores
        gold = [tags(eg.reference) for eg in examples]
        if not missing and not retokenize and any(gold):
            pred = [tags(eg.predicted) for eg in examples]
            report: Any = theirs.classification_report(gold, pred, output_dict=True, zero_division=0)
            assert scores["seqeval_f1"] == report["micro avg"]["f1-score"]
            assert scores["seqeval_accuracy"] == theirs.accuracy_score(gold, pred)
            assert list(scores["seqeval_per_type"]) == list(report)[:-3]
            for name, row in scores["seqeval_per_type"].items():
                assert row["number"] == report[name]["support"]
                assert row["f1"] == report[name]["f1-score"]
            assert score_examples(examples) == score_character_spans(examples)
            compared += 1
    assert compared > 40 or missing or retokenize


@pytest.mark.parametrize("examples", [[], [Example(Doc(VOCAB), Doc(VOCAB))], "unannotated", "outside"])
def test_floats_where_there_is_nothing_to_count(examples: Any) -> None:
    if isinstance(examples, str):
        pred, gold = (Doc(VOCAB, words=["a", "b"]) for _ in range(2))
        pred.ents = [Span(pred, 0, 1, label="A")] if examples == "unannotated" else []
        if examples == "outside":
            gold.ents = []
        examples = [Example(pred, gold)]
    scores = make_seqeval_scorer_v1()(examples)
    assert [scores[key] for key in MAIN[:-1]] == [0.0] * 6
    assert all(type(scores[key]) is float for key in MAIN)
    assert scores["ents_per_type"] == scores["seqeval_per_type"] == {}


def test_predictions_that_touch_missing_gold_are_ignored() -> None:
    words = ["a", "b", "c", "d"]
    gold, pred = Doc(VOCAB, words=words), Doc(VOCAB, words=words)
    gold.set_ents([Span(gold, 3, 4, label="A")], missing=[gold[1:2]])
    pred.ents = [Span(pred, 0, 2, label="A"), Span(pred, 3, 4, label="A")]
    comparison = compare_examples([Example(pred, gold)])
    assert comparison.n_ignored == 1
    assert comparison.n_tokens == 3
    scores = score_examples([Example(pred, gold)])
    assert (scores["overall_f1"], scores["overall_accuracy"]) == (1.0, 1.0)
    assert score_character_spans([Example(pred, gold)]) == scores


def make_two_component_pipeline(scorers: dict[str, Callable[..., dict[str, Any]]]) -> Language:
    """A pipeline of two components that write spans of their own, each with a scorer."""
    nlp = spacy.blank("en")

    class Finder:
        """Puts a span group over the words that it knows, and hands labels and a cfg to its scorer, as a Pipe does."""

        def __init__(self, key: str, label: str, word: str) -> None:
            self.key, self.label, self.word = key, label, word

        def __call__(self, doc: Doc) -> Doc:
            found = [Span(doc, token.i, token.i + 1, label=self.label) for token in doc if token.text == self.word]
            doc.spans[self.key] = found
            doc.ents = [*doc.ents, *found]
            return doc

        def score(self, examples: Any, **kwargs: Any) -> dict[str, Any]:
            return scorers[self.key](examples, spans_key="entities", labels=(self.label,), threshold=0.5, **kwargs)

    for key, label, word in (("one", "PER", "Ada"), ("two", "LOC", "Rome")):
        Language.component(f"finder_{key}", func=Finder(key, label, word))
        nlp.add_pipe(f"finder_{key}")
    return nlp


def test_two_components_with_prefixes_do_not_overwrite_each_other() -> None:
    scorers = {key: make_seqeval_scorer_v1(spans_key=key, score_prefix=f"{key}_") for key in ("one", "two")}
    nlp = make_two_component_pipeline(scorers)
    gold = Doc(nlp.vocab, words=["Ada", "left", "Rome", "for", "Oslo"])
    gold.ents = [Span(gold, 0, 1, label="PER"), Span(gold, 2, 3, label="LOC"), Span(gold, 4, 5, label="LOC")]
    scores = nlp.evaluate([Example(Doc(nlp.vocab, words=[token.text for token in gold]), gold)])
    assert (scores["one_ents_f"], scores["one_seqeval_f1"]) == (1.0, 1.0)
    assert scores["two_ents_p"] == 1.0
    assert scores["two_ents_r"] == scores["two_seqeval_recall"] == 0.5
    assert scores["two_seqeval_per_type"] == {"LOC": {"precision": 1.0, "recall": 0.5, "f1": 2 / 3, "number": 2}}
    assert scores["one_ents_per_type"] == {"PER": {"p": 1.0, "r": 1.0, "f": 1.0}}
    assert "ents_f" not in scores


def test_gold_span_group_is_preferred() -> None:
    gold, pred = (Doc(VOCAB, words=["a", "b", "c"]) for _ in range(2))
    gold.ents = [Span(gold, 0, 1, label="A")]
    gold.spans["mine"] = [Span(gold, 1, 3, label="A"), Span(gold, 0, 1, label="B")]
    pred.spans["mine"] = [Span(pred, 1, 3, label="A")]
    scores = make_seqeval_scorer_v1(spans_key="mine")([Example(pred, gold)])
    assert (scores["ents_p"], scores["ents_r"]) == (1.0, 0.5)


def test_registered_with_config_arguments() -> None:
    scorer = spacy.registry.resolve(
        {"scorer": {"@scorers": "spacy-tokclf.seqeval_scorer.v1", "spans_key": "k", "score_prefix": "x_"}}
    )["scorer"]
    assert "x_ents_f" in scorer([])
    with pytest.raises(ValueError, match="score_prefix"):
        spacy.registry.resolve({"scorer": {"@scorers": "spacy-tokclf.seqeval_scorer.v1", "score_prefix": [1]}})


def test_character_spans_need_the_same_text() -> None:
    gold, pred = Doc(VOCAB, words=["a", "b"], spaces=[True, False]), Doc(VOCAB, words=["a", "b"], spaces=[True, True])
    gold.ents, pred.ents = [], []
    with pytest.raises(ValueError, match=r"TC212.*character 3: ' ', expected ''"):
        score_character_spans([Example(pred, gold)])


def test_character_spans_of_other_tokens() -> None:
    gold = Doc(VOCAB, words=["10km", "to", "New", "York"], spaces=[True, True, True, False])
    gold.ents = [Span(gold, 2, 4, label="LOC"), Span(gold, 0, 1, label="Q")]
    pred = Doc(VOCAB, words=["10", "km", "to", "New", "York"], spaces=[False, True, True, True, False])
    pred.ents = [Span(pred, 3, 5, label="LOC"), Span(pred, 0, 1, label="Q")]
    scores = score_character_spans([Example(pred, gold)])
    # "10" is not "10km"; but laid over the gold tokens it gives that token the right tag.
    assert scores["overall_precision"] == scores["overall_recall"] == 0.5
    assert scores["overall_accuracy"] == 1.0
    assert score_examples([Example(pred, gold)])["overall_f1"] == 1.0  # spaCy's alignment forgives the part


def test_one_number_on_wnut17(wnut17_dir: Path) -> None:
    """ents_f = our overall F1 = seqeval default = seqeval strict IOB2, for a pipeline's predictions."""
    theirs, schemes = pytest.importorskip("seqeval.metrics"), pytest.importorskip("seqeval.scheme")
    nlp = spacy.blank("en")
    ruler: Any = nlp.add_pipe("entity_ruler", config={"phrase_matcher_attr": "LOWER"})
    known = {}
    for name in ("wnut17train.conll", "emerging.dev.conll"):
        for record in read_conll(wnut17_dir / name):
            known |= {" ".join(record.words[start:end]): label for start, end, label in record.spans}
    ruler.add_patterns([{"label": label, "pattern": text} for text, label in known.items()])
    gold = list(records_to_docs(read_conll(wnut17_dir / "emerging.test.annotated"), nlp.vocab))
    words = ([token.text for token in doc] for doc in gold)
    examples = [Example(nlp(Doc(nlp.vocab, words=text)), doc) for text, doc in zip(words, gold, strict=True)]
    scores, overall = make_seqeval_scorer_v1()(examples), score_examples(examples)
    sides = [[tags(doc) for doc in docs] for docs in (gold, [eg.predicted for eg in examples])]
    assert 0 < scores["seqeval_f1"] < 1
    assert overall["overall_f1"] == scores["seqeval_f1"] == theirs.f1_score(*sides)
    assert overall["overall_f1"] == theirs.f1_score(*sides, mode="strict", scheme=schemes.IOB2)
    assert scores["ents_f"] == pytest.approx(overall["overall_f1"], abs=1e-12)
    assert scores["seqeval_accuracy"] == theirs.accuracy_score(*sides)
    assert sum(row["number"] for row in scores["seqeval_per_type"].values()) == 1079
