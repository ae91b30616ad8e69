"""The states of a source: found, owned, official; and what a promotion requires."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from baton_handoff.config.project import Project, find_project
from baton_handoff.config.settings import PolicyException
from baton_handoff.lineage.sources.assessment import SourceAssessment, assess_sources
from baton_handoff.lineage.sources.usage import SourceUsage, source_usage
from baton_handoff.policy.practices.assessment import State
from baton_handoff.policy.status.status import assess
from prices import (
    CODE,
    Content,
    Write,
    all_findings,
    at_another_location,
    past_its_end,
    properties,
    unchanged,
    valid_source,
    with_a_plan,
    without_end_of_life,
    without_official,
    without_owner,
    without_replacement,
)
from trip_project import SETTINGS

UNTIL = (datetime.now(UTC) + timedelta(days=300)).date().isoformat()


@pytest.fixture
def engine() -> str:
    """These tests validate no rows, so one engine is enough."""
    return "pandas"


def states(project: Project) -> list[str]:
    usage = source_usage(project)
    return [usage.state(source) for source in usage.sources]


def accept(project: Project, gate: str, until: str) -> Project:
    exception = f'\n[[exceptions]]\ngate = "{gate}"\nreason = "no other yet"\nowner = "ada"\n'
    text = f"{SETTINGS}{exception}expires = {until}\n"
    (project.root / "handoff.toml").write_text(text)
    return find_project(project.root)


def test_a_source_is_found_then_owned_then_official(project: Project, write: Write) -> None:
    source = valid_source()
    without_owner(source)
    without_replacement(source)
    write(source)
    assert states(project) == ["found"]
    assert assess_sources(source_usage(project)).blockers == {"prices": "it has no owner"}
    source["team"] = {"name": "ticket office"}
    write(source)
    assert states(project) == ["owned"]
    assert assess_sources(source_usage(project)).blockers == {"prices": "owned, but not official"}
    properties(source)["official"]["value"] = True
    write(source)
    assert states(project) == ["official"]
    assert assess_sources(source_usage(project)) == SourceAssessment(("prices",), {}, ())


@pytest.mark.parametrize(
    ("gate", "until", "state"),
    [
        ("sources", UNTIL, "official"),
        ("sources/prices", UNTIL, "official"),
        ("sources/towns", UNTIL, "owned"),
        ("sources", "2020-12-31", "owned"),
    ],
)
def test_a_valid_exception_makes_a_source_official(
    project: Project, write: Write, gate: str, until: str, state: str
) -> None:
    source = valid_source()
    without_replacement(source)
    write(source)
    accepting = accept(project, gate, until)
    assert states(accepting) == [state]
    notes = assess_sources(source_usage(accepting)).notes
    assert notes == ((f"prices: accepted until {UNTIL} by ada: no other yet",) * (state != "owned"))


def test_a_source_past_its_end_of_life_blocks_unless_an_exception_accepts_it(
    project: Project, write: Write
) -> None:
    source = valid_source()
    past_its_end(source)
    write(source)
    assert assess_sources(source_usage(project)).blockers == {
        "prices": "past its end of life since 2020-12-31"
    }
    assert assess_sources(source_usage(project, today=date(2020, 12, 31))).blockers == {}
    assert assess_sources(source_usage(accept(project, "sources/prices", UNTIL))).blockers == {}


PLANS = {
    "official": (unchanged, True),
    "unofficial, with a plan": (with_a_plan, False),
    "unofficial, without a plan": (without_replacement, False),
    "open": (without_official, False),
}


@pytest.mark.parametrize(("spoil", "official"), PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("accepted", ["", "sources", "sources/prices", "sources/towns"])
def test_the_practice_and_the_promotion_gate_agree(
    project: Project, write: Write, spoil: Callable[[Content], None], official: bool, accepted: str
) -> None:
    source = valid_source()
    spoil(source)
    write(source)
    at = accept(project, accepted, UNTIL) if accepted else project
    is_met = official or accepted in ("sources", "sources/prices")
    assert (assess_sources(source_usage(at)).blockers == {}) is is_met
    states = {o.state for o in assess(at).results if o.practice.name == "sources-official"}
    assert states == {State.MET if is_met else State.NOT_MET}


@pytest.mark.parametrize(
    ("spoil", "required"),
    [(with_a_plan, False), (without_replacement, True), (without_end_of_life, True)],
)
def test_before_a_promotion_an_unofficial_source_needs_a_plan_or_an_exception(
    project: Project, write: Write, spoil: Callable[[Content], None], required: bool
) -> None:
    source = valid_source()
    spoil(source)
    write(source)

    def open_at(project: Project) -> list[str]:
        results = assess(project).blocking("handoff", 1)
        return [one.practice.name for one in results if one.practice.section == "lineage"]

    assert ("sources-described" in open_at(project)) is required
    assert "sources-official" not in open_at(project)
    assert bool(all_findings(project)) is required
    accepting = accept(project, "sources/prices", UNTIL)
    assert "sources-described" not in open_at(accepting)
    assert all_findings(accepting) == []


def test_the_status_judges_sources_on_the_given_day(project: Project, write: Write) -> None:
    source = valid_source()
    with_a_plan(source, until="2027-03-31")
    write(source)
    for day, state in ((date(2027, 3, 31), State.MET), (date(2027, 4, 1), State.NOT_MET)):
        results = assess(project, today=day).results
        assert {o.state for o in results if o.practice.name == "sources-described"} == {state}


def test_production_code_that_reads_undescribed_data_blocks(project: Project, write: Write) -> None:
    source = valid_source()
    at_another_location(source)
    write(source)
    assert assess_sources(source_usage(project)).blockers == {
        "data/prices.csv": "read in src/trips/training.py:3, but no source describes it"
    }
    write(valid_source(), CODE.replace("'data/prices.csv'", "where()"))
    assert assess_sources(source_usage(project)).blockers == {
        "src/trips/training.py:3": (
            "not known statically what `read_csv` reads; name it: `# source: NAME`"
        )
    }


def test_an_exception_counts_until_its_last_day() -> None:
    usage = SourceUsage((), (), (), (), frozenset(), (), {}, date(2026, 1, 1))
    assert usage.undescribed_reads == []
    assert PolicyException(gate="sources", reason="r", owner="o", expires=usage.today).counts(
        usage.today
    )
