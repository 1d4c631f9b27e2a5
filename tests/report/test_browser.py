"""The page in a browser: its numbers follow the threshold as `evaluate` does, filters filter, nothing fails."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import spacy
from browser import Browser, find_browser
from spacy.language import Language
from spacy.tokens import Doc, Span
from test_candidates import expected

from spacy_tokclf.corpus.convert import read_file
from spacy_tokclf.corpus.options import ReadOptions
from spacy_tokclf.metrics.analysis import KINDS
from spacy_tokclf.metrics.seqeval.chunks import Chunks
from spacy_tokclf.metrics.seqeval.tag_codes import Sentences
from spacy_tokclf.metrics.summary import summarize
from spacy_tokclf.report.candidates import Candidates, find_candidates
from spacy_tokclf.report.contrast import contrast
from spacy_tokclf.report.page import System, make_page, thresholds_of

PROGRAM = find_browser()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium")]


class Opened(NamedTuple):
    browser: Browser
    nlp: Language
    references: list[Doc]
    candidates: Candidates
    others: Candidates


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser(str(PROGRAM)) as started:
        started.look(width=1000)
        yield started


@pytest.fixture
def page(browser: Browser, nlp: Language, ruled: Language, references: list[Doc], tmp_path: Path) -> Iterator[Opened]:
    candidates, others = (find_candidates(each, references) for each in (nlp, ruled))
    html = make_page(
        System.of(nlp, "mine", candidates),
        data_name="gold <b>&amp;",
        other=System.of(ruled, "theirs", others),
        train_texts={"Zorblax", "Quorn Falls"},
        train_name="train",
        n_resamples=20,
    )
    (tmp_path / "page.html").write_text(html, encoding="utf8")
    browser.messages.clear()
    browser.requests.clear()
    browser.open(tmp_path / "page.html")
    yield Opened(browser, nlp, references, candidates, others)
    assert browser.messages == []
    assert [address for address in browser.requests if not address.startswith(("file:", "blob:"))] == []


def move(browser: Browser, index: int) -> None:
    code = "const it = document.getElementById('threshold-input'); it.value = %d; it.dispatchEvent(new Event('input'));"
    browser.run(f"{{ {code % index} }}")


def choose(browser: Browser, name: str, value: str, event: str = "change") -> None:
    browser.run(
        f"{{ const it = document.getElementById('{name}'); it.value = {json.dumps(value)};"
        f"it.dispatchEvent(new Event('{event}')); }}"
    )


def table(browser: Browser, name: str) -> dict[str, list[str]]:
    code = f"[...document.querySelectorAll('#{name} tr')].map((row) => [...row.cells].map((cell) => cell.textContent))"
    return {row[0]: row[1:] for row in browser.run(code)}


def text(browser: Browser, selector: str) -> str:
    return browser.run(f"document.querySelector({json.dumps(selector)}).textContent")


def shown(browser: Browser) -> list[str]:
    return browser.run("[...document.querySelectorAll('#list article')].map((one) => one.textContent)")


def percent(value: float) -> str:
    return f"{100 * value:.2f}"


def test_the_threshold_moves_all_numbers_to_those_of_evaluate(page: Opened) -> None:
    browser, thresholds = page.browser, thresholds_of(page.candidates)
    for index in (0, 20, 33, 41, 50, 62, 80, 100):
        move(browser, index)
        summary = expected(page.nlp, page.references, thresholds[index])
        details = summary["details"]
        for name in ("precision", "recall", "f1"):
            assert text(browser, f".live [data-score={name}]") == percent(summary[f"overall_{name}"])
            interval = details["intervals"][name]
            said = f"95% interval {100 * interval['low']:.1f} to {100 * interval['high']:.1f}"
            assert text(browser, f"[data-interval={name}]") == said
        types = {
            name: [percent(summary[name]["f1"]), "", *(percent(summary[name][key]) for key in ("precision", "recall"))]
            for name in details["errors"]
        }
        assert {name: row[:4] for name, row in table(browser, "types").items()} == types
        kinds = table(browser, "kinds")
        assert {name: kinds[name] for name in details["errors"]} == {
            name: [str(row[kind]) for kind in KINDS] for name, row in details["errors"].items()
        }
        confusion = table(browser, "confusion")
        for name, row in details["confusion"].items():
            cells = dict(zip(confusion, confusion[name], strict=True))
            assert {other: cells[other] for other in row} == {other: str(number) for other, number in row.items()}
        lengths = {
            name: [*(percent(row[key]) for key in ("precision", "recall", "f1")), str(row["number"])]
            for name, row in details["by_length"].items()
        }
        assert table(browser, "by-length") == lengths
    assert len({percent(expected(page.nlp, page.references, t)["overall_f1"]) for t in (0.0, 0.33, 0.5)}) > 1


def random_candidates(nlp: Language, *, n_texts: int, seed: int) -> Candidates:
    """Entities at random, gold and predicted, many of them overlapping, with scores of whole hundredths."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 12, n_texts)
    sentences = Sentences.of(lengths)

    def entities() -> Chunks:
        rows = []
        for offset, length in zip(sentences.offsets.tolist(), lengths.tolist(), strict=True):
            at = int(rng.integers(0, 3))
            while at < length:
                end = min(at + int(rng.integers(1, 4)), length)
                rows.append((int(rng.integers(0, 3)), offset + at, offset + end - 1))
                at = end + int(rng.integers(0, 3))
        return Chunks(*np.array(rows, dtype=np.int64).reshape(-1, 3).T)

    gold, pred = entities(), entities()
    upto = (rng.integers(0, 101, len(pred)) / 100).astype("float32")
    return Candidates(
        n_texts=n_texts,
        references=[Doc(nlp.vocab, words=[f"w{i}" for i in range(length)]) for length in lengths],
        places=list(range(n_texts)),
        names=["b", "a", "c"],
        sentences=sentences,
        gold=gold,
        gold_score=np.full(len(gold), np.nan, dtype="float32"),
        unknown=sentences.place(np.zeros(lengths.sum(), dtype=bool), gap=1),
        pred=pred,
        score=upto,
        above=np.full(len(pred), -np.inf, dtype="float32"),
        upto=upto,
        threshold=0.5,
        why_fixed="",
    )


def test_random_entities_are_counted_as_the_metrics_count_them(browser: Browser, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    candidates = random_candidates(nlp, n_texts=400, seed=1)
    html = make_page(System.of(nlp, "mine", candidates), data_name="data", n_resamples=0)
    (tmp_path / "page.html").write_text(html, encoding="utf8")
    browser.open(tmp_path / "page.html")
    seen = set()
    for index in (0, 7, 29, 50, 57, 58, 99, 100):
        move(browser, index)
        summary = summarize(candidates.at(index / 100), candidates.words, n_resamples=0)
        details = summary["details"]
        assert text(browser, ".live [data-score=f1]") == percent(summary["overall_f1"])
        kinds, confusion = table(browser, "kinds"), table(browser, "confusion")
        assert {name: kinds[name] for name in details["errors"]} == {
            name: [str(row[kind]) for kind in KINDS] for name, row in details["errors"].items()
        }
        assert {name: confusion[name] for name in details["confusion"]} == {
            name: [str(number) for number in row.values()] for name, row in details["confusion"].items()
        }
        seen |= {kind for row in details["errors"].values() for kind in KINDS if row[kind]}
    assert seen == set(KINDS)


def test_novelty_best_and_reset(page: Opened) -> None:
    from spacy_tokclf.metrics.groups import scores_by_novelty

    browser, candidates = page.browser, page.candidates
    scores = scores_by_novelty(candidates.at(0.0), candidates.words, {"Zorblax", "Quorn Falls"})
    assert table(browser, "by-novelty") == {
        name: [*(percent(row[key]) for key in ("precision", "recall", "f1")), str(row["number"])]
        for name, row in scores.items()
    }
    browser.run("document.getElementById('best').click()")
    f1 = [expected(page.nlp, page.references, t)["overall_f1"] for t in thresholds_of(candidates)[::10]]
    assert float(text(browser, ".live [data-score=f1]")) >= round(100 * max(f1), 2)
    browser.run("document.getElementById('reset').click()")
    assert text(browser, "#threshold-value") == "0"


def test_filters_filter(page: Opened) -> None:
    browser = page.browser
    details = expected(page.nlp, page.references, 0.0)["details"]
    for kind in KINDS:
        choose(browser, "kind", kind)
        number = sum(row[kind] for row in details["errors"].values())
        assert all(kind.replace("_", " ") in one for one in shown(browser))
        assert bool(shown(browser)) == bool(number)
    choose(browser, "kind", "")
    everything = shown(browser)
    assert f"{sum(sum(row.values()) for row in details['errors'].values())} mistakes" in text(browser, "#found")
    types = browser.run("[...document.querySelectorAll('#type option')].map((one) => one.textContent)")
    choose(browser, "type", str(types.index("product") - 1))
    assert shown(browser) and all("product" in one for one in shown(browser)) and len(shown(browser)) < len(everything)
    choose(browser, "type", "")
    choose(browser, "search", "QUORN", "input")
    assert shown(browser) and all("Quorn" in one for one in shown(browser)) and len(shown(browser)) < len(everything)
    choose(browser, "search", "no such words", "input")
    assert shown(browser) == [] and text(browser, "#found") == "0 texts, 0 mistakes"
    choose(browser, "search", "", "input")
    assert shown(browser) == everything
    choose(browser, "view", "all")
    assert len(shown(browser)) > len(everything)


def test_the_most_confident_mistakes_come_first(page: Opened) -> None:
    code = "[...document.querySelectorAll('#list article')].map((one) => one.querySelector('.info').textContent)"
    lines = page.browser.run(code)
    scores = [
        max(
            (
                int(part.split(" ")[0])
                for part in line.split(", ")
                if part.split(" ")[1:2] == ["%;"] or part.split(" ")[1:2] == ["%"]
            ),
            default=-1,
        )
        for line in lines
    ]
    assert len(scores) > 2 and scores == sorted(scores, reverse=True)


def test_two_pipelines_are_counted_right(page: Opened) -> None:
    browser = page.browser
    for index in (0, 40, 60):
        move(browser, index)
        found = contrast(page.candidates.at(index / 100), page.others.at(0.0), n_resamples=0)
        assert (text(browser, "#fixed"), text(browser, "#broken")) == (str(found["fixed"]), str(found["broken"]))
        assert text(browser, "#fixed-parts").startswith(f"{found['found']} gold entities found, {found['removed']} ")
        assert text(browser, "#broken-parts").startswith(f"{found['lost']} gold entities lost, {found['added']} ")
    browser.run("document.querySelector('[data-view=fixed]').click()")
    assert found["fixed"] and 0 < len(shown(browser)) <= found["fixed"]
    assert all("theirs:" in one for one in shown(browser))


def test_script_in_texts_and_labels_stays_text(page: Opened) -> None:
    browser = page.browser
    choose(browser, "view", "all")
    assert any("</script><script>alert(1)</script>" in one and "<b>bold</b>" in one for one in shown(browser))
    assert browser.run("document.querySelectorAll('#list b, #list script, #list img').length") == browser.run(
        "document.querySelectorAll('#list .info > span > b').length"
    )
    assert browser.run("document.scripts.length") == 2
    assert text(browser, "h1") == "mine on gold <b>&amp;"


def save(browser: Browser) -> list[str]:
    """Press the button; give the lines of the file."""
    code = """new Promise((done) => { const make = URL.createObjectURL;
        URL.createObjectURL = (blob) => { blob.text().then(done); return make(blob); };
        document.getElementById('save').click(); URL.createObjectURL = make; })"""
    return browser.run(code).rstrip("\n").split("\n")


def offer(browser: Browser, confidence: float) -> None:
    """Choose a confidence that the page does not offer, since small models have little."""
    browser.run(f"document.getElementById('confidence').options[0].value = '{confidence}'")
    choose(browser, "confidence", str(confidence))


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_likely_mistakes_in_the_gold_are_saved(page: Opened, tmp_path: Path, share: float) -> None:
    """As texts to annotate: what is read of them is the gold. Emoji are one character each."""
    browser, scored = page.browser, page.candidates.scored(0.0)
    confidence = float(np.quantile(scored[0][~scored[1]], share))
    offer(browser, confidence)
    (tmp_path / "saved.jsonl").write_text("\n".join(save(browser)), encoding="utf8")
    rows = [json.loads(line) for line in save(browser)]
    docs = read_file(tmp_path / "saved.jsonl", spacy.blank("en"), ReadOptions(keep_tokens=True))
    assert text(browser, "#gold-count").endswith(f"in {len(rows)} {'text' if len(rows) == 1 else 'texts'}")
    for row, doc in zip(rows, docs, strict=True):
        gold = page.references[row["meta"]["text"]]
        assert [token.text_with_ws for token in doc] == [token.text_with_ws for token in gold]
        assert doc.has_unknown_spaces == gold.has_unknown_spaces
        assert [token.ent_iob_ + token.ent_type_ for token in doc] == [t.ent_iob_ + t.ent_type_ for t in gold]
        for one in row["meta"]["predicted"]:
            assert one["score"] >= confidence and row["text"][one["start"] : one["end"]] == one["text"]
            assert (one["start"], one["end"], one["label"]) not in {
                (ent.start_char, ent.end_char, ent.label_) for ent in gold.ents
            }
    number = sum(len(row["meta"]["predicted"]) for row in rows)
    assert number == (~scored[1] & (scored[0] >= confidence)).sum() > 0


def test_gold_that_is_unlikely_can_be_added(page: Opened) -> None:
    browser = page.browser
    missed = page.candidates.gold_score[~page.candidates.at(0.0).gold_hit]
    confidence = 1 - float(np.nanmedian(missed))
    offer(browser, confidence)
    browser.run("document.getElementById('unlikely').click()")
    rows = [json.loads(line) for line in save(browser)]
    found = [one for row in rows for one in row["meta"]["unlikely"]]
    assert found and all(1 - one["score"] >= confidence for one in found)
    spans = {(row["meta"]["text"], one["start"], one["end"], one["label"]) for row in rows for one in row["spans"]}
    assert spans >= {(r["meta"]["text"], o["start"], o["end"], o["label"]) for r in rows for o in r["meta"]["unlikely"]}
    choose(browser, "view", "gold")
    assert len(shown(browser)) == len(rows)


def test_the_file_is_downloaded(page: Opened, tmp_path: Path) -> None:
    browser = page.browser
    browser.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    offer(browser, 0.0)
    browser.run("document.getElementById('save').click()")
    path = tmp_path / "likely_mistakes.jsonl"
    for _ in range(100):
        if path.is_file() and path.stat().st_size:
            break
        browser.run("new Promise((done) => setTimeout(done, 50))")
    assert path.read_text(encoding="utf8").rstrip("\n").split("\n") == save(browser)


@pytest.mark.parametrize("kind", ["finds nothing", "has no scores", "is empty", "has one type in one text"])
def test_pages_of_poor_pipelines_run_too(
    browser: Browser, nlp: Language, ruled: Language, references: list[Doc], tmp_path: Path, kind: str
) -> None:
    """Without predictions at any threshold, without scores, without components, without much of anything."""
    if kind == "finds nothing":
        nlp.get_pipe("ner").cfg["tuning"] = {"bias": dict.fromkeys(nlp.get_pipe("ner").labels, -100.0)}  # type: ignore
    if kind == "has one type in one text":
        references = references[1:2]
    one = {"finds nothing": nlp, "has no scores": ruled, "is empty": spacy.blank("en")}.get(kind, nlp)
    candidates = find_candidates(one, references)
    assert kind == "has no scores" or kind.startswith("has one") or not len(candidates.pred)
    html = make_page(System.of(one, "mine", candidates), data_name="data", n_resamples=0)
    (tmp_path / "page.html").write_text(html, encoding="utf8")
    browser.messages.clear()
    browser.open(tmp_path / "page.html")
    summary = summarize(candidates.at(0.0), candidates.words, n_resamples=0)
    assert text(browser, ".live [data-score=recall]") == percent(summary["overall_recall"])
    choose(browser, "view", "all")
    assert len(shown(browser)) > 0
    if candidates.threshold is not None:
        move(browser, 100)
        assert text(browser, ".live [data-score=f1]") == "0.00"
        browser.run("document.getElementById('best').click()")
    assert browser.messages == []


def test_nothing_is_wider_than_a_phone(page: Opened) -> None:
    page.browser.look(width=390)
    assert page.browser.run("document.documentElement.scrollWidth") <= 390
    page.browser.look(width=1000)


def test_nor_is_a_long_label(browser: Browser, ruled: Language, tmp_path: Path) -> None:
    doc = ruled.make_doc("Zorblax is in Quorn Falls")
    doc.set_ents([Span(doc, 0, 1, "long" * 20), Span(doc, 3, 5, "no-" * 30)])
    page = make_page(System.of(ruled, "mine", find_candidates(ruled, [doc])), data_name="gold", n_resamples=0)
    (tmp_path / "page.html").write_text(page, encoding="utf8")
    browser.open(tmp_path / "page.html")
    browser.look(width=390)
    assert browser.run("document.documentElement.scrollWidth") <= 390
    tags = "[...document.querySelectorAll('td .tag')].map(each => each.getBoundingClientRect().width)"
    assert min(widths := browser.run(tags)) > 30 and max(widths) < 200
    browser.look(width=1000)
