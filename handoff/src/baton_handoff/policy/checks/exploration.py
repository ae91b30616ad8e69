"""Checks of notebooks: no hook blocks them, and they are committed without outputs."""

import re
from collections.abc import Mapping
from typing import Any

from baton_handoff.core.numbers import plural
from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, check, finding_at

_FIXERS = ("nbstripout", "ruff check --fix", "ruff format", "ruff-format", "handoff fix")
_ONLY_CHECKS = re.compile(r"--(check|diff|verify|dry-run)\b")
_NOTEBOOK_TYPES = {"jupyter", "notebook"}
_COMMIT_STAGES = {"pre-commit", "commit", "pre-push", "push"}


@check
def notebooks_unblocked(context: CheckContext) -> CheckResult:
    """Hooks fix notebooks and never refuse them."""
    notebooks = context.files.under(["*.ipynb"])
    if not (notebooks or context.project.adopted):
        return CheckResult.not_applicable("There is no notebook.")
    blocking = [
        str(hook.get("id", "?"))
        for hook in context.hooks
        if any(_runs_for(hook, path) for path in notebooks or ["notebooks/any.ipynb"])
        and not _fixes(hook)
    ]
    if blocking:
        return CheckResult.not_met(
            f"The hooks {', '.join(blocking)} can refuse notebooks.",
            *(
                finding_at(f"{name} checks notebooks", ".pre-commit-config.yaml")
                for name in blocking
            ),
        )
    return CheckResult.met("No hook blocks a notebook.")


@check
def notebooks_stripped(context: CheckContext) -> CheckResult:
    """Notebooks are committed without outputs."""
    if not context.code.notebooks:
        return CheckResult.not_applicable("There is no notebook.")
    number = len(context.code.notebooks)
    if full := [notebook.file for notebook in context.code.notebooks if notebook.has_outputs]:
        return CheckResult.not_met(
            f"{len(full)} of {plural(number, 'notebook contains', 'notebooks contain')} outputs.",
            *(finding_at("its outputs may contain rows of data", path) for path in full),
        )
    return CheckResult.met("No notebook contains outputs.")


def _runs_for(hook: Mapping[str, Any], notebook: str) -> bool:
    """Whether pre-commit runs a hook for a notebook, as far as the configuration tells."""
    types = {*(hook.get("types") or []), *(hook.get("types_or") or [])}
    files, exclude = str(hook.get("files") or ""), str(hook.get("exclude") or "^$")
    # The files of a hook from another repository are configured there.
    configured_elsewhere = "entry" not in hook and not types and not files
    stages = {*(hook.get("stages") or _COMMIT_STAGES)}
    if configured_elsewhere or not stages & _COMMIT_STAGES:
        return False
    if _NOTEBOOK_TYPES & {*(hook.get("exclude_types") or [])}:
        return False
    if types and not types & {*_NOTEBOOK_TYPES, "file", "text"}:
        return False
    try:
        return bool(re.search(files, notebook)) and not re.search(exclude, notebook)
    except re.error:
        return False


def _fixes(hook: Mapping[str, Any]) -> bool:
    command = " ".join(map(str, [hook.get("entry") or hook.get("id"), *(hook.get("args") or [])]))
    return any(fixer in command for fixer in _FIXERS) and not _ONLY_CHECKS.search(command)
