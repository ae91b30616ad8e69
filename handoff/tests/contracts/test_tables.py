"""Tables as people have them: found out, described in words, and read again in the same way."""

import gzip
import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from baton_handoff.contracts.column_notes import NoteKind
from baton_handoff.contracts.column_values import FoundColumn, infer_columns, parse_column
from baton_handoff.contracts.raw_tables import file_lines, open_table
from baton_handoff.contracts.table_files import read_table
from baton_handoff.contracts.table_format import ColumnFormat
from baton_handoff.contracts.table_profile import TableProfile, profile_table, rounded_range
from baton_handoff.contracts.text_files import detect_encoding
from baton_handoff.core.errors import HandoffError
from baton_handoff.lineage.own_table import Choices, read_own_table

Texts = Sequence[str]


def found(*texts: str, **options: Any) -> FoundColumn:
    """What one column of texts is found to be."""
    table = pa.table({"x": pa.array(list(texts) * 30, pa.string())})
    return infer_columns(table, **options)["x"]


def values(column: FoundColumn, count: int) -> list[Any]:
    return list(column.values[:count].to_pylist())


def kinds(column: FoundColumn) -> set[NoteKind]:
    return {note.kind for note in column.notes}


def day(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["0,5", "1,25", "10"], [0.5, 1.25, 10]),
        (["1.234,50", "7,25"], [1234.5, 7.25]),
        (["1,234.50", "7.25"], [1234.5, 7.25]),
        (["1 234,5", "12,0"], [1234.5, 12]),
        (["1\u00a0234,5", "12,0"], [1234.5, 12]),
        (["1'234.50", "7.25"], [1234.5, 7.25]),
        (["1\u2019234\u2019567", "950"], [1234567, 950]),
        (["1\u2019234,5", "7,25"], [1234.5, 7.25]),
        (["1\u2009234", "950"], [1234, 950]),
        (["1\u202f234,5", "7,25"], [1234.5, 7.25]),
        (["1,234,567", "12"], [1234567, 12]),
        (["12.5 %", "3 %"], [12.5, 3]),
        (["€ 5", "€ 7,50"], [5, 7.5]),
        (["2.695,94 €", "-3,10 €"], [2695.94, -3.1]),
        (["$1,200.00", "-$3.50"], [1200, -3.5]),
        (["CHF 12.50", "CHF 3.00"], [12.5, 3]),
        (["(12.50)", "3.00"], [-12.5, 3]),
        (["\u22125", "+7"], [-5, 7]),
        (["1e-3", "2.5E2"], [0.001, 250]),
        ([".5", "5."], [0.5, 5]),
        (["n.a.", "7"], [None, 7]),
        (["?", "1,5"], [None, 1.5]),
        (["-", "3"], [None, 3]),
        (["#NV", "3"], [None, 3]),
    ],
    ids=str,
)
def test_numbers_in_the_forms_of_many_countries_are_numbers(
    texts: Texts, numbers: list[float | None]
) -> None:
    column = found(*texts)
    assert values(column, len(texts)) == numbers
    parsed, wrong = parse_column(pa.chunked_array([list(texts)]), "number", column.form)
    assert (parsed.to_pylist(), len(wrong)) == (numbers, 0)


@pytest.mark.parametrize(
    "texts",
    [
        ["00001", "00002"],
        ["01067", "80331"],
        ["+491701234567", "+491707654321"],
        ["1234567890123456789012", "2234567890123456789012"],
    ],
    ids=["an id", "a postcode", "a telephone number", "too long for an integer"],
)
def test_codes_of_digits_stay_text(texts: Texts) -> None:
    column = found(*texts)
    assert values(column, 2) == texts
    assert kinds(column) == {NoteKind.LEADING_ZEROS}


def test_zero_and_fractions_below_one_are_no_codes() -> None:
    assert values(found("0", "0.5", "-0.25"), 3) == [0, 0.5, -0.25]


def test_an_open_mark_follows_other_columns_and_is_named() -> None:
    texts = {"open": ["1,234", "5,678"] * 15, "clear": ["0,5", "1,5"] * 15}
    both = infer_columns(pa.table(texts))
    assert values(both["open"], 2) == [1.234, 5.678]
    assert NoteKind.OPEN_DECIMAL in kinds(both["open"])
    assert values(found("1.200", "800", usual=","), 2) == [1200, 800]
    assert kinds(found("1.200", "800")) == {NoteKind.OPEN_DECIMAL}
    alone = found("1,234", "5,678")
    assert values(alone, 2) == [1234, 5678]
    assert NoteKind.OPEN_DECIMAL in kinds(alone)


@pytest.mark.parametrize(
    ("texts", "times"),
    [
        (["2012/01/31", "2012/12/01"], [day(2012, 1, 31), day(2012, 12, 1)]),
        (["31.01.2015", "01.12.2015"], [day(2015, 1, 31), day(2015, 12, 1)]),
        (["1.2.15", "31.12.15"], [day(2015, 2, 1), day(2015, 12, 31)]),
        (["1/31/2015", "12/1/2015"], [day(2015, 1, 31), day(2015, 12, 1)]),
        (["31/01/2015", "01/12/2015"], [day(2015, 1, 31), day(2015, 12, 1)]),
        (["31-Jan-15", "01-Dec-15"], [day(2015, 1, 31), day(2015, 12, 1)]),
        (["January 5, 2015", "May 6, 2015"], [day(2015, 1, 5), day(2015, 5, 6)]),
        (["5 Jan 2015", "6 May 2015"], [day(2015, 1, 5), day(2015, 5, 6)]),
        (["2024-01-31T10:00:00+02:00"], [day(2024, 1, 31, 8)]),
        (
            ["2024-01-31 10:00:00", "2024-02-01 11:30:00"],
            [day(2024, 1, 31, 10), day(2024, 2, 1, 11, 30)],
        ),
        (
            ["31.01.2024 10:05", "01.02.2024 11:30"],
            [day(2024, 1, 31, 10, 5), day(2024, 2, 1, 11, 30)],
        ),
        (
            ["01/31/2024 3:05 PM", "02/01/2024 11:30 AM"],
            [day(2024, 1, 31, 15, 5), day(2024, 2, 1, 11, 30)],
        ),
        (["2024-01-31", "NULL"], [day(2024, 1, 31), None]),
        (["3-Jan-2021", "14-Feb-2021"], [day(2021, 1, 3), day(2021, 2, 14)]),
        (["2021-W05", "2020-W53"], [day(2021, 2, 1), day(2020, 12, 28)]),
        (["2021-01", "2021-12"], [day(2021, 1, 1), day(2021, 12, 1)]),
        (["01/2021", "12/2021"], [day(2021, 1, 1), day(2021, 12, 1)]),
        (["Jan 2021", "May 2021", ""], [day(2021, 1, 1), day(2021, 5, 1), None]),
        (["20210131", "20211201"], [day(2021, 1, 31), day(2021, 12, 1)]),
    ],
    ids=str,
)
def test_dates_in_usual_forms_are_times(texts: Texts, times: list[datetime | None]) -> None:
    column = found(*texts)
    assert values(column, len(texts)) == times
    parsed, wrong = parse_column(pa.chunked_array([list(texts)]), "timestamp[UTC]", column.form)
    assert (parsed.to_pylist(), len(wrong)) == (times, 0)


@pytest.mark.parametrize(
    ("columns", "first", "reason"),
    [
        ({"x": ["01/02/2023", "05/04/2023", "03/03/2023"]}, day(2023, 1, 2), "custom"),
        ({"x": ["01.02.2023", "05.04.2023", "03.03.2023"]}, day(2023, 2, 1), "custom"),
        ({"x": ["02/01/2023", "03/01/2023", "01/02/2023"]}, day(2023, 1, 2), "order"),
        (
            {"x": ["01/02/2023", "05/04/2023", "03/03/2023"], "z": ["31/12/2022"] * 3},
            day(2023, 2, 1),
            "others",
        ),
    ],
    ids=["slashes", "dots", "rows in order", "another column"],
)
def test_what_decides_between_day_and_month_is_named(
    columns: dict[str, list[str]], first: datetime, reason: str
) -> None:
    column = infer_columns(pa.table(columns))["x"]
    assert values(column, 1) == [first]
    assert [note.values for note in column.notes if "first" in note.kind] == [(reason,)]


@pytest.mark.parametrize(
    "texts",
    [["ja", "nein"], ["Yes", "No"], ["Y", "N"], ["oui", "non"], ["TRUE", "FALSE"], ["tak", "nie"]],
    ids=str,
)
def test_words_for_yes_and_no_are_booleans(texts: Texts) -> None:
    column = found(*texts)
    assert values(column, 2) == [True, False]
    parsed, wrong = parse_column(pa.chunked_array([list(texts)]), "boolean", column.form)
    assert (parsed.to_pylist(), len(wrong)) == ([True, False], 0)


def test_numbers_and_texts_that_only_resemble_dates_stay_what_they_are() -> None:
    assert values(found("20210131", "20211301"), 2) == [20210131, 20211301]
    assert values(found("2021-W05", "2021-W54"), 2) == ["2021-W05", "2021-W54"]
    assert values(found("1021-01", "2021-13"), 2) == ["1021-01", "2021-13"]


def test_the_target_keeps_its_words() -> None:
    assert values(found("ja", "nein", target="x"), 2) == ["ja", "nein"]


@pytest.mark.parametrize(
    ("texts", "read", "kind"),
    [
        ([" Private", " ?"], ["Private", None], NoteKind.PADDED),
        (["a", "N/A"], ["a", None], NoteKind.MISSING),
        (["12", "13", "abc"], ["12", "13", "abc"], NoteKind.MIXED),
        (
            ["31.01.2024", "32.01.2024", "01.02.2024"],
            ["31.01.2024", "32.01.2024"],
            NoteKind.MIXED_DATES,
        ),
        (["3. März 2024", "17. Mai 2024"], ["3. März 2024"], NoteKind.YEARS),
        (["2024-Q1", "2024-Q4"], ["2024-Q1"], NoteKind.YEARS),
        (["(3.50)", "(1.25)"], [-3.5, -1.25], NoteKind.NUMBERS),
    ],
    ids=[
        *("padded", "a usual token", "mixed", "an impossible date"),
        *("a month in German", "a quarter", "a negative number in brackets"),
    ],
)
def test_unusual_texts_are_named(texts: Texts, read: list[Any], kind: NoteKind) -> None:
    column = found(*texts)
    assert values(column, len(read)) == read
    assert kind in kinds(column)


def test_texts_and_numbers_named_by_a_person_are_missing() -> None:
    column = found("12", "13", "abc", missing=["abc"])
    assert values(column, 3) == [12, 13, None]
    typed = infer_columns(pa.table({"x": [1, -999]}), missing=["-999"])["x"]
    assert typed.values.to_pylist() == [1, None]
    parsed, _ = parse_column(pa.chunked_array([[1, -999]]), "number", typed.form)
    assert parsed.to_pylist() == [1, None]


GERMAN = "id;größe;preis €\n1;Müller;0,5\n2;Weiß;1,5\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "utf-8"),
        (GERMAN, "utf-8-sig"),
        (GERMAN, "cp1252"),
        (GERMAN, "utf-16"),
        (GERMAN, "utf-16-le"),
        ("café;naïve;señor\n", "cp1252"),
        ("Příjmení;Město\nNovák;Plzeň\nDvořák;Žďár;ženatý\n" * 5, "iso8859_2"),
        ("Příjmení;Město\nNovák;Plzeň\nDvořák;Žďár;ženatý\n" * 5, "cp1250"),
        ("Prénom;Métier\nŒuvre;cœur\nHélène;sœur\n", "iso8859_15"),
        ("Привет;мир\nданные;таблица\n" * 5, "cp1251"),  # noqa: RUF001
        ("日本語;テスト\nデータ;表\n" * 5, "cp932"),
    ],
    ids=lambda value: value[:12],
)
def test_the_encoding_is_found(text: str, encoding: str) -> None:
    assert detect_encoding(text.encode(encoding)) == encoding


def test_an_encoding_that_can_not_be_told_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "dos.csv"
    file.write_bytes("größe;straße\nGröße;Käse\n".encode("cp850"))
    with pytest.raises(HandoffError, match="--encoding"):
        open_table(file)
    assert open_table(file, encoding="cp850").columns.column_names == ["größe", "straße"]
    with pytest.raises(HandoffError, match="There is no encoding 'klingon'"):
        open_table(file, encoding="klingon")


def rows_of(content: bytes, name: str, folder: Path) -> tuple[list[str], list[dict[str, Any]]]:
    file = folder / name
    file.write_bytes(content)
    table = read_table(file)
    return table.column_names, table.to_pylist()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a,b\n1,2\n3,4\n", ["a", "b"]),
        ("a;b\n1;2\n3;4\n", ["a", "b"]),
        ("a\tb\n1\t2\n3\t4\n", ["a", "b"]),
        ("a|b\n1|2\n3|4\n", ["a", "b"]),
        ("sep=;\na;b\n1;2\n3;4\n", ["a", "b"]),
        ("Report of March\n\nmade on 1 April\na,b\n1,2\n3,4\n", ["a", "b"]),
        ("Report;\n;\na;b\n1;2\n3;4\n", ["a", "b"]),
        ('"a","b"\r\n"1","2"\r\n3,4\r\n', ["a", "b"]),
        (",b\n1,2\n3,4\n", ["", "b"]),
        ("b,b\n1,2\n3,4\n", ["b", "b (2)"]),
        ('"first\nname",b\n1,2\n3,4\n', ["first\nname", "b"]),
    ],
    ids=repr,
)
def test_separators_titles_and_headers_are_found(
    text: str, names: list[str], tmp_path: Path
) -> None:
    got, rows = rows_of(text.encode(), "t.csv", tmp_path)
    assert got == names
    assert [list(row.values()) for row in rows] == [[1, 2], [3, 4]]


def test_quoted_line_breaks_and_separators_belong_to_the_text(tmp_path: Path) -> None:
    text = 'a;b\n"x\ny";1\n"p;q";2\n"she said ""no""";3\n'
    _, rows = rows_of(text.encode(), "t.csv", tmp_path)
    assert [row["a"] for row in rows] == ["x\ny", "p;q", 'she said "no"']


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv.gz", gzip.compress(b"a,b\n1,x\n2,y\n", mtime=0)),
        ("t.tsv", b"a\tb\n1\tx\n2\ty\n"),
        ("t.txt", b"a;b\n1;x\n2;y\n"),
        ("t.jsonl", b'{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n'),
        ("t.NDJSON.gz", gzip.compress(b'{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n', mtime=0)),
    ],
)
def test_many_kinds_of_files_are_read(name: str, content: bytes, tmp_path: Path) -> None:
    _, rows = rows_of(content, name, tmp_path)
    assert rows == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


def test_nested_objects_are_columns_and_other_types_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    rows = [
        {"user": {"age": 3, "home": {"town": "Ulm"}}, "tags": ["a"], "y": 1},
        {"user": {"age": None, "home": None}, "tags": [], "y": 2},
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    raw = open_table(file, column="y")
    assert raw.columns.to_pylist() == [
        {"user.age": 3, "user.home.town": "Ulm", "y": 1},
        {"user.age": None, "user.home.town": None, "y": 2},
    ]
    (line,) = file_lines(raw)
    assert line.startswith("Column 'tags' is left out, because no contract has its type list")
    refused = r"Column 'tags' .* type without a contract, list"
    with pytest.raises(HandoffError, match=refused):
        open_table(file, column="tags")
    parquet.write_table(pa.table({"tags": [["a"]], "y": [1]}), tmp_path / "t.parquet")
    with pytest.raises(HandoffError, match=refused):
        open_table(tmp_path / "t.parquet", column="y")


def test_texts_in_parquet_are_read_like_those_of_other_files(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"d": ["01.02.2024"], "z": ["01067"]}), tmp_path / "t.parquet")
    (row,) = read_table(tmp_path / "t.parquet").to_pylist()
    assert row == {"d": day(2024, 2, 1), "z": "01067"}


def profile(**columns: Any) -> TableProfile:
    """What a table is found to be; its last column is the target."""
    target = list(columns)[-1]
    raw = pa.table({name: pa.array(list(values)) for name, values in columns.items()})
    return profile_table(infer_columns(raw, target=target), target, None, ())


def noted(result: TableProfile, kind: NoteKind) -> list[str]:
    return [note.column for note in result.notes if note.kind is kind]


CHANCE = random.Random(1)
N = 200
Y = [CHANCE.choice(["a", "b"]) for _ in range(N)]
NOISE = [CHANCE.random() for _ in range(N)]
MANY = [CHANCE.randrange(100_000) for _ in range(N)]


@pytest.mark.parametrize(
    ("name", "column", "kind"),
    [
        ("id", list(range(N)), NoteKind.ROW_NUMBER),
        ("", list(range(N)), NoteKind.ROW_NUMBER),
        ("Unnamed: 0", list(range(N)), NoteKind.ROW_NUMBER),
        ("row_number", list(range(1, N + 1)), NoteKind.ROW_NUMBER),
        ("PassengerId", MANY, NoteKind.ID),
        ("customer_id", MANY, NoteKind.ID),
        ("id", [f"{n:05}" for n in range(N)], NoteKind.ID),
        ("Kundennummer", [f"K{n:05}" for n in range(N)], NoteKind.ID),
        ("patient", [f"P-{n:04}" for n in range(N)], NoteKind.ID),
        ("thing", [f"{n:08x}-0000-0000-0000-000000000000" for n in range(N)], NoteKind.ID),
        ("country", ["DE"] * N, NoteKind.CONSTANT),
        ("year", [2024] * N, NoteKind.CONSTANT),
        ("notes", [""] * N, NoteKind.EMPTY),
        ("notes", [None] * N, NoteKind.EMPTY),
    ],
    ids=str,
)
def test_what_is_no_feature_is_left_out_and_named(
    name: str, column: list[Any], kind: NoteKind
) -> None:
    result = profile(**{name: column, "noise": NOISE, "y": Y})
    assert noted(result, kind) == [name]
    assert [one.name for one in result.columns] == ["noise"]


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("paid", [n % 2 for n in range(N)]),
        ("valid", MANY),
        ("year", [1900 + n % 120 for n in range(N)]),
        ("number_of_rooms", [n % 9 for n in range(N)]),
    ],
    ids=["paid", "valid", "year", "number_of_rooms"],
)
def test_other_numbers_are_features_with_bounds(name: str, column: list[Any]) -> None:
    (first, _) = profile(**{name: column, "noise": NOISE, "y": Y}).columns
    assert (first.name, set(first.rules)) == (name, {"ge", "le"})


def test_a_column_that_counts_the_rows_has_no_bounds() -> None:
    result = profile(a=list(range(N)), noise=NOISE, y=Y)
    assert noted(result, NoteKind.COUNTS) == ["a"]
    assert result.columns[0].rules == {}


@pytest.mark.parametrize("value", [-999, -9, 9999])
def test_a_number_far_from_all_others_is_named_and_gives_no_bounds(value: int) -> None:
    result = profile(x=[value if n % 9 == 0 else n % 7 for n in range(N)], noise=NOISE, y=Y)
    assert noted(result, NoteKind.SENTINEL) == ["x"]
    assert result.columns[0].rules == {}


def test_a_number_far_from_all_others_is_named_in_a_target_that_is_a_quantity() -> None:
    target = [-999 if n % 9 == 0 else n % 97 + 0.5 for n in range(N)]
    assert noted(profile(noise=NOISE, y=target), NoteKind.SENTINEL) == ["y"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1,0.5,0\n2,0.25,1\n" * 30, "does not name its columns: .* each of its 3 columns"),
        ("a  b  y\n" + "1  2  0\n" * 30, "has only one column, 'a  b  y': separate columns by"),
    ],
    ids=["no names", "spaces"],
)
def test_a_file_without_names_or_separators_is_refused_with_a_way_out(
    content: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(HandoffError, match=message):
        read_own_table(tmp_path / "t.csv", "y", Choices(), ())


@pytest.mark.parametrize(
    ("numbers", "low", "high"),
    [
        ([17, 60], 0, 60),
        ([18, 61], 0, 70),
        ([1990, 2023], 1990, 2030),
        ([-3.2, 4.4], -4, 5),
        ([0.013, 0.874], 0, 0.9),
        ([12_345, 98_765], 0, 100_000),
        ([-7], -7, -7),
    ],
    ids=str,
)
def test_ranges_are_rounded_outward(numbers: list[float], low: float, high: float) -> None:
    rules = rounded_range(numbers)
    assert rules["ge"] <= min(numbers) <= max(numbers) <= rules["le"]
    assert (rules["ge"], rules["le"]) == (low, high)


def test_leaks_of_a_quantity_are_named_with_their_formula() -> None:
    one, two = [n % 31 for n in range(N)], [(n * 7) % 101 + 1 for n in range(N)]
    total = [a + b for a, b in zip(one, two, strict=True)]
    result = profile(casual=one, registered=two, noise=NOISE, count=total)
    (note, _) = (note for note in result.notes if note.kind is NoteKind.LEAK_SUM)
    assert note.values == ("casual + registered = count",)
    product = [(a + 1) * b for a, b in zip(one, two, strict=True)]
    result = profile(quantity=[a + 1 for a in one], price=two, revenue=product)
    assert noted(result, NoteKind.LEAK_PRODUCT) == ["quantity", "price"]
    taxed = [1.19 * value for value in two]
    result = profile(gross=taxed, noise=NOISE, net=two)
    assert noted(result, NoteKind.LEAK_SUM) == ["gross"]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (
            [None if y == "a" else f"2024-01-{n % 28 + 1:02}" for n, y in enumerate(Y)],
            NoteKind.LEAK_FILLED,
        ),
        ([None if y == "a" and n % 3 else n % 50 for n, y in enumerate(Y)], NoteKind.LEAK_ABSENT),
        ([f"is {y}" for y in Y], NoteKind.LEAK),
        ([(y == "a") * 50 + n % 40 for n, y in enumerate(Y)], NoteKind.LEAK),
    ],
    ids=["filled for one class", "absent for one class", "a category", "a threshold"],
)
def test_leaks_of_a_class_are_named(column: list[Any], kind: NoteKind) -> None:
    assert noted(profile(x=column, noise=NOISE, y=Y), kind) == ["x"]


def test_an_honest_table_has_no_notes() -> None:
    town = [CHANCE.choice(["Bonn", "Ulm"]) for _ in range(N)]
    start = datetime(2024, 1, 1, tzinfo=UTC)
    when = [(start + timedelta(hours=5 * n)).isoformat() for n in range(N)]
    assert profile(noise=NOISE, town=town, when=when, y=Y).notes == ()


def test_only_what_is_unusual_is_written_to_params_yaml() -> None:
    form = found("1.234,50 €", "7,25 €").form
    assert form.parameters() == {"decimal": ",", "thousands": ".", "sign": "€"}
    assert ColumnFormat.model_validate(form.parameters()) == form
