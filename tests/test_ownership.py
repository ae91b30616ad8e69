"""Every path of a project has exactly one owner, and the template stays small and plain."""

import re
from itertools import product
from pathlib import Path

import pytest

from tests.baton import QUESTIONS, ROOT, Workshop, covers, files, git, owner, ownership

# The questions whose answers decide which files a project has.
DECIDING = ["starter", "dataframe", "ci", "cloud"]
COMBINATIONS = [
    dict(zip(DECIDING, values, strict=True))
    for values in product(
        *[question.choices.values() for question in QUESTIONS if question.name in DECIDING]
    )
]
TEMPLATE = ROOT / "template"


def combination_id(combination: dict[str, str | int]) -> str:
    return "-".join(map(str, combination.values()))


@pytest.mark.parametrize("answers", COMBINATIONS, ids=combination_id)
def test_every_path_has_exactly_one_owner(workshop: Workshop, answers: dict[str, str]) -> None:
    classes = {
        path: [name for name in owner(path, ownership()) if name != "user-owned"]
        for path in files(workshop.project(answers))
    }
    assert {path: names for path, names in classes.items() if len(names) != 1} == {}


def test_no_two_entries_cover_the_same_path() -> None:
    # A retired path may have been in a folder that is still the template's.
    entries = [entry for name, paths in ownership().items() if name != "retired" for entry in paths]
    covered = [
        (inner, outer)
        for inner in entries
        for outer in entries
        if inner != outer and outer.endswith("/") and inner.startswith(outer)
    ]
    assert covered == []
    assert len(entries) == len(set(entries))


def test_every_entry_covers_an_existing_file(workshop: Workshop) -> None:
    rendered = {path for answers in COMBINATIONS for path in files(workshop.project(answers))}
    entries = [
        entry
        for name, paths in ownership().items()
        if name not in ("user-owned", "retired")
        for entry in paths
    ]
    unused = [entry for entry in entries if not any(covers(entry, path) for path in rendered)]
    assert unused == []


def test_files_that_the_project_owns_are_never_rendered(workshop: Workshop) -> None:
    rendered = {path for answers in COMBINATIONS for path in files(workshop.project(answers))}
    assert rendered.isdisjoint(ownership()["user-owned"])


@pytest.mark.parametrize("answers", COMBINATIONS, ids=combination_id)
def test_a_project_has_few_files(workshop: Workshop, answers: dict[str, str]) -> None:
    most = {"flights": 100, "blank": 95}[answers["starter"]] + 18 * (answers["cloud"] != "none")
    assert len(files(workshop.project(answers))) <= most


@pytest.mark.parametrize("answers", COMBINATIONS, ids=combination_id)
def test_git_ignores_no_rendered_file(
    workshop: Workshop, tmp_path: Path, answers: dict[str, str]
) -> None:
    project = workshop.project(answers)
    git(tmp_path, "init", "--quiet")
    repository = f"--git-dir={tmp_path / '.git'}"
    listed = git(
        project,
        repository,
        f"--work-tree={project}",
        "ls-files",
        "--others",
        "--ignored",
        "--exclude-standard",
    )
    assert listed.splitlines() == []


def test_names_work_on_every_system() -> None:
    names = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    assert [name for name in names if re.search(r'["\\:*?<>|]', name)] == []
    assert [name for name in names if (ROOT / name).is_symlink()] == []


def test_less_than_one_percent_of_the_template_lines_are_control_lines() -> None:
    lines = [
        (path.suffix == ".jinja", line)
        for path in TEMPLATE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
        for line in path.read_bytes().splitlines()
    ]
    control = [line for is_template, line in lines if is_template and b"{%" in line]
    assert len(control) < len(lines) / 100


def test_a_file_without_an_answer_has_no_jinja_suffix() -> None:
    suffixed = [path for path in TEMPLATE.rglob("*.jinja") if path.is_file()]
    plain = [path for path in suffixed if not re.search(r"\{\{|\{%", path.read_text("utf-8"))]
    assert plain == []
