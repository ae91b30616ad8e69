"""Promotion: validate a version, judge it by the gates, record the move, then move the alias."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities.model_registry import ModelVersion

from baton_handoff.config.project import Project
from baton_handoff.config.sides import SIDES
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import git_or_none
from baton_handoff.policy.practices.way import Way
from baton_handoff.policy.promotion.candidate import Candidate
from baton_handoff.policy.promotion.gates import FOR_STAGING, judge
from baton_handoff.policy.promotion.gates.result import GateResult, failed
from baton_handoff.policy.promotion.promotion_policy import uncommitted_statements
from baton_handoff.policy.promotion.validation import Progress, validate
from baton_handoff.policy.status.champion_way import Remaining, missing_approval, shortest_way
from baton_handoff.registry.alias_moves import (
    AliasMove,
    alias_mismatch,
    aliased_version,
    in_ci,
    move_alias,
    promotion_lock,
)
from baton_handoff.registry.card_statements import STATEMENTS
from baton_handoff.registry.lineage import Lineage
from baton_handoff.registry.model_registry import (
    connect,
    download_artifact,
    get_version,
    registry_errors,
)
from baton_handoff.registry.register import LINEAGE_FILE, log_card
from baton_handoff.registry.version_facts import CHAMPION, ROLLED_BACK
from baton_handoff.reporting.findings import Finding


@dataclass(frozen=True)
class PromotionResult:
    """The result of a promotion.

    Attributes:
        findings: The result of every gate.
        moved: The move of the alias, None if it did not move.
        way: What is left to do until the version is champion, None if nothing blocks.
    """

    findings: Sequence[Finding]
    moved: AliasMove | None
    way: Way | None = None

    @property
    def blocked(self) -> bool:
        """True if a gate blocks."""
        return any(finding.blocks for finding in self.findings)


@registry_errors()
def promote(
    project: Project, wanted: str, to: str, why: str | None, progress: Progress
) -> PromotionResult:
    """Validate a version, and move an alias to it if no gate blocks.

    Args:
        project: The project, checked out at the code that the service runs, with the policy that
            judges the promotion (`promotion_policy`).
        wanted: A version's number, or an alias.
        to: The alias to move: `champion` or `staging`.
        why: The reason, for the record; None to judge only, and move nothing.
        progress: Called with a line for each step.

    Raises:
        HandoffError: There is no such version, or another promotion is running.
    """
    version = get_version(project, wanted)
    with promotion_lock(project):
        client = connect(project)
        before = aliased_version(client, project, to)
        if why is not None:
            _check_moves(client, project, to, before, int(version.version))
        candidate = validate(project, client, version, progress)
        results = judge(candidate, project.promotion) | approval(project, to)
        findings = gate_findings(project, results, to)
        if to == CHAMPION:
            findings += [*uncommitted_statements(project), *_rolled_back(version)]
        outcome = PromotionResult(findings, None)
        if outcome.blocked:
            way = _way(project, candidate, results, findings) if to == CHAMPION else None
            return replace(outcome, way=way)
        if why is None:
            return outcome
        if aliased_version(client, project, to) != before:
            raise HandoffError(
                f"The alias {to} has moved in the meantime: promote again, against its new version."
            )
        if to == CHAMPION:
            _restate_card(project, version, candidate)
        accepted = tuple(name for name, result in results.items() if not result.passed)
        move = AliasMove(to, int(version.version), before, "promotion", why, accepted)
        move = move_alias(client, project, move)
        return PromotionResult(findings, move)


def _rolled_back(version: ModelVersion) -> list[Finding]:
    """Advice about a version from which `champion` was rolled back."""
    if not (reason := version.tags.get(ROLLED_BACK)):
        return []
    message = f"version {version.version} was the champion and was rolled back: {reason}"
    fix = "promote it only if that reason no longer holds"
    return [Finding("rolled-back", message, blocks=False, side=None, fix=fix)]


_STATED = ("card", "practices", "approval")
"""Gates whose fixes the way lists one by one."""


def _way(
    project: Project,
    candidate: Candidate,
    results: Mapping[str, GateResult],
    findings: Sequence[Finding],
) -> Way:
    """What is left to do until nothing blocks."""
    blocking = {one.check.removeprefix("gate-"): one for one in findings if one.blocks}
    edits = [
        f"{finding.fix} [{finding.side}]"
        for name, finding in blocking.items()
        if name in results and name not in _STATED and not results[name].waits_for
    ]
    recorded = any(one.gate == "approval" for one in (project.head or project).exceptions)
    edited = bool(git_or_none(project.root, "status", "--porcelain", "--", "handoff.toml"))
    if "approval" in blocking and recorded and not edited:
        edits.append("merge the exception for the gate `approval` into the main branch")
    unstated = [name for name in STATEMENTS if name not in candidate.statements]
    return shortest_way(
        Remaining(
            candidate.practices.open if "practices" in blocking else [],
            unstated if "card" in blocking else [],
            edits,
            commit="uncommitted" in blocking or (recorded and edited),
            approval=missing_approval(project, is_missing="approval" in blocking and not recorded),
            version=str(candidate.version),
        )
    )


@registry_errors()
def require_promotable(project: Project, wanted: str, to: str) -> None:
    """Check before anything slow that there is a version to promote.

    Raises:
        HandoffError: There is no such version, or the alias points to it already.
    """
    version = get_version(project, wanted)
    client = connect(project)
    before = aliased_version(client, project, to)
    _check_moves(client, project, to, before, int(version.version))


def _check_moves(
    client: mlflow.MlflowClient, project: Project, alias: str, before: int | None, version: int
) -> None:
    """Check that a promotion would move the alias, or correct its record.

    Raises:
        HandoffError: The alias points to the version already.
    """
    if before == version and not alias_mismatch(client, project, alias):
        raise HandoffError(
            f"Version {version} is the {alias} already, so there is nothing to promote; --dry-run"
            " judges it again."
        )


@registry_errors()
def list_versions(project: Project) -> list[dict[str, Any]]:
    """Every version, the newest first: aliases, origin, contracts, metrics."""
    client = connect(project)
    found = client.search_model_versions(f"name = '{project.model}'")
    aliases: dict[int, list[str]] = {}
    for alias, version in (
        client.get_registered_model(project.model).aliases.items() if found else ()
    ):
        aliases.setdefault(int(version), []).append(alias)
    return [
        {
            "version": int(version.version),
            "aliases": sorted(aliases.get(int(version.version), [])),
            "registered": datetime.fromtimestamp(version.creation_timestamp / 1000, UTC).isoformat(
                timespec="seconds"
            ),
            "commit": version.tags.get("handoff.commit", ""),
            "clean": version.tags.get("handoff.clean") == "true",
            "contracts": json.loads(version.tags.get("handoff.contracts", "{}")),
            "metrics": {
                name: value
                for name, value in client.get_run(str(version.run_id)).data.metrics.items()
                if name.startswith("model.") and name.count(".") == 1
            },
        }
        for version in sorted(found, key=lambda version: -int(version.version))
    ]


def gate_findings(project: Project, results: Mapping[str, GateResult], to: str) -> list[Finding]:
    """The results of gates as findings; an exception that counts keeps one from blocking."""
    today, findings = datetime.now(UTC).date(), []
    for gate, result in results.items():
        exceptions = [one for one in project.exceptions if one.gate == gate and not result.passed]
        counts = [one for one in exceptions if one.counts(today)]
        required = to == CHAMPION or gate in FOR_STAGING
        binding = project.level > 0 or result.binding
        notes = [
            f"{'accepted' if one in counts else 'no longer accepted'} until {one.expires} by"
            f" {one.owner}: {one.reason}"
            for one in exceptions
        ]
        # The side that answers for the file that has to change has to act.
        owner = project.side_of(result.file) if result.file else None
        findings.append(
            Finding(
                f"gate-{gate}",
                f"{gate}: {result.message}",
                blocks=not result.passed and required and binding and not counts,
                side=None if result.passed else owner or result.side,
                file=None if result.passed else result.file or None,
                fix="" if result.passed or counts else result.fix,
                evidence=(*result.evidence, *notes),
                met=result.passed,
            )
        )
    return findings


def approval(project: Project, to: str) -> dict[str, GateResult]:
    """The gate of the other side's consent, which the CI provider asks for before the job runs."""
    # A change of the provider counts once it is merged, like everything that approves.
    if to != CHAMPION or project.level == 0 or in_ci((project.base or project).ci):
        return {}
    accept = "commit an exception for `approval` in handoff.toml to the main branch"
    fix = f"run the job `promote`, or {accept}"
    if project.has_local_registry:
        fix = f"{accept}: no pipeline reaches the registry in this folder"
    return {
        "approval": failed(
            "this is not the pipeline, in which the other side approves a champion",
            fix,
            " and ".join(SIDES),
        )
    }


def _restate_card(project: Project, version: ModelVersion, candidate: Candidate) -> None:
    """Write the version's card again, with what people have stated since it was registered."""
    if candidate.evaluation is None:
        return
    with tempfile.TemporaryDirectory() as scratch:
        plots = download_artifact(version, "card/plots", Path(scratch))
        files = sorted(plots.glob("*.png")) if plots else []
        with mlflow.start_run(run_id=version.run_id):
            lineage = mlflow.artifacts.load_dict(f"runs:/{version.run_id}/{LINEAGE_FILE}")
            log_card(project, Lineage(**lineage), candidate.evaluation, files)
