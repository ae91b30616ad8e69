"""The definitions of roles: complete, without doubles, and open to a company's own."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from baton_handoff.config.sides import SIDES
from baton_handoff.core.errors import SettingsError
from baton_handoff.policy.practices.practice import ROLES
from baton_handoff.workstation.role import DEFINITIONS, Role, roles

_MANAGER = """
title = "Data manager"
summary = "Looks after sources."
side = "data-science"

[[extensions]]
id = "acme.sources"
reason = "shows who owns a source"

[[first-steps]]
text = "List the sources"
command = "uv run handoff source list"
"""


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """Return a company's own copy of the definitions, with one more role."""
    folder = shutil.copytree(DEFINITIONS, tmp_path / "roles")
    (folder / "data-manager.toml").write_text(_MANAGER, encoding="utf-8")
    return folder


def test_each_side_has_a_role_that_signs_for_it() -> None:
    assert {name: role.side for name, role in roles().items()}.items() >= dict(ROLES).items()
    assert {role.side for role in roles().values()} == {*SIDES}


@pytest.mark.parametrize("role", roles().values(), ids=lambda role: role.id)
def test_a_definition_has_no_doubles(role: Role) -> None:
    lists: tuple[Sequence[str], ...] = (
        [one.id for one in role.extensions],
        [one.name for one in role.tools],
        [one.command for one in role.first_steps],
        [*role.settings, *role.project_settings],
    )
    for names in lists:
        assert names
        assert len({*names}) == len(names)


@pytest.mark.parametrize("role", roles().values(), ids=lambda role: role.id)
def test_a_tool_can_be_installed_where_it_is_needed(role: Role) -> None:
    for tool in role.tools:
        assert tool.packages, tool.name
        if tool.place != "container":
            assert {"winget", "mise"} & tool.packages.keys() or tool.name == "ssh", tool.name


def test_a_file_more_is_a_role_more(company: Path) -> None:
    added = roles(company)["data-manager"]
    assert added.extensions[-1].id == "acme.sources"
    assert {one.id for one in roles()["ml-engineer"].extensions} & {
        one.id for one in added.extensions
    }
    assert "uv run handoff doctor --role data-manager" in {
        step.command for step in added.first_steps
    }


def test_a_wrong_key_is_named_with_its_line(company: Path) -> None:
    file = company / "data-manager.toml"
    file.write_text(_MANAGER.replace("reason", "raeson"), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"data-manager.toml:8: .*did you mean `reason`"):
        roles(company)
