"""A report for the owner of a source: the rows that break its contract, without their values."""

from collections.abc import Sequence

import narwhals as nw

from baton_handoff.config.project import Project
from baton_handoff.contracts import Contract, ContractViolation, Violation, check, engine_of
from baton_handoff.contracts.sentences import rule_text
from baton_handoff.contracts.table_files import read_table
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.suggestions import hint
from baton_handoff.lineage.sources.odcs import Source
from baton_handoff.lineage.sources.usage import SourceUsage
from baton_handoff.reporting.findings import cell_place


def problem_report(project: Project, usage: SourceUsage, name: str) -> str:
    """The Markdown text of an issue for the owner of a source; empty if there is no problem.

    Raises:
        HandoffError: There is no such source, or its rows can't be read.
    """
    # The light core has no Jinja2.
    from baton_handoff.reporting.pages import render_markdown  # noqa: PLC0415

    source = next((one for one in usage.sources if one.name == name), None)
    if source is None:
        names = [one.name for one in usage.sources]
        otherwise = f"the sources are {', '.join(names)}" if names else "there is none yet"
        raise HandoffError(f"There is no source `{name}`{hint(name, names, otherwise)}")
    file = _checked_file(project, usage, source) if source.contract else ""
    count, violations = _validate(project, source.contract, file) if file else (0, ())
    problems = [problem for problem in source.problems if problem.status == "open"]
    if not (violations or problems):
        return ""
    workarounds = {
        problem.id: [
            f"`{one.file}`, {cell_place(one.line, one.cell)}"
            if one.cell
            else f"`{one.file}:{one.line}`"
            for one in usage.workarounds
            if (one.source, one.problem) == (name, problem.id)
        ]
        for problem in problems
    }
    return render_markdown(
        "source_report.md",
        source=source,
        project=project.name or project.package,
        today=usage.today,
        contract=source.contract.partition(":")[2],
        file=file,
        count=count,
        violations=violations,
        rule_text=rule_text,
        problems=problems,
        workarounds=workarounds,
    ).rstrip("\n")


def _checked_file(project: Project, usage: SourceUsage, source: Source) -> str:
    """The file that the contract is about: the last location that is a file."""
    if source.contract in usage.missing_contracts:
        raise HandoffError(
            f"{source.file}:{source.lines['contract']}: the contract {source.contract} does not"
            " exist: name one that does."
        )
    files = [place for place in source.locations if (project.root / place).is_file()]
    if not files:
        raise HandoffError(
            f"None of the files of {source.name} exists: make them with `uv run poe pipeline`, or"
            " fetch them with `uv run dvc pull`."
        )
    return files[-1]


def _validate(project: Project, contract_name: str, file: str) -> tuple[int, Sequence[Violation]]:
    """The number of rows in a file, and how they violate a contract."""
    module, _, name = contract_name.partition(":")
    room = project.room(module)
    with project.explain_errors(f"{file}, by {contract_name},"):
        contract: Contract = getattr(room, name)
        backend, path = engine_of(contract), project.root / file
        if path.suffix == ".parquet":
            table = nw.read_parquet(str(path), backend=backend)
        else:
            table = nw.from_arrow(read_table(path), backend=backend)
        try:
            check(contract, table.to_native())
        except ContractViolation as error:
            return len(table), error.violations
    return len(table), ()
