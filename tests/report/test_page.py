"""The page as a file: what stands in it, what does not, and how large it is."""

import json
import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span
from test_candidates import expected

from spacy_tokclf.corpus.digest import digest_texts
from spacy_tokclf.report.candidates import find_candidates
from spacy_tokclf.report.contrast import contrast
from spacy_tokclf.report.facts import model_name, tuning_text
from spacy_tokclf.report.page import System, make_page
from spacy_tokclf.report.payload import script_json
from spacy_tokclf.report.plots import Frame
from spacy_tokclf.report.training_log import Evaluation


def system(nlp: Language, references: list[Doc], name: str = "pipeline") -> System:
    return System.of(nlp, name, find_candidates(nlp, references))


def payload(page: str) -> dict[str, Any]:
    (found,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)
    return json.loads(found)


class Elements(HTMLParser):
    """Notes the elements of a page, and the addresses in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.addresses: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action")]


def test_texts_labels_and_names_stay_text(nlp: Language, ruled: Language, references: list[Doc]) -> None:
    name = "<img src=x onerror=alert(1)>"
    plain = Elements(make_page(system(nlp, references[:3]), data_name="data", n_resamples=0))
    page = make_page(
        system(nlp, references, name),
        data_name=name,
        other=system(ruled, references, f"{name} & <!-- other"),
        train_texts={"x"},
        train_name=name,
        n_resamples=0,
    )
    found = Elements(page)
    assert found.names.count("script") == plain.names.count("script") == 2
    assert not {"img", "b"} & set(found.names) - set(plain.names)
    assert all(address.startswith("#") for address in found.addresses)
    assert "<!--" not in page and "alert(1)</script>" not in page and "\u2028" not in page
    evil = references[-3][0].text
    texts = payload(page)["texts"]
    assert [evil, "<!--", "<b>bold</b>", "a\u2028b", "&lt;", "is", "here"] in [text["w"] for text in texts]
    assert evil in payload(page)["types"] and unescape(page).count(evil) > 1


def test_nothing_comes_from_the_network_and_only_our_script_runs(nlp: Language, references: list[Doc]) -> None:
    import base64
    import hashlib

    page = make_page(system(nlp, references), data_name="data", n_resamples=0)
    assert "http:" not in page and "https:" not in page and "@import" not in page and "url(" not in page
    script = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in unescape(page)
    assert page == make_page(system(nlp, references), data_name="data", n_resamples=0)


def test_json_in_a_script_element() -> None:
    value = {"</script>": "<!-- & \u2028 \u2029 ü \U0001f600"}
    assert json.loads(script_json(value)) == value
    assert not set("<>&\u2028\u2029") & set(script_json(value))


def test_the_scores_without_javascript_are_those_of_evaluate(nlp: Language, references: list[Doc]) -> None:
    nlp.get_pipe("ner").cfg["threshold"] = 0.3  # type: ignore[attr-defined]
    page = make_page(system(nlp, references), data_name="data", n_resamples=20)
    summary = expected(nlp, references, 0.3)
    assert f'data-score="f1">{100 * summary["overall_f1"]:.2f}<' in page
    low, high = (100 * summary["details"]["intervals"]["f1"][end] for end in ("low", "high"))
    assert f"95% interval {low:.1f} to {high:.1f}" in page
    assert payload(page)["thresholds"][payload(page)["own"]] == 0.3
    assert "Tokens without annotation" in page and ">2 (masked" in page
    assert "Texts without annotation" in page and ">1 (not scored" in page


def test_a_large_page_stays_small() -> None:
    nlp = spacy.blank("en")
    ruler: Any = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "person", "pattern": "Zorblax"}])
    text = "just met Zorblax in Quorn Falls lol , and then everybody went on to the next place \U0001f600 ."
    words = text.split()
    docs = [Doc(nlp.vocab, words=words) for _ in range(1300)]
    for doc in docs:
        doc.set_ents([Span(doc, 2, 3, "person"), Span(doc, 4, 6, "location")])
    page = make_page(system(nlp, docs), data_name="data")
    assert len(page.encode("utf8")) < 1_000_000
    assert "give their entities no scores. So there is no threshold" in page and 'id="reliability"' not in page


def test_sections_that_have_nothing_to_show_are_left_out(nlp: Language, references: list[Doc]) -> None:
    bare = make_page(system(nlp, references), data_name="data", n_resamples=0)
    for part in ('<section id="training"', '<section id="versus"', '<div class="note" data-interval'):
        assert part not in bare
    log = [Evaluation(0, 0.0, 0.0, 5.0), Evaluation(20, 0.5, 0.5, 40.0), Evaluation(40, 0.4, 0.4, 3.0)]
    page = make_page(system(nlp, references), data_name="data", log=log, n_resamples=0)
    assert "best, after 20 updates: 50.00" in page
    assert "best, after 0 updates: 70.00" in make_page(
        system(nlp, references), data_name="data", log=[Evaluation(0, None, 0.7, 0.0)], n_resamples=0
    )


def test_a_pipeline_that_predicts_nothing(references: list[Doc], nlp: Language) -> None:
    nlp.get_pipe("ner").cfg["threshold"] = 1.0  # type: ignore[attr-defined]
    page = make_page(system(nlp, references), data_name="data", n_resamples=0)
    assert 'data-score="f1">0.00<' in page
    blank = make_page(system(spacy.blank("en"), references), data_name="data", n_resamples=0)
    assert 'data-score="recall">0.00<' in blank


def test_two_pipelines(nlp: Language, ruled: Language, references: list[Doc]) -> None:
    one, other = system(nlp, references), system(ruled, references)
    mine, theirs = one.candidates.at(0.0), other.candidates.at(0.0)
    found = contrast(mine, theirs, n_resamples=100)
    back = contrast(theirs, mine, n_resamples=100)
    assert (found["found"], found["removed"]) == (back["lost"], back["added"])
    assert found["found"] - found["lost"] == mine.gold_hit.sum() - theirs.gold_hit.sum()
    assert found["removed"] - found["added"] == (~theirs.pred_hit).sum() - (~mine.pred_hit).sum()
    assert found["fixed"] == found["found"] + found["removed"] > 0
    assert found["paired"]["difference"] == pytest.approx(found["one"]["f1"] - found["other"]["f1"])
    same = contrast(mine, mine, n_resamples=0)
    assert same["fixed"] == same["broken"] == 0 and same["paired"] is None
    # Two pipelines of one name can be told apart.
    assert "pipeline (2)" in make_page(one, data_name="data", other=other, n_resamples=0)


def test_what_is_said_about_tuning_on_the_texts_of_the_page(nlp: Language, references: list[Doc]) -> None:
    pipe: Any = nlp.get_pipe("ner")
    pipe.cfg["tuning"] = {"slope": 0.8, "texts": digest_texts(reversed(references))}
    here = make_page(system(nlp, references), data_name="data", n_resamples=0)
    assert "Tuned on these data after training" in here and "scores here are somewhat too good" in here
    elsewhere = make_page(system(nlp, references[1:]), data_name="data", n_resamples=0)
    assert "which are not these data as a whole" in elsewhere and "Tuned on these data" not in elsewhere


def test_what_is_said_about_tuning(nlp: Language) -> None:
    pipe: Any = nlp.get_pipe("ner")
    assert tuning_text(pipe) == "none"
    pipe.cfg["tuning"] = {"bias": {"person": 0.5, "location": 0.5}, "temperature": 1.0, "slope": 0.8, "shift": 0.1}
    assert "bias +0.50; scores: slope 0.80, shift +0.10" in tuning_text(pipe)
    assert "On which texts is not stored" in tuning_text(pipe)
    pipe.cfg["tuning"]["bias"]["person"] = -1.0
    assert "bias -1.00 person, +0.50 location" in tuning_text(pipe)
    pipe.cfg["tuned"] = False
    assert "not in use" in tuning_text(pipe)


def test_names_say_nothing_of_the_machine(tmp_path: Any) -> None:
    (tmp_path / "training" / "model-best").mkdir(parents=True)
    assert model_name(str(tmp_path / "training" / "model-best")) == "training/model-best"
    assert model_name(str(tmp_path / "training")) == "training"
    assert model_name("en_core_web_sm") == "en_core_web_sm"


@pytest.mark.parametrize("high", [1.0, 7.0, 300.0, 0.02, 20_000.0])
def test_ticks_are_few_and_round(high: float) -> None:
    ticks = Frame(x1=high).ticks("x")
    assert 3 <= len(ticks) <= 7 and ticks[0] == 0 and ticks[-1] <= high
    assert "-0" not in {f"{tick:g}" for tick in ticks}
