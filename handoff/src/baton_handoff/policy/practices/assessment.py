"""The assessment of a project: the result of each practice for each side, and the earned level."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from baton_handoff.config.settings import PolicyException
from baton_handoff.policy.practices.practice import Practice, Tier
from baton_handoff.policy.practices.stages import Stage
from baton_handoff.policy.practices.way import Way
from baton_handoff.reporting.findings import Finding
from baton_handoff.updates.state import TemplateVersion


class State(StrEnum):
    """The state of a practice."""

    MET = "met"
    STATED = "stated by a person"
    NOT_MET = "not met"
    NOT_SHOWN = "not shown"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class PracticeResult:
    """The result of one practice for one side.

    Attributes:
        practice: The practice.
        side: The side.
        tier: How strongly the practice is required of that side at the assessed level.
        state: Its state.
        message: What the check found, a sentence.
        findings: Every place where it is not met.
        fix: What to do, empty if nothing is open.
        exception: The exception that accepts it, None if there is none.
        recorded: Further findings, which the baseline records; they do not block.
        command: The command that produces the missing evidence, empty if none is missing or no
            command can.
    """

    practice: Practice
    side: str
    tier: Tier
    state: State
    message: str
    findings: tuple[Finding, ...] = ()
    fix: str = ""
    exception: PolicyException | None = None
    recorded: tuple[Finding, ...] = ()
    command: str = ""

    @property
    def excepted(self) -> bool:
        """True if it is accepted although not met, by an exception or by the baseline alone."""
        return self.exception is not None or bool(self.recorded and not self.findings)

    @property
    def reached(self) -> bool:
        """True if nothing remains to do: met, stated, accepted or not applicable."""
        return self.excepted or self.state in (State.MET, State.STATED, State.NOT_APPLICABLE)

    @property
    def remedy(self) -> str:
        """What to do: the fix of this result, or else the one of its practice."""
        return self.fix or self.practice.fix

    @property
    def earned(self) -> float | None:
        """What it contributes, 0 to 1: a statement a half; None if it does not apply."""
        earned = {State.NOT_APPLICABLE: None, State.MET: 1.0, State.STATED: 0.5}
        return earned.get(self.state, 0.0)


@dataclass(frozen=True)
class Gap:
    """A gap of the border that is likely to break a handoff.

    Attributes:
        message: What is missing there.
        place: The file, with the line or the cell.
        fix: What to do.
        draft_path: The file that adopting Baton would begin with; empty without a draft.
        draft: The text of that file.
    """

    message: str
    place: str
    fix: str
    draft_path: str = ""
    draft: str = ""


@dataclass(frozen=True)
class UnmanagedFacts:
    """What is known of a repository that does not use Baton.

    Attributes:
        looked_at: The numbers of files, modules and notebooks that were read.
        unread: The files with code that can't be read, and why.
        adopt: The command that brings Baton.
        home: A file that exists, for formats that require one of each finding.
        readable: The practices of which reading can show something.
        border: What is known of each part of the border; an empty part was not recognised.
        gaps: The gaps that are likeliest to break a handoff.
    """

    looked_at: Mapping[str, int]
    unread: tuple[Finding, ...]
    adopt: str
    home: str
    readable: tuple[str, ...]
    border: Mapping[str, tuple[str, ...]]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True)
class Assessment:
    """The assessment of a project.

    Attributes:
        project: Its name.
        level: The level that is assessed, by default the one that the project chose.
        results: The result of each practice, in the order of the sections.
        loosened: What a change loosens of the policy that judges it, or may loosen.
        change_findings: Findings about a change that no practice covers.
        drafts: Drafted rules of contracts that nobody has confirmed.
        comparisons: Commands whose evidence about the change is missing.
        base: The base of the change, empty without one.
        unmanaged: What is known of a repository that does not use Baton, None if it does.
        template: The version of the template, None if it is unknown.
        way: What is left to do until there is a champion, None if it was not asked for.
    """

    project: str
    level: int
    results: Sequence[PracticeResult]
    loosened: Sequence[Finding] = ()
    change_findings: Sequence[Finding] = ()
    drafts: Sequence[Finding] = ()
    comparisons: Sequence[str] = ()
    base: str = ""
    unmanaged: UnmanagedFacts | None = None
    template: TemplateVersion | None = None
    way: Way | None = None

    def stops(self, stage: Stage) -> bool:
        """True if a practice blocks at a stage, or a finding about the change."""
        return bool(self.blocking(stage)) or any(finding.blocks for finding in self.change_findings)

    def blocking(self, stage: Stage, level: int | None = None) -> list[PracticeResult]:
        """The results that block at a stage, at the assessed level or at another one."""
        at = self.level if level is None else level
        return [
            result
            for result in self.results
            if not result.reached and result.practice.blocks(result.side, at, stage)
        ]

    def sections(self) -> list[str]:
        """The names of its sections, in their order."""
        return list(dict.fromkeys(result.practice.section for result in self.results))

    def earned(self, section: str | None = None) -> int:
        """The earned level, in one section or in all: the highest at which nothing blocks."""
        for level in (1, 2):
            missing = self.blocking("promotion", level) + self.blocking("push", level)
            if any(section in (None, result.practice.section) for result in missing):
                return level - 1
        return 2

    def share(self, section: str, side: str) -> float | None:
        """The share of a section that a side has earned, 0 to 1; None if it requires nothing."""
        earned = [
            result.earned
            for result in self.results
            if (result.practice.section, result.side) == (section, side)
            and result.tier != "not-needed"
            and result.earned is not None
        ]
        return sum(earned) / len(earned) if earned else None
