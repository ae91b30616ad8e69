"""The tables of a notebook that cross a border: what it reads, what its model sees and answers."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pandas as pd
import pyarrow.parquet as pq

from baton_handoff.notebooks.flow import CROSS, SPLIT, Flow, loaded, stored
from baton_handoff.notebooks.leakage import column_of, columns_of, texts_in
from baton_handoff.notebooks.rules import Code
from baton_handoff.notebooks.scan import line_of
from baton_handoff.source_code.columns import ColumnWrite, column_writes, mentioned_names
from baton_handoff.source_code.modules import Notebook

_BY_NAME = {
    *("col", "drop", "drop_duplicates", "dropna", "explode", "group_by", "groupby", "join"),
    *("merge", "over", "pivot", "pivot_table", "select", "set_index", "sort", "sort_values"),
}
"""Functions that take names of columns."""

_END = 10**9
"""A line after all."""

_JOINS = {"join", "merge"}
_NAMING = {"by", "columns", "index", "left_on", "on", "right_on", "subset", "values"}

_DRAFTED = re.compile(r"\.(csv|tsv|txt|jsonl|ndjson|parquet|xlsx?)(\.gz)?$")
"""Files that `contract new` reads."""


@dataclass(frozen=True)
class Table:
    """A table that needs a contract.

    Attributes:
        position: Its position: `source`, `internal` for the features, `output` for predictions.
        name: The data that is read, or what it is.
        cell: The number of the cell where it first appears.
        columns: Its columns, as far as the code names them.
        file: The file of a source, relative to the project; empty if it isn't there.
        keys: The columns by which it is joined to another source; empty for the main table.
        drafted: Whether `contract new` can draft a contract of it.
    """

    position: str
    name: str
    cell: int
    columns: tuple[str, ...]
    file: str = ""
    keys: tuple[str, ...] = ()
    drafted: bool = False


class _Training(NamedTuple):
    """A call that gives features and a label to a model or a split."""

    line: int
    chosen: frozenset[str]
    """The columns of the features; empty if the code does not list them."""

    dropped: frozenset[str]
    """The columns that are none of the features."""

    label: tuple[str, str] | None
    """The table and the column of the label."""


class Tables:
    """The tables of one notebook.

    Attributes:
        target: The column that the first model learns; empty if the code does not show it.
    """

    def __init__(self, code: Code, root: Path) -> None:
        assert isinstance(code.module, Notebook)  # noqa: S101 - for mypy
        self._code, self._root = code, root
        self._notebook: Notebook = code.module
        self._flow = Flow(code.scopes[0], code.imports)
        self.reads = [one for one in code.reads if not one.made_by and one.data]
        self._training = next(self._trainings(), None)
        self._label = next(filter(None, (one.label for one in self._trainings())), None)
        self.target = self._label[1] if self._label else ""

    def all(self) -> Iterator[Table]:
        """The tables: sources, then the features, then the predictions."""
        yield from self._sources()
        columns = {one.column for one in self._writes}
        line = min((one.line for one in self._writes), default=1)
        if self._training:
            line = self._training.line
            columns = {*self._training.chosen} or columns - self._training.dropped
        cell, named = self._notebook.cell(line), sorted(columns - {self.target})
        if self._training or named:
            yield Table("internal", "the features", cell, (*named,))
        if self._training:
            yield Table("output", "the predictions", cell, (self.target,) if self.target else ())

    def data_of(self, name: str, line: int) -> frozenset[str]:
        """The data that a variable comes from, before a line of the tree."""
        found = (data for at, one, data in reversed(self._origins) if one == name and at < line)
        return next(found, frozenset())

    @cached_property
    def _origins(self) -> list[tuple[int, str, frozenset[str]]]:
        """For each assignment the line, the variable, and the data that its value comes from."""
        by_line: dict[int, str] = {line_of(self._notebook, one): one.data for one in self.reads}
        now: dict[str, frozenset[str]] = {}
        found = []
        for node in self._notebook.nodes(ast.Assign):
            span = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            data = {by_line[line] for line in span if line in by_line}
            data |= {one for name in loaded(node.value) for one in now.get(name, ())}
            for name in (name for target in node.targets for name in stored(target)):
                now[name] = frozenset(data)
                found.append((node.lineno, name, now[name]))
        return found

    def _trainings(self) -> Iterator[_Training]:
        """The calls that give features and a label to a model or a split."""
        for call in self._flow.calls:
            name = (
                call.func.attr if isinstance(call.func, ast.Attribute) else self._flow.name_of(call)
            )
            start = 1 if name in CROSS else 0
            if name not in {"fit", "fit_resample", SPLIT, *CROSS} or len(call.args) < start + 2:
                continue
            features, label = call.args[start : start + 2]
            known = columns_of(self._flow, features, call.lineno)
            chosen = known.chosen if known else None
            if known is None and isinstance(features, ast.Subscript):
                chosen = self._texts(features.slice)
            found = column_of(self._flow, label, call.lineno)
            yield _Training(
                call.lineno,
                chosen or frozenset(),
                known.dropped if known else frozenset(),
                found[:2] if found else None,
            )

    def _sources(self) -> Iterator[Table]:
        of_label = self.data_of(self._label[0], _END) if self._label else frozenset()
        by_data = {one.data: one for one in reversed(self.reads)}
        ordered = [*dict.fromkeys(one.data for one in self.reads)]
        main = next((one for one in ordered if one in of_label), ordered[0] if ordered else "")
        for data in ordered:
            read, file = by_data[data], self._file(data)
            columns = self._columns(data, file)
            keys = [one for one in self._keys if one in columns] if data != main else []
            can_draft = bool(file) and bool(_DRAFTED.search(file)) and (data == main or bool(keys))
            cell = self._notebook.cell(line_of(self._notebook, read))
            yield Table("source", data, cell, (*columns,), file, (*keys,), can_draft)

    def _file(self, data: str) -> str:
        """The path of a file that the notebook reads; empty if it isn't in the project."""
        folder = PurePosixPath(self._notebook.file).parent
        for path in (str(folder / data), data):
            inside = (self._root / path).resolve().is_relative_to(self._root.resolve())
            if inside and (self._root / path).is_file():
                return path
        return ""

    def _columns(self, data: str, file: str) -> list[str]:
        """The columns that the notebook uses of a source, sorted."""
        if header := _header(self._root / file) if file else []:
            words = mentioned_names(self._notebook.tree)
            words |= {node.attr for node in self._notebook.nodes(ast.Attribute)}
            return [one for one in header if one in words]
        found = set()
        first_write = {one.column: one.line for one in reversed(self._writes)}
        for statement in self._flow.scope.nodes:
            if not isinstance(statement, ast.Assign | ast.AugAssign | ast.Expr):
                continue
            tables = {self.data_of(one, statement.lineno) for one in loaded(statement)}
            if tables - {frozenset()} == {frozenset({data})}:
                for column in self._mentioned(statement):
                    if statement.lineno <= first_write.get(column, statement.lineno):
                        found.add(column)
        return sorted(found)

    def _mentioned(self, statement: ast.stmt) -> Iterator[str]:
        """The columns that a statement reads by name."""
        for node in ast.walk(statement):
            match node:
                case ast.Subscript(slice=index, ctx=ast.Load()):
                    yield from self._texts(index)
                case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if (
                    name in _BY_NAME
                ):
                    keywords = (one.value for one in node.keywords if one.arg in _NAMING)
                    for one in (*node.args, *keywords):
                        yield from self._texts(one)

    def _texts(self, node: ast.expr) -> frozenset[str]:
        """The texts in a list, also in one that a variable names."""
        if isinstance(node, ast.Name) and (value := self._flow.value_before(node.id, node.lineno)):
            node = value[1]
        plain = isinstance(node, ast.Constant | ast.List | ast.Tuple | ast.BinOp)
        return texts_in(self._flow, node, node.lineno) if plain else frozenset()

    @cached_property
    def _keys(self) -> list[str]:
        """The columns by which tables are joined."""
        joins = [
            one
            for one in self._flow.calls
            if self._flow.name_of(one) in _JOINS
            or (isinstance(one.func, ast.Attribute) and one.func.attr in _JOINS)
        ]
        values = [key.value for one in joins for key in one.keywords if key.arg == "on"]
        return [*dict.fromkeys(text for value in values for text in sorted(self._texts(value)))]

    @cached_property
    def _writes(self) -> list[ColumnWrite]:
        """The columns that the notebook computes, in the order of the lines."""
        found = column_writes(ast.walk(self._notebook.tree))
        computed = [one for one in found if one.value is not None and one.table is not None]
        return sorted(
            (one for one in computed if one.column not in mentioned_names(one.value or ast.Pass())),
            key=lambda one: one.line,
        )


def _header(file: Path) -> list[str]:
    """The columns of a file, without its rows; empty if it is of another kind."""
    try:
        if file.suffix == ".parquet":
            return [*pq.read_schema(file).names]
        if file.suffix in (".csv", ".tsv"):
            return [*pd.read_csv(file, nrows=0, sep=None, engine="python").columns]
    except (ValueError, OSError):  # not what its name promises
        pass
    return []
