"""The environment of a repository that was not made with Baton."""

from baton_handoff.core.git_hooks import hook_folder
from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, finding_at
from baton_handoff.policy.checks.setup import EXPLORATION
from baton_handoff.policy.unmanaged.code import plural
from baton_handoff.policy.unmanaged.packages import lock_of, requirements

_LOCK_CHECKS = {
    "uv.lock": "uv lock --check",
    "poetry.lock": "poetry check --lock",
    "pdm.lock": "pdm lock --check",
    "Pipfile.lock": "pipenv verify",
    "pixi.lock": "pixi lock --check",
}
_FORMATTERS = ("black", "ruff", "isort", "autopep8", "yapf", "nbstripout", "flake8", "pylint")
_DEVELOPMENT = {"pytest", "flake8", "black", "ruff", "mypy", "pylint", "pre-commit", "tox", "nox"}


def lock_current(context: CheckContext) -> CheckResult:
    """A lock, or exact versions, list everything that is installed."""
    if lock := lock_of(context):
        command = _LOCK_CHECKS.get(lock, f"git log -1 {lock}")
        message = f"{lock} exists; nothing has compared it with the requirements."
        return CheckResult.not_shown(message, command=command)
    packages = requirements(context)
    if not packages:
        return CheckResult.not_met("No file lists the packages to install.")
    if loose := [one for one in packages if not one.pinned]:
        return CheckResult.not_met(
            f"{len(loose)} of {len(packages)} packages are installed in their newest version.",
            *(finding_at(f"{one.name} has no exact version", one.file, one.line) for one in loose),
        )
    file = min((one.file for one in packages), key=len)
    return CheckResult.not_shown(
        f"All {len(packages)} listed packages are pinned; their own dependencies may not be.",
        command=f"uv pip compile {file}",
    )


def environment_current(context: CheckContext) -> CheckResult:
    """The installed packages are those that the files require."""
    command = "uv sync --check" if lock_of(context) == "uv.lock" else "python -m pip check"
    return CheckResult.not_shown("The environment was not examined.", command=command)


def hooks_installed(context: CheckContext) -> CheckResult:
    """Hooks run before a commit."""
    if "lefthook.yml" in context.files.paths:
        return CheckResult.not_shown("lefthook.yml alone does not show what its hooks do.")
    hooks = [f"{hook.get('id', '')} {hook.get('entry', '')}" for hook in context.hooks]
    if not hooks:
        return CheckResult.not_met("No hook is configured to run before a commit.")
    if not any(tool in hook for hook in hooks for tool in _FORMATTERS):
        return CheckResult.not_met(
            "No hook checks style or faults.",
            finding_at("a hook should fix what tools can fix", ".pre-commit-config.yaml"),
        )
    if not (hook_folder(context.project.root) / "pre-commit").is_file():
        message = f"{len(hooks)} hooks are configured, and none is installed on this machine."
        return CheckResult.not_shown(message, command="pre-commit install")
    return CheckResult.met(f"{len(hooks)} hooks run before a commit.")


def dependencies_apart(context: CheckContext) -> CheckResult:
    """Production installs no package of exploration or development."""
    packages = requirements(context)
    if not packages:
        return CheckResult.not_shown("No file lists the packages of production.")
    unwanted = [
        one for one in packages if not one.development and one.name in EXPLORATION | _DEVELOPMENT
    ]
    if unwanted:
        return CheckResult.not_met(
            f"A production install also pulls in {', '.join(one.name for one in unwanted[:4])}.",
            *(finding_at(f"{one.name} is for developers", one.file, one.line) for one in unwanted),
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
