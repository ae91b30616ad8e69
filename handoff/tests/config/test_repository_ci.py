"""A project in a subfolder has workflows where GitHub reads them, for its own changes only."""

from pathlib import Path

import pytest
import yaml

from baton_handoff.config.project import Project
from baton_handoff.config.repository_ci import root_workflows, write_root_workflows
from trip_project import git

TEMPLATE = Path(__file__).parents[3] / "template"


def project_in(folder: Path) -> Project:
    workflows = folder / ".github/workflows"
    workflows.mkdir(parents=True)
    for file in TEMPLATE.glob("*github*/workflows/*.yml"):
        (workflows / file.name).write_text(file.read_text())
    return Project(folder, "trips", "trips", "candidate", ci="github")


@pytest.mark.parametrize("folder", ["ml", "team/größe"])
def test_the_workflows_run_in_the_folder_and_for_its_changes(tmp_path: Path, folder: str) -> None:
    git(tmp_path, "init", "--quiet")
    project = project_in(tmp_path / folder)
    written = write_root_workflows(project)
    name = folder.replace("/", "-")
    assert [file.name for file in written] == [f"{name}-handoff.yml", f"{name}-promote.yml"]
    assert {file.parent for file in written} == {tmp_path / ".github/workflows"}
    assert not write_root_workflows(project)
    text = written[0].read_text()
    handoff = yaml.safe_load(text)
    assert handoff["defaults"]["run"]["working-directory"] == folder
    started = handoff[True]  # YAML reads the key `on` as true
    for event in ("push", "pull_request"):
        assert started[event]["paths"] == [f"{folder}/**", f".github/workflows/{name}-*"]
    assert "hashFiles('uv.lock')" not in text
    artifact = handoff["jobs"]["handoff"]["steps"][-2]["with"]["path"].split()
    kept = ("ci", "evidence", "findings.sarif", "junit.xml", "status.html")
    assert artifact == [f"{folder}/.handoff/{name}" for name in kept]
    # These jobs check nothing out, so there is no such folder.
    (_, shown) = handoff["jobs"]["data-science"]["steps"]
    assert shown["working-directory"] == "."
    assert handoff["name"] == f"handoff ({folder})"
    assert yaml.safe_load(written[1].read_text())["defaults"]["run"]["working-directory"] == folder


def test_a_project_in_the_root_needs_no_copy(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert root_workflows(project_in(tmp_path / ".")) == {}
