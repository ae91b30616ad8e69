"""The list of sources and reads, and drafts for sources without a file."""

import re
from pathlib import Path

import pytest

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.lineage.sources.assessment import SourceAssessment, assess_sources
from baton_handoff.lineage.sources.draft import add_source, source_name
from baton_handoff.lineage.sources.rendering import as_data, as_text
from baton_handoff.lineage.sources.unofficial import unofficial_sign
from baton_handoff.lineage.sources.usage import source_usage
from prices import (
    CODE,
    Write,
    all_findings,
    valid_source,
)


@pytest.fixture
def engine() -> str:
    """These tests validate no rows, so one engine is enough."""
    return "pandas"


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
def test_a_source_describes_the_data_at_its_locations(
    project: Project, write: Write, code: str, covered: bool
) -> None:
    write(valid_source(), f"import pandas as pd\n{code}\n")
    usage = source_usage(project)
    assert len(usage.reads_of(usage.sources[0])) == covered
    assert len(usage.undescribed_reads) == (not covered)


def test_the_list_shows_all_sources_and_all_reads(project: Project, write: Write) -> None:
    write(valid_source(), CODE + "pd.read_csv('data/towns.csv')\npd.read_csv(where())\n")
    assert as_text(source_usage(project)).splitlines() == [
        "SOURCE  STATE     OWNER          LAYER   UNTIL  CONTRACT        OPEN PROBLEMS",
        "prices  official  ticket office  bronze         contracts:Trip  1",
        "",
        "READ IN                  READS              SOURCE",
        "src/trips/training.py:3  data/prices.csv    prices",
        "src/trips/training.py:4  data/towns.csv     none",
        "src/trips/training.py:5  read_csv(where())  not known statically",
    ]
    data = as_data(source_usage(project))
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
def test_a_draft_lacks_only_what_people_have_to_add(
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
    assert add_source(project, source_usage(project), what) == f"data/sources/{name}.odcs.yaml"
    usage = source_usage(project)
    assert usage.invalid_files == ()
    (source,) = usage.sources
    assert source.locations == (what,)
    assert (source.owner, source.official, usage.state(source)) == ("", is_official, "found")
    about = {finding.check for finding in all_findings(project) if finding.file == source.file}
    assert about == {"source-owned", "source-official", "source-complete"}


def test_a_file_outside_the_project_keeps_its_absolute_path(
    project: Project, tmp_path: Path
) -> None:
    (tmp_path / "far.csv").touch()
    add_source(project, source_usage(project), str(tmp_path / "far.csv"))
    assert source_usage(project).sources[0].locations == ((tmp_path / "far.csv").as_posix(),)


def test_a_source_that_can_not_be_added_is_an_error_of_one_line(
    project: Project, write: Write
) -> None:
    write(valid_source())
    (project.root / "data/prices.csv").touch()
    (project.root / "prices.csv").touch()
    usage = source_usage(project)
    for what, why in {
        "nothing.csv": "There is no file nothing.csv, and the code reads no data of that name",
        str(
            project.root / "data/prices.csv"
        ): "data/prices.csv has a source file already: data/sources/",
        str(project.root / "prices.csv"): "data/sources/prices.odcs.yaml describes other data",
    }.items():
        with pytest.raises(HandoffError, match=f"^{re.escape(why)}") as refused:
            add_source(project, usage, what)
        assert "\n" not in str(refused.value)
    assert len(list((project.root / "data/sources").iterdir())) == 1


@pytest.mark.parametrize(
    ("place", "name"),
    [("a/Ünï.tar.gz", "ünï"), ("/", "source"), ("a/ .csv", "source"), ("x.y", "x")],
)
def test_the_name_of_a_source_fits_into_a_comment(place: str, name: str) -> None:
    assert source_name(place) == name


@pytest.mark.parametrize(
    ("where", "looks"),
    [
        ("data/seats.XLSX", None),
        ("data/seats.xlsx", "a spreadsheet"),
        ("https://docs.google.com/spreadsheets/d/1", "a spreadsheet"),
        ("/home/ada/t.csv", "on a personal drive"),
        ("C:/Users/ada/t.csv", "on a personal drive"),
        ("/content/drive/MyDrive/t.csv", "on a personal drive"),
        ("https://a.example/prices.html", "a scraped page"),
        ("https://a.example/prices.csv", None),
        ("s3://lake/prices", None),
        ("data/prices.csv", None),
    ],
)
def test_a_location_may_look_unofficial(where: str, looks: str | None) -> None:
    assert unofficial_sign(where) == looks


def test_a_project_that_reads_nothing_has_no_findings(project: Project) -> None:
    assert as_text(source_usage(project)) == ""
    assert all_findings(project) == []
    assert assess_sources(source_usage(project)) == SourceAssessment((), {}, ())
