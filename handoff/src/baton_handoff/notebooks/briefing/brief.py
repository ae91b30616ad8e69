"""What an ML engineer has to know and to do about one notebook."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from baton_handoff.config.project import Project
from baton_handoff.core.errors import UsageError
from baton_handoff.notebooks.briefing.data_flow import Arrow, DataFlow
from baton_handoff.notebooks.briefing.functions import Candidates, LiftCandidate
from baton_handoff.notebooks.briefing.profile import Profile
from baton_handoff.notebooks.briefing.roles import Roles, words_of
from baton_handoff.notebooks.briefing.tables import Table, Tables
from baton_handoff.notebooks.cells import names_of
from baton_handoff.notebooks.project_scan import project_places
from baton_handoff.notebooks.rules import Code
from baton_handoff.notebooks.scan import RuleMatch
from baton_handoff.reporting.findings import single_line
from baton_handoff.source_code.modules import Notebook, read_module
from baton_handoff.source_code.secrets import secret_lines

_LONGEST = 50


@dataclass(frozen=True)
class BriefCell:
    """A code cell.

    Attributes:
        number: Its number among the code cells, from 1.
        roles: What it does, the most important first.
        title: Its first comment, or its first line.
        findings: What the scan has found in it.
        used: The names that it uses of other cells, sorted.
        made: The names that it makes and other cells use, sorted.
    """

    number: int
    roles: tuple[str, ...]
    title: str
    findings: Sequence[RuleMatch]
    used: Sequence[str]
    made: Sequence[str]

    @property
    def does(self) -> str:
        """What it does, in words."""
        return ", ".join(map(words_of, self.roles))

    def facts(self, profile: Profile | None) -> Iterator[str]:
        """What goes in and out, the findings, and the seconds of a run."""
        if self.used or self.made:
            made = f"→ {', '.join(self.made)}" if self.made else ""
            yield f"{', '.join(self.used)} {made}".strip()
        if self.findings:
            yield f"{len(self.findings)} to change"
        if profile and self.number in profile.seconds:
            yield f"{profile.seconds[self.number]:.2f} s"


@dataclass(frozen=True)
class Brief:
    """The brief of a notebook.

    Attributes:
        notebook: The notebook.
        cells: Its code cells.
        arrows: Which cell uses what of which.
        candidates: The cells that could become functions.
        tables: The tables that need contracts.
        target: The column that the model learns; empty if the code does not show it.
        profile: How long the cells ran, None if they did not.
    """

    notebook: Notebook
    cells: Sequence[BriefCell]
    arrows: Sequence[Arrow]
    candidates: Sequence[LiftCandidate]
    tables: Sequence[Table]
    target: str
    profile: Profile | None


def read_notebook(project: Project, file: str) -> Notebook:
    """A notebook of a project.

    Raises:
        UsageError: The file is none.
    """
    notebook = read_module(project.root, file) if file.endswith(".ipynb") else None
    if not isinstance(notebook, Notebook):
        raise UsageError(f"{file} is not a notebook.")
    return notebook


def brief_of(project: Project, notebook: Notebook, profile: Profile | None = None) -> Brief:
    """The brief of a notebook.

    Args:
        project: Its project.
        notebook: The notebook.
        profile: How long its cells ran, None if they did not.

    Raises:
        HandoffError: ruff can't run.
    """
    code, names, file = Code(notebook), names_of(notebook), notebook.file
    flow, roles, tables = DataFlow(names), Roles(code), Tables(code, project.root)
    places, _ = project_places(project, [file])
    by_cell = {
        cell.number: ("broken",) if cell.number in notebook.broken else roles.of_cell(cell.body)
        for cell in names.cells
    }
    secrets = {
        notebook.cells[number - 1] + line - 1
        for number, cell in enumerate(notebook.code, 1)
        for line, _ in secret_lines(file, cell.source)
    }
    candidates = Candidates(
        code,
        names,
        flow,
        data_of=tables.data_of,
        taken=_taken(project),
        secret_lines=secrets,
        unrecordable=profile.unrecordable if profile else {},
    )
    cells = [
        BriefCell(
            number,
            by_cell[number],
            _title(cell.source),
            [one for one in places if one.cell == number],
            flow.inputs(number, number),
            flow.outputs(number, number),
        )
        for number, cell in enumerate(notebook.code, 1)
    ]
    found = [*candidates.all(by_cell)]
    return Brief(notebook, cells, flow.arrows, found, [*tables.all()], tables.target, profile)


def _taken(project: Project) -> set[str]:
    """The functions that were lifted before: their tests have the name of the function."""
    tests = project.root.glob("tests/unit/test_lifted_*.py")
    return {one.stem.removeprefix("test_lifted_") for one in tests}


def _title(source: str) -> str:
    lines = [single_line(re.sub(r"^\s*#+", "", line)) for line in source.splitlines()]
    said = [line for line in lines if line and not line.startswith(("import ", "from "))]
    text = next(iter([*said, *filter(None, lines)]), "")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def slowest(brief: Brief, most: int = 5) -> Mapping[int, float]:
    """The seconds of the cells that take longest, by their number; those that matter at all."""
    seconds = brief.profile.seconds if brief.profile else {}
    total = sum(seconds.values())
    ordered = sorted(seconds.items(), key=lambda one: -one[1])[:most]
    return {number: one for number, one in ordered if one >= max(0.05 * total, 0.01)}
