"""Which calls read or write data, and by which of their arguments.

Known are those of pandas, Polars, DuckDB, SQLAlchemy and Spark, and what is called as they are.
"""

import ast
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["file", "table", "query"]

_FILES = re.compile(
    r"(read|scan)_(avro|csv|csv_auto|csv_batched|delta|excel|feather|fwf|hdf|html|iceberg|ipc"
    r"|ipc_stream|json|lines|ndjson|ods|orc|parquet|pickle|sas|source|spss|stata|table|xml)"
    r"|from_csv_auto|from_parquet|ExcelFile|HDFStore|read_clipboard"
)
_QUERIES = re.compile(r"read_(sql|sql_query|gbq|database|database_uri)|from_query")
_ASKING = {"execute", "query", "scalar", "scalars", "sql", "stream"}
_WRITES = re.compile(
    r"(to|write|sink)_(avro|csv|delta|excel|feather|hdf|ipc|json|ndjson|orc|parquet|pickle|stata|xml)"
)
_WRITES_TABLES = re.compile(r"to_sql|write_database")
_SPARK_FORMATS = {"csv", "json", "load", "orc", "parquet", "save", "text", "xml"}
_SPARK_TABLES = {"insertInto", "saveAsTable"}
_NAMES = {
    *("dbtable", "excel_source", "filename", "filepath_or_buffer", "io", "name", "path"),
    *("path_or_buf", "path_or_buffer", "paths", "query", "source", "sql", "table", "table_name"),
}
"""What the argument is called that says what is read."""

_SPEAKING_SQL = {"duckdb", "ibis", "psycopg", "psycopg2", "pyspark", "sqlalchemy", "sqlite3"}
_QUERY = re.compile(
    r"(\s|--[^\n]*\n|/\*([^*]|\*(?!/))*\*/|(install|load|pragma|set|use)\s[^;]*;)*"
    r"((with|select|from|pivot)\b|(describe|summarize)\s+(?!in\b|not\b)[\w'\"]"
    r"|attach\s+([a-z]+\s+){0,4}['\"]|copy\s*(\(|\s.*?\bfrom\b)"
    r"|create\s+([a-z]+\s+){0,3}(table|view)\s.*?\bas\b|insert\s+([a-z]+\s+){0,2}into\s.*?\bfrom\b)",
    re.IGNORECASE | re.DOTALL,
)
"""How SQL begins that reads."""

_CHANGING = {"alter", "create_engine", "delete", "drop", "insert", "pragma", "update"}


@dataclass(frozen=True)
class DataAccess:
    """A call that reads or writes data.

    Attributes:
        call: The call.
        how: Its name, `read_csv` for example.
        kind: What its argument says.
        what: The argument, None where there is none.
        writes: Whether it writes.
    """

    call: ast.Call
    how: str
    kind: Kind
    what: ast.expr | None
    writes: bool = False


def data_accesses(call: ast.Call, imported: Collection[str]) -> list[DataAccess]:
    """What a call reads or writes; a list of several is several.

    Args:
        call: The call.
        imported: The packages that its file imports.
    """
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            kind, writes = _kind(name, call, imported)
        case _:
            return []
    if kind is None:
        return []
    what = _argument(call)
    several = what.elts if isinstance(what, ast.List | ast.Tuple) else [what]
    return [DataAccess(call, name, kind, one, writes) for one in several]


def _kind(name: str, call: ast.Call, imported: Collection[str]) -> tuple[Kind | None, bool]:
    """What a call of this name is about, None where it accesses no data; whether it writes."""
    speaks_sql = not _SPEAKING_SQL.isdisjoint(imported)
    kinds: dict[Kind, bool]
    if writes := _of_spark(call, {"write", "writeStream"}):
        kinds = {"table": name in _SPARK_TABLES, "file": name in _SPARK_FORMATS}
    elif _of_spark(call, {"read", "readStream"}):
        table = name in ("jdbc", "table") or _option(call, {"dbtable"}) is not None
        kinds = {"table": table, "file": name in _SPARK_FORMATS}
    elif writes := _WRITES.fullmatch(name) is not None:
        kinds = {"file": True}
    elif writes := _WRITES_TABLES.fullmatch(name) is not None:
        kinds = {"table": True}
    else:
        kinds = {
            "file": _FILES.fullmatch(name) is not None,
            "table": name == "read_sql_table"
            or (speaks_sql and name == "table" and isinstance(call.func, ast.Attribute))
            or (speaks_sql and name == "Table"),
            "query": _QUERIES.fullmatch(name) is not None
            # These are names of much else.
            or (name in _ASKING and _asks(call, speaks_sql=speaks_sql)),
        }
    return next((kind for kind, is_so in kinds.items() if is_so), None), writes


def _of_spark(call: ast.Call, doors: Collection[str]) -> bool:
    """Whether a call goes through `spark.read` or `frame.write`, with options in between."""
    node: ast.expr = call.func
    while isinstance(node, ast.Attribute | ast.Call):
        if isinstance(node, ast.Attribute):
            if node.attr in doors and node is not call.func:
                return True
            node = node.value
        else:
            node = node.func
    return False


def _asks(call: ast.Call, *, speaks_sql: bool) -> bool:
    """Whether something is asked of a database, by a text or by what SQLAlchemy makes."""
    what = _argument(call)
    if what is None:
        return False
    constants = [node for node in ast.walk(what) if isinstance(node, ast.Constant)]
    constants.sort(key=lambda node: (node.lineno, node.col_offset))
    texts = [node.value for node in constants if isinstance(node.value, str)]
    said = " ".join(texts) if texts else None
    if said is not None and isinstance(what, ast.Constant | ast.JoinedStr | ast.BinOp):
        return is_query(said)
    names = {node.id for node in ast.walk(what) if isinstance(node, ast.Name)}
    return speaks_sql and _CHANGING.isdisjoint(names) and (said is None or is_query(said))


def is_query(text: str) -> bool:
    """Whether a text begins like SQL that reads, behind comments and settings."""
    return _QUERY.match(text) is not None


def _argument(call: ast.Call) -> ast.expr | None:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    named = {one.arg: one.value for one in call.keywords if one.arg in _NAMES}
    if name == "jdbc":  # the address of the database comes first
        return named.get("table", call.args[1] if len(call.args) > 1 else None)
    if call.args and not isinstance(call.args[0], ast.Starred):
        return call.args[0]
    if named:
        return next(iter(named.values()))
    return _option(call, _NAMES)


def _option(call: ast.Call, names: Collection[str]) -> ast.expr | None:
    """What an option of one of these names says, in front of Spark's `load()`."""
    node: ast.expr = call.func
    while isinstance(node, ast.Attribute | ast.Call):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="option"), args=[ast.Constant(value=str(key)), value]
            ) if key in names:
                return value
        node = node.value if isinstance(node, ast.Attribute) else node.func
    return None
