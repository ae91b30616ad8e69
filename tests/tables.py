"""Tables for new contracts: valid ones to train on, and invalid ones."""

import csv
import json
import random
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from tests.project import Project

Row = Sequence[Any]


def flowers() -> list[Row]:
    """Return rows of three species that two lengths separate, with unusual column names."""
    chance = random.Random(1)  # noqa: S311
    rows: list[Row] = [["petal length (cm)", "petal width (cm)", "season", "class"]]
    for place in range(150):
        size = place % 3
        length, width = chance.gauss(1.5 + 2 * size, 0.3), chance.gauss(0.3 + size, 0.1)
        season = chance.choice(["spring", "summer", ""])
        rows.append([f"{length:.1f}", f"{width:.1f}", season, ["setosa", "virginica", "/x"][size]])
    return rows


def houses() -> list[Row]:
    """Return daily sales of houses whose price depends on the area."""
    chance = random.Random(2)  # noqa: S311
    rows: list[Row] = [["SaleDate", "area", "garage", "rebuilt", "notes", "price"]]
    for place in range(200):
        day = f"2024-{1 + place // 28:02}-{1 + place % 28:02}"
        area, rebuilt = chance.randrange(40, 400), chance.choice([None, 1999, 2010])
        price = None if place == 7 else 3000.5 * area + chance.gauss(0, 5000)
        rows.append([day, area, chance.random() > 0.5, rebuilt, f"house {place}", price])
    return rows


def loans() -> list[Row]:
    """Return loans with a target of 0 and 1: whether the loan was repaid."""
    chance = random.Random(3)  # noqa: S311
    rows: list[Row] = [["income", "region", "paid"]]
    for _ in range(120):
        income = chance.randrange(10_000, 90_000)
        rows.append([income, chance.choice(["north", "south"]), int(income > 40_000)])
    return rows


def write_csv(file: Path, rows: Iterable[Row], delimiter: str = ",") -> Path:
    with file.open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines, delimiter=delimiter).writerows(rows)
    return file


def write_excel(file: Path, rows: Iterable[Row]) -> Path:
    """Write a minimal Excel workbook."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"

    def cell(value: object) -> str:
        if isinstance(value, int | float):
            return f"<c><v>{value}</v></c>"
        return f'<c t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'

    sheet = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/sheet.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r" Type="{office}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r" Type="{office}/worksheet" Target="sheet.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Table" sheetId="1" r:id="r"/></sheets></workbook>',
        "xl/sheet.xml": f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return file


def write_parquet(project: Project, file: Path, rows: Sequence[Row]) -> Path:
    """Write a Parquet file with the project's libraries; Baton's own environment has none."""
    names, *values = rows
    columns = dict(zip(names, map(list, zip(*values, strict=True)), strict=True))
    source = file.with_suffix(".json")
    source.write_text(json.dumps(columns), encoding="utf-8")
    project.python(
        f"""
        import json, pyarrow
        from pyarrow import parquet
        table = pyarrow.table(json.load(open({str(source)!r}, encoding="utf-8")))
        if "SaleDate" in table.column_names:
            day = pyarrow.compute.strptime(table["SaleDate"], "%Y-%m-%d", "s")
            table = table.set_column(0, "SaleDate", day)
        parquet.write_table(table, {str(file)!r})
        """
    )
    return file


def bad_tables(project: Project, folder: Path) -> dict[str, list[str]]:
    """Return the command arguments that cause each error message."""
    (folder / "notes.json").write_text("{}")
    (folder / "empty.csv").write_bytes(b"")
    (folder / "noise.parquet").write_bytes(random.Random(4).randbytes(400))  # noqa: S311
    (folder / "noise.xlsx").write_bytes(random.Random(5).randbytes(400))  # noqa: S311
    (folder / "dos.csv").write_bytes("größe,y\nüber,1\n".encode("cp850"))
    (folder / "ragged.csv").write_text("x,y\n1,2\n3\n")
    numbers = list(range(40))

    def table(name: str, **columns: Sequence[Any]) -> None:
        write_csv(folder / f"{name}.csv", [list(columns), *zip(*columns.values(), strict=True)])

    table("two", x=[1, 2], y=[1, 2])
    table("constant", x=numbers, y=["a"] * 40)
    table("no-target", x=numbers, y=[""] * 40)
    table("ids", customer_id=numbers, nothing=[""] * 40, y=numbers)
    table("rare", x=numbers, y=["a"] * 38 + ["b"] * 2)
    table("names", x=numbers, y=[f"name {n}" for n in [*numbers[:39], 38]])
    table("many", x=list(range(400)), y=[f"name {n // 5}" for n in range(400)])
    table("moments", x=numbers, y=[f"2024-01-{n % 28 + 1:02}" for n in numbers])
    table("alone", y=[*numbers])
    table("infinite", x=["inf", *numbers[1:]], y=numbers)
    table("fractions", x=numbers, y=[n / 3 for n in numbers])
    table("wide", **{f"x{n}": numbers for n in range(4999)}, y=numbers)
    write_excel(folder / "empty.xlsx", [])
    write_parquet(project, folder / "lists.parquet", [["x", "y"], *([[n], n] for n in numbers)])
    return {
        "There is no file": ["absent.csv"],
        "is not a table that can be read: use .csv": ["notes.json"],
        "empty.csv can't be read: it is empty.": ["empty.csv"],
        "empty.xlsx can't be read: it has no rows.": ["empty.xlsx"],
        "noise.parquet can't be read as .parquet: ": ["noise.parquet"],
        "noise.xlsx can't be read as .xlsx: ": ["noise.xlsx"],
        "The encoding of": ["dos.csv"],
        "has no sheet 'March', only 'Table'.": ["empty.xlsx", "--sheet", "March"],
        "ragged.csv can't be read as .csv: ": ["ragged.csv"],
        "Only 2 rows have a value of 'y'": ["two.csv"],
        "There is no column 'z', only 'x', 'y'.": ["two.csv", "--target", "z"],
        "The target 'y' has only one value": ["constant.csv"],
        "Only 0 rows have a value of 'y'": ["no-target.csv"],
        "from, apart from 'customer_id', 'nothing'": ["ids.csv"],
        "The class 'b' of the target 'y' has 2 of the 5 rows": ["rare.csv"],
        "The class 'name 0' of the target 'y' has 1 of the 5 rows": ["names.csv"],
        "has more than 50 classes: 80": ["many.csv"],
        "The target 'y' holds timestamps": ["moments.csv"],
        "The table has no column to predict 'y' from": ["alone.csv"],
        "Column 'x' contains infinity": ["infinite.csv"],
        "The target 'y' has fractions": ["fractions.csv", "--task", "classification"],
        "The target 'y' is not numeric": ["rare.csv", "--task", "regression"],
        "has 5,000 columns": ["wide.csv"],
        "Column 'x' of": ["lists.parquet"],
    }
