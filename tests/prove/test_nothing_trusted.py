"""Nothing of a version is trusted: its pickle gets no secret, and what was changed is not run.

Every case is a real version of a copied project, offered for staging by `inside/tamper.py`.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.baton import Workshop
from tests.project import own_copy

HERE = Path(__file__).parent
TAMPERED = {
    "truth": "evaluation/outcomes.parquet is not the file that was registered",
    "code": "model/code/flight_delays/features/calendar.py is not the file that was registered",
    "added": "model/code/joblib.py was added after the registration",
    "cached": "calendar.cpython-311.pyc was added after the registration",
    "model": "the tag handoff.model is not the registered one",
    "contracts": "lineage.json is not the file that was registered",
    "commit": "the tag handoff.commit is not the registered one",
    "consistent code": "src/flight_delays/features/calendar.py is not that of commit ",
    "lock": "requirements.txt is not that of commit ",
}
"""The reason of the gate `integrity` for each kind of tampering."""

REFUSED = {
    "manifest": "manifest.json of version 1 of flight-delays is not the file that was registered: ",
    "foreign": "Version 2 of flight-delays was not made by `uv run poe register`, ",
}
"""The sentence about a version that can't be judged at all."""

GOOD = ["untouched", "stolen", "stolen openly"]
pytestmark = pytest.mark.timeout(1200)  # the first of them waits for all cases


@pytest.fixture(scope="module")
def offered(workshop: Workshop, environment: Path) -> dict[str, Any]:
    """Return the result of each case, computed once for all workers."""

    def make(folder: Path) -> None:
        project = own_copy(workshop, environment, folder)
        script = str(HERE / "inside/tamper.py")
        # The first builds the environment that the last ones use.
        cases = [GOOD[0], *TAMPERED, *REFUSED, *GOOD[1:]]
        project("python", script, str(project.folder), str(folder / "offered.json"), *cases)

    found: dict[str, Any] = json.loads((workshop.once("trust", make) / "offered.json").read_text())
    return found


def unmet(found: dict[str, Any]) -> dict[str, str]:
    """Return the message of each gate for staging that does not pass."""
    gates = ("integrity", "environment", "load", "code", "contracts", "rows", "parity")
    messages = {one["check"].removeprefix("gate-"): one for one in found["findings"]}
    return {gate: messages[gate]["message"] for gate in gates if not messages[gate]["met"]}


@pytest.mark.parametrize("case", GOOD)
def test_a_version_that_was_not_changed_is_tried(case: str, offered: dict[str, Any]) -> None:
    assert unmet(offered[case]) == {}
    assert offered[case]["fetched"] == ""


@pytest.mark.parametrize("case", TAMPERED)
def test_a_changed_version_is_not_run(case: str, offered: dict[str, Any]) -> None:
    messages = unmet(offered[case])
    assert TAMPERED[case] in messages.pop("integrity")
    assert all("before the gate `integrity` passes" in message for message in messages.values())


@pytest.mark.parametrize("case", REFUSED)
def test_a_version_that_can_not_be_judged_is_one_sentence(
    case: str, offered: dict[str, Any]
) -> None:
    assert offered[case]["error"].startswith(REFUSED[case])


def test_a_changed_model_is_not_fetched(offered: dict[str, Any]) -> None:
    assert "is not the registered one" in offered["model"]["fetched"]


def test_a_model_that_runs_a_shell_gets_no_secret(offered: dict[str, Any]) -> None:
    """It still predicts, so all gates pass; without namespaces it reaches files and network."""
    found = offered["stolen"]
    (load,) = (one for one in found["findings"] if one["check"] == "gate-load")
    if "allows no namespaces" not in load["evidence"][0]:
        assert found["stolen"] == ""
    openly = offered["stolen openly"]["stolen"]
    assert "PATH=" in openly
    for secret in ("ghp-secret", "mlflow-secret"):
        assert secret not in found["stolen"] + openly
