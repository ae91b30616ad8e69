"""Checks of the environment: what is locked, installed, and of which tools."""

import re
import sysconfig
from pathlib import Path

from packaging.requirements import InvalidRequirement
from packaging.specifiers import InvalidSpecifier

from baton_handoff.config.standards import PYPROJECT
from baton_handoff.core.requirements import package_name
from baton_handoff.policy.checks.check_context import (
    CheckContext,
    CheckResult,
    finding_at,
    met,
    not_applicable,
    not_met,
    not_shown,
)
from baton_handoff.policy.checks.lock import (
    apart_about_packages,
    apart_about_python,
    asked_for,
    own_entry,
    wanted,
)
from baton_handoff.policy.evidence.steps import STEPS

EXPLORING = {"ipykernel", "jupyter", "jupyterlab", "matplotlib", "notebook", "seaborn"}
"""Packages that only exploration needs."""


def lock_current(context: CheckContext) -> CheckResult:
    """The lock was made for what pyproject.toml asks for: versions, extras and Python included."""
    lock, project = context.toml("uv.lock"), context.pyproject.get("project", {})
    if not lock.get("package"):
        return not_met("There is no uv.lock: every machine would install something else.")
    if not project.get("name"):
        message = "pyproject.toml names no project of its own, so its uv.lock is of other folders."
        return not_shown(message, "uv lock --check")
    entry = own_entry(context)
    if not entry:
        return not_met(f"uv.lock is not of {project['name']}.")
    try:
        python = apart_about_python(lock, context.pyproject)
        apart = python or apart_about_packages(entry, context.pyproject)
    except (InvalidRequirement, InvalidSpecifier) as error:
        first = str(error).partition("\n")[0]
        return not_met(f"pyproject.toml asks for something that can't be read: {first}.")
    if apart:
        return not_met(
            f"uv.lock and pyproject.toml don't agree about {', '.join(sorted(apart))}.",
            finding_at("the lock was made for other dependencies", "pyproject.toml"),
        )
    return met(f"{len(lock['package'])} packages are locked, for what pyproject.toml states.")


def environment_current(context: CheckContext) -> CheckResult:
    """What the lock says is installed here, in the locked version, and nothing of it in another."""
    locked = {one["name"]: one.get("version") for one in context.toml("uv.lock").get("package", [])}
    if not locked:
        return not_met("There is no uv.lock that the environment could be made from.")
    installed, several = _installed(), _several(context)
    other = [
        f"{name} {version} (locked: {locked[name]})"
        for name, version in installed.items()
        if locked.get(name) and name not in several and locked[name] != version
    ]
    if other:
        return not_met(f"Installed is {', '.join(sorted(other)[:3])}.")
    needed = wanted(context)
    if not needed:
        return not_shown("uv.lock does not say what this project needs.", "uv sync --check")
    if absent := sorted(needed - {*installed}):
        return not_met(f"Locked and not installed is {', '.join(absent[:3])}.")
    return met(f"{len(needed)} packages are installed here as uv.lock has them.")


def hooks_installed(context: CheckContext) -> CheckResult:
    """Hooks run before a commit, and call the project's own tools."""
    if context.env.get("CI") or context.env.get("TF_BUILD"):
        return not_applicable("CI commits nothing.")
    hook = git_folder(context.project.root) / "hooks" / "pre-commit"
    text = hook.read_text(encoding="utf-8", errors="replace") if hook.is_file() else ""
    if "pre-commit" not in text.replace("#!/", ""):
        return not_met("No hook runs before a commit on this machine.")
    entries = [str(hook["entry"]) for hook in context.hooks if "entry" in hook]
    wanted = {"ruff format": STEPS["format"].hook, "ruff check": STEPS["lint"].hook}
    absent = [
        tool
        for tool, step in wanted.items()
        if not any(tool in entry or step in entry for entry in entries)
    ]
    if absent:
        return not_met(
            f"No hook calls {' or '.join(sorted(absent))}.",
            finding_at("hooks fix what tools can fix", ".pre-commit-config.yaml"),
        )
    return met(f"{len(entries)} hooks run before a commit.")


def tools_proved(context: CheckContext) -> CheckResult:
    """A group asks for the standards' tools, and nothing gives them another version or source."""
    uv = context.pyproject.get("tool", {}).get("uv", {})
    handoff = context.toml(PYPROJECT)
    tools = handoff.get("project", {}).get("optional-dependencies", {}).get("tools", [])
    proved = {package_name(tool) for tool in tools}
    stated = {
        "override-dependencies of pyproject.toml": uv.get("override-dependencies", []),
        "override-dependencies of uv.toml": context.toml("uv.toml").get(
            "override-dependencies", []
        ),
        "[tool.uv.sources] of pyproject.toml": uv.get("sources", {}),
    }
    for where, named in stated.items():
        if changed := [package_name(one) for one in named if package_name(one) in proved]:
            return not_met(
                f"{where} has another {', '.join(changed)} than the standards.",
                finding_at("a standard and its tool arrive together", where.rpartition(" ")[2]),
            )
    own = [
        entry
        for group in context.pyproject.get("dependency-groups", {}).values()
        for entry in group
        if isinstance(entry, str) and re.match(r"baton-standards\[.*\btools\b.*\]", entry)
    ]
    if not own:
        return not_met(
            "No group of pyproject.toml has baton-standards[tools].",
            finding_at("the tools of the standards are not asked for", "pyproject.toml"),
        )
    return met(f"{len(proved)} tools have the versions with which the standards were proved.")


def dependencies_apart(context: CheckContext) -> CheckResult:
    """What runs in production needs no tool of exploration, training or development."""
    run_time = {
        package_name(one) for one in context.pyproject.get("project", {}).get("dependencies", [])
    }
    service = {package_name(one) for one in asked_for(context.pyproject).get("service", [])}
    tools = context.toml(PYPROJECT).get("project", {})
    named = {package_name(one) for one in tools.get("optional-dependencies", {}).get("tools", [])}
    for where, names in (("dependencies", run_time), ("service", service)):
        if strangers := sorted(names & (EXPLORING | named)):
            return not_met(
                f"The service would install {', '.join(strangers)}.",
                finding_at(f"{where} has what production does not need", "pyproject.toml"),
            )
    return met("What runs in production needs no tool of exploration or development.")


def _several(context: CheckContext) -> set[str]:
    """The packages that the lock has in several versions, by Python for example."""
    names = [one["name"] for one in context.toml("uv.lock").get("package", [])]
    return {name for name in names if names.count(name) > 1}


def _installed() -> dict[str, str]:
    """What is installed here, by the names of the folders that say so."""
    folder = Path(sysconfig.get_path("purelib"))
    about = (path.name.removesuffix(".dist-info") for path in folder.glob("*.dist-info"))
    return {
        package_name(name): version for name, _, version in (one.rpartition("-") for one in about)
    }


def git_folder(root: Path) -> Path:
    """Git's folder for the project; a worktree, or a repository around it, has it elsewhere."""
    for folder in (root, *root.parents):
        place = folder / ".git"
        if place.is_dir():
            return place
        if place.is_file():
            own = folder / place.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
            common = own / "commondir"
            return own / common.read_text(encoding="utf-8").strip() if common.exists() else own
    return root / ".git"
