"""Finding the shortest way to a champion from what is open."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from baton_handoff.config.project import Project
from baton_handoff.core.files import text_of
from baton_handoff.core.git import git_or_none
from baton_handoff.policy.evidence.steps import STEPS
from baton_handoff.policy.practices.assessment import Assessment, PracticeResult
from baton_handoff.policy.practices.practice import STATEMENT
from baton_handoff.policy.practices.way import Way
from baton_handoff.policy.status.missing_evidence import is_producible
from baton_handoff.registry.card_statements import STATEMENTS, STATEMENTS_FILE, statements
from baton_handoff.registry.version_facts import CANDIDATE, CHAMPION, ROLLED_BACK, find_version

_PIPELINE = STEPS["pipeline"].recorded_by
_COMMIT = 'git add --all && git commit -m "MESSAGE"'
_REGISTER = "uv run poe register"
_PROMOTE = "uv run poe promote {} --why WHY --run"
_MOST_PLACES = 4
_JOB = (
    "start the job `promote` of the pipeline with the version and the reason; the other side"
    " approves it there"
)
_ACCEPT = (
    "record an exception for the gate `approval` in handoff.toml, because no pipeline reaches the"
    " registry in this folder, or use a registry server"
)


@dataclass(frozen=True)
class Remaining:
    """What is left to do until a version is champion, as checks and gates found it.

    Attributes:
        practices: The results of practices that are not met.
        unstated: The sections of the model card that have no text.
        edits: What else a person has to do.
        pipeline: Whether the pipeline has to run, whatever its evidence shows.
        register: Whether a version has to be registered.
        commit: Whether there are changes that are not committed.
        approval: Whether the other side still has to approve: `given` if it does not, `pipeline` if
            it does so there, `local` if no pipeline reaches the registry.
        version: The version or alias to promote; one that has to be made is the candidate.
    """

    practices: Sequence[PracticeResult] = ()
    unstated: Sequence[str] = ()
    edits: Sequence[str] = ()
    pipeline: bool = False
    register: bool = False
    commit: bool = False
    approval: Literal["given", "pipeline", "local"] = "given"
    version: str = CANDIDATE


def way_to_champion(project: Project, assessment: Assessment) -> Way | None:
    """The shortest way from the state of a project to a champion; None if the candidate is one.

    Raises:
        HandoffError: The registry does not answer.
    """
    candidate, champion = (find_version(project, alias) for alias in (CANDIDATE, CHAMPION))
    if candidate and champion and candidate.version == champion.version:
        return None
    open_ = assessment.blocking("promotion", max(assessment.level, 1))
    edits = []
    if candidate and (reason := candidate.tags.get(ROLLED_BACK)):
        edits.append(f"correct what version {candidate.version} was rolled back for: {reason}")
    register = candidate is None or bool(edits) or any(_makes_version(result) for result in open_)
    accepted = any(one.gate == "approval" for one in project.exceptions)
    status = git_or_none(project.root, "status", "--porcelain", "--", ".")
    return shortest_way(
        Remaining(
            [result for result in open_ if not _makes_version(result)],
            missing_statements(project.root),
            edits,
            pipeline=bool(edits),
            register=register,
            commit=bool(status),
            approval=missing_approval(project, is_missing=project.level > 0 and not accepted),
        )
    )


def shortest_way(remaining: Remaining) -> Way:
    """Put everything that is left in the order in which each thing is done once.

    Sentences and edits come first, because an edit makes evidence stale; the last command runs all
    checks whose evidence is missing.
    """
    sentences: dict[str, list[str]] = {}
    for name in remaining.unstated:
        sentences.setdefault(STATEMENTS_FILE.as_posix(), []).append(name)
    corrections: dict[str, list[str]] = {}
    pipeline = remaining.pipeline
    for result in remaining.practices:
        if result.practice.check == STATEMENT:
            sentences.setdefault("handoff.toml, `[[statements]]`", []).append(result.practice.name)
        elif result.command == _PIPELINE and remaining.register:
            # With a version, the promotion itself compares the pipeline's files.
            pipeline = True
        elif not is_producible(result):
            for fix in _corrections(result):
                sides = corrections.setdefault(fix, [])
                sides += [result.side] if result.side not in sides else []
    listed = [f"{fix} [{', '.join(sides)}]" for fix, sides in corrections.items()]
    local = [_ACCEPT] if remaining.approval == "local" else []
    edits = [*dict.fromkeys([*remaining.edits, *listed, *local])]
    edited = bool(sentences or edits or pipeline or remaining.commit)
    commands = [
        *([_PIPELINE] if pipeline else []),
        *([_COMMIT] if edited else []),
        *([_REGISTER] if remaining.register else []),
        _PROMOTE.format(CANDIDATE if remaining.register else remaining.version)
        if remaining.approval != "pipeline"
        else _JOB,
    ]
    return Way(sentences, edits, commands)


def _corrections(result: PracticeResult) -> list[str]:
    """What to correct for a practice: its places if they are few and each has its own fix."""
    placed = [
        f"in {one.file}, {one.fix}"
        for one in result.findings
        if one.file and one.fix not in ("", result.practice.fix)
    ]
    is_short = 0 < len(result.findings) == len(placed) <= _MOST_PLACES
    return list(dict.fromkeys(placed)) if is_short else [result.remedy]


def missing_approval(
    project: Project, *, is_missing: bool
) -> Literal["given", "pipeline", "local"]:
    """Where the other side can approve, if it still has to."""
    if not is_missing:
        return "given"
    return "local" if project.has_local_registry else "pipeline"


def missing_statements(root: Path) -> list[str]:
    """The sections of the model card in which nobody has written yet."""
    stated = statements(text_of(root / STATEMENTS_FILE))
    return [name for name in STATEMENTS if name not in stated]


def _makes_version(result: PracticeResult) -> bool:
    """Whether registering a version is what the practice needs."""
    return result.command == _REGISTER or result.practice.check == "candidate_traceable"
