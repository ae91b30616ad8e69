"""Findings about sources and about the code that reads them."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from baton_handoff.config.project import Project
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
    Said,
    Write,
    elsewhere,
    ended,
    fixed,
    found,
    good,
    no_contract,
    no_licence,
    nobody,
    own,
    same,
    unofficial_for_ever,
    unofficial_until,
    unsaid,
)


@pytest.fixture
def engine() -> str:
    """These tests validate no rows, so one engine is enough."""
    return "pandas"


def test_a_complete_source_has_no_finding(project: Project, write: Write) -> None:
    write(good(), WORKAROUND + CODE)
    assert found(project) == []
    (source,) = source_usage(project).sources
    assert (source.name, source.owner, source.official) == ("prices", "ticket office", True)
    assert (source.layer, source.refresh, source.licence) == (
        *("bronze", "1 d", "https://a.example/terms"),
    )
    assert (source.origin, source.support) == ("https://a.example", "https://a.example/desk")
    assert source.contract == "contracts:Trip"
    assert source.locations == ("data/prices.csv", "shop.prices")


BAD = {
    "nobody answers for it": (nobody, CODE, "source-owned", "the source `prices` has no owner"),
    "its contract is not there": (
        no_contract,
        CODE,
        "source-valid",
        "the contract `contracts:Price` of `prices` does not exist",
    ),
    "it is not told for how long": (
        unofficial_for_ever,
        CODE,
        "source-official",
        "unofficial and has no end of life",
    ),
    "nothing will replace it": (
        unofficial_until,
        CODE,
        "source-official",
        "unofficial and has no replacement",
    ),
    "it has come to its end": (ended, CODE, "source-official", "its end of life since 2020-12-31"),
    "whether it is official is open": (
        unsaid,
        CODE,
        "source-official",
        "does not tell whether",
    ),
    "it has no licence": (no_licence, CODE, "source-complete", "lacks: license"),
    "what it works around is mended": (
        fixed,
        WORKAROUND + CODE,
        "source-workaround",
        "works around `prices#negative`, which is fixed at the source",
    ),
    "what it works around is not known": (
        same,
        "# workaround: prices#rounded\n" + CODE,
        "source-workaround",
        "works around `prices#rounded`, which is not a known problem",
    ),
    "a workaround for nothing": (
        same,
        "# workaround: prices are odd\n" + CODE,
        "source-workaround",
        "this workaround names no problem",
    ),
    "something else is read": (elsewhere, CODE, "source-listed", "describes the path `data/prices"),
    "what is read is not known": (
        same,
        CODE.replace("'data/prices.csv'", "where()"),
        "source-known",
        "not known statically what `read_csv` reads: `where()`",
    ),
    "a source that is not there": (
        same,
        CODE.replace("pd.read", "# source: towns\npd.read"),
        "source-listed",
        "the source `towns`, which does not exist",
    ),
}


@pytest.mark.parametrize(("spoil", "code", "check", "said"), BAD.values(), ids=BAD)
def test_each_problem_is_the_only_finding(
    project: Project,
    write: Write,
    spoil: Callable[[Said], None],
    code: str,
    check: str,
    said: str,
) -> None:
    source = good()
    spoil(source)
    write(source, code)
    (finding,) = found(project)
    assert finding.check == check
    assert said in finding.message
    assert finding.side == "data-science"
    assert finding.file
    assert finding.line
    assert finding.fix
    assert finding.blocks is (check == "source-valid")


def test_a_finding_has_the_line_to_change(project: Project, write: Write) -> None:
    source = good()
    no_contract(source)
    write(source)
    (finding,) = found(project)
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
    (finding,) = found(project)
    assert finding.message == "no source describes the path `data/prices.csv`"
    assert finding.side == side
    standing = assess(project)
    said = [one for one in standing.results if one.practice.name == "sources-described"]
    assert [one.side for one in said if one.state is State.NOT_MET] == [*SIDES]
    whose = f"{finding.message} ({side} answers for this file)"
    assert {f.message for one in said for f in one.findings} == {whose}


def test_an_unknown_read_is_not_shown_until_a_comment_names_its_source(
    project: Project, write: Write
) -> None:
    def said() -> list[tuple[State, str, list[int | None]]]:
        return [
            (one.state, one.fix, [finding.line for finding in one.findings])
            for one in assess(project).results
            if one.practice.name == "sources-described"
        ]

    unknown = CODE.replace("'data/prices.csv'", "os.environ['X']")
    write(good(), unknown)
    fix = "say beside the call which source it reads, `# source: NAME`"
    assert said() == [(State.NOT_SHOWN, fix, [3])] * len(SIDES)
    write(good(), unknown.replace("pd.read", "# source: prices\npd.read"))
    assert said() == [(State.MET, "", [])] * len(SIDES)
    # What is certainly not so comes first, and is not all.
    write(good(), f"{unknown}pd.read_csv('data/towns.csv')\n")
    assert [(state, sorted(n or 0 for n in lines)) for state, _, lines in said()] == [
        (State.NOT_MET, [3, 4])
    ] * 2


def test_at_level_0_a_broken_contract_does_not_block(project: Project, write: Write) -> None:
    source = good()
    no_contract(source)
    write(source)
    assert [one.blocks for one in findings(source_usage(project), binding=False)] == [False]


def test_notebooks_get_advice(project: Project, write: Write) -> None:
    write(good())
    notebook = project.root / "notebooks/a.ipynb"
    notebook.parent.mkdir()
    notebook.write_text(
        '{"cells": [{"cell_type": "code", "source": ["import pandas as pd\\n",'
        ' "pd.read_excel(\\"~/seats.xlsx\\")"]}]}'
    )
    (finding,) = found(project)
    assert finding.message == "no source describes the path `~/seats.xlsx`, a spreadsheet"
    assert (finding.blocks, finding.side) == (False, "data-science")
    assert (finding.line, finding.evidence) == (None, ("cell 1, line 2",))
    assert assess_sources(source_usage(project)).blockers == {}


FLAWS: dict[str, tuple[Callable[[Said], Any], str]] = {
    "another version": (lambda s: s.update(apiVersion="v9"), "apiVersion"),
    "no id": (lambda s: s.pop("id"), '"id" is a required property'),
    "a word of its own": (lambda s: s.update(owner="me"), "owner"),
    "a server of no kind": (lambda s: s["servers"][0].update(type="shelf"), "servers.0"),
    "official is text": (lambda s: own(s)["official"].update(value="yes"), "official: "),
    "a layer of its own": (lambda s: own(s)["layer"].update(value="raw"), "layer: "),
    "no day": (
        lambda s: s["slaProperties"].append({"property": "endOfLife", "value": "soon"}),
        "endOfLife: ",
    ),
    "problems are text": (
        lambda s: own(s)["knownProblems"].update(value="many"),
        "knownProblems: ",
    ),
    "a problem without a status": (
        lambda s: own(s)["knownProblems"]["value"][0].pop("status"),
        "knownProblems.0.status: ",
    ),
    "a status of its own": (
        lambda s: own(s)["knownProblems"]["value"][0].update(status="nearly"),
        "knownProblems.0.status: ",
    ),
    "an id that no comment can name": (
        lambda s: own(s)["knownProblems"]["value"][0].update(id="below zero"),
        "knownProblems.0.id: ",
    ),
    "an id that is a list": (
        lambda s: own(s)["knownProblems"]["value"][0].update(id=["negative"]),
        "knownProblems.0.id: ",
    ),
    "a key that is a number": (
        lambda s: s["servers"][0].update({2024: "x"}),
        "a key must be text, so write '2024' in quotes",
    ),
    "two of one id": (
        lambda s: own(s)["knownProblems"].update(value=own(s)["knownProblems"]["value"] * 2),
        "knownProblems: ",
    ),
}


@pytest.mark.parametrize(("spoil", "says"), FLAWS.values(), ids=FLAWS)
def test_an_invalid_source_file_is_reported_with_its_line(
    project: Project, write: Write, spoil: Callable[[Said], Any], says: str
) -> None:
    source = good()
    spoil(source)
    write(source)
    found_first = found(project)[0]
    assert says in found_first.message
    assert (found_first.check, found_first.blocks) == ("source-valid", True)
    assert found_first.file == "data/sources/prices.odcs.yaml"
    assert source_usage(project).sources == ()
    assert "data/sources/prices.odcs.yaml" in assess_sources(source_usage(project)).blockers


@pytest.mark.parametrize("text", ["a: [", "\ta: 1", "- 1", "", "1"])
def test_invalid_yaml_and_empty_files_have_a_finding(text: str) -> None:
    assert parse_source("a", text)[1][0].line == 1


@pytest.mark.parametrize(
    ("said", "why"),
    {
        "2024: x": "a key must be text, so write '2024' in quotes",
        "yes: x": "a key must be text, so write 'yes' in quotes",
        "x: {null: 1}": "a key must be text, so write 'null' in quotes",
        "x: !!binary aGVsbG8=": "the tag 'tag:yaml.org,2002:binary'",
        "x: !!set {a, b}": "the tag 'tag:yaml.org,2002:set'",
        "x: !!timestamp 2024-01-01": "the tag 'tag:yaml.org,2002:timestamp'",
        "x: &x [*x]": "recursive",
        "x: &x {y: [*x]}": "recursive",
    }.items(),
)
def test_yaml_beyond_json_is_a_finding_with_its_line(said: str, why: str) -> None:
    text = f"{yaml.safe_dump(good())}"
    (finding,) = parse_source("a", f"{text}{said}\n")[1]
    assert why in finding.message
    assert finding.line == text.count("\n") + 1


@pytest.mark.parametrize("text", ['id: "\\uD800"', f"id: {'9' * 5000}", "[" * 5000])
def test_a_text_that_the_parser_can_not_read_is_a_finding(text: str) -> None:
    assert parse_source("a", text)[1]


def test_a_file_in_another_encoding_is_a_finding(project: Project, write: Write) -> None:
    write(good())
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
    write({**good(), "team": team})
    assert source_usage(project).sources[0].owner == owner
