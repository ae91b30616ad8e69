"""The contracts as a wheel: a second repository uses them, and the first is held to them."""

import shutil
from pathlib import Path

import pytest

from tests.baton import Workshop, git, run
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


@pytest.mark.slow
def test_a_second_repository_uses_the_contracts(
    workshop: Workshop, environment: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    shutil.copytree(workshop.project({}), project)
    git(project, "init", "--quiet")
    env = inside(environment, project)
    run(["handoff", "build-contracts"], project, env=env)
    (wheel,) = (project / "dist").glob("*.whl")

    other = tmp_path / "other"
    run(["uv", "venv", "--quiet", other], tmp_path)
    python = other / "bin" / "python"
    run(["uv", "pip", "install", "--quiet", "--python", python, wheel], tmp_path)
    assert run([python, "-c", CALLER], tmp_path).stdout == "refused\n"

    unchanged = run(["handoff", "diff", "--base", wheel], project, env=env)
    assert unchanged.stdout == "The contracts are what they were.\n"
    contracts = project / "src" / "flight_delays" / "contracts" / "data.py"
    text = contracts.read_text(encoding="utf-8")
    contracts.write_text(text.replace("ge=0, le=1, desc", "ge=0, lt=1, desc"), encoding="utf-8")
    tightened = run(["handoff", "diff", "--base", wheel], project, check=False, env=env)
    assert tightened.returncode == 1
    assert "DelayPrediction.late_probability: largest value 1 → less than 1" in tightened.stdout
    assert "late_probability = 1" in tightened.stdout
