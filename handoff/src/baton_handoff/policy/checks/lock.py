"""What uv.lock says: of what pyproject.toml asks for, and of what belongs on this machine."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from baton_handoff.core.requirements import package_name
from baton_handoff.policy.checks.check_context import CheckContext

_MACHINES = [
    {
        "python_version": f"3.{minor}",
        "python_full_version": f"3.{minor}.{patch}",
        "sys_platform": platform,
        "platform_system": system,
        "os_name": "nt" if platform == "win32" else "posix",
        "platform_machine": machine,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    for minor, patch in product(range(9, 16), (0, 50))
    for platform, system, machine in (
        *(("linux", "Linux", "x86_64"), ("linux", "Linux", "aarch64")),
        *(("darwin", "Darwin", "arm64"), ("win32", "Windows", "AMD64")),
    )
]
"""Machines that a marker may be about."""


def asked_for(pyproject: dict[str, Any]) -> dict[str, list[str]]:
    """What pyproject.toml asks for, by group; run time, with its extras, under no name."""
    groups: dict[str, list[Any]] = pyproject.get("dependency-groups", {})

    def of(group: str, above: tuple[str, ...] = ()) -> Iterator[str]:
        for entry in groups.get(group, []):
            if isinstance(entry, str):
                yield entry
            elif (inner := entry.get("include-group")) and inner not in above:
                yield from of(inner, (*above, group))

    project = pyproject.get("project", {})
    extras = [
        _with_extra(one, extra)
        for extra, several in project.get("optional-dependencies", {}).items()
        for one in several
    ]
    run_time = [*project.get("dependencies", []), *extras]
    return {"": run_time, **{package_name(group): [*of(group)] for group in groups}}


def _with_extra(requirement: str, extra: str) -> str:
    one, _, marker = requirement.partition(";")
    also = f"({marker.strip()}) and " if marker.strip() else ""
    return f"{one.strip()} ; {also}extra == '{extra}'"


def own_entry(context: CheckContext) -> dict[str, Any]:
    """What uv.lock says of the project itself."""
    own = package_name(context.pyproject.get("project", {}).get("name", ""))
    packages = context.toml("uv.lock").get("package", [])
    return next((one for one in packages if one["name"] == own), {})


def apart_about_python(lock: Mapping[str, Any], pyproject: Mapping[str, Any]) -> set[str]:
    """Whether lock and project are for other versions of Python; a workspace has one for all."""
    stated = pyproject.get("project", {}).get("requires-python")
    if stated is None or "workspace" in pyproject.get("tool", {}).get("uv", {}):
        return set()
    pythons = [f"3.{minor}.{patch}" for minor in range(8, 21) for patch in (0, 1, 50)]
    ours, locked = SpecifierSet(stated), SpecifierSet(lock.get("requires-python", ""))
    return {"Python"} if [*ours.filter(pythons)] != [*locked.filter(pythons)] else set()


def apart_about_packages(entry: Mapping[str, Any], pyproject: dict[str, Any]) -> set[str]:
    """The names of which lock and project ask for something else, on any machine."""
    about, stated = entry.get("metadata", {}), asked_for(pyproject)
    locked = {"": about.get("requires-dist", []), **about.get("requires-dev", {})}
    python = SpecifierSet(pyproject.get("project", {}).get("requires-python", ""))
    # Where a source of uv's says which one is taken, the lock has no version to compare.
    sources = pyproject.get("tool", {}).get("uv", {}).get("sources", {})
    placed = {package_name(name) for name, said in sources.items() if "index" not in said}
    if pyproject.get("project", {}).get("dynamic"):
        locked[""], stated[""] = [], []  # something else than pyproject.toml says it
    apart: set[str] = set()
    for group in {*locked, *stated}:
        ours = _asked(map(Requirement, stated.get(group, [])), placed, python)
        theirs = _asked(map(_as_requirement, locked.get(group, [])), placed, python)
        apart |= {name for name, *_ in ours ^ theirs}
    return apart


def _as_requirement(entry: Mapping[str, Any]) -> Requirement:
    extras = f"[{','.join(entry['extras'])}]" if entry.get("extras") else ""
    marker = f" ; {entry['marker']}" if entry.get("marker") else ""
    return Requirement(f"{entry['name']}{extras}{entry.get('specifier', '')}{marker}")


def _asked(
    wanted: Iterable[Requirement], placed: set[str], python: SpecifierSet
) -> set[tuple[str, frozenset[str], SpecifierSet, int, str]]:
    """What is asked for on which machine: uv writes a marker otherwise than people do."""
    here = [n for n, one in enumerate(_MACHINES) if python.contains(one["python_full_version"])]
    found = set()
    for one in wanted:
        name, extras = package_name(one.name), frozenset(map(package_name, one.extras))
        version = SpecifierSet() if name in placed or one.url else one.specifier
        of_extras = re.findall(r"extra == [\"']([^\"']+)", str(one.marker)) or [""]
        for machine, extra in product(here or range(len(_MACHINES)), of_extras):
            if one.marker is None or one.marker.evaluate({**_MACHINES[machine], "extra": extra}):
                found.add((name, extras, version, machine, package_name(extra)))
    return found


def wanted(context: CheckContext) -> set[str]:
    """What `uv sync` installs here of what the lock has, by name; the project itself left out."""
    own = own_entry(context)
    packages: dict[str, list[dict[str, Any]]] = {}
    for one in context.toml("uv.lock").get("package", []):
        packages.setdefault(one["name"], []).append(one)
    dev = own.get("dev-dependencies", {})
    chosen = context.pyproject.get("tool", {}).get("uv", {}).get("default-groups", ["dev"])
    groups = dev if chosen == "all" else chosen
    waiting = [
        *own.get("dependencies", []),
        *(one for group in groups for one in dev.get(group, [])),
    ]
    found: set[tuple[str, str]] = set()
    while waiting:
        one = waiting.pop()
        if "marker" in one and not Marker(one["marker"]).evaluate({"extra": ""}):
            continue
        for extra in {"", *one.get("extra", [])} - {e for name, e in found if name == one["name"]}:
            found.add((one["name"], extra))
            for package in packages.get(one["name"], []):
                if one.get("version", package.get("version")) == package.get("version"):
                    of_extra = package.get("optional-dependencies", {}).get(extra, [])
                    waiting += of_extra if extra else package.get("dependencies", [])
    # A virtual package only names others.
    virtual = {
        name for name, several in packages.items() if "virtual" in several[0].get("source", {})
    }
    return {name for name, _ in found} - virtual
