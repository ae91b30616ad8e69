"""Which tables and files a query reads."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from baton_handoff.source_code.constant_propagation import UNKNOWN

if TYPE_CHECKING:
    from sqlglot import exp

_DIALECTS = {"duckdb": "duckdb", "pyspark": "spark", "psycopg": "postgres", "psycopg2": "postgres"}
_HOLE = "what_is_not_known"


def tables_of(query: str, packages: Collection[str]) -> list[str] | None:
    """The tables and files that a query reads, each once.

    Args:
        query: The query.
        packages: What its file imports: some speak a dialect of their own.

    Returns:
        None where it can't be read, or where sqlglot is not installed: a repository may be looked
        at without the tools.
    """
    # Only who asks a database waits for it.
    try:
        import sqlglot  # noqa: PLC0415
        from sqlglot import exp  # noqa: PLC0415
    except ModuleNotFoundError:
        return None

    statements = []
    for dialect in (*(_DIALECTS[name] for name in sorted(packages) if name in _DIALECTS), None):
        with suppress(sqlglot.errors.SqlglotError):
            statements = sqlglot.parse(query.replace(UNKNOWN, _HOLE), dialect=dialect)
            break
    asked = [one for one in statements if one is not None]
    if not asked or any(isinstance(one, exp.Command) and one.name == "copy" for one in asked):
        return None
    filled = [table for one in asked for table in _filled(one)]
    made = {one.alias_or_name for tree in asked for one in tree.find_all(exp.CTE)}
    made |= {_name(table) for table in filled}
    read = [t for one in asked for t in one.find_all(exp.Table) if not any(t is f for f in filled)]
    names = [name for name in map(_name, read) if name not in made]
    names += [name for one in asked for name in _files(one)]
    return list(dict.fromkeys(name.replace(_HOLE, UNKNOWN) for name in names))


def _filled(statement: "exp.Expr") -> "Iterator[exp.Table]":
    """The table that a statement makes, or writes into."""
    from sqlglot import exp  # noqa: PLC0415

    if isinstance(statement, exp.Create | exp.Insert | exp.Copy):
        into = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
        if isinstance(into, exp.Table):
            yield into


def _files(statement: "exp.Expr") -> Iterator[str]:
    """The files that a statement names elsewhere than where tables stand."""
    from sqlglot import exp  # noqa: PLC0415

    given: list[exp.Expr] = []
    if isinstance(statement, exp.Copy) and statement.args["kind"]:
        given = statement.args["files"]
    elif isinstance(statement, exp.Attach | exp.Summarize):
        given = [statement.this.unalias()]
    for one in given:
        if isinstance(one, exp.Placeholder):
            yield _HOLE
        elif isinstance(one, exp.Literal) and one.name != ":memory:":
            # Of how a database is reached everything but the password.
            yield " ".join(word for word in one.name.split() if not word.startswith("password"))


def _name(table: "exp.Table") -> str:
    """What a table is called; of a file its path."""
    from sqlglot import exp  # noqa: PLC0415

    names = [part.name for part in table.parts]
    if isinstance(table.this, exp.Func):  # `read_parquet('…')`
        given = table.this.find(exp.Literal)
        return given.name if given else _HOLE
    if "/" in names[-1]:  # Spark's parquet.`…`
        return names[-1]
    return ".".join(names)
