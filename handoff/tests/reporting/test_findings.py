"""One list of findings in every format."""

import json
import os
from typing import get_args

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
def test_people_read_message_place_side_evidence_and_fix(form: Format) -> None:
    text = render([FOUND], form, "Nothing.")
    for part in (FOUND.message, "src/trips/a,b:c.py:7", "data-science", "100 % sure", "say 2.0.0"):
        assert part in text


def test_json_has_every_field() -> None:
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
        "cell": None,
    }


def test_github_gets_one_line_with_its_delimiters_escaped() -> None:
    assert render([FOUND], "github", "Nothing.") == (
        "::error file=src/trips/a%2Cb%3Ac.py,line=7::"
        "[data-science] Trip is still version 1.0.0. 100 %25 sure. say 2.0.0."
    )


@pytest.mark.parametrize("form", ["terminal", "markdown", "github"])
def test_people_read_a_sentence_without_findings(form: Format) -> None:
    assert "Nothing." in render([], form, "Nothing.")


@pytest.mark.parametrize("output_format", get_args(Format))
def test_a_file_name_that_is_not_utf_8_is_escaped_in_every_format(output_format: Format) -> None:
    name = os.fsdecode(b"caf\xe9.py")
    finding = Finding("x", f"{name} is odd", True, file=name, evidence=(name,), fix=name)
    text = render([finding], output_format, "")
    assert "caf" in text.encode("utf-8").decode()
    assert (finding.file, finding.message) == (r"caf\xe9.py", r"caf\xe9.py is odd")
    assert Finding("x", "größer", True).message == "größer"
