"""The editor reports a contract violation while it is typed, and mypy reports the same.

Pylance, VS Code's Python checker, is closed source; basedpyright, built from the same source,
replaces it and reads the same pyrightconfig.json.
"""

import asyncio
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.baton import Workshop, run
from tests.editor import editor
from tests.environment import inside

pytestmark = pytest.mark.slow

Place = tuple[str, int]
"""A file and a line."""

SOURCE = Path("src/flight_delays")


@dataclass(frozen=True)
class Violation:
    """An edit that violates a contract.

    Attributes:
        file: The edited file.
        before: The replaced text; empty to append to the file.
        after: The new text.
        line: A text on the line with the error.
        elsewhere: The file with the error, if it is another one.
    """

    file: str
    before: str
    after: str
    line: str
    elsewhere: str | None = None

    def typed(self, text: str) -> str:
        """Return the file's text with the violation."""
        if not self.before:
            return text + self.after
        assert text.count(self.before) == 1
        return text.replace(self.before, self.after)

    def place(self, project: Path) -> Place:
        """Return the expected place of the error after the edit."""
        file = self.elsewhere or self.file
        lines = (project / SOURCE / file).read_text(encoding="utf-8").splitlines()
        (number,) = (number for number, line in enumerate(lines, 1) if self.line in line)
        return str(SOURCE / file), number


OTHER_TABLES = Violation(
    "training/features.py",
    "build_features(\n        scheduled,",
    "build_features(\n        flights,",
    line="        flights,",
)
OTHER_MODEL_CONTRACT = Violation(
    "contracts/model.py",
    "-> DataFrame[DelayPrediction]:",
    "-> DataFrame[ScheduledFlight]:",
    line="def predict(",
    elsewhere="model/delay_model.py",
)


def six(engine: str) -> dict[str, Violation]:
    """Return six contract violations that static analysis finds."""
    return {
        "features are computed from other tables": OTHER_TABLES,
        "features become another contract's table": Violation(
            "features/build.py",
            "validated(table.to_native(), Features)",
            "validated(table.to_native(), Airports)",
            line="return validated(",
        ),
        "the model contract promises what the model does not give": OTHER_MODEL_CONTRACT,
        "a table goes where a checked one is wanted": Violation(
            "training/split.py",
            "",
            f"\n\nimport {engine}\n\n\n"
            f"def late(unread: {engine}.DataFrame) -> DataFrame[Features]:\n    return unread\n",
            line="return unread",
        ),
        "the service asks for what the model contract does not promise": Violation(
            "serving/app.py",
            "",
            "\n\nfrom ..contracts import DelayModel\n\n\n"
            "def why(model: DelayModel) -> object:\n    return model.explain()\n",
            line="model.explain()",
        ),
        "an answer of the API gets a value of another type": Violation(
            "serving/batch.py",
            "",
            "\n\nfrom ..contracts.api import DelayPredictionRow\n\n"
            'NEVER = DelayPredictionRow(late_probability="never")\n',
            line="NEVER",
        ),
    }


PANDAS = pytest.mark.parametrize("engine", ["pandas"], indirect=True)


@pytest.fixture(params=["pandas", "polars"])
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def project(workshop: Workshop, tmp_path: Path, engine: str) -> Path:
    """Return a separate flights project for this test."""
    made = workshop.project({"dataframe": engine})
    return shutil.copytree(made, tmp_path / "project")


@pytest.fixture
def broken(project: Path, engine: str) -> set[Place]:
    """Violate the project's contracts in all six ways; return the expected places."""
    violations = six(engine).values()
    for violation in violations:
        file = project / SOURCE / violation.file
        file.write_text(violation.typed(file.read_text(encoding="utf-8")), encoding="utf-8")
    return {violation.place(project) for violation in violations}


@pytest.mark.parametrize("starter", ["flights", "blank"])
def test_a_new_project_has_no_errors(
    workshop: Workshop, environment: Path, starter: str, engine: str
) -> None:
    project = workshop.project({"starter": starter, "dataframe": engine})
    result = by_pyright(project, environment)
    assert result["summary"]["filesAnalyzed"] > 20
    assert result["generalDiagnostics"] == []


def test_the_editor_reports_six_violations(
    environment: Path, project: Path, broken: set[Place]
) -> None:
    found = {
        (within(project, problem["file"]), problem["range"]["start"]["line"] + 1)
        for problem in by_pyright(project, environment)["generalDiagnostics"]
    }
    assert found == broken


def test_mypy_reports_six_violations(
    environment: Path, project: Path, broken: set[Place], types_cache: Path
) -> None:
    assert by_mypy(project, environment, types_cache, "standards/mypy.ini") == broken


@PANDAS
def test_without_the_stubs_of_pandas_a_wrong_table_is_accepted(
    environment: Path, project: Path, broken: set[Place], tmp_path: Path
) -> None:
    """The reason for the stubs in the lock; if this fails, they are no longer needed."""
    assert list(environment.glob("lib/*/site-packages/pandas-stubs/py.typed"))
    config = (project / "standards/mypy.ini").read_text(encoding="utf-8")
    without = "\n[mypy-pandas.*]\nfollow_imports = skip\nfollow_imports_for_stubs = True\n"
    (project / "without.ini").write_text(config + without, encoding="utf-8")
    found = by_mypy(project, environment, tmp_path / "cache", "without.ini")
    assert OTHER_TABLES.place(project) in broken - found


@PANDAS
def test_the_editor_reports_a_violation_while_it_is_typed(environment: Path, project: Path) -> None:
    path = str(SOURCE / OTHER_TABLES.file)

    async def session() -> None:
        async with editor(project, environment / "bin/python") as window:
            text = window.open(path)
            broken = OTHER_TABLES.typed(text)
            window.type(path, broken)
            (problem,) = await window.wait_for_diagnostics(path, problem=True)
            assert OTHER_TABLES.line in broken.splitlines()[problem.range.start.line]
            assert '"DataFrame[Flights]" is not assignable to' in problem.message
            assert '"DataFrame[ScheduledFlight]"' in problem.message
            window.type(path, text)
            await window.wait_for_diagnostics(path, problem=False)

    asyncio.run(session())


@PANDAS
def test_the_editor_reports_a_changed_contract_in_the_file_that_it_breaks(
    environment: Path, project: Path
) -> None:
    path, elsewhere = str(SOURCE / "contracts/model.py"), str(SOURCE / "model/delay_model.py")

    async def session() -> None:
        async with editor(project, environment / "bin/python") as window:
            window.type(path, OTHER_MODEL_CONTRACT.typed(window.open(path)))
            (problem,) = await window.wait_for_diagnostics(elsewhere, problem=True)
            assert 'Method "predict" overrides class "DelayModel"' in problem.message

    asyncio.run(session())


def by_pyright(project: Path, environment: Path) -> dict[str, Any]:
    """Return the errors that the editor's checker reports for the whole project."""
    python = str(environment / "bin/python")
    command = ["basedpyright", "--outputjson", "--pythonpath", python]
    result = run(command, project, check=False, env=inside(environment, project))
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def by_mypy(project: Path, environment: Path, cache: Path, config: str) -> set[Place]:
    """Return the places where mypy reports an error."""
    env = inside(environment, project) | {"MYPY_CACHE_DIR": str(cache)}
    output = run(["mypy", "--config-file", config], project, check=False, env=env).stdout
    errors = re.findall(r"^(.+?):(\d+): error: ", output, re.MULTILINE)
    return {(within(project, file), int(line)) for file, line in errors}


def within(project: Path, file: str) -> str:
    """Return a file's path relative to the project."""
    return (project / file).relative_to(project).as_posix()
