"""The service, its delivery and its infrastructure in a repository that was not made with Baton."""

import re

from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, finding_at
from baton_handoff.policy.checks.ci_files import scripts_in
from baton_handoff.policy.checks.delivery import SERVICES, calls
from baton_handoff.policy.unmanaged.recognised import matching, recognised, rules
from baton_handoff.source_code.modules import SourceModule

_RUNNERS = r"\b(hatch|invoke|just|make|mise|pdm|poe|task)\b.*\b"
_COMMANDS = {
    "test": re.compile(rf"\b(pytest|unittest|tox|nox|nosetests)\b|{_RUNNERS}test"),
    "linter": re.compile(
        rf"\b(ruff|flake8|pylint|mypy|pyright|black|pre-commit)\b|{_RUNNERS}(lint|check)"
    ),
}
_HIDDEN = re.compile(
    r"\.(sh|ps1)\b|^[^./\s][^\s]*/\.github/workflows/|\b(make|task|just)\b", re.MULTILINE
)
"""Commands behind which anything may be."""

_OBSERVES = {
    "structured logs": {"structlog", "loguru", "pythonjsonlogger"},
    "metrics": {"prometheus_client", "prometheus_fastapi_instrumentator", "statsd", "datadog"},
    "traces": {"opentelemetry", "ddtrace"},
}
_NO_SERVICE = CheckResult.not_applicable("The code has no service.")


def ci_checks(context: CheckContext) -> CheckResult:
    """CI checks, tests and judges every change."""
    files = matching(context, *rules()["ci"])
    if not files:
        return CheckResult.not_met("No file of a CI service is in the repository.")
    scripts = "\n".join(text for path in files for text in _scripts(context, path))
    if absent := [kind for kind, command in _COMMANDS.items() if not command.search(scripts)]:
        # A script or a workflow of another repository may run them.
        if _HIDDEN.search(scripts):
            return CheckResult.not_shown(f"{files[0]} calls scripts; what they run is unknown.")
        message = f"The commands in the CI files run no {' and no '.join(absent)}."
        where = [finding_at(message.rstrip("."), one) for one in files[:1] if one[0:2] != ".."]
        return CheckResult.not_met(message, *where)
    return CheckResult.met(f"CI runs tests and a linter ({files[0]}).")


def _scripts(context: CheckContext, path: str) -> list[str]:
    if path.endswith("Jenkinsfile"):
        return [re.sub(r"(?m)^\s*//.*$", "", context.text(path) or "")]
    return scripts_in(context.yaml(path), "command", "commands", "uses", "inlineScript")


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
    terraform = [path for path in context.files.paths if path.endswith(".tf")]
    if terraform:
        return _judge_terraform(context, terraform)
    found = [(rule, path) for rule, path in recognised(context, "infrastructure")]
    for rule, path in found:
        if rule.get("whole"):
            return CheckResult.met(f"{path} describes what it runs on ({rule['name']}).")
    if found:
        rule, path = found[0]
        message = f"{path} ({rule['name']}) describes containers; where they run is not described."
        return CheckResult.not_shown(message, "describe that as code, too")
    message = "No Terraform, Bicep, CloudFormation, Helm, Pulumi or container file was found."
    return CheckResult.not_shown(message, "describe what it runs on as code")


def _judge_terraform(context: CheckContext, files: list[str]) -> CheckResult:
    texts = {path: re.sub(r"(?m)^\s*(#|//).*$", "", context.text(path) or "") for path in files}
    if not any(re.search(r'(?m)^\s*(resource|module)\s+"', text) for text in texts.values()):
        where = finding_at("it has no resource", files[0])
        if not any(re.search(r'(?m)^\s*provider\s+"', text) for text in texts.values()):
            return CheckResult.not_met("No file describes the infrastructure.", where)
    locked = any(path.endswith(".terraform.lock.hcl") for path in context.files.paths)
    if locked or any(re.search(r'\bversion\s*=\s*"', text) for text in texts.values()):
        return CheckResult.met(f"{files[0]} describes what it runs on; versions are limited.")
    for path, text in texts.items():
        if found := re.search(r'(?m)^\s*provider\s+"([^"]+)"', text):
            line = text[: found.start(1)].count("\n") + 1
            where = finding_at(f"the provider {found[1]} has no version", path, line)
            return CheckResult.not_met("No provider of Terraform has a version.", where)
    return CheckResult.not_shown(f"{files[0]} names no provider; its version is set elsewhere.")


def _services(context: CheckContext) -> list[SourceModule]:
    return [code for code in context.code.all if calls(code, SERVICES)]
