"""The environment of a repository that was not made with Baton."""

import re
import shlex
from pathlib import PurePosixPath

from baton_handoff.core.git_hooks import hook_folder
from baton_handoff.core.numbers import plural
from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, finding_at
from baton_handoff.policy.checks.ci_files import scripts_in
from baton_handoff.policy.checks.setup import EXPLORATION
from baton_handoff.policy.unmanaged.packages import lock_of, requirements
from baton_handoff.policy.unmanaged.recognised import matching, runs

_PRE_COMMIT = ".pre-commit-config.yaml"

_LOCK_CHECKS = {
    "uv.lock": "uv lock --check",
    "poetry.lock": "poetry check --lock",
    "pdm.lock": "pdm lock --check",
    "Pipfile.lock": "pipenv verify",
    "pixi.lock": "pixi lock --check",
}
_ENVIRONMENT_CHECKS = {
    "uv.lock": "uv sync --check",
    "poetry.lock": "poetry install --dry-run",
    "pdm.lock": "pdm sync --dry-run",
    "Pipfile.lock": "pipenv run pip check",
    "pixi.lock": "pixi install --locked",
}
_REFUSING = re.compile(r"^(ruff|ruff-check|nbqa-(ruff|flake8|pylint|mypy))$")
"""Hooks that check notebooks by default, and fail on what they can't fix."""

_TOOLS = ("autopep8", "yapf", "nbstripout", "nbqa", "pyupgrade", "prettier")
"""Further tools in hooks that correct or find faults."""

_DEVELOPMENT = {"pytest", "flake8", "black", "ruff", "mypy", "pylint", "pre-commit", "tox", "nox"}


def lock_current(context: CheckContext) -> CheckResult:
    """A lock, or exact versions, list everything that is installed."""
    if lock := lock_of(context):
        command = _LOCK_CHECKS.get(PurePosixPath(lock).name, f"git log -1 {lock}")
        if folder := PurePosixPath(lock).parent.as_posix().removeprefix("."):
            command = f"(cd {shlex.quote(folder)} && {command})"
        message = f"{lock} exists; nothing has compared it with the requirements."
        return CheckResult.not_shown(message, command=command)
    packages = requirements(context)
    if not packages:
        return CheckResult.not_met("No file lists the packages to install.")
    if loose := [one for one in packages if not one.pinned]:
        return CheckResult.not_met(
            f"{len(loose)} of {len(packages)} listed packages have no exact version.",
            *(finding_at(f"{one.name} has no exact version", one.file, one.line) for one in loose),
        )
    file = min((one.file for one in packages), key=len)
    return CheckResult.not_shown(
        f"Pinned: {plural(len(packages), 'listed package')}; their own dependencies may not be.",
        command=f"uv pip compile {file}",
    )


def environment_current(context: CheckContext) -> CheckResult:
    """The installed packages are those that the files require."""
    name = PurePosixPath(lock_of(context) or "").name
    if not name and matching(context, "Pipfile"):
        name = "Pipfile.lock"
    command = _ENVIRONMENT_CHECKS.get(name, "python -m pip check")
    return CheckResult.not_shown("The environment was not examined.", command=command)


def hooks_installed(context: CheckContext) -> CheckResult:
    """Hooks run before a commit."""
    others = matching(context, r"\.husky/.+|\.githooks/.+|\.overcommit\.yml")
    lefthook = matching(context, r"\.?lefthook\.ya?ml")
    hooks = [f"{hook.get('id', '')} {hook.get('entry', '')}" for hook in context.hooks]
    for file in lefthook:
        hooks += scripts_in((context.yaml(file) or {}).get("pre-commit"))
    if not hooks and (others or lefthook):
        return CheckResult.not_shown(f"What {(others or lefthook)[0]} runs was not looked at.")
    if not hooks:
        return CheckResult.not_met("No hook is configured to run before a commit.")
    checking = [hook for hook in hooks if runs("linter", hook) or any(t in hook for t in _TOOLS)]
    if not checking and (hidden := [hook.split()[0] for hook in hooks if runs("hidden", hook)]):
        return CheckResult.not_shown(f"What the hook `{hidden[0]}` runs was not looked at.")
    if not checking:
        return CheckResult.not_met(
            "No hook checks style or faults.",
            finding_at("a hook should fix what tools can fix", (lefthook or [_PRE_COMMIT])[0]),
        )
    if not (hook_folder(context.project.root) / "pre-commit").is_file():
        message = f"{plural(len(hooks), 'hook')} found in the configuration, none installed here."
        command = "lefthook install" if lefthook else "pre-commit install"
        return CheckResult.not_shown(message, command=command)
    return CheckResult.met(f"Hooks run before a commit ({len(hooks)}).")


def notebooks_unblocked(context: CheckContext) -> CheckResult:
    """No hook blocks a notebook."""
    if not context.code.notebooks:
        return CheckResult.not_applicable("There is no notebook.")
    refusing = [
        str(hook.get("id"))
        for hook in context.hooks
        if "ipynb" not in str(hook.get("exclude", ""))
        and "--exit-zero" not in (hook.get("args") or [])
        and hook.get("pass_filenames") is not False
        and (_REFUSING.match(str(hook.get("id"))) or "jupyter" in str(hook.get("types_or")))
    ]
    if refusing:
        message = f"The hook {refusing[0]} checks notebooks and fails on what it can't fix."
        where = finding_at(f"the hook {refusing[0]} checks notebooks", _PRE_COMMIT)
        return CheckResult.not_met(message, where, fix=r"exclude them: `exclude: \.ipynb$`")
    return CheckResult.met("No hook blocks a notebook.")


def dependencies_apart(context: CheckContext) -> CheckResult:
    """Production installs no package of exploration or development."""
    packages = requirements(context)
    if not packages:
        return CheckResult.not_shown("No file lists the packages of production.")
    imported = {name for code in context.code.modules for name in code.imported_packages}
    unwanted = [
        one
        for one in packages
        if not one.development
        and one.name in EXPLORATION | _DEVELOPMENT
        and one.name.replace("-", "_") not in imported
    ]
    if unwanted:
        names = ", ".join([*dict.fromkeys(one.name for one in unwanted)][:4])
        return CheckResult.not_met(
            f"Production installs {names}, which no module imports.",
            *(finding_at(f"no module imports {one.name}", one.file, one.line) for one in unwanted),
        )
    return CheckResult.met("Production installs no package of exploration or development.")


def tools_chosen(context: CheckContext) -> CheckResult:
    """A decision explains the choice of each tool."""
    packages = {one.name for one in requirements(context)}
    if not packages:
        return CheckResult.not_applicable("No file lists the packages that it needs.")
    return CheckResult.not_shown(
        f"No decision explains the choice of {plural(len(packages), 'package')}.",
        "write the alternatives and the reason for the choice in docs/decisions/",
    )
