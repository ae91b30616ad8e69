"""Checks of exploration: nothing is in its way, and what it leaves can be read again."""

import json

from baton_handoff.practices.checks.look import (
    Look,
    Seen,
    met,
    missing,
    not_applicable,
    not_met,
    not_shown,
    place,
)
from baton_handoff.practices.evidence import KINDS

_FIXING = ("nbstripout", "ruff check --fix", "ruff format")
_NOTEBOOKS = {"jupyter", "notebook"}


def notebooks_unblocked(look: Look) -> Seen:
    """No hook looks at notebooks but those that fix."""
    said = look.yaml(".pre-commit-config.yaml") or {}
    hooks = [hook for repo in said.get("repos", []) for hook in repo.get("hooks", [])]
    blocking = [
        hook.get("id", "?")
        for hook in hooks
        if _NOTEBOOKS & {*hook.get("types", []), *hook.get("types_or", [])}
        and not any(fixing in hook.get("entry", "") for fixing in _FIXING)
    ]
    if blocking:
        return not_met(
            f"The hooks {', '.join(blocking)} refuse notebooks.",
            *(place(f"{name} looks at notebooks", ".pre-commit-config.yaml") for name in blocking),
        )
    return met("No hook stands in the way of a notebook.")


def notebooks_stripped(look: Look) -> Seen:
    """Notebooks are kept without what they printed."""
    notebooks = look.record.files.under(["*.ipynb"])
    if not notebooks:
        return not_applicable("There is no notebook.")
    full = [path for path in notebooks if _has_output(look.text(path) or "")]
    if full:
        return not_met(
            f"{len(full)} of {len(notebooks)} notebooks hold outputs.",
            *(place("it holds outputs, and with them rows of data", path) for path in full),
        )
    return met(f"{len(notebooks)} notebooks hold no outputs.")


def notebooks_run(look: Look) -> Seen:
    """Notebooks run from top to bottom."""
    if not look.record.files.under(["notebooks/"]):
        return not_applicable("There is no notebook.")
    evidence = look.record.of("test")
    if evidence is None:
        return missing(look, "test")
    counts = {file: count for file, count in evidence.facts.items() if file.startswith("notebooks")}
    if any(count.get("unrun") for count in counts.values()):
        return not_shown("The run broke off before the notebooks.", KINDS["test"].shown_by)
    failed = [file for file, count in counts.items() if count.get("failed")]
    if failed or not counts:
        return not_met(f"{', '.join(failed) or 'None of them'} does not run to its end.")
    return met(f"{len(counts)} notebooks run from top to bottom.")


def _has_output(text: str) -> bool:
    try:
        cells = json.loads(text)["cells"]
        return any(cell.get("outputs") for cell in cells)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
