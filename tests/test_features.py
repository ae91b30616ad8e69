"""A flights project lists its features with their sources, and finds misplaced feature code."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.baton import Workshop, commit, git, render
from tests.project import ENGINES, Project

pytestmark = pytest.mark.slow

WEATHER_KEYS = {
    *("Weather.origin", "Weather.time_hour"),
    *("Flights.origin", "Flights.scheduled_departure"),
}
# The source columns of each feature, listed by hand.
ORIGINS = {
    "carrier": {"Flights.carrier"},
    "destination": {"Flights.dest"},
    "hour": {"Flights.scheduled_departure"},
    "weekday": {"Flights.scheduled_departure"},
    "temperature_f": {"Weather.temp", *WEATHER_KEYS},
    "wind_gust_mph": {"Weather.wind_gust", *WEATHER_KEYS},
    "pressure_hpa": {"Weather.pressure", *WEATHER_KEYS},
    "destination_longitude": {"Airports.lon", "Airports.faa", "Flights.dest"},
    "aircraft_age_years": {
        *("Planes.year", "Planes.tailnum"),
        *("Flights.tailnum", "Flights.scheduled_departure"),
    },
    "aircraft_seats": {"Planes.seats", "Planes.tailnum", "Flights.tailnum"},
}
# Columns that no feature may use: known only after the departure, or redundant.
UNUSED = {"dep_delay", "arr_delay", "air_time", "sched_dep_time", "flight"}
MISPLACED = {
    "training/features.py": (
        "    delay = nw.from_native(flights)",
        "    features = nw.from_native(features).with_columns(weekday=nw.lit(1)).to_native()",
    ),
    "model/delay_model.py": (
        "        late = self.estimator",
        '        features["hour_squared"] = features["hour"] ** 2',
    ),
}


@pytest.fixture(params=ENGINES)
def flights(
    workshop: Workshop, environment: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Project:
    """Return a flights project at its first commit, in which nothing has run yet."""
    folder = render(workshop.template(), tmp_path / "project", {"dataframe": request.param})
    commit(folder, "first")
    return Project(folder, environment)


def test_every_feature_is_listed_with_its_meaning_and_its_sources(flights: Project) -> None:
    parsed: list[dict[str, Any]] = json.loads(
        flights("handoff", "feature", "list", "--json").stdout
    )
    stated = flights.python(
        """
        from flight_delays.contracts import Features
        print(*Features.to_schema().columns)
        """
    )
    assert [feature["name"] for feature in parsed] == stated.split()
    features = {feature["name"]: feature for feature in parsed}
    for name, origins in ORIGINS.items():
        assert set(features[name]["origins"]) == origins, name
    assert not {o.partition(".")[2] for f in parsed for o in f["origins"]} & UNUSED
    for feature in parsed:
        assert feature["meaning"]
        assert feature["answerable"] == "data-science"
        for place in feature["computed_in"]:
            file, line = place.split(":")
            text = (flights.folder / file).read_text(encoding="utf-8").splitlines()
            words = text[int(line) - 1]
            assert feature["name"] in words or "def build_features" in words, place
        assert "src/flight_delays/model/estimator.py" in feature["used_in"]
        assert "src/flight_delays/serving/app.py" not in feature["used_in"]
    assert features["carrier"]["named_in"][0] == "src/flight_delays/model/estimator.py"
    refused = flights("handoff", "feature", "list", "--format", "markdown", check=False)
    assert refused.returncode == 2
    assert "there is no option `--format`" in refused.stderr
    # Listing features writes no file.
    assert git(flights.folder, "status", "--porcelain") == ""


def test_misplaced_feature_code_is_reported_and_does_not_block(flights: Project) -> None:
    lines = {}
    for file, (before, stray) in MISPLACED.items():
        place = flights.folder / "src/flight_delays" / file
        text = place.read_text(encoding="utf-8")
        assert before in text
        place.write_text(text.replace(before, f"{stray}\n{before}", 1), encoding="utf-8")
        lines[f"src/flight_delays/{file}"] = text[: text.index(before)].count("\n") + 1
    found = flights("handoff", "check", "--only", "features", "--format", "json")
    findings = json.loads(found.stdout)
    assert {finding["file"]: finding["line"] for finding in findings} == lines
    assert [finding["message"] for finding in findings] == [
        "`hour_squared` is added to the features, but no contract declares it",
        "the feature `weekday` is computed outside features/",
    ]
    assert {(finding["blocks"], finding["side"]) for finding in findings} == {
        (False, "data-science")
    }
