"""The service, its delivery and its infrastructure in a repository that was not made with Baton."""

import re

from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, finding_at
from baton_handoff.policy.checks.ci_files import scripts_in
from baton_handoff.policy.checks.delivery import SERVICES, calls, judge_terraform
from baton_handoff.source_code.modules import SourceModule

_CI = re.compile(
    r"\.github/workflows/[^/]+\.ya?ml|\.gitlab-ci\.yml|azure-pipelines\.yml|\.circleci/config\.yml"
    r"|\.travis\.yml|bitbucket-pipelines\.yml"
)
_RUNNERS = r"\b(hatch|invoke|just|make|mise|pdm|poe|task)\b.*\b"
_COMMANDS = {
    "test": re.compile(rf"\b(pytest|unittest|tox|nox|nosetests)\b|{_RUNNERS}test"),
    "linter": re.compile(
        rf"\b(ruff|flake8|pylint|mypy|pyright|black|pre-commit)\b|{_RUNNERS}(lint|check)"
    ),
}
_OBSERVES = {
    "structured logs": {"structlog", "loguru", "pythonjsonlogger"},
    "metrics": {"prometheus_client", "prometheus_fastapi_instrumentator", "statsd", "datadog"},
    "traces": {"opentelemetry", "ddtrace"},
}
_NO_SERVICE = CheckResult.not_applicable("The code has no service.")


def ci_checks(context: CheckContext) -> CheckResult:
    """CI checks, tests and judges every change."""
    files = [path for path in context.files.paths if _CI.fullmatch(path)]
    if not files:
        if "Jenkinsfile" in context.files.paths:
            return CheckResult.not_shown("The Jenkinsfile alone does not show what it runs.")
        return CheckResult.not_met("No CI runs for a change.")
    scripts = "\n".join(script for path in files for script in scripts_in(context.yaml(path)))
    if absent := [kind for kind, command in _COMMANDS.items() if not command.search(scripts)]:
        message = f"CI runs no {' and no '.join(absent)}."
        return CheckResult.not_met(message, finding_at(message.rstrip("."), files[0]))
    return CheckResult.not_met("CI checks and tests, but does not compare contracts.")


def service_observed(context: CheckContext) -> CheckResult:
    """The service has structured logs, metrics and traces."""
    services = _services(context)
    if not services:
        return _NO_SERVICE
    packages = {name for code in context.code.all for name in code.imported_packages}
    if absent := [kind for kind, libraries in _OBSERVES.items() if not libraries & packages]:
        missing = f"no {', no '.join(absent)}"
        return CheckResult.not_met(
            f"The service has {missing}.",
            *(finding_at(f"this app has {missing}", code.file) for code in services),
        )
    return CheckResult.not_shown(
        "The service uses libraries for logs, metrics and traces; their output was not examined."
    )


def api_current(context: CheckContext) -> CheckResult:
    """The API is generated from the contracts."""
    if not _services(context):
        return _NO_SERVICE
    return CheckResult.not_shown("Nothing compares the input of the API with that of the model.")


def predictions_logged(context: CheckContext) -> CheckResult:
    """The service logs its predictions."""
    if not _services(context):
        return _NO_SERVICE
    return CheckResult.not_shown("Files alone don't show whether predictions are logged.")


def infrastructure_as_code(context: CheckContext) -> CheckResult:
    """Code describes what the service runs on."""
    files = [path for path in context.files.paths if path.endswith(".tf")]
    if files:
        return judge_terraform(context, files)
    message = "No file describes what the service runs on."
    return CheckResult.not_shown(message, "describe it as code, with pinned providers")


def _services(context: CheckContext) -> list[SourceModule]:
    return [code for code in context.code.all if calls(code, SERVICES)]
