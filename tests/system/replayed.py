"""Replay one day of traffic of the service in compressed time, and evaluate Prometheus' alerts."""

import contextlib
import http.client
import json
import math
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

from tests.baton import ROOT, run
from tests.project import Project, service, wait_for

ALERTS = ROOT / "template/standards/observability/alerts.yml"
STEP = 15
"""Seconds between two readings, as in the handbook."""
DAY = 24 * 3600

Row: TypeAlias = dict[str, Any]
Change: TypeAlias = Callable[[Row], Row]
ServiceMetrics: TypeAlias = Mapping[str, str]
Event: TypeAlias = tuple[float, Callable[[], object]]
"""An event: its time in seconds since midnight, and its action."""


@dataclass(frozen=True)
class Flight:
    """A flight for which the service gets a request.

    Attributes:
        at: The time of departure and of the request, in seconds since midnight.
        late: Whether it was late.
        row: Its input row.
    """

    at: float
    late: bool
    row: Row


class Service:
    """The project's own service, which may be killed and started again.

    Attributes:
        process: The process, None before the first start.
        change: A function that changes each row before it is sent.
    """

    def __init__(self, project: Project, folder: Path) -> None:
        self._project = project
        self._folder = folder
        self._running = contextlib.ExitStack()
        self._asked: http.client.HTTPConnection | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.change: Change = lambda row: row

    @property
    def log(self) -> Path:
        """Return the folder of its prediction log."""
        return self._folder / "predictions"

    def start(self) -> None:
        """Start the service and wait until it answers."""
        log = self._running.enter_context((self._folder / "log").open("a"))
        running = service(self._project, log, HANDOFF_PREDICTIONS=str(self.log))
        address, self.process = self._running.enter_context(running)
        self._asked = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
        self._running.callback(self._asked.close)

    def kill(self) -> None:
        """Kill the service as a system without free memory does."""
        if self.process:
            self.process.kill()
        self._asked = None
        self._running.close()

    def figures(self) -> ServiceMetrics | None:
        """Return its metrics for Prometheus, None if it does not answer."""
        if not self._asked:
            return None
        self._asked.request("GET", "/metrics")
        lines = self._asked.getresponse().read().decode().splitlines()
        return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))

    def predict(self, name: str, row: Row) -> int | None:
        """Send a request with this name; return the status, None if the service does not answer."""
        if not self._asked:
            return None
        headers = {"Content-Type": "application/json", "X-Request-ID": name}
        self._asked.request("POST", "/predict", json.dumps({"rows": [self.change(row)]}), headers)
        answer = self._asked.getresponse()
        answer.read()
        return answer.status


@dataclass
class Readings:
    """The readings that Prometheus would make in a replayed day.

    The service does not change between two events. So it is read at the first step after an
    event, and this reading counts for each step up to the next event.
    """

    of: Service
    read: list[tuple[int, ServiceMetrics | None]] = field(default_factory=list)

    def replay(self, events: Iterable[Event]) -> None:
        """Run the events of a whole day one after another."""
        self.read.append((0, self.of.figures()))
        ordered = sorted(events, key=lambda event: event[0])
        later = [at for at, _ in ordered[1:]] + [DAY + STEP]
        for (at, happen), then in zip(ordered, later, strict=True):
            happen()
            if (step := math.ceil(at / STEP)) * STEP < then:
                self.read.append((step, self.of.figures()))

    def series(self) -> Iterator[dict[str, str]]:
        """Return every series with its values at all steps of the day, in promtool's format."""
        spans = [
            (figures, later - step)
            for (step, figures), (later, _) in pairwise([*self.read, (DAY // STEP + 1, None)])
            if later > step
        ]
        names = dict.fromkeys(name for figures, _ in spans for name in figures or ())
        yield _series("up", [(str(int(figures is not None)), steps) for figures, steps in spans])
        for name in names:
            values = [((figures or {}).get(name), steps) for figures, steps in spans]
            yield _series(
                name, [(value and f"{float(value):.9f}", steps) for value, steps in values]
            )


def _series(name: str, values: Iterable[tuple[str | None, int]]) -> dict[str, str]:
    """Return a series from pairs of a value and the number of steps with this value."""
    metric, _, labels = name.rstrip("}").partition("{")
    own = f", {labels.rstrip(', ')}" if labels else ""
    runs = (
        f"{value}x{steps - 1}" if value else f"stale{f' _x{steps - 1}' if steps > 1 else ''}"
        for value, steps in values
    )
    series = f'{metric}{{job="handoff", instance="a"{own}}}'
    return {"series": series, "values": " ".join(runs)}


def fired_alerts(readings: Readings, folder: Path) -> dict[tuple[str, str], float]:
    """Return the template's alerts that the day raises, each with the side that has to act.

    Prometheus's own engine evaluates its rules at each step, with their true durations.

    Returns:
        The first time of each alert and side, in seconds since midnight.
    """
    at = f'timestamp(ALERTS{{alertstate="firing"}})[1d:{STEP}s]'
    expression = f"min by (alertname, side) (min_over_time({at}))"
    nothing = {"expr": expression, "eval_time": "24h", "exp_samples": []}
    test = {
        "interval": f"{STEP}s",
        "external_labels": {"docs": "https://docs"},
        "input_series": list(readings.series()),
        "promql_expr_test": [nothing],
    }
    file = folder / "day.test.yml"
    rules = {"rule_files": [str(ALERTS)], "evaluation_interval": f"{STEP}s", "tests": [test]}
    file.write_text(json.dumps(rules), encoding="utf-8")
    result = run(["promtool", "test", "rules", str(file)], folder, check=False)
    text = result.stdout + result.stderr
    found = re.findall(r'\{alertname="(\w+)", side="([\w-]+)"\} ([\d.E+]+)', text)
    assert bool(found) == bool(result.returncode), text
    return {(alert, side): float(at) for alert, side, at in found}


def slow_log(service: Service, seconds: float) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return an action that slows each opening of the prediction log, and one that ends it.

    strace injects the delay into the system call; the service is unchanged.
    """
    stack = contextlib.ExitStack()

    def slow() -> None:
        assert service.process
        own = Path(f"/proc/{service.process.pid}")
        (log,) = service.log.iterdir()
        delay = f"inject=openat:delay_enter={1000 * seconds:.0f}ms"
        command = ["strace", "-f", "-p", own.name, "-P", str(log), "-e", delay, "-o", "/dev/null"]
        strace = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        stack.callback(strace.wait)
        stack.callback(strace.terminate)
        wait_for(lambda: all(map(_traced, own.glob("task/*/status"))))

    return slow, stack.close


def _traced(thread: Path) -> bool:
    return "\nTracerPid:\t0\n" not in thread.read_text("utf-8")
