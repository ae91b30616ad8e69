"""Bad candidates: the expected gate refuses each one and names the side that has to act.

All of them are really registered, loaded without the project, served, and offered for promotion;
candidates.toml describes the defect of each.
"""

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.baton import Workshop, commit
from tests.project import PIPELINE, Project, registered, state
from tests.slices import sampled

Candidate: TypeAlias = dict[str, Any]

HERE = Path(__file__).parent
LISTED = HERE / "candidates.toml"
CANDIDATES: list[Candidate] = tomllib.loads(LISTED.read_text(encoding="utf-8"))["candidate"]
BAD = [candidate for candidate in CANDIDATES if candidate["blocked_by"]]
TRIED = sampled("candidates", BAD, 7)
GOOD = [candidate for candidate in CANDIDATES if not candidate["blocked_by"]]

BY_RUNS = (
    *("formatted", "linted", "typed", "layers-kept", "api-current", "contracts-owned"),
    *("contract-tests", "tests-pass", "unit-tests", "acceptance-passed"),
    *("data-validated", "pipeline-current"),
)
"""Practices whose evidence is a run of the checks, which these tests don't repeat."""

pytestmark = pytest.mark.timeout(1800)  # the first of them waits for all candidates


@pytest.fixture(scope="module")
def offered(workshop: Workshop, environment: Path) -> dict[str, Any]:
    """Return the result of each candidate, computed once for all workers."""

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
            *map(str, (HERE / "inside/offer.py", LISTED, project.folder, result_file(folder))),
            *(candidate["name"] for candidate in [*TRIED, *GOOD]),
        )

    results: dict[str, Any] = json.loads(result_file(workshop.once("offered", make)).read_text())
    return results


def result_file(folder: Path) -> Path:
    return folder / "offered.json"


def blocking_gates(findings: list[dict[str, Any]], *, waiting: bool) -> dict[str, tuple[str, str]]:
    """Return side and reason of each blocking gate that waits for other gates, or does not."""
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
    blocking = blocking_gates(found["findings"], waiting=False)
    assert {gate: side for gate, (side, _) in blocking.items()} == {
        gate: side for gate, (side, _) in candidate["blocked_by"].items()
    }
    for gate, (_, reason) in candidate["blocked_by"].items():
        assert reason in blocking[gate][1]
    waiting = blocking_gates(found["findings"], waiting=True)
    assert list(waiting) == candidate.get("waiting", [])
    assert {side for side, _ in waiting.values()} <= {side for side, _ in blocking.values()}
    assert (found["moved"], found["champion"]) == (None, 1)


@pytest.mark.parametrize("candidate", GOOD, ids=lambda candidate: candidate["name"])
def test_a_good_candidate_becomes_champion(candidate: Candidate, offered: dict[str, Any]) -> None:
    found = offered[candidate["name"]]
    assert "error" not in found, found["error"]
    assert [f["message"] for f in found["findings"] if not f["met"]] == []
    assert (found["moved"]["before"], found["moved"]["to"]) == (1, found["version"])
    assert found["champion"] == found["version"]


def test_every_gate_refuses_a_candidate(offered: dict[str, Any]) -> None:
    gates = {f["check"].removeprefix("gate-") for f in offered[GOOD[0]["name"]]["findings"]}
    # test_nothing_trusted tries the gate that judges whether there is anything to try.
    assert gates - {"integrity"} == {gate for candidate in BAD for gate in candidate["blocked_by"]}
