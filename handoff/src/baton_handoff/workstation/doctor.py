"""What a machine lacks for a role, and what is unusual around a project on it."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from baton_handoff.config.project import Project
from baton_handoff.core.numbers import plural
from baton_handoff.core.requirements import package_name
from baton_handoff.core.toml_files import read_toml
from baton_handoff.reporting.findings import Finding
from baton_handoff.workstation.role import Conditions, Role, SystemTool
from baton_handoff.workstation.surroundings import surroundings

_INSTALL = {
    "apt": ("apt-get", "sudo apt-get install {}"),
    "brew": ("brew", "brew install {}"),
    "brew-cask": ("brew", "brew install --cask {}"),
    "winget": ("winget", "winget install --id {}"),
    "mise": ("mise", "mise use --global {}"),
}
"""For each package manager its program, and the command that installs a package."""

_UV = "`python3 -m venv ~/.uv && ~/.uv/bin/pip install uv`, then put ~/.uv/bin on PATH"
_CONTAINER = (Path("/.dockerenv"), Path("/run/.containerenv"))
"""Files that only a container has."""


def examine(
    project: Project, roles: Sequence[Role], environment: Mapping[str, str]
) -> list[Finding]:
    """What is missing for some roles on this machine, what blocks first.

    A finding blocks if a role's daily commands would fail. That no editor of the project is
    installed does not block, since another one may be in use. What not all of the roles need names
    the side of those that do.

    Args:
        project: The project; outside of one, a laptop is examined for every project.
        roles: The roles.
        environment: The environment variables.
    """
    path = environment.get("PATH", os.defpath)
    by_role = [(role.side, [*_missing(project, role, path)]) for role in roles]
    found = [
        one if all(one in others for _, others in by_role) else replace(one, side=side)
        for side, missing in by_role
        for one in missing
    ]
    found += surroundings(project, environment)
    return sorted(dict.fromkeys(found), key=lambda one: not one.blocks)


def _missing(project: Project, role: Role, path: str) -> Iterator[Finding]:
    """The tools and extensions that a role lacks."""
    place = "container" if any(file.exists() for file in _CONTAINER) else "laptop"
    for tool in role.tools:
        if tool.place in (None, place) and applies(tool.only, project):
            yield from _missing_tool(tool, path)
    if place == "laptop":
        yield from _missing_extensions(project, role, path)


def applies(only: Conditions, project: Project) -> bool:
    """Whether a project needs an entry of a role; outside of a project all are needed."""
    if not project.adopted:
        return True
    known = {"ci": project.ci, "cloud": project.cloud}
    return all(
        value in _extras(project.root) if name == "extra" else known[name] == value
        for name, value in only.items()
    )


def _extras(root: Path) -> set[str]:
    """The extras of baton-standards that a project installs."""
    try:
        content = read_toml(root / "pyproject.toml")
    except (OSError, ValueError):
        return set()
    listed = [*content.get("project", {}).get("dependencies", [])]
    listed += [one for group in content.get("dependency-groups", {}).values() for one in group]
    wanted = [one for one in listed if isinstance(one, str)]
    ours = [one for one in wanted if package_name(one) == "baton-standards"]
    return {extra for one in ours for extra in one.partition("[")[2].rstrip("]").split(",")}


def _missing_tool(tool: SystemTool, path: str) -> Iterator[Finding]:
    if not any(shutil.which(command, path=path) for command in tool.commands):
        programs = "" if tool.name in tool.commands else f" ({' or '.join(tool.commands[:2])})"
        yield Finding(
            "tools",
            f"{tool.name}{programs} is not installed; it {tool.reason}.",
            # Another editor may be in use.
            blocks=tool.place != "laptop",
            fix=_installation(tool, path),
        )


def _installation(tool: SystemTool, path: str) -> str:
    """The command that installs a tool with a package manager of this machine."""
    # A container image has no program here that installs from it.
    packages = {one: package for one, package in tool.packages.items() if one in _INSTALL}
    for manager, package in packages.items():
        program, command = _INSTALL[manager]
        if shutil.which(program, path=path):
            return f"`{command.format(package)}`"
    if "uv" in tool.commands:
        return _UV
    names = ", ".join(f"{manager}: {package}" for manager, package in packages.items())
    return f"install it ({names})"


def _missing_extensions(project: Project, role: Role, path: str) -> Iterator[Finding]:
    """One finding about the extensions that the installed editor lacks."""
    editors = next(tool for tool in role.tools if tool.place == "laptop").commands
    editor = next((name for name in editors if shutil.which(name, path=path)), None)
    if editor is None:
        return
    command = [str(shutil.which(editor, path=path)), "--list-extensions"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except subprocess.TimeoutExpired:
        reason = "no answer for 60 seconds"
    else:
        error = " ".join(done.stderr.split())
        reason = error or f"exit code {done.returncode}" if done.returncode else ""
    if reason:
        yield Finding(
            "extensions",
            f"`{editor} --list-extensions` failed ({reason}).",
            blocks=False,
            fix="run that command in a terminal, and mend what it names",
        )
        return
    installed = {line.strip().lower() for line in done.stdout.splitlines()}
    absent = [
        one for one in role.extensions if one.id not in installed and applies(one.only, project)
    ]
    if absent:
        number = f"{plural(len(absent), 'extension')}"
        yield Finding(
            "extensions",
            f"The editor `{editor}` lacks {number} of the role {role.id}.",
            blocks=True,
            fix=f"`{editor} {' '.join(f'--install-extension {one.id}' for one in absent)}`",
            evidence=tuple(f"{one.id}: {one.reason}" for one in absent),
        )
