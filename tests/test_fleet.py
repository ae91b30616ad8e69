"""`make fleet` reports many projects, reads only, and is not stopped by a broken one."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.baton import Workshop, commit, files, git, render
from tools.fleet import page, summary, table
from tools.fleet_rows import Row, fleet, merged

AT = datetime(2026, 11, 29, tzinfo=UTC)
BROKEN = "interface = 1\npackage = \n"


def made(template: Path, project: Path, version: str = "v1.0.0") -> Path:
    render(template, project, {"starter": "blank"}, version)
    commit(project, "made")
    return project


@pytest.fixture
def edited(workshop: Workshop, tmp_path: Path) -> Path:
    """A project with edits in a changed file, in a dropped one and in one that nothing touches."""
    project = made(workshop.releases(), tmp_path / "edited")
    for path in ("standards/ruff.toml", "standards/mypy.ini", "standards/tasks.toml"):
        with (project / path).open("a", encoding="utf-8") as file:
            file.write("\n# ours\n")
    (project / "standards/new-standard.toml").write_text("new = false\n", encoding="utf-8")
    commit(project, "edited")
    return project


@pytest.mark.long
def test_a_merge_for_the_fleet_finds_the_conflicts_of_a_real_update(
    edited: Path, tmp_path: Path
) -> None:
    from baton_handoff.config.project import read_project
    from baton_handoff.updates.answers import read_answers
    from baton_handoff.updates.scratch import try_update
    from baton_handoff.updates.template import template_of

    paths = [one for one in git(edited, "ls-files", "-z").split("\0") if one]
    answers = read_answers(edited)
    with template_of(answers, None) as template:
        tried = try_update(edited, paths, template)
        _, conflicts = merged(
            read_project(edited / "handoff.toml"), answers, template, tmp_path / "rendered"
        )
    assert conflicts == sorted(tried.unmerged)
    assert "standards/ruff.toml" in conflicts


def test_a_fleet_is_read_only_and_one_broken_repository_does_not_stop_the_rest(
    workshop: Workshop, edited: Path, tmp_path: Path
) -> None:
    current = made(workshop.releases(), tmp_path / "current", "v1.1.0")
    with (current / "handoff.toml").open("a", encoding="utf-8") as settings:
        settings.write(
            '\n[[exceptions]]\npractice = "typed"\nreason = "r"\nowner = "Ada"\n'
            "expires = 2020-01-31\n"
        )
    commit(current, "An exception")
    broken, foreign = tmp_path / "broken", tmp_path / "foreign"
    shutil.copytree(current, broken)
    (broken / "handoff.toml").write_text(BROKEN, encoding="utf-8")
    commit(broken, "Break it")
    foreign.mkdir()
    (foreign / "a.txt").write_text("a\n", encoding="utf-8")
    commit(foreign, "Something else")
    before = files(edited)
    addresses = [str(edited), "/no/such/folder", str(broken), str(foreign), f"file://{current}"]
    rows = fleet(addresses, workers=1)
    assert files(edited) == before
    assert git(edited, "status", "--porcelain") == ""
    assert [row.repository for row in rows] == addresses
    assert [bool(row.error) for row in rows] == [False, True, True, True, False]
    first, last = rows[0], rows[-1]
    assert (first.version, first.newest) == ("v1.0.0", "v1.1.0")
    assert "standards/ruff.toml" in first.conflicts
    assert (last.newest, last.changed, last.conflicts) == ("v1.1.0", 0, ())
    assert last.exceptions == [{"subject": "typed", "owner": "Ada", "expires": "2020-01-31"}]
    assert summary(rows) == "2 projects; updates waiting: 1, clean: 0; not read: 3"
    assert table(rows).row_count == 2


def test_the_page_escapes_what_repositories_contain() -> None:
    row = Row("<b>a</b>", version="v1", newest="v2", changed=3, conflicts=["<i>.txt"])
    shown = page([row, Row("c", error="<script>")], AT)
    assert "<b>a" not in shown
    assert "<script>" not in shown
    assert "v2: 3 files, 1 conflict" in shown
