"""uv and DVC judge the lock and the pipeline; their answers are kept as evidence."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from baton_handoff.cli import main
from baton_handoff.config.project import Project, find_project
from baton_handoff.policy.checks.check_context import CHECKS, CheckContext, CheckResult
from baton_handoff.policy.evidence.pipeline import pipeline_changes, recorded_stages
from baton_handoff.policy.evidence.store import EvidenceStore
from baton_handoff.policy.practices.assessment import State
from trip_project import git

SETTINGS = 'interface = 1\npackage = "trips"\nmodel = "m"\n[service]\nalias = "candidate"\n'
PYPROJECT = '[project]\nname = "trips"\nversion = "1"\nrequires-python = ">=3.11"\n'
STAGES = """
stages:
  prepare:
    cmd: cp params.yaml data/rows.csv
    deps: [src]
    params: [rows]
    outs: [data/rows.csv]
  train:
    wdir: models
    cmd: cp ../data/rows.csv model.bin
    deps: [../data/rows.csv]
    outs: [model.bin]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with two stages, none of which has run."""
    root = tmp_path / "project"
    files = {
        "handoff.toml": SETTINGS,
        "pyproject.toml": PYPROJECT,
        ".gitignore": "/.handoff/\n",
        "dvc.yaml": STAGES,
        "params.yaml": "rows: 3\n",
        "src/trips/__init__.py": "",
        "src/trips/serving/app.py": "",
        "data/.gitkeep": "",
        "models/.gitkeep": "",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    git(root, "init", "--quiet")
    monkeypatch.chdir(root)
    return find_project(root)


def result(project: Project, name: str) -> CheckResult:
    context = CheckContext(project, EvidenceStore(project), date(2026, 11, 28))
    return CHECKS[name](context)


def dvc(root: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "dvc", *arguments, "--quiet"]
    subprocess.run(command, cwd=root, check=True)


@pytest.fixture
def ran(project: Project) -> Project:
    """The project after its pipeline has run."""
    dvc(project.root, "init")
    dvc(project.root, "repro")
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "--message", "ran")
    return project


def test_the_pipeline_command_records_what_dvc_reports(
    ran: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    assert result(ran, "pipeline_current").fix == "`uv run poe pipeline`"
    assert main(["check", "--only", "pipeline"]) == 0
    assert "DVC reports all stages as up to date." in capfd.readouterr().out
    current = result(ran, "pipeline_current")
    assert (current.state, current.message) == (
        State.MET,
        "DVC reports all 2 stages as up to date.",
    )
    stages = recorded_stages(CheckContext(ran, EvidenceStore(ran), date(2026, 1, 1)).yaml)
    assert {out for stage in stages for out in stage.outs} == {"data/rows.csv", "models/model.bin"}


def test_a_changed_parameter_is_reported_with_its_stage(
    ran: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    main(["check", "--only", "pipeline"])
    (ran.root / "params.yaml").write_text("rows: 4\n", encoding="utf-8")
    assert result(ran, "pipeline_current").state is State.NOT_SHOWN
    assert main(["check", "--only", "pipeline"]) == 1
    message = "stage `prepare`: rows of params.yaml is modified"
    assert message in capfd.readouterr().out
    stale = result(ran, "pipeline_current")
    assert (stale.state, stale.command) == (State.NOT_SHOWN, "uv run poe pipeline")
    assert message in stale.message
    assert result(ran, "data_validated").message == stale.message


def test_the_evidence_depends_on_what_the_pipeline_reads_and_on_nothing_else(ran: Project) -> None:
    with (ran.root / ".gitignore").open("a", encoding="utf-8") as ignored:
        ignored.write("__pycache__/\n")
    main(["check", "--only", "pipeline"])
    (ran.root / "README.md").write_text("more", encoding="utf-8")
    cache = ran.root / "src/trips/__pycache__"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "data.cpython-311.pyc").write_bytes(b"compiled")
    assert EvidenceStore(ran).current("pipeline")
    # git ignores both files, so their size counts.
    for file in ("data/rows.csv", "models/model.bin"):
        before = (ran.root / file).read_bytes()
        (ran.root / file).write_bytes(before + b"more")
        assert not EvidenceStore(ran).current("pipeline")
        (ran.root / file).write_bytes(before)
        assert EvidenceStore(ran).current("pipeline")


def test_a_clone_without_data_is_up_to_date(ran: Project, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(ran.root), str(clone))
    assert not (clone / "data/rows.csv").exists()
    assert pipeline_changes(clone) == []
    (clone / "src/trips/serving/app.py").write_text("MORE = 1\n", encoding="utf-8")
    assert [change.message for change in pipeline_changes(clone)] == [
        "stage `prepare`: src is modified"
    ]


def test_a_pipeline_file_that_dvc_refuses_is_no_evidence(
    ran: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    (ran.root / "dvc.yaml").write_text("stages: [", encoding="utf-8")
    assert main(["check", "--only", "pipeline"]) == 2
    assert "`dvc status` failed: " in capsys.readouterr().err
    assert EvidenceStore(ran).latest("pipeline") is None


def test_uv_judges_the_lock_and_its_answer_is_kept(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert result(project, "lock_current").message.startswith("There is no uv.lock")
    subprocess.run(["uv", "lock", "--quiet", "--offline"], cwd=project.root, check=True)
    current = result(project, "lock_current")
    assert (current.state, current.message) == (
        State.MET,
        "uv.lock matches pyproject.toml and locks 1 package.",
    )
    monkeypatch.setenv("UV", "no-such-program")
    assert result(project, "lock_current").state is State.MET
    with (project.root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('dependencies = ["no-such-package"]\n')
    unknown = result(project, "lock_current")
    assert (unknown.state, unknown.fix) == (State.NOT_SHOWN, "`uv lock --check`")
    monkeypatch.delenv("UV")
    changed = result(project, "lock_current")
    assert changed.state is State.NOT_MET
    assert "no-such-package" in changed.findings[0].message
