"""Practices in a repository that Baton has not made: what reading it shows, and what is not shown.

Nothing is run there, and nothing is written.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace

from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.checks.check_context import CheckResult
from baton_handoff.policy.practices.assessment import UnmanagedFacts
from baton_handoff.policy.practices.practice import STATEMENT, Practice
from baton_handoff.policy.unmanaged import code, commands, data, delivery, setup, tests
from baton_handoff.policy.unmanaged.observation import open_
from baton_handoff.policy.unmanaged.repository import Repository

_CHECKS: Mapping[str, Callable[[Repository], CheckResult]] = {
    "lock_current": setup.locked,
    "environment_current": setup.installed,
    "hooks_installed": setup.hooks,
    "dependencies_apart": setup.apart,
    "tools_chosen": setup.chosen,
    "notebooks_unblocked": tests.unblocked,
    "notebooks_stripped": tests.stripped,
    "notebooks_run": tests.run,
    "formatted": code.formatted,
    "linted": code.linted,
    "typed": code.typed,
    "layers_kept": code.layers,
    "contracts_stated": data.stated,
    "contracts_complete": data.complete,
    "contract_tests": tests.contract_tests,
    "api_current": delivery.api,
    "tests_pass": tests.passing,
    "unit_tests": tests.units,
    "fuzzed": tests.fuzzed,
    "acceptance_passed": tests.scenarios,
    "data_validated": data.validated,
    "data_versioned": data.versioned,
    "pipeline_current": data.pipeline,
    "sources_described": data.described,
    "sources_official": data.official,
    "sources_complete": data.told,
    "workarounds_needed": data.workarounds,
    "service_observed": delivery.observed,
    "predictions_logged": delivery.kept,
    "ci_checks": delivery.ci,
    "infrastructure_as_code": delivery.infrastructure,
}
"""For each check of practices.toml that reading can say something of, the one that reads."""

_NOTHING: Mapping[str, str] = {
    "tools_proved": "The tools of the standards are not in use here.",
    "tools_reviewed": "No decision that can be read says when somebody looks at it again.",
    "contracts_owned": "No file says that both sides are asked before a contract changes.",
    "features_inside": "Whether training and service compute the same can't be told by reading.",
    "candidate_traceable": "No registry was asked for a model.",
    "compared_with_baselines": "No registry was asked for a model and its figures.",
    "judged_by_subgroup": "No registry was asked for a model and its figures.",
    "models_watched": "Whether anybody watches what is predicted can't be told by reading.",
    "data_watched": "Whether anybody watches what comes in can't be told by reading.",
    "early_work_together": "Nothing says which side an author is on.",
    STATEMENT: "Only a person can state it, in a handoff.toml, and there is none yet.",
}
"""What there is to say of those that reading shows nothing of."""

MALFORMED_FILE_ERRORS = (
    *(AttributeError, HandoffError, LookupError, OSError, RecursionError, TypeError, ValueError),
)
"""What goes wrong where a file does not hold what its name says."""


def check_practice(practice: Practice, repository: Repository) -> CheckResult:
    """What can be seen of a practice; where something is open, also what to do about it there."""
    check = _CHECKS.get(practice.check)
    try:
        seen = check(repository) if check else open_(_NOTHING[practice.check])
    except MALFORMED_FILE_ERRORS as error:
        where = f"{repository.context.project.root}{os.sep}"
        said = str(error).partition("\n")[0].replace(where, "").rstrip(".")
        seen = open_(f"It can't be told, for a file is not what it seems: {said}.")
    if seen.fix:
        return seen
    later = f"adopt Baton, then {practice.fix}"
    return replace(seen, fix=f"adopt Baton: `{commands.adopt()}`" if practice.brought else later)


def unmanaged_facts(repository: Repository) -> UnmanagedFacts:
    """What was looked at in a repository that Baton has not made, and what adopts it."""
    return UnmanagedFacts(repository.looked_at, tuple(repository.unread), commands.adopt())
