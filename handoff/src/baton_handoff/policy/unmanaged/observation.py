"""What a check says where something is open, and what to do about it in this very repository."""

from dataclasses import replace

from baton_handoff.policy.checks.check_context import CheckResult, finding_at, not_met
from baton_handoff.policy.practices.assessment import State
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import SourceModule


def open_(message: str, fix: str = "") -> CheckResult:
    """Nothing shows it; `fix` would, where it is known."""
    return CheckResult(State.NOT_SHOWN, message, (), fix)


def mend(message: str, fix: str, *findings: Finding) -> CheckResult:
    """It is not met, and this mends it."""
    return replace(not_met(message, *findings), fix=fix)


def at(code: SourceModule, line: int, message: str) -> Finding:
    """A place in a file or a notebook, as people find it."""
    number, cell = code.location(line)
    return finding_at(f"{message} ({cell})" if cell else message, code.file, number)


def number(of: int, what: str) -> str:
    """So many of something, in words that fit one as well."""
    return f"{of:,} {what}" if of == 1 else f"{of:,} {what}s"
