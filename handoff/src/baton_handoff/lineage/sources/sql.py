"""The tables and files that a query reads."""

from collections.abc import Collection, Iterator
from contextlib import suppress

import sqlglot
from sqlglot import exp

from baton_handoff.source_code.constant_propagation import UNKNOWN

_DIALECTS = {"duckdb": "duckdb", "pyspark": "spark", "psycopg": "postgres", "psycopg2": "postgres"}
_PLACEHOLDER = "unknown_part_of_the_query"


def tables_of(query: str, packages: Collection[str]) -> list[str] | None:
    """The tables and files that a query reads, without repetitions; None if it can't be parsed."""
    statements: list[exp.Expr] = []
    for dialect in (*(_DIALECTS[name] for name in sorted(packages) if name in _DIALECTS), None):
        with suppress(sqlglot.errors.SqlglotError):
            parsed = sqlglot.parse(query.replace(UNKNOWN, _PLACEHOLDER), dialect=dialect)
            statements = [statement for statement in parsed if statement is not None]
            break
    if not statements or any(isinstance(s, exp.Command) and s.name == "copy" for s in statements):
        return None
    written = [table for statement in statements for table in _written(statement)]
    own = {one.alias_or_name for statement in statements for one in statement.find_all(exp.CTE)}
    own |= {_name(table) for table in written}
    tables = [table for statement in statements for table in statement.find_all(exp.Table)]
    # A statement may also read a table that it writes, so compare by identity.
    read = [table for table in tables if not any(table is one for one in written)]
    names = [name for name in map(_name, read) if name not in own]
    names += [name for statement in statements for name in _files(statement)]
    return list(dict.fromkeys(name.replace(_PLACEHOLDER, UNKNOWN) for name in names))


def _written(statement: exp.Expr) -> Iterator[exp.Table]:
    """The table that a statement makes or writes to."""
    if isinstance(statement, exp.Create | exp.Insert | exp.Copy):
        into = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
        if isinstance(into, exp.Table):
            yield into


def _files(statement: exp.Expr) -> Iterator[str]:
    """The files that a statement names where no table can be."""
    files: list[exp.Expr] = []
    if isinstance(statement, exp.Copy) and statement.args["kind"]:
        files = statement.args["files"]
    elif isinstance(statement, exp.Attach | exp.Summarize):
        files = [statement.this.unalias()]
    for file in files:
        if isinstance(file, exp.Placeholder):
            yield _PLACEHOLDER
        elif isinstance(file, exp.Literal) and file.name != ":memory:":
            # A connection string without its password.
            yield " ".join(word for word in file.name.split() if not word.startswith("password"))


def _name(table: exp.Table) -> str:
    """The name of a table, or the path of a file."""
    if isinstance(table.this, exp.Func):  # for example `read_parquet('a.parquet')`
        path = table.this.find(exp.Literal)
        return path.name if path else _PLACEHOLDER
    names = [part.name for part in table.parts]
    # Spark's form for a file: parquet.`lake/a.parquet`
    return names[-1] if "/" in names[-1] else ".".join(names)
