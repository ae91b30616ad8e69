"""sp-repo-review fails on new projects and this repository only for checks that the docs excuse."""

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


def excused_checks(section: str) -> list[list[str]]:
    """Return the rows of a section's table, without its header: the check and the reason."""
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return rows[2:]


def review_results(folder: Path) -> dict[str, Any]:
    """Return sp-repo-review's result of each check: true, false, or None if not applicable."""
    result = run(
        [sys.executable, "-m", "repo_review", "--format", "json", "."], folder, check=False
    )
    return {name: check["result"] for name, check in json.loads(result.stdout)["checks"].items()}


def failed_checks(folder: Path) -> set[str]:
    return {name for name, result in review_results(folder).items() if result is False}


@pytest.mark.parametrize("starter", ["flights", "blank"])
@pytest.mark.parametrize("ci", ["github", "gitlab", "azure"])
def test_exactly_the_excused_checks_fail_on_a_new_project(
    workshop: Workshop, ci: str, starter: str
) -> None:
    rows = excused_checks(PROJECTS)
    expected = {check for check, _, on, _ in rows if on == "all" or ci in on.split(", ")}
    assert failed_checks(workshop.project({"ci": ci, "starter": starter})) == expected


def test_exactly_the_excused_checks_fail_on_this_repository(tmp_path: Path) -> None:
    assert failed_checks(export(tmp_path)) == {check for check, *_ in excused_checks(REPOSITORY)}


def test_every_excused_check_has_one_reason() -> None:
    for section in (PROJECTS, REPOSITORY):
        rows = excused_checks(section)
        checks = [check for check, *_ in rows]
        assert checks == sorted(set(checks))
        assert all(re.fullmatch(r"[A-Z]{2,3}\d{3}", check) for check in checks)
        assert all(len(reason) > 20 or reason.startswith("as ") for *_, reason in rows)


def test_a_failed_check_without_an_excuse_is_reported(
    default_project: Path, tmp_path: Path
) -> None:
    project = shutil.copytree(default_project, tmp_path / "project")
    pyproject = project / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    pyproject.write_text(text.replace("xfail_strict = true\n", ""), encoding="utf-8")
    assert failed_checks(project) - failed_checks(default_project) == {"PP305"}


def test_bot_configurations_are_valid_by_their_schemas(default_project: Path) -> None:
    for schema, file in {
        "vendor.renovate": default_project / "renovate.json",
        "vendor.dependabot": ROOT / ".github/dependabot.yml",
    }.items():
        run([sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, file], ROOT)


def test_this_repositorys_workflow_has_no_known_weakness(tmp_path: Path) -> None:
    run(["zizmor", "--offline", export(tmp_path) / ".github"], tmp_path)
