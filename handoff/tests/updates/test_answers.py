"""What people changed in the answers file is found against what git had."""

from pathlib import Path

import pytest

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.updates.answers import ANSWERS, read_answers, require_unedited
from baton_handoff.updates.state import hindrances
from trip_project import git

WRITTEN = (
    "_commit: v1.0.0\n_src_path: https://example.com/t\nlevel: 1\npython: null\nstarter: blank\n"
)
QUESTIONS = "# creation-only\nstarter:\n  type: str\n\n# live\nlevel:\n  type: int\n"

CHANGED = {
    "nothing": (WRITTEN, ""),
    "an answer that may change": (WRITTEN.replace("level: 1", "level: 2"), ""),
    "the address, as the template moved": (WRITTEN.replace("example.com", "example.org"), ""),
    "a deleted answer": (WRITTEN.replace("level: 1\n", ""), "level"),
    "an answer of the creation": (WRITTEN.replace("blank", "flights"), "starter"),
    "a deleted address": (WRITTEN.replace("_src_path: https://example.com/t\n", ""), "_src_path"),
    "a deleted version": (WRITTEN.replace("_commit: v1.0.0\n", ""), "_commit"),
    "everything": ("", "_src_path"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_an_answer_that_was_deleted_or_may_not_change_is_named(tmp_path: Path, name: str) -> None:
    text, key = CHANGED[name]
    git(tmp_path, "init", "--quiet")
    (tmp_path / ANSWERS).write_text(WRITTEN, encoding="utf-8")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "made")
    (tmp_path / ANSWERS).write_text(text, encoding="utf-8")
    git(tmp_path, "commit", "--quiet", "--all", "--allow-empty", "--message", "by hand")
    # `status` and `check` find the same, and which answer is empty.
    found = hindrances(Project(root=tmp_path, package="trips", model="m", alias="candidate"))
    assert {one.blocks for one in found} <= {False}
    assert any(f"`{key}`" in one.message for one in found) == bool(key)
    assert any("`python`: no answer" in one.message for one in found) == (key[:1] != "_")
    if not key:
        require_unedited(tmp_path, read_answers(tmp_path), QUESTIONS)
        return
    with pytest.raises(HandoffError, match=f"`{key}`"):
        require_unedited(tmp_path, read_answers(tmp_path), QUESTIONS)


def test_a_relative_address_is_named_before_an_update_needs_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / ANSWERS).write_text("_commit: v1\n_src_path: ../baton\n", encoding="utf-8")
    (found,) = hindrances(Project(root=tmp_path, package="trips", model="m", alias="candidate"))
    assert "../baton" in found.message
