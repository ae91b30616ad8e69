"""A blank project reports a missing contract; `contract new` on a table creates one that runs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.baton import Workshop, commit, files, git, owners, render, run
from tests.project import ENGINES, NO_CONTRACT, Project, send_request, serving
from tests.slices import sampled
from tests.tables import (
    Row,
    bad_tables,
    flowers,
    houses,
    loans,
    write_csv,
    write_excel,
    write_parquet,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def blank(
    workshop: Workshop,
    environment: Path,
    types_cache: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Project:
    """Return a blank project at its first commit, with pandas unless a test sets another engine."""
    engine = getattr(request, "param", "pandas")
    folder = tmp_path / "project"
    render(workshop.template(), folder, {"starter": "blank", "dataframe": engine})
    owners(folder)  # as set-up does
    commit(folder, "first")
    project = Project(folder, environment)
    project.env["MYPY_CACHE_DIR"] = str(types_cache)
    return project


def on(*engines: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("blank", engines, indirect=True)


def in_one_process(project: Project, commands: Sequence[Sequence[str]]) -> list[tuple[int, str]]:
    """Return exit code and error of each command; one process, because imports are slow."""
    output = project.python(
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
    return [(code, complaint) for code, complaint in json.loads(output.splitlines()[-1])]


def check(project: Project) -> None:
    """Run the steps of `poe check`, and the hook of the contracts."""
    project("handoff", "check")
    project("handoff", "contract", "diff")


def metrics(project: Project) -> dict[str, dict[str, float]]:
    text = (project.folder / "reports/metrics.json").read_text(encoding="utf-8")
    measured: dict[str, dict[str, float]] = json.loads(text)
    return measured


def contract(project: Project) -> str:
    return next(project.folder.glob("src/*/contracts/data.py")).read_text(encoding="utf-8")


def test_every_command_reports_the_missing_contract_with_the_same_message(blank: Project) -> None:
    assert "deselected" in blank("pytest").stdout
    commands = [["pipeline"], ["model", "register"], ["contract", "api"], ["serve"], ["monitor"]]
    commands += [["model", "accept"], ["model", "score", "a.parquet", "b.parquet"]]
    assert in_one_process(blank, commands) == [(2, NO_CONTRACT)] * len(commands)


def register_a_candidate(project: Project) -> None:
    """Run all steps from a new contract to a candidate, as a user would."""
    check(project)
    run(["uv", "lock", "--quiet"], project.folder)
    commit(project.folder, "contract")
    project("handoff", "pipeline")
    assert " passed" in project("pytest").stdout
    output = project("handoff", "model", "register").stdout
    assert "version 1 is the candidate" in output
    assert "5 passed" in project("handoff", "model", "accept").stdout


def test_a_csv_with_three_classes_becomes_a_candidate_that_predicts(
    blank: Project, tmp_path: Path
) -> None:
    table = write_csv(tmp_path / "my flowers.csv", flowers(), delimiter=";")
    output = blank("handoff", "contract", "new", str(table), "--target", "class").stdout
    assert "'petal length (cm)' is called petal_length_cm" in output
    assert "'class' is called class_" in output
    register_a_candidate(blank)
    assert metrics(blank)["model"]["accuracy"] > 0.9 > metrics(blank)["constant"]["accuracy"]
    again = blank("handoff", "contract", "new", str(table), "--target", "class", check=False)
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr.startswith("There is a contract already")

    row = {"petal_length_cm": 1.5, "petal_width_cm": 0.3, "season": None}
    request = (blank.folder / "tests/golden/request.json").read_text(encoding="utf-8")
    for address in serving(blank):
        status, answer = send_request(f"{address}/predict", json.loads(request))
        assert (status, len(json.loads(answer)["predictions"])) == (200, 2)
        status, answer = send_request(f"{address}/predict", {"rows": [row]})
        assert status == 200, answer
        (prediction,) = json.loads(answer)["predictions"]
        assert prediction["prediction"] == "setosa"
        assert prediction["probability"] > 0.5
        # The categories of a sample are a draft: they warn.
        status, answer = send_request(f"{address}/predict", {"rows": [row | {"season": "winter"}]})
        assert status == 200, answer
        _, metrics_text = send_request(f"{address}/metrics")
        assert 'handoff_outside_drafts_total{column="season"} 1.0' in metrics_text


@pytest.mark.long
@on("polars")
def test_a_parquet_file_with_a_quantity_is_tested_on_its_future(
    blank: Project, tmp_path: Path
) -> None:
    table = write_parquet(blank, tmp_path / "houses.parquet", houses())
    output = blank("handoff", "contract", "new", str(table), "--target", "price").stdout
    assert "200 rows, 1 of them without a target" in output
    assert "without a time zone are taken as UTC" in output
    register_a_candidate(blank)
    assert metrics(blank)["model"]["r2"] > 0.9 > metrics(blank)["constant"]["r2"]
    blank.python(
        """
        import polars
        rows = polars.read_parquet("data/raw/source.parquet")
        assert rows.height == 199
        rows.drop("price").write_parquet("questions.parquet")
        """
    )
    assert blank(
        "handoff", "model", "score", "questions.parquet", "answered.parquet"
    ).stdout.startswith("199 ")
    assert "only 199 rows" in blank("handoff", "monitor", "--rows", "questions.parquet").stdout
    assert blank.python(
        """
        import polars
        from baton_handoff.config.project import find_project
        train, test = find_project().room("training.split").split()
        assert (len(train), len(test)) == (159, 40)
        assert train["SaleDate"].max() <= test["SaleDate"].min()
        print(polars.read_parquet("answered.parquet")["prediction"].is_finite().all())
        """
    ).startswith("True")


@pytest.mark.long
def test_an_excel_sheet_with_zeros_and_ones_is_a_classification(
    blank: Project, tmp_path: Path
) -> None:
    table = write_excel(tmp_path / "loans.xlsx", loans())
    blank("handoff", "contract", "new", str(table), "--target", "paid")
    assert "income: int = Field(ge=" in contract(blank)
    assert "prediction: int = Field(isin=CLASSES)" in contract(blank)
    register_a_candidate(blank)
    assert metrics(blank)["model"]["accuracy"] > 0.8

    ours = contract(blank).replace("income: ", "# in euros\n    income: ", 1)
    place = next(blank.folder.glob("src/*/contracts/data.py"))
    place.write_text(ours, encoding="utf-8")
    described = blank.folder / "data/sources/source.odcs.yaml"
    described.write_text(described.read_text("utf-8") + "# ours\n", encoding="utf-8")
    again = write_excel(tmp_path / "more loans.xlsx", loans())
    output = blank(
        "handoff", "contract", "new", str(again), "--target=paid", "--task=regression", "--replace"
    ).stdout
    assert "kept, because it differs from the former draft: ModelInput.income\n" in output
    assert "Prediction 1.0.0 → 2.0.0" in output
    check(blank)
    assert "prediction: float\n" in contract(blank)
    assert "    # in euros\n" in contract(blank)
    assert "data/source/more_loans.xlsx" in described.read_text("utf-8")
    assert described.read_text("utf-8").endswith("# ours\n")
    blank("handoff", "pipeline")
    assert metrics(blank)["model"]["r2"] > metrics(blank)["constant"]["r2"]


@pytest.mark.long
@on(*sampled("any names", ENGINES, 1))
def test_unusual_names_and_values_give_code_that_passes_every_check(
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
    blank("handoff", "contract", "new", str(table), "--target", "yes or no")
    check(blank)
    assert " passed" in blank("pytest", "tests").stdout
    blank("handoff", "pipeline")


@pytest.mark.long
@on("polars")
def test_a_second_table_is_joined_and_everything_still_works(
    blank: Project, tmp_path: Path
) -> None:
    table = write_csv(tmp_path / "loans.csv", loans())
    blank("handoff", "contract", "new", str(table), "--target", "paid")
    commit(blank.folder, "contract")
    other = write_csv(
        tmp_path / "regions.csv", [["region", "rate"], ["north", 0.5], ["south", 0.7]]
    )
    join = ("handoff", "contract", "join", str(other), "--on", "region")
    assert blank(*join).stdout.endswith("\nNext: commit, then `uv run poe pipeline`.\n")
    assert "rate: float" in contract(blank)
    again = blank(*join, check=False)
    assert (again.returncode, again.stderr) == (
        2,
        f"data/source/regions.csv exists already: give {other} another name.\n",
    )
    check(blank)
    assert "regions, source" in blank("handoff", "source", "list").stdout
    blank("handoff", "pipeline")
    assert " passed" in blank("pytest", "tests").stdout
    write_csv(
        blank.folder / "data/source/regions.csv",
        [["region", "rate"], ["north", 0.6], ["south", 0.6]],
    )
    assert "Running stage 'ingest'" in blank("handoff", "pipeline").stdout


def test_an_unusable_table_gives_one_error_message_and_changes_nothing(
    blank: Project, tmp_path: Path
) -> None:
    before = files(blank.folder)
    expected = bad_tables(blank, tmp_path)
    commands = [
        ["contract", "new", str(tmp_path / file), "--target", "y", *options]
        for file, *options in expected.values()
    ]
    for sentence, (code, complaint) in zip(expected, in_one_process(blank, commands), strict=True):
        assert (sentence in complaint, code) == (True, 2), (sentence, complaint)
        assert complaint.count("\n") == 1
        assert "Traceback" not in complaint
    after = {path: text for path, text in files(blank.folder).items() if "__pycache__" not in path}
    assert after == before


def test_a_failure_in_the_last_step_is_rolled_back(blank: Project, tmp_path: Path) -> None:
    """DVC refuses to track a file that git already tracks."""
    place = blank.folder / "data/source/loans.csv"
    place.parent.mkdir(parents=True)
    place.write_text("mine\n", encoding="utf-8")
    commit(blank.folder, "mine")
    table = write_csv(tmp_path / "loans.csv", loans())
    done = blank("handoff", "contract", "new", str(table), "--target", "paid", check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("DVC can't keep data/source/loans.csv: output")
    assert git(blank.folder, "status", "--porcelain") == ""


def test_existing_contracts_are_not_replaced(
    workshop: Workshop, environment: Path, tmp_path: Path
) -> None:
    folder = render(workshop.template(), tmp_path / "project", {})
    table = write_csv(tmp_path / "loans.csv", loans())
    command = ["contract", "new", str(table), "--target", "paid", "--replace"]
    ((code, complaint),) = in_one_process(Project(folder, environment), [command])
    assert code == 2
    assert complaint == (
        "flight_delays.contracts did not begin blank: edit its contracts by hand.\n"
    )


def test_ingest_refuses_new_data_with_other_columns_and_names_them(
    blank: Project, tmp_path: Path
) -> None:
    """Data that ingest reads later must match the contract."""
    table = write_csv(tmp_path / "loans.csv", loans())
    blank("handoff", "contract", "new", str(table), "--target", "paid")
    source = blank.folder / "data/source/loans.csv"
    ingest = ["python", "-m", "flight_delays.training.ingest"]

    write_csv(source, [row[1:] for row in loans()])
    done = blank(*ingest, check=False)
    assert done.returncode == 2
    assert done.stderr == "data/source/loans.csv lacks columns of Source: 'income'.\n"

    names, *rows = loans()
    write_csv(source, [names, ["plenty", *rows[0][1:]], *rows[1:]])
    done = blank(*ingest, check=False)
    assert done.returncode == 2
    message = "Column 'income' of data/source/loans.csv is not of type integer: "
    assert done.stderr.startswith(message)
    assert len(done.stderr.splitlines()) == 1
