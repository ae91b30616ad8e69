"""A blank project says that it has no contract yet; a table of one's own gives it one that runs."""

import csv
import json
import random
import shlex
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from tests.baton import Workshop, commit, files, git, owners, render, run
from tests.test_pairwise import CHECKS, tasks
from tests.test_project import Project, ask, serving

pytestmark = pytest.mark.slow

NO_CONTRACT = (
    "There is no contract yet: `uv run poe new-contract FILE --target COLUMN` writes it from your"
    " table.\n"
)

Row = Sequence[Any]


def flowers() -> list[Row]:
    """Three species, told apart by two lengths; names as people write them."""
    chance = random.Random(1)  # noqa: S311
    rows: list[Row] = [["petal length (cm)", "petal width (cm)", "season", "class"]]
    for place in range(150):
        size = place % 3
        length, width = chance.gauss(1.5 + 2 * size, 0.3), chance.gauss(0.3 + size, 0.1)
        season = chance.choice(["spring", "summer", ""])
        rows.append([f"{length:.1f}", f"{width:.1f}", season, ["setosa", "virginica", "/x"][size]])
    return rows


def houses() -> list[Row]:
    """Prices of houses, sold day by day; the price follows the area."""
    chance = random.Random(2)  # noqa: S311
    rows: list[Row] = [["SaleDate", "area", "garage", "rebuilt", "notes", "price"]]
    for place in range(200):
        day = f"2024-{1 + place // 28:02}-{1 + place % 28:02}"
        area, rebuilt = chance.randrange(40, 400), chance.choice([None, 1999, 2010])
        price = None if place == 7 else 3000.5 * area + chance.gauss(0, 5000)
        rows.append([day, area, chance.random() > 0.5, rebuilt, f"house {place}", price])
    return rows


def loans() -> list[Row]:
    """Whether a loan was paid back, as 0 and 1."""
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
    """A workbook as small as the format allows."""
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
    """By the libraries of the project: Baton's own tools have none."""
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


@pytest.fixture
def blank(
    workshop: Workshop,
    environment: Path,
    types_cache: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Project:
    """A blank project in its first commit; pandas unless a test says otherwise."""
    engine = getattr(request, "param", "pandas")
    folder = tmp_path / "project"
    render(workshop.template(), folder, {"starter": "blank", "dataframe": engine})
    commit(folder, "first")
    project = Project(folder, environment)
    project.env["MYPY_CACHE_DIR"] = str(types_cache)
    return project


def on(*engines: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("blank", engines, indirect=True)


def in_one_process(project: Project, commands: Sequence[Sequence[str]]) -> list[tuple[int, str]]:
    """Exit code and complaint of each command; one process, because each imports so much."""
    said = project.python(
        f"""
        import contextlib, io, json
        from baton_handoff.cli import main
        answers = []
        for command in {[list(command) for command in commands]!r}:
            with contextlib.redirect_stderr(io.StringIO()) as error:
                answers.append([main(command), error.getvalue()])
        print(json.dumps(answers))
        """
    )
    return [(code, complaint) for code, complaint in json.loads(said.splitlines()[-1])]


def check(project: Project) -> None:
    """What `poe check` runs, after what set-up writes."""
    owners(project.folder)
    for task in CHECKS:
        project(*shlex.split(tasks(project.folder)[task]))


def metrics(project: Project) -> dict[str, dict[str, float]]:
    text = (project.folder / "reports/metrics.json").read_text(encoding="utf-8")
    measured: dict[str, dict[str, float]] = json.loads(text)
    return measured


def contract(project: Project) -> str:
    return next(project.folder.glob("src/*/contracts/data.py")).read_text(encoding="utf-8")


def test_before_the_first_contract_every_command_says_the_same_sentence(blank: Project) -> None:
    assert "deselected" in blank("pytest").stdout
    commands = [["pipeline"], ["register"], ["api"], ["serve"], ["acceptance"]]
    commands.append(["score", "a.parquet", "b.parquet"])
    assert in_one_process(blank, commands) == [(2, NO_CONTRACT)] * len(commands)


def offer_a_candidate(project: Project) -> None:
    """Everything between a new contract and a candidate, as a person would do it."""
    check(project)
    run(["uv", "lock", "--quiet"], project.folder)
    commit(project.folder, "contract")
    project("handoff", "pipeline")
    assert " passed" in project("pytest").stdout
    said = project("handoff", "register").stdout
    assert "version 1 is the candidate" in said
    assert "5 passed" in project("handoff", "acceptance").stdout


def test_a_csv_with_three_classes_becomes_a_candidate_that_answers(
    blank: Project, tmp_path: Path
) -> None:
    table = write_csv(tmp_path / "my flowers.csv", flowers(), delimiter=";")
    said = blank("handoff", "new-contract", str(table), "--target", "class").stdout
    assert "'petal length (cm)' is called petal_length_cm" in said
    assert "'class' is called class_" in said
    offer_a_candidate(blank)
    assert metrics(blank)["model"]["accuracy"] > 0.9 > metrics(blank)["constant"]["accuracy"]
    again = blank("handoff", "new-contract", str(table), "--target", "class", check=False)
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr.startswith("There is a contract already")

    row = {"petal_length_cm": 1.5, "petal_width_cm": 0.3, "season": None}
    for address in serving(blank):
        status, answer = ask(f"{address}/predict", {"rows": [row]})
        assert status == 200, answer
        (prediction,) = json.loads(answer)["predictions"]
        assert prediction["prediction"] == "setosa"
        assert prediction["probability"] > 0.5
        status, answer = ask(f"{address}/predict", {"rows": [row | {"season": "winter"}]})
        assert (status, json.loads(answer)["errors"][0]["field"]) == (422, "rows[0].season")


@on("polars")
def test_a_parquet_file_with_a_quantity_is_tested_on_its_future(
    blank: Project, tmp_path: Path
) -> None:
    table = write_parquet(blank, tmp_path / "houses.parquet", houses())
    said = blank("handoff", "new-contract", str(table), "--target", "price").stdout
    assert "200 rows, 1 of them without a target" in said
    assert "without a time zone are taken as UTC" in said
    offer_a_candidate(blank)
    assert metrics(blank)["model"]["r2"] > 0.9 > metrics(blank)["constant"]["r2"]
    blank.python(
        """
        import polars
        rows = polars.read_parquet("data/raw/source.parquet")
        assert rows.height == 199
        rows.drop("price").write_parquet("asked.parquet")
        """
    )
    assert blank("handoff", "score", "asked.parquet", "answered.parquet").stdout.startswith("199 ")
    assert blank.python(
        """
        import polars
        from baton_handoff.project import find_project
        train, test = find_project().room("training.split").split()
        assert (len(train), len(test)) == (159, 40)
        assert train["SaleDate"].max() <= test["SaleDate"].min()
        print(polars.read_parquet("answered.parquet")["prediction"].is_finite().all())
        """
    ).startswith("True")


def test_an_excel_sheet_with_zeros_and_ones_is_a_classification(
    blank: Project, tmp_path: Path
) -> None:
    table = write_excel(tmp_path / "loans.xlsx", loans())
    blank("handoff", "new-contract", str(table), "--target", "paid")
    assert "income: int = Field(ge=" in contract(blank)
    assert "prediction: int = Field(isin=CLASSES)" in contract(blank)
    offer_a_candidate(blank)
    assert metrics(blank)["model"]["accuracy"] > 0.8

    blank("handoff", "new-contract", str(table), "--target=paid", "--task=regression", "--replace")
    check(blank)
    assert "prediction: float\n" in contract(blank)
    blank("handoff", "pipeline")
    assert metrics(blank)["model"]["r2"] > metrics(blank)["constant"]["r2"]


@on("pandas", "polars")
def test_any_names_and_values_give_code_that_passes_every_check(
    blank: Project, tmp_path: Path
) -> None:
    names = [
        *("class", "2nd floor", "", "größe", "a b", "a_b", "A B", "json", "validate", "Config"),
        *("prediction", "str", "Utc", "__x", "_y", "model_dump_x", "model_config", "type", "年齢"),
        *("mixedCase", "x" * 90, "What is it, in your own words? " * 4, "ﬁx", "'", '"""', "\\"),
    ]
    odd = ["/tmp/x", "0.0.0.0", 'quo"te\\', "\u2013", "{x}", "${x}", "\u202e", "'", "y" * 60]  # noqa: S104, S108
    rows: list[Row] = [[*names, "yes or no"]]
    for place in range(90):
        values: list[Any] = [odd[place % 9], place, place / 7, place % 2 == 0, "z" * 99]
        rows.append([*(values[n % 5] for n in range(len(names))), place % 3 == 0])
    table = write_parquet(blank, tmp_path / "${odd} näme's.parquet", rows)
    blank("handoff", "new-contract", str(table), "--target", "yes or no")
    check(blank)
    assert " passed" in blank("pytest", "tests").stdout
    blank("handoff", "pipeline")


def bad_tables(project: Project, folder: Path) -> dict[str, list[str]]:
    """For each sentence the arguments that call for it."""
    (folder / "notes.json").write_text("{}")
    (folder / "empty.csv").write_bytes(b"")
    (folder / "noise.parquet").write_bytes(random.Random(4).randbytes(400))  # noqa: S311
    (folder / "noise.xlsx").write_bytes(random.Random(5).randbytes(400))  # noqa: S311
    (folder / "latin.csv").write_bytes("größe,y\nüber,1\n".encode("latin-1"))
    (folder / "ragged.csv").write_text("x,y\n1,2\n3\n")
    numbers = list(range(40))

    def table(name: str, **columns: Sequence[Any]) -> None:
        write_csv(folder / f"{name}.csv", [list(columns), *zip(*columns.values(), strict=True)])

    table("two", x=[1, 2], y=[1, 2])
    table("constant", x=numbers, y=["a"] * 40)
    table("no-target", x=numbers, y=[""] * 40)
    table("gap", x=numbers, nothing=[""] * 40, y=numbers)
    table("rare", x=numbers, y=["a"] * 38 + ["b"] * 2)
    table("names", x=numbers, y=[f"name {n}" for n in [*numbers[:39], 38]])
    table("many", x=list(range(400)), y=[f"name {n // 5}" for n in range(400)])
    table("moments", x=numbers, y=[f"2024-01-{n % 28 + 1:02}" for n in numbers])
    table("alone", y=[*numbers])
    table("infinite", x=["inf", *numbers[1:]], y=numbers)
    table("fractions", x=numbers, y=[n / 3 for n in numbers])
    table("wide", **{f"x{n}": numbers for n in range(4999)}, y=numbers)
    write_excel(folder / "empty.xlsx", [])
    write_csv(folder / "twice.csv", [["x", "x", "y"], *([n, n, n] for n in numbers)])
    write_excel(folder / "twice.xlsx", [["x", "x", "y"], *([n, n, n] for n in numbers)])
    write_parquet(project, folder / "lists.parquet", [["x", "y"], *([[n], n] for n in numbers)])
    return {
        "There is no file": ["absent.csv"],
        "is not a table that can be read here: .csv": ["notes.json"],
        "empty.csv can't be read as .csv: ": ["empty.csv"],
        "empty.xlsx has nothing on its first sheet.": ["empty.xlsx"],
        "noise.parquet can't be read as .parquet: ": ["noise.parquet"],
        "noise.xlsx can't be read as .xlsx: ": ["noise.xlsx"],
        "latin.csv can't be read as .csv: 'utf-8' codec": ["latin.csv"],
        "ragged.csv can't be read as .csv: ": ["ragged.csv"],
        "Only 2 rows have a value of 'y'": ["two.csv"],
        "There is no column 'z': 'x', 'y' are there.": ["two.csv", "--target", "z"],
        "The target 'y' has only one value": ["constant.csv"],
        "Only 0 rows have a value of 'y'": ["no-target.csv"],
        "Nothing stands in 'nothing'": ["gap.csv"],
        "The class 'b' of the target 'y' has 2 of the 5 rows": ["rare.csv"],
        "The class 'name 0' of the target 'y' has 1 of the 5 rows": ["names.csv"],
        "has 80 different values, too many to be classes": ["many.csv"],
        "The target 'y' holds moments": ["moments.csv"],
        "Besides 'y' the table has no column": ["alone.csv"],
        "Column 'x' holds infinity": ["infinite.csv"],
        "The target 'y' holds fractions": ["fractions.csv", "--task", "classification"],
        "The target 'y' holds no numbers": ["rare.csv", "--task", "regression"],
        "has 5,000 columns": ["wide.csv"],
        "twice.csv has more than one column called 'x'": ["twice.csv"],
        "twice.xlsx has more than one column called 'x'": ["twice.xlsx"],
        "Column 'x' of": ["lists.parquet"],
    }


def test_a_table_that_is_none_to_learn_from_gets_one_sentence_and_changes_nothing(
    blank: Project, tmp_path: Path
) -> None:
    before = files(blank.folder)
    expected = bad_tables(blank, tmp_path)
    commands = [
        ["new-contract", str(tmp_path / file), "--target", "y", *options]
        for file, *options in expected.values()
    ]
    for sentence, (code, complaint) in zip(expected, in_one_process(blank, commands), strict=True):
        assert (sentence in complaint, code) == (True, 2), (sentence, complaint)
        assert complaint.count("\n") == 1
        assert "Traceback" not in complaint
    after = {path: text for path, text in files(blank.folder).items() if "__pycache__" not in path}
    assert after == before


def test_what_fails_at_the_last_step_is_undone(blank: Project, tmp_path: Path) -> None:
    """DVC refuses to keep what git already keeps."""
    place = blank.folder / "data/source/loans.csv"
    place.parent.mkdir(parents=True)
    place.write_text("mine\n", encoding="utf-8")
    commit(blank.folder, "mine")
    table = write_csv(tmp_path / "loans.csv", loans())
    done = blank("handoff", "new-contract", str(table), "--target", "paid", check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("DVC can't keep data/source/loans.csv: output")
    assert git(blank.folder, "status", "--porcelain") == ""


def test_contracts_that_did_not_begin_blank_stay_as_they_are(
    workshop: Workshop, environment: Path, tmp_path: Path
) -> None:
    folder = render(workshop.template(), tmp_path / "project", {})
    table = write_csv(tmp_path / "loans.csv", loans())
    command = ["new-contract", str(table), "--target", "paid", "--replace"]
    ((code, complaint),) = in_one_process(Project(folder, environment), [command])
    assert code == 2
    assert complaint == (
        "flight_delays.contracts has contracts of its own: change them where they stand.\n"
    )


def test_a_new_month_of_another_shape_is_refused_by_name(blank: Project, tmp_path: Path) -> None:
    """What ingest reads later has to be what the contract describes."""
    table = write_csv(tmp_path / "loans.csv", loans())
    blank("handoff", "new-contract", str(table), "--target", "paid")
    source = blank.folder / "data/source/loans.csv"
    ingest = ["python", "-m", "flight_delays.training.ingest"]

    write_csv(source, [row[1:] for row in loans()])
    done = blank(*ingest, check=False)
    assert done.returncode == 1
    assert done.stderr == "data/source/loans.csv lacks what Source describes: 'income'.\n"

    names, *rows = loans()
    write_csv(source, [names, ["plenty", *rows[0][1:]], *rows[1:]])
    done = blank(*ingest, check=False)
    assert done.returncode == 1
    said = "Column 'income' of data/source/loans.csv is not of type integer: "
    assert done.stderr.startswith(said)
    assert len(done.stderr.splitlines()) == 1
