"""The roles of the people who work on a project: the one definition of what each needs."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import Field

from baton_handoff.config.sides import Side
from baton_handoff.config.validation import StrictModel, Text, read_settings, validated

DEFINITIONS = Path(__file__).with_name("roles")
"""The folder with a file for each role, and one with what all have in common."""

_EVERYONE = "everyone"

Manager: TypeAlias = Literal["apt", "brew", "brew-cask", "winget", "mise", "image"]
"""A package manager, or an image whose /bin a container copies the program from."""

Conditions: TypeAlias = dict[Literal["ci", "cloud", "extra"], Text]
"""The answers of a project that needs an entry; `extra` is one of baton-standards'."""


class Extension(StrictModel):
    """An extension of VS Code."""

    id: str = Field(pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$")
    """Publisher and name."""

    reason: Text
    """What it is good for, half a sentence."""

    only: Conditions = {}
    """When a project needs it; always without conditions."""


class SystemTool(StrictModel):
    """A program of the system."""

    name: Text
    """What people call it."""

    commands: list[Text] = Field(min_length=1)
    """The programs of which one is enough."""

    reason: Text
    """What it is good for, half a sentence."""

    packages: dict[Manager, Text]
    """Its name for each package manager that has it."""

    place: Literal["laptop", "container"] | None = None
    """Where it is needed; both without one."""

    only: Conditions = {}
    """When a project needs it; always without conditions."""


class FirstStep(StrictModel):
    """Something that a new colleague does in the first hour."""

    text: Text
    """What is done, in a few words."""

    command: Text
    """The command that does it."""


class _RoleFile(StrictModel):
    """The content of a role's file."""

    title: Text
    summary: Text
    side: Side | None = None
    extensions: list[Extension] = []
    settings: dict[str, Any] = {}
    project_settings: dict[str, Any] = Field({}, alias="project-settings")
    tools: list[SystemTool] = []
    first_steps: list[FirstStep] = Field([], alias="first-steps")


class Role(StrictModel):
    """What a role needs, with what everyone needs."""

    id: Text
    """Its name in commands and file names."""

    title: Text
    """Its name in prose."""

    summary: Text
    """What people in this role do, one sentence."""

    side: Side
    """The side that they work on."""

    extensions: list[Extension]
    """The extensions of VS Code."""

    settings: dict[str, Any]
    """Settings of VS Code for any project."""

    project_settings: dict[str, Any]
    """Settings of VS Code that make sense in a project only."""

    tools: list[SystemTool]
    """Programs of the system."""

    first_steps: list[FirstStep]
    """What a new colleague does, in order."""


@cache
def roles(folder: Path = DEFINITIONS) -> Mapping[str, Role]:
    """Every role by its name.

    Args:
        folder: The folder with the definitions.

    Raises:
        SettingsError: A definition does not fit.
    """
    read = {file.stem: _read(file) for file in sorted(folder.glob("*.toml"))}
    shared = read.pop(_EVERYONE)
    return {name: _role(name, shared, own) for name, own in read.items()}


def _read(file: Path) -> _RoleFile:
    return validated(_RoleFile, read_settings(file), file)


def _role(name: str, shared: _RoleFile, own: _RoleFile) -> Role:
    steps = [*shared.first_steps, *own.first_steps]
    return Role.model_validate(
        {
            "id": name,
            "title": own.title,
            "summary": own.summary,
            "side": own.side,
            "extensions": [*shared.extensions, *own.extensions],
            "settings": shared.settings | own.settings,
            "project_settings": shared.project_settings | own.project_settings,
            "tools": [*shared.tools, *own.tools],
            "first_steps": [
                step.model_copy(update={"command": step.command.replace("{role}", name)})
                for step in steps
            ],
        }
    )
