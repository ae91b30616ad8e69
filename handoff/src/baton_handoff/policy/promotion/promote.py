"""Promotion: a version is validated, judged by the gates, recorded, and then the alias moves."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities.model_registry import ModelVersion

from baton_handoff.config.project import Project
from baton_handoff.config.sides import ML_ENGINEERING
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.promotion.candidate import Candidate
from baton_handoff.policy.promotion.gates import FOR_STAGING, GateResult, judged, red
from baton_handoff.policy.promotion.validation import Say, candidate_of
from baton_handoff.registry.alias_moves import (
    AliasMove,
    aliased_version,
    current_actor,
    in_ci,
    move_timestamp,
    promotion_lock,
    record_move,
)
from baton_handoff.registry.lineage import Lineage
from baton_handoff.registry.model_registry import (
    connect,
    download_artifact,
    get_version,
    registry_errors,
)
from baton_handoff.registry.register import log_card
from baton_handoff.registry.version_facts import CHAMPION
from baton_handoff.reporting.findings import Finding


@dataclass(frozen=True)
class PromotionResult:
    """What came of a promotion.

    Attributes:
        findings: What every gate said.
        moved: The move of the alias, None where it stays where it is.
    """

    findings: Sequence[Finding]
    moved: AliasMove | None

    @property
    def blocked(self) -> bool:
        """Whether anything stands in the way."""
        return any(finding.blocks for finding in self.findings)


@registry_errors()
def promote(project: Project, wanted: str, to: str, why: str | None, say: Say) -> PromotionResult:
    """Validate a version, and move an alias to it if no gate blocks.

    Args:
        project: The project, checked out at the code that the service runs, as it judges
            (`limits.binding`).
        wanted: A version's number, or an alias.
        to: The alias to move: `champion` or `staging`.
        why: The reason, for the record; None only says what the gates say.
        say: Where progress is told.

    Raises:
        HandoffError: There is no such version, or another promotion is under way.
    """
    version = get_version(project, wanted)
    with promotion_lock(project):
        client = connect(project)
        before = aliased_version(client, project, to)
        candidate = candidate_of(project, client, version, say)
        results = judged(candidate, project.promotion) | _approval(project, to)
        findings = list(found(project, results, to))
        result = PromotionResult(findings, None)
        if why is None or result.blocked:
            return result
        if aliased_version(client, project, to) != before:
            raise HandoffError(
                f"Somebody else has moved {to} in the meantime: promote again, against that one."
            )
        if to == CHAMPION:
            _restate_card(project, version, candidate)
        accepted = tuple(name for name, result in results.items() if not result.passes)
        move = AliasMove(
            to,
            int(version.version),
            before,
            "promotion",
            current_actor(project),
            move_timestamp(),
            why,
            accepted,
        )
        record_move(client, project, move)
        client.set_registered_model_alias(project.model, to, version.version)
        return PromotionResult(findings, move)


@registry_errors()
def listed(project: Project) -> list[dict[str, Any]]:
    """Every version, the newest first: aliases, origin, contracts, figures."""
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


def found(project: Project, results: Mapping[str, GateResult], to: str) -> Iterator[Finding]:
    """What the gates said, as findings: what blocks the move of an alias, and what is accepted."""
    today = datetime.now(UTC).date()
    for gate, result in results.items():
        asked = to == CHAMPION or gate in FOR_STAGING
        accepted = [e for e in project.exceptions if e.gate == gate]
        counts = [e for e in accepted if e.counts(today)]
        notes = [
            f"{'accepted' if e in counts else 'no longer accepted'} until {e.expires} by {e.owner}:"
            f" {e.reason}"
            for e in accepted
        ]
        refused = not result.passes
        yield Finding(
            f"gate-{gate}",
            f"{gate}: {result.says}",
            blocks=refused and asked and not counts and (project.level > 0 or result.binding),
            side=result.side if refused else None,
            fix=result.fix if refused else "",
            evidence=(*result.evidence, *(notes if refused else ())),
            met=result.passes,
        )


def _approval(project: Project, to: str) -> dict[str, GateResult]:
    """The other side's consent is what the CI provider protects the job with, nothing of ours."""
    if to != CHAMPION or project.level == 0 or in_ci():
        return {}
    return {
        "approval": red(
            "this is not the pipeline, where the other side approves a champion",
            "run the job `promote`, or record an exception for `approval` in handoff.toml",
            ML_ENGINEERING,
        )
    }


def _restate_card(project: Project, version: ModelVersion, candidate: Candidate) -> None:
    """Put what a person has said by now into the version's card."""
    if candidate.evaluation is None:
        return
    with tempfile.TemporaryDirectory() as scratch:
        plots = download_artifact(version, "card/plots", Path(scratch))
        files = sorted(plots.glob("*.png")) if plots else []
        with mlflow.start_run(run_id=version.run_id):
            lineage = mlflow.artifacts.load_dict(f"runs:/{version.run_id}/lineage.json")
            log_card(project, Lineage(**lineage), candidate.evaluation, files)
