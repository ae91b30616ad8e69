"""Breaks made on purpose: triage names who has to act, and leaves the other side in peace."""

import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.baton import Workshop, git, run
from tests.environment import inside

ADA, MAX = "ada@example.com", "max@example.com"
DS, ML = "data-science", "ml-engineering"
SRC = "src/flight_delays"


@dataclass
class Work:
    """A project's repository at the hands of a scenario."""

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
        whose = ["-c", f"user.email={author}"]
        git(self.project, *whose, "commit", "--quiet", "--no-verify", "--message", "work")

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


def wanted_column(work: Work) -> None:
    work.change(
        f"{SRC}/contracts/data.py",
        '    carrier: str = Field(isin=CARRIERS, description="the airline',
        '    mood: str\n    carrier: str = Field(isin=CARRIERS, description="the airline',
    )
    work.commit(MAX)


def both(work: Work) -> None:
    serving(work)
    work.change(f"{SRC}/features/calendar.py", "local.weekday()", "(local.weekday() + 7)")
    work.commit(ADA)


def documented(work: Work) -> None:
    work.add("README.md", "\nMore to read.\n")
    work.commit(ADA)


def drift(work: Work) -> None:
    file = work.project / "tests/golden/sources.json"
    rows = json.loads(file.read_text(encoding="utf-8"))
    rows["Weather"][0]["humid"] = 140.0
    file.write_text(json.dumps(rows), encoding="utf-8")
    work.commit("feed@example.com")


def widened(work: Work) -> None:
    """ML engineering lets distances be unknown, and sends such a flight: the features can't."""
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


def met(work: Work) -> None:
    """One side renames what the other has just begun to use; neither could have known."""
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
    """The same, but one test that both sides share still asks for the old name."""
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
    lines = ['"""Moved."""', "from .clock import TIME_ZONE, features"]
    lines.append('__all__ = ["TIME_ZONE", "features"]')
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


def dependency(work: Work) -> None:
    work.change(
        "pyproject.toml",
        "[tool.pytest.ini_options]\n",
        '[tool.pytest.ini_options]\nrequired_plugins = ["pytest-that-nobody-installed"]\n',
    )
    work.commit(MAX)


def mistyped(work: Work) -> None:
    work.change(f"{SRC}/serving/batch.py", ", to)\n", ", str(to))\n")
    work.commit(MAX)


def layer(work: Work) -> None:
    work.add(f"{SRC}/features/calendar.py", "\nfrom ..serving import app as _app  # noqa\n")
    work.commit(ADA)


def layer_of_a_package(work: Work) -> None:
    work.add(f"{SRC}/features/__init__.py", "\nfrom ..serving import app as _app  # noqa\n")
    work.commit(ADA)


def in_a_class(work: Work) -> None:
    work.add(
        "tests/contract/test_ml_engineering.py",
        """

class TestAnswers:
    def test_an_answer(self, client: TestClient) -> None:
        assert client.get("/nowhere").status_code == 200
""",
    )
    work.commit("stranger@example.com")


def standards(work: Work) -> None:
    work.change(
        "standards/mypy.ini", "strict = True", "strict = True\ndisallow_any_explicit = True"
    )
    work.commit("platform@example.com")


@dataclass(frozen=True)
class Expected:
    """What triage says: the causes and whom each is addressed to, and which sides are asked."""

    found: set[tuple[str, str | None]] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)


SCENARIOS: dict[str, tuple[Callable[[Work], None], Expected]] = {
    "serving breaks": (serving, Expected({("change", ML)}, {ML})),
    "the model breaks": (model, Expected({("change", DS)}, {DS})),
    "a contract is tightened": (tightened, Expected({("contract-change", DS)}, {DS})),
    "a contract asks for a column": (wanted_column, Expected({("contract-change", ML)}, {ML})),
    "a contract is widened": (widened, Expected({("contract-change", ML)}, {ML})),
    "both sides break": (both, Expected({("change", ML), ("change", DS)}, {DS, ML})),
    "nothing but words": (documented, Expected()),
    "data drifts": (drift, Expected({("change", "data-owner")}, set())),
    "two innocent changes meet": (met, Expected({("interaction", None)}, {DS, ML})),
    "a module is renamed": (renamed_module, Expected()),
    "a test knows only the old name": (forgotten_test, Expected({("interaction", DS)}, {DS})),
    "code is only moved": (moved_code, Expected()),
    "both touch the contracts": (
        touched_by_both,
        Expected({("contract-change", None)}, {DS, ML}),
    ),
    "a flaky test": (flaky, Expected({("flaky", ML)}, set())),
    "a dependency": (dependency, Expected({("change", ML)}, {ML})),
    "a wrong type": (mistyped, Expected({("change", ML)}, {ML})),
    "a layer is crossed": (layer, Expected({("change", DS)}, {DS})),
    "a layer is crossed by a package": (layer_of_a_package, Expected({("change", DS)}, {DS})),
    "a test in a class": (in_a_class, Expected({("change", ML)}, {ML})),
    "the standards": (standards, Expected({("change", "platform")}, set())),
}


@pytest.fixture(scope="module")
def agreed(workshop: Workshop, environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Work:
    """A project on its main branch, with the people of both sides."""
    project = tmp_path_factory.mktemp("triage") / "project"
    shutil.copytree(workshop.project({}), project)
    git(project, "init", "--quiet", "--initial-branch", "main")
    work = Work(project, {**inside(environment, project), "TMPDIR": str(project.parent)})
    for side, person in ((DS, ADA), (ML, MAX)):
        work.change("handoff.toml", f"{side} = []", f'{side} = ["{person}"]')
    work.commit("platform@example.com")
    work.triage()  # once for all: the type checker learns the libraries
    return work


@pytest.fixture
def work(agreed: Work, environment: Path, tmp_path: Path) -> Work:
    """A branch of it."""
    project = tmp_path / "project"
    shutil.copytree(agreed.project, project)
    git(project, "switch", "--quiet", "--create", "work")
    return Work(project, inside(environment, project))


def told(findings: Any) -> set[tuple[str, str | None]]:
    return {(finding["check"].removeprefix("triage-"), finding["side"]) for finding in findings}


def asked(findings: Any) -> set[str]:
    """The sides whose check is red."""
    blocking = [finding["side"] for finding in findings if finding["blocks"]]
    return {side for side in (DS, ML) if side in blocking or None in blocking}


@pytest.mark.parametrize("name", SCENARIOS)
def test_triage_names_who_has_to_act(work: Work, name: str) -> None:
    scenario, expected = SCENARIOS[name]
    scenario(work)
    findings, code = work.triage()
    assert told(findings) == expected.found, json.dumps(findings)
    assert asked(findings) == expected.asked
    assert code == int(any(finding["blocks"] for finding in findings))
    assert git(work.project, "worktree", "list").count("\n") == 1
    assert git(work.project, "status", "--porcelain") == ""


def test_the_other_side_is_left_in_peace(work: Work) -> None:
    serving(work)
    assert [work.triage("--side", side)[1] for side in (DS, ML)] == [0, 1]


def test_what_was_red_before_is_inherited_and_its_commit_is_found(work: Work) -> None:
    begun = git(work.project, "rev-parse", "HEAD").strip()
    git(work.project, "switch", "--quiet", "main")
    documented(work)
    serving(work)
    broken = git(work.project, "rev-parse", "HEAD").strip()
    documented(work)
    git(work.project, "switch", "--quiet", "--create", "later")
    model_note = work.project / SRC / "model" / "notes.py"
    model_note.write_text('"""Notes."""\n', encoding="utf-8")
    work.commit(ADA)
    findings, code = work.triage("--since", begun)
    assert (told(findings), code) == ({("inherited", ML)}, 0), json.dumps(findings)
    assert broken[:12] in findings[0]["message"]


def test_work_that_is_not_committed_counts(work: Work) -> None:
    work.change(f"{SRC}/serving/batch.py", ", to)\n", ", str(to))\n")
    findings, code = work.triage()
    assert (told(findings), code) == ({("change", ML)}, 1)
    assert findings[0]["file"] == f"{SRC}/serving/batch.py"


def test_a_merge_of_the_main_branch_blames_nobody_for_it(work: Work) -> None:
    documented(work)
    git(work.project, "switch", "--quiet", "main")
    serving(work)
    git(work.project, "switch", "--quiet", "work")
    git(work.project, "merge", "--quiet", "--no-edit", "main")
    findings, code = work.triage()
    assert (told(findings), code) == ({("inherited", ML)}, 0), json.dumps(findings)


def test_the_merge_that_a_provider_makes_is_nobodys_work(work: Work) -> None:
    """Both changed one file, so the merge touches it: the author's side is asked all the same."""
    serving(work, author=ADA)
    git(work.project, "switch", "--quiet", "main")
    work.add(f"{SRC}/serving/app.py", "\n# ours\n")
    work.commit(MAX)
    git(work.project, "switch", "--quiet", "--detach")
    provider = ["-c", "user.email=noreply@example.com"]
    git(work.project, *provider, "merge", "--quiet", "--no-ff", "--no-edit", "work")
    (finding, *_), _ = work.triage()
    assert finding["side"] == DS
    assert f"({ADA})" in finding["message"]


def test_a_change_cannot_shift_who_answers_for_it(work: Work) -> None:
    work.change("handoff.toml", f'{ML} = ["{MAX}"]', f"{ML} = []")
    work.change("handoff.toml", f'{DS} = ["{ADA}"]', f'{DS} = ["{ADA}", "{MAX}"]')
    serving(work)
    assert told(work.triage()[0]) == {("change", ML)}


def test_one_team_is_told_the_component_and_the_author(work: Work) -> None:
    git(work.project, "switch", "--quiet", "main")
    answers = work.project / ".copier-answers.yml"
    text = answers.read_text(encoding="utf-8")
    team = next(line for line in text.splitlines() if line.startswith("data_science_team"))
    other = next(line for line in text.splitlines() if line.startswith("ml_engineering_team"))
    answers.write_text(
        text.replace(other, f"ml_engineering_team: {team.partition(': ')[2]}"), encoding="utf-8"
    )
    work.commit("platform@example.com")
    git(work.project, "switch", "--quiet", "--create", "one-team")
    serving(work)
    (finding, *_) = work.triage()[0]
    assert finding["side"] is None
    assert MAX in finding["message"]
    assert ML in finding["message"]


def test_a_change_cannot_lower_the_level_that_judges_it(work: Work) -> None:
    work.change(".copier-answers.yml", "level: 1", "level: 0")
    serving(work)
    assert work.triage()[1] == 1


def test_at_level_0_triage_is_advice(work: Work) -> None:
    git(work.project, "switch", "--quiet", "main")
    work.change(".copier-answers.yml", "level: 1", "level: 0")
    work.commit("platform@example.com")
    git(work.project, "switch", "--quiet", "--create", "ad-hoc")
    serving(work)
    findings, code = work.triage()
    assert (told(findings), code) == ({("change", ML)}, 0)


def test_a_changed_lock_is_tried_in_an_environment_of_its_own(agreed: Work, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(agreed.project, project)
    work = Work(project, {"PATH": f"{project}/.venv/bin{os.pathsep}{os.environ['PATH']}"})

    def wants(version: str) -> None:
        file = project / "pyproject.toml"
        text = re.sub(r'    "toolz==.*",\n', "", file.read_text(encoding="utf-8"))
        wanted = f'dependencies = [\n    "toolz=={version}",'
        file.write_text(text.replace("dependencies = [", wanted, 1), encoding="utf-8")
        run(["uv", "lock", "--quiet"], project)

    wants("0.12.1")
    work.add(
        "tests/contract/test_data_science.py",
        """

def test_the_tools_are_those_that_were_proved() -> None:
    from importlib.metadata import version

    assert version("toolz") == "0.12.1"
""",
    )
    work.commit(ADA)
    git(project, "switch", "--quiet", "--create", "newer")
    wants("1.0.0")
    work.commit(MAX)
    run(["uv", "sync", "--quiet", "--frozen"], project)
    (finding,), code = work.triage()
    assert (finding["check"], finding["side"], code) == ("triage-change", ML, 1)
    assert "the change of dependencies broke" in finding["message"]


@pytest.mark.parametrize(
    ("base", "said"),
    [("nowhere", "nowhere is no commit that this clone knows"), ("-x", "is no commit")],
)
def test_a_base_that_is_not_there_is_said_in_one_sentence(work: Work, base: str, said: str) -> None:
    done = run(["handoff", "triage", f"--base={base}"], work.project, check=False, env=work.env)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_shallow_clone_is_told_what_to_fetch(work: Work, tmp_path: Path) -> None:
    documented(work)
    git(work.project, "switch", "--quiet", "main")
    serving(work)
    git(work.project, "switch", "--quiet", "work")
    shallow = tmp_path / "shallow"
    source = f"file://{work.project}"
    git(tmp_path, "clone", "--quiet", "--depth=1", "--no-single-branch", source, str(shallow))
    base = ["handoff", "triage", "--base", "origin/main"]
    done = run(base, shallow, check=False, env=work.env)
    assert done.returncode == 2
    assert "git fetch --unshallow" in done.stderr
