"""A uv workspace that takes a project's lock and environment is named with what separates them."""

from pathlib import Path

import pytest

from baton_handoff.config.workspace import outer_workspace, workspace_remedy

MEMBER = {
    'members = ["*"]': False,
    'members = ["packages/*"]': True,
    'members = ["packages/ml"]': True,
    'members = ["./packages/ml/"]': True,
    'members = ["**"]': True,
    'members = ["**/ml"]': True,
    'members = ["services/*"]': False,
    'members = ["packages/*"]\nexclude = ["packages/ml"]': False,
    'members = ["packages/*"]\nexclude = ["packages/m?"]': False,
    "members = []": False,
    "": False,
}


@pytest.mark.parametrize("settings", MEMBER)
def test_a_workspace_is_found_by_its_members(tmp_path: Path, settings: str) -> None:
    root = tmp_path / "packages/ml"
    root.mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.uv]\n")
    (tmp_path / "packages/pyproject.toml").write_text("[tool.ruff]\n")
    (tmp_path / "pyproject.toml").write_text(f"[tool.uv.workspace]\n{settings}\n")
    found = outer_workspace(root)
    assert found == (tmp_path if MEMBER[settings] else None)
    if found:
        assert 'exclude = ["packages/ml"]' in workspace_remedy(root, found)


def test_a_project_that_is_a_workspace_itself_has_none_around_it(tmp_path: Path) -> None:
    root = tmp_path / "ml"
    root.mkdir()
    (tmp_path / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["*"]\n')
    assert outer_workspace(root) == tmp_path
    (root / "pyproject.toml").write_text("[tool.uv.workspace]\n")
    assert outer_workspace(root) is None


@pytest.mark.parametrize("text", ["not toml [", "tool = 1\n", "[tool]\nuv = 1\n"])
def test_an_odd_file_above_is_no_workspace(tmp_path: Path, text: str) -> None:
    (tmp_path / "ml").mkdir()
    (tmp_path / "pyproject.toml").write_text(text)
    assert outer_workspace(tmp_path / "ml") is None
