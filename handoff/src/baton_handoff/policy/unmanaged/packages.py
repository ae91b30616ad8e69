"""The packages that a repository requires, in every file that can list them."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from baton_handoff.core.requirements import package_name
from baton_handoff.policy.checks.check_context import CheckContext
from baton_handoff.policy.unmanaged.recognised import matching
from baton_handoff.source_code.modules import is_own

_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pixi.lock", "conda-lock.yml")
_FOLDER = r"(.*/)?requirements/[\w.-]+\.(txt|in)"
_CONDA = r"(.*/)?[\w.-]*(env|environment|conda|dependencies)[\w.-]*\.ya?ml"
_DEVELOPMENT = re.compile(r"dev|test|lint|doc|notebook|explor|(^|[/_-])ci[/_.-]", re.IGNORECASE)
_PINNED = re.compile(r"\s*[\w.:-]+(\[[^]]*\])?\s*={1,3}\s*[^*\s;,#]+\s*([;#\\=].*|--hash.*)?")


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
    names = "|".join(map(re.escape, _LOCKS))
    return next(iter(matching(context, rf"(.*/)?({names})")), None)


def requirements(context: CheckContext) -> list[RequiredPackage]:
    """Every package that the repository requires."""
    if "requirements" not in context.memo:
        context.memo["requirements"] = _requirements(context)
    known: list[RequiredPackage] = context.memo["requirements"]
    return known


def _requirements(context: CheckContext) -> list[RequiredPackage]:
    return [
        *_of_text_files(context),
        *(
            package
            for file in matching(context, r"(.*/)?pyproject\.toml")
            for package in _of_pyproject(context.toml(file), file)
        ),
        *(
            package
            for file in matching(context, r"(.*/)?Pipfile")
            for key in ("packages", "dev-packages")
            for package in _of_tables(
                context.toml(file), key, file, development=key.startswith("dev")
            )
        ),
        *_of_conda(context),
        *_of_setup(context),
    ]


def _of_text_files(context: CheckContext) -> Iterator[RequiredPackage]:
    for path in matching(context, r"(.*/)?[\w.-]*requirements[\w.-]*\.(txt|in)", _FOLDER):
        if is_own(path):
            lines = (context.text(path) or "").splitlines()
            for number, line in enumerate(lines, start=1):
                # Other lines are options, addresses and folders.
                if re.match(r"\s*[A-Za-z][\w.-]*\s*([\[=<>!~;,#@]|$)", line):
                    yield _required(line, path, number, bool(_DEVELOPMENT.search(path)))


def _of_pyproject(content: Mapping[str, Any], file: str) -> Iterator[RequiredPackage]:
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
    for file in matching(context, _CONDA):
        content, development = context.yaml(file), bool(_DEVELOPMENT.search(file))
        for entry in content.get("dependencies") or [] if isinstance(content, Mapping) else ():
            if isinstance(entry, Mapping):
                yield from _of_list(entry.get("pip", []), file, development=development)
            elif isinstance(entry, str):
                package = entry.rpartition("::")[2]
                if package_name(package) not in ("python", "pip"):
                    yield _required(package, file, None, development)


def _of_setup(context: CheckContext) -> Iterator[RequiredPackage]:
    for code in context.code.modules:
        for node in code.nodes(ast.keyword) if _is_setup(code.file) else ():
            if node.arg == "install_requires" and isinstance(node.value, ast.List):
                for entry in node.value.elts:
                    if isinstance(entry, ast.Constant) and isinstance(entry.value, str):
                        yield _required(entry.value, code.file, entry.lineno)


def _is_setup(file: str) -> bool:
    return file == "setup.py" or file.endswith("/setup.py")


def _of_list(
    entries: Iterable[object], file: str, *, development: bool = False
) -> Iterator[RequiredPackage]:
    for entry in entries:
        if isinstance(entry, str):
            yield _required(entry, file, None, development)


def _required(
    requirement: str, file: str, line: int | None, development: bool = False
) -> RequiredPackage:
    pinned = bool(_PINNED.fullmatch(requirement))
    return RequiredPackage(package_name(requirement), pinned, file, line, development)
