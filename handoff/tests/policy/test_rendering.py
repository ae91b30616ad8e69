"""A standing in every form: the same things are said, and whatever is in them stays text.

The golden files beside this are what people see; `GOLDEN=write` writes them anew, to be looked at.
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

from baton_handoff.core.errors import HandoffError
from baton_handoff.policy import rendering as room
from baton_handoff.policy.practices.assessment import Standing, State
from baton_handoff.policy.rendering.data import as_data
from baton_handoff.policy.rendering.explained import explained
from baton_handoff.policy.rendering.markdown import MARKER, comment
from baton_handoff.policy.rendering.open_findings import findings_of
from baton_handoff.policy.rendering.page import page
from baton_handoff.policy.rendering.summary import ahead, counts, next_level, only, steps
from baton_handoff.policy.rendering.terminal import screen
from baton_handoff.reporting.findings import Finding, Format, shown
from baton_handoff.reporting.terminal_style import Look
from standings import DS, ML, outcome, practice, standing

GOLDEN = Path(__file__).parent / "golden" / "status"
AT = "2026-11-25T13:20:00"
HOSTILE = (
    "<img src=x onerror=alert(1)>|@all [x](http://evil.test) \033[31m`\n## no & --> </details>"
)

FORMS: Mapping[str, str] = {
    "screen.txt": screen(standing(), Look()),
    "plain.txt": screen(standing(), Look(encoding="ascii"), "handoff"),
    "colour.txt": screen(only(standing(), DS), Look(colour=True)),
    "explained.txt": explained(standing(), "types-checked", Look()),
    "comment.md": comment(standing(), "handoff"),
    "page.html": page(standing(), AT),
    "status.json": json.dumps(as_data(standing(), "handoff"), indent=2) + "\n",
    "findings.sarif": shown(findings_of(standing(), "handoff"), "sarif", ""),
    "github.txt": shown(findings_of(standing(), "handoff"), "github", ""),
    "azure.txt": shown(findings_of(standing(), "handoff"), "azure", ""),
    "gitlab.json": shown(findings_of(standing(), "handoff"), "gitlab", ""),
}


@pytest.mark.parametrize("name", FORMS)
def test_each_form_is_what_was_looked_at(name: str) -> None:
    file = GOLDEN / name
    said = FORMS[name].rstrip("\n") + "\n"
    if os.environ.get("GOLDEN") == "write":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(said, encoding="utf-8", newline="\n")
    assert said == file.read_text(encoding="utf-8")


@pytest.fixture
def hostile() -> Standing:
    """A standing in which every word that somebody can write is an attack."""
    kept = practice("x", HOSTILE, title=HOSTILE, why=HOSTILE, fix=HOSTILE)
    found = Finding("y", HOSTILE, False, file=f"src/{HOSTILE}", line=1)
    outcomes = [
        outcome(kept, DS, State.NOT_SHOWN, HOSTILE),
        outcome(kept, ML, State.NOT_MET, HOSTILE, findings=(found,)),
    ]
    return Standing(HOSTILE, 1, outcomes)


def test_what_blocks_is_counted_by_when_and_the_next_level_only_by_what_it_adds() -> None:
    assert counts(standing()) == {
        "now": 0,
        "at the handoff": 2,
        "at the promotion": 3,
        "more at level 2": 1,
    }
    (more,) = next_level(standing())
    assert (more.practice.name, more.side) == ("types-checked", DS)
    assert counts(ahead(standing(), 2))["now"] == 1
    assert next_level(ahead(standing(), 2)) == []


def test_the_next_steps_are_what_blocks_soonest_and_each_fix_once() -> None:
    assert [(step.fix, step.sides) for step in steps(standing())] == [
        ("Run `poe types-checked`.", (ML,)),
        ("Run `poe tests`.", (ML,)),
        ("Run `handoff source add fares.xlsx`.", (DS,)),
    ]


def test_a_step_that_blocks_both_sides_at_once_says_what_was_seen_of_each() -> None:
    editor = practice("proper-editor", science="must")
    outcomes = [outcome(editor, side, State.NOT_SHOWN, f"No word of {side}.") for side in (DS, ML)]
    (step,) = steps(Standing("p", 1, outcomes))
    assert step.sides == (DS, ML)
    assert step.says == f"No word of {DS}. No word of {ML}."


def test_an_open_practice_is_shown_with_its_name_beside_its_title() -> None:
    one = standing()
    assert "Tests (tests): No test" in screen(one, Look())
    assert "Tests (tests) [ml-engineering" in screen(one, Look(), "handoff")
    assert "Lineage (lineage) [ml-engineering]: accepted" in screen(one, Look())
    assert "\033[2m(tests)\033[0m" in screen(one, Look(colour=True))
    assert "Tests (`tests`): No test" in comment(one)
    assert "**ml-engineering** `tests` Tests: No test" in comment(one, "handoff")
    assert "Tests (<code>tests</code>): No test" in page(one, AT)
    assert '<code class="note">tests</code>' in page(one, AT)


def test_what_is_found_alike_for_both_sides_is_listed_once_with_both() -> None:
    linted = practice("linted", science="must")
    found = tuple(Finding("x", f"{name} is not used", False, file="a.py") for name in "bc")
    alike = [outcome(linted, side, State.NOT_MET, findings=found) for side in (DS, ML)]
    text = comment(Standing("p", 0, [*alike, outcome(practice("style"), ML, State.NOT_SHOWN)]))
    assert "3 open, 0 accepted" in text
    assert [line for line in text.splitlines() if line.startswith("- ·")] == [
        "- · **data-science, ml-engineering** `linted` b is not used (a.py) → Run `poe linted`.",
        "- · **data-science, ml-engineering** `linted` c is not used (a.py) → Run `poe linted`.",
        "- · **ml-engineering** `style` Style: Seen. → Run `poe style`.",
    ]


def test_what_blocks_both_sides_alike_is_listed_once_with_both() -> None:
    linted = practice("linted", science="must")
    says = {DS: "One line is too long.", ML: "Two lines are too long."}

    def listed(*said: str) -> list[str]:
        outcomes = [
            outcome(linted, side, State.NOT_MET, one)
            for side, one in zip((DS, ML), said, strict=True)
        ]
        text = screen(Standing("p", 1, outcomes), Look(width=110), "handoff")
        return [line for line in text.splitlines() if line.startswith("  ✗")]

    assert listed(says[DS], says[DS]) == [
        f"  ✗ Linted (linted) [data-science, ml-engineering, not met]: {says[DS]}"
    ]
    assert listed(says[DS], says[ML]) == [
        f"  ✗ Linted (linted) [{side}, not met]: {says[side]}" for side in (DS, ML)
    ]


@pytest.mark.parametrize("stage", ["push", "handoff", "promotion"])
def test_what_a_promotion_asks_beside_practices_is_named_with_what_it_asks_of_them(
    stage: Any,
) -> None:
    named = "`uv run poe promote candidate --dry-run`" in screen(standing(), Look(), stage)
    assert named is (stage == "promotion")


def test_a_bar_is_full_only_where_nothing_is_missing_and_never_empty_where_something_is() -> None:
    kept = [practice(f"p{number}") for number in range(400)]

    def bar(met: int) -> str:
        states = [State.MET] * met + [State.NOT_MET] * (400 - met)
        outcomes = [outcome(one, ML, state) for one, state in zip(kept, states, strict=True)]
        text = screen(Standing("p", 1, outcomes), Look())
        (line,) = [line for line in text.splitlines() if line.startswith("Clean code")]
        return line

    assert (bar(400)[26:46], bar(400)[47:52]) == ("█" * 20, "100 %")
    assert (bar(399)[26:46], bar(399)[47:52]) == ("█" * 19 + "░", " 99 %")
    assert (bar(200)[26:46], bar(200)[47:52]) == ("█" * 10 + "░" * 10, " 50 %")
    assert (bar(1)[26:46], bar(1)[47:52]) == ("█" + "░" * 19, "  0 %")
    assert (bar(0)[26:46], bar(0)[47:52]) == ("░" * 20, "  0 %")


@pytest.mark.parametrize("width", [80, 110])
def test_no_line_is_wider_than_the_terminal(hostile: Standing, width: int) -> None:
    look = Look(width=width)
    for one in (standing(), hostile, replace(standing(), project="long " * 40)):
        for text in (screen(one, look, "promotion"), explained(one, _first(one), look)):
            # A word that is longer than a line, an address say, is broken.
            assert max(map(len, text.splitlines())) <= width


def test_there_is_colour_only_on_a_terminal_that_wants_it() -> None:
    class Terminal(StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    assert Look.of(Terminal(), {}).colour
    assert not Look.of(Terminal(), {"NO_COLOR": "1"}).colour
    assert not Look.of(Terminal(), {"TERM": "dumb"}).colour
    assert not Look.of(StringIO(), {}).colour
    assert "\033" in screen(standing(), Look(colour=True))
    assert "\033" not in screen(standing(), Look())
    plain = re.sub(r"\033\[[\d;]+m", "", screen(standing(), Look(colour=True)))
    assert plain == screen(standing(), Look())


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "utf-8"])
def test_an_encoding_without_the_signs_gets_others(encoding: str) -> None:
    text = screen(standing(), Look(encoding=encoding), "handoff")
    assert text.encode(encoding)
    assert "?" not in text


def test_what_is_written_in_a_sentence_is_never_obeyed(hostile: Standing) -> None:
    assert "\033" not in screen(hostile, Look(), "promotion") + explained(hostile, "x", Look())

    text = comment(hostile)
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

    Tags().feed(page(hostile, AT))
    assert not {"img", "script", "a", "link"} & set(tags)


def test_the_page_loads_nothing_and_has_both_themes() -> None:
    text = FORMS["page.html"]
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"https?://|url\(|<script|<link", text)


def test_the_comment_starts_with_what_the_next_run_looks_for() -> None:
    assert comment(standing()).startswith(f"{MARKER}\n")


@pytest.mark.parametrize("stage", ["push", "handoff", "promotion"])
def test_every_format_has_the_same_findings(stage: Any) -> None:
    findings = findings_of(standing(), stage)
    blocking = sum(finding.blocks for finding in findings)
    assert blocking == len(standing().blocking(stage))
    assert len(findings) == 6
    (run,) = json.loads(shown(findings, "sarif", ""))["runs"]
    levels = [result["level"] for result in run["results"]]
    github = shown(findings, "github", "").splitlines()
    azure = shown(findings, "azure", "").splitlines()
    gitlab = [one["severity"] for one in json.loads(shown(findings, "gitlab", ""))]
    data = [one["blocks"] for one in as_data(standing(), stage)["findings"]]
    expected = [finding.blocks for finding in findings]
    assert [level == "error" for level in levels] == expected
    assert [line.startswith("::error") for line in github] == expected
    assert [line.startswith("##vso[task.logissue type=error") for line in azure] == expected
    assert [severity == "major" for severity in gitlab] == expected
    assert data == expected
    assert [line.startswith("- ❌") for line in comment(standing(), stage).splitlines()].count(
        True
    ) == blocking


@pytest.mark.parametrize("stage", ["push", "handoff", "promotion"])
def test_the_data_keeps_its_published_schema(hostile: Standing, stage: Any) -> None:
    file = Path(str(room.__file__)).with_name("standing.schema.json")
    schema = json.loads(file.read_text(encoding="utf-8"))
    jsonschema_rs.meta.validate(schema)
    judge = jsonschema_rs.Draft202012Validator(schema)
    for one in (standing(), ahead(standing(), 2), only(standing(), DS), hostile):
        judge.validate(json.loads(json.dumps(as_data(one, stage))))
    broken = {**as_data(standing()), "level": 3}
    assert not judge.is_valid(broken)


def test_sarif_names_each_rule_once_and_a_place_that_is_an_address(hostile: Standing) -> None:
    (run,) = json.loads(shown(findings_of(hostile), "sarif", ""))["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["x"]
    for result in run["results"]:
        (location,) = result["locations"]
        address = location["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[\w./%-]+", address)


@pytest.mark.parametrize("form", [form for form in get_args(Format) if form in {"sarif", "gitlab"}])
def test_a_form_for_programs_is_whole_where_nothing_was_found(form: Format) -> None:
    empty = json.loads(shown([], form, "Nothing."))
    assert empty == [] if form == "gitlab" else empty["runs"][0]["results"] == []


def test_azure_reads_one_line_in_which_nothing_ends_the_command_early() -> None:
    found = Finding("c", "50 % of\nit; [x]", blocks=True, file="a;b].py", line=3)
    assert shown([found], "azure", "") == (
        "##vso[task.logissue type=error;sourcepath=a%3Bb%5D.py;linenumber=3]"
        "50 %AZP25 of%0Ait%3B [x%5D"
    )


def test_a_practice_that_is_not_there_names_those_that_are_near() -> None:
    with pytest.raises(HandoffError, match="types-checked"):
        explained(standing(), "type-checked", Look())
    with pytest.raises(HandoffError) as caught:
        explained(standing(), "§§§", Look())
    assert (
        str(caught.value)
        == "There is no practice '§§§': `handoff status --format json` names them all."
    )


def test_a_practice_is_explained_by_its_title_too() -> None:
    title = standing().outcomes[0].practice.title
    by_name = explained(standing(), _first(standing()), Look())
    assert explained(standing(), title.upper(), Look()) == by_name


@pytest.mark.parametrize(
    ("level", "means"),
    [
        (0, "data-science: nothing is asked; ml-engineering: advice"),
        (1, "data-science: advice; ml-engineering: blocks from the handoff on"),
        (2, "data-science: blocks from the handoff on; ml-engineering: blocks from the push on"),
    ],
)
def test_an_explanation_says_what_the_tiers_mean_at_the_level(level: int, means: str) -> None:
    text = explained(ahead(standing(), level), "types-checked", Look(width=120))
    assert f"\nat level {level}:       {means}\n" in text


def test_an_explanation_says_what_makes_the_site_where_it_was_not_made() -> None:
    made = "\nMore: site/practices.html#tests"
    assert explained(standing(), "tests", Look()).endswith(made)
    text = explained(standing(), "tests", Look(), site=False)
    assert text.endswith(f"{made}, once `uv run poe docs` has made it")


def _first(one: Standing) -> str:
    return one.outcomes[0].practice.name


def test_the_terminal_is_asked_what_it_can_show() -> None:
    assert Look.of(sys.stdout, {}).width >= 80
