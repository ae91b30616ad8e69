"""The packages that a repository says it needs, in every file in which people say that."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from baton_handoff.core.requirements import package_name
from baton_handoff.policy.unmanaged.repository import Repository

_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pixi.lock", "conda-lock.yml")
"""Files in which a tool writes down every package with its version."""

_DEVELOPING = re.compile(r"dev|test|lint|doc|notebook|explor", re.IGNORECASE)


@dataclass(frozen=True)
class Needed:
    """A package that a repository says it needs.

    Attributes:
        name: Its normalised name.
        pinned: Whether exactly one version is asked for.
        file: Where that stands.
        line: The line, None where it is not known.
        developing: Whether only those who develop need it.
    """

    name: str
    pinned: bool
    file: str
    line: int | None = None
    developing: bool = False


def lock_of(repository: Repository) -> str | None:
    """The file in which a tool has locked its packages; None without one."""
    return next((name for name in _LOCKS if name in repository.paths), None)


def needed(repository: Repository) -> list[Needed]:
    """Every package that it says it needs."""
    return [
        *_of_requirements(repository),
        *_of_pyproject(repository),
        *_of_environment(repository),
        *_of_setup(repository),
    ]


def _of_requirements(repository: Repository) -> Iterator[Needed]:
    for path in repository.paths:
        if not re.fullmatch(r"(requirements/)?[\w.-]*\.txt", path) or (
            "requirements" not in path.lower()
        ):
            continue
        text = repository.context.text(path) or ""
        for number, line in enumerate(text.splitlines(), start=1):
            # An option, an address or a folder names no package.
            if re.match(r"\s*[A-Za-z][\w.-]*\s*([\[=<>!~;,#@]|$)", line):
                yield _needed(line, path, number, developing=bool(_DEVELOPING.search(path)))


def _of_pyproject(repository: Repository) -> Iterator[Needed]:
    file = "pyproject.toml"
    said = repository.context.pyproject
    project, poetry = said.get("project", {}), said.get("tool", {}).get("poetry", {})
    yield from _listed(project.get("dependencies", []), file)
    for name, extra in project.get("optional-dependencies", {}).items():
        yield from _listed(extra, file, developing=bool(_DEVELOPING.search(name)))
    for group in said.get("dependency-groups", {}).values():
        yield from _listed(group, file, developing=True)
    yield from _of_poetry(poetry.get("dependencies", {}), developing=False)
    yield from _of_poetry(poetry.get("dev-dependencies", {}), developing=True)
    for group in poetry.get("group", {}).values():
        yield from _of_poetry(group.get("dependencies", {}), developing=True)
    pipfile = repository.context.toml("Pipfile")
    for table, developing in (("packages", False), ("dev-packages", True)):
        for name, version in pipfile.get(table, {}).items():
            pinned = str(version).startswith("==")
            yield Needed(package_name(name), pinned, "Pipfile", developing=developing)


def _of_poetry(table: Mapping[str, Any], *, developing: bool) -> Iterator[Needed]:
    for name, version in table.items():
        if name != "python":
            pinned = bool(re.fullmatch(r"=*\d[\w.]*", str(version)))
            yield Needed(package_name(name), pinned, "pyproject.toml", developing=developing)


def _of_environment(repository: Repository) -> Iterator[Needed]:
    for path in ("environment.yml", "environment.yaml"):
        said = repository.context.yaml(path) or {}
        for one in said.get("dependencies", []):
            pip = one.get("pip", []) if isinstance(one, Mapping) else []
            yield from _listed(pip, path)
            if isinstance(one, str) and package_name(one) not in ("python", "pip"):
                yield Needed(package_name(one), "=" in one, path)


def _of_setup(repository: Repository) -> Iterator[Needed]:
    for code in repository.modules:
        if code.file != "setup.py":
            continue
        for node in code.nodes(ast.keyword):
            if node.arg == "install_requires":
                listed = node.value.elts if isinstance(node.value, ast.List) else []
                for one in listed:
                    if isinstance(one, ast.Constant) and isinstance(one.value, str):
                        yield _needed(one.value, "setup.py", one.lineno)


def _listed(said: Iterable[object], file: str, *, developing: bool = False) -> Iterator[Needed]:
    for one in said:
        if isinstance(one, str):
            yield _needed(one, file, None, developing=developing)


def _needed(said: str, file: str, line: int | None, *, developing: bool = False) -> Needed:
    pinned = bool(re.match(r"\s*[\w.-]+(\[[^]]*\])?\s*={2,3}\s*[^*\s]+", said))
    return Needed(package_name(said), pinned, PurePosixPath(file).as_posix(), line, developing)
