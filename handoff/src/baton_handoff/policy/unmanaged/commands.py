"""The repository's own commands, with which a user produces what Baton would record."""

import json
import re
import shlex
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from baton_handoff.policy.checks.check_context import CheckContext
from baton_handoff.policy.unmanaged.packages import lock_of, requirements
from baton_handoff.policy.unmanaged.recognised import matching

_RUNNERS = {
    "uv.lock": "uv run ",
    "poetry.lock": "poetry run ",
    "pdm.lock": "pdm run ",
    "pixi.lock": "pixi run ",
    "Pipfile": "pipenv run ",
}
"""By a file of a package manager, how it runs commands in the environment."""

_TYPE_CHECKERS = (
    ("ty", "ty check", "ty.toml"),
    ("basedpyright", "basedpyright"),
    ("pyright", "pyright", "pyrightconfig.json"),
    ("pyrefly", "pyrefly check", "pyrefly.toml"),
)
"""Type checkers other than mypy: the package, the command, and the files that configure it."""

_FOLDER = "/handoff"
"""The folder of this package in the template's repository."""


def style(context: CheckContext) -> str:
    """The command that checks the style of the code."""
    if _uses(context, "black"):
        return in_environment(context, "black --check .")
    return _with_ruff(context, "ruff format --check .")


def lint(context: CheckContext) -> str:
    """The command that looks for faults in the code."""
    if _uses(context, "flake8", ".flake8"):
        return in_environment(context, "flake8 .")
    if _uses(context, "pylint", ".pylintrc", "pylintrc"):
        return in_environment(context, "pylint --recursive=y .")
    return _with_ruff(context, "ruff check .")


def types(context: CheckContext) -> str:
    """The command that checks types."""
    for tool, command, *files in _TYPE_CHECKERS:
        if _uses(context, tool, *files):
            return in_environment(context, command)
    in_src = any(code.file.startswith("src/") for code in context.code.modules)
    return in_environment(context, f"mypy {'src' if in_src else '.'}")


def in_environment(context: CheckContext, command: str) -> str:
    """A command, run in the repository's own environment."""
    runners = (runner for file, runner in _RUNNERS.items() if matching(context, re.escape(file)))
    return f"{next(runners, '')}{command}"


def adopt() -> str:
    """The command that adopts Baton, with the address that this package was installed from."""
    origin, address = installed_from()
    if "vcs_info" in origin:
        package = shlex.quote(f"baton-handoff @ git+{address}#subdirectory=handoff")
        return f"uvx --from {package} handoff adopt"
    clone = url2pathname(urlsplit(address).path).rstrip("/").removesuffix(_FOLDER)
    if address.startswith("file://") and (Path(clone) / "copier.yml").is_file():
        return f"uvx --from {shlex.quote(clone + _FOLDER)} handoff adopt {shlex.quote(clone)}"
    return "handoff adopt <address of Baton>"


def installed_from() -> tuple[Mapping[str, Any], str]:
    """What the installer recorded of the origin of this package (PEP 610), and the address."""
    try:
        origin = json.loads(distribution("baton-handoff").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        origin = {}
    return origin, str(origin.get("url", ""))


def _with_ruff(context: CheckContext, command: str) -> str:
    if any(one.name == "ruff" for one in requirements(context)):
        return in_environment(context, command)
    return f"uvx {command}"


def _uses(context: CheckContext, tool: str, *files: str) -> bool:
    """Whether the repository configures or requires a tool."""
    return (
        any(file in context.files.paths for file in files)
        or re.search(rf"(?m)^\s*\[tool\.{tool}[\].]", context.text("pyproject.toml") or "")
        is not None
        or re.search(rf'(?m)^name = "{tool}"$', context.text(lock_of(context) or "") or "")
        is not None
        or f"[{tool}]" in (context.text("setup.cfg") or "")
        or any(one.name == tool for one in requirements(context))
    )
