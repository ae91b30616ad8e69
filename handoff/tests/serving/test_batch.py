"""A file is scored in parts: bad rows are rejected, and an interrupted run is continued."""

import os
import pty
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import narwhals as nw
import pandera.pandas
import pyarrow as pa
import pytest
from filelock import FileLock
from pyarrow import parquet

from baton_handoff.contracts import ContractViolation, Rule, RuleKind, Violation
from baton_handoff.core.errors import HandoffError
from baton_handoff.serving.batch import Scored, rows, score_file
from baton_handoff.serving.batch.keys import duplicate_mask, find_duplicates
from sales import COLUMNS, SCORED, Halves, contracts, halves, sales

PART = 10
"""How many rows a part has here."""


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "CELLS", PART * len(COLUMNS))


one_engine = pytest.mark.parametrize("engine", ["pandas"], indirect=True)
"""For what is outside of any engine, and takes a process of its own."""


class Batch:
    """A folder with a file to score."""

    def __init__(self, engine: str, folder: Path) -> None:
        self.engine = engine
        self.file = folder / "sales.parquet"
        self.to = folder / "scored.parquet"
        self.rejected = folder / "scored.rejected.parquet"

    def write(self, table: pa.Table, **options: Any) -> None:
        parquet.write_table(table, self.file, **options)

    def score(self, version: int = 1) -> Scored:
        loaded = halves(self.engine, version=version)
        return score_file(loaded, *contracts(self.engine), self.file, self.to)

    def refused(self) -> str:
        """What is message where nothing can be scored, and nothing is written then."""
        before = sorted(self.file.parent.iterdir())
        with pytest.raises(HandoffError) as message:
            self.score()
        assert sorted(self.file.parent.iterdir()) == before
        assert message.value.exit_code == 2
        return str(message.value)

    def reasons(self) -> dict[int, str]:
        table = parquet.read_table(self.rejected)
        return dict(
            zip(*(table[name].to_pylist() for name in (rows.ROW, rows.REASON)), strict=True)
        )

    def process(
        self, *options: str | int, errors: int = subprocess.PIPE
    ) -> subprocess.CompletedProcess[str]:
        """Score in a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "sales", self.engine, self.file, self.to, *map(str, options)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            check=False,
        )


@pytest.fixture
def batch(engine: str, tmp_path: Path) -> Batch:
    return Batch(engine, tmp_path)


def changed(table: pa.Table, **cells: dict[int, Any]) -> pa.Table:
    """The table with other values in some cells."""
    for name, values in cells.items():
        column = table[name].to_pylist()
        for row, value in values.items():
            column[row] = value
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, pa.array(column, table.schema.field(name).type))
    return table


@pytest.mark.parametrize("group", [3, 10, 64], ids="{} rows in a group".format)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "dictionaries"])
def test_predictions_are_in_the_order_of_the_rows_in_every_kind_of_file(
    batch: Batch, group: int, packed: bool
) -> None:
    table = sales(64)
    given = table
    if packed:
        for name in ("shop", "code"):
            place = table.schema.get_field_index(name)
            given = given.set_column(place, name, given[name].dictionary_encode())
    batch.write(given, row_group_size=group)
    scored = batch.score()
    answer = parquet.read_table(batch.to)
    assert (scored.rows, scored.rejected, len(answer)) == (64, 0, 64)
    assert answer.schema.equals(SCORED)
    assert answer.select(table.column_names).equals(table)
    assert answer["margin"].to_pylist() == [price / 2 for price in table["price"].to_pylist()]
    assert sorted(batch.file.parent.iterdir()) == [batch.file, batch.to]


def test_pandas_labels_and_empty_columns_do_not_change_types(batch: Batch) -> None:
    table = sales(12)
    for name, kind in {"code": pa.null(), "price": pa.null(), "shop": pa.large_string()}.items():
        values = table[name].cast(kind) if name == "shop" else pa.nulls(12)
        table = table.set_column(table.schema.get_field_index(name), name, values)
    batch.write(table.append_column("__index_level_0__", table["number"]))
    assert batch.score().rows == 12
    assert parquet.read_schema(batch.to).equals(SCORED)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"price": {13: 1000.0}}, "price: must be less than 1000"),
        ({"shop": {13: "Rome"}}, "shop: must be one of Bonn, Ulm"),
        ({"code": {13: "a"}}, "code: must be text that matches ^[A-Z]+$"),
        ({"shop": {13: None}}, "shop: must not be null"),
        ({"number": {13: None}}, "number: must not be null"),
        ({"paid": {13: None}}, "paid: must not be null"),
        (
            {"price": {13: -1.0}, "code": {13: "a"}},
            "code: must be text that matches ^[A-Z]+$; price: must be more than 0",
        ),
    ],
    ids=str,
)
def test_a_row_that_breaks_the_contract_is_rejected_with_the_reason(
    batch: Batch, cells: dict[str, dict[int, Any]], reason: str
) -> None:
    table = changed(sales(25), **cells)
    batch.write(table)
    scored = batch.score()
    assert (scored.rows, scored.rejected, scored.reasons) == (24, 1, {reason: 1})
    assert batch.reasons() == {13: reason}
    rejected = parquet.read_table(batch.rejected)
    assert rejected[rows.FILE].to_pylist() == ["sales.parquet"]
    assert rejected.select(table.column_names).equals(table.slice(13, 1))
    answer = parquet.read_table(batch.to).select(table.column_names)
    assert answer.equals(pa.concat_tables([table.slice(0, 13), table.slice(14)]))


def test_duplicates_are_found_in_the_whole_file(batch: Batch) -> None:
    """All of them are refused, as pandera refuses them in one table; of the bad ones as well."""
    rule = "each combination of number, shop may occur once"
    numbers = {2: 0, 23: 1, 47: 1, 31: 33}
    batch.write(changed(sales(48), number=numbers, price={33: -1.0}))
    batch.score()
    assert batch.reasons() == {
        **dict.fromkeys((0, 1, 2, 23, 31, 47), rule),
        33: f"{rule}; price: must be more than 0",
    }


def test_only_equal_values_are_duplicates_across_parts() -> None:
    values = [
        pa.table({"a": [1, 2, None], "b": [0.0, 1.5, None]}),
        pa.table({"a": [1, 9007199254740993, 5], "b": [-0.0, 1.5, None]}),
        pa.table({"a": [None, 9007199254740992, 2], "b": [None, 1.5, 1.5]}),
    ]
    found = find_duplicates(9, lambda: iter(values))
    assert found.to_pylist() == [0, 1, 2, 3, 6, 8]
    assert duplicate_mask(found, 3, 3).to_pylist() == [True, False, False]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop_columns("paid"), "column 'paid' is missing"),
        (lambda t: t.append_column("mood", t["shop"]), "column 'mood' is not in the contract"),
        (
            lambda t: t.set_column(0, "number", t["number"].cast(pa.float64())),
            "column 'number' must be of type integer",
        ),
    ],
    ids=["missing", "extra", "mistyped"],
)
def test_wrong_columns_are_reported_before_anything_is_written(
    batch: Batch, change: Any, message: str
) -> None:
    batch.write(change(sales(25)))
    assert batch.refused() == f"{batch.file} can't be scored: Sale is violated: {message}."


def test_a_missing_and_an_unreadable_file_are_refused(batch: Batch) -> None:
    assert batch.refused() == f"There is no file {batch.file}."
    batch.file.write_bytes(b"PAR1 and no more")
    assert batch.refused().startswith(f"{batch.file} can't be read as Parquet: ")


def test_the_source_file_is_not_overwritten(batch: Batch) -> None:
    batch.write(sales(3))
    for to in (batch.file, batch.file.with_name("a.parquet")):
        batch.to = to
        batch.file = batch.file.rename(
            to if to == batch.file else to.with_suffix(".rejected.parquet")
        )
        assert batch.refused().endswith("would be overwritten: write to another file.")


def test_without_accepted_rows_the_target_is_an_empty_table(
    batch: Batch,
) -> None:
    for table in (sales(0), changed(sales(12), price=dict.fromkeys(range(12), -1.0))):
        batch.write(table)
        assert (batch.score().rows, parquet.read_schema(batch.to)) == (0, SCORED)
    assert len(batch.reasons()) == 12
    batch.write(sales(12))
    batch.score()
    assert not batch.rejected.exists()  # it was of another run


def test_rows_that_the_model_cannot_answer_are_set_aside(batch: Batch) -> None:
    """Here their predictions break the output contract, or are infinite."""
    batch.write(changed(sales(39), price={4: 600.0, 7: 600.0, 33: 600.0, 5: -1.0, 9: 700.0}))
    scored = batch.score()
    assert (scored.rows, scored.rejected) == (34, 5)
    reason = "the model can't answer it: Margin.margin must be at most 500"
    assert batch.reasons() == {
        **dict.fromkeys((4, 7, 33), reason),
        5: "price: must be more than 0",
        9: "the model can't answer it: it predicts an infinite number",
    }


class Known(pandera.pandas.DataFrameModel):
    """A contract inside the model, which its code applies without this package."""

    price: float = pandera.pandas.Field(ne=999.0, nullable=True)


def inner_contract(table: Any, *, lazy: bool) -> None:
    """The table inside has labels of its own."""
    inner = nw.from_native(table).to_pandas()
    Known.validate(inner.set_index(inner.index[::-1] + 100), lazy=lazy)


class InnerTableIsSorted:
    """A violation inside a model may name the rows of another table, in another order."""

    contract, message = "Features", "must be known"

    def __call__(self, table: Any) -> None:
        prices = sorted(nw.from_native(table)["price"].to_list(), reverse=True)
        if rows := tuple(n for n, price in enumerate(prices) if price == 999.0):
            rule = Rule(RuleKind.CHECK, check="known", message=self.message)
            raise ContractViolation(self.contract, (Violation("age", rule, rows),))


def raises(error: Exception) -> Callable[[Any], None]:
    """Code that fails if one row has a price, as features do."""

    def failing(table: Any) -> None:
        if 999.0 in nw.from_native(table)["price"].to_list():
            raise error

    return failing


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        (InnerTableIsSorted(), "the model can't answer it: Features.age must be known"),
        (
            partial(inner_contract, lazy=True),
            "the model can't answer it: Known.price must be none of 999",
        ),
        (
            partial(inner_contract, lazy=False),
            "the model can't answer it: price must be none of 999",
        ),
        (raises(KeyError("41414")), "the model can't answer it: it fails with KeyError"),
        (raises(ZeroDivisionError()), "the model can't answer it: it fails with ZeroDivisionError"),
    ],
    ids=["a contract inside", "all of pandera's errors", "its first", "a key", "a number"],
)
def test_the_rows_are_found_whatever_the_error_is(
    batch: Batch, monkeypatch: pytest.MonkeyPatch, inside: Callable[[Any], None], reason: str
) -> None:
    predict = Halves.predict

    def with_features(self: Halves, table: Any, /) -> Any:
        inside(table)
        return predict(self, table)

    monkeypatch.setattr(Halves, "predict", with_features)
    batch.write(changed(sales(29), price={3: 999.0, 17: 999.0, 18: 999.0}))
    assert (batch.score().rows, batch.reasons()) == (26, dict.fromkeys((3, 17, 18), reason))


def test_a_model_that_answers_nothing_stops_the_run(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch.write(changed(sales(9), price=dict.fromkeys(range(9), 600.0)))
    act = "The side that is responsible for the model has to act: data-science."
    refused = batch.refused()
    assert refused.startswith("Rows 0 to 8 meet Sale, but Margin is violated: column 'margin' must")
    assert refused.endswith(act)
    monkeypatch.setattr(Halves, "predict", broken := Mock())
    broken.side_effect = ValueError("41414")
    refused = batch.refused()
    assert re.fullmatch(
        rf"Rows 0 to 8 meet Sale, but the model fails with ValueError \(\w+\.py:\d+\)\. {act}",
        refused,
    )


def test_a_violation_without_rows_stops_the_run(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    violation = Violation("price", Rule(RuleKind.CHECK, message="has a mean below 5"))
    monkeypatch.setattr(Halves, "predict", broken := Mock())
    broken.side_effect = ContractViolation("Sale", (violation,))
    batch.write(sales(9))
    assert batch.refused() == (
        "Rows 0 to 8 break a rule about the table as a whole, so no row can be rejected for it:"
        " price: has a mean below 5."
    )


@one_engine
def test_a_killed_run_is_continued_with_the_same_result(
    batch: Batch, capsys: pytest.CaptureFixture[str]
) -> None:
    batch.write(changed(sales(65), price={3: -1.0, 62: -1.0}))
    batch.score()
    in_one_run = [file.read_bytes() for file in (batch.to, batch.rejected)]
    for file in (batch.to, batch.rejected):
        file.unlink()
    assert batch.process("--part", PART, "--die", 2).returncode == -signal.SIGKILL
    assert not batch.to.exists()
    assert capsys.readouterr().err == ""
    batch.score()
    assert capsys.readouterr().err == (
        f"{batch.to}: continuing after 2 of 7 parts of an interrupted run.\n"
    )
    assert [file.read_bytes() for file in (batch.to, batch.rejected)] == in_one_run
    assert sorted(batch.file.parent.iterdir()) == [batch.file, batch.to, batch.rejected]


@one_engine
def test_a_full_disk_leaves_no_target_and_the_next_run_continues(
    batch: Batch, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Simulated: no file may grow beyond what the first two parts need."""
    part = 10_000
    batch.write(sales(7 * part, random_from=2 * part))
    full = batch.process("--part", part, "--largest", 200_000)
    assert (full.returncode, full.stdout) == (2, "")
    assert full.stderr == (
        f"{batch.to} is not written: File too large."
        " 2 of 7 parts are kept: run the command again to continue.\n"
    )
    assert not batch.to.exists()
    assert list(batch.file.parent.rglob("*.unfinished")) == []
    monkeypatch.setattr(rows, "CELLS", part * len(COLUMNS))
    batch.score()
    assert "continuing after 2 of 7 parts" in capsys.readouterr().err
    given, scored = (parquet.read_table(file) for file in (batch.file, batch.to))
    assert scored.select(given.column_names).equals(given)


def test_parts_of_a_different_run_are_not_used(
    batch: Batch, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    batch.write(sales(35))
    predict, calls = Halves.predict, iter(range(100))

    def interrupted(self: Halves, table: Any, /) -> Any:
        if next(calls) % 3 == 2:
            raise KeyboardInterrupt
        return predict(self, table)

    monkeypatch.setattr(Halves, "predict", interrupted)
    kept = "2 of 4 parts are kept: run the command again to continue."
    anew = f"{batch.to}: starting anew, the interrupted run had another"
    for version, rows_, message in (
        (1, 35, ""),
        (2, 35, f"{anew} model.\n"),
        (2, 36, f"{anew} file.\n"),
    ):
        batch.write(sales(rows_))
        with pytest.raises(HandoffError) as stopped:
            batch.score(version)
        assert str(stopped.value) == f"{batch.to} is not written: interrupted. {kept}"
        assert capsys.readouterr().err == message
    monkeypatch.undo()
    monkeypatch.setattr(rows, "CELLS", PART * len(COLUMNS))
    assert batch.score(2).rows == 36
    assert "continuing after 2 of 4 parts" in capsys.readouterr().err


def test_two_runs_cannot_write_the_same_target(batch: Batch) -> None:
    batch.write(sales(5))
    parts = batch.to.with_name(".scored.parquet.parts")
    parts.mkdir()
    with FileLock(parts / "lock"):
        assert batch.refused().startswith(f"Another run is writing {batch.to}: ")
    assert batch.score().rows == 5


@one_engine
def test_memory_does_not_grow_with_the_file(batch: Batch) -> None:
    """One row group, so that a reader who takes it whole would need all of it."""
    needed, held = [], []
    for count in (150_000, 3_000_000):  # far apart: what a process happens to hold varies, too
        table = sales(count)
        batch.write(table, row_group_size=count)
        held.append(table.nbytes)
        needed.append(int(batch.process("--part", 50_000).stdout.split()[-1]))
    assert needed[1] - needed[0] < (held[1] - held[0]) / 4


@one_engine
def test_progress_is_shown_only_on_a_terminal(
    batch: Batch, capsys: pytest.CaptureFixture[str]
) -> None:
    batch.write(sales(100))
    batch.score()
    assert capsys.readouterr().err == ""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    batch.process(errors=theirs)
    os.close(theirs)
    assert "100/100" in os.read(ours, 10_000).decode()
    os.close(ours)
