"""Where a project stands: what came of each practice for each side, the level it has earned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from baton_handoff.config.settings import PolicyException
from baton_handoff.policy.practices.practice import Practice, Stage, Tier
from baton_handoff.reporting.findings import Finding


class State(StrEnum):
    """What came of a practice."""

    MET = "met"
    STATED = "stated by a person"
    NOT_MET = "not met"
    NOT_SHOWN = "not shown"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class PracticeResult:
    """What came of one practice for one side.

    Attributes:
        practice: The practice.
        side: Whose it is.
        tier: How much it is asked of that side at the project's level.
        state: What came of it.
        message: What the check found, a sentence.
        findings: Where it is not met, one by one.
        fix: What to do, the command where there is one.
        exception: The exception that covers it, None where there is none.
        recorded: Findings beside these that the baseline has recorded: they do not block.
        command: The command that shows it, where it is not shown and one does.
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
        """Whether it is accepted although not met, by an exception or by the baseline alone."""
        return self.exception is not None or bool(self.recorded and not self.findings)

    @property
    def reached(self) -> bool:
        """Whether nothing more is asked: met, stated or accepted, or it does not apply."""
        return self.excepted or self.state in (State.MET, State.STATED, State.NOT_APPLICABLE)

    @property
    def remedy(self) -> str:
        """What to do: the fix of this result, or else the one of its practice."""
        return self.fix or self.practice.fix

    @property
    def earned(self) -> float | None:
        """What it earns, 0 to 1: a statement a half; None where it does not apply."""
        match self.state:
            case State.NOT_APPLICABLE:
                return None
            case State.MET:
                return 1
            case State.STATED:
                return 0.5
            case _:
                return 0


@dataclass(frozen=True)
class UnmanagedFacts:
    """What is known of a repository in which Baton is not in use.

    Attributes:
        looked_at: How much was looked at: files, modules, notebooks.
        unread: The files with code that can't be read, and why.
        adopt: The command that brings Baton.
    """

    looked_at: Mapping[str, int]
    unread: tuple[Finding, ...]
    adopt: str


@dataclass(frozen=True)
class Assessment:
    """Where a project stands.

    Attributes:
        project: Its name.
        level: The level that it has chosen.
        results: What came of each practice, in the order of the sections.
        loosened: What a change makes easier for whoever comes after it, and what it may.
        change_findings: What a change leaves open, and is no practice.
        base: What it was held against, empty where it was judged by itself.
        unmanaged: What is known of it where Baton is not in use, None where it is.
    """

    project: str
    level: int
    results: Sequence[PracticeResult]
    loosened: Sequence[Finding] = ()
    change_findings: Sequence[Finding] = ()
    base: str = ""
    unmanaged: UnmanagedFacts | None = None

    def stops(self, stage: Stage) -> bool:
        """Whether anything blocks at a stage, or in a change."""
        return bool(self.blocking(stage)) or any(finding.blocks for finding in self.change_findings)

    def blocking(self, stage: Stage, level: int | None = None) -> list[PracticeResult]:
        """What blocks at a stage, at the project's level or at another one."""
        at = self.level if level is None else level
        return [
            result
            for result in self.results
            if not result.reached and result.practice.blocks(result.side, at, stage)
        ]

    def sections(self) -> list[str]:
        """The names of its sections, each once, in their order."""
        return list(dict.fromkeys(result.practice.section for result in self.results))

    def earned(self, section: str | None = None) -> int:
        """The level that is earned, in one section or in all: with each level what it asks for."""
        for level in (1, 2):
            missing = self.blocking("promotion", level) + self.blocking("push", level)
            if any(section in (None, result.practice.section) for result in missing):
                return level - 1
        return 2

    def share(self, section: str, side: str) -> float | None:
        """How much of a section a side has reached, 0 to 1; None where nothing is asked of it."""
        earned = [
            result.earned
            for result in self.results
            if (result.practice.section, result.side) == (section, side)
            and result.tier != "not-needed"
            and result.earned is not None
        ]
        return sum(earned) / len(earned) if earned else None
