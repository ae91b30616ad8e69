"""What the doctor last found on this machine, for the practices about editor and tools."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

from pydantic import ValidationError

from baton_handoff.config.project import Project
from baton_handoff.config.validation import StrictModel
from baton_handoff.core.files import write_atomically
from baton_handoff.reporting.findings import Finding


class Examination(StrictModel):
    """What one run of the doctor found."""

    day: str
    """The day of the run, in ISO format."""

    roles: list[str]
    """The roles that it was about."""

    missing: dict[str, int]
    """The number of blocking findings of each check, `extensions` for example."""


def keep(project: Project, roles: Sequence[str], findings: Sequence[Finding], day: date) -> None:
    """Keep what the doctor found in a project, if its folder can be written."""
    missing = dict(Counter(one.check for one in findings if one.blocks))
    examination = Examination(day=day.isoformat(), roles=[*roles], missing=missing)
    if project.adopted:
        with suppress(OSError):
            project.local.mkdir(parents=True, exist_ok=True)
            write_atomically(_file(project), examination.model_dump_json())


def last(project: Project) -> Examination | None:
    """What the doctor last found; None if it did not run on this machine."""
    try:
        return Examination.model_validate_json(_file(project).read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return None


def _file(project: Project) -> Path:
    return project.local / "doctor.json"
