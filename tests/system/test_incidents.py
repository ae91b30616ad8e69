"""Incidents in a day of flights: the alert, the number of requests until then, and the side.

The service is the project's own. It gets a request for each flight of one day of the evaluation's
months, in order and without the time between them. The metrics that Prometheus would read every 15
seconds are read after each request, and Prometheus's own engine evaluates the template's alerts
over the whole day, with their true durations (`promtool test rules`); test_observability.py has a
Prometheus that reads the service itself. `monitor` runs once an hour on the service's own log.
Response times are the measured ones.
"""

import json
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.baton import Workshop, run
from tests.project import Project, own_copy
from tests.system.replayed import (
    Change,
    Event,
    Flight,
    Readings,
    Row,
    Service,
    fired_alerts,
    slow_log,
)

HERE = Path(__file__).parent
INCIDENTS: list[dict[str, Any]] = tomllib.loads((HERE / "incidents.toml").read_text("utf-8"))[
    "incident"
]
DATE, HOUR = "2013-10-16", 3600.0
BEGINS = 8 * HOUR
"""The start of each incident, in seconds since midnight."""

IncidentEvents: TypeAlias = Callable[[Service], Sequence[Event]]
Signals: TypeAlias = Mapping[tuple[str, str], float]
"""The time of each signal and the side that has to act, in seconds since midnight."""


@dataclass(frozen=True)
class ReplayedDay:
    """The results of a replayed day.

    Attributes:
        project: The project whose service has run.
        folder: The folder of its prediction log.
        flights: The flights of the requests.
        answers: The status of each response, None without a response.
        raised: The alerts of Prometheus.
    """

    project: Project
    folder: Path
    flights: Sequence[Flight]
    answers: Sequence[int | None]
    raised: Signals

    def monitor_signals(
        self, hours: Sequence[int], late: Callable[[int, Flight], bool] | None = None
    ) -> Signals:
        """Return the first findings of `monitor` at these hours, with the labels of `late`."""
        to, truths = self.folder / "look.json", list[str | Path]()
        if late:
            truths = ["--truths", self._truths(late)]
        own = {"HANDOFF_PREDICTIONS": "predictions", "HANDOFF_MONITOR": "monitor"}
        env = self.project.env | {name: str(self.folder / own[name]) for name in own}
        hourly = ["python", HERE / "inside/hourly.py", DATE, to, *map(str, hours), *truths]
        run(hourly, self.project.folder, env=env)
        report = json.loads(to.read_text("utf-8"))
        found = [(one["check"], one["side"]) for one in report["found"] if one["blocks"]]
        assert report["exit"] == bool(found)
        return dict.fromkeys(found, HOUR * report["hour"])

    def _truths(self, late: Callable[[int, Flight], bool]) -> Path:
        file = self.folder / "truths.jsonl"
        with file.open("w", encoding="utf-8") as lines:
            for number, flight in enumerate(self.flights):
                departs, came = flight.row["scheduled_departure"], int(late(number, flight))
                known = {"request": name_of(number), "row": 0, "departs": departs, "truth": came}
                lines.write(json.dumps(known) + "\n")
        return file


def name_of(number: int) -> str:
    """Return the name of the request for a flight."""
    return f"flight-{number}"


@pytest.fixture(scope="module")
def project(
    workshop: Workshop, environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """Return a project with a registered model."""
    return own_copy(workshop, environment, tmp_path_factory.mktemp("incidents"))


@pytest.fixture(scope="module")
def flights(project: Project) -> list[Flight]:
    """Return the day's flights."""
    file = project.folder / "flights.jsonl"
    project("python", str(HERE / "inside/flights.py"), DATE, str(file))
    return [Flight(**json.loads(line)) for line in file.read_text("utf-8").splitlines()]


def replay(
    project: Project,
    flights: Sequence[Flight],
    folder: Path,
    extra_events: IncidentEvents = lambda _: (),
) -> ReplayedDay:
    """Replay a day.

    Args:
        project: The project whose service runs.
        flights: The flights of the requests.
        folder: The folder for its log.
        extra_events: The additional events of the day.
    """
    service, answers = Service(project, folder), list[int | None]()
    readings = Readings(service)

    def send(number: int) -> None:
        answers.append(service.predict(name_of(number), flights[number].row))

    departures = [(flight.at, partial(send, number)) for number, flight in enumerate(flights)]
    service.start()
    try:
        readings.replay([*extra_events(service), *departures])
    finally:
        service.kill()
    return ReplayedDay(project, folder, flights, answers, fired_alerts(readings, folder))


@pytest.fixture(scope="module")
def quiet_day(
    project: Project, flights: Sequence[Flight], tmp_path_factory: pytest.TempPathFactory
) -> ReplayedDay:
    """Return a day without an incident."""
    return replay(project, flights, tmp_path_factory.mktemp("quiet"))


def in_celsius(row: Row) -> Row:
    fahrenheit = row["temperature_f"]
    return row | {"temperature_f": fahrenheit and (fahrenheit - 32) * 5 / 9}


def in_inches_of_mercury(row: Row) -> Row:
    hpa = row["pressure_hpa"]
    return row | {"pressure_hpa": hpa and hpa * 0.0295299831}


def without_weather(row: Row) -> Row:
    columns = list(row)
    return row | dict.fromkeys(columns[columns.index("weather_observed_at") :])


def slow_disk(service: Service) -> Sequence[Event]:
    """For seven minutes, opening the file of the prediction log takes 0.7 s."""
    slow, mended = slow_log(service, 0.7)
    return [(BEGINS, slow), (BEGINS + 7 * 60, mended)]


def crash_loop(service: Service) -> Sequence[Event]:
    """The service is killed every three minutes and restarted 45 s later."""
    killed = [BEGINS + 180 * time for time in range(3)]
    return [
        *((at, service.kill) for at in killed),
        *((at + 45, service.start) for at in killed),
    ]


def three_of_four_flights_are_late(number: int, flight: Flight) -> bool:
    return flight.late or (flight.at >= BEGINS and number % 4 > 0)


def changed_rows(change: Change) -> IncidentEvents:
    """Return an incident that changes all rows from its start on."""
    return lambda service: [(BEGINS, lambda: setattr(service, "change", change))]


INCIDENT_EVENTS: dict[str, IncidentEvents] = {
    "the source changes its unit": changed_rows(in_celsius),
    "the source changes its unit beyond the contract": changed_rows(in_inches_of_mercury),
    "a feed ends": changed_rows(without_weather),
    "a dependency of the service is slow": slow_disk,
    "a crash loop": crash_loop,
}


def signals(incident: str, quiet_day: ReplayedDay, folder: Path) -> Signals:
    """Return all signals of an incident."""
    if incident == "the model decays":  # labels are known from 14:00 on
        return {
            **quiet_day.raised,
            **quiet_day.monitor_signals(range(14, 25), three_of_four_flights_are_late),
        }
    lived = replay(quiet_day.project, quiet_day.flights, folder, INCIDENT_EVENTS[incident])
    # If Prometheus has an alert, the monitor only runs at the end of the day.
    hours = [24] if lived.raised else range(9, 25)
    return {**lived.raised, **lived.monitor_signals(hours)}


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: str(incident["name"]))
def test_an_incident_raises_exactly_the_expected_signals(
    incident: dict[str, Any], quiet_day: ReplayedDay, tmp_path: Path
) -> None:
    found = signals(incident["name"], quiet_day, tmp_path)
    assert set(found) == set(incident["signals"].items())
    first = min(found.values())
    requests = sum(BEGINS <= flight.at < first for flight in quiet_day.flights)
    at = f"{int(first / HOUR):02}:{int(first % HOUR / 60):02}"
    assert (requests, at) == (incident["requests"], incident["at"])


def test_a_quiet_day_raises_nothing(quiet_day: ReplayedDay) -> None:
    assert Counter(quiet_day.answers) == {200: len(quiet_day.flights)}
    assert quiet_day.raised == {}
    assert quiet_day.monitor_signals([12, 24], lambda _, flight: flight.late) == {}
