"""What runs and how it gets there, in a repository that Baton has not made."""

import ast
import re

from baton_handoff.policy.checks.check_context import (
    CheckResult,
    finding_at,
    not_applicable,
    not_met,
)
from baton_handoff.policy.checks.delivery import SERVICES, commands_in, infrastructure_in
from baton_handoff.policy.unmanaged.observation import open_
from baton_handoff.policy.unmanaged.repository import Repository
from baton_handoff.source_code.modules import SourceModule

_CI = re.compile(
    r"\.github/workflows/[^/]+\.ya?ml|\.gitlab-ci\.yml|azure-pipelines\.yml|\.circleci/config\.yml"
    r"|\.travis\.yml|bitbucket-pipelines\.yml"
)
_RUNNERS = r"\b(hatch|invoke|just|make|mise|pdm|poe|task)\b.*\b"
_TESTS = re.compile(rf"\b(pytest|unittest|tox|nox|nosetests)\b|{_RUNNERS}test")
_CHECKS = re.compile(
    rf"\b(ruff|flake8|pylint|mypy|pyright|black|pre-commit)\b|{_RUNNERS}(lint|check)"
)
_OBSERVES = {
    "structured logs": {"structlog", "loguru", "pythonjsonlogger"},
    "figures": {"prometheus_client", "prometheus_fastapi_instrumentator", "statsd", "datadog"},
    "traces": {"opentelemetry", "ddtrace"},
}


def ci(repository: Repository) -> CheckResult:
    """Every change is checked, tested and judged in CI."""
    files = [path for path in repository.paths if _CI.fullmatch(path)]
    if not files:
        if "Jenkinsfile" in repository.paths:
            return open_("What the Jenkinsfile runs can't be told by reading it.")
        return not_met("Nothing is run for a change.")
    said = "\n".join(command for path in files for command in _commands(repository, path))
    absent = [what for what, how in (("test", _TESTS), ("linter", _CHECKS)) if not how.search(said)]
    if absent:
        return not_met(
            f"CI runs no {' and no '.join(absent)}.",
            finding_at(f"it runs no {' and no '.join(absent)}", files[0]),
        )
    return not_met("CI checks and tests, and judges no change by what it breaks for the others.")


def observed(repository: Repository) -> CheckResult:
    """The service writes structured logs, figures and traces."""
    services = [code for code in repository.code if _serves(code)]
    if not services:
        return not_applicable("No service is seen.")
    packages = {name for code in repository.code for name in code.imported_packages}
    absent = [what for what, by in _OBSERVES.items() if not by & packages]
    if absent:
        return not_met(
            f"The service has no {', no '.join(absent)}.",
            *(finding_at("an app that nobody sees into", code.file) for code in services),
        )
    return open_("Whether the service's logs, figures and traces reach anybody is not shown.")


def api(repository: Repository) -> CheckResult:
    """The API is made from the contracts."""
    if not any(_serves(code) for code in repository.code):
        return not_applicable("No service is seen.")
    return open_("Nothing compares what the API takes with what the model needs.")


def kept(repository: Repository) -> CheckResult:
    """What was predicted is kept."""
    if not any(_serves(code) for code in repository.code):
        return not_applicable("No service is seen.")
    return open_("Nothing shows whether predictions are kept.")


def infrastructure(repository: Repository) -> CheckResult:
    """What it runs on is code."""
    files = [path for path in repository.paths if path.endswith(".tf")]
    if not files:
        return open_("Nothing here says what it runs on.", "describe it as code, pinned")
    return infrastructure_in(repository.context, files)


def _commands(repository: Repository, path: str) -> list[str]:
    return commands_in(repository.context.yaml(path))


def _serves(code: SourceModule) -> bool:
    return any(
        (getattr(node.func, "id", "") or getattr(node.func, "attr", "")) in SERVICES
        for node in code.nodes(ast.Call)
    )
