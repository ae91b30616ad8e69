"""Checks of what runs: the service, who watches it, and how it gets there."""

import ast
import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from baton_handoff.policy.checks.check_context import (
    CheckContext,
    CheckResult,
    finding_at,
    met,
    not_applicable,
    not_met,
    not_shown,
)
from baton_handoff.registry.version_facts import CHAMPION, find_version

_SERVICE = ("baton_handoff.serving", "baton_handoff.service")
_MONITOR = "uv run poe monitor"
_LOOKED_AT = timedelta(days=31)
"""A look at what was predicted says something of today for so long."""

_CI = {
    "github": (".github/workflows/",),
    "gitlab": (".gitlab-ci.yml", ".gitlab/"),
    "azure": ("azure-pipelines.yml",),
}
_CHECKS = "handoff status --run"
"""It checks and tests, where nothing of this very state has yet."""

_COMMANDS = ("run", "script", "before_script", "bash", "pwsh", "powershell")
_BETWEEN = ("&&", "||", ";", "|", "&")
_SAYING = ("echo", "printf", ":", "true", "Write-Host", "Write-Output")

SERVICES = {"FastAPI", "Flask", "Starlette", "Sanic", "Quart", "BentoService", "LitServer"}
"""What apps are made by that the standards have not made."""

_JUDGES = {
    "handoff contract diff": r"\b(handoff contract|handoff|poe) diff\b",
    "handoff triage": r"\bhandoff triage\b",
}
"""What judges a change, and how CI may call it: the first once had a shorter name."""


def service_observed(context: CheckContext) -> CheckResult:
    """The service has structured logs, figures and traces: it is made by the standards."""
    code = context.code("serving")
    if not code:
        return not_applicable("There is no service.")
    made = [module for module in code if _is_made_by_the_standards(module.tree)]
    own = [module for module in code if _makes_its_own(module.tree)]
    if own or not made:
        return not_met(
            "The service has no logs, figures and traces of the standards.",
            *(
                finding_at("an app of its own, which nobody sees", one.file)
                for one in own or code[:1]
            ),
        )
    return met("The service writes structured logs, figures for Prometheus, and traces.")


def predictions_logged(context: CheckContext) -> CheckResult:
    """What the service predicts is kept, so that it can be watched."""
    if not context.code("serving"):
        return not_applicable("There is no service.")
    share = context.project.service.log_share
    if share <= 0:
        return not_met(
            "No prediction is kept.", finding_at("`log_share` of [service] is 0", "handoff.toml")
        )
    return met(f"{share:.0%} of requests are kept with what was predicted.")


def models_watched(context: CheckContext) -> CheckResult:
    """Somebody has looked at what the service predicts, not long ago."""
    entry = _look(context)
    if isinstance(entry, CheckResult):
        return entry
    return met(f"Version {entry['version']} was looked at on {entry['at'][:10]}.")


def data_watched(context: CheckContext) -> CheckResult:
    """The quality of what the service is asked is known, and nothing in it waits for anybody."""
    entry = _look(context)
    if isinstance(entry, CheckResult):
        return entry
    alerts = dict.fromkeys(entry.get("alerts", []))
    if "data-owner" in entry.get("sides", []):
        return not_met(f"The last look at the data found {', '.join(alerts)}.")
    return met(f"{entry['rows']:,} rows were looked at on {entry['at'][:10]}.")


def ci_checks(context: CheckContext) -> CheckResult:
    """Every change is checked, tested and judged in CI."""
    files = context.evidence.files.under(_CI.get(context.project.ci, ()))
    stated = {path: context.yaml(path) for path in files if path.endswith((".yml", ".yaml"))}
    asked = [one for one in stated.values() if _before_a_merge(context.project.ci, one)]
    if files and not asked:
        return not_met(
            "CI runs nothing before a change is merged.",
            finding_at("no pull request, and no merge request, starts it", files[0]),
        )
    called = "\n".join(one for said in asked for one in _under(said, ("uses",)))
    included = context.project.ci == "gitlab"
    asked = [one for path, one in stated.items() if one in asked or included or path in called]
    said = "\n".join(part for one in asked for text in commands_in(one) for part in _parts(text))
    absent = [command for command, called in _JUDGES.items() if not re.search(called, said)]
    if not re.search(r"\b(handoff|poe) status\b.*--run\b", said) and not (
        "poe check" in said and "poe test" in said
    ):
        absent.insert(0, _CHECKS)
    if absent:
        return not_met(
            f"CI does not run {', '.join(f'`{command}`' for command in absent)}.",
            *(finding_at("it leaves them out", path) for path in files[:1]),
        )
    return met("CI checks, tests and judges every change.")


def infrastructure_as_code(context: CheckContext) -> CheckResult:
    """What the service runs on is code, of pinned providers."""
    files = [path for path in context.evidence.files.under(["infra/"]) if path.endswith(".tf")]
    if context.project.cloud == "none" and not files:
        return not_applicable("No cloud was chosen.")
    return infrastructure_in(context, files)


def infrastructure_in(context: CheckContext, files: Sequence[str]) -> CheckResult:
    """Whether files of Terraform describe something, of pinned providers."""
    text = "\n".join(_without_comments(context.text(path) or "") for path in files)
    if not re.search(r'^\s*(resource|module)\s+"', text, re.MULTILINE):
        return not_met(
            "No infrastructure is described.", finding_at("it states no resource", "infra")
        )
    if not re.search(r"required_providers\s*\{[^}]*\{[^}]*version\s*=", text):
        return not_met("The provider's version is open.", finding_at("pin it", "infra/versions.tf"))
    return met(f"{len(files)} files describe the infrastructure, with pinned providers.")


def _is_made_by_the_standards(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module in _SERVICE
        and any(name.name == "create_app" for name in node.names)
        for node in ast.walk(tree)
    ) and any(
        isinstance(node, ast.Call) and getattr(node.func, "id", "") == "create_app"
        for node in ast.walk(tree)
    )


def _makes_its_own(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Call)
        and (getattr(node.func, "id", "") or getattr(node.func, "attr", "")) in SERVICES
        for node in ast.walk(tree)
    )


def _look(context: CheckContext) -> dict[str, Any] | CheckResult:
    """The last look at what is predicted in production, where it is of these days."""
    champion = find_version(context.project, CHAMPION)
    if champion is None:
        return not_applicable("Nothing is in production.")
    served = find_version(context.project, context.project.alias)
    versions = {version.version for version in (champion, served) if version}
    file = context.project.monitoring_folder / "history.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    for line in reversed(lines):
        try:
            entry: dict[str, Any] = json.loads(line)
            of_these = entry["version"] in versions and entry["rows"] > 0
            day = date.fromisoformat(entry["at"][:10])
        except (ValueError, KeyError, TypeError):
            continue
        if of_these:
            if context.today - day <= _LOOKED_AT:
                return entry
            return not_shown(f"What is predicted was last looked at on {day}.", _MONITOR)
    return not_shown("Nobody has looked at what is predicted.", _MONITOR)


def commands_in(said: Any) -> list[str]:
    """Every command in a pipeline's file: the texts under the words that providers use for it."""
    return _under(said, _COMMANDS)


def _under(said: Any, words: Sequence[str]) -> list[str]:
    """The texts under some words, wherever they stand in a job that may run."""
    if isinstance(said, list):
        return [text for one in said for text in _under(one, words)]
    if not isinstance(said, dict) or _is_off(said):
        return []
    found: list[str] = []
    for key, value in said.items():
        if key in words:
            found += [value] if isinstance(value, str) else map(str, value or [])
        else:
            found += _under(value, words)
    return found


def _is_off(job: Mapping[Any, Any]) -> bool:
    """Whether a job, or a step of one, never runs by itself."""
    stated = (job.get(word) for word in ("if", "condition", "enabled"))
    return job.get("when") in ("never", "manual") or any(
        re.fullmatch(r"(\$\{\{)?\s*false\s*(\}\})?", str(one), re.IGNORECASE) for one in stated
    )


def _before_a_merge(provider: str, said: Any) -> bool:
    """Whether a pipeline's file lets a pull or merge request start it.

    Azure's needs no word for it: a pull request starts a pipeline that does not refuse to be.
    """
    if not isinstance(said, dict):
        return False
    if provider == "azure":
        return said.get("pr") != "none"
    if provider == "gitlab":
        return bool(re.search(r"merge_requests?(_event)?\b", json.dumps(said, default=str)))
    # In YAML, `on` is another word for true.
    events = said.get("on", said.get(True)) or []
    return any(event in events for event in ("pull_request", "pull_request_target"))


def _parts(text: str) -> Iterator[str]:
    """The commands of a script, one by one: without its comments, and without what it only says."""
    for line in text.replace("\\\n", " ").splitlines():
        said = re.sub(r"(^|\s)#.*", "", line)
        words = shlex.shlex(said, posix=True, punctuation_chars=True)
        words.whitespace_split, words.commenters = True, ""
        try:
            tokens = [*words]
        except ValueError:  # a text that goes on in the next line
            tokens = said.split()
        for between, part in groupby(tokens, lambda token: token in _BETWEEN):
            command = [*part]
            if not between and command[0] not in _SAYING:
                yield " ".join(command)


def _without_comments(text: str) -> str:
    return re.sub(r"(?m)^\s*(#|//).*$", "", text)
