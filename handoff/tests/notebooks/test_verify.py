"""A changed notebook is compared with what it computed before."""

import pandas as pd
import polars as pl
import pytest

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.notebooks.plain_tables import TableDifference, as_table, digest, first_difference
from baton_handoff.notebooks.verify import compare, findings
from lifting import CASES, lift_project, lifted, notebook_of
from trip_project import git

ROWS = 300_000


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return lift_project(tmp_path_factory.mktemp("verify") / "trips")


def test_one_changed_value_in_300_000_rows_is_found() -> None:
    before = pd.DataFrame({"a": range(ROWS), "b": [0.5] * ROWS})
    after = before.copy()
    after.loc[ROWS - 7, "b"] = 0.5000001
    found = first_difference(as_table(before), as_table(after))
    assert found == TableDifference("b", ROWS - 7, 0.5, 0.5000001)
    assert digest(as_table(before)) != digest(as_table(after))


TABLES = [
    pd.DataFrame({"a": [1, 2], "b": [1.5, None], "c": ["x", None], "d": ["2024-01-01", None]}),
    pd.DataFrame({"a": [1, 2], "b": [0.1 + 0.2, 3.0], "c": ["x", "y"], "d": ["2024-01-01"] * 2}),
]


@pytest.mark.parametrize("table", TABLES, ids=["missing", "full"])
def test_the_same_table_of_either_engine_is_equal(table: pd.DataFrame) -> None:
    table = table.assign(d=pd.to_datetime(table["d"]), e=table["c"].astype("category"))
    other = pl.from_pandas(table)
    assert first_difference(as_table(table), as_table(other)) is None
    assert first_difference(as_table(table), as_table(other.lazy())) is None


def test_what_differs_is_named() -> None:
    table = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    less = table.head(1)
    assert first_difference(as_table(table), as_table(less)) == TableDifference("", None, 2, 1)
    renamed = table.rename(columns={"b": "c"})
    assert first_difference(as_table(table), as_table(renamed)) == TableDifference(
        "b", None, "", None
    )
    indexed = table.set_index("b")
    assert first_difference(as_table(table), as_table(indexed)) is None


def test_a_lift_is_equal_and_a_later_change_is_found_also_after_its_commit(
    project: Project,
) -> None:
    case = CASES[1]
    made = lifted(project, case)
    equal = compare(project, notebook_of(case))
    assert (equal.base, equal.different) == ("HEAD", {})
    assert {"events", "daily"} <= {*equal.equal}
    file = project.root / made.lifted.target.file
    file.write_text(file.read_text().replace('alias("seconds")', 'alias("seconds") + 1'))
    changed = compare(project, notebook_of(case))
    assert changed.different["events"].column == "seconds"
    assert changed.different["events"].row == 0
    (finding, *_) = findings(project, notebook_of(case), changed)
    assert finding.blocks
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "--message", "lifted and changed")
    assert "events" in compare(project, notebook_of(case)).different


def test_a_notebook_without_an_earlier_version_is_refused(project: Project) -> None:
    with pytest.raises(HandoffError):
        compare(project, notebook_of(CASES[0]))
