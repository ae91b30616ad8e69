"""Findings about a change that no practice covers.

`contract diff` finds breaks of contracts, `definition_of_done` missing tests and descriptions, and
`triage` the side that has to act. Breaks of contracts block from level 1 on. Triage never blocks
here: it only explains why checks fail.

The findings of `contract diff` and `triage` are kept as evidence, under the hash of the files that
they depend on in the change and in its base. So they also count on another machine, and after a
merge of the base that changes none of these files.
"""

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeAlias

from baton_handoff.config.project import Project
from baton_handoff.config.project_files import ProjectFiles
from baton_handoff.config.standards import WHEEL
from baton_handoff.policy.evidence.recording import utc_timestamp
from baton_handoff.policy.evidence.store import KINDS, Evidence, EvidenceStore
from baton_handoff.policy.practices.assessment import Assessment, State
from baton_handoff.policy.status.base_policy import ProjectChange, change_since
from baton_handoff.policy.status.definition_of_done import DELETED_CHECK
from baton_handoff.reporting.findings import Finding

Comparison: TypeAlias = Literal["diff", "triage"]
"""A command that compares a change with its base, by the name of its evidence."""

VERSION_CHECK = "contract-version"
"""The check of findings that a contract changed without the new version that this requires."""

UNCOMPARED_CHECK = "contracts-compared"
"""The check of the finding that `contract diff` has not compared changed contracts yet."""

_COMMANDS: dict[Comparison, str] = {"diff": "uv run poe diff", "triage": "uv run handoff triage"}

_TRIAGED_CHECKS = {"typed", "layers_kept", "contract_tests"}
"""The checks of practices that triage runs."""

Keep: TypeAlias = Callable[[Sequence[Finding]], None]


@contextmanager
def kept(project: Project, comparison: Comparison, base: str | None) -> Iterator[Keep]:
    """Keep the findings of a comparison with a commit, unless files that it depends on change.

    Raises:
        HandoffError: `base` can't be used.
    """
    if (base or "").endswith(".whl"):
        yield lambda _: None
        return
    with change_since(project, base) as change:
        key = _key(comparison, project, change.folder) if change else ""

        def keep(found: Sequence[Finding]) -> None:
            if change and _key(comparison, project, change.folder) == key:
                ok = not any(finding.blocks for finding in found)
                evidence = Evidence(comparison, key, ok, utc_timestamp(), findings=found)
                EvidenceStore(project).save(evidence)

        yield keep


def contract_findings(change: ProjectChange) -> list[Finding]:
    """The breaks of contracts in a change, or that `contract diff` has not compared them yet."""
    project, folder = change.policy, change.folder
    contracts = f"src/{project.package}/contracts/"
    if not any(path.startswith(contracts) for path in change.paths):
        return []
    if not ((folder / "handoff.toml").is_file() and any(folder.glob("src/*/contracts/"))):
        return []  # the base has no contracts to compare with
    command, blocks = comparison_command("diff", change), project.level > 0
    evidence = _evidence("diff", change)
    if evidence is None:
        message = "The contracts have changed, and no comparison shows yet what that breaks"
        return [Finding(UNCOMPARED_CHECK, message, blocks, file=contracts, fix=f"`{command}`")]
    return [
        replace(finding, blocks=blocks, fix=f"`{command}`")
        for finding in evidence.findings
        if finding.check == VERSION_CHECK
    ]


def triage_findings(change: ProjectChange, assessment: Assessment) -> list[Finding]:
    """The sides that have to act on failed checks, or that triage has not run yet."""
    evidence = _evidence("triage", change)
    if evidence:
        # The definition of done lists deleted tests already.
        found = [finding for finding in evidence.findings if finding.check != DELETED_CHECK]
        return [replace(finding, blocks=False) for finding in found]
    if not any(
        result.practice.check in _TRIAGED_CHECKS
        and result.state is State.NOT_MET
        and not result.reached
        for result in assessment.results
    ):
        return []
    message = "Checks fail, and triage has not found out yet which side has to act"
    command = comparison_command("triage", change)
    return [Finding("triage", message, blocks=False, fix=f"`{command}`")]


def comparison_command(comparison: Comparison, change: ProjectChange) -> str:
    """The command that compares a change with its base."""
    base = f" --base {shlex.quote(change.reference)}" if change.reference else ""
    return f"{_COMMANDS[comparison]}{base}"


def _evidence(comparison: Comparison, change: ProjectChange) -> Evidence | None:
    evidence = EvidenceStore(change.policy).latest(comparison)
    key = _key(comparison, change.policy, change.folder)
    return evidence if evidence and evidence.key == key else None


def _key(comparison: Comparison, project: Project, base: Path) -> str:
    """The hash of the files that a comparison depends on, in the change and in its base."""
    both = ["handoff.toml", ".copier-answers.yml"]
    if comparison == "diff":
        both.append(f"src/{project.package}/contracts/")
        head = [*both, WHEEL, "uv.lock"]
    else:
        both += [place for name in ("test", "types", "layers") for place in KINDS[name].depends_on]
        both += ["data/", "*.dvc"]
        head = both
    # Only triage depends on the responsibilities in handoff.toml.
    judged = comparison == "triage"
    keys = (
        ProjectFiles(project.root).key(head, judged=judged),
        ProjectFiles(base).key(both, judged=judged),
    )
    return "-".join(keys)
