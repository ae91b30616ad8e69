"""What a source's owner is told: which rows break what was agreed, not what stands in them."""

from collections.abc import Sequence
from pathlib import Path

import narwhals as nw

from baton_handoff.config.project import Project
from baton_handoff.contracts import (
    Contract,
    ContractViolation,
    Frame,
    Violation,
    check,
    engine_of,
)
from baton_handoff.contracts.sentences import rule_text
from baton_handoff.contracts.table_files import read_table
from baton_handoff.core.errors import HandoffError
from baton_handoff.lineage.sources.odcs import Source
from baton_handoff.lineage.sources.usage import SourceUsage

_SHOWN = 10


def problem_report(project: Project, usage: SourceUsage, name: str) -> str:
    """The text of an issue for a source's owner, in Markdown; empty where nothing is wrong.

    Args:
        project: The project.
        usage: Its sources.
        name: The source.

    Raises:
        HandoffError: There is no such source, or its rows can't be read.
    """
    source = next((one for one in usage.sources if one.name == name), None)
    if source is None:
        known = ", ".join(one.name for one in usage.sources) or "none yet"
        raise HandoffError(f"There is no source {name!r}; there are: {known}.")
    problems = [problem for problem in source.problems if not problem.fixed]
    broken = _broken(project, usage, source) if source.contract else []
    if not (broken or problems):
        return ""
    parts = [
        f"# The source {source.name}: what is wrong with it",
        f"For: {source.owner or 'its owner, who is not named yet'}"
        + (f" ({source.support})" if source.support else ""),
        f"From: {project.name or project.package}, {usage.today}",
        f"We read it from {' and '.join(f'`{place}`' for place in source.locations[:1]) or 'you'}.",
        *broken,
    ]
    if problems:
        lines = [
            f"- {problem.id}: {problem.says}" + _lived_with(usage, source, problem.id)
            for problem in problems
        ]
        parts += ["## What is known already", "\n".join(lines)]
    return "\n\n".join(parts)


def _lived_with(usage: SourceUsage, source: Source, problem: str) -> str:
    places = [
        f"`{one.file}:{one.line}`" if one.line else f"`{one.file}`, {one.cell}"
        for one in usage.workarounds
        if (one.source, one.problem) == (source.name, problem)
    ]
    return f" (worked around in {', '.join(places)})" if places else ""


def _broken(project: Project, usage: SourceUsage, source: Source) -> list[str]:
    """The part about rows; nothing where all are as they should be."""
    if source.contract in usage.missing:
        raise HandoffError(
            f"There is no contract {source.contract}, which {source.file}:"
            f"{source.lines['contract']} names: name one that there is."
        )
    module, _, name = source.contract.partition(":")
    room = project.room(module)
    file = _file(project, source)
    with project.explain_errors(f"{file}, by {source.contract},"):
        contract: Contract = getattr(room, name)
        table = _read(project.root / file, contract)
        try:
            check(contract, table)
        except ContractViolation as violation:
            return _told(name, file, len(table), violation.violations)
    return []


def _told(contract: str, file: str, count: int, violations: Sequence[Violation]) -> list[str]:
    head = "| column | rule | rows | which, counted from 0 |\n|---|---|---|---|"
    return [
        f"## Rows that break the contract `{contract}`",
        f"Looked at: `{file}`, {count:,} rows.",
        "\n".join([head, *(_line(broken, count) for broken in violations)]),
        "The values themselves are left out: they may say something about a person.",
    ]


def _file(project: Project, source: Source) -> str:
    """The file here that the contract is about: the last one that the source's file names."""
    here = [place for place in source.locations if (project.root / place).is_file()]
    if not here:
        raise HandoffError(
            f"None of the files of {source.name} is here: `uv run poe pipeline` makes them, or"
            " `uv run dvc pull` brings them."
        )
    return here[-1]


def _read(file: Path, contract: Contract) -> Frame:
    backend = engine_of(contract)
    table = (
        nw.read_parquet(str(file), backend=backend)
        if file.suffix == ".parquet"
        else nw.from_arrow(read_table(file), backend=backend)
    )
    frame: Frame = table.to_native()
    return frame


def _line(broken: Violation, count: int) -> str:
    """A line of the table; a rule may hold what Markdown takes for its end."""
    rule = rule_text(broken.rule).replace("|", "\\|")
    rows = broken.rows
    first = ", ".join(map(str, rows[:_SHOWN])) + (" …" if len(rows) > _SHOWN else "")
    many = f"{len(rows):,} of {count:,}" if rows else "all"
    return f"| {broken.column or 'the whole table'} | {rule} | {many} | {first} |"
