"""Reads are found without running the code, and unknown ones are listed."""

import json

import pytest

from baton_handoff.lineage.sources.reads import Read, data_reads
from baton_handoff.source_code.modules import parse_module

TRIPS = "def trips(year):\n    return load(f'data/{year}/t.csv')\n\n\ntrips(2013)"

# Code after the usual imports, with the kind and the data of its read.
READS = {
    "pandas": ("pd.read_csv('data/trips.csv')", "path", "data/trips.csv"),
    "a keyword": ("pd.read_parquet(path='data/trips.parquet')", "path", "data/trips.parquet"),
    "Excel": (
        "pd.read_excel('shared/Seats (2).xlsx', sheet_name=1)",
        "path",
        "shared/Seats (2).xlsx",
    ),
    "a sheet of several": ("pd.ExcelFile('seats.xlsx')", "path", "seats.xlsx"),
    "an address": (
        "pd.read_json('https://a.example/t.json')",
        "address",
        "https://a.example/t.json",
    ),
    "a password": ("pd.read_csv('ftp://me:secret@a.example/t')", "address", "ftp://a.example/t"),
    "a scraped page": (
        "pd.read_html(requests.get('https://a.example').text)",
        "address",
        "https://a.example",
    ),
    "a table of SQL": ("pd.read_sql_table('trips', engine)", "table", "trips"),
    "a query": ("pd.read_sql('SELECT a FROM shop.trips', engine)", "table", "shop.trips"),
    "Polars": ("pl.scan_parquet('lake/trips/*.parquet')", "path", "lake/trips/*.parquet"),
    "Polars' query": ("pl.read_database('select * from trips', c)", "table", "trips"),
    "Polars' query by address": ("pl.read_database_uri('select 1 from t', uri)", "table", "t"),
    "DuckDB": ("duckdb.sql('select 1 from trips')", "table", "trips"),
    "DuckDB's file": ("duckdb.sql(\"select 1 from 'a/t.parquet'\")", "path", "a/t.parquet"),
    "DuckDB's function": ("duckdb.query(\"from read_csv_auto('a.csv')\")", "path", "a.csv"),
    "DuckDB's reader": ("duckdb.read_parquet('a.parquet')", "path", "a.parquet"),
    "SQLAlchemy": ("session.execute(text('select 1 from shop.trips'))", "table", "shop.trips"),
    "SQLAlchemy's table": ("Table('trips', metadata, autoload_with=engine)", "table", "trips"),
    "SQLAlchemy's query": ("session.scalars(select(Trip))", "unknown", "select(Trip)"),
    "Spark": ("spark.read.parquet('s3://lake/trips')", "address", "s3://lake/trips"),
    "Spark's format": (
        "spark.read.format('csv').option('sep', ';').load('t.csv')",
        "path",
        "t.csv",
    ),
    "Spark's table": ("spark.table('shop.trips')", "table", "shop.trips"),
    "Spark's reader of a table": ("spark.read.table('shop.trips')", "table", "shop.trips"),
    "Spark's database": ("spark.read.jdbc(url, 'shop.trips')", "table", "shop.trips"),
    "Spark's option": (
        "spark.read.format('jdbc').option('dbtable', 'shop.trips').load()",
        "table",
        "shop.trips",
    ),
    "Spark's query": ("spark.sql('select * from shop.trips')", "table", "shop.trips"),
    "narwhals": ("nw.read_parquet('t.parquet', backend='polars')", "path", "t.parquet"),
    "joined": ("pd.read_csv(Path('data') / 'raw' / 'trips.csv')", "path", "data/raw/trips.csv"),
    "joined by os": ("pd.read_csv(os.path.join('data', 'trips.csv'))", "path", "data/trips.csv"),
    "next to the code": ("pd.read_csv(Path(__file__).parent / 'trips.csv')", "path", "*/trips.csv"),
    "from above": ("pd.read_csv('../data/trips.csv')", "path", "data/trips.csv"),
    "Windows": (r"pd.read_csv(r'C:\Users\ada\trips.csv')", "path", "C:/Users/ada/trips.csv"),
    "f-string": ("pd.read_csv(f'data/{year}/trips.csv')", "path", "data/*/trips.csv"),
    "formatted": ("pd.read_csv('data/{}/t.csv'.format(year))", "path", "data/*/t.csv"),
    "% formatting": ("pd.read_csv('data/%s/t.csv' % year)", "path", "data/*/t.csv"),
    "concatenated": ("pd.read_csv('data/' + 'trips' + '.csv')", "path", "data/trips.csv"),
    "a constant": ("WHERE = 'data/t.csv'\npd.read_csv(WHERE)", "path", "data/t.csv"),
    "a constant of a constant": (
        "ROOT = Path('data')\nWHERE = ROOT / 't.csv'\npd.read_csv(str(WHERE))",
        "path",
        "data/t.csv",
    ),
    "opened": ("with open('t.csv') as lines:\n    pd.read_csv(lines)", "path", "t.csv"),
    "unpacked": (
        "with ZipFile('t.zip') as box:\n    pd.read_csv(BytesIO(box.read('t.csv')))",
        "path",
        "t.zip",
    ),
    "argument of a function": (
        "def load(at, name='t.csv'):\n    pd.read_csv(at / name)\n\n\nload(Path('data'))",
        "path",
        "data/t.csv",
    ),
    "argument passed on": (
        "def load(f):\n    f = Path(f)\n    pd.read_csv(f)\n\n\n" + TRIPS,
        "path",
        "data/2013/t.csv",
    ),
    "result of a function": (
        "def place(name):\n    return Path('data') / name\n\n\npd.read_csv(place('t.csv'))",
        "path",
        "data/t.csv",
    ),
    "an argument": ("pd.read_csv(sys.argv[1])", "unknown", "sys.argv[1]"),
    "assigned twice": ("f = 'a.csv'\nf = 'b.csv'\npd.read_csv(f)", "unknown", "f"),
    "no path": ("pd.read_json(f'[{lines}]')", "unknown", "f'[{lines}]'"),
    "only the suffix known": ("pd.read_csv(f'{name}.csv')", "unknown", "f'{name}.csv'"),
    "function without a caller": ("def load(f):\n    return pd.read_csv(f)", "unknown", "f"),
    "a method": (
        "class Trips:\n    def load(self):\n        return pd.read_csv(self.file)",
        "unknown",
        "self.file",
    ),
    "table in an f-string": ("duckdb.sql(f'select 1 from {t}')", "unknown", "select 1 from *"),
    "invalid SQL": ("duckdb.sql('select from from')", "query", "select from from"),
    "DuckDB's own table": (
        "duckdb.sql(\"create or replace table t as select * from 'a/t.parquet'\")",
        "path",
        "a/t.parquet",
    ),
    "DuckDB's own table with an unknown name": (
        "duckdb.sql(f\"create table {t} as select * from 'a/t.parquet'\")",
        "path",
        "a/t.parquet",
    ),
    "DuckDB fills a table": (
        "duckdb.sql(\"insert into t select * from 'a.csv'\")",
        "path",
        "a.csv",
    ),
    "DuckDB copies": ("duckdb.execute(\"copy t from '/home/me/d.csv'\")", "path", "/home/me/d.csv"),
    "DuckDB copies out": (
        "duckdb.execute(\"copy (select 1 from 'a.csv') to 'b.csv'\")",
        "path",
        "a.csv",
    ),
    "DuckDB copies a parameter": (
        "duckdb.execute('copy t from ?')",
        "unknown",
        "copy t from ?",
    ),
    "DuckDB attaches": ("duckdb.execute(\"attach 'a.db' as old\")", "path", "a.db"),
    "DuckDB attaches with a password": (
        "duckdb.execute(\"attach 'dbname=shop password=secret' (type postgres)\")",
        "table",
        "dbname=shop",
    ),
    "DuckDB summarizes": ("duckdb.sql(\"summarize 'a.csv'\")", "path", "a.csv"),
    "a query behind a comment": (
        "duckdb.sql(\"-- all\\n/* of ** them */ select 1 from 'a.csv'\")",
        "path",
        "a.csv",
    ),
    "a query behind a setting": (
        "duckdb.sql(\"set threads = 1; select 1 from 'a.csv'\")",
        "path",
        "a.csv",
    ),
    "import alias": (
        "from pandas import read_csv as rc\nrc('a.csv')",
        "path",
        "a.csv",
    ),
    "assigned alias": ("r = pd.read_csv\n\n\ndef f():\n    r('a.csv')", "path", "a.csv"),
    "alias of Spark's reader": ("r = spark.read.parquet\nr('lake/a')", "path", "lake/a"),
    "alias to a known name": (
        "from mine import load as read_csv\nread_csv('a.csv')",
        "path",
        "a.csv",
    ),
    "the clipboard": ("pd.read_clipboard()", "unknown", ""),
}
NO_READS = {
    "query of a frame": "table.query('seats > 2')",
    "SQL that writes": "cursor.execute('delete from trips')",
    "SQL that makes an empty table": "cursor.execute('create table trips (seats int)')",
    "SQL with values": "cursor.execute('insert into trips values (1)')",
    "SQL on its own table": "duckdb.sql('create table t as select 1; select * from t')",
    "copy from the client": "cursor.execute('copy trips from stdin')",
    "a database in memory": "duckdb.execute(\"attach ':memory:' as scratch\")",
    "a column with the name of a statement": "table.query('describe in [1] or copy == 2')",
    "SQLAlchemy's command": "session.execute(insert(Trip))",
    "a frame by the name of its variable": "trips = make()\nduckdb.sql('select * from trips')",
    "a query's own table": "duckdb.sql('with t as (select 1) select * from t')",
    "a file that is no table": "open('notes.txt').read()",
    "another function": "table(rows)",
}
IMPORTS = (
    "import duckdb, os, requests, sqlalchemy\nimport pandas as pd\nimport polars as pl\n"
    "import pyspark\n"
)


def read(code: str, file: str = "src/mine/a.py", imports: str = IMPORTS) -> list[Read]:
    return data_reads([parse_module(file, imports + code)], [])


@pytest.mark.parametrize(("code", "kind", "data"), READS.values(), ids=READS)
def test_a_read_is_found(code: str, kind: str, data: str) -> None:
    assert [(one.kind, one.data) for one in read(code)] == [(kind, data)]


@pytest.mark.parametrize("code", NO_READS.values(), ids=NO_READS)
def test_other_calls_are_not_reads(code: str) -> None:
    assert read(code) == []


def test_several_files_are_several_reads() -> None:
    assert [one.data for one in read("pl.read_csv(['a.csv', 'b.csv'])")] == ["a.csv", "b.csv"]


def test_a_query_reads_all_its_tables() -> None:
    query = "select * from a join b.c using (x) where x in (select x from `d`)"
    found = read(f"spark.sql({query!r})")
    assert sorted(one.data for one in found) == ["a", "b.c", "d"]


def test_a_read_of_a_parameter_counts_where_the_function_is_called() -> None:
    files = parse_module(
        "src/mine/files.py",
        "import pandas as pd\nfrom pathlib import Path\nRAW = Path('data/raw')\n\n\n"
        "def load(file, kind):\n    return pd.read_csv(file)\n",
    )
    door = parse_module("src/mine/__init__.py", "from .files import load\n")
    by_name = parse_module(
        "src/mine/deep/a.py",
        "from ..files import RAW\nfrom .. import load\n\nload(RAW / 'a.csv', 1)\n",
    )
    by_module = parse_module(
        "scripts/b.py",
        "from mine import files\nimport mine.files as other\n\n"
        "files.load(files.RAW / 'b.csv', 1)\nother.load(kind=1, file='c.csv')\n",
    )
    found = data_reads([files, door, by_name, by_module], [])
    assert [(one.place, one.function, one.data) for one in found] == [
        ("scripts/b.py:4", "load", "data/raw/b.csv"),
        ("scripts/b.py:5", "load", "c.csv"),
        ("src/mine/deep/a.py:4", "load", "data/raw/a.csv"),
    ]


def test_recursive_functions_come_to_an_end() -> None:
    code = (
        "def a(f):\n    b(f)\n    return pd.read_csv(f)\n\n\ndef b(f):\n    return a(f + 'x')\n\n\n"
        "def c(n):\n    return c(n)\n\n\npd.read_csv(c(1))\nX = X\npd.read_csv(X)"
    )
    assert [(one.kind, one.data) for one in read(code)] == [
        *(("unknown", "f"), ("unknown", "c(1)"), ("unknown", "X")),
    ]


def test_a_parameter_passed_on_too_often_is_listed_as_unknown() -> None:
    functions = ["def f0(x):\n    pd.read_csv(x)\n"]
    functions += [f"def f{n}(x):\n    f{n - 1}('a' + x)\n" for n in range(1, 20)]
    (near,) = read("\n\n".join([*functions[:5], "f4('.csv')"]))
    assert (near.kind, near.data, near.function) == ("path", "aaaa.csv", "f4")
    (far,) = read("\n\n".join([*functions, "f19('.csv')"]))
    assert (far.kind, far.data) == ("unknown", "'a' + x")


def test_a_read_tells_which_stage_or_line_made_the_data() -> None:
    code = (
        "pd.read_csv(sys.argv[1])\nt.to_csv('out/a.csv')\npd.read_csv('out/a.csv')\n"
        "pd.read_csv('data/raw/t.csv')"
    )
    found = data_reads([parse_module("src/mine/a.py", IMPORTS + code)], [("data/raw", "ingest")])
    assert [(one.data, one.made_by) for one in found] == [
        ("sys.argv[1]", ""),
        ("out/a.csv", "src/mine/a.py:6"),
        ("data/raw/t.csv", "stage ingest"),
    ]


UPDATES = {
    "changed": "t = pd.read_excel('a.xlsx')\nt.to_excel('a.xlsx')",
    "changed in one statement": "pd.read_excel('a.xlsx').dropna().to_excel('a.xlsx')",
    "changed in a called function": (
        "def f(p):\n    t = pd.read_excel(p)\n    t.to_excel(p)\n\n\nf('a.xlsx')"
    ),
    "changed in a function": (
        "def f():\n    t = pd.read_excel('a.xlsx')\n    t.to_excel('a.xlsx')\n\n\nf()"
    ),
}


@pytest.mark.parametrize("code", UPDATES.values(), ids=UPDATES)
def test_a_file_that_is_read_and_written_back_is_not_made_by_the_project(code: str) -> None:
    assert [(one.data, one.made_by) for one in read(code)] == [("a.xlsx", "")]


def test_the_outputs_of_a_notebook_count_for_that_notebook_only() -> None:
    source = "import pandas as pd\nt.to_csv('a.csv')\npd.read_csv('a.csv')"
    cell = {"cell_type": "code", "source": source}
    notebook = parse_module("notebooks/a.ipynb", json.dumps({"cells": [cell]}))
    module = parse_module("src/mine/a.py", IMPORTS + "pd.read_csv('a.csv')")
    found = data_reads([notebook, module], [])
    assert [(one.file, one.made_by) for one in found] == [
        ("notebooks/a.ipynb", "notebooks/a.ipynb, cell 1, line 2"),
        ("src/mine/a.py", ""),
    ]


def test_a_comment_names_the_source_of_a_read() -> None:
    beside = "pd.read_csv(\n    f,  # source: trips, towns\n)"
    above = "# source: trips\npd.read_csv(f)"
    assert [one.sources for one in read(beside)] == [("trips", "towns")]
    assert [one.sources for one in read(above)] == [("trips",)]


NEXT_TO_IT = {
    "a line": "pd.read_csv(f)  # source: trips\npd.read_csv(g)",
    "an end": "pd.read_csv(\n    f\n)  # source: trips\npd.read_csv(g)",
    "an item": "[\n    pd.read_csv(f),  # source: trips\n    pd.read_csv(g),\n]",
    "a bracket": "[\n    pd.read_csv(\n        f\n    ),  # source: trips\n    pd.read_csv(g)]",
}


@pytest.mark.parametrize("code", NEXT_TO_IT.values(), ids=NEXT_TO_IT)
def test_a_comment_does_not_apply_to_the_next_line(code: str) -> None:
    assert [one.sources for one in read(code)] == [("trips",), ()]
    cells = {"cells": [{"cell_type": "code", "source": code}]}
    assert [one.sources for one in read(json.dumps(cells), "a.ipynb", "")] == [("trips",), ()]


def test_a_read_in_a_notebook_has_its_cell() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["pd.read_csv('no.csv')"]},
        {
            "cell_type": "code",
            "source": ["%matplotlib inline\n", "import pandas as pd\n", "F = 'a.csv'"],
        },
        {"cell_type": "code", "source": ["this is no Python"]},
        {"cell_type": "code", "source": ["\n", "pd.read_csv(F)  # source: trips"]},
        {"cell_type": "code", "source": ["pd.read_csv('b.csv')"]},
    ]
    found = read(json.dumps({"cells": cells}), "notebooks/a.ipynb", "")
    assert [(one.place, one.data, one.sources) for one in found] == [
        ("notebooks/a.ipynb, cell 3, line 2", "a.csv", ("trips",)),
        ("notebooks/a.ipynb, cell 4, line 1", "b.csv", ()),
    ]
