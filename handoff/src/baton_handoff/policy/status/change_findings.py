"""What a change leaves open that no practice asks about.

`contract diff` finds breaks of contracts, `definition_of_done` what a change does not bring along,
and `triage` whose turn it is.

Breaks of contracts block from level 1 on, and tests and meanings that a change does not bring from
level 2 on. Triage blocks nothing here: it says whose turn it is where checks are red.

The second only reads, so it is asked each time. What the others have found is kept under the hash
of both states of the files that it depends on, so that it is as good on another machine, and after
a merge of the base that changes none of them.
"""

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from baton_handoff.config.project import Project
from baton_handoff.config.project_files import ProjectFiles
from baton_handoff.config.standards import WHEEL
from baton_handoff.core.git_snapshots import snapshots_of
from baton_handoff.policy.evidence.recording import utc_timestamp
from baton_handoff.policy.evidence.store import KINDS, Evidence, EvidenceStore
from baton_handoff.policy.practices.assessment import Assessment, State
from baton_handoff.reporting.findings import Finding

DIFF, TRIAGE = "diff", "triage"
"""What the evidence is called: as the commands that leave it."""

VERSION = "contract-version"
"""The finding that a contract has changed without the version that this asks for."""

UNSEEN = "contracts-compared"
"""The finding that nothing says what a change of the contracts breaks."""

_UNTRIED = "triage"
"""The finding that checks are red, and nothing says whose turn it is."""

_TRIED = {"typed", "layers_kept", "contract_tests"}
"""The checks of practices that triage tries."""

Keep: TypeAlias = Callable[[Sequence[Finding]], None]


@contextmanager
def kept(project: Project, kind: str, base: str | None) -> Iterator[Keep]:
    """Keep what a command finds in a change, unless what it depends on changes meanwhile.

    Args:
        project: The project.
        kind: `DIFF` or `TRIAGE`.
        base: What the change is held against; with a wheel it says nothing of the change.

    Raises:
        HandoffError: `base` can't be used.
    """
    with snapshots_of(project.root) as (snapshots, scratch):
        if (base or "").endswith(".whl") or (base is None and not snapshots.has_commits):
            yield lambda _: None
            return
        before = snapshots.check_out(
            snapshots.of_commit(snapshots.merge_base(base)), scratch / "kept"
        )
        key = _key(kind, project, before)

        def keep(found: Sequence[Finding]) -> None:
            if _key(kind, project, before) == key:
                ok = not any(finding.blocks for finding in found)
                EvidenceStore(project).save(
                    Evidence(kind, key, ok, utc_timestamp(), findings=found)
                )

        yield keep


def breaks_since(project: Project, base: str | None, before: Path) -> list[Finding]:
    """What a change breaks in the contracts, or that nothing says so yet.

    Args:
        project: The project as it judges the change.
        base: What the change is to be merged into, as it was named.
        before: The folder with the tree that the change began with.
    """
    contracts = f"src/{project.package}/contracts/"
    if ProjectFiles(project.root).key([contracts]) == ProjectFiles(before).key([contracts]):
        return []
    if not ((before / "handoff.toml").is_file() and any(before.glob("src/*/contracts/"))):
        return []  # as `handoff contract diff` has nothing to compare with
    fix = _command(DIFF, base)
    evidence = _found(DIFF, project, before)
    if evidence is None:
        said = "The contracts have changed, and nothing says yet what that breaks"
        return [Finding(UNSEEN, said, project.level > 0, file=contracts, fix=fix)]
    return [
        replace(finding, blocks=project.level > 0, fix=fix)
        for finding in evidence.findings
        if finding.check == VERSION
    ]


def turns_since(
    project: Project, base: str | None, before: Path, assessment: Assessment
) -> list[Finding]:
    """Whose turn it is where a change has red checks, or that nothing says so yet.

    Args:
        project: The project as it judges the change.
        base: What the change is to be merged into, as it was named.
        before: The folder with the tree that the change began with.
        assessment: Where the project stands with the change.
    """
    red = any(
        result.practice.check in _TRIED and result.state is State.NOT_MET and not result.reached
        for result in assessment.results
    )
    evidence = _found(TRIAGE, project, before)
    if evidence:
        return [replace(finding, blocks=False) for finding in evidence.findings]
    said = "Checks are red, and nothing says yet whose turn it is"
    return [Finding(_UNTRIED, said, blocks=False, fix=_command(TRIAGE, base))] if red else []


def _command(kind: str, base: str | None) -> str:
    typed = "uv run poe diff" if kind == DIFF else "uv run handoff triage"
    return f"`{typed}{f' --base {shlex.quote(base)}' if base else ''}`"


def _found(kind: str, project: Project, before: Path) -> Evidence | None:
    evidence = EvidenceStore(project).latest(kind)
    return evidence if evidence and evidence.key == _key(kind, project, before) else None


def _key(kind: str, project: Project, before: Path) -> str:
    """The hash of everything that a comparison depends on, in the change and in its base."""
    both = ["handoff.toml", ".copier-answers.yml"]
    if kind == DIFF:
        both.append(f"src/{project.package}/contracts/")
        ours = [*both, WHEEL, "uv.lock"]
    else:
        tried = [place for name in ("test", "types", "layers") for place in KINDS[name].places]
        both += [*tried, "data/", "*.dvc"]
        ours = both
    # Who is asked, triage reads there.
    judged = kind == TRIAGE
    keys = (
        ProjectFiles(project.root).key(ours, judged=judged),
        ProjectFiles(before).key(both, judged=judged),
    )
    return "-".join(keys)
