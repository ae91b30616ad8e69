"""A report for the owner of a source: the rows that break its contract, without their values."""

from collections.abc import Sequence

import narwhals as nw

from baton_handoff.config.project import Project
from baton_handoff.contracts import Contract, ContractViolation, Violation, check, engine_of
from baton_handoff.contracts.sentences import rule_text
from baton_handoff.contracts.table_files import read_table
from baton_handoff.core.errors import HandoffError
from baton_handoff.lineage.sources.odcs import Source
from baton_handoff.lineage.sources.usage import SourceUsage

_MOST_ROWS = 10


def problem_report(project: Project, usage: SourceUsage, name: str) -> str:
    """The Markdown text of an issue for the owner of a source; empty if there is no problem.

    Args:
        project: The project.
        usage: Its sources.
        name: The name of the source.

    Raises:
        HandoffError: There is no such source, or its rows can't be read.
    """
    source = next((one for one in usage.sources if one.name == name), None)
    if source is None:
        names = ", ".join(one.name for one in usage.sources) or "none yet"
        raise HandoffError(f"There is no source {name!r}. Sources: {names}.")
    violations = _violations(project, usage, source) if source.contract else []
    problems = [
        f"- {problem.id}: {problem.description}" + _workarounds(usage, source, problem.id)
        for problem in source.problems
        if problem.status == "open"
    ]
    if problems:
        problems = ["## Known problems", "\n".join(problems)]
    if not (violations or problems):
        return ""
    return "\n\n".join(
        [
            f"# Problems with the source {source.name}",
            f"For: {source.owner or 'the owner, who is not known yet'}"
            + (f" ({source.support})" if source.support else ""),
            f"From: {project.name or project.package}, {usage.today}",
            *(f"We read it from `{location}`." for location in source.locations[:1]),
            *violations,
            *problems,
        ]
    )


def _workarounds(usage: SourceUsage, source: Source, problem: str) -> str:
    places = [
        f"`{one.file}:{one.line}`" if one.line else f"`{one.file}`, {one.cell}"
        for one in usage.workarounds
        if (one.source, one.problem) == (source.name, problem)
    ]
    return f" (worked around in {', '.join(places)})" if places else ""


def _violations(project: Project, usage: SourceUsage, source: Source) -> list[str]:
    """The part about rows that break the contract, empty if none does."""
    if source.contract in usage.missing_contracts:
        raise HandoffError(
            f"{source.file}:{source.lines['contract']}: the contract {source.contract} does not"
            " exist: name one that does."
        )
    # The contract is about the last location.
    files = [place for place in source.locations if (project.root / place).is_file()]
    if not files:
        raise HandoffError(
            f"None of the files of {source.name} exists: make them with `uv run poe pipeline`, or"
            " fetch them with `uv run dvc pull`."
        )
    file = files[-1]
    module, _, name = source.contract.partition(":")
    room = project.room(module)
    with project.explain_errors(f"{file}, by {source.contract},"):
        contract: Contract = getattr(room, name)
        backend, path = engine_of(contract), project.root / file
        if path.suffix == ".parquet":
            table = nw.read_parquet(str(path), backend=backend)
        else:
            table = nw.from_arrow(read_table(path), backend=backend)
        try:
            check(contract, table.to_native())
        except ContractViolation as violation:
            return [
                f"## Rows that break the contract `{name}`",
                f"Checked: `{file}`, {len(table):,} rows.",
                _violation_table(violation.violations, len(table)),
                "This report leaves out the values: they may be personal data.",
            ]
    return []


def _violation_table(violations: Sequence[Violation], count: int) -> str:
    lines = ["| column | rule | rows | which, counted from 0 |", "|---|---|---|---|"]
    for violation in violations:
        rule = rule_text(violation.rule).replace("|", "\\|")
        rows = violation.rows
        first = ", ".join(map(str, rows[:_MOST_ROWS])) + (" …" if len(rows) > _MOST_ROWS else "")
        number = f"{len(rows):,} of {count:,}" if rows else "all"
        lines.append(f"| {violation.column or 'the whole table'} | {rule} | {number} | {first} |")
    return "\n".join(lines)
