"""An assessment in every format: the same content, and hostile text stays text.

`GOLDEN=write` writes the golden files; read them before you commit.
"""

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any, get_args

import jsonschema_rs
import pytest

from assessments import DS, ML, assessment, at_level, practice, result
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.practices.assessment import Assessment, State
from baton_handoff.policy.practices.way import Way
from baton_handoff.policy.rendering.explanation import explain_practice
from baton_handoff.policy.rendering.html_report import html_report
from baton_handoff.policy.rendering.json_report import json_report
from baton_handoff.policy.rendering.markdown_report import MARKER, markdown_report
from baton_handoff.policy.rendering.open_findings import open_findings
from baton_handoff.policy.rendering.summary import (
    announce_way,
    blocking_counts,
    for_side,
    next_level,
    next_steps,
)
from baton_handoff.policy.rendering.terminal_report import terminal_report
from baton_handoff.reporting.findings import Finding, Format, render
from baton_handoff.reporting.terminal_style import TerminalStyle
from published_schemas import status_schema

SCHEMA = Path(json_report.__code__.co_filename).with_name("status.schema.json")
GOLDEN = Path(__file__).parent / "golden" / "status"
AT = "2026-11-25T13:20:00"
HOSTILE = (
    "<img src=x onerror=alert(1)>|@all [x](http://evil.test) \033[31m`\n## no & --> </details>"
)

FORMS: Mapping[str, str] = {
    "screen.txt": terminal_report(assessment(), TerminalStyle()),
    "plain.txt": terminal_report(assessment(), TerminalStyle(encoding="ascii"), "handoff"),
    "colour.txt": terminal_report(for_side(assessment(), DS), TerminalStyle(colour=True)),
    "explained.txt": explain_practice(assessment(), "types-checked", TerminalStyle()),
    "comment.md": markdown_report(assessment(), "handoff"),
    "page.html": html_report(assessment(), AT),
    "status.json": json.dumps(json_report(assessment(), "handoff"), indent=2) + "\n",
    str(SCHEMA): json.dumps(status_schema(), indent=2) + "\n",
    "findings.sarif": render(open_findings(assessment(), "handoff"), "sarif", ""),
    "github.txt": render(open_findings(assessment(), "handoff"), "github", ""),
    "azure.txt": render(open_findings(assessment(), "handoff"), "azure", ""),
    "gitlab.json": render(open_findings(assessment(), "handoff"), "gitlab", ""),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_report_equals_its_golden_file(name: str) -> None:
    file = GOLDEN / name
    text = FORMS[name].rstrip("\n") + "\n"
    if os.environ.get("GOLDEN") == "write":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    assert text == file.read_text(encoding="utf-8")


@pytest.fixture
def hostile() -> Assessment:
    """An assessment in which every free text is an attack."""
    kept = practice("x", HOSTILE, title=HOSTILE, why=HOSTILE, fix=HOSTILE)
    found = Finding("y", HOSTILE, False, file=f"src/{HOSTILE}", line=1)
    results = [
        result(kept, DS, State.NOT_SHOWN, HOSTILE),
        result(kept, ML, State.NOT_MET, HOSTILE, findings=(found,)),
    ]
    return Assessment(HOSTILE, 1, results)


def test_blocking_practices_are_counted_by_stage_and_the_next_level_adds_its_own() -> None:
    assert blocking_counts(assessment()) == {
        "now": 0,
        "at the handoff": 2,
        "at the promotion": 3,
        "more at level 2": 1,
    }
    (more,) = next_level(assessment())
    assert (more.practice.name, more.side) == ("types-checked", DS)
    assert blocking_counts(at_level(assessment(), 2))["now"] == 1
    assert next_level(at_level(assessment(), 2)) == []


def test_next_steps_come_by_urgency_and_each_fix_once() -> None:
    assert [(step.fix, step.sides) for step in next_steps(assessment())] == [
        ("Run `poe types-checked`.", (ML,)),
        ("Run `poe tests`.", (ML,)),
        ("Run `handoff source add fares.xlsx`.", (DS,)),
    ]


def test_a_step_for_both_sides_has_the_message_of_each() -> None:
    editor = practice("proper-editor", science="must")
    results = [result(editor, side, State.NOT_SHOWN, f"No word of {side}.") for side in (DS, ML)]
    (step,) = next_steps(Assessment("p", 1, results))
    assert step.sides == (DS, ML)
    assert step.message == f"No word of {DS}. No word of {ML}."


def test_an_open_practice_has_its_name_beside_its_title() -> None:
    one = assessment()
    assert "Tests (tests): No test" in terminal_report(one, TerminalStyle())
    assert "Tests (tests) [ml-engineering" in terminal_report(one, TerminalStyle(), "handoff")
    assert "Lineage (lineage) [ml-engineering]: accepted" in terminal_report(one, TerminalStyle())
    assert "\033[2m(tests)\033[0m" in terminal_report(one, TerminalStyle(colour=True))
    assert "Tests (`tests`): No test" in markdown_report(one)
    assert "**ml-engineering** `tests` Tests: No test" in markdown_report(one, "handoff")
    assert "Tests (<code>tests</code>): No test" in html_report(one, AT)
    assert '<code class="note">tests</code>' in html_report(one, AT)


def test_a_finding_of_both_sides_is_listed_once() -> None:
    linted = practice("linted", science="must")
    found = tuple(Finding("x", f"{name} is not used", False, file="a.py") for name in "bc")
    alike = [result(linted, side, State.NOT_MET, findings=found) for side in (DS, ML)]
    text = markdown_report(
        Assessment("p", 0, [*alike, result(practice("style"), ML, State.NOT_SHOWN)])
    )
    assert "3 open, 0 accepted" in text
    assert [line for line in text.splitlines() if line.startswith("- ·")] == [
        "- · **data-science, ml-engineering** `linted` b is not used (a.py) → Run `poe linted`.",
        "- · **data-science, ml-engineering** `linted` c is not used (a.py) → Run `poe linted`.",
        "- · **ml-engineering** `style` Style: Seen. → Run `poe style`.",
    ]


def test_a_practice_that_blocks_both_sides_alike_is_listed_once() -> None:
    linted = practice("linted", science="must")
    messages = {DS: "One line is too long.", ML: "Two lines are too long."}

    def listed(*texts: str) -> list[str]:
        results = [
            result(linted, side, State.NOT_MET, one)
            for side, one in zip((DS, ML), texts, strict=True)
        ]
        text = terminal_report(Assessment("p", 1, results), TerminalStyle(width=110), "handoff")
        return [line for line in text.splitlines() if line.startswith("  ✗")]

    assert listed(messages[DS], messages[DS]) == [
        f"  ✗ Linted (linted) [data-science, ml-engineering, not met]: {messages[DS]}"
    ]
    assert listed(messages[DS], messages[ML]) == [
        f"  ✗ Linted (linted) [{side}, not met]: {messages[side]}" for side in (DS, ML)
    ]


@pytest.mark.parametrize("stage", [None, "push", "handoff", "promotion"])
def test_the_way_to_a_champion_is_announced_and_listed_at_the_promotion(stage: Any) -> None:
    way = Way({"docs/model-card.md": ["Limits"]}, ["draw it"], ["uv run poe register"])
    report = terminal_report(replace(assessment(), way=way), TerminalStyle(), stage)
    size = "The way to a champion: 1 command, 1 sentence to write, 1 thing to correct"
    assert report.count(size) == 1
    steps = "  1 write in docs/model-card.md: Limits\n  2 draw it\n  3 uv run poe register\n"
    assert (steps in report) is (stage == "promotion")
    assert (f"{size};" in report) is (stage != "promotion")
    assert "way to a champion" not in terminal_report(assessment(), TerminalStyle(), stage)
    told = json_report(replace(assessment(), way=way))["way"]
    assert told == {"size": way.size, "steps": way.steps}
    assert "1. write in docs/model-card.md: Limits\n2. draw it\n" in markdown_report(
        replace(assessment(), way=way)
    )
    assert [one.message for one in way.findings][1] == "Step 2: draw it"
    assert announce_way(Way(commands=["uv run poe register"])).endswith(": uv run poe register")


def test_a_bar_is_full_only_at_100_percent_and_empty_only_at_0() -> None:
    kept = [practice(f"p{number}") for number in range(400)]

    def bar(met: int) -> str:
        states = [State.MET] * met + [State.NOT_MET] * (400 - met)
        results = [result(one, ML, state) for one, state in zip(kept, states, strict=True)]
        text = terminal_report(Assessment("p", 1, results), TerminalStyle())
        (line,) = [line for line in text.splitlines() if line.startswith("Clean code")]
        return line

    assert " " + "█" * 20 + " 100 % " in bar(400)
    assert " " + "█" * 19 + "░" + " 99 % " in bar(399)
    assert " " + "█" * 10 + "░" * 10 + " 50 % " in bar(200)
    assert " " + "█" + "░" * 19 + " 0 % " in bar(1)
    assert " " + "░" * 20 + " 0 % " in bar(0)


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_line_is_wider_than_the_terminal(hostile: Assessment, width: int) -> None:
    look = TerminalStyle(width=width)
    for one in (assessment(), hostile, replace(assessment(), project="long " * 40)):
        for text in (
            terminal_report(one, look, "promotion"),
            explain_practice(one, _first(one), look),
        ):
            # A word that is longer than a line, an address say, is broken.
            assert max(map(len, text.splitlines())) <= width


def test_colours_need_a_terminal_and_obey_no_color() -> None:
    class Terminal(StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    assert TerminalStyle.of(Terminal(), {}).colour
    assert not TerminalStyle.of(Terminal(), {"NO_COLOR": "1"}).colour
    assert not TerminalStyle.of(Terminal(), {"TERM": "dumb"}).colour
    assert not TerminalStyle.of(StringIO(), {}).colour
    assert "\033" in terminal_report(assessment(), TerminalStyle(colour=True))
    assert "\033" not in terminal_report(assessment(), TerminalStyle())
    plain = re.sub(r"\033\[[\d;]+m", "", terminal_report(assessment(), TerminalStyle(colour=True)))
    assert plain == terminal_report(assessment(), TerminalStyle())


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "utf-8"])
def test_an_encoding_that_lacks_a_sign_gets_a_replacement(encoding: str) -> None:
    text = terminal_report(assessment(), TerminalStyle(encoding=encoding), "handoff")
    assert text.encode(encoding)
    assert "?" not in text


def test_hostile_text_stays_text_in_every_format(hostile: Assessment) -> None:
    assert "\033" not in terminal_report(hostile, TerminalStyle(), "promotion") + explain_practice(
        hostile, "x", TerminalStyle()
    )

    text = markdown_report(hostile)
    code_apart = re.sub(r"`[^`\n]*`", "", text.replace("\\`", ""))
    assert "<img" not in code_apart
    assert "@all" not in code_apart
    assert not re.search(r"(?<!\\)\]\(", code_apart)
    assert "\n## " not in text
    assert code_apart.count("</details>") == code_apart.count("<details>")
    assert code_apart.count("-->") == 1  # the marker's own

    tags: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append(tag)
            assert not {"src", "href", "onerror"} & dict(attrs).keys()

    Tags().feed(html_report(hostile, AT))
    assert not {"img", "script", "a", "link"} & set(tags)


def test_the_page_loads_nothing_and_has_both_themes() -> None:
    text = FORMS["page.html"]
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"https?://|url\(|<script|<link", text)


def test_the_comment_starts_with_its_marker() -> None:
    assert markdown_report(assessment()).startswith(f"{MARKER}\n")


@pytest.mark.parametrize("stage", ["push", "handoff", "promotion"])
def test_every_format_has_the_same_findings(stage: Any) -> None:
    findings = open_findings(assessment(), stage)
    blocking = sum(finding.blocks for finding in findings)
    assert blocking == len(assessment().blocking(stage))
    assert len(findings) == 6
    (run,) = json.loads(render(findings, "sarif", ""))["runs"]
    levels = [result["level"] for result in run["results"]]
    github = render(findings, "github", "").splitlines()
    azure = render(findings, "azure", "").splitlines()
    gitlab = [one["severity"] for one in json.loads(render(findings, "gitlab", ""))]
    data = [one["blocks"] for one in json_report(assessment(), stage)["findings"]]
    expected = [finding.blocks for finding in findings]
    assert [level == "error" for level in levels] == expected
    assert [line.startswith("::error") for line in github] == expected
    assert [line.startswith("##vso[task.logissue type=error") for line in azure] == expected
    assert [severity == "major" for severity in gitlab] == expected
    assert data == expected
    assert [
        line.startswith("- ❌") for line in markdown_report(assessment(), stage).splitlines()
    ].count(True) == blocking


@pytest.mark.parametrize("stage", ["push", "handoff", "promotion"])
def test_the_json_report_keeps_its_published_schema(hostile: Assessment, stage: Any) -> None:
    schema = status_schema()
    jsonschema_rs.meta.validate(schema)
    judge = jsonschema_rs.Draft202012Validator(schema)
    for one in (assessment(), at_level(assessment(), 2), for_side(assessment(), DS), hostile):
        judge.validate(json.loads(json.dumps(json_report(one, stage))))
    broken = {**json_report(assessment()), "level": 3}
    assert not judge.is_valid(broken)


def test_sarif_lists_each_rule_once_and_locations_are_uris(hostile: Assessment) -> None:
    (run,) = json.loads(render(open_findings(hostile), "sarif", ""))["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["x"]
    for one in run["results"]:
        (location,) = one["locations"]
        address = location["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[\w./%-]+", address)


@pytest.mark.parametrize("form", [form for form in get_args(Format) if form in {"sarif", "gitlab"}])
def test_a_format_for_programs_is_valid_without_findings(form: Format) -> None:
    empty = json.loads(render([], form, "Nothing."))
    assert empty == [] if form == "gitlab" else empty["runs"][0]["results"] == []


def test_azure_gets_one_line_with_its_delimiters_escaped() -> None:
    found = Finding("c", "50 % of\nit; [x]", blocks=True, file="a;b].py", line=3)
    assert render([found], "azure", "") == (
        "##vso[task.logissue type=error;sourcepath=a%3Bb%5D.py;linenumber=3]"
        "50 %AZP25 of%0Ait%3B [x%5D."
    )


def test_an_unknown_practice_suggests_similar_names() -> None:
    with pytest.raises(HandoffError, match="types-checked"):
        explain_practice(assessment(), "type-checked", TerminalStyle())
    with pytest.raises(HandoffError) as caught:
        explain_practice(assessment(), "§§§", TerminalStyle())
    assert (
        str(caught.value)
        == "There is no practice `§§§`: `handoff status --format json` lists all of them."
    )


def test_a_practice_is_found_by_its_title_too() -> None:
    title = assessment().results[0].practice.title
    by_name = explain_practice(assessment(), _first(assessment()), TerminalStyle())
    assert explain_practice(assessment(), title.upper(), TerminalStyle()) == by_name


@pytest.mark.parametrize(
    ("level", "means"),
    [
        (0, "data-science: not needed; ml-engineering: advice"),
        (1, "data-science: advice; ml-engineering: blocks from the handoff on"),
        (2, "data-science: blocks from the handoff on; ml-engineering: blocks from the push on"),
    ],
)
def test_an_explanation_gives_the_effect_of_the_tiers_at_the_level(level: int, means: str) -> None:
    text = explain_practice(
        at_level(assessment(), level), "types-checked", TerminalStyle(width=120)
    )
    assert f"\nat level {level}:     {means}\n" in text


def test_an_explanation_names_the_command_that_builds_the_missing_site() -> None:
    made = "\nMore: site/practices.html#tests"
    assert explain_practice(assessment(), "tests", TerminalStyle()).endswith(made)
    text = explain_practice(assessment(), "tests", TerminalStyle(), site=False)
    assert text.endswith(f"{made}; `uv run poe docs` builds it")


def _first(one: Assessment) -> str:
    return one.results[0].practice.name


def test_a_pipe_is_80_columns_wide_unless_columns_pins_the_width(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys, "__stdout__", StringIO())
    assert TerminalStyle.of(StringIO(), os.environ).width == 80
    monkeypatch.setenv("COLUMNS", "140")
    assert TerminalStyle.of(StringIO(), os.environ).width == 140
