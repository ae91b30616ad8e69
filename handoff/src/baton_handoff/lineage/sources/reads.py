"""The data that code reads, found without running it: files, addresses, tables and queries."""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

from baton_handoff.lineage.sources.data_access import DataAccess, data_accesses, is_query
from baton_handoff.reporting.findings import place
from baton_handoff.source_code.constant_propagation import (
    UNKNOWN,
    ConstantPropagation,
    has_parameters,
    parameter,
    resolve_alias,
)
from baton_handoff.source_code.modules import Notebook, SourceModule
from baton_handoff.source_code.scopes import Scope, scope_of

Kind: TypeAlias = Literal["path", "address", "table", "query", "unknown"]

_MOST_CALLS = 10
"""How many functions may pass a location on to each other."""

_OF_DATABASE = re.compile(r"(pg_|information_schema\.|sqlite_(master|schema)|sys\.)", re.IGNORECASE)
"""Tables in which a database describes itself."""

_LONGEST = 60
_DATA_FILE = re.compile(r"\.(csv|db|duckdb|json|parquet|sqlite|xlsx)$")


@dataclass(frozen=True)
class Read:
    """A place in the code that reads data.

    Attributes:
        file: The file, relative to the project.
        line: The line, in a cell of a notebook if there is one.
        cell: The number of the code cell of a notebook, from 1, None elsewhere.
        function: The function that reads, for example `read_csv`.
        kind: The kind of data.
        data: The path, address, table or query, with `*` for unknown parts; the expression in the
            code if everything is unknown.
        sources: The sources that a comment `# source: NAME` names.
        made_by: The stage or the place in the code that writes it, empty if there is none.
    """

    file: str
    line: int
    cell: int | None
    function: str
    kind: Kind
    data: str
    sources: tuple[str, ...] = ()
    made_by: str = ""

    @property
    def in_notebook(self) -> bool:
        """Whether a notebook reads it."""
        return self.file.endswith(".ipynb")

    @property
    def place(self) -> str:
        """The file with the line or the cell."""
        return place(self.file, self.line, self.cell)


@dataclass(frozen=True)
class _Located:
    """An access to data with its scope and the text of its argument."""

    access: DataAccess
    scope: Scope
    text: str

    @property
    def path(self) -> str:
        return _normalized(self.text)

    @property
    def end(self) -> tuple[int, int]:
        """The end of the call: in `read(a).write(b)` the read ends first."""
        call = self.access.call
        return call.end_lineno or call.lineno, call.end_col_offset or call.col_offset


@dataclass(frozen=True)
class _Output:
    """A file or table that the project writes; `only_for` is the one file that may rely on it."""

    path: str
    made_by: str
    only_for: str = ""


def data_reads(modules: Sequence[SourceModule], stages: Iterable[tuple[str, str]]) -> list[Read]:
    """The reads in code, given each output of the pipeline and its stage."""
    scopes = [scope_of(module) for module in modules]
    constants = ConstantPropagation({s.module.name: s for s in scopes if s.module.name})
    found = list(_located(scopes, constants))
    outputs = [_Output(path, f"stage {stage}") for path, stage in stages]
    outputs += [_output(one) for one in found if one.access.writes and _is_new(one, found)]
    reads = {read: None for one in found if not one.access.writes for read in _reads(one, outputs)}
    return sorted(reads, key=lambda read: (read.file, read.cell or 0, read.line, read.data))


def _is_new(written: _Located, found: Iterable[_Located]) -> bool:
    """Whether a write makes something new: it only changes what the same function read before."""
    before = (
        one.path
        for one in found
        if one.scope is written.scope and not one.access.writes and one.end <= written.end
    )
    return _is_specific(written.path) and not any(
        _is_specific(path) and paths_match(written.path, path) for path in before
    )


def _output(written: _Located) -> _Output:
    module = written.scope.module
    made_by = place(module.file, *module.location(written.access.call.lineno))
    # No notebook is run before the pipeline, so only the notebook itself may rely on its outputs.
    return _Output(written.path, made_by, module.file if isinstance(module, Notebook) else "")


def _located(scopes: Sequence[Scope], constants: ConstantPropagation) -> Iterator[_Located]:
    """Every access to data; access by a parameter counts where the function is called."""
    waiting: list[_Located] = []
    callers: dict[int, list[tuple[Scope, ast.Call]]] = {}
    for scope in (inner for module in scopes for inner in module.walk()):
        packages = scope.module.imported_packages
        for call in (node for node in scope.nodes if isinstance(node, ast.Call)):
            accesses = data_accesses(call, packages)
            accesses = accesses or data_accesses(resolve_alias(call, scope), packages)
            texts = [constants.evaluate(access.argument, scope) for access in accesses]
            waiting += map(_Located, accesses, [scope] * len(texts), texts)
            if function := constants.function(call, scope):
                callers.setdefault(id(function), []).append((scope, call))
    known: set[tuple[int, str]] = set()
    for turn in range(_MOST_CALLS + 2):  # the last two yield what is passed on even further
        passed_on = []
        for one in waiting:
            if not has_parameters(one.text):
                yield one
            elif (id(one.access.call), one.text) not in known:  # functions may call each other
                known.add((id(one.access.call), one.text))
                passed_on.append(one)
        waiting = []
        for one in passed_on:
            function = _function_with_parameters(one)
            calls = callers.get(id(function), []) if turn < _MOST_CALLS else []
            if function and calls:
                waiting += [_at_call(one, function, constants, *caller) for caller in calls]
            else:
                waiting.append(replace(one, text=UNKNOWN))


def _function_with_parameters(one: _Located) -> Scope | None:
    """The function whose parameters the text contains."""
    for scope in one.scope.enclosing:
        if any(parameter(each.arg) in one.text for each in scope.parameters):
            return scope
    return None


def _at_call(
    one: _Located, function: Scope, constants: ConstantPropagation, scope: Scope, call: ast.Call
) -> _Located:
    """An access of a function, as an access of a call of the function."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            access = replace(one.access, call=call, function=name, argument=None)
        case _:
            access = replace(one.access, call=call, argument=None)
    return _Located(access, scope, constants.substitute(one.text, call, function, scope))


def _reads(one: _Located, outputs: Sequence[_Output]) -> Iterator[Read]:
    module, call = one.scope.module, one.access.call
    for kind, data in _targets(one):
        made_by = (
            output.made_by
            for output in outputs
            if kind in ("path", "table")
            and output.only_for in ("", module.file)
            and paths_match(output.path, data)
        )
        yield Read(
            module.file,
            *module.location(call.lineno),
            one.access.function,
            kind,
            data,
            _named_sources(module, call),
            next(made_by, ""),
        )


def _targets(one: _Located) -> Iterator[tuple[Kind, str]]:
    """What an access reads: the kind and the text."""
    kind, path = one.access.kind, one.path
    if _is_in_code(one):
        return
    if kind == "query" or (kind == "table" and is_query(path)):
        if is_query(one.text):
            yield from _query_targets(one)
            return
        if one.access.function != "read_sql" and _is_specific(path):
            return  # not SQL, for example `frame.query("seats > 2")`
    if not _is_specific(path):
        given = one.access.argument or next(iter(one.access.call.args), None)
        yield "unknown", shortened(" ".join(ast.unparse(given).split()) if given else "")
    elif kind in ("query", "table"):
        yield "table", path
    else:
        yield ("address" if "://" in path else "path"), path


def _is_in_code(one: _Located) -> bool:
    """Whether the data itself is a constant: `StringIO("1.5,2.5")`."""
    match one.access.argument:
        case ast.Call(
            func=ast.Name(id="StringIO" | "BytesIO") | ast.Attribute(attr="StringIO" | "BytesIO"),
            args=[content, *_],
        ):
            if isinstance(content, ast.Name) and (found := one.scope.lookup(content.id)):
                values = found.values.get(content.id) or [content]
                return isinstance(values[0], ast.Constant)
            return isinstance(content, ast.Constant)
    return False


def _query_targets(one: _Located) -> Iterator[tuple[Kind, str]]:
    query = " ".join(one.text.replace(UNKNOWN, "*").split())
    try:
        # sqlglot loads slowly, and only the tools of a project include it.
        from baton_handoff.lineage.sources.sql import tables_of  # noqa: PLC0415

        tables = tables_of(one.text, one.scope.module.imported_packages)
    except ModuleNotFoundError:
        tables = None
    if tables is None:
        yield "query", query
        return
    for table in tables:
        if "/" in table or _DATA_FILE.search(table):
            yield ("address" if "://" in table else "path"), _normalized(table)
        elif UNKNOWN in table:
            yield "unknown", query
        # DuckDB and Polars query frames by the names of their variables.
        elif not _OF_DATABASE.match(table) and not any(
            table in scope.values for scope in one.scope.enclosing
        ):
            yield "table", table


def _named_sources(module: SourceModule, call: ast.Call) -> tuple[str, ...]:
    """The sources in a comment beside the call, or alone on the line above it."""
    above = call.lineno - 1
    first = above if above in module.comment_lines else call.lineno
    comments = (module.comments.get(n, "") for n in range(first, (call.end_lineno or first) + 1))
    named = (re.search(r"#\s*source:\s*(.+)", comment) for comment in comments)
    return tuple(name for match in named if match for name in re.findall(r"[\w-]+", match[1]))


def _is_specific(text: str) -> bool:
    """Whether a text tells which data it is: more than the suffix of a file is known."""
    folder, _, name = text.rpartition("/")
    stem = name.partition(".")[0] if "." in name else name
    return any(part.strip("*_-./ []{}") for part in (stem, folder))


def shortened(text: str) -> str:
    """A text for one line of a report."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"


def _normalized(text: str) -> str:
    """A path relative to the project, or an address without its password."""
    text = re.sub(r"\*+", "*", text.replace(UNKNOWN, "*").replace("\\", "/"))
    text = re.sub(r"://[^/@]*@", "://", text)
    return re.sub(r"^(\.{1,2}/)+", "", text)


def paths_match(one: str, other: str) -> bool:
    """Whether two paths with `*` may be the same, or the other be inside the first."""
    # A `*` at the beginning may match no folder at all.
    same = any(
        fnmatchcase(f"/{a}", b) or fnmatchcase(a, b) for a, b in ((one, other), (other, one))
    )
    return same or other.startswith(f"{one.rstrip('/')}/")
