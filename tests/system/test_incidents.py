"""A day of flights with an incident in it: what notices it, after how many requests, whose turn.

The service is the project's own, and so are the rows that it is asked about: the flights of a day
of the evaluation's months, one by one, in their order. Only the time between them is left out. What
Prometheus would read every 15 seconds is read after each request, and its own engine evaluates the
template's alerts over the whole day, at their true lengths (`promtool test rules`); a Prometheus
that asks the service itself is in test_observability.py. `monitor` is the command, once an hour, on
the service's own log. How long an answer takes is what it has taken.
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
from tests.system.replayed import Change, Event, Flight, Readings, Row, Service, delayed, fired

HERE = Path(__file__).parent
INCIDENTS: list[dict[str, Any]] = tomllib.loads((HERE / "incidents.toml").read_text("utf-8"))[
    "incident"
]
DATE, HOUR = "2013-10-16", 3600.0
BEGINS = 8 * HOUR
"""When an incident begins, in seconds since midnight."""

Happens: TypeAlias = Callable[[Service], Sequence[Event]]
Signals: TypeAlias = Mapping[tuple[str, str], float]
"""What was noticed, each with the side whose turn it is, and when: in seconds since midnight."""


@dataclass(frozen=True)
class Lived:
    """A day that is over.

    Attributes:
        project: The project whose service has lived it.
        folder: Where its prediction log is.
        flights: What it was asked about.
        answers: The status of each answer, None where nobody has answered.
        raised: The alerts of Prometheus.
    """

    project: Project
    folder: Path
    flights: Sequence[Flight]
    answers: Sequence[int | None]
    raised: Signals

    def watched(
        self, hours: Sequence[int], late: Callable[[int, Flight], bool] | None = None
    ) -> Signals:
        """What `monitor` finds first, asked at these hours, and told which flights were late."""
        to, truths = self.folder / "look.json", list[str | Path]()
        if late:
            truths = ["--truths", self._truths(late)]
        own = {"HANDOFF_PREDICTIONS": "predictions", "HANDOFF_MONITOR": "monitor"}
        env = self.project.env | {name: str(self.folder / own[name]) for name in own}
        hourly = ["python", HERE / "inside/hourly.py", DATE, to, *map(str, hours), *truths]
        run(hourly, self.project.folder, env=env)
        look = json.loads(to.read_text("utf-8"))
        found = [(one["check"], one["side"]) for one in look["found"] if one["blocks"]]
        assert look["exit"] == bool(found)
        return dict.fromkeys(found, HOUR * look["hour"])

    def _truths(self, late: Callable[[int, Flight], bool]) -> Path:
        file = self.folder / "truths.jsonl"
        with file.open("w", encoding="utf-8") as lines:
            for number, flight in enumerate(self.flights):
                departs, came = flight.row["scheduled_departure"], int(late(number, flight))
                known = {"request": name_of(number), "row": 0, "departs": departs, "truth": came}
                lines.write(json.dumps(known) + "\n")
        return file


def name_of(number: int) -> str:
    """What the request about a flight is called."""
    return f"flight-{number}"


@pytest.fixture(scope="module")
def project(
    workshop: Workshop, environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """A project with a registered model."""
    return own_copy(workshop, environment, tmp_path_factory.mktemp("incidents"))


@pytest.fixture(scope="module")
def flights(project: Project) -> list[Flight]:
    """The day's flights."""
    file = project.folder / "flights.jsonl"
    project("python", str(HERE / "inside/flights.py"), DATE, str(file))
    return [Flight(**json.loads(line)) for line in file.read_text("utf-8").splitlines()]


def live(
    project: Project,
    flights: Sequence[Flight],
    folder: Path,
    happens: Happens = lambda _: (),
) -> Lived:
    """Live a day.

    Args:
        project: The project whose service lives it.
        flights: What it is asked about.
        folder: Where its log goes.
        happens: What else happens that day.
    """
    service, answers = Service(project, folder), list[int | None]()
    readings = Readings(service)

    def ask(number: int) -> None:
        answers.append(service.predict(name_of(number), flights[number].row))

    asked = [(flight.at, partial(ask, number)) for number, flight in enumerate(flights)]
    service.start()
    try:
        readings.live([*happens(service), *asked])
    finally:
        service.kill()
    return Lived(project, folder, flights, answers, fired(readings, folder))


@pytest.fixture(scope="module")
def quiet(
    project: Project, flights: Sequence[Flight], tmp_path_factory: pytest.TempPathFactory
) -> Lived:
    """A day without an incident."""
    return live(project, flights, tmp_path_factory.mktemp("quiet"))


def in_celsius(row: Row) -> Row:
    fahrenheit = row["temperature_f"]
    return row | {"temperature_f": fahrenheit and (fahrenheit - 32) * 5 / 9}


def in_inches_of_mercury(row: Row) -> Row:
    hpa = row["pressure_hpa"]
    return row | {"pressure_hpa": hpa and hpa * 0.0295299831}


def without_weather(row: Row) -> Row:
    columns = list(row)
    return row | dict.fromkeys(columns[columns.index("weather_observed_at") :])


def a_slow_disk(service: Service) -> Sequence[Event]:
    """Seven minutes in which it takes 0.7 s to open the file of the prediction log."""
    slow, mended = delayed(service, 0.7)
    return [(BEGINS, slow), (BEGINS + 7 * 60, mended)]


def a_crash_loop(service: Service) -> Sequence[Event]:
    """Killed every three minutes, and there again 45 s later."""
    killed = [BEGINS + 180 * time for time in range(3)]
    return [
        *((at, service.kill) for at in killed),
        *((at + 45, service.start) for at in killed),
    ]


def three_of_four_are_late(number: int, flight: Flight) -> bool:
    return flight.late or (flight.at >= BEGINS and number % 4 > 0)


def sent(change: Change) -> Happens:
    """Rows that are sent otherwise from then on."""
    return lambda service: [(BEGINS, lambda: setattr(service, "change", change))]


HAPPENS: dict[str, Happens] = {
    "the source changes its unit": sent(in_celsius),
    "the source changes its unit, beyond the contract": sent(in_inches_of_mercury),
    "a feed ends": sent(without_weather),
    "what the service depends on is slow": a_slow_disk,
    "a crash loop": a_crash_loop,
}


def signals(incident: str, quiet: Lived, folder: Path) -> Signals:
    """Everything that is noticed of an incident."""
    if incident == "the model decays":  # labels are known from two on
        return {**quiet.raised, **quiet.watched(range(14, 25), three_of_four_are_late)}
    lived = live(quiet.project, quiet.flights, folder, HAPPENS[incident])
    # Where Prometheus has noticed it, the monitor may say at the end of the day if it has as well.
    hours = [24] if lived.raised else range(9, 25)
    return {**lived.raised, **lived.watched(hours)}


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: str(incident["name"]))
def test_an_incident_is_noticed_as_the_table_says_and_nobody_else_is_called(
    incident: dict[str, Any], quiet: Lived, tmp_path: Path
) -> None:
    found = signals(incident["name"], quiet, tmp_path)
    assert set(found) == set(incident["signals"].items())
    first = min(found.values())
    requests = sum(BEGINS <= flight.at < first for flight in quiet.flights)
    at = f"{int(first / HOUR):02}:{int(first % HOUR / 60):02}"
    assert (requests, at) == (incident["requests"], incident["at"])


def test_a_quiet_day_raises_nothing(quiet: Lived) -> None:
    assert Counter(quiet.answers) == {200: len(quiet.flights)}
    assert quiet.raised == {}
    assert quiet.watched([12, 24], lambda _, flight: flight.late) == {}
