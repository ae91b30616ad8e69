"""A project from before the engine was a wheel works after one migration step."""

from pathlib import Path

import pytest

from tests.baton import ROOT, commit, export, git, owners, render, run, update
from tests.environment import inside

BEFORE = "7abd453"
"""The last commit whose projects contain the engine's sources."""

RENAME = (
    "sed -i -e 's/\"baton-handoff\\[/\"baton-standards[/'"
    " -e 's/^baton-handoff = .*/baton-standards = { path = \"standards\" }/' pyproject.toml"
)
"""The migration step that CHANGELOG.md gives."""


@pytest.mark.parametrize("starter", ["flights", "blank"])
def test_a_project_from_before_the_wheel_needs_one_migration_step(
    environment: Path, tmp_path: Path, starter: str
) -> None:
    template = tmp_path / "template"
    git(ROOT, "clone", "--quiet", "--no-tags", str(ROOT), str(template))
    git(template, "checkout", "--quiet", BEFORE)
    git(template, "tag", "v0.9.0")
    project = render(template, tmp_path / "project", {"starter": starter}, "v0.9.0")
    run(["uv", "lock", "--quiet"], project)
    commit(project, "first")
    git(template, "rm", "-r", "--quiet", ".")
    commit(export(template), "v1.0.0")
    git(template, "tag", "v1.0.0")
    update(project)
    assert RENAME in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "standards/handoff" in run(["uv", "lock"], project, check=False).stderr

    run(["sh", "-c", RENAME], project)
    run(["uv", "lock", "--quiet"], project)
    assert not (project / "standards/handoff").exists()
    commit(project, "update")
    owners(project)  # as set-up does
    env = inside(environment, project)
    run(["poe", "check"], project, env=env)
    run(["poe", "test"], project, env=env)
