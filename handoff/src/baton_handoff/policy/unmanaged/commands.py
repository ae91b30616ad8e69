"""The repository's own commands, with which a user produces what Baton would record."""

import json
import re
import shlex
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
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
    return f"uvx copier copy --data starter=blank {_address()} ."


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


def _address() -> str:
    """The address of the template, as the installer recorded it (PEP 610)."""
    try:
        origin = json.loads(distribution("baton-handoff").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        origin = {}
    address = str(origin.get("url", ""))
    if "vcs_info" in origin:
        return f"git+{address}"
    if address.startswith("file://") and address.rstrip("/").endswith(_FOLDER):
        folder = url2pathname(urlsplit(address).path).rstrip("/").removesuffix(_FOLDER)
        if (Path(folder) / "copier.yml").is_file():
            return shlex.quote(folder)
    return "<address of Baton>"
