"""The checks of practices: small functions that look at evidence, and say what they have seen."""

from collections.abc import Mapping

from baton_handoff.policy.checks import (
    code,
    contracts,
    data,
    delivery,
    exploration,
    history,
    setup,
    sources,
    tests,
    tools,
)
from baton_handoff.policy.checks.check_context import Check

CHECKS: Mapping[str, Check] = {
    check.__name__: check
    for check in (
        *(setup.lock_current, setup.environment_current, setup.hooks_installed),
        *(setup.tools_proved, setup.dependencies_apart),
        *(exploration.notebooks_unblocked, exploration.notebooks_stripped),
        exploration.notebooks_run,
        *(code.formatted, code.linted, code.typed, code.layers_kept, code.features_inside),
        *(contracts.contracts_stated, contracts.contracts_complete, contracts.api_current),
        *(contracts.contract_tests, contracts.contracts_owned),
        *(tests.tests_pass, tests.unit_tests, tests.fuzzed, tests.acceptance_passed),
        *(
            data.data_validated,
            data.data_versioned,
            data.pipeline_current,
            data.candidate_traceable,
        ),
        *(data.compared_with_baselines, data.judged_by_subgroup),
        *(delivery.service_observed, delivery.predictions_logged, delivery.models_watched),
        *(delivery.data_watched, delivery.ci_checks, delivery.infrastructure_as_code),
        *(tools.tools_chosen, tools.tools_reviewed, history.early_work_together),
        *(sources.sources_described, sources.sources_official, sources.sources_complete),
        *(sources.workarounds_needed,),
    )
}
"""Every check by its name, as practices.toml calls it."""
