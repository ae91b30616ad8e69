"""Candidates that are bad on purpose: each is refused for its own reason, and the right side asked.

All of them are really registered, tried by a stranger and through the running service, and offered
for promotion; candidates.toml says what is bad about each.
"""

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.baton import Workshop, commit
from tests.project import PIPELINE, Project, registered, state
from tests.slices import chosen

Candidate: TypeAlias = dict[str, Any]

HERE = Path(__file__).parent
LISTED = HERE / "candidates.toml"
CANDIDATES: list[Candidate] = tomllib.loads(LISTED.read_text(encoding="utf-8"))["candidate"]
BAD = [candidate for candidate in CANDIDATES if candidate["red"]]
TRIED = chosen("candidates", BAD, 7)
GOOD = [candidate for candidate in CANDIDATES if not candidate["red"]]

BY_RUNS = (
    *("formatted", "linted", "typed", "layers-kept", "api-current", "contracts-owned"),
    *("contract-tests", "tests-pass", "unit-tests", "acceptance-passed"),
    *("data-validated", "pipeline-current"),
)
"""Practices that a run shows: nobody runs everything again for each candidate."""

pytestmark = pytest.mark.timeout(1800)  # the first of them waits for all candidates


@pytest.fixture(scope="module")
def offered(workshop: Workshop, environment: Path) -> dict[str, Any]:
    """What came of each candidate, once for all workers."""

    def make(folder: Path) -> None:
        trained = registered(workshop, environment, "pandas").folder
        project = Project(
            shutil.copytree(trained, folder / "champions", symlinks=True), environment
        )
        project.env |= PIPELINE
        state(project.folder, *(f"practice {name}" for name in BY_RUNS))
        commit(project.folder, "trained")
        project("handoff", "model", "promote", "1", "--why", "the first")
        project(
            "python",
            *map(str, (HERE / "inside/offer.py", LISTED, project.folder, told(folder))),
            *(candidate["name"] for candidate in [*TRIED, *GOOD]),
        )

    told_by_all: dict[str, Any] = json.loads(told(workshop.once("offered", make)).read_text())
    return told_by_all


def told(folder: Path) -> Path:
    return folder / "offered.json"


def refusing(findings: list[dict[str, Any]], *, waiting: bool) -> dict[str, tuple[str, str]]:
    """The gates that block, whose turn it is and why; those that wait for others, or those not."""
    return {
        finding["check"].removeprefix("gate-"): (finding["side"], finding["message"])
        for finding in findings
        if finding["blocks"] and ("can't be judged before" in finding["message"]) is waiting
    }


@pytest.mark.parametrize("candidate", TRIED, ids=lambda candidate: candidate["name"])
def test_a_bad_candidate_is_refused_for_its_own_reason(
    candidate: Candidate, offered: dict[str, Any]
) -> None:
    found = offered[candidate["name"]]
    assert "error" not in found, found["error"]
    red = refusing(found["findings"], waiting=False)
    assert {gate: side for gate, (side, _) in red.items()} == {
        gate: side for gate, (side, _) in candidate["red"].items()
    }
    for gate, (_, reason) in candidate["red"].items():
        assert reason in red[gate][1]
    waiting = refusing(found["findings"], waiting=True)
    assert list(waiting) == candidate.get("waiting", [])
    assert {side for side, _ in waiting.values()} <= {side for side, _ in red.values()}
    assert (found["moved"], found["champion"]) == (None, 1)


@pytest.mark.parametrize("candidate", GOOD, ids=lambda candidate: candidate["name"])
def test_a_good_candidate_becomes_champion(candidate: Candidate, offered: dict[str, Any]) -> None:
    found = offered[candidate["name"]]
    assert "error" not in found, found["error"]
    assert [f["message"] for f in found["findings"] if not f["met"]] == []
    assert (found["moved"]["before"], found["moved"]["to"]) == (1, found["version"])
    assert found["champion"] == found["version"]


def test_every_gate_refuses_a_candidate(offered: dict[str, Any]) -> None:
    asked = {f["check"].removeprefix("gate-") for f in offered[GOOD[0]["name"]]["findings"]}
    assert asked == {gate for candidate in BAD for gate in candidate["red"]}
