"""Alerts, dashboard and handbook fit the metrics of the service."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

from baton_handoff.config.sides import AXES
from trip_service import ask

STANDARDS = Path(__file__).parents[3] / "template" / "standards"
FOLDER = STANDARDS / "observability"
PAGE = STANDARDS / "handbook/when-something-breaks.md"
RULES = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in RULES)
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    yield from (name["query"]["query"] for name in DASHBOARD["templating"]["list"][1:])


def names(text: str) -> set[str]:
    return set(re.findall(r"\b(?:handoff|process)_\w+", text))


def test_alerts_and_dashboard_use_only_metrics_of_the_service(
    client: TestClient,
) -> None:
    ask(client)
    lines = client.get("/metrics").text.splitlines()
    known = {re.split(r"[ {]", line)[0] for line in lines if not line.startswith("#")}
    # Of this one the trips have none: what they predict is a number. The other is the monitor's.
    known |= {"handoff_predicted_class_total", "handoff_monitor_alerts"}
    named = set().union(*map(names, expressions()))
    assert len(named) > 10
    assert named <= known


def test_the_dashboard_shows_every_metric_of_the_service(client: TestClient) -> None:
    described = re.findall(r"(?m)^# TYPE (handoff_\w+)", client.get("/metrics").text)
    shown = " ".join(expressions())
    assert [
        name
        for name in described
        if not name.endswith("_created") and not re.search(rf"\b{name}(_bucket)?\b", shown)
    ] == []


def headings() -> dict[str, str]:
    """Which side each alert is for, by the anchor of its heading in the handbook."""
    _, _, alerts = PAGE.read_text(encoding="utf-8").partition("\n## If an alert is raised\n")
    return {
        re.sub(r"\W+", "-", heading.lower()): side
        for heading, side in re.findall(r"(?m)^### (.+)\n\n\*\*(?:The )?([^*]+)\*\*", alerts)
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_every_alert_names_the_side_and_links_to_its_heading(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert page == "{{ $externalLabels.docs }}/standards/handbook/when-something-breaks.html"
    assert headings()[anchor].lower().replace(" ", "-") == rule["labels"]["side"]
    assert rule["labels"]["side"] in AXES


def test_every_heading_about_an_alert_has_its_alert() -> None:
    assert len(headings()) == len(RULES)


def test_alerts_and_dashboard_use_the_name_of_the_scraped_job() -> None:
    page = (STANDARDS / "handbook/watch-it.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.+?)```", page, re.DOTALL)
    example = yaml.safe_load(block)
    (job,) = example["scrape_configs"]
    for rule in RULES:
        # The monitor's metrics are exported by node_exporter, whose job has any name.
        jobs = set() if "handoff_monitor_" in rule["expr"] else {job["job_name"]}
        assert set(re.findall(r'job="(\w+)"', rule["expr"])) == jobs
    (first, *_) = DASHBOARD["templating"]["list"][1:]
    assert first["name"] == "job"
