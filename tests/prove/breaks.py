"""Breaking changes, and the findings that triage must report: causes, addressees, blocked sides."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.baton import git, run

ADA, MAX = "ada@example.com", "max@example.com"
DS, ML = "data-science", "ml-engineering"
SRC = "src/flight_delays"


@dataclass
class Work:
    """A project's repository that a scenario changes."""

    project: Path
    env: dict[str, str]

    def change(self, path: str, old: str, new: str) -> None:
        file = self.project / path
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{path} has no {old!r}"
        file.write_text(text.replace(old, new), encoding="utf-8")

    def add(self, path: str, text: str) -> None:
        file = self.project / path
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        file.write_text(before + text, encoding="utf-8")

    def commit(self, author: str) -> None:
        git(self.project, "add", "--all")
        author_option = ["-c", f"user.email={author}"]
        git(self.project, *author_option, "commit", "--quiet", "--no-verify", "--message", "work")

    def triage(self, *more: str) -> Any:
        command = ["handoff", "triage", "--base", "main", "--format", "json", *more]
        done = run(command, self.project, check=False, env=self.env)
        assert done.returncode in (0, 1), done.stderr
        return json.loads(done.stdout), done.returncode


def serving(work: Work, author: str = MAX) -> None:
    work.change(
        f"{SRC}/serving/app.py",
        "loaded, ScheduledFlight, DelayPrediction,",
        "loaded, DelayPrediction, ScheduledFlight,",
    )
    work.commit(author)


def model(work: Work, author: str = ADA) -> None:
    work.change(f"{SRC}/model/delay_model.py", '"late_probability": late}', '"late": late}')
    work.commit(author)


def tightened(work: Work, author: str = ADA) -> None:
    work.change(f"{SRC}/contracts/data.py", "ge=1, le=9999", "ge=1, le=999")
    work.commit(author)


def new_required_column(work: Work) -> None:
    work.change(
        f"{SRC}/contracts/data.py",
        '    carrier: str = Field(isin=CARRIERS, description="the airline',
        '    mood: str\n    carrier: str = Field(isin=CARRIERS, description="the airline',
    )
    work.commit(MAX)


def broken_by_both(work: Work) -> None:
    serving(work)
    work.change(f"{SRC}/features/calendar.py", "(days + 3) % 7 + 1", "(days + 3) % 7 + 8")
    work.commit(ADA)


def documented(work: Work) -> None:
    work.add("README.md", "\nMore to read.\n")
    work.commit(ADA)


def data_drift(work: Work) -> None:
    file = work.project / "tests/golden/sources.json"
    rows = json.loads(file.read_text(encoding="utf-8"))
    rows["Weather"][0]["humid"] = 140.0
    file.write_text(json.dumps(rows), encoding="utf-8")
    work.commit("feed@example.com")


def widened(work: Work) -> None:
    """ML engineering makes distances nullable and sends a null; the features can't handle it."""
    work.change(
        f"{SRC}/contracts/data.py",
        "distance_mi: float = Field(gt=0, le=5000)\n    scheduled",
        "distance_mi: float = Field(nullable=True, gt=0, le=5000)\n    scheduled",
    )
    work.add(
        "tests/contract/test_ml_engineering.py",
        """

def test_a_distance_may_be_unknown(model: DelayModel, rows: list[Row]) -> None:
    from datetime import datetime

    from baton_handoff.contracts import from_rows

    moments = ("scheduled_departure", "weather_observed_at")
    known = [r | {m: datetime.fromisoformat(r[m]) for m in moments} for r in rows]
    table = from_rows(ScheduledFlight, [row | {"distance_mi": None} for row in known])
    contracted = ContractedModel(model, ScheduledFlight, DelayPrediction)
    assert len(contracted.predict(table)) == len(rows)
""",
    )
    work.commit(MAX)


def conflicting_rename(work: Work) -> None:
    """One side renames a function that the other starts to use at the same time."""
    for path in (f"{SRC}/features/__init__.py", f"{SRC}/features/schedule.py"):
        work.change(path, "scheduled_flights", "schedule_flights")
    for path in (f"{SRC}/training/features.py", "tests/conftest.py"):
        work.change(path, "scheduled_flights", "schedule_flights")
    work.commit(ADA)
    work.add(
        "tests/contract/test_ml_engineering.py",
        """

def test_the_features_can_be_had() -> None:
    from flight_delays.features import scheduled_flights

    assert scheduled_flights
""",
    )
    work.commit(MAX)


def renamed_module(work: Work) -> None:
    rename(work, "src/**/*.py", "tests/**/*.py")


def forgotten_test(work: Work) -> None:
    """The same, but a shared test still uses the old name."""
    rename(work, "src/**/*.py", "tests/conftest.py")


def rename(work: Work, *users: str) -> None:
    git(work.project, "mv", f"{SRC}/model/estimator.py", f"{SRC}/model/trees.py")
    for file in [file for pattern in users for file in work.project.glob(pattern)]:
        text = file.read_text(encoding="utf-8").replace("model.estimator", "model.trees")
        file.write_text(text.replace(".estimator import", ".trees import"), encoding="utf-8")
    work.commit(ADA)


def moved_code(work: Work) -> None:
    file = work.project / SRC / "features/calendar.py"
    (file.with_name("clock.py")).write_bytes(file.read_bytes())
    lines = ['"""Moved."""', "from .clock import TIME_ZONE, features, local_departures"]
    lines.append('__all__ = ["TIME_ZONE", "features", "local_departures"]')
    file.write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    work.commit(ADA)


def touched_by_both(work: Work) -> None:
    tightened(work)
    work.change(f"{SRC}/contracts/data.py", "gt=0, le=5000", "gt=0, le=500")
    work.commit(MAX)


def flaky(work: Work) -> None:
    marker = work.project.parent / "marker"
    work.add(
        "tests/contract/test_ml_engineering.py",
        f"""

def test_sometimes() -> None:
    marker = Path({str(marker)!r})
    known = marker.exists()
    marker.touch()
    assert known
""",
    )
    work.commit(MAX)


def changed_dependency(work: Work) -> None:
    work.change(
        "pyproject.toml",
        "[tool.pytest.ini_options]\n",
        '[tool.pytest.ini_options]\nrequired_plugins = ["pytest-that-nobody-installed"]\n',
    )
    work.commit(MAX)


def wrong_type(work: Work) -> None:
    work.change(f"{SRC}/serving/batch.py", ", to)\n", ", str(to))\n")
    work.commit(MAX)


def crossed_layer(work: Work) -> None:
    work.add(f"{SRC}/features/calendar.py", "\nfrom ..serving import app as _app  # noqa\n")
    work.commit(ADA)


def crossed_layer_by_package(work: Work) -> None:
    work.add(f"{SRC}/features/__init__.py", "\nfrom ..serving import app as _app  # noqa\n")
    work.commit(ADA)


def failing_test_in_a_class(work: Work) -> None:
    work.add(
        "tests/contract/test_ml_engineering.py",
        """

class TestAnswers:
    def test_an_answer(self, client: TestClient) -> None:
        assert client.get("/nowhere").status_code == 200
""",
    )
    work.commit("stranger@example.com")


def changed_standards(work: Work) -> None:
    work.change(
        "standards/mypy.ini", "strict = True", "strict = True\ndisallow_any_explicit = True"
    )
    work.commit("platform@example.com")


def inherited_import_error(work: Work) -> None:
    """The main branch can't be imported; the other side edits a docstring on a branch."""
    git(work.project, "switch", "--quiet", "main")
    work.change(f"{SRC}/features/build.py", "from .static import", "from .statics import")
    work.commit(ADA)
    git(work.project, "switch", "--quiet", "-C", "work")
    work.change(f"{SRC}/serving/batch.py", '"""Batch', '"""Now batch')
    work.commit(MAX)


def broken_in_the_other_sides_folder(work: Work) -> None:
    """An engineer breaks a feature; a data scientist edits a docstring in the same room."""
    work.change(f"{SRC}/features/calendar.py", "(days + 3) % 7 + 1", "(days + 3) % 7 + 8")
    work.commit(MAX)
    work.add(f"{SRC}/model/estimator.py", '\n"""The end."""\n')
    work.commit(ADA)


def wrong_type_in_a_test(work: Work) -> None:
    work.add("tests/contract/test_ml_engineering.py", '\nBAD: int = "text"\n')
    work.commit(MAX)


def deleted_tests(work: Work) -> None:
    git(work.project, "rm", "--quiet", "tests/contract/test_ml_engineering.py")
    work.commit(ADA)


def exit_at_import(work: Work) -> None:
    work.add(f"{SRC}/features/calendar.py", "\nimport os\n\nos._exit(3)\n")
    work.commit(ADA)


@dataclass(frozen=True)
class Expected:
    """The expected findings of triage: causes with their addressees, and the blocked sides."""

    found: set[tuple[str, str | None]] = field(default_factory=set)
    blocked: set[str] = field(default_factory=set)


SCENARIOS: dict[str, tuple[Callable[[Work], None], Expected]] = {
    "serving breaks": (serving, Expected({("change", ML)}, {ML})),
    "the model breaks": (model, Expected({("change", DS)}, {DS})),
    "a contract is tightened": (tightened, Expected({("contract-change", DS)}, {DS})),
    "a contract asks for a column": (
        new_required_column,
        Expected({("contract-change", ML)}, {ML}),
    ),
    "a contract is widened": (widened, Expected({("contract-change", ML)}, {ML})),
    "both sides break": (broken_by_both, Expected({("change", ML), ("change", DS)}, {DS, ML})),
    "nothing but words": (documented, Expected()),
    "data drifts": (data_drift, Expected({("change", "data-owner")}, set())),
    "two innocent changes meet": (conflicting_rename, Expected({("interaction", None)}, {DS, ML})),
    "a module is renamed": (renamed_module, Expected()),
    "a test knows only the old name": (
        forgotten_test,
        Expected({("interaction", DS), ("change", DS)}, {DS}),
    ),
    "code is only moved": (moved_code, Expected()),
    "both touch the contracts": (
        touched_by_both,
        # The first of the two commits breaks the test; the other one shows once that is corrected.
        Expected({("contract-change", DS)}, {DS}),
    ),
    "a flaky test": (flaky, Expected({("flaky", ML)}, set())),
    "a dependency": (changed_dependency, Expected({("change", ML)}, {ML})),
    "a wrong type": (wrong_type, Expected({("change", ML)}, {ML})),
    "a layer is crossed": (crossed_layer, Expected({("change", DS)}, {DS})),
    "a layer is crossed by a package": (crossed_layer_by_package, Expected({("change", DS)}, {DS})),
    "a test in a class": (failing_test_in_a_class, Expected({("change", ML)}, {ML})),
    "an older import error": (inherited_import_error, Expected({("inherited", DS)}, set())),
    "a break in the other side's folder": (
        broken_in_the_other_sides_folder,
        Expected({("change", ML)}, {ML}),
    ),
    "a wrong type in a test": (wrong_type_in_a_test, Expected({("change", ML)}, {ML})),
    "contract tests are deleted": (deleted_tests, Expected({("deleted-test", ML)}, set())),
    "a module ends the process": (exit_at_import, Expected({("change", DS)}, {DS})),
    "the standards": (changed_standards, Expected({("change", "platform")}, set())),
}
