"""What somebody types in a repository to see what Baton would have recorded: its own tools."""

import json
import shlex
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from baton_handoff.policy.unmanaged.packages import needed
from baton_handoff.policy.unmanaged.repository import Repository

_PREFIXES = {
    "uv.lock": "uv run ",
    "poetry.lock": "poetry run ",
    "pdm.lock": "pdm run ",
    "pixi.lock": "pixi run ",
    "Pipfile": "pipenv run ",
}
"""By the file that says how its packages are installed, what its commands begin with."""

_PLACE = "/handoff"
"""Where this package lies in the template's repository."""


def tests(repository: Repository) -> str:
    """The command that runs its tests."""
    packages = {one.name for one in needed(repository)}
    texts = (repository.context.text(code.file) or "" for code in repository.tests)
    plain = "pytest" not in packages and not any("pytest" in text for text in texts)
    if plain and any("unittest" in code.imported_packages for code in repository.tests):
        return inside(repository, "python -m unittest")
    return inside(repository, "pytest")


def style(repository: Repository) -> str:
    """The command that says whether all code has one style."""
    if _configured(repository, "black"):
        return inside(repository, "black --check .")
    return _apart(repository, "ruff format --check .")


def faults(repository: Repository) -> str:
    """The command that looks for faults in code."""
    for tool, files in (("flake8", (".flake8",)), ("pylint", (".pylintrc", "pylintrc"))):
        if _configured(repository, tool) or any(file in repository.paths for file in files):
            return inside(repository, f"{tool} ." if tool == "flake8" else "pylint **/*.py")
    return _apart(repository, "ruff check .")


def types(repository: Repository) -> str:
    """The command that checks types."""
    if _configured(repository, "pyright") or "pyrightconfig.json" in repository.paths:
        return inside(repository, "pyright")
    where = "src" if any(code.file.startswith("src/") for code in repository.modules) else "."
    return inside(repository, f"mypy {where}")


def adopt() -> str:
    """The command that adopts Baton, with the address that this package was installed from."""
    return f"uvx copier copy --data starter=blank {_address()} ."


def inside(repository: Repository, command: str) -> str:
    """A command in the repository's own environment."""
    given = next((p for file, p in _PREFIXES.items() if file in repository.paths), "")
    return f"{given}{command}"


def _apart(repository: Repository, command: str) -> str:
    """A command that needs nothing of the environment: its own tool, or one fetched for it."""
    tool = command.partition(" ")[0]
    if any(one.name == tool for one in needed(repository)):
        return inside(repository, command)
    return f"uvx {command}"


def _configured(repository: Repository, tool: str) -> bool:
    """Whether it is set up in pyproject.toml or setup.cfg, or among its packages."""
    cfg = repository.context.text("setup.cfg") or ""
    return (
        f"[tool.{tool}" in (repository.context.text("pyproject.toml") or "")
        or f"[{tool}]" in cfg
        or any(one.name == tool for one in needed(repository))
    )


def _address() -> str:
    """Where the template lies, as the installer wrote it down (PEP 610)."""
    try:
        said = json.loads(distribution("baton-handoff").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        said = {}
    address = str(said.get("url", ""))
    if "vcs_info" in said:
        return f"git+{address}"
    if address.startswith("file://") and address.rstrip("/").endswith(_PLACE):
        folder = url2pathname(urlsplit(address).path).rstrip("/").removesuffix(_PLACE)
        if (Path(folder) / "copier.yml").is_file():
            return shlex.quote(folder)
    return "<address of Baton>"
