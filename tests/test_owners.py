"""Set-up writes the required approvals for each provider; a check reports an outdated file."""

import shutil
from itertools import product
from pathlib import Path

import pytest

from tests.baton import Workshop, commit, git, owners, render, run, update

FILES = {"github": "CODEOWNERS", "gitlab": "CODEOWNERS", "azure": "branch-policies.sh"}
TEAMS = {"data_science_team": "@acme/ds", "ml_engineering_team": "acme-ml"}
SRC = "/src/flight_delays"


@pytest.fixture
def project(workshop: Workshop, tmp_path: Path, ci: str, level: int) -> Path:
    """Return a project after set-up."""
    answers: dict[str, str | int] = {"ci": ci, "level": level, **TEAMS}
    folder = shutil.copytree(workshop.project(answers), tmp_path / "project")
    owners(folder)
    return folder


CURRENT = ("check", "--only", "owners")
"""The check that the file matches the sides, teams and level."""


def every_provider_and_level() -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("ci", "level"), [*product(FILES, (0, 1, 2))])


@every_provider_and_level()
def test_a_new_projects_file_is_current(project: Path, ci: str) -> None:
    present = [name for name in set(FILES.values()) if (project / name).exists()]
    assert present == [FILES[ci]]
    assert owners(project, *CURRENT).returncode == 0


@every_provider_and_level()
def test_the_level_decides_which_approvals_are_required(project: Path, ci: str, level: int) -> None:
    text = (project / FILES[ci]).read_text(encoding="utf-8")
    named = {room: text.count(f"{SRC}/{room}/") for room in ("contracts", "features", "serving")}
    # GitHub has one line for both sides, the others a section for each side.
    both = 1 if ci == "github" else 2
    expected = {0: (both, 0, 0), 1: (both, 1, 1), 2: (both, both, 1)}
    assert tuple(named.values()) == expected[level]


@pytest.mark.parametrize(("ci", "level"), [(ci, 1) for ci in FILES])
def test_handles_have_the_providers_format(project: Path, ci: str) -> None:
    text = (project / FILES[ci]).read_text(encoding="utf-8")
    if ci == "azure":
        assert "--required-reviewer-ids acme/ds " in text
        assert "--required-reviewer-ids acme-ml " in text
        run(["sh", "-n", FILES[ci]], project)
    else:
        assert "@acme/ds" in text
        assert "@acme-ml" in text
    assert "@@" not in text


@pytest.mark.parametrize(
    ("live", "file"),
    [
        ({"level": 2}, "CODEOWNERS"),
        ({"ml_engineering_team": "@acme/platform"}, "CODEOWNERS"),
        ({"ci": "gitlab"}, "CODEOWNERS"),
        ({"ci": "azure"}, "branch-policies.sh"),
    ],
)
def test_a_changed_answer_makes_the_owners_file_outdated(
    workshop: Workshop, tmp_path: Path, live: dict[str, str | int], file: str
) -> None:
    project = render(workshop.releases(), tmp_path / "project", {}, "v1.0.0")
    owners(project)
    own = "* @acme/everybody\n"
    codeowners = project / "CODEOWNERS"
    codeowners.write_text(own + codeowners.read_text(encoding="utf-8"), encoding="utf-8")
    commit(project, "work")
    update(project, live)
    assert git(project, "diff", "--name-only", "HEAD", "--", "CODEOWNERS") == ""

    result = owners(project, *CURRENT, check=False)
    assert result.returncode == 1
    assert result.stdout.startswith(f"✗ {file} does not match the sides, teams and level\n")
    owners(project)
    assert owners(project, *CURRENT).returncode == 0
    assert codeowners.read_text(encoding="utf-8").startswith(own)


def test_an_update_alone_leaves_the_file_current(workshop: Workshop, tmp_path: Path) -> None:
    project = render(workshop.releases(), tmp_path / "project", {}, "v1.0.0")
    owners(project)
    commit(project, "work")
    update(project)
    assert owners(project, *CURRENT).returncode == 0
