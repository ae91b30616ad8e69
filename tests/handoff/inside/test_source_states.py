"""How far a source is handed over: found, owned, official; and what that is worth."""

from datetime import date

import pytest

from baton_handoff.project import Project, find_project
from baton_handoff.settings import Accepted
from baton_handoff.sources.seen import Seen, look
from baton_handoff.sources.standing import Standing, standing
from prices import (
    CODE,
    Write,
    elsewhere,
    good,
    nobody,
    own,
    unofficial_until,
)
from trip_project import SETTINGS


@pytest.fixture
def engine() -> str:
    """Only where rows are looked at does the engine make a difference."""
    return "pandas"


def states(project: Project) -> list[str]:
    seen = look(project)
    return [seen.state(source) for source in seen.sources]


def accept(project: Project, gate: str, until: str) -> Project:
    exception = f'\n[[exceptions]]\ngate = "{gate}"\nreason = "no other yet"\nowner = "ada"\n'
    text = f"{SETTINGS}{exception}expires = {until}\n"
    (project.root / "handoff.toml").write_text(text)
    return find_project(project.root)


def test_data_is_handed_over_from_found_to_owned_to_official(
    project: Project, write: Write
) -> None:
    source = good()
    nobody(source)
    unofficial_until(source)
    write(source)
    assert states(project) == ["found"]
    assert standing(look(project)).lacking == {"prices": "nobody is named who answers for it"}
    source["team"] = {"name": "ticket office"}
    write(source)
    assert states(project) == ["owned"]
    assert standing(look(project)).lacking == {"prices": "owned, and not official"}
    own(source)["official"]["value"] = True
    write(source)
    assert states(project) == ["official"]
    assert standing(look(project)) == standing_of("prices")


def standing_of(*official: str) -> Standing:
    return Standing(official, {}, ())


@pytest.mark.parametrize(
    ("gate", "until", "state"),
    [
        ("sources", "2999-12-31", "official"),
        ("sources/prices", "2999-12-31", "official"),
        ("sources/towns", "2999-12-31", "owned"),
        ("sources", "2020-12-31", "owned"),
    ],
)
def test_an_exception_that_counts_stands_for_official(
    project: Project, write: Write, gate: str, until: str, state: str
) -> None:
    source = good()
    unofficial_until(source)
    write(source)
    accepting = accept(project, gate, until)
    assert states(accepting) == [state]
    said = standing(look(accepting)).notes
    assert said == (
        ("prices: accepted until 2999-12-31 by ada: no other yet",) * (state != "owned")
    )


def test_what_production_reads_without_a_file_is_lacking(project: Project, write: Write) -> None:
    source = good()
    elsewhere(source)
    write(source)
    assert standing(look(project)).lacking == {
        "data/prices.csv": "read in src/trips/training.py:3, and no source describes it"
    }
    write(good(), CODE.replace("'data/prices.csv'", "where()"))
    assert standing(look(project)).notes == (
        "what src/trips/training.py:3 reads is not known statically",
    )


def test_an_exception_counts_until_its_last_day() -> None:
    seen = Seen((), (), (), (), frozenset(), (), {}, date(2026, 1, 1))
    assert seen.found == []
    assert Accepted("sources", "r", "o", date(2026, 1, 1)).counts(seen.today)
