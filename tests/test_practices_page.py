"""The page of practices links only to existing practices and lists every rubric test once."""

import re

from tests.baton import ROOT

PAGE = (ROOT / "docs/own/practices.md").read_text(encoding="utf-8")


def test_every_link_has_a_heading_as_target() -> None:
    headings = set(re.findall(r"^### ([\w-]+)$", PAGE, re.MULTILINE))
    assert headings
    assert set(re.findall(r"\]\(#([\w-]+)\)", PAGE)) == headings


def test_the_rubric_has_twenty_eight_tests() -> None:
    rows = re.findall(r"^\| (?:Data|Model|Infrastructure|Monitoring) [1-7] \|", PAGE, re.MULTILINE)
    assert len(set(rows)) == len(rows) == 28
