"""Findings about sources and about the code that reads them."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from baton_handoff.config.project import Project, find_project
from baton_handoff.config.sides import SIDES
from baton_handoff.lineage.sources.assessment import assess_sources
from baton_handoff.lineage.sources.checks import findings
from baton_handoff.lineage.sources.odcs import load_sources, parse_source
from baton_handoff.lineage.sources.usage import source_usage
from baton_handoff.policy.practices.assessment import State
from baton_handoff.policy.status.status import assess
from prices import (
    CODE,
    WORKAROUND,
    Content,
    Write,
    all_findings,
    at_another_location,
    past_its_end,
    properties,
    unchanged,
    valid_source,
    with_a_fixed_problem,
    with_a_missing_contract,
    without_end_of_life,
    without_licence,
    without_official,
    without_owner,
    without_replacement,
)


@pytest.fixture
def engine() -> str:
    """These tests validate no rows, so one engine is enough."""
    return "pandas"


def test_a_complete_source_has_no_finding(project: Project, write: Write) -> None:
    write(valid_source(), WORKAROUND + CODE)
    assert all_findings(project) == []
    (source,) = source_usage(project).sources
    assert (source.name, source.owner, source.official) == ("prices", "ticket office", True)
    assert (source.layer, source.refresh, source.licence) == (
        *("bronze", "1 d", "https://a.example/terms"),
    )
    assert (source.origin, source.support) == ("https://a.example", "https://a.example/desk")
    assert source.contract == "contracts:Trip"
    assert source.locations == ("data/prices.csv", "shop.prices")


BAD = {
    "without an owner": (without_owner, CODE, "source-owned", "the source `prices` has no owner"),
    "with a missing contract": (
        with_a_missing_contract,
        CODE,
        "source-valid",
        "the contract `contracts:Price` of `prices` does not exist; did you mean `contracts:",
    ),
    "without an end of life": (
        without_end_of_life,
        CODE,
        "source-official",
        "unofficial and has no end of life",
    ),
    "without a replacement": (
        without_replacement,
        CODE,
        "source-official",
        "unofficial and has no replacement",
    ),
    "past its end of life": (
        past_its_end,
        CODE,
        "source-official",
        "its end of life since 2020-12-31",
    ),
    "official is open": (
        without_official,
        CODE,
        "source-official",
        "does not tell whether",
    ),
    "without a licence": (without_licence, CODE, "source-complete", "lacks: license"),
    "workaround for a fixed problem": (
        with_a_fixed_problem,
        WORKAROUND + CODE,
        "source-workaround",
        "works around `prices#negative`, which is fixed at the source",
    ),
    "workaround for an unknown problem": (
        unchanged,
        "# workaround: prices#rounded\n" + CODE,
        "source-workaround",
        "works around `prices#rounded`, which is not a known problem",
    ),
    "workaround without a problem": (
        unchanged,
        "# workaround: prices are odd\n" + CODE,
        "source-workaround",
        "this workaround names no problem",
    ),
    "undescribed data": (
        at_another_location,
        CODE,
        "source-listed",
        "describes the path `data/prices",
    ),
    "unknown read": (
        unchanged,
        CODE.replace("'data/prices.csv'", "where()"),
        "source-known",
        "not known statically what `read_csv` reads: `where()`",
    ),
    "comment with a missing source": (
        unchanged,
        CODE.replace("pd.read", "# source: towns\npd.read"),
        "source-listed",
        "the source `towns`, which does not exist",
    ),
    "comment with a mistyped source": (
        unchanged,
        CODE.replace("pd.read", "# source: prises\npd.read"),
        "source-listed",
        "the source `prises`, which does not exist; did you mean `prices`?",
    ),
    "workaround for a mistyped problem": (
        unchanged,
        "# workaround: prices#negativ\n" + CODE,
        "source-workaround",
        "not a known problem; did you mean `prices#negative`?",
    ),
}


@pytest.mark.parametrize(("spoil", "code", "check", "message"), BAD.values(), ids=BAD)
def test_each_problem_is_the_only_finding(
    project: Project,
    write: Write,
    spoil: Callable[[Content], None],
    code: str,
    check: str,
    message: str,
) -> None:
    source = valid_source()
    spoil(source)
    write(source, code)
    (finding,) = all_findings(project)
    assert finding.check == check
    assert message in finding.message
    assert finding.side == "data-science"
    assert finding.file
    assert finding.line
    assert finding.fix
    assert finding.blocks is (check == "source-valid")


def test_a_finding_has_the_line_to_change(project: Project, write: Write) -> None:
    source = valid_source()
    with_a_missing_contract(source)
    write(source)
    (finding,) = all_findings(project)
    line = (project.root / str(finding.file)).read_text().splitlines()[(finding.line or 0) - 1]
    assert line == "schema:"


@pytest.mark.parametrize(
    ("room", "side"),
    [("features", "data-science"), ("serving", "ml-engineering"), ("contracts", "data-science")],
)
def test_undescribed_data_concerns_both_sides_and_names_the_side_of_the_file(
    project: Project, room: str, side: str
) -> None:
    file = project.source / room / "read.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(CODE)
    (finding,) = all_findings(project)
    assert finding.message == "no source describes the path `data/prices.csv`"
    assert finding.side == side
    standing = assess(project)
    results = [one for one in standing.results if one.practice.name == "sources-described"]
    assert [one.side for one in results if one.state is State.NOT_MET] == [*SIDES]
    message = f"{finding.message} ({side} answers for this file)"
    assert {f.message for one in results for f in one.findings} == {message}


def test_an_unknown_read_is_not_shown_until_a_comment_names_its_source(
    project: Project, write: Write
) -> None:
    def results() -> list[tuple[State, str, list[int | None]]]:
        return [
            (one.state, one.fix, [finding.line for finding in one.findings])
            for one in assess(project).results
            if one.practice.name == "sources-described"
        ]

    unknown = CODE.replace("'data/prices.csv'", "os.environ['X']")
    write(valid_source(), unknown)
    fix = "name the source beside the call: `# source: NAME`"
    assert results() == [(State.NOT_SHOWN, fix, [3])] * len(SIDES)
    write(valid_source(), unknown.replace("pd.read", "# source: prices\npd.read"))
    assert results() == [(State.MET, "", [])] * len(SIDES)
    # What is certainly not so comes first, and is not all.
    write(valid_source(), f"{unknown}pd.read_csv('data/towns.csv')\n")
    assert [(state, sorted(n or 0 for n in lines)) for state, _, lines in results()] == [
        (State.NOT_MET, [3, 4])
    ] * 2


def test_at_level_0_a_broken_contract_does_not_block(project: Project, write: Write) -> None:
    source = valid_source()
    with_a_missing_contract(source)
    write(source)
    assert [one.blocks for one in findings(source_usage(project), binding=False)] == [False]


def test_notebooks_get_advice(project: Project, write: Write) -> None:
    write(valid_source())
    notebook = project.root / "notebooks/a.ipynb"
    notebook.parent.mkdir()
    notebook.write_text(
        '{"cells": [{"cell_type": "code", "source": ["import pandas as pd\\n",'
        ' "pd.read_excel(\\"~/seats.xlsx\\")"]}]}'
    )
    (finding,) = all_findings(project)
    assert finding.message == "no source describes the path `~/seats.xlsx`, a spreadsheet"
    assert (finding.blocks, finding.side) == (False, "data-science")
    assert (finding.line, finding.cell) == (2, 1)
    assert assess_sources(source_usage(project)).blockers == {}


INVALID: dict[str, tuple[Callable[[Content], Any], str]] = {
    "another version": (lambda s: s.update(apiVersion="v9"), "apiVersion"),
    "no id": (lambda s: s.pop("id"), '"id" is a required property'),
    "unknown key": (lambda s: s.update(owner="me"), "owner"),
    "unknown kind of server": (lambda s: s["servers"][0].update(type="shelf"), "servers.0"),
    "official is a text": (lambda s: properties(s)["official"].update(value="yes"), "official: "),
    "unknown layer": (lambda s: properties(s)["layer"].update(value="raw"), "layer: "),
    "end of life is not a day": (
        lambda s: s["slaProperties"].append({"property": "endOfLife", "value": "soon"}),
        "endOfLife: ",
    ),
    "problems are a text": (
        lambda s: properties(s)["knownProblems"].update(value="many"),
        "knownProblems: ",
    ),
    "problem without a status": (
        lambda s: properties(s)["knownProblems"]["value"][0].pop("status"),
        "knownProblems.0.status: ",
    ),
    "unknown status": (
        lambda s: properties(s)["knownProblems"]["value"][0].update(status="nearly"),
        "knownProblems.0.status: ",
    ),
    "id with a space": (
        lambda s: properties(s)["knownProblems"]["value"][0].update(id="below zero"),
        "knownProblems.0.id: ",
    ),
    "an id that is a list": (
        lambda s: properties(s)["knownProblems"]["value"][0].update(id=["negative"]),
        "knownProblems.0.id: ",
    ),
    "a key that is a number": (lambda s: s["servers"][0].update({2024: "x"}), "'2024'"),
    "two problems with one id": (
        lambda s: properties(s)["knownProblems"].update(
            value=properties(s)["knownProblems"]["value"] * 2
        ),
        "knownProblems: ",
    ),
}


@pytest.mark.parametrize(("spoil", "location"), INVALID.values(), ids=INVALID)
def test_an_invalid_source_file_is_reported_with_its_line(
    project: Project, write: Write, spoil: Callable[[Content], Any], location: str
) -> None:
    source = valid_source()
    spoil(source)
    write(source)
    first = all_findings(project)[0]
    assert location in first.message
    assert (first.check, first.blocks) == ("source-valid", True)
    assert first.file == "data/sources/prices.odcs.yaml"
    assert source_usage(project).sources == ()
    assert "data/sources/prices.odcs.yaml" in assess_sources(source_usage(project)).blockers


@pytest.mark.parametrize("text", ["a: [", "\ta: 1", "- 1", "", "1"])
def test_invalid_yaml_and_empty_files_have_a_finding(text: str) -> None:
    assert parse_source("a", text)[1][0].line == 1


@pytest.mark.parametrize(
    "addition",
    [
        *("2024: x", "yes: x", "x: {null: 1}", "x: !!binary aGVsbG8=", "x: !!set {a, b}"),
        *("x: !!timestamp 2024-01-01", "x: &x [*x]", "x: &x {y: [*x]}", "? !!binary eA==\n: 1"),
    ],
)
def test_yaml_beyond_json_is_a_finding(addition: str) -> None:
    assert parse_source("a", f"{yaml.safe_dump(valid_source())}{addition}\n")[1]


@pytest.mark.parametrize("text", ['id: "\\uD800"', f"id: {'9' * 5000}", "[" * 5000])
def test_a_text_that_the_parser_can_not_read_is_a_finding(text: str) -> None:
    assert parse_source("a", text)[1]


def test_a_file_in_another_encoding_is_a_finding(project: Project, write: Write) -> None:
    write(valid_source())
    (project.root / "data/sources/prices.odcs.yaml").write_bytes(b"id: \xff")
    assert [finding.line for finding in load_sources(project.root)[1]] == [1]


@pytest.mark.parametrize(
    ("team", "owner"),
    [
        ({"name": "a"}, "a"),
        ({"members": [{"username": "ada", "role": "owner"}, {"username": "max"}]}, "ada"),
        ([{"username": "ada", "role": "Owner"}], "ada"),
        ({"members": [{"username": "max", "role": "reader"}]}, ""),
        ({}, ""),
    ],
)
def test_the_owner_is_the_team_or_its_member_with_that_role(
    project: Project, write: Write, team: Any, owner: str
) -> None:
    write({**valid_source(), "team": team})
    assert source_usage(project).sources[0].owner == owner


def test_an_exception_for_a_source_that_does_not_exist_is_named(
    project: Project, write: Write
) -> None:
    write(valid_source(), CODE)
    with (project.root / "handoff.toml").open("a", encoding="utf-8") as file:
        for name in ("prises", "prices", "weather"):
            file.write(
                f'[[exceptions]]\ngate = "sources/{name}"\nreason = "no other"\nowner = "ada"\n'
                "expires = 9999-01-01\n"
            )
    found = findings(source_usage(find_project(project.root)), binding=True)
    assert [(one.check, one.blocks, one.message) for one in found] == [
        ("source-excepted", False, f"the exception for `sources/{name}` names no source{end}")
        for name, end in (("prises", "; did you mean `prices`?"), ("weather", ""))
    ]
