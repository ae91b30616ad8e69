"""The scan of notebooks and code: what has to change before it can go to production."""

import ast
import json
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from baton_handoff.core.errors import HandoffError
from baton_handoff.lineage.sources.reads import Read
from baton_handoff.notebooks import leakage, rows, state
from baton_handoff.notebooks.rules import Code, Match, ScanRule, all_rules, pattern_matches
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.columns import column_writes
from baton_handoff.source_code.modules import Notebook, SourceModule

_SHEET = re.compile(r"\.(xlsx?|xlsm|ods)$|docs\.google\.com/spreadsheets")
_ENDED_TOO_EARLY = 2
"""The exit code of ruff if it can't run."""


@dataclass(frozen=True)
class Known:
    """What is known about the project of the scanned code.

    Attributes:
        features: The columns that features/ computes, with the file of their contract.
        undescribed: The reads of data that no source file describes.
    """

    features: Mapping[str, str] = field(default_factory=dict)
    undescribed: Sequence[Read] = ()


@dataclass(frozen=True)
class RuleMatch:
    """A match of a rule in a file.

    Attributes:
        rule: The rule.
        module: The file.
        match: The place in it.
    """

    rule: ScanRule
    module: SourceModule
    match: Match

    @property
    def cell(self) -> int | None:
        """The number of the cell, None in a Python file."""
        return self.module.cell(self.match.line) if isinstance(self.module, Notebook) else None

    @property
    def line(self) -> int:
        """The line in the file or in the cell, from 1."""
        if isinstance(self.module, Notebook):
            return self.match.line - self.module.cells[(self.cell or 1) - 1] + 1
        return self.match.line


def scan(
    modules: Sequence[SourceModule], known: Known, *, with_ruff: bool = True
) -> list[RuleMatch]:
    """What all rules find, in the order of files and lines.

    Args:
        modules: The notebooks and Python files; for the latter only some rules apply.
        known: What is known about their project.
        with_ruff: Whether to run ruff for the rules that need it.

    Raises:
        HandoffError: ruff can't run.
    """
    found = [place for module in modules for place in _scanned(module, known)]
    notebooks = [module for module in modules if isinstance(module, Notebook)]
    if with_ruff and notebooks:
        found += _from_ruff(notebooks)
    # Two rules of ruff may find the same.
    once = {(one.module.file, one.match.line, one.rule.name): one for one in found}
    return [place for _, place in sorted(once.items())]


def finding(place: RuleMatch, side: str | None, *, blocks: bool = False) -> Finding:
    """A place as a finding."""
    match, rule = place.match, place.rule
    form = (f"for whole columns: `{match.form}`",) if match.form else ()
    return Finding(
        rule.name,
        rule.message.format_map(match.words),
        blocks,
        side,
        place.module.file,
        place.line,
        rule.fix.format_map(match.words),
        (f"why: {rule.why}", *form),
        cell=place.cell,
    )


def _scanned(module: SourceModule, known: Known) -> Iterator[RuleMatch]:
    code = Code(module)
    for rule in all_rules().values():
        if not (rule.in_src or isinstance(module, Notebook)):
            continue
        matches = [*pattern_matches(rule, code)]
        if rule.analysis:
            matches += _ANALYSES[rule.analysis](code, known)
        # One place on a line is enough.
        for match in {match.line: match for match in reversed(matches)}.values():
            yield RuleMatch(rule, module, match)


def _from_ruff(notebooks: Sequence[Notebook]) -> Iterator[RuleMatch]:
    """The rules of ruff, on the code of the cells; no configuration of the project applies."""
    rules = {code: rule for rule in all_rules().values() for code in rule.ruff}
    with tempfile.TemporaryDirectory(prefix="handoff-") as folder:
        for number, notebook in enumerate(notebooks):
            text = "\n\n".join(
                # ruff reads nothing of a file that is not valid Python.
                "\n" * cell.code.count("\n") if index in notebook.broken else cell.code
                for index, cell in enumerate(notebook.code, 1)
            )
            Path(folder, f"{number}.py").write_text(text, encoding="utf-8", errors="replace")
        command = ("ruff", "check", "--isolated", "--no-cache", "--output-format", "json")
        chosen = ("--select", ",".join(rules), "--config", 'builtins = ["get_ipython", "display"]')
        try:
            done = subprocess.run(
                [*command, *chosen, folder], capture_output=True, text=True, check=False
            )
        except FileNotFoundError as error:
            raise HandoffError("ruff is not installed: `uv run poe setup`.") from error
    if done.returncode >= _ENDED_TOO_EARLY:
        raise HandoffError(f"ruff can't check the notebooks: {done.stderr.strip()}")
    for entry in json.loads(done.stdout):
        if rule := rules.get(entry["code"] or ""):
            notebook = notebooks[int(Path(entry["filename"]).stem)]
            line = int(entry["location"]["row"])
            words = {"finding": entry["message"], "code": _line_of(notebook, line)}
            yield RuleMatch(rule, notebook, Match(line, words))


def _line_of(notebook: Notebook, line: int) -> str:
    cell = notebook.cell(line)
    lines = notebook.code[cell - 1].code.splitlines()
    return lines[line - notebook.cells[cell - 1]].strip()


def _spreadsheets(code: Code, _: Known) -> Iterator[Match]:
    for read in code.reads:
        if read.function == "read_excel" or _SHEET.search(read.data):
            yield Match(line_of(code.module, read), {"data": read.data or "a spreadsheet"})


def _addresses(code: Code, _: Known) -> Iterator[Match]:
    for read in code.reads:
        is_page = read.data.startswith(("http:", "https:", "ftp:"))
        if read.kind == "address" and is_page and not _SHEET.search(read.data):
            yield Match(line_of(code.module, read), {"data": read.data, "function": read.function})


def _unlisted(code: Code, known: Known) -> Iterator[Match]:
    for read in known.undescribed:
        if read.file == code.module.file:
            yield Match(line_of(code.module, read), {"kind": read.kind, "data": read.data})


def line_of(module: SourceModule, read: Read) -> int:
    """The line of a read in the tree of its module."""
    if read.cell and isinstance(module, Notebook):
        return module.cells[read.cell - 1] + read.line - 1
    return read.line


def _copied_features(code: Code, known: Known) -> Iterator[Match]:
    for node in ast.walk(code.module.tree):
        for write in column_writes([node]):
            computed = write.value is not None and not isinstance(write.value, ast.Name)
            if write.column in known.features and computed:
                words = {"column": write.column, "file": known.features[write.column]}
                yield Match(write.line, words)


Analysis = Callable[[Code, Known], Iterator[Match]]


def _alone(analysis: Callable[[Code], Iterator[Match]]) -> Analysis:
    """An analysis that needs to know nothing about the project."""
    return lambda code, _: analysis(code)


_ANALYSES: Mapping[str, Analysis] = {
    "spreadsheets": _spreadsheets,
    "addresses": _addresses,
    "unlisted": _unlisted,
    "copied_features": _copied_features,
    "row_functions": _alone(rows.row_functions),
    "row_loops": _alone(rows.row_loops),
    "value_functions": _alone(rows.value_functions),
    "out_of_order": _alone(state.out_of_order),
    "undefined_names": _alone(state.undefined_names),
    "hidden_inputs": _alone(state.hidden_inputs),
    "unused_cells": _alone(state.unused_cells),
    "repeated_cells": _alone(state.repeated_cells),
    "broken_cells": _alone(state.broken_cells),
    "fits_before_split": _alone(leakage.fits_before_split),
    "statistics_before_split": _alone(leakage.statistics_before_split),
    "target_in_features": _alone(leakage.target_in_features),
    "shuffled_time": _alone(leakage.shuffled_time),
    "scored_on_training": _alone(leakage.scored_on_training),
}
"""Every analysis by its name in rules.toml."""
