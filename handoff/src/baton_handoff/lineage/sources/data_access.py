"""Calls that read or write data, by their names in pandas, Polars, DuckDB, SQLAlchemy, Spark."""

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

AccessKind: TypeAlias = Literal["file", "table", "query"]

_READS_FILE = (
    r"(read|scan)_(avro|csv|csv_auto|csv_batched|delta|excel|feather|fwf|hdf|html|iceberg|ipc"
    r"|ipc_stream|json|lines|ndjson|ods|orc|parquet|pickle|sas|source|spss|stata|table|xml)"
    r"|from_csv_auto|from_parquet|ExcelFile|HDFStore|read_clipboard"
)
_WRITES_FILE = (
    r"(to|write|sink)_"
    r"(avro|csv|delta|excel|feather|hdf|ipc|json|ndjson|orc|parquet|pickle|stata|xml)"
)
_BY_NAME: tuple[tuple[str, AccessKind, bool], ...] = (
    (_READS_FILE, "file", False),
    ("read_sql_table", "table", False),
    ("read_(sql|sql_query|gbq|database|database_uri)|from_query", "query", False),
    (_WRITES_FILE, "file", True),
    ("to_sql|write_database", "table", True),
)
"""Names of functions with the kind of their argument, and whether they write."""

_SPARK_FORMATS = {"csv", "json", "load", "orc", "parquet", "save", "text", "xml"}
_MAY_QUERY = {"execute", "query", "scalar", "scalars", "sql", "stream"}
"""Names of methods that query a database, but also of methods that do something else."""

_LOCATION = {
    *("dbtable", "excel_source", "filename", "filepath_or_buffer", "io", "name", "path"),
    *("path_or_buf", "path_or_buffer", "paths", "query", "source", "sql", "table", "table_name"),
}
"""The names of the parameter that tells which data it is."""

_SQL_PACKAGES = {"duckdb", "ibis", "psycopg", "psycopg2", "pyspark", "sqlalchemy", "sqlite3"}
_QUERY = re.compile(
    r"(\s|--[^\n]*\n|/\*([^*]|\*(?!/))*\*/|(install|load|pragma|set|use)\s[^;]*;)*"
    r"((with|select|from|pivot)\b|(describe|summarize)\s+(?!in\b|not\b)[\w'\"]"
    r"|attach\s+([a-z]+\s+){0,4}['\"]|copy\s*(\(|\s.*?\bfrom\b)"
    r"|create\s+([a-z]+\s+){0,3}(table|view)\s.*?\bas\b|insert\s+([a-z]+\s+){0,2}into\s.*?\bfrom\b)",
    re.IGNORECASE | re.DOTALL,
)
"""The beginning of SQL that reads, after comments and settings."""

_CHANGING = {"alter", "create_engine", "delete", "drop", "insert", "pragma", "update"}
"""Functions of SQLAlchemy whose result changes a database instead of reading it."""


@dataclass(frozen=True)
class DataAccess:
    """A call that reads or writes data.

    Attributes:
        call: The call.
        function: The name of the called function, for example `read_csv`.
        kind: Whether the argument is a file, a table or a query.
        argument: The argument that tells which data it is, None if there is none.
        writes: Whether the call writes.
    """

    call: ast.Call
    function: str
    kind: AccessKind
    argument: ast.expr | None
    writes: bool = False


def data_accesses(call: ast.Call, packages: Collection[str]) -> list[DataAccess]:
    """The accesses of a call in a file that imports some packages: one for each listed element."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            kind, writes = _classify(name, call, packages)
        case _:
            return []
    if kind is None:
        return []
    argument = _argument(call)
    several = argument.elts if isinstance(argument, ast.List | ast.Tuple) else [argument]
    return [DataAccess(call, name, kind, one, writes) for one in several]


def _classify(
    name: str, call: ast.Call, packages: Collection[str]
) -> tuple[AccessKind | None, bool]:
    """The kind of access of a call, None if it is none, and whether it writes."""
    chain = {node.attr for node in _chain(call) if isinstance(node, ast.Attribute)}
    spark_kind: AccessKind | None = "file" if name in _SPARK_FORMATS else None
    if not chain.isdisjoint({"write", "writeStream"}):
        return ("table" if name in ("insertInto", "saveAsTable") else spark_kind), True
    if not chain.isdisjoint({"read", "readStream"}):
        is_table = name in ("jdbc", "table") or _option(call, {"dbtable"})
        return ("table" if is_table else spark_kind), False
    for pattern, kind, writes in _BY_NAME:
        if re.fullmatch(pattern, name):
            return kind, writes
    uses_sql = not _SQL_PACKAGES.isdisjoint(packages)
    is_method = isinstance(call.func, ast.Attribute)
    if uses_sql and (name == "Table" or (name == "table" and is_method)):
        return "table", False
    is_query_call = name in _MAY_QUERY and _reads_by_query(call, uses_sql=uses_sql)
    return ("query" if is_query_call else None), False


def _chain(call: ast.Call) -> Iterator[ast.expr]:
    """The calls and attributes in front of a call, such as those of `spark.read.option(…)`."""
    node = call.func.value if isinstance(call.func, ast.Attribute) else None
    while isinstance(node, ast.Attribute | ast.Call):
        yield node
        node = node.value if isinstance(node, ast.Attribute) else node.func


def _reads_by_query(call: ast.Call, *, uses_sql: bool) -> bool:
    """Whether the argument is SQL that reads, as text or as an expression of SQLAlchemy."""
    argument = _argument(call)
    if argument is None:
        return False
    constants = [node for node in ast.walk(argument) if isinstance(node, ast.Constant)]
    constants.sort(key=lambda node: (node.lineno, node.col_offset))
    texts = [node.value for node in constants if isinstance(node.value, str)]
    reads = is_query(" ".join(texts))
    if texts and isinstance(argument, ast.Constant | ast.JoinedStr | ast.BinOp):
        return reads
    names = {node.id for node in ast.walk(argument) if isinstance(node, ast.Name)}
    return uses_sql and _CHANGING.isdisjoint(names) and (reads or not texts)


def is_query(text: str) -> bool:
    """Whether a text begins like SQL that reads."""
    return _QUERY.match(text) is not None


def _argument(call: ast.Call) -> ast.expr | None:
    by_name = {one.arg: one.value for one in call.keywords if one.arg in _LOCATION}
    # Not by position alone: every library calls the parameter differently.
    if isinstance(call.func, ast.Attribute) and call.func.attr == "jdbc":
        # The first argument is the address of the database.
        return by_name.get("table", call.args[1] if len(call.args) > 1 else None)
    if call.args and not isinstance(call.args[0], ast.Starred):
        return call.args[0]
    return next(iter(by_name.values()), None) or _option(call, _LOCATION)


def _option(call: ast.Call, names: Collection[str]) -> ast.expr | None:
    """The value of an option of Spark in front of a call."""
    for node in _chain(call):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="option"), args=[ast.Constant(value=str(key)), value]
            ) if key in names:
                return value
    return None
