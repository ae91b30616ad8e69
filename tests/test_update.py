"""An update brings new standards into an edited project and keeps every edit."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.baton import (
    ROOT,
    Answers,
    Workshop,
    commit,
    files,
    git,
    owner,
    ownership,
    render,
    run,
    update,
)
from tests.edits import Edit, append, delete, insert, rename, replace, then

CONFLICT = (b"<<<<<<<", b">>>>>>>")


# Usual edits of a project.
EDITS: dict[str, Edit] = {
    "edit code": append("src/flight_delays/features/calendar.py"),
    "delete a seed": delete("src/flight_delays/serving/batch.py"),
    "edit the README": insert("README.md", "{}: ask Kim before you deploy."),
    "add a dependency": replace("pyproject.toml", '"joblib",', '"joblib",\n    "lightgbm", # {}'),
    "turn a knob": append("params.yaml", "{}: 1"),
    "rename a notebook": rename("notebooks/*.ipynb", "notebooks/ours.ipynb"),
    "name people": append("handoff.toml"),
    "add a workflow": append(".github/workflows/ours.yml", "name: {}"),
    "add a test": append("tests/unit/test_ours.py", "def test_{}() -> None: ..."),
    "add a file of a name that the new version brings": append("tests/new_seed.py"),
    "edit a standard in another line": insert("standards/ruff.toml"),
    "edit a standard that the new version drops": insert("standards/mypy.ini"),
}


@dataclass(frozen=True)
class Story:
    """One project's files: as rendered, after the edits, and after the update."""

    project: Path
    made: dict[str, bytes]
    edited: dict[str, bytes]
    updated: dict[str, bytes]


def story(
    workshop: Workshop,
    project: Path,
    edit: Edit,
    at_first: Answers | None = None,
    later: Answers | None = None,
) -> Story:
    """Render a project by the first version, edit it, and update it to the next version."""
    render(workshop.releases(), project, at_first or {}, "v1.0.0")
    made = files(project)
    edit(project, "ours")
    commit(project, "work")
    edited = files(project)
    update(project, later)
    return Story(project, made, edited, files(project))


@pytest.fixture(scope="module")
def after_all_edits(
    workshop: Workshop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    """Apply all edits, then update the project with changed live answers."""

    everything = then(*EDITS.values())
    folder = tmp_path_factory.mktemp("update") / "project"
    yield story(workshop, folder, everything, later={"level": 2, "ml_engineering_team": "@ours"})
    shutil.rmtree(folder)


def test_there_are_ten_usual_edits_or_more() -> None:
    assert len(EDITS) >= 10


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_kept(after_all_edits: Story, tmp_path: Path, name: str) -> None:
    """A user's file stays unchanged; a template-owned file keeps the user's lines."""
    for path, content in after_all_edits.made.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    EDITS[name](tmp_path, "ours")
    alone = files(tmp_path)
    touched = [
        path
        for path in alone.keys() | after_all_edits.made.keys()
        if alone.get(path) != after_all_edits.made.get(path)
    ]
    assert touched
    for path in touched:
        if "template-owned" in owner(path, ownership()):
            lines = set(alone[path].splitlines()) - set(after_all_edits.made[path].splitlines())
            assert lines <= set(after_all_edits.updated[path].splitlines())
        else:
            assert after_all_edits.updated.get(path) == after_all_edits.edited.get(path)


def test_an_unedited_file_that_the_project_owns_stays_unchanged(after_all_edits: Story) -> None:
    seeds = {
        path: content
        for path, content in after_all_edits.edited.items()
        if "template-owned" not in owner(path, ownership())
    }
    assert {path: after_all_edits.updated.get(path) for path in seeds} == seeds


def test_an_update_brings_new_standards(after_all_edits: Story) -> None:
    assert b"# a better rule" in after_all_edits.updated["standards/ruff.toml"]
    assert after_all_edits.updated["standards/new-standard.toml"] == b"new = true\n"


def test_an_update_applies_changed_answers(after_all_edits: Story) -> None:
    answers = after_all_edits.updated[".copier-answers.yml"].decode()
    assert "level: 2" in answers
    assert "'@ours'" in answers


def test_an_update_leaves_no_conflict(after_all_edits: Story) -> None:
    marked = [
        path
        for path, content in after_all_edits.updated.items()
        if any(line.startswith(CONFLICT) for line in content.splitlines())
    ]
    assert marked == []
    assert git(after_all_edits.project, "ls-files", "--unmerged") == ""
    assert [path for path in after_all_edits.updated if path.endswith(".rej")] == []


def test_two_changes_of_one_line_give_a_conflict_that_git_shows(
    workshop: Workshop, tmp_path: Path
) -> None:
    """This shows that the tests above would find a conflict."""
    edit = append("standards/ruff.toml")
    after = story(workshop, tmp_path / "project", edit)
    assert git(after.project, "ls-files", "--unmerged") != ""


RENOVATE = "copier update --skip-answered --defaults --answers-file .copier-answers.yml --vcs-ref"
"""What Renovate's manager `copier` runs for a new tag, without `--trust`."""


def test_the_command_of_renovate_updates_a_project_and_keeps_its_answers(
    workshop: Workshop, tmp_path: Path
) -> None:
    project = render(workshop.releases(), tmp_path / "project", {"level": 2}, "v1.0.0")
    commit(project, "made")
    before = (project / ".copier-answers.yml").read_text(encoding="utf-8")
    run([sys.executable, "-m", *RENOVATE.split(), "v1.1.0"], project)
    after = (project / ".copier-answers.yml").read_text(encoding="utf-8")
    assert after == before.replace("_commit: v1.0.0", "_commit: v1.1.0")
    assert (project / "standards/new-standard.toml").exists()
    assert git(project, "ls-files", "--unmerged") == ""
    documented = (ROOT / "docs/use/keeping-current.md").read_text(encoding="utf-8")
    assert f"{RENOVATE} TAG" in documented


def infra(tree: dict[str, bytes]) -> dict[str, bytes]:
    return {path: content for path, content in tree.items() if path.startswith("infra/")}


def test_an_update_adds_infrastructure_when_a_cloud_is_chosen_later(
    workshop: Workshop, tmp_path: Path
) -> None:
    after = story(workshop, tmp_path / "project", then(), later={"cloud": "aws"})
    assert infra(after.edited) == {}
    assert b"# seeds change too" in infra(after.updated)["infra/foundation/main.tf"]


def test_an_update_does_not_change_existing_infrastructure(
    workshop: Workshop, tmp_path: Path
) -> None:
    edit = append("infra/main.tf")
    after = story(workshop, tmp_path / "project", edit, later={"cloud": "aws"})
    assert infra(after.updated) == {"infra/main.tf": b"# ours\n"}


@pytest.mark.parametrize("cloud", ["aws", "none"])
def test_the_project_owns_its_infrastructure_after_it_is_rendered(
    workshop: Workshop, tmp_path: Path, cloud: str
) -> None:
    """It stays as edited and partly deleted, even when an update drops the cloud."""
    edit = then(
        insert("infra/foundation/main.tf"),
        delete("infra/foundation/outputs.tf"),
        append("infra/ours.tf"),
    )
    after = story(workshop, tmp_path / "project", edit, {"cloud": "aws"}, {"cloud": cloud})
    assert infra(after.updated) == infra(after.edited)
    assert "infra/ours.tf" in after.updated


def test_another_ci_provider_replaces_the_old_files_and_git_shows_it(
    workshop: Workshop, tmp_path: Path
) -> None:
    """The only edit that an update removes: docs/own/ownership.md states it, and git shows it."""
    edit = append(".github/workflows/handoff.yml")
    after = story(workshop, tmp_path / "project", edit, later={"ci": "gitlab"})
    assert ".gitlab-ci.yml" in after.updated
    assert ".github/workflows/handoff.yml" not in after.updated
    assert " D .github/workflows/handoff.yml" in git(after.project, "status", "--porcelain")
