"""Links between the pages of documentation lead somewhere, and the front page stays a front page."""

import re

import pytest
from pages import README, ROOT, Page, all_pages, anchor

PAGES = {page.path: page for page in all_pages()}


@pytest.mark.parametrize("page", PAGES.values(), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Page) -> None:
    broken = []
    for link in page.links:
        if re.match(r"[a-z]+:", link):
            continue
        path, _, place = link.partition("#")
        target = (page.path.parent / path).resolve() if path else page.path
        if not target.exists() or (place and place not in PAGES[target].anchors):
            broken.append(link)
    assert broken == []


def test_links_are_found() -> None:
    assert "docs/report.png" in README.links and "bench/accuracy/RESULTS.md" in README.links
    assert anchor("In the place of `ner`") == "in-the-place-of-ner"


def test_the_readme_is_short() -> None:
    assert len(README.text.splitlines()) <= 150


def test_the_readme_leads_to_every_page() -> None:
    linked = {link.partition("#")[0] for link in README.links}
    pages = {path.relative_to(ROOT).as_posix() for path in PAGES if path.parent == ROOT / "docs"}
    assert pages and pages <= linked
