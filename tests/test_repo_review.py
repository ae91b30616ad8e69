"""sp-repo-review fails on a new project, and on this repository, exactly where the docs say why."""

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.baton import ROOT, Workshop, export, run

PAGE = (ROOT / "docs/own/repo-review.md").read_text(encoding="utf-8")
_, PROJECTS, REPOSITORY = PAGE.split("\n## ")


def excused(section: str) -> list[list[str]]:
    """The rows of a section's table, without its head: the check, and what is said of it."""
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return rows[2:]


def reviewed(folder: Path) -> dict[str, Any]:
    """What sp-repo-review says of each check: true, false, or nothing where it does not apply."""
    said = run([sys.executable, "-m", "repo_review", "--format", "json", "."], folder, check=False)
    return {name: check["result"] for name, check in json.loads(said.stdout)["checks"].items()}


def failed(folder: Path) -> set[str]:
    return {name for name, result in reviewed(folder).items() if result is False}


@pytest.mark.parametrize("starter", ["flights", "blank"])
@pytest.mark.parametrize("ci", ["github", "gitlab", "azure"])
def test_exactly_the_excused_checks_fail_on_a_new_project(
    workshop: Workshop, ci: str, starter: str
) -> None:
    rows = excused(PROJECTS)
    expected = {check for check, _, on, _ in rows if on == "all" or ci in on.split(", ")}
    assert failed(workshop.project({"ci": ci, "starter": starter})) == expected


def test_exactly_the_excused_checks_fail_on_this_repository(tmp_path: Path) -> None:
    assert failed(export(tmp_path)) == {check for check, *_ in excused(REPOSITORY)}


def test_every_excuse_gives_its_reason_once() -> None:
    for section in (PROJECTS, REPOSITORY):
        rows = excused(section)
        checks = [check for check, *_ in rows]
        assert checks == sorted(set(checks))
        assert all(re.fullmatch(r"[A-Z]{2,3}\d{3}", check) for check in checks)
        assert all(len(reason) > 20 or reason.startswith("as ") for *_, reason in rows)


def test_a_check_that_is_not_excused_is_seen(default_project: Path, tmp_path: Path) -> None:
    project = shutil.copytree(default_project, tmp_path / "project")
    pyproject = project / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    pyproject.write_text(text.replace("xfail_strict = true\n", ""), encoding="utf-8")
    assert failed(project) - failed(default_project) == {"PP305"}


def test_bot_configurations_meet_their_schemas(default_project: Path) -> None:
    for schema, file in {
        "vendor.renovate": default_project / "renovate.json",
        "vendor.dependabot": ROOT / ".github/dependabot.yml",
    }.items():
        run([sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, file], ROOT)


def test_this_repositorys_workflow_has_no_known_weakness(tmp_path: Path) -> None:
    run(["zizmor", "--offline", export(tmp_path) / ".github"], tmp_path)
