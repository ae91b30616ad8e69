"""Set-up in a repository that Baton has not made: what is pinned, and what runs before a commit."""

from collections.abc import Iterator
from typing import Any

from baton_handoff.policy.checks.check_context import (
    CheckResult,
    finding_at,
    met,
    not_applicable,
    not_met,
)
from baton_handoff.policy.checks.setup import EXPLORING, git_folder, lock_current
from baton_handoff.policy.unmanaged.observation import number, open_
from baton_handoff.policy.unmanaged.packages import Needed, lock_of, needed
from baton_handoff.policy.unmanaged.repository import Repository

_CHECKING_LOCKS = {
    "uv.lock": "uv lock --check",
    "poetry.lock": "poetry check --lock",
    "pdm.lock": "pdm lock --check",
    "Pipfile.lock": "pipenv verify",
    "pixi.lock": "pixi lock --check",
}
_FIXING = ("black", "ruff", "isort", "autopep8", "yapf", "nbstripout", "flake8", "pylint")
_TESTING = {"pytest", "flake8", "black", "ruff", "mypy", "pylint", "pre-commit", "tox", "nox"}


def locked(repository: Repository) -> CheckResult:
    """What is installed is written down, with every version."""
    lock, packages = lock_of(repository), needed(repository)
    if lock == "uv.lock":
        return lock_current(repository.context)
    if lock:
        command = _CHECKING_LOCKS.get(lock, f"git log -1 {lock}")
        return open_(f"There is {lock}; whether it is of today is not shown.", f"`{command}`")
    if not packages:
        return not_met("Nothing says which packages have to be installed.")
    if loose := [one for one in packages if not one.pinned]:
        return not_met(
            f"{len(loose)} of {len(packages)} packages come in whatever version is newest.",
            *(finding_at(f"{one.name} has no exact version", one.file, one.line) for one in loose),
        )
    file = min((one.file for one in packages), key=len)
    return open_(
        f"Every package is pinned ({len(packages)}); whether they need others is not shown.",
        f"`uv pip compile {file}`",
    )


def installed(repository: Repository) -> CheckResult:
    """What is installed here is what is asked for."""
    command = "uv sync --check" if lock_of(repository) == "uv.lock" else "python -m pip check"
    return open_("Its environment was not looked at.", f"`{command}`")


def hooks(repository: Repository) -> CheckResult:
    """Hooks run before a commit."""
    if "lefthook.yml" in repository.paths:
        return open_("What the hooks of lefthook.yml do can't be told by reading them.")
    named = list(_hooks(repository))
    hook = git_folder(repository.context.project.root) / "hooks" / "pre-commit"
    if not named:
        return not_met("No hook is described that would run before a commit.")
    if not any(tool in name for name in named for tool in _FIXING):
        return not_met(
            "No hook looks at style or faults.",
            finding_at("hooks fix what tools can fix", ".pre-commit-config.yaml"),
        )
    if not hook.is_file():
        return open_(
            f"{len(named)} hooks are described, and none runs on this machine.",
            "`pre-commit install`",
        )
    return met(f"{len(named)} hooks run before a commit.")


def apart(repository: Repository) -> CheckResult:
    """Production needs no tools of exploration or development."""
    packages = needed(repository)
    if not packages:
        return open_("Nothing says what production would install.")
    if strange := [one for one in packages if _is_strange(one)]:
        return not_met(
            f"Who installs it to run it gets {', '.join(one.name for one in strange[:4])} too.",
            *(
                finding_at(f"{one.name} is for those who develop", one.file, one.line)
                for one in strange
            ),
        )
    return met("What runs in production needs no tool of exploration or development.")


def chosen(repository: Repository) -> CheckResult:
    """Tools were chosen on purpose."""
    packages = {one.name for one in needed(repository)}
    if not packages:
        return not_applicable("Nothing says which packages it needs.")
    return open_(
        f"No decision that can be read says why it needs {number(len(packages), 'package')}.",
        "write the alternatives and the reason for the choice in docs/decisions/",
    )


def _is_strange(one: Needed) -> bool:
    return not one.developing and one.name in EXPLORING | _TESTING


def _hooks(repository: Repository) -> Iterator[str]:
    said: dict[str, Any] = repository.context.yaml(".pre-commit-config.yaml") or {}
    for repo in said.get("repos", []):
        for hook in repo.get("hooks", []):
            yield f"{hook.get('id', '')} {hook.get('entry', '')}"
