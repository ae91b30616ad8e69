"""One list of findings, in every form that somebody reads."""

import json

import pytest

from baton_handoff.reporting.findings import Finding, Format, render

FOUND = Finding(
    "contract-version",
    "Trip is still version 1.0.0",
    blocks=True,
    side="data-science",
    file="src/trips/a,b:c.py",
    line=7,
    evidence=("100 % sure",),
    fix="say 2.0.0",
)


@pytest.mark.parametrize("form", ["terminal", "markdown"])
def test_a_person_reads_what_where_for_whom_and_what_to_do(form: Format) -> None:
    said = render([FOUND], form, "Nothing.")
    for part in (FOUND.message, "src/trips/a,b:c.py:7", "data-science", "100 % sure", "say 2.0.0"):
        assert part in said


def test_a_program_reads_every_field() -> None:
    (finding,) = json.loads(render([FOUND], "json", "Nothing."))
    assert finding == {
        "check": "contract-version",
        "message": "Trip is still version 1.0.0",
        "blocks": True,
        "side": "data-science",
        "file": "src/trips/a,b:c.py",
        "line": 7,
        "evidence": ["100 % sure"],
        "fix": "say 2.0.0",
        "met": False,
    }


def test_github_reads_one_line_in_which_nothing_ends_the_command_early() -> None:
    assert render([FOUND], "github", "Nothing.") == (
        "::error file=src/trips/a%2Cb%3Ac.py,line=7::"
        "Trip is still version 1.0.0 100 %25 sure say 2.0.0"
    )


@pytest.mark.parametrize("form", ["terminal", "markdown", "github"])
def test_where_nothing_was_found_a_sentence_says_so(form: Format) -> None:
    assert "Nothing." in render([], form, "Nothing.")
