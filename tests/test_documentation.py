"""Every link in this repository's own pages has a target."""

import re
from pathlib import Path

import pytest

from tests.baton import ROOT

PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


def anchors(page: Path) -> set[str]:
    """Return the anchors that hosting platforms make from the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_has_a_target(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    lost = []
    for link in links:
        path, _, anchor = link.partition("#")
        if ":" in path:
            continue
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


def test_the_index_links_to_every_page() -> None:
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    named = {ROOT / "docs" / link for link in re.findall(r"\]\(([^)\s]+\.md)\)", index)}
    assert {page for page in PAGES if page.parent.parent == ROOT / "docs"} <= named
