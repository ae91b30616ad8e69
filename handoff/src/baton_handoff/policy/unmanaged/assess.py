"""Practices in a repository that was not made with Baton, as far as its files show them.

Nothing runs there, and nothing is written.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace

from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.checks import CHECKS
from baton_handoff.policy.checks.check_context import Check, CheckContext, CheckResult
from baton_handoff.policy.practices.assessment import UnmanagedFacts
from baton_handoff.policy.practices.practice import STATEMENT, Practice
from baton_handoff.policy.unmanaged import code, commands, data, delivery, setup, tests
from baton_handoff.policy.unmanaged.border import Border
from baton_handoff.policy.unmanaged.gaps import gaps

_SAME = ("notebooks_stripped", "shortcuts_removed", "editor_set_up")

READ_CHECKS: Mapping[str, Check] = {
    **{name: CHECKS[name] for name in _SAME},
    **{
        name: function
        for module in (code, data, delivery, setup, tests)
        for name, function in vars(module).items()
        if name in CHECKS and function is not CHECKS[name]
    },
}
"""The checks that only read files; a different one has the name of the check in a project."""

_NOT_READABLE: Mapping[str, str] = {
    "tools_proved": "The repository does not use the tools of the standards.",
    "tools_locked": "The repository does not use the tools of the standards.",
    "alerts_received": "Files alone don't show who receives alerts.",
    "tools_reviewed": "No file states when a decision about a tool is due for a review.",
    "contracts_owned": "No file requires both sides to approve a change of a contract.",
    "features_inside": "Files alone don't show whether training and service compute the same.",
    "candidate_traceable": "No model registry is configured.",
    "compared_with_baselines": "No model registry is configured.",
    "judged_by_subgroup": "No model registry is configured.",
    "models_watched": "Files alone don't show whether predictions are monitored.",
    "data_watched": "Files alone don't show whether incoming data is monitored.",
    "early_work_together": "No file states which side an author belongs to.",
    STATEMENT: "Only a person can state it, in handoff.toml, which does not exist yet.",
}
"""Why files alone show nothing of some practices."""

_FIXES = {
    "notebooks_stripped": "`uvx nbstripout FILE`",
    "data_versioned": "`git rm --cached FILE`, and keep it under DVC",
}
"""What to do in such a repository, where the check itself is the same."""

_MOST = 6
"""How many places of one part of the border are listed."""

MALFORMED_FILE_ERRORS = (
    *(AttributeError, HandoffError, LookupError, OSError, RecursionError, TypeError, ValueError),
)
"""The errors of reading a file whose content is not what its name promises."""


def check_practice(practice: Practice, context: CheckContext) -> CheckResult:
    """Check a practice by reading files; the result contains what to do in this repository."""
    name = practice.check
    try:
        check = READ_CHECKS.get(name)
        result = check(context) if check else CheckResult.not_shown(_NOT_READABLE[name])
    except MALFORMED_FILE_ERRORS as error:
        result = CheckResult.not_shown(f"A file has unexpected content: {_reason(error, context)}.")
    fix = f"adopt Baton: `{commands.adopt()}`"
    if not practice.brought:
        fix = _FIXES.get(name, "") if result.findings else ""
        fix = fix or f"adopt Baton, then {practice.fix}"
    return replace(result, fix=result.fix or fix)


def unmanaged_facts(context: CheckContext, practices: Iterable[Practice]) -> UnmanagedFacts:
    """How much of a repository was read, and how to adopt Baton there."""
    code = context.code
    counts = {
        "files": len(context.files.paths),
        "modules": len(code.modules),
        "notebooks": len(code.notebooks),
        "test files": len(code.tests),
    }
    border = Border(context)
    lines: dict[str, tuple[str, ...]] = {}
    for part, read in border.parts().items():
        try:
            lines[part] = _shortened(read())
        except MALFORMED_FILE_ERRORS as error:
            lines[part] = (f"not looked at: {_reason(error, context)}",)
    found = gaps(border, MALFORMED_FILE_ERRORS)
    readable = tuple(one.name for one in practices if one.check in READ_CHECKS)
    adopt = commands.adopt()
    paths = context.files.paths
    home = next((one for one in ("README.md", "pyproject.toml", *paths) if one in paths), ".")
    return UnmanagedFacts(counts, tuple(code.unreadable), adopt, home, readable, lines, found)


def _reason(error: Exception, context: CheckContext) -> str:
    """What is wrong with a file, without the folder of the repository."""
    reason = str(error).partition("\n")[0] or type(error).__name__
    return reason.replace(f"{context.project.root}{os.sep}", "").rstrip(".")


def _shortened(items: Iterable[str]) -> tuple[str, ...]:
    """The first items, and how many more there are."""
    every = [*dict.fromkeys(items)]
    more = [f"and {len(every) - _MOST} more"] if len(every) > _MOST else []
    return (*every[:_MOST], *more)
