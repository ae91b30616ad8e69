"""The result of a gate."""

from dataclasses import dataclass

from baton_handoff.config.sides import DATA_SCIENCE


@dataclass(frozen=True)
class GateResult:
    """The result of one gate.

    Attributes:
        passed: True if the version passes.
        message: What the gate measured, or why it fails.
        side: The side that has to act if it fails.
        fix: What that side has to do.
        evidence: What the result rests on, a line each.
        waits_for: The gate that has to pass before this one can judge, empty if it has judged.
        file: The file or folder that has to change, empty if there is no single one; the side that
            answers for it in this project has to act.
        binding: True if it also blocks at level 0, where gates only advise.
    """

    passed: bool
    message: str
    side: str = DATA_SCIENCE
    fix: str = ""
    evidence: tuple[str, ...] = ()
    waits_for: str = ""
    file: str = ""
    binding: bool = False


def passed(message: str, evidence: tuple[str, ...] = ()) -> GateResult:
    """The version passes."""
    return GateResult(True, message, evidence=evidence)


def failed(
    message: str,
    fix: str = "",
    side: str = DATA_SCIENCE,
    evidence: tuple[str, ...] = (),
    file: str = "",
) -> GateResult:
    """The version does not pass."""
    return GateResult(False, message, side, fix, evidence, file=file)


def waiting(gate: str) -> GateResult:
    """Another gate has to pass before this one can judge."""
    return GateResult(False, f"can't be judged before the gate `{gate}` passes", waits_for=gate)
