"""Which tables and files a query reads."""

from collections.abc import Collection
from contextlib import suppress

from baton_handoff.sources.folding import UNKNOWN

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

    tree = None
    for dialect in (*(_DIALECTS[name] for name in sorted(packages) if name in _DIALECTS), None):
        with suppress(sqlglot.errors.SqlglotError):
            tree = sqlglot.parse_one(query.replace(UNKNOWN, _HOLE), dialect=dialect)
            break
    if tree is None:
        return None
    made = {one.alias_or_name for one in tree.find_all(exp.CTE)}
    found = []
    for table in tree.find_all(exp.Table):
        names = [part.name for part in table.parts]
        if isinstance(table.this, exp.Func):  # `read_parquet('…')`
            given = table.this.find(exp.Literal)
            names = [given.name if given else _HOLE]
        elif "/" in names[-1]:  # Spark's parquet.`…`
            names = names[-1:]
        name = ".".join(names)
        if name not in made:
            found.append(name.replace(_HOLE, UNKNOWN))
    return list(dict.fromkeys(found))
