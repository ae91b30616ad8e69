"""An existing repository adopts level 2: a baseline lists open findings and can only shrink."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.baton import Workshop, commit, owners, render, run
from tests.project import Project, step

pytestmark = pytest.mark.slow

LEGACY = "import os\nimport sys\ndef loaded(path):\n    return path\n"
AUTHOR = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
OF_TOOLS = {"formatted", "linted", "typed"}


@pytest.fixture
def project(workshop: Workshop, environment: Path, types_cache: Path, tmp_path: Path) -> Project:
    """Return a project at level 2 with a module that is older than its standards."""
    folder = tmp_path / "project"
    render(workshop.template(), folder, {"starter": "blank", "level": 2})
    project = Project(folder, environment)
    project.env |= {"MYPY_CACHE_DIR": str(types_cache), "CI": ""}
    run(["uv", "lock", "--quiet"], folder)
    owners(folder)
    (serving(project) / "legacy.py").write_text(LEGACY, encoding="utf-8")
    commit(folder, "first")
    project("pre-commit", "install")
    run_checks(project)
    return project


def serving(project: Project) -> Path:
    return next((project.folder / "src").glob("*/serving"))


def run_checks(project: Project) -> None:
    """Run checks and tests, whatever their exit codes."""
    project("handoff", "check", check=False)
    project("handoff", "test", check=False)


def status(project: Project, *options: str) -> tuple[int, set[str], list[dict[str, Any]]]:
    """Return the exit code of status, the practices that block a push, and all findings."""
    done = project("handoff", "status", "--format", "json", *options, check=False)
    status_json = json.loads(done.stdout)
    blocking = {one["practice"] for one in status_json["blocking"]["push"]}
    return done.returncode, blocking, status_json["findings"]


@pytest.mark.long
def test_the_baseline_accepts_old_findings_and_reports_new_ones(project: Project) -> None:
    legacy, newer = (serving(project) / name for name in ("legacy.py", "newer.py"))
    path = legacy.relative_to(project.folder).as_posix()
    assert status(project)[:2] == (1, OF_TOOLS)
    assert project("handoff", "policy", "baseline").stdout.startswith(
        "handoff-baseline.json records "
    )
    file = project.folder / "handoff-baseline.json"
    recorded = json.loads(file.read_text(encoding="utf-8"))
    assert {name: list(sides) for name, sides in recorded.items()} == {
        name: ["ml-engineering"] for name in OF_TOOLS
    }
    assert recorded["typed"]["ml-engineering"] == {path: 1}
    owners(project.folder)
    project(*step("owners"))
    # The baseline does not count in the change that adds it.
    assert status(project)[:2] == (0, set())
    assert status(project, "--base", "HEAD")[:2] == (1, OF_TOOLS)
    commit(project.folder, "what was open")
    assert status(project, "--base", "HEAD")[:2] == (0, set())
    for check in ("format", "lint", "types"):
        done = project(*step(check))
        assert done.stdout.endswith(", all in the baseline\n")
    newer.write_text('"""New, and good."""\n', encoding="utf-8")
    project("git", "add", str(newer))
    project("git", *AUTHOR, "commit", "--quiet", "--message", "unrelated")

    newer.write_text('"""New."""\n\nimport os\n', encoding="utf-8")
    run_checks(project)
    code, blocking, findings = status(project)
    assert (code, blocking) == (1, {"linted"})
    assert {f["file"].rpartition("/")[2] for f in findings if f["blocks"]} == {"newer.py"}
    before = file.read_bytes()
    refused = project("handoff", "policy", "baseline", check=False)
    assert refused.returncode == 2
    assert "newer.py has more findings of linted for ml-engineering (1)" in refused.stderr
    assert file.read_bytes() == before

    recorded["linted"]["ml-engineering"][path.replace("legacy", "newer")] = 1
    file.write_text(json.dumps(recorded), encoding="utf-8")
    assert status(project)[:2] == (0, set())
    code, blocking, findings = status(project, "--base", "HEAD")
    assert (code, blocking) == (1, {"linted"})
    after = sum(recorded["linted"]["ml-engineering"].values())
    growth = f"findings of linted for ml-engineering in the baseline: {after - 1} → {after}."
    assert any(f["message"].startswith(growth) for f in findings)

    file.write_bytes(before)
    newer.unlink()
    legacy.write_text(LEGACY.replace("import os\n", ""), encoding="utf-8")
    run_checks(project)
    assert "1 fewer than before" in project("handoff", "policy", "baseline").stdout
    assert status(project, "--base", "HEAD")[:2] == (0, set())

    # The hooks accept findings that no tool can fix automatically.
    legacy.write_text("def loaded(path):\n    return path\n", encoding="utf-8")
    project("git", "add", str(legacy))
    project("git", *AUTHOR, "commit", "--quiet", "--message", "touched")
