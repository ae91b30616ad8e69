"""Contracts change in one project and are shared with another, end to end."""

import json
import shutil
from pathlib import Path

import pytest

from tests.baton import Workshop, commit, git, run
from tests.environment import inside

CALLER = """
from flight_delays_contracts import DelayPrediction
import pandas as pd
from pandera.errors import SchemaError

DelayPrediction.validate(pd.DataFrame({"late_probability": [0.5]}))
try:
    DelayPrediction.validate(pd.DataFrame({"late_probability": [1.5]}))
except SchemaError:
    print("refused")
"""


@pytest.mark.long
def test_a_second_repository_uses_the_contracts(
    workshop: Workshop, environment: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    shutil.copytree(workshop.project({}), project)
    git(project, "init", "--quiet")
    env = inside(environment, project)
    run(["handoff", "contract", "wheel"], project, env=env)
    (wheel,) = (project / "dist").glob("*.whl")

    other = tmp_path / "other"
    run(["uv", "venv", "--quiet", other], tmp_path)
    python = other / "bin" / "python"
    run(["uv", "pip", "install", "--quiet", "--python", python, wheel], tmp_path)
    assert run([python, "-c", CALLER], tmp_path).stdout == "refused\n"

    unchanged = run(["handoff", "contract", "diff", "--base", wheel], project, env=env)
    assert unchanged.stdout == f"The contracts have not changed since {wheel}.\n"
    contracts = project / "src" / "flight_delays" / "contracts" / "data.py"
    text = contracts.read_text(encoding="utf-8")
    contracts.write_text(text.replace("ge=0, le=1, desc", "ge=0, lt=1, desc"), encoding="utf-8")
    tightened = run(["handoff", "contract", "diff", "--base", wheel], project, check=False, env=env)
    assert tightened.returncode == 1
    assert "DelayPrediction.late_probability: largest value 1 → less than 1" in tightened.stdout
    assert "late_probability = 1" in tightened.stdout


@pytest.mark.long
def test_a_derived_feature_takes_a_few_lines_and_needs_no_approval(
    workshop: Workshop, environment: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    shutil.copytree(workshop.project({}), project)
    commit(project, "as it was")
    source = project / "src" / "flight_delays"
    before = "    temperature_f: float = "
    inner = source / "contracts" / "data.py"
    head, features, rest = _cut(inner.read_text(encoding="utf-8"), "class Features")
    features = features.replace(before, f"    weekend: bool\n{before}", 1)
    features = features.replace(
        '"version": "1.0.0"', '"version": "1.1.0"', 2
    )  # also LabelledFlight
    inner.write_text(head + features + rest, encoding="utf-8")
    calendar = source / "features" / "calendar.py"
    text = calendar.read_text(encoding="utf-8")
    last = '        "weekday": (days + 3) % 7 + 1,\n'
    assert last in text
    new = '        "weekend": (days + 3) % 7 >= 5,\n'
    calendar.write_text(text.replace(last, last + new), encoding="utf-8")

    env = inside(environment, project)
    result = run(["handoff", "contract", "diff", "--format", "json"], project, env=env)
    findings = json.loads(result.stdout)
    assert {finding["message"] for finding in findings} == {
        "Features.weekend: new column",
        "LabelledFlight.weekend: new column",
    }
    assert [finding["side"] for finding in findings] == [None, None]
    # Features, model and service, on the golden rows.
    run(["pytest", "-q", "-p", "no:cacheprovider", "tests"], project, env=env)
    run(["mypy", "--config-file", "standards/mypy.ini"], project, env=env)
    changed = git(project, "diff", "--numstat").split()
    assert sum(int(lines) for lines in changed if lines.isdigit()) < 15


def _cut(text: str, at: str) -> tuple[str, str, str]:
    """Split a text into the part before a class, the class with the next one, and the rest."""
    head, _, tail = text.partition(at)
    first, second, rest = tail.partition("class DelayPrediction")
    return head, at + first, second + rest
