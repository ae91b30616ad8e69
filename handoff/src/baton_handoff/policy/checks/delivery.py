"""Checks of the running service: observed, monitored, delivered by CI, on known infrastructure."""

import ast
import json
import re
from datetime import date, timedelta
from typing import Any

from baton_handoff.config.project import Project
from baton_handoff.config.repository_ci import root_workflows
from baton_handoff.config.standards import FOLDER as STANDARDS
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.files import path_from, text_of
from baton_handoff.core.git import prefix_of, repository_root
from baton_handoff.policy.checks import ci_files
from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, check, finding_at
from baton_handoff.policy.evidence.steps import STEPS
from baton_handoff.policy.evidence.terraform import FOLDER, program
from baton_handoff.registry.version_facts import CHAMPION, find_version
from baton_handoff.source_code.modules import SourceModule

_CREATE_APP = ("baton_handoff.serving", "baton_handoff.service")
_MONITOR = "uv run poe monitor"
_RECENT = timedelta(days=31)
"""A monitoring run tells about the present for so long."""

_RECEIVERS = re.compile(
    r'(?m)^\s*resource\s+"(aws_sns_topic_subscription|azurerm_monitor_action_group'
    r'|google_monitoring_notification_channel|grafana_contact_point|pagerduty_\w+|opsgenie_\w+)"'
)
"""Resources of Terraform that send alerts to somebody."""

SERVICES = {"FastAPI", "Flask", "Starlette", "Sanic", "Quart", "BentoService", "LitServer"}
"""Classes of apps that bypass `create_app`."""


@check
def service_observed(context: CheckContext) -> CheckResult:
    """`create_app` makes the service's app, so it has structured logs, metrics and traces."""
    code = context.package_code("serving")
    if not code:
        return CheckResult.not_applicable("There is no service.")
    bypassing = [module for module in code if calls(module, SERVICES)]
    if bypassing or not any(map(_uses_create_app, code)):
        return CheckResult.not_met(
            "The service has no structured logs, metrics and traces.",
            *(
                finding_at(
                    "this app bypasses create_app, so it has no metrics or logs", module.file
                )
                for module in bypassing or code[:1]
            ),
        )
    return CheckResult.met("The service has structured logs, Prometheus metrics and traces.")


@check
def predictions_logged(context: CheckContext) -> CheckResult:
    """The service logs its predictions, so that monitoring can read them."""
    if not context.package_code("serving"):
        return CheckResult.not_applicable("There is no service.")
    share = context.project.service.log_share
    if share <= 0:
        finding = finding_at("`log_share` of [service] is 0", "handoff.toml")
        return CheckResult.not_met("The service logs no prediction.", finding)
    return CheckResult.met(f"The service logs the predictions of {share:.0%} of requests.")


@check
def alerts_received(context: CheckContext) -> CheckResult:
    """A configuration in the repository sends alerts to a receiver."""
    if not context.package_code("serving"):
        return CheckResult.not_applicable("There is no service.")
    paths = [path for path in context.files.paths if not path.startswith(STANDARDS)]
    for path in paths:
        if path.endswith((".yml", ".yaml")) and _names_receiver(context, path):
            return CheckResult.met(f"{path} names the receivers of alerts.")
        if path.endswith(".tf") and _subscribes(context, path):
            return CheckResult.met(f"{path} subscribes a receiver to alerts.")
    if context.project.cloud == "none" and not any(path.startswith("infra/") for path in paths):
        return CheckResult.not_applicable("No file describes where the service runs.")
    finding = finding_at("no file names who receives the alerts", "infra")
    return CheckResult.not_met("No receiver of alerts is configured.", finding)


def _subscribes(context: CheckContext, path: str) -> bool:
    """Whether a Terraform file subscribes a receiver: in the template's, the settings name it."""
    text = context.text(path) or ""
    if not _RECEIVERS.search(text):
        return False
    if "settings.alerts_to" not in text:
        return True
    settings = context.yaml(f"{FOLDER}settings.yaml")
    return bool(isinstance(settings, dict) and settings.get("alerts_to"))


def _names_receiver(context: CheckContext, path: str) -> bool:
    """Whether a file configures a receiver, in the form of Alertmanager or Grafana."""
    text = context.text(path) or ""
    if "receivers" not in text:
        return False
    try:
        content = context.yaml(path)
    except (HandoffError, ValueError):  # a template of a deployment tool
        return False
    queue: list[Any] = [content]
    while queue:
        item = queue.pop()
        if isinstance(item, dict):
            if any(_is_receiver(one) for one in item.get("receivers") or []):
                return True
            queue += item.values()
        elif isinstance(item, list):
            queue += item
    return False


def _is_receiver(entry: Any) -> bool:
    """Whether an entry of `receivers` sends alerts anywhere: one without configuration does not."""
    return isinstance(entry, dict) and any(
        value and (key.casefold().endswith("configs") or key == "settings")
        for key, value in entry.items()
    )


@check
def models_watched(context: CheckContext) -> CheckResult:
    """Monitoring has read the predictions of the model in production recently."""
    entry = _last_monitoring(context)
    if isinstance(entry, CheckResult):
        return entry
    return CheckResult.met(f"Version {entry['version']} was monitored on {entry['at'][:10]}.")


@check
def data_watched(context: CheckContext) -> CheckResult:
    """The last monitoring run found no open problem of the source's data."""
    entry = _last_monitoring(context)
    if isinstance(entry, CheckResult):
        return entry
    if "data-owner" in entry.get("sides", []):
        alerts = ", ".join(dict.fromkeys(entry.get("alerts", [])))
        return CheckResult.not_met(f"The last monitoring run reported {alerts}.")
    return CheckResult.met(f"{entry['rows']:,} rows were monitored on {entry['at'][:10]}.")


@check
def ci_checks(context: CheckContext) -> CheckResult:
    """CI checks, tests and judges every change before it is merged."""
    provider = context.project.ci
    if problem := _outside_of_ci(context.project):
        return CheckResult.not_met(problem)
    files = context.files.under(ci_files.FILES.get(provider, ()))
    pipelines = {path: context.yaml(path) for path in files if path.endswith((".yml", ".yaml"))}
    if files and not any(ci_files.runs_before_merge(provider, one) for one in pipelines.values()):
        return CheckResult.not_met(
            "CI runs nothing before a change is merged.",
            finding_at("no pull request or merge request starts this pipeline", files[0]),
        )
    if absent := ci_files.missing_commands(provider, pipelines):
        return CheckResult.not_met(
            f"CI does not run {', '.join(f'`{command}`' for command in absent)}.",
            *(finding_at("this pipeline does not run them", path) for path in files[:1]),
        )
    return CheckResult.met("CI checks, tests and judges every change.")


def _outside_of_ci(project: Project) -> str:
    """Why the provider does not run the pipelines of a project in a subfolder; empty if it does."""
    folder = prefix_of(project.root).rstrip("/")
    if not folder or project.ci not in ci_files.FILES:
        return ""
    root = repository_root(project.root)
    if project.ci == "github":
        for file, text in root_workflows(project).items():
            if not file.exists() or file.read_text(encoding="utf-8") != text:
                state = "differs from the project's" if file.exists() else "is missing"
                return (
                    "GitHub reads workflows in the root of a repository only, and"
                    f" {path_from(root, file)} there {state}: `uv run poe setup` writes it."
                )
        return ""
    (name,) = (one for one in ci_files.FILES[project.ci] if one.endswith(".yml"))
    if project.ci == "gitlab" and folder not in text_of(root / name):
        return (
            f"GitLab reads {name} in the root of a repository only, and none there names {folder}:"
            f" start its jobs there, each with `cd {folder}`."
        )
    if project.ci == "azure" and f"workingDirectory: {folder}" not in text_of(project.root / name):
        return (
            f"Azure runs the scripts of {folder}/{name} in the root of the repository: give each"
            f" `workingDirectory: {folder}` in a pipeline of your own."
        )
    return ""


@check
def infrastructure_as_code(context: CheckContext) -> CheckResult:
    """Terraform describes what the service runs on, with pinned providers, and was validated."""
    files = [path for path in context.files.under([FOLDER]) if path.endswith(".tf")]
    if context.project.cloud == "none" and not files:
        return CheckResult.not_applicable("The project uses no cloud.")
    text = "\n".join(context.text(path) or "" for path in files)
    text = re.sub(r"(?m)^\s*(#|//).*$", "", text)
    if not re.search(r'^\s*(resource|module)\s+"', text, re.MULTILINE):
        finding = finding_at("it has no resource", "infra")
        return CheckResult.not_met("No file describes the infrastructure.", finding)
    if not re.search(r"required_providers\s*\{[^}]*\{[^}]*version\s*=", text):
        finding = finding_at("pin the version of the provider", "infra/versions.tf")
        return CheckResult.not_met("The version of the provider is not pinned.", finding)
    return _validated(context)


def _validated(context: CheckContext) -> CheckResult:
    """Whether Terraform has accepted the files as they are now."""
    step = STEPS["infrastructure"]
    evidence = context.evidence.current("infrastructure")
    if evidence is None and program() is None:
        # No command: `status --run` can't produce it here.
        return CheckResult.not_shown(
            "infra/ was not validated: neither terraform nor tofu is on PATH.",
            f"install Terraform or OpenTofu, then `{step.recorded_by}`",
        )
    if evidence is None:
        return context.missing_evidence("infrastructure")
    if not evidence.ok:
        findings = (
            finding_at(one.message, one.file or FOLDER, one.line) for one in evidence.findings
        )
        return CheckResult.not_met("The configuration in infra/ is not valid.", *findings)
    return CheckResult.met(f"infra/ was validated on {evidence.at[:10]}.")


def calls(module: SourceModule, names: set[str]) -> bool:
    """Whether code calls a class or function with one of some names."""
    return any(
        (getattr(node.func, "id", "") or getattr(node.func, "attr", "")) in names
        for node in module.nodes(ast.Call)
    )


def _uses_create_app(module: SourceModule) -> bool:
    imported = any(
        node.module in _CREATE_APP and any(name.name == "create_app" for name in node.names)
        for node in module.nodes(ast.ImportFrom)
    )
    return imported and calls(module, {"create_app"})


def _last_monitoring(context: CheckContext) -> dict[str, Any] | CheckResult:
    """The last entry of the monitoring history about a version in production, if it is recent."""
    champion = find_version(context.project, CHAMPION)
    if champion is None:
        return CheckResult.not_applicable("No version is in production.")
    served = find_version(context.project, context.project.alias)
    versions = {version.version for version in (champion, served) if version}
    history = text_of(context.project.monitoring_folder / "history.jsonl")
    for line in reversed(history.splitlines()):
        try:
            entry: dict[str, Any] = json.loads(line)
            relevant = entry["version"] in versions and entry["rows"] > 0
            day = date.fromisoformat(entry["at"][:10])
        except (ValueError, KeyError, TypeError):
            continue
        if relevant and context.today - day > _RECENT:
            return CheckResult.not_shown(f"Monitoring last ran on {day}.", command=_MONITOR)
        if relevant:
            return entry
    return CheckResult.not_shown("Monitoring has not run yet.", command=_MONITOR)
