"""The service, its delivery and its infrastructure in a repository that was not made with Baton."""

import re
from collections.abc import Iterable

from baton_handoff.core.numbers import plural
from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, finding_at
from baton_handoff.policy.checks.ci_files import scripts_in, texts_under
from baton_handoff.policy.checks.delivery import SERVICES, calls
from baton_handoff.policy.unmanaged.recognised import matching, recognised, rules, runs, top_of
from baton_handoff.source_code.modules import SourceModule

_NOT_COMMANDS = re.compile(r".*\.(sh|ps1|py|mk|ya?ml)")
"""Files that a command of CI may run; the environment or the requirements are none."""

_OBSERVES = {
    "structured logs": {"structlog", "loguru", "pythonjsonlogger"},
    "metrics": {"prometheus_client", "prometheus_fastapi_instrumentator", "statsd", "datadog"},
    "traces": {"opentelemetry", "ddtrace"},
}
_NO_SERVICE = CheckResult.not_applicable("No service was recognised.")


def ci_checks(context: CheckContext) -> CheckResult:
    """CI checks, tests and judges every change."""
    files = matching(context, *rules()["ci"])
    if not files:
        return CheckResult.not_met("No file of a CI service is in the repository.")
    top = top_of(context)
    here = context.project.root.relative_to(top).as_posix().removeprefix(".")
    limits = {path: _folders(context, path) for path in files}
    files = [path for path in files if not limits[path] or _overlaps(here, limits[path])]
    if not files:
        message = "The CI files above this folder run for changes of other folders only."
        return CheckResult.not_met(message)
    scripts = {path: "\n".join(_scripts(context, path)) for path in files}
    ran = {
        kind: next((path for path, script in scripts.items() if runs(kind, script)), "")
        for kind in ("test", "linter")
    }
    if absent := [kind for kind, path in ran.items() if not path]:
        # A script or a workflow of another repository may run them.
        if hidden := [path for path, script in scripts.items() if _hides(context, script)]:
            return CheckResult.not_shown(f"{hidden[0]} calls scripts; what they run is unknown.")
        message = f"The commands in the CI files run no {' and no '.join(absent)}."
        where = [finding_at(message.rstrip("."), one) for one in files[:1] if one[0:2] != ".."]
        return CheckResult.not_met(message, *where)
    places = " and ".join(dict.fromkeys(ran.values()))
    folders = [folder for path in ran.values() for folder in limits[path]]
    modules = [f"{here}/{code.file}".lstrip("/") for code in context.code.modules]
    if folders and (outside := [one for one in modules if not one.startswith((*folders,))]):
        return CheckResult.not_shown(
            f"CI runs tests and a linter for changes of {folders[0]} ({places});"
            f" {plural(len(outside), 'module')} lie{'s' * (len(outside) == 1)} elsewhere."
        )
    return CheckResult.met(f"CI runs tests and a linter ({places}).")


def _scripts(context: CheckContext, path: str) -> list[str]:
    if path.endswith("Jenkinsfile"):
        return [re.sub(r"(?m)^\s*//.*$", "", context.text(path) or "")]
    return scripts_in(context.yaml(path), "command", "commands", "uses", "inlineScript")


def _folders(context: CheckContext, path: str) -> list[str]:
    """The folders of the repository to which a CI file limits itself; none if it counts for all."""
    if path.endswith("Jenkinsfile"):
        return []
    limits = texts_under(context.yaml(path), ("paths", "working-directory"))
    folders = [re.split(r"[*?\[{$]", limit.strip().removeprefix("./"))[0] for limit in limits]
    return folders if all(folders) else []


def _overlaps(folder: str, others: Iterable[str]) -> bool:
    one = f"{folder}/".lstrip("/")
    return any(one.startswith(f"{of.rstrip('/')}/") or of.startswith(one) for of in others)


def _hides(context: CheckContext, script: str) -> bool:
    """Whether a script calls what was not read: a task, or a file of the repository."""
    words = {word.removeprefix("./") for word in script.split()}
    files = (words & {*context.files.paths}) - {"setup.py"}
    return runs("hidden", script) or any(map(_NOT_COMMANDS.fullmatch, files))


def service_observed(context: CheckContext) -> CheckResult:
    """The service has structured logs, metrics and traces."""
    services = _services(context)
    if not services:
        return _NO_SERVICE
    packages = {name for code in context.code.all for name in code.imported_packages}
    if absent := [kind for kind, libraries in _OBSERVES.items() if not libraries & packages]:
        missing = f"no {' or '.join([*filter(None, [', '.join(absent[:-1])]), absent[-1]])}"
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
    described = [
        p for p, text in texts.items() if re.search(r'(?m)^\s*(resource|module)\s+"', text)
    ]
    providers = {p: re.search(r'(?m)^\s*provider\s+"([^"]+)"', text) for p, text in texts.items()}
    named = [(path, found) for path, found in providers.items() if found]
    if not (described or named):
        where = finding_at("it has no resource", files[0])
        return CheckResult.not_met("No file describes the infrastructure.", where)
    shown = (described or [named[0][0]])[0]
    locked = any(path.endswith(".terraform.lock.hcl") for path in context.files.paths)
    if locked or any(re.search(r'\bversion\s*=\s*"', text) for text in texts.values()):
        return CheckResult.met(f"{shown} describes what it runs on; versions are limited.")
    for path, found in named:
        line = texts[path][: found.start(1)].count("\n") + 1
        where = finding_at(f"the provider {found[1]} has no version", path, line)
        return CheckResult.not_met("No provider of Terraform has a version.", where)
    return CheckResult.not_shown(f"{shown} names no provider; its version is set elsewhere.")


def _services(context: CheckContext) -> list[SourceModule]:
    return [code for code in context.code.modules if calls(code, SERVICES)]
