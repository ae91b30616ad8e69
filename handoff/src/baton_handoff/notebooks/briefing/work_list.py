"""The work list of a brief: a finding for each function, each contract and each slow cell."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace

from baton_handoff.config.project import Project
from baton_handoff.notebooks.briefing.brief import Brief, slowest
from baton_handoff.notebooks.briefing.functions import BY_HAND, LiftCandidate
from baton_handoff.notebooks.briefing.roles import words_of
from baton_handoff.notebooks.briefing.tables import Table
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import SourceError, read_module
from baton_handoff.source_code.static_contracts import DeclaredContract, declared_contracts

FUNCTION, CONTRACT, RUN = "brief-function", "brief-contract", "brief-run"
"""The names of the checks."""

_MOST_COLUMNS = 12


def work_list(project: Project, brief: Brief) -> list[Finding]:
    """All that has to be done, functions first; nothing of it blocks."""
    contracts = _contracts(project)
    exists = any(one.columns and one.metadata.get("position") == "input" for one in contracts)
    return [
        *(_function(project, brief, one) for one in brief.candidates),
        *(
            _contract(project, brief, one, exists=exists)
            for one in _without_contract(brief.tables, contracts if exists else [])
        ),
        *_run(project, brief),
    ]


def _function(project: Project, brief: Brief, one: LiftCandidate) -> Finding:
    notebook = brief.notebook
    many = one.first != one.last
    cells = f"cells {one.first} to {one.last}" if many else f"cell {one.first}"
    verb, _, rest = words_of(one.role).partition(" ")
    does = f"{verb.removesuffix('s') if many else verb} {rest}".strip()
    inputs, outputs = ", ".join(one.inputs), ", ".join(one.outputs)
    if one.function:
        message = f"`{one.function}({inputs}) → {outputs}` can be made of {cells}, which {does}"
        fix = f"`{lift_command(brief, one)}`"
        return Finding(FUNCTION, message, False, None, notebook.file, None, fix, cell=one.first)
    names = {"takes": inputs, "makes": outputs}
    evidence = [f"{word}: {text}" for word, text in names.items() if text]
    for each in one.obstacles:
        cell = notebook.cell(each.line)
        line = each.line - notebook.cells[cell - 1] + 1
        evidence.append(f"cell {cell}, line {line}: {each.reason}")
    message = f"{cells} {does}: code for src/{project.package}/{one.file}"
    if one.obstacles:
        message = f"{cells} {does}, but can't be lifted yet"
    fix = "; ".join(dict.fromkeys(each.fix for each in one.obstacles)) or BY_HAND
    side = project.side_of(notebook.file) if one.obstacles else None
    return Finding(
        FUNCTION, message, False, side, notebook.file, None, fix, (*evidence,), cell=one.first
    )


def lift_command(brief: Brief, one: LiftCandidate) -> str:
    """The command that lifts a candidate."""
    notebook = shlex.quote(brief.notebook.file)
    target = f"{one.file}:{one.function}"
    return f"uv run handoff notebook lift {notebook} --cells {one.cells} --to {target}"


def _contract(project: Project, brief: Brief, one: Table, *, exists: bool) -> Finding:
    shown = ", ".join(f"`{name}`" for name in one.columns[:_MOST_COLUMNS])
    more = f" and {len(one.columns) - _MOST_COLUMNS} more"
    columns = f"{shown}{more if len(one.columns) > _MOST_COLUMNS else ''}"
    contracts = f"src/{project.package}/contracts/data.py"
    match one.position:
        case "source":
            message = f"`{one.name}` needs a contract"
            message += f" with the columns {columns}" if columns else ""
        case "internal":
            message = "the features need a contract"
            message += f": {columns}" if columns else ""
        case _:
            message = "the predictions need a contract" + (
                f" like that of {columns}" if columns else ""
            )
    main = next((each for each in brief.tables if each.drafted and not each.keys), None)
    file = shlex.quote(one.file)
    if exists:
        fix = f"state it in {contracts}; `uv run handoff contract diff` judges the change"
    elif one.drafted and one.keys:
        fix = f"`uv run handoff contract join {file} --on {shlex.join(one.keys)}`"
    elif one.drafted:
        target = shlex.quote(brief.target) if brief.target else "COLUMN"
        fix = f"`uv run handoff contract new {file} --target {target}`"
        fix += "" if brief.target else ", with the column to predict"
    elif main and one.position == "output":
        fix = f"`contract new` of {main.name} drafts it"
    elif one.position == "source":
        fix = f"save it as a file of the project for `contract new`, or state it in {contracts}"
    else:
        fix = f"state it in {contracts}"
    return Finding(CONTRACT, message, False, None, brief.notebook.file, None, fix, cell=one.cell)


def _run(project: Project, brief: Brief) -> Iterator[Finding]:
    run, file = brief.profile, brief.notebook.file
    if run is None:
        return
    if run.error:
        side = project.side_of(file)
        yield Finding(RUN, run.error, False, side, file, None, run.fix, cell=run.cell)
    total = sum(run.seconds.values())
    for number, seconds in slowest(brief).items():
        message = f"cell {number} takes {seconds:.2f} of {total:.2f} s"
        found = [one for one in brief.cells[number - 1].findings if one.rule.group == "speed"]
        evidence = tuple(one.rule.message.format_map(one.match.words) for one in found)
        yield Finding(RUN, message, False, None, file, None, "", evidence, cell=number)


def _without_contract(
    tables: Sequence[Table], contracts: Sequence[DeclaredContract]
) -> Iterator[Table]:
    """The tables that need a contract, with the columns that none has."""
    described = {_letters(column) for one in contracts for column in one.columns}
    positions = {one.metadata.get("position") for one in contracts}
    for one in tables:
        # A prediction has another name than the column that was learned.
        known = described if one.position != "output" else set[str]()
        columns = tuple(name for name in one.columns if _letters(name) not in known)
        has_contract = one.position in positions
        if one.position == "source":
            has_contract = bool(one.columns)
        if not has_contract or (columns and one.position != "output"):
            yield replace(one, columns=columns)


def _letters(name: str) -> str:
    """A name without what a drafted contract may change: case and signs."""
    return re.sub(r"[\W_]", "", name).lower()


def _contracts(project: Project) -> list[DeclaredContract]:
    modules = []
    for file in sorted((project.source / "contracts").rglob("*.py")):
        try:
            modules.append(read_module(project.root, file.relative_to(project.root).as_posix()))
        except SourceError:
            continue
    return [*declared_contracts(modules)]
