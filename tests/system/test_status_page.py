"""The page of `handoff status --html` in a browser, on phone and desktop, in light and dark."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.baton import Workshop, commit, owners, render, run
from tests.project import Project
from tests.system.browser import Page, browser

SIZES = {"phone": (390, 844), "desk": (1280, 900)}

LOW_CONTRAST = """
(() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => parts(colour).slice(0, 3).map((value) => value / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((parts(colour)[3] ?? 1) > 0) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const texts = [...document.querySelectorAll('body *')].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  return texts.map((element) => {
    const [a, b] = [getComputedStyle(element).color, behind(element)].map(light);
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.outerHTML];
  }).filter(([ratio]) => ratio < 4.5);
})()
"""
"""Texts with too little contrast: https://www.w3.org/TR/WCAG22/#contrast-minimum."""

UNREACHABLE = """
[...document.querySelectorAll('tbody tr')].filter((row) =>
  [row.cells[0], row.cells[row.cells.length - 1]].some((cell) => {
    cell.scrollIntoView({block: 'center', inline: 'end'});
    const {left, right, top, bottom, width, height} = cell.getBoundingClientRect();
    return !width || !height || right > innerWidth + 1 || right < 1 || bottom < 1
      || top > innerHeight || left > innerWidth;
  })).map((row) => row.innerText)
"""
"""Rows that can't be scrolled into view."""


@pytest.fixture(scope="module")
def project(
    workshop: Workshop, environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """Return a new project with its status page."""
    folder = tmp_path_factory.mktemp("status") / "project"
    render(workshop.template(), folder, {"level": 1})
    project = Project(folder, environment)
    run(["uv", "lock", "--quiet"], folder)
    owners(folder)
    commit(folder, "first")
    project("handoff", "status", "--html", "status.html")
    return project


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Yield a page in a browser."""
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(
    params=[(size, scheme) for size in SIZES for scheme in ("light", "dark")], ids="-".join
)
def opened(request: pytest.FixtureRequest, page: Page, project: Project, tmp_path: Path) -> Page:
    """Open the page with this screen size and preferred color scheme."""
    size, scheme = request.param
    width, height = SIZES[size]
    address = (project.folder / "status.html").as_uri()
    page.open(address, width=width, height=height, scheme=scheme)
    page.picture(tmp_path / f"{size}-{scheme}.png")
    return page


def test_the_page_loads_no_other_file_and_logs_no_error(opened: Page) -> None:
    (expected,) = opened.events_of("Network.requestWillBeSent")
    assert expected["request"]["url"].endswith("/status.html")
    assert opened.events_of("Runtime.consoleAPICalled", "Runtime.exceptionThrown") == []
    assert opened.events_of("Log.entryAdded") == []


def test_only_tables_scroll_sideways(opened: Page) -> None:
    assert opened.value("document.scrollingElement.scrollWidth - innerWidth") <= 0


def test_every_practice_is_listed_and_can_be_scrolled_into_view(
    opened: Page, project: Project
) -> None:
    done = project("handoff", "status", "--format", "json")
    expected = [one for one in json.loads(done.stdout)["outcomes"] if one["tier"] != "not-needed"]
    row_texts: list[str] = opened.value(
        "[...document.querySelectorAll('.practices tbody')].map((body) => body.innerText)"
    )
    assert len(expected) > 40
    for one in expected:
        (text,) = (text for text in row_texts if one["title"] in text)
        assert one["side"] in text
    assert opened.value(UNREACHABLE) == []


def test_every_text_has_enough_contrast(opened: Page) -> None:
    assert opened.value(LOW_CONTRAST) == []


def test_the_page_is_dark_if_the_user_prefers_it(page: Page, project: Project) -> None:
    grounds: dict[str, Any] = {}
    for scheme in ("light", "dark"):
        page.open((project.folder / "status.html").as_uri(), width=800, height=600, scheme=scheme)
        grounds[scheme] = page.value("getComputedStyle(document.body).backgroundColor")
    assert grounds["light"] != grounds["dark"]
