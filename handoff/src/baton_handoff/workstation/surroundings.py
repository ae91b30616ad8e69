"""What is unusual around a project on this machine, each with what to do about it."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from baton_handoff.config.project import ForeignEnvironmentError, Project
from baton_handoff.core.errors import ForeignRepositoryError
from baton_handoff.core.git import git_or_none
from baton_handoff.core.git_hooks import hook_problem
from baton_handoff.core.network import THIS_MACHINE
from baton_handoff.core.toml_files import read_toml
from baton_handoff.reporting.findings import Finding

_OLDEST = (3, 11)
"""The oldest Python that the standards support."""

_COOLDOWN = "exclude-newer"
_INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX")
_CONFIGURATION = (Path("/etc/uv/uv.toml"), Path("~/.config/uv/uv.toml"))
"""The settings of uv for a machine and for a person."""


def surroundings(project: Project, environment: Mapping[str, str]) -> Iterator[Finding]:
    """What stands in the way on this machine, or may surprise.

    Args:
        project: The project; outside of one only what concerns every project is reported.
        environment: The environment variables.
    """
    yield from _git(project)
    if project.adopted:
        yield from _environment(project)
        yield from _repository(project)
        yield from _package_index(project, environment)
    yield from _network(environment)
    yield from _old_python(environment)


def _git(project: Project) -> Iterator[Finding]:
    if not shutil.which("git"):
        return
    for key, example in (("name", "Ada Lovelace"), ("email", "ada@example.com")):
        if not git_or_none(project.root, "config", f"user.{key}"):
            yield Finding(
                "git",
                f"git has no user.{key}, so a commit fails.",
                blocks=True,
                fix=f'`git config --global user.{key} "{example}"`, with your own',
            )


def _environment(project: Project) -> Iterator[Finding]:
    try:
        project.require_own_environment()
    except ForeignEnvironmentError as error:
        yield Finding("environment", error.problem, blocks=True, fix=error.fix)


def _repository(project: Project) -> Iterator[Finding]:
    root = project.root
    owner = root.stat().st_uid
    if hasattr(os, "geteuid") and owner != os.geteuid() != 0:
        yield Finding(
            "owner",
            f"{root} belongs to another user (uid {owner}).",
            blocks=not os.access(root, os.W_OK),
            fix=f"`sudo chown --recursive $(id -u):$(id -g) {root}`",
        )
    local = project.local if project.local.exists() else project.local.parent
    if not os.access(local, os.W_OK):
        yield Finding(
            "local",
            f"{project.local} can't be written, so no result of a command is kept.",
            blocks=True,
            fix="HANDOFF_LOCAL=FOLDER names another folder",
        )
    try:
        if not git_or_none(root, "rev-parse", "--git-dir"):
            return
    except ForeignRepositoryError as error:
        yield Finding("owner", error.problem, blocks=True, fix=error.fix)
        return
    if problem := hook_problem(root):
        fix = "`uv run handoff setup`, in the project"
        yield Finding("hooks", f"{problem}.", blocks=True, fix=fix)
    remotes = git_or_none(root, "remote", "--verbose") or ""
    if re.search(r"\t(ssh://|[\w.-]+@[\w.-]+:)", remotes) and not shutil.which("ssh"):
        fix = "`sudo apt-get install openssh-client`, or use the remote's https address"
        yield Finding("ssh", "A remote is reached by ssh, which is missing.", blocks=True, fix=fix)


def _network(environment: Mapping[str, str]) -> Iterator[Finding]:
    proxies = [name for name in ("http_proxy", "HTTP_PROXY") if environment.get(name)]
    direct = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    if proxies and "*" not in direct and "localhost" not in direct.split(","):
        yield Finding(
            "proxy",
            f"{proxies[0]} also catches calls to this machine. Commands of Baton go around it; a"
            " browser, curl and notebooks do not.",
            blocks=False,
            fix=f"`export no_proxy={','.join(THIS_MACHINE)}` in the start-up file of the shell",
        )


def _package_index(project: Project, environment: Mapping[str, str]) -> Iterator[Finding]:
    """What makes this machine resolve other packages than the rest of the team."""
    own = _uv_settings(project.root / "pyproject.toml", "tool", "uv")
    machine: dict[str, Any] = {}
    for file in _CONFIGURATION:
        machine |= _uv_settings(file.expanduser())
    if "UV_EXCLUDE_NEWER" in environment:
        yield Finding(
            "cooldown",
            "UV_EXCLUDE_NEWER excludes new packages, and is stronger than the project's settings.",
            blocks=True,
            fix="unset it in the project's folder",
        )
    elif _COOLDOWN in machine and _COOLDOWN not in own:
        yield Finding(
            "cooldown",
            "uv.toml of this machine excludes new packages, which the standards may pin.",
            blocks=False,
            fix=f"{_COOLDOWN} with the date of the standards, under [tool.uv] in pyproject.toml",
        )
    named = [name for name in _INDEXES if environment.get(name)]
    if (named or {"index", "index-url"} & machine.keys()) and "index" not in own:
        yield Finding(
            "index",
            f"{named[0] if named else 'uv.toml of this machine'} names a mirror, so `uv lock` here"
            " writes another lock than elsewhere.",
            blocks=False,
            fix="[[tool.uv.index]] with `default = true` in pyproject.toml, then `uv lock`",
        )


def _uv_settings(file: Path, *keys: str) -> dict[str, Any]:
    try:
        settings: Any = read_toml(file)
    except (OSError, ValueError):
        return {}
    for key in keys:
        settings = settings.get(key, {})
    return settings if isinstance(settings, dict) else {}


def _old_python(environment: Mapping[str, str]) -> Iterator[Finding]:
    python = shutil.which("python3", path=environment.get("PATH", os.defpath))
    if not python:
        return
    script = "import sys; print(*sys.version_info[:2])"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=False)
    version = tuple(map(int, done.stdout.split())) if done.returncode == 0 else _OLDEST
    if version < _OLDEST:
        yield Finding(
            "python",
            f"{python} is Python {'.'.join(map(str, version))}, too old for a project.",
            blocks=False,
            fix="begin commands with `uv run`, which brings the project's own Python",
        )
