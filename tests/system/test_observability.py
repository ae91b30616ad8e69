"""Observe the service from outside, with Debian's Prometheus and a trace collector."""

import json
import os
import re
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.baton import ROOT, Workshop, run
from tests.project import Project, free_port, own_copy, send_request, service, wait_for

HERE = Path(__file__).parent
STANDARDS = ROOT / "template" / "standards" / "observability"
RULES = yaml.safe_load((STANDARDS / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]

(SETTINGS,) = re.findall(
    r"```yaml\n(.+?)```", (STANDARDS.parent / "handbook/watch-it.md").read_text("utf-8"), re.DOTALL
)
"""Prometheus' settings for service and alerts from the handbook."""

Span = dict[str, Any]


@dataclass(frozen=True)
class Collector:
    """A trace collector: its address, and the file of the received spans."""

    address: str
    received: Path

    @property
    def env(self) -> dict[str, str]:
        """Return the environment of a process that sends spans to it without a delay."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.address, "OTEL_BSP_SCHEDULE_DELAY": "100"}

    def spans(self) -> list[Span]:
        return [json.loads(line) for line in self.received.read_text("utf-8").splitlines()]

    def trace_with(self, name: str) -> dict[str, Span]:
        """Return the spans by name of the finished trace whose root span has this name."""
        whole = wait_for(lambda: [one for one in self.spans() if one["name"] == name])[-1]["trace"]
        return {one["name"]: one for one in self.spans() if one["trace"] == whole}


@pytest.fixture(scope="module")
def project(
    workshop: Workshop, environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """Return a project with a registered model."""
    return own_copy(workshop, environment, tmp_path_factory.mktemp("observed"))


@pytest.fixture(scope="module")
def collector(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    received, port = tmp_path_factory.mktemp("traces") / "spans", free_port()
    command = ["python", str(HERE / "inside/collector.py"), str(port)]
    with (
        received.open("w") as out,
        subprocess.Popen(command, env=os.environ | project.env, stdout=out) as process,
    ):
        yield Collector(f"http://127.0.0.1:{port}", received)
        process.terminate()


@dataclass(frozen=True)
class Served:
    """The running service: its address, its process, and its output."""

    address: str
    process: "subprocess.Popen[bytes]"
    output: Path

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def served(
    project: Project, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    output = tmp_path_factory.mktemp("service") / "log"
    with output.open("w") as log, service(project, log, **collector.env) as (address, process):
        yield Served(address, process, output)


@dataclass(frozen=True)
class Prometheus:
    """Prometheus with the template's example settings, but a scrape interval of a second."""

    address: str

    def __call__(self, path: str) -> Any:
        status, body = send_request(f"{self.address}/api/v1/{path}")
        answer = json.loads(body)
        assert (status, answer["status"]) == (200, "success"), body
        return answer["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self(
            f"query?{urllib.parse.urlencode({'query': expression})}"
        )["result"]
        return found


@pytest.fixture(scope="module")
def prometheus(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    shutil.copy(STANDARDS / "alerts.yml", folder)
    (folder / "prometheus.yml").write_text(
        SETTINGS.replace("15s", "1s").replace("localhost:8000", served.address[len("http://") :])
    )
    command = ["prometheus", f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
    with subprocess.Popen(
        [*command, "--config.file=prometheus.yml", "--storage.tsdb.path=data"], cwd=folder
    ) as process:
        prometheus = Prometheus(f"http://127.0.0.1:{port}")
        wait_for(lambda: _answers(prometheus))
        yield prometheus
        process.terminate()


def _answers(prometheus: Prometheus) -> bool:
    try:
        return send_request(f"{prometheus.address}/-/ready")[0] == 200
    except OSError:
        return False


def predict(project: Project, address: str, name: str) -> int:
    """Send a request with this name; return the status."""
    request = urllib.request.Request(  # noqa: S310
        f"{address}/predict",
        (project.folder / "tests/golden/request.json").read_bytes(),
        {"Content-Type": "application/json", "X-Request-ID": name},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        status: int = answer.status
        return status


def test_prometheus_accepts_the_alerts_and_the_handbooks_settings(tmp_path: Path) -> None:
    shutil.copy(STANDARDS / "alerts.yml", tmp_path)
    (tmp_path / "prometheus.yml").write_text(SETTINGS, encoding="utf-8")
    run(["promtool", "check", "rules", "alerts.yml"], tmp_path)
    run(["promtool", "check", "config", "prometheus.yml"], tmp_path)


def test_each_alert_fires_for_its_incident_and_none_on_a_quiet_day() -> None:
    tried = yaml.safe_load((HERE / "alerts.test.yml").read_text("utf-8"))["tests"]
    names = {one["alertname"] for test in tried for one in test.get("alert_rule_test", ())}
    assert names == {rule["alert"] for rule in RULES}
    run(["promtool", "test", "rules", "alerts.test.yml"], HERE)


def test_a_request_is_one_trace_and_its_log_line_has_the_trace_id(
    project: Project, served: Served, collector: Collector
) -> None:
    assert predict(project, served.address, "order-17") == 200
    spans = collector.trace_with("POST /predict")
    request = spans["POST /predict"]
    assert {name: _parent(span, spans) for name, span in spans.items()} == {
        "POST /predict": None,
        "validation": "POST /predict",
        "contract ScheduledFlight": "POST /predict",
        "model": "POST /predict",
        "features feature_columns": "model",
    }
    way = ["validation", "contract ScheduledFlight", "features feature_columns", "model"]
    assert [spans[name]["ended"] for name in way] == sorted(spans[name]["ended"] for name in way)
    assert all(request["began"] <= spans[name]["began"] for name in way)
    assert {span["service"] for span in spans.values()} == {"flight-delays"}
    (line,) = (line for line in served.lines() if line.get("request") == "order-17")
    assert (line["status"], line["trace_id"]) == (200, request["trace"])
    received = "".join(span["all"] for span in spans.values()) + served.output.read_text("utf-8")
    rows = json.loads((project.folder / "tests/golden/request.json").read_text("utf-8"))["rows"]
    for value in (rows[0]["tail_number"], rows[0]["scheduled_departure"]):
        assert value not in received


def _parent(span: Span, spans: dict[str, Span]) -> str | None:
    names = {one["id"]: name for name, one in spans.items()}
    return names[span["parent"]] if span["parent"] else None


def test_pipeline_stages_and_batch_parts_are_spans(
    project: Project, collector: Collector, tmp_path: Path
) -> None:
    env = project.env | collector.env
    (project.folder / "reports/sources.json").unlink()  # so that one stage must run
    run(["handoff", "pipeline"], project.folder, env=env)
    spans = collector.trace_with("pipeline")
    assert {name: _parent(span, spans) for name, span in spans.items()} == {
        "pipeline": None,
        "stage validate": "pipeline",
    }
    code = "import pandas; f = pandas.read_parquet('data/scheduled.parquet')"
    project.python(f"{code}; f.head(1000).to_parquet('{tmp_path}/flights.parquet')")
    scoring: list[str | Path] = [
        "handoff",
        "score",
        tmp_path / "flights.parquet",
        tmp_path / "scored.parquet",
    ]
    run(scoring, project.folder, env=env)
    spans = collector.trace_with("score")
    assert {name: _parent(span, spans) for name, span in spans.items()} == {
        "score": None,
        "part": "score",
        "contract ScheduledFlight": "part",
        "model": "part",
        "features build_features": "model",
    }


def test_prometheus_has_every_metric_of_alerts_and_dashboard(
    project: Project, served: Served, prometheus: Prometheus
) -> None:
    version = 'handoff_model_version{job="handoff", model="flight-delays"}'
    wait_for(lambda: prometheus.query(version))
    for number in range(10):
        assert predict(project, served.address, f"seen-{number}") == 200
    wait_for(lambda: prometheus.query('rate(handoff_rows_total{job="handoff"}[5m]) > 0'))
    for rule in RULES:
        prometheus.query(rule["expr"])
    empty = [panel for panel in panels() if not prometheus.query(panel[1])]
    # No invalid request was sent, and the delay is a number, not a class.
    assert {title for title, _ in empty} == {"Broken contracts", "Predicted classes"}
    assert not [alert for alert in prometheus("alerts")["alerts"] if alert["state"] == "firing"]


def panels() -> Iterator[tuple[str, str]]:
    """Return title and expression of each panel of the dashboard, with its variables replaced."""
    dashboard = json.loads((STANDARDS / "dashboard.json").read_text("utf-8"))
    variables = {"job": "handoff", "column": "late_probability", "__rate_interval": "5m"}
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            filled = re.sub(r"\$(\w+)", lambda name: variables[name[1]], target["expr"])
            yield panel["title"], filled


def test_an_ended_service_raises_an_alert(served: Served, prometheus: Prometheus) -> None:
    served.process.terminate()
    sides = wait_for(
        lambda: [
            alert["labels"]["side"]
            for alert in prometheus("alerts")["alerts"]
            if alert["labels"]["alertname"] == "HandoffServiceDown"
        ]
    )
    assert sides == ["ml-engineering"]
