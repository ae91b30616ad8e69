"""The packages that a repository requires, in every file that can list them."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from baton_handoff.core.requirements import package_name
from baton_handoff.policy.checks.check_context import CheckContext

_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pixi.lock", "conda-lock.yml")
_DEVELOPMENT = re.compile(r"dev|test|lint|doc|notebook|explor", re.IGNORECASE)
_PINNED = re.compile(r"\s*[\w.-]+(\[[^]]*\])?\s*={2,3}\s*[^*\s]+")


@dataclass(frozen=True)
class RequiredPackage:
    """A package that a repository requires.

    Attributes:
        name: Its normalised name.
        pinned: Whether exactly one version is allowed.
        file: The file that lists it.
        line: The line, None if it is unknown.
        development: Whether only developers need it.
    """

    name: str
    pinned: bool
    file: str
    line: int | None = None
    development: bool = False


def lock_of(context: CheckContext) -> str | None:
    """The lock of a package manager; None without one."""
    return next((name for name in _LOCKS if name in context.files.paths), None)


def requirements(context: CheckContext) -> list[RequiredPackage]:
    """Every package that the repository requires."""
    return [
        *_of_text_files(context),
        *_of_pyproject(context.pyproject),
        *_of_tables(context.toml("Pipfile"), "packages", "Pipfile"),
        *_of_tables(context.toml("Pipfile"), "dev-packages", "Pipfile", development=True),
        *_of_conda(context),
        *_of_setup(context),
    ]


def _of_text_files(context: CheckContext) -> Iterator[RequiredPackage]:
    for path in context.files.paths:
        if "requirements" in path.lower() and re.fullmatch(r"(requirements/)?[\w.-]*\.txt", path):
            lines = (context.text(path) or "").splitlines()
            for number, line in enumerate(lines, start=1):
                # Other lines are options, addresses and folders.
                if re.match(r"\s*[A-Za-z][\w.-]*\s*([\[=<>!~;,#@]|$)", line):
                    yield _required(line, path, number, bool(_DEVELOPMENT.search(path)))


def _of_pyproject(content: Mapping[str, Any]) -> Iterator[RequiredPackage]:
    file = "pyproject.toml"
    project, poetry = content.get("project", {}), content.get("tool", {}).get("poetry", {})
    yield from _of_list(project.get("dependencies", []), file)
    for name, extra in project.get("optional-dependencies", {}).items():
        yield from _of_list(extra, file, development=bool(_DEVELOPMENT.search(name)))
    for group in content.get("dependency-groups", {}).values():
        yield from _of_list(group, file, development=True)
    yield from _of_tables(poetry, "dependencies", file)
    yield from _of_tables(poetry, "dev-dependencies", file, development=True)
    for group in poetry.get("group", {}).values():
        yield from _of_tables(group, "dependencies", file, development=True)


def _of_tables(
    content: Mapping[str, Any], key: str, file: str, *, development: bool = False
) -> Iterator[RequiredPackage]:
    """The packages of Poetry or Pipenv, tables of names and versions."""
    for name, version in content.get(key, {}).items():
        if name != "python":
            pinned = bool(re.fullmatch(r"=*\d[\w.]*", str(version)))
            yield RequiredPackage(package_name(name), pinned, file, development=development)


def _of_conda(context: CheckContext) -> Iterator[RequiredPackage]:
    for file in ("environment.yml", "environment.yaml"):
        for entry in (context.yaml(file) or {}).get("dependencies", []):
            if isinstance(entry, Mapping):
                yield from _of_list(entry.get("pip", []), file)
            elif package_name(entry) not in ("python", "pip"):
                yield RequiredPackage(package_name(entry), "=" in entry, file)


def _of_setup(context: CheckContext) -> Iterator[RequiredPackage]:
    for code in context.code.modules:
        for node in code.nodes(ast.keyword) if code.file == "setup.py" else ():
            if node.arg == "install_requires" and isinstance(node.value, ast.List):
                for entry in node.value.elts:
                    if isinstance(entry, ast.Constant) and isinstance(entry.value, str):
                        yield _required(entry.value, "setup.py", entry.lineno)


def _of_list(
    entries: Iterable[object], file: str, *, development: bool = False
) -> Iterator[RequiredPackage]:
    for entry in entries:
        if isinstance(entry, str):
            yield _required(entry, file, None, development)


def _required(
    requirement: str, file: str, line: int | None, development: bool = False
) -> RequiredPackage:
    pinned = bool(_PINNED.match(requirement))
    return RequiredPackage(package_name(requirement), pinned, file, line, development)
