"""Checks of the environment: locked, installed, with the tools of the standards and hooks."""

import re
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.markers import Marker

from baton_handoff.config.project import ForeignEnvironmentError
from baton_handoff.config.standards import PYPROJECT
from baton_handoff.config.workspace import outer_workspace, workspace_remedy
from baton_handoff.core.git_hooks import hook_problem
from baton_handoff.core.numbers import plural
from baton_handoff.core.requirements import package_name
from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, check, finding_at
from baton_handoff.policy.evidence.recording import check_lock
from baton_handoff.policy.evidence.steps import STEPS
from baton_handoff.workstation.record import last

EXPLORATION = {
    *(
        "ipykernel",
        "jupyter",
        "jupyterlab",
        "matplotlib",
        "nbdime",
        "notebook",
        "papermill",
        "seaborn",
    ),
}
"""Packages that only exploration needs."""

_EDITORS = (".vscode/", ".idea/", ".zed/", ".fleet/", "*.code-workspace")
"""Where editors keep the settings of a project."""

_LISTED = 3
"""The number of names that a message lists."""


@check
def lock_current(context: CheckContext) -> CheckResult:
    """uv.lock matches pyproject.toml, as `uv lock --check` reports."""
    packages = _locked(context)
    if outer := outer_workspace(context.project.root):
        return CheckResult.not_met(
            f"The uv workspace {outer} holds lock and environment of this project.",
            fix=workspace_remedy(context.project.root, outer),
        )
    if not packages:
        return CheckResult.not_met("There is no uv.lock, so every machine installs other versions.")
    evidence = context.evidence.current("lock") or check_lock(context.project)
    if evidence is None:
        return CheckResult.not_shown("`uv lock --check` can't run.", command="uv lock --check")
    if not evidence.ok:
        findings = [finding_at(one.message, "pyproject.toml") for one in evidence.findings]
        return CheckResult.not_met("uv.lock does not match pyproject.toml.", *findings)
    return CheckResult.met(
        f"uv.lock matches pyproject.toml and locks {plural(len(packages), 'package')}."
    )


@check
def environment_current(context: CheckContext) -> CheckResult:
    """The locked packages are installed here, each in its locked version."""
    try:
        context.project.require_own_environment()
    except ForeignEnvironmentError as error:
        return CheckResult.not_met(error.problem, fix=error.fix)
    packages = _locked(context)
    if not packages:
        return CheckResult.not_met("There is no uv.lock to install from.")
    installed, needed = _installed(), _needed(context, packages)
    if not needed:
        return CheckResult.not_shown(
            "uv.lock does not list the packages of this project.", command="uv sync --check"
        )
    other = [
        f"{name} {installed[name]} (locked: {', '.join(versions)})"
        for name, entries in sorted(packages.items())
        if (versions := [one["version"] for one in entries if "version" in one])
        and installed.get(name, versions[0]) not in versions
    ]
    if other:
        return CheckResult.not_met(f"Another version is installed: {', '.join(other[:_LISTED])}.")
    if absent := sorted(needed - {*installed}):
        return CheckResult.not_met(f"Not installed: {', '.join(absent[:_LISTED])}.")
    return CheckResult.met(
        f"{plural(len(needed), 'package is', 'packages are')} installed as uv.lock locks them."
    )


@check
def hooks_installed(context: CheckContext) -> CheckResult:
    """Hooks with the project's own tools run before a commit."""
    if context.env.get("CI") or context.env.get("TF_BUILD"):
        return CheckResult.not_applicable("CI makes no commits.")
    if problem := hook_problem(context.project.root):
        return CheckResult.not_met(f"{problem}.")
    entries = [str(hook["entry"]) for hook in context.hooks if "entry" in hook]
    required = {"ruff format": STEPS["format"].hook, "ruff check": STEPS["lint"].hook}
    absent = [
        tool
        for tool, command in required.items()
        if not any(tool in entry or command in entry for entry in entries)
    ]
    if absent:
        return CheckResult.not_met(
            f"No hook runs {' or '.join(sorted(absent))}.",
            finding_at("a hook should fix what tools can fix", ".pre-commit-config.yaml"),
        )
    return CheckResult.met(f"{plural(len(entries), 'hook runs', 'hooks run')} before a commit.")


@check
def tools_proved(context: CheckContext) -> CheckResult:
    """The project uses the tools of the standards, in their versions."""
    uv = context.pyproject.get("tool", {}).get("uv", {})
    proved, setting = _proved_tools(context), "override-dependencies"
    replacements = (
        (setting, "pyproject.toml", uv.get(setting, [])),
        (setting, "uv.toml", context.toml("uv.toml").get(setting, [])),
        ("[tool.uv.sources]", "pyproject.toml", uv.get("sources", {})),
    )
    for setting, file, names in replacements:
        if changed := [name for one in names if (name := package_name(one)) in proved]:
            return CheckResult.not_met(
                f"{setting} of {file} replaces {', '.join(changed)} of the standards.",
                finding_at("use the version that the standards were proved with", file),
            )
    groups = context.pyproject.get("dependency-groups", {}).values()
    tools = re.compile(r"baton-standards\[.*\btools\b.*\]")
    if not any(tools.match(str(entry)) for group in groups for entry in group):
        return CheckResult.not_met(
            "No dependency group contains baton-standards[tools].",
            finding_at("the tools of the standards are missing", "pyproject.toml"),
        )
    return CheckResult.met(f"The project uses the {len(proved)} tools of the standards.")


@check
def tools_locked(context: CheckContext) -> CheckResult:
    """The lock pins the tools that the standards choose, so one set-up brings them to everybody."""
    packages, proved = _locked(context), _proved_tools(context)
    if absent := sorted(proved - packages.keys()):
        more = f" and {len(absent) - _LISTED} more" if len(absent) > _LISTED else ""
        return CheckResult.not_met(
            f"uv.lock does not pin {', '.join(absent[:_LISTED])}{more}.",
            finding_at("tools of the standards are missing in the lock", "uv.lock"),
        )
    if not proved:
        return CheckResult.not_met(f"{PYPROJECT} names no tools.")
    message = f"uv.lock pins the {len(proved)} tools that the standards set up."
    return _as_examined(context, "tools", message)


@check
def editor_set_up(context: CheckContext) -> CheckResult:
    """The settings of an editor are committed, so everybody's editor shows the same errors."""
    found = context.files.under(_EDITORS)
    committed = {*context.files.in_git}
    if settings := [path for path in found if path in committed]:
        message = f"The editor's settings are committed in {settings[0]}."
        return _as_examined(context, "extensions", message)
    for place in _EDITORS:
        # A gitignore of a person may hide them.
        if not place.startswith("*") and (context.project.root / place).exists():
            return CheckResult.not_met(
                f"{place} has the editor's settings, and git does not track them.",
                finding_at("git does not track it", place),
            )
    return CheckResult.not_met("No settings of an editor are committed.")


def _as_examined(context: CheckContext, kind: str, message: str) -> CheckResult:
    """Met, unless the doctor's last run on this machine has found that something is missing."""
    examined = None if context.env.get("CI") else last(context.project)
    if examined is None:
        return CheckResult.met(message)
    role = f" --role {examined.roles[0]}" if len(examined.roles) == 1 else ""
    command = f"uv run handoff doctor{role}"
    if kind in examined.missing:
        return CheckResult.not_met(
            f"On {examined.day}, this machine lacked {kind} of {' and '.join(examined.roles)}.",
            fix=f"`{command}`, then the commands that it prints, then `{command}` again",
        )
    return CheckResult.met(f"{message} On {examined.day}, `{command}` found all {kind} here.")


@check
def dependencies_apart(context: CheckContext) -> CheckResult:
    """Production installs no package of exploration or development."""
    unwanted = EXPLORATION | _proved_tools(context)
    groups = {
        "dependencies": context.pyproject.get("project", {}).get("dependencies", []),
        "service": _group(context.pyproject.get("dependency-groups", {}), "service"),
    }
    for name, requirements in groups.items():
        if found := sorted(unwanted & set(map(package_name, requirements))):
            return CheckResult.not_met(
                f"The service would install {', '.join(found)}.",
                finding_at(
                    f"{name} contains a package that production does not need", "pyproject.toml"
                ),
            )
    return CheckResult.met("Production installs no package of exploration or development.")


def _proved_tools(context: CheckContext) -> set[str]:
    """The tools whose versions the standards pin."""
    extras = context.toml(PYPROJECT).get("project", {}).get("optional-dependencies", {})
    return set(map(package_name, extras.get("tools", [])))


def _group(groups: Mapping[str, list[Any]], name: str) -> Iterator[str]:
    """The requirements of a dependency group, with those of the groups that it includes."""
    for entry in groups.get(name, []):
        if isinstance(entry, str):
            yield entry
        else:
            yield from _group(groups, entry["include-group"])


def _locked(context: CheckContext) -> dict[str, list[dict[str, Any]]]:
    """The entries of uv.lock by name; a name has several if versions differ by platform."""
    packages: dict[str, list[dict[str, Any]]] = {}
    for entry in context.toml(context.project.lock).get("package", []):
        packages.setdefault(entry["name"], []).append(entry)
    return packages


def _needed(context: CheckContext, packages: Mapping[str, list[dict[str, Any]]]) -> set[str]:
    """The packages that `uv sync` installs on this machine, without the project itself."""
    name = package_name(context.pyproject.get("project", {}).get("name", ""))
    project = packages.get(name, [{}])[0]
    groups = project.get("dev-dependencies", {})
    chosen = context.pyproject.get("tool", {}).get("uv", {}).get("default-groups", ["dev"])
    queue = [
        *project.get("dependencies", []),
        *(one for name in groups if chosen == "all" or name in chosen for one in groups[name]),
    ]
    found: set[tuple[str, str]] = set()
    while queue:
        wanted = queue.pop()
        if "marker" in wanted and not Marker(wanted["marker"]).evaluate({"extra": ""}):
            continue
        for extra in {"", *wanted.get("extra", [])}:
            if (wanted["name"], extra) in found:
                continue
            found.add((wanted["name"], extra))
            for package in packages.get(wanted["name"], []):
                if wanted.get("version", package.get("version")) == package.get("version"):
                    extras = package.get("optional-dependencies", {})
                    queue += extras.get(extra, []) if extra else package.get("dependencies", [])
    # A virtual package only lists others.
    return {
        name for name, _ in found if "virtual" not in packages.get(name, [{}])[0].get("source", {})
    }


def _installed() -> dict[str, str]:
    """The versions of the installed packages, by the folders of their metadata."""
    folders = Path(sysconfig.get_path("purelib")).glob("*.dist-info")
    parts = (folder.name.removesuffix(".dist-info").rpartition("-") for folder in folders)
    return {package_name(name): version for name, _, version in parts}
