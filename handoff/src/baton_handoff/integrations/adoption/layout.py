"""What a repository tells about itself: names, package, Python, CI, and who installs its packages.

Everything is read, nothing is run. What can't be read has the template's default.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from baton_handoff.config.workspace import outer_workspace
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.files import text_of
from baton_handoff.core.git import git_or_none
from baton_handoff.core.requirements import package_name
from baton_handoff.core.toml_files import read_toml

Manager: TypeAlias = Literal["uv", "poetry", "conda", "pip"]

PYTHONS = ("3.11", "3.12", "3.13")
"""The answers to the question for the oldest Python."""

_CI_FILES = {
    "github": (".github/workflows",),
    "gitlab": (".gitlab-ci.yml", ".gitlab-ci.yaml"),
    "azure": ("azure-pipelines.yml", ".azure-pipelines", ".pipelines", ".azuredevops"),
}
_HOSTS = {"github": "github", "gitlab": "gitlab", "azure": "dev.azure|visualstudio"}
_LISTS = ("requirements*.txt", "requirements/*.txt", "environment.y*ml", "Pipfile", "setup.py")


@dataclass(frozen=True)
class Layout:
    """A repository as it is.

    Attributes:
        name: Its name for people.
        description: What it is for; empty if nothing tells it.
        packages: Its own packages: the import name of each, with its folder.
        package: The package that gets the contracts.
        python: The oldest Python that it names, `3.8` for example; empty if it names none.
        ci: The provider that runs its checks.
        manager: What installs its packages.
        own_environment: Why the command `handoff` needs an environment of its own; empty if it can
            be part of the repository's.
        dataframe: `pandas` or `polars`.
        team: The handle of its owners in CODEOWNERS; empty without one.
        prefix: What distinguishes its name in the template from one that is taken.
    """

    name: str
    description: str
    packages: Mapping[str, str]
    package: str
    python: str
    ci: str
    manager: Manager
    own_environment: str
    dataframe: str
    team: str
    prefix: str = ""

    @property
    def slug(self) -> str:
        """The name as the template's validators accept it."""
        words = re.findall(r"[a-z0-9]+", self.name.lower())
        slug = "-".join(words)[:40].strip("-")
        return slug if slug[:1].isalpha() else f"project-{slug}".strip("-")[:40]

    def answers(self) -> dict[str, str | int]:
        """The answers to the questions of the template."""
        answers: dict[str, str | int] = {
            "project_name": self.name,
            "project_slug": f"{self.prefix}{self.slug}"[:40].strip("-"),
            "package_name": self.package,
            "description": self.description,
            "starter": "blank",
            "level": 0,
            "dataframe": self.dataframe,
            "ci": self.ci,
            "cloud": "none",
            "python": self.python if self.python in PYTHONS else PYTHONS[0],
        }
        if self.team:
            answers |= {"data_science_team": self.team, "ml_engineering_team": self.team}
        return answers


def read_layout(root: Path) -> Layout:
    """Read a repository, or a folder of one.

    Raises:
        SettingsError: Its pyproject.toml is no valid TOML.
    """
    pyproject = read_toml(root / "pyproject.toml") if (root / "pyproject.toml").exists() else {}
    tables = [pyproject.get("project", {}), pyproject.get("tool", {}).get("poetry", {})]
    name = next((str(one["name"]) for one in tables if one.get("name")), "") or _setup(root, "name")
    text = next((str(one["description"]) for one in tables if one.get("description")), "")
    manager, python = _manager(root, pyproject), _python(root, tables)
    own = _own_environment(root, pyproject, manager, python)
    packages = dict(_packages(root))
    name = " ".join((name or root.resolve().name).split())[:80]
    layout = Layout(
        name=name,
        description=" ".join((text or _setup(root, "description")).split())[:200],
        packages=packages,
        package="",
        python=python,
        ci=_ci(root),
        manager=manager,
        own_environment=own,
        dataframe="polars" if {"polars"} == {*_lists(root)} & {"polars", "pandas"} else "pandas",
        team=_team(root),
    )
    return Layout(**{**vars(layout), "package": _package(root, layout)})


def _manager(root: Path, pyproject: Mapping[str, Any]) -> Manager:
    tool = pyproject.get("tool", {})
    if "poetry" in tool or (root / "poetry.lock").exists():
        return "poetry"
    if "project" in pyproject and ("uv" in tool or (root / "uv.lock").exists()):
        return "uv"
    return "conda" if [*root.glob("environment.y*ml")] else "pip"


def _own_environment(
    root: Path, pyproject: Mapping[str, Any], manager: Manager, python: str
) -> str:
    if manager != "uv":
        return f"{manager} installs this repository's packages"
    if outer := outer_workspace(root):
        return f"the uv workspace {outer} holds its lock"
    bound = str(pyproject["project"].get("requires-python", ""))
    if not python or _minor(python) < _minor(PYTHONS[0]):
        stated = f"`requires-python` is `{bound}`" if bound else "it lacks `requires-python`"
        return f"{stated}, and the standards need Python {PYTHONS[0]}"
    return ""


def _minor(python: str) -> tuple[int, int]:
    major, _, minor = python.partition(".")
    return int(major), int(minor or 0)


def _python(root: Path, tables: list[dict[str, Any]]) -> str:
    """The oldest Python that the first file which names one names."""
    project, poetry = tables
    stated = [
        str(project.get("requires-python", "")),
        str(poetry.get("dependencies", {}).get("python", "")),
        text_of(root / ".python-version") if (root / ".python-version").is_file() else "",
        *(
            "".join(re.findall(r"(?m)^\s*-\s*python\s*[=<>~ ]+\s*[\d.]+", text_of(file)))
            for file in sorted(root.glob("environment.y*ml"))
        ),
        _setup(root, "python_requires"),
    ]
    for text in stated:
        # Not the bound above: `>=3.9,<3.13`.
        lower = re.search(r"(?<![<!.\d])\s*(3\.\d+)", re.sub(r"[<!]=?\s*[\d.]+", "", text))
        if lower:
            return lower[1]
    return ""


def _setup(root: Path, keyword: str) -> str:
    """A text that setup.py or setup.cfg passes to setuptools; empty if neither states it."""
    if (root / "setup.py").is_file():
        try:
            tree = ast.parse(text_of(root / "setup.py"))
        except (SyntaxError, ValueError):
            tree = ast.Module([], [])
        for node in ast.walk(tree):
            match node:
                case ast.keyword(arg=arg, value=ast.Constant(value=str(value))) if arg == keyword:
                    return value
    if (root / "setup.cfg").is_file():
        found = re.search(rf"(?m)^{keyword}\s*=\s*(.+)$", text_of(root / "setup.cfg"))
        return found[1].strip() if found else ""
    return ""


def _ci(root: Path) -> str:
    for provider, paths in _CI_FILES.items():
        if any((root / path).exists() for path in paths):
            return provider
    top = git_or_none(root, "rev-parse", "--show-toplevel")
    if top and Path(top.strip()).resolve() != root.resolve():
        return _ci(Path(top.strip()))
    remote = git_or_none(root, "remote", "get-url", "origin") or ""
    return next((one for one, host in _HOSTS.items() if re.search(host, remote)), "github")


def _packages(root: Path) -> Iterator[tuple[str, str]]:
    """The packages in `src/` and beside it; `src/` itself may be one."""
    for folder in (root / "src", root):
        for file in sorted(folder.glob("*/__init__.py")):
            name = file.parent.name
            if name not in ("tests", "test", "docs", "notebooks", "scripts"):
                yield name, file.parent.relative_to(root).as_posix()


def _package(root: Path, layout: Layout) -> str:
    """The only package in `src/` if it can be imported here, otherwise a new one."""
    inside = [name for name, place in layout.packages.items() if place == f"src/{name}"]
    if len(inside) == 1 and _is_valid(inside[0]):
        file = root / "src" / inside[0] / "__init__.py"
        if not layout.own_environment or not _imports(text_of(file)):
            return inside[0]
    name = layout.slug.replace("-", "_")
    taken = {*layout.packages, *(path.stem for path in root.glob("*.py"))}
    return name if name not in taken else f"{name[:32]}_handoff"


def _is_valid(name: str) -> bool:
    return bool(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name)) and len(name) <= 40


def _imports(text: str) -> bool:
    """Whether a module imports anything that may be missing in another environment."""
    try:
        nodes = [*ast.walk(ast.parse(text))]
    except (SyntaxError, ValueError):
        return True
    names = [one.name for node in nodes if isinstance(node, ast.Import) for one in node.names]
    names += [
        "" if node.level else str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)
    ]
    return any(name.partition(".")[0] not in sys.stdlib_module_names for name in names)


def _lists(root: Path) -> Iterator[str]:
    """The names of packages in every list of them."""
    for pattern in (*_LISTS, "pyproject.toml"):
        for file in sorted(root.glob(pattern)):
            for word in re.findall(r"(?m)^[\s\"'-]*([A-Za-z][\w.-]*)", text_of(file)):
                yield package_name(word)


def _team(root: Path) -> str:
    """The first owner of everything in CODEOWNERS."""
    for place in ("CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", "docs/CODEOWNERS"):
        if (root / place).is_file():
            found = re.search(r"(?m)^\*\s+(@[\w./-]+)", text_of(root / place))
            return found[1] if found else ""
    return ""


def require_new(root: Path) -> None:
    """Check that a repository has not adopted a template before.

    Raises:
        HandoffError: It has.
    """
    if (root / "handoff.toml").exists():
        raise HandoffError("handoff.toml exists: this repository has adopted Baton already.")
    if (root / ".copier-answers.yml").exists():
        raise HandoffError(
            ".copier-answers.yml exists: this folder was made from another template. Copier keeps"
            " the answers of one template in a folder, so adopt Baton in a folder below it."
        )
