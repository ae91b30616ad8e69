"""What a project's code reads, found without running it: files, addresses, tables and queries."""

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

from baton_handoff.lineage.sources.data_access import DataAccess, data_accesses, is_query
from baton_handoff.lineage.sources.sql import tables_of
from baton_handoff.source_code.constant_propagation import (
    UNKNOWN,
    ConstantPropagation,
    has_parameters,
    parameter,
    resolve_alias,
)
from baton_handoff.source_code.modules import Scope, SourceModule, scope_of

What: TypeAlias = Literal["path", "address", "table", "query", "unknown"]

_ROUNDS = 10
"""How many functions may pass on to one another what is read."""

_LONGEST = 60


@dataclass(frozen=True)
class Read:
    """A place in the code that reads data.

    Attributes:
        file: The file, relative to the project.
        line: The line, None in a notebook.
        cell: In a notebook the cell and the line in it.
        how: The function that reads, `read_csv` for example.
        kind: What it reads.
        what: The path, address, table or query, with a `*` for what can't be told; where nothing
            can, what the code says instead.
        stated: The sources that a comment, `# source: NAME`, says it reads.
        made_by: What of the project's own makes it, empty where nothing does.
    """

    file: str
    line: int | None
    cell: str
    how: str
    kind: What
    what: str
    stated: tuple[str, ...] = ()
    made_by: str = ""

    @property
    def in_notebook(self) -> bool:
        """Whether a notebook reads it."""
        return self.file.endswith(".ipynb")

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"{self.file}:{self.line}" if self.line else f"{self.file}, {self.cell}"


@dataclass(frozen=True)
class _Access:
    """A call that reads or writes, and what, as far as it is known there."""

    access: DataAccess
    scope: Scope
    text: str

    @property
    def ends(self) -> tuple[int, int]:
        """Where in its file the call is over: what is read to be written is read first."""
        call = self.access.call
        return call.end_lineno or call.lineno, call.end_col_offset or call.col_offset


@dataclass(frozen=True)
class _Made:
    """Something of the project's own making.

    Attributes:
        path: Where it lies.
        by: What makes it, for people.
        only_for: The one file that may rely on it, empty where all may.
    """

    path: str
    by: str
    only_for: str = ""


def data_reads(modules: Sequence[SourceModule], stages: Iterable[tuple[str, str]]) -> list[Read]:
    """Everything that code reads.

    Args:
        modules: The code.
        stages: What the pipeline makes: each path, and the stage.
    """
    scopes = [scope_of(code) for code in modules]
    names = ConstantPropagation({scope.code.module: scope for scope in scopes if scope.code.module})
    found = list(_found(scopes, names))
    made = [_Made(path, f"stage {stage}") for path, stage in stages]
    made += [_written(one) for one in found if one.access.writes and _is_made(one, found)]
    reads = {read: None for one in found if not one.access.writes for read in _reads(one, made)}
    return sorted(reads, key=lambda read: (read.file, read.line or 0, read.cell, read.what))


def _is_made(written: _Access, found: Iterable[_Access]) -> bool:
    """Whether what is written is new: what the same function reads before, it only changes."""
    path = _plain(written.text)
    before = (
        _plain(one.text)
        for one in found
        if one.scope is written.scope and not one.access.writes and one.ends <= written.ends
    )
    return _known(path) and not any(_known(its) and meets(path, its) for its in before)


def _written(one: _Access) -> _Made:
    """What a call makes; nobody runs a notebook before the pipeline."""
    code = one.scope.code
    line, cell = code.location(one.access.call.lineno)
    by = f"{code.file}:{line}" if line else f"{code.file}, {cell}"
    return _Made(_plain(one.text), by, code.file if code.is_notebook else "")


def _found(scopes: Sequence[Scope], names: ConstantPropagation) -> Iterator[_Access]:
    """Every read and write; one of what a function is given is looked at where that is called."""
    waiting: list[_Access] = []
    called: dict[int, list[tuple[Scope, ast.Call]]] = {}
    for module in scopes:
        imported = _packages(module)
        for scope, call in _calls(module):
            waiting += [
                _Access(access, scope, names.evaluate(access.what, scope))
                for access in data_accesses(call, imported)
                or data_accesses(resolve_alias(call, scope), imported)
            ]
            if function := names.function(call, scope):
                called.setdefault(id(function), []).append((scope, call))
    known: set[tuple[int, str]] = set()
    for turn in range(_ROUNDS + 2):  # the last two give out what is passed on even further
        passed = []
        for one in waiting:
            if not has_parameters(one.text):
                yield one
            elif (id(one.access.call), one.text) not in known:  # functions may call each other
                known.add((id(one.access.call), one.text))
                passed.append(one)
        waiting = []
        for one in passed:
            function = _function(one)
            callers = called.get(id(function), []) if turn < _ROUNDS else []
            waiting += [_passed_on(one, function, names, *caller) for caller in callers if function]
            if not callers:
                waiting.append(replace(one, text=UNKNOWN))


def _calls(module: Scope) -> Iterator[tuple[Scope, ast.Call]]:
    for scope in module.all():
        yield from ((scope, node) for node in scope.nodes if isinstance(node, ast.Call))


def _passed_on(
    one: _Access, function: Scope, names: ConstantPropagation, scope: Scope, call: ast.Call
) -> _Access:
    """What is read where a function is called that reads what it is given."""
    access = DataAccess(call, _name(call), one.access.kind, None, one.access.writes)
    return _Access(access, scope, names.substitute(one.text, call, function, scope))


def _function(one: _Access) -> Scope | None:
    """The function whose parameters stand in a text."""
    at: Scope | None = one.scope
    while at is not None:
        if any(parameter(name) in one.text for name in at.parameters):
            return at
        at = at.within
    return None


def _reads(one: _Access, made: Sequence[_Made]) -> Iterator[Read]:
    code, call = one.scope.code, one.access.call
    stated = _stated(code, call)
    line, cell = code.location(call.lineno)
    for kind, what in _what(one):
        makers = (
            its.by
            for its in made
            if kind in ("path", "table")
            and its.only_for in ("", code.file)
            and meets(its.path, what)
        )
        yield Read(code.file, line, cell, one.access.how, kind, what, stated, next(makers, ""))


def _what(one: _Access) -> Iterator[tuple[What, str]]:
    """What is read: kind, and text."""
    text = _plain(one.text)
    if one.access.kind == "query" or (one.access.kind == "table" and is_query(text)):
        if is_query(one.text):
            variables = {name for scope in _around(one.scope) for name in scope.values}
            yield from _of_query(one.text, _packages(_module(one.scope)), variables)
            return
        if one.access.how != "read_sql" and _known(text):
            return  # no query: `frame.query("seats > 2")`
    if not _known(text):
        yield "unknown", _said(one.access)
    elif one.access.kind in ("query", "table"):
        yield "table", text
    else:
        yield ("address" if "://" in text else "path"), text


def _of_query(
    text: str, packages: Collection[str], variables: Collection[str]
) -> Iterator[tuple[What, str]]:
    named, said = tables_of(text, packages), " ".join(text.replace(UNKNOWN, "*").split())
    if named is None:
        yield "query", said
        return
    for table in named:
        if "/" in table or re.search(r"\.(csv|db|duckdb|json|parquet|sqlite|xlsx)$", table):
            yield ("address" if "://" in table else "path"), _plain(table)
        elif UNKNOWN in table:
            yield "unknown", said
        elif table not in variables:  # DuckDB and Polars ask frames by the names of variables
            yield "table", table


def _around(scope: Scope) -> Iterator[Scope]:
    at: Scope | None = scope
    while at is not None:
        yield at
        at = at.within


def _module(scope: Scope) -> Scope:
    return list(_around(scope))[-1]


def _packages(module: Scope) -> set[str]:
    nodes = [node for scope in module.all() for node in scope.nodes]
    names = {one.name for node in nodes if isinstance(node, ast.Import) for one in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}


def _stated(code: SourceModule, call: ast.Call) -> tuple[str, ...]:
    """The sources that a comment names, beside the call or, by itself, above it."""
    above = call.lineno - 1
    first = above if above in code.alone else call.lineno
    lines = range(first, (call.end_lineno or call.lineno) + 1)
    comments = [code.comments.get(line, "") for line in lines]
    named = [re.search(r"#\s*source:\s*(.+)", comment) for comment in comments]
    return tuple(name for one in named if one for name in re.findall(r"[\w-]+", one[1]))


def _name(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return "a call"


def _known(text: str) -> bool:
    """Whether enough of a text is known to say which source it is: more than how it ends."""
    folder, _, name = text.rpartition("/")
    stem = name.partition(".")[0] if "." in name else name
    return any(part.strip("*_-./ []{}") for part in (stem, folder))


def _said(access: DataAccess) -> str:
    """What the code says instead of a text, short."""
    given = access.what or (access.call.args[0] if access.call.args else None)
    text = " ".join(ast.unparse(given).split()) if given is not None else ""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"


def _plain(text: str) -> str:
    """A path or an address as it is shown: from the project's root, and without a password."""
    text = re.sub(r"\*+", "*", text.replace(UNKNOWN, "*").replace("\\", "/"))
    text = re.sub(r"://[^/@]*@", "://", text)
    return re.sub(r"^(\.{1,2}/)+", "", text)


def meets(one: str, other: str) -> bool:
    """Whether two paths may be the same, or one be in the other's folder."""
    # What stands in front of the first known folder may be nothing.
    alike = any(
        fnmatchcase(f"/{a}", b) or fnmatchcase(a, b) for a, b in ((one, other), (other, one))
    )
    return alike or other.startswith(f"{one.rstrip('/')}/")
