"""Checks of exploration: nothing is in its way, and what it leaves can be read again."""

import re
from collections.abc import Mapping
from typing import Any

from baton_handoff.policy.checks.check_context import (
    CheckContext,
    CheckResult,
    finding_at,
    met,
    missing_evidence,
    not_applicable,
    not_met,
    not_shown,
)
from baton_handoff.policy.evidence.store import KINDS
from baton_handoff.source_code.modules import Notebook, parse_valid

_FIXING = ("nbstripout", "ruff check --fix", "ruff format", "ruff-format", "handoff fix")
_LOOKING = re.compile(r"--(check|diff|verify|dry-run)\b")
_NOTEBOOKS = {"jupyter", "notebook"}
_COMMITTING = {"pre-commit", "commit", "pre-push", "push"}


def notebooks_unblocked(context: CheckContext) -> CheckResult:
    """No hook looks at notebooks but those that fix."""
    notebooks = context.evidence.files.under(["*.ipynb"]) or ["notebooks/any.ipynb"]
    blocking = [
        str(hook.get("id", "?"))
        for hook in context.hooks
        if any(_takes(hook, path) for path in notebooks) and not _fixes(hook)
    ]
    if blocking:
        return not_met(
            f"The hooks {', '.join(blocking)} refuse notebooks.",
            *(
                finding_at(f"{name} looks at notebooks", ".pre-commit-config.yaml")
                for name in blocking
            ),
        )
    return met("No hook stands in the way of a notebook.")


def _takes(hook: Mapping[str, Any], notebook: str) -> bool:
    """Whether a hook runs for a notebook, as far as it says so here."""
    types = [*(hook.get("types") or []), *(hook.get("types_or") or [])]
    files, but = str(hook.get("files") or ""), str(hook.get("exclude") or "^$")
    of_another = "entry" not in hook and not types and not files
    stages = {*(hook.get("stages") or _COMMITTING)}
    if of_another or not stages & _COMMITTING or _NOTEBOOKS & {*(hook.get("exclude_types") or [])}:
        return False
    if types and not {*types} & {*_NOTEBOOKS, "file", "text"}:
        return False
    try:
        return bool(re.search(files, notebook)) and not re.search(but, notebook)
    except re.error:
        return False


def _fixes(hook: Mapping[str, Any]) -> bool:
    """Whether a hook mends what it finds."""
    said = " ".join(map(str, [hook.get("entry") or hook.get("id"), *(hook.get("args") or [])]))
    return any(fixing in said for fixing in _FIXING) and not _LOOKING.search(said)


def notebooks_stripped(context: CheckContext) -> CheckResult:
    """Notebooks are kept without what they printed."""
    notebooks = context.evidence.files.under(["*.ipynb"])
    if not notebooks:
        return not_applicable("There is no notebook.")
    modules = parse_valid({path: context.text(path) or "" for path in notebooks})
    full = [one.file for one in modules if isinstance(one, Notebook) and one.has_outputs]
    if full:
        return not_met(
            f"{len(full)} of {len(notebooks)} notebooks hold outputs.",
            *(finding_at("it holds outputs, and with them rows of data", path) for path in full),
        )
    return met(f"{len(notebooks)} notebooks hold no outputs.")


def notebooks_run(context: CheckContext) -> CheckResult:
    """Notebooks run from top to bottom."""
    kept = [path for path in context.evidence.files.in_git if path.endswith(".ipynb")]
    notebooks = [path for path in kept if path.startswith("notebooks/")]
    if not notebooks:
        return not_applicable("There is no notebook.")
    evidence = context.evidence.current("test")
    if evidence is None:
        return missing_evidence(context, "test")
    counts = {path: evidence.facts.get(path, {}) for path in notebooks}
    if failed := [path for path, count in counts.items() if count.get("failed")]:
        return not_met(f"Not run to the end: {', '.join(failed)}.")
    if any(count.get("unrun") for count in counts.values()):
        return not_shown("The run broke off before the notebooks.", KINDS["test"].recorded_by)
    if unseen := [path for path, count in counts.items() if not count.get("passed")]:
        return not_met(f"Not run at all: {', '.join(unseen)}.")
    return met("Every notebook runs from top to bottom.")
