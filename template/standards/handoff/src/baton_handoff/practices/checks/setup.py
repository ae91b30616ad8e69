"""Checks of the environment: what is locked, installed, and of which tools."""

import re
import sysconfig
from pathlib import Path
from typing import Any

from baton_handoff.practices.checks.look import Look, Seen, met, not_applicable, not_met, place

EXPLORING = {"ipykernel", "jupyter", "jupyterlab", "matplotlib", "notebook", "seaborn"}
"""Packages that only exploration needs."""


def lock_current(look: Look) -> Seen:
    """The lock knows every dependency that pyproject.toml states, and no other."""
    lock = look.toml("uv.lock")
    if not lock.get("package"):
        return not_met("There is no uv.lock: every machine would install something else.")
    own = _name(look.pyproject.get("project", {}).get("name", ""))
    entry: dict[str, Any] = next((one for one in lock["package"] if one["name"] == own), {})
    if not entry:
        return not_met(f"uv.lock is not of {own}.")
    about = entry.get("metadata", {})
    known = {"": {one["name"] for one in about.get("requires-dist", [])}}
    known |= {
        group: {one["name"] for one in wanted}
        for group, wanted in about.get("requires-dev", {}).items()
    }
    stated = _stated(look.pyproject)
    for group in sorted({*known, *stated}):
        if apart := known.get(group, set()) ^ stated.get(group, set()):
            return not_met(
                f"uv.lock and pyproject.toml don't agree about {', '.join(sorted(apart))}.",
                place("the lock was made for other dependencies", "pyproject.toml"),
            )
    return met(f"{len(lock['package'])} packages are locked, for what pyproject.toml states.")


def environment_current(look: Look) -> Seen:
    """What is installed here is what is locked."""
    locked = {one["name"]: one.get("version") for one in look.toml("uv.lock").get("package", [])}
    if not locked:
        return not_met("There is no uv.lock that the environment could be made from.")
    several = _several(look)
    other = [
        f"{name} {version} (locked: {locked[name]})"
        for name, version in _installed().items()
        if locked.get(name) and name not in several and locked[name] != version
    ]
    if other:
        return not_met(f"Installed is {', '.join(sorted(other)[:3])}.")
    return met("What is installed here is what is locked.")


def hooks_installed(look: Look) -> Seen:
    """Hooks run before a commit, and call the project's own tools."""
    if look.env.get("CI") or look.env.get("TF_BUILD"):
        return not_applicable("CI commits nothing.")
    hook = git_folder(look.project.root) / "hooks" / "pre-commit"
    text = hook.read_text(encoding="utf-8", errors="replace") if hook.is_file() else ""
    if "pre-commit" not in text.replace("#!/", ""):
        return not_met("No hook runs before a commit on this machine.")
    entries = [hook["entry"] for hook in _hooks(look)]
    wanted = {"ruff format", "ruff check"}
    if absent := sorted(name for name in wanted if not any(name in entry for entry in entries)):
        return not_met(
            f"No hook calls {' or '.join(absent)}.",
            place("hooks fix what tools can fix", ".pre-commit-config.yaml"),
        )
    return met(f"{len(entries)} hooks run before a commit.")


def tools_proved(look: Look) -> Seen:
    """The tools have the versions with which the standards were proved."""
    uv = look.pyproject.get("tool", {}).get("uv", {})
    handoff = look.toml("standards/handoff/pyproject.toml")
    tools = handoff.get("project", {}).get("optional-dependencies", {}).get("tools", [])
    proved = {_name(tool): tool for tool in tools}
    changed = [_name(one) for one in uv.get("override-dependencies", []) if _name(one) in proved]
    if changed:
        return not_met(
            f"override-dependencies give another {', '.join(changed)} than the standards' own.",
            place("a standard and its tool arrive together", "pyproject.toml"),
        )
    own = [
        entry
        for group in look.pyproject.get("dependency-groups", {}).values()
        for entry in group
        if isinstance(entry, str) and re.match(r"baton-handoff\[.*\btools\b.*\]", entry)
    ]
    if not own:
        return not_met(
            "No group of pyproject.toml has baton-handoff[tools].",
            place("the tools of the standards are not asked for", "pyproject.toml"),
        )
    return met(f"{len(proved)} tools have the versions with which the standards were proved.")


def dependencies_apart(look: Look) -> Seen:
    """What runs in production needs no tool of exploration, training or development."""
    run_time = {_name(one) for one in look.pyproject.get("project", {}).get("dependencies", [])}
    groups = _stated(look.pyproject)
    tools = look.toml("standards/handoff/pyproject.toml").get("project", {})
    named = {_name(one) for one in tools.get("optional-dependencies", {}).get("tools", [])}
    for where, names in (("dependencies", run_time), ("service", groups.get("service", set()))):
        if strangers := sorted(names & (EXPLORING | named)):
            return not_met(
                f"The service would install {', '.join(strangers)}.",
                place(f"{where} has what production does not need", "pyproject.toml"),
            )
    return met("What runs in production needs no tool of exploration or development.")


def _stated(pyproject: dict[str, Any]) -> dict[str, set[str]]:
    """The names that pyproject.toml asks for, by group; run time under no name."""
    groups: dict[str, list[Any]] = pyproject.get("dependency-groups", {})

    def names(group: str, above: tuple[str, ...] = ()) -> set[str]:
        found: set[str] = set()
        for entry in groups.get(group, []):
            if isinstance(entry, str):
                found.add(_name(entry))
            elif (inner := entry.get("include-group")) and inner not in above:
                found |= names(inner, (*above, group))
        return found

    project = pyproject.get("project", {})
    several = project.get("optional-dependencies", {}).values()
    extras = [one for extra in several for one in extra]
    run_time = {_name(one) for one in [*project.get("dependencies", []), *extras]}
    return {"": run_time, **{group: names(group) for group in groups}}


def _several(look: Look) -> set[str]:
    """The packages that the lock has in several versions, by Python for example."""
    names = [one["name"] for one in look.toml("uv.lock").get("package", [])]
    return {name for name in names if names.count(name) > 1}


def _installed() -> dict[str, str]:
    """What is installed here, by the names of the folders that say so."""
    folder = Path(sysconfig.get_path("purelib"))
    about = (path.name.removesuffix(".dist-info") for path in folder.glob("*.dist-info"))
    return {_name(name): version for name, _, version in (one.rpartition("-") for one in about)}


def _name(requirement: str) -> str:
    """The normalised name in a requirement."""
    found = re.match(r"[\w.-]+", requirement)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""


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


def _hooks(look: Look) -> list[dict[str, Any]]:
    repos = (look.yaml(".pre-commit-config.yaml") or {}).get("repos", [])
    hooks = [hook for repo in repos for hook in repo.get("hooks", [])]
    return [hook for hook in hooks if "entry" in hook]
