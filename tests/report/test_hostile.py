"""Labels, titles, names and texts that are HTML: pages show them and run nothing."""

from collections.abc import Iterator
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest
import spacy
from browser import Browser, find_browser
from spacy import displacy
from spacy.language import Language
from spacy.tokens import Doc, Span

import spacy_tokclf
from spacy_tokclf.report.candidates import find_candidates
from spacy_tokclf.report.page import System, make_page

RUN = "window.ran=(window.ran||0)+1"
LABELS = (
    f"<img src=x onerror={RUN}>",
    f'"><svg onload={RUN}>',
    f"' onmouseover='{RUN}' autofocus onfocus='{RUN}",
    f"</script><script>{RUN}</script>",
    f"</title></style></textarea><script>{RUN}</script>",
    f"--><iframe srcdoc='<script>parent.ran=1</script>'><!--{RUN}",
    f"javascript:{RUN}",
    "{{7*7}}${7*7}<%=7*7%>",
    "\\u003cscript\\u003e\u2028\u2029",
)
PROGRAM = find_browser()


class Tags(HTMLParser):
    """Notes elements, attributes that run something, and addresses."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.running: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.running += [name for name, _ in attrs if name.startswith("on") or name in ("srcdoc", "autofocus")]
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action")]

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile(labels: tuple[str, ...] = LABELS) -> tuple[Language, list[Doc]]:
    """A pipeline and gold whose labels, words and names are all of these."""
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler", name=labels[0])
    ruler.add_patterns([{"label": label, "pattern": f"w{i}"} for i, label in enumerate(labels)])
    docs = []
    for i, label in enumerate(labels):
        doc = Doc(nlp.vocab, words=[f"w{i}", "and", f"w{(i + 1) % len(labels)}", label])
        doc.set_ents([Span(doc, 0, 1, label), Span(doc, 3, 4, labels[i - 1])])
        docs.append(doc)
    nlp.meta.update(license=labels[0], name=labels[1], version=labels[2])
    return nlp, docs


def page_of(labels: tuple[str, ...] = LABELS) -> str:
    nlp, docs = hostile(labels)
    system, other = (System.of(nlp, name, find_candidates(nlp, docs)) for name in labels[:2])
    facts = {"train_texts": {"w0"}, "train_name": labels[3], "data_name": labels[4]}
    return make_page(system, other=other, n_resamples=2, **facts)


def test_the_page_has_the_elements_of_any_other() -> None:
    plain = Tags(page_of(tuple(f"label {i}" for i in range(len(LABELS)))))
    found = Tags(page_of())
    assert (found.names, found.running) == (plain.names, [])
    assert all(address.startswith("#") for address in found.addresses)
    assert LABELS[0] in found.text and RUN in found.text


@pytest.mark.parametrize("label", LABELS)
def test_displacy_shows_labels_and_titles_as_text(label: str) -> None:
    nlp = spacy.blank("en")
    doc = Doc(nlp.vocab, words=["Ada", "<b>", "knits"])
    doc.ents = [Span(doc, 0, 1, label)]
    doc.user_data["title"] = label
    options = {"colors": spacy_tokclf.colors([label]), "ents": [label]}
    page = displacy.render(
        spacy_tokclf.displacy_ents(doc), style="ent", manual=True, jupyter=False, page=True, options=options
    )
    assert Tags(page).running == [] and not {"img", "svg", "script", "iframe", "b"} & Tags(page).names
    assert page.count(escape(label)) == 2 and options["colors"][label] in page


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser(str(PROGRAM)) as started:
        yield started


@pytest.mark.slow
@pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium")
def test_nothing_runs_in_a_browser(browser: Browser, tmp_path: Path) -> None:
    """Not in the page, whose policy would not let it, nor without the policy, nor in displaCy's."""
    page = page_of()
    policy = "Content-Security-Policy"
    assert page.count(policy) == 1
    _, docs = hostile()
    for doc in docs:
        doc.user_data["title"] = doc[3].text
    shown = displacy.render(
        [*map(spacy_tokclf.displacy_ents, docs)], style="ent", manual=True, jupyter=False, page=True
    )
    for name, html in (("page", page), ("no policy", page.replace(policy, "x")), ("displacy", shown)):
        browser.messages.clear()
        browser.requests.clear()
        (tmp_path / f"{name}.html").write_text(html, encoding="utf8")
        browser.open(tmp_path / f"{name}.html")
        for select in ("view", "type", "kind"):
            browser.run(
                f"[...document.querySelectorAll('#{select} option')].forEach((one) => {{"
                " one.parentNode.value = one.value; one.parentNode.dispatchEvent(new Event('change')); })"
            )
        assert browser.run("document.querySelectorAll('img, iframe, [onerror], [onload]').length") == 0, name
        assert browser.run("window.ran || 0") == 0, name
        assert browser.messages == [] and len(browser.requests) == 1, name
        assert browser.run("document.body.textContent.includes('onerror=')"), name
