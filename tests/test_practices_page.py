"""The page of practices names only practices that there are, and every test of the rubric once."""

import re

from tests.baton import ROOT

PAGE = (ROOT / "docs/own/practices.md").read_text(encoding="utf-8")


def test_every_link_leads_to_a_heading() -> None:
    headings = set(re.findall(r"^### ([\w-]+)$", PAGE, re.MULTILINE))
    assert headings
    assert set(re.findall(r"\]\(#([\w-]+)\)", PAGE)) == headings


def test_the_rubric_has_twenty_eight_tests() -> None:
    rows = re.findall(r"^\| (?:Data|Model|Infrastructure|Monitoring) [1-7] \|", PAGE, re.MULTILINE)
    assert len(set(rows)) == len(rows) == 28
