"""Sources: their files, what is found when they are not as they should be, and how far each is."""

import importlib.util
import re
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from baton_handoff.errors import HandoffError
from baton_handoff.findings import Finding
from baton_handoff.project import Project, find_project
from baton_handoff.settings import Accepted
from baton_handoff.sources.checks import findings
from baton_handoff.sources.draft import add_source, source_name
from baton_handoff.sources.flaws import flaws_of
from baton_handoff.sources.looks import unofficial
from baton_handoff.sources.odcs import stated_sources
from baton_handoff.sources.report import problem_report
from baton_handoff.sources.seen import Seen, look
from baton_handoff.sources.shown import as_data, as_text
from baton_handoff.sources.standing import Standing, standing
from trip_project import SETTINGS, trip_project

Said = dict[str, Any]
Write = Callable[..., None]

CODE = "import pandas as pd\n\npd.read_csv('data/prices.csv')\n"
WORKAROUND = "# workaround: prices#negative\n"


def own(said: Said) -> Said:
    """Its custom properties, to be changed."""
    return {entry["property"]: entry for entry in said["customProperties"]}


def good() -> Said:
    """A source with everything that can be said of one."""
    return {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": "prices",
        "version": "1.0.0",
        "status": "active",
        "description": {
            "authoritativeDefinitions": [{"type": "license", "url": "https://a.example/terms"}]
        },
        "authoritativeDefinitions": [{"type": "origin", "url": "https://a.example"}],
        "servers": [
            {"server": "here", "type": "local", "path": "data/prices.csv", "format": "csv"}
        ],
        "schema": [
            {
                "name": "prices",
                "physicalName": "shop.prices",
                "quality": [
                    {"type": "custom", "engine": "pandera", "implementation": "contracts:Trip"}
                ],
            }
        ],
        "team": {"name": "ticket office"},
        "support": [{"channel": "desk", "url": "https://a.example/desk"}],
        "slaProperties": [{"property": "frequency", "value": 1, "unit": "d"}],
        "customProperties": [
            {"property": "official", "value": True},
            {"property": "layer", "value": "bronze"},
            {
                "property": "knownProblems",
                "value": [
                    {"id": "negative", "status": "open", "description": "Some are below zero."}
                ],
            },
        ],
    }


@pytest.fixture
def write(project: Project) -> Write:
    """Writes the source `prices`, and code that reads it."""

    def written(said: Mapping[str, Any], code: str = CODE) -> None:
        folder = project.root / "data/sources"
        folder.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(said, sort_keys=False)
        (folder / "prices.odcs.yaml").write_text(text, encoding="utf-8")
        (project.source / "training.py").write_text(code, encoding="utf-8")

    return written


@pytest.fixture
def engine() -> str:
    """Only where rows are looked at does the engine make a difference."""
    return "pandas"


def found(project: Project) -> list[Finding]:
    return findings(look(project), binding=True)


def test_a_source_of_which_everything_is_said_is_quiet(project: Project, write: Write) -> None:
    write(good(), WORKAROUND + CODE)
    assert found(project) == []
    (source,) = look(project).sources
    assert (source.name, source.owner, source.official) == ("prices", "ticket office", True)
    assert (source.layer, source.refresh, source.licence) == (
        *("bronze", "1 d", "https://a.example/terms"),
    )
    assert (source.origin, source.support) == ("https://a.example", "https://a.example/desk")
    assert source.contract == "contracts:Trip"
    assert source.locations == ("data/prices.csv", "shop.prices")


def nobody(said: Said) -> None:
    del said["team"]


def no_contract(said: Said) -> None:
    said["schema"][0]["quality"][0]["implementation"] = "contracts:Price"


def unofficial_for_ever(said: Said) -> None:
    own(said)["official"]["value"] = False
    said["customProperties"].append({"property": "replacement", "value": "the shop's API"})


def unofficial_until(said: Said) -> None:
    own(said)["official"]["value"] = False
    said["slaProperties"].append({"property": "endOfLife", "value": "2999-12-31"})


def ended(said: Said) -> None:
    said["slaProperties"].append({"property": "endOfLife", "value": "2020-12-31"})


def unsaid(said: Said) -> None:
    said["customProperties"] = [own(said)["knownProblems"], {"property": "layer", "value": "gold"}]


def no_licence(said: Said) -> None:
    del said["description"]


def fixed(said: Said) -> None:
    own(said)["knownProblems"]["value"][0]["status"] = "fixed"


def elsewhere(said: Said) -> None:
    said["servers"][0]["path"] = "data/towns.csv"


def same(_: Said) -> None:
    pass


BAD = {
    "nobody answers for it": (nobody, CODE, "source-owned", "nobody is named who answers"),
    "its contract is not there": (
        no_contract,
        CODE,
        "source-valid",
        "no contract `contracts:Price`",
    ),
    "it is not told for how long": (
        unofficial_for_ever,
        CODE,
        "source-official",
        "unofficial, and has no end of life",
    ),
    "nothing will replace it": (
        unofficial_until,
        CODE,
        "source-official",
        "unofficial, and nothing is planned in its place",
    ),
    "it has come to its end": (ended, CODE, "source-official", "its end of life since 2020-12-31"),
    "whether it is official is open": (unsaid, CODE, "source-official", "is official is open"),
    "it has no licence": (no_licence, CODE, "source-complete", "leaves open: license"),
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
        "no source knows of the problem `prices#rounded`",
    ),
    "a workaround for nothing": (
        same,
        "# workaround: prices are odd\n" + CODE,
        "source-workaround",
        "this workaround does not say what for",
    ),
    "something else is read": (elsewhere, CODE, "source-listed", "describes the path `data/prices"),
    "what is read is not known": (
        same,
        CODE.replace("'data/prices.csv'", "where()"),
        "source-known",
        "what `read_csv` reads is not known statically: `where()`",
    ),
    "a source that is not there": (
        same,
        CODE.replace("pd.read", "# source: towns\npd.read"),
        "source-listed",
        "there is no source `towns`",
    ),
}


@pytest.mark.parametrize(("spoil", "code", "check", "said"), BAD.values(), ids=BAD)
def test_what_is_not_as_it_should_be_is_the_only_thing_found(
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


def test_a_finding_is_for_the_line_that_has_to_change(project: Project, write: Write) -> None:
    source = good()
    no_contract(source)
    write(source)
    (finding,) = found(project)
    line = (project.root / str(finding.file)).read_text().splitlines()[(finding.line or 0) - 1]
    assert line == "schema:"


def test_a_broken_contract_binds_nobody_at_level_0(project: Project, write: Write) -> None:
    source = good()
    no_contract(source)
    write(source)
    assert [one.blocks for one in findings(look(project), binding=False)] == [False]


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
    assert standing(look(project)).lacking == {}


FLAWS: dict[str, tuple[Callable[[Said], Any], str]] = {
    "another version": (lambda s: s.update(apiVersion="v9"), "apiVersion"),
    "no id": (lambda s: s.pop("id"), '"id" is a required property'),
    "a word of its own": (lambda s: s.update(owner="me"), "owner"),
    "a server of no kind": (lambda s: s["servers"][0].update(type="shelf"), "servers.0"),
    "official is text": (lambda s: own(s)["official"].update(value="yes"), "true or false"),
    "a layer of its own": (lambda s: own(s)["layer"].update(value="raw"), "bronze, silver, gold"),
    "no day": (
        lambda s: s["slaProperties"].append({"property": "endOfLife", "value": "soon"}),
        "endOfLife must be a day such as 2027-03-31, not 'soon'",
    ),
    "problems are text": (lambda s: own(s)["knownProblems"].update(value="many"), "a list"),
    "a problem without a status": (
        lambda s: own(s)["knownProblems"]["value"][0].pop("status"),
        "must say an id, a description and a status, open or fixed",
    ),
    "a status of its own": (
        lambda s: own(s)["knownProblems"]["value"][0].update(status="nearly"),
        "must say an id, a description and a status, open or fixed",
    ),
    "an id that no comment can name": (
        lambda s: own(s)["knownProblems"]["value"][0].update(id="below zero"),
        "a problem's id is letters, digits",
    ),
    "two of one id": (
        lambda s: own(s)["knownProblems"].update(value=own(s)["knownProblems"]["value"] * 2),
        "more than one of knownProblems has the id 'negative'",
    ),
}


@pytest.mark.parametrize(("spoil", "says"), FLAWS.values(), ids=FLAWS)
def test_a_file_that_is_none_of_the_standard_is_told_by_its_line(
    project: Project, write: Write, spoil: Callable[[Said], Any], says: str
) -> None:
    source = good()
    spoil(source)
    write(source)
    found_first = found(project)[0]
    assert says in found_first.message
    assert (found_first.check, found_first.blocks) == ("source-valid", True)
    assert found_first.file == "data/sources/prices.odcs.yaml"
    assert look(project).sources == ()
    assert "data/sources/prices.odcs.yaml" in standing(look(project)).lacking


@pytest.mark.parametrize("text", ["a: [", "\ta: 1", "- 1", "", "1"])
def test_what_is_no_yaml_or_says_nothing_is_one_flaw_at_least(text: str) -> None:
    assert next(iter(flaws_of("a", text))).line == 1


def test_text_in_another_encoding_is_said(project: Project, write: Write) -> None:
    write(good())
    (project.root / "data/sources/prices.odcs.yaml").write_bytes(b"id: \xff")
    assert [flaw.says for flaw in stated_sources(project.root)[1]] == ["it is not text in UTF-8"]


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
def test_an_owner_is_a_team_or_its_member_of_that_role(
    project: Project, write: Write, team: Any, owner: str
) -> None:
    write({**good(), "team": team})
    assert look(project).sources[0].owner == owner


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


@pytest.mark.parametrize(
    ("code", "covered"),
    [
        ("pd.read_csv('data/prices.csv')", True),
        ("pd.read_csv('../data/prices.csv')", True),
        ("pd.read_csv(f'{folder}/data/prices.csv')", True),
        ("pd.read_sql_table('shop.prices', e)", True),
        ("pd.read_sql('select * from prices', e)", True),
        ("pd.read_sql('select * from Shop.Prices', e)", True),
        ("pd.read_csv('data/prices.csv.bak')", False),
        ("pd.read_csv('prices.csv')", False),
        ("pd.read_sql('select * from other.prices', e)", False),
    ],
)
def test_a_source_covers_what_it_names(
    project: Project, write: Write, code: str, covered: bool
) -> None:
    write(good(), f"import pandas as pd\n{code}\n")
    seen = look(project)
    assert len(seen.read_in(seen.sources[0])) == covered
    assert len(seen.found) == (not covered)


def test_the_list_shows_every_source_and_every_place_that_reads(
    project: Project, write: Write
) -> None:
    write(good(), CODE + "pd.read_csv('data/towns.csv')\npd.read_csv(where())\n")
    assert as_text(look(project)).splitlines() == [
        "SOURCE  STATE     OWNER          LAYER   UNTIL  CONTRACT        OPEN PROBLEMS",
        "prices  official  ticket office  bronze         contracts:Trip  1",
        "",
        "READ IN                  READS              SOURCE",
        "src/trips/training.py:3  data/prices.csv    prices",
        "src/trips/training.py:4  data/towns.csv     none",
        "src/trips/training.py:5  read_csv(where())  not known statically",
    ]
    data = as_data(look(project))
    (source,) = data["sources"]
    assert source["read_in"] == ["src/trips/training.py:3"]
    assert [read["sources"] for read in data["reads"]] == [["prices"], [], []]


ADDED = {
    "data/Prices 2013.csv": ("prices-2013", None),
    "seats.xlsx": ("seats", False),
    "https://a.example/t/prices.json?v=1": ("prices", None),
    "s3://lake/prices": ("prices", None),
    "prices.feather": ("prices", None),
    "shop.orders": ("shop-orders", None),
}


@pytest.mark.parametrize("what", ADDED)
def test_a_draft_leaves_open_what_only_people_know(
    project: Project, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.chdir(project.root)
    if "://" not in what and "shop" not in what:
        file = project.root / what
        file.parent.mkdir(exist_ok=True)
        file.touch()
    code = "import pandas as pd\npd.read_sql_table('shop.orders', engine)\n"
    (project.source / "training.py").write_text(code)
    name, is_official = ADDED[what]
    assert add_source(project, look(project), what) == f"data/sources/{name}.odcs.yaml"
    seen = look(project)
    assert seen.flaws == ()
    (source,) = seen.sources
    assert source.locations == (what,)
    assert (source.owner, source.official, seen.state(source)) == ("", is_official, "found")
    about = {finding.check for finding in found(project) if finding.file == source.file}
    assert about == {"source-owned", "source-official", "source-complete"}


def test_a_file_from_outside_is_named_as_it_stands(project: Project, tmp_path: Path) -> None:
    (tmp_path / "far.csv").touch()
    add_source(project, look(project), str(tmp_path / "far.csv"))
    assert look(project).sources[0].locations == ((tmp_path / "far.csv").as_posix(),)


def test_what_can_not_be_added_is_said_in_a_sentence(project: Project, write: Write) -> None:
    write(good())
    (project.root / "data/prices.csv").touch()
    (project.root / "prices.csv").touch()
    seen = look(project)
    for what, why in {
        "nothing.csv": "There is no file nothing.csv, and the code reads nothing of that name",
        str(project.root / "data/prices.csv"): "The source prices describes data/prices.csv: see",
        str(project.root / "prices.csv"): "data/sources/prices.odcs.yaml describes something else",
    }.items():
        with pytest.raises(HandoffError, match=f"^{re.escape(why)}") as refused:
            add_source(project, seen, what)
        assert "\n" not in str(refused.value)
    assert len(list((project.root / "data/sources").iterdir())) == 1


@pytest.mark.parametrize(
    ("place", "name"),
    [("a/Ünï.tar.gz", "ünï"), ("/", "source"), ("a/ .csv", "source"), ("x.y", "x")],
)
def test_a_name_can_be_written_in_a_comment(place: str, name: str) -> None:
    assert source_name(place) == name


@pytest.mark.parametrize(
    ("where", "looks"),
    [
        ("data/seats.XLSX", ""),
        ("data/seats.xlsx", "a spreadsheet"),
        ("https://docs.google.com/spreadsheets/d/1", "a spreadsheet"),
        ("/home/ada/t.csv", "on a personal drive"),
        ("C:/Users/ada/t.csv", "on a personal drive"),
        ("/content/drive/MyDrive/t.csv", "on a personal drive"),
        ("https://a.example/prices.html", "a scraped page"),
        ("https://a.example/prices.csv", ""),
        ("s3://lake/prices", ""),
        ("data/prices.csv", ""),
    ],
)
def test_by_its_place_a_source_may_look_unofficial(where: str, looks: str) -> None:
    assert unofficial(where) == looks


SECRET = "Kunigunde"
ROWS = f"town,code,seats,price\nUlm,{SECRET},1,2.5\nBonn,BN,{99},-7.25\nUlm,UL,12,1\n"


def importable(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another module is called `trips` here: the project's contracts are imported by their file."""
    file = project.source / "contracts/__init__.py"
    spec = importlib.util.spec_from_file_location("trips_contracts", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "trips_contracts", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(Project, "room", lambda *_: module)


@pytest.mark.parametrize("which", ["pandas", "polars"])
def test_an_owner_is_told_which_rows_break_the_contract_and_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    project = trip_project(tmp_path / which, which)
    importable(project, monkeypatch)
    folder = project.root / "data/sources"
    folder.mkdir(parents=True)
    (folder / "prices.odcs.yaml").write_text(yaml.safe_dump(good(), sort_keys=False))
    (project.source / "training.py").write_text(WORKAROUND)
    (project.root / "data/prices.csv").write_text(ROWS)
    text = problem_report(project, look(project), "prices")
    assert text.splitlines()[:9] == [
        "# The source prices: what is wrong with it",
        "",
        "For: ticket office (https://a.example/desk)",
        "",
        f"From: trips, {look(project).today}",
        "",
        "We read it from `data/prices.csv`.",
        "",
        "## Rows that break the contract `Trip`",
    ]
    assert "Looked at: `data/prices.csv`, 3 rows." in text
    assert "| seats | must be less than or equal to 9 | 2 of 3 | 1, 2 |" in text
    assert "| price | must be greater than 0 | 1 of 3 | 1 |" in text
    assert "| code | must be text that matches '^[A-Z]{2}$' | 1 of 3 | 0 |" in text
    assert "- negative: Some are below zero. (worked around in `src/trips/training.py:1`)" in text
    for value in (SECRET, "99", "-7.25", "12,"):
        assert value not in text


def test_the_contract_is_about_the_last_of_its_files(
    project: Project, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    importable(project, monkeypatch)
    source = good()
    source["servers"].append({**source["servers"][0], "server": "cut", "path": "data/cut.csv"})
    write(source)
    for place, seats in {"prices": 99, "cut": 10}.items():
        rows = f"town,code,seats,price\nUlm,UL,{seats},1.5\nBonn,BN,{seats},1.5\n"
        (project.root / f"data/{place}.csv").write_text(rows)
    text = problem_report(project, look(project), "prices")
    assert "We read it from `data/prices.csv`." in text
    assert "Looked at: `data/cut.csv`, 2 rows." in text


def test_rows_that_are_missing_or_good_are_told_as_such(
    project: Project, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    importable(project, monkeypatch)
    source = good()
    fixed(source)
    write(source)
    with pytest.raises(HandoffError, match=r"^None of the files of prices is here: `uv run poe"):
        problem_report(project, look(project), "prices")
    (project.root / "data/prices.csv").write_bytes(b"\xff")
    with pytest.raises(HandoffError, match=r"prices\.csv can't be read as \.csv: "):
        problem_report(project, look(project), "prices")
    (project.root / "data/prices.csv").write_text("town,code,seats,price\nUlm,UL,1,2.5\n")
    assert problem_report(project, look(project), "prices") == ""
    with pytest.raises(HandoffError, match=r"^There is no source 'towns'; there are: prices\.$"):
        problem_report(project, look(project), "towns")
    no_contract(source)
    write(source)
    with pytest.raises(HandoffError, match=r"^There is no contract contracts:Price, which data/"):
        problem_report(project, look(project), "prices")
    del source["schema"][0]["quality"]
    write(source)
    assert problem_report(project, look(project), "prices") == ""


@pytest.mark.parametrize("stated", ["def (", "Trip = 1\n"], ids=["broken", "no contract"])
def test_contracts_that_can_not_be_used_are_a_sentence(
    project: Project, write: Write, monkeypatch: pytest.MonkeyPatch, stated: str
) -> None:
    write(good())
    (project.source / "contracts/__init__.py").write_text(stated)
    assert found(project) == []
    (project.root / "data/prices.csv").write_text("town\nUlm\n")
    monkeypatch.setattr(Project, "room", lambda *_: SimpleNamespace(Trip=1))
    with pytest.raises(
        HandoffError, match=r"^data/prices\.csv, by contracts:Trip, can't be read: "
    ):
        problem_report(project, look(project), "prices")


def test_a_project_that_reads_nothing_has_nothing_to_say(project: Project) -> None:
    assert as_text(look(project)) == ""
    assert found(project) == []
    assert standing(look(project)) == standing_of()


def test_an_exception_counts_until_its_last_day() -> None:
    seen = Seen((), (), (), (), frozenset(), (), {}, date(2026, 1, 1))
    assert seen.found == []
    assert Accepted("sources", "r", "o", date(2026, 1, 1)).counts(seen.today)
