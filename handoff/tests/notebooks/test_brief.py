"""The brief of a notebook: what its cells do, what can be lifted, which contracts it needs."""

import html
import json
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from baton_handoff.cli import main
from baton_handoff.config.project import Project
from baton_handoff.notebooks.briefing.brief import Brief, brief_of, read_notebook, slowest
from baton_handoff.notebooks.briefing.data_flow import Arrow
from baton_handoff.notebooks.briefing.page import curves, page
from baton_handoff.notebooks.briefing.profile import Profile, profile
from baton_handoff.notebooks.briefing.work_list import CONTRACT, FUNCTION, RUN, work_list
from baton_handoff.notebooks.lift import lift
from baton_handoff.notebooks.target import chosen_cells, target_of
from lifting import Case, lift_project, notebook_of
from trip_project import git
from written_notebooks import notebook, notebook_text


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return lift_project(tmp_path_factory.mktemp("brief") / "trips")


@pytest.fixture(scope="module")
def blank(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same notebooks in a project without contracts."""
    root = tmp_path_factory.mktemp("blank") / "trips"
    shutil.copytree(project.root, root, ignore=shutil.ignore_patterns("contracts", ".git"))
    return replace(project, root=root)


_MADE: dict[tuple[Path, str], Brief] = {}


def brief(project: Project, title: str) -> Brief:
    """The brief of a notebook that no test changes."""
    key = project.root, title
    _MADE[key] = _MADE.get(key) or brief_of(project, read_notebook(project, file_of(title)))
    return _MADE[key]


def file_of(title: str) -> str:
    return notebook_of(Case(title, (1, 1), ""))


class Shape(NamedTuple):
    """A notebook as people write it, and its brief.

    Attributes:
        title: Its title in the corpus.
        roles: What is most important in each cell.
        target: The column that the model learns.
        functions: What can be made of which cells; `by hand` and `not yet` for the others.
        columns: The columns of the features.
    """

    title: str
    roles: str
    target: str
    functions: Sequence[str]
    columns: str = ""


SHAPES = [
    Shape(
        "churn, trained on everything",
        "prints load clean features train train save",
        "Churn",
        (
            "3 clean_customers(df) → df",
            "4 add_customers_features(df) → df, X, y",
            "5-6 by hand(X, y) → clf",
        ),
    ),
    Shape(
        "house prices, clean",
        "imports load features train",
        "price",
        ("3 not yet(houses) → houses", "4 by hand(houses) → "),
        "age area rooms",
    ),
    Shape("colab with drive", "prints prints load save", "", ()),
    Shape(
        "taxi, row loops everywhere",
        "load defines features features features",
        "",
        ("3-4 add_trips_features(trips) → trips", "5 not yet(trips) → trips"),
        "dist night speed tip_share",
    ),
    Shape(
        "sales forecast, by time",
        "features train",
        "units",
        ("1 not yet() → sales", "2 by hand(sales) → "),
        "lag1 price",
    ),
    Shape("copy and paste analysis", "load features features features computes", "", ()),
    Shape(
        "hidden state after deletions",
        "load clean computes features save",
        "",
        ("2 not yet(orders) → clean", "4 not yet(clean) → by_customer"),
    ),
    Shape(
        "titanic, the classic",
        "load features evaluate train",
        "Survived",
        (
            "2 add_train_features(train_df) → train_df",
            "3 by hand(train_df) → features, rf",
            "4 by hand(features, rf, test_df, train_df) → rf, test_df",
        ),
        "Age IsAlone Pclass Sex",
    ),
    Shape(
        "polars, as people write it",
        "load features features",
        "",
        ("2 add_seconds(events) → events, daily",),
        "seconds",
    ),
    Shape("pipeline done right", "train train", "default", ("1-2 by hand() → ",)),
    Shape("half written", "load broken features", "", ("3 not yet(visits) → visits",), "week"),
    Shape("oversampled first", "load train", "fraud", ("2 by hand(X, y) → ",), "amount hour"),
    Shape(
        "prices",
        "load features features features",
        "",
        (
            "2-3 add_sales_features(sales, stores, cheap, first_day) → sales, share, totals",
            "4 add_share(totals, share) → totals",
        ),
        "age band cheap kind share",
    ),
    Shape("secret", "load features looks", "", ("2 not yet(sales) → sales",), "key"),
    Shape("shared", "load features looks", "", ("2 not yet(sales) → sales",), "double"),
    Shape("text features, clean", "load defines train", "", ("3 by hand(reviews) → ",)),
]


@pytest.mark.parametrize("shape", SHAPES, ids=[one.title for one in SHAPES])
def test_a_notebook_as_people_write_it(project: Project, shape: Shape) -> None:
    made = brief(project, shape.title)
    assert " ".join(cell.roles[0] for cell in made.cells) == shape.roles
    assert made.target == shape.target
    functions = [
        f"{one.cells} {one.function or ('not yet' if one.obstacles else 'by hand')}"
        f"({', '.join(one.inputs)}) → {', '.join(one.outputs)}"
        for one in made.candidates
    ]
    assert functions == [*shape.functions]
    features = [table.columns for table in made.tables if table.position == "internal"]
    assert " ".join(name for columns in features for name in columns) == shape.columns
    has_output = any(table.position == "output" for table in made.tables)
    assert has_output == bool(shape.target)


IN_ORDER = ["hidden state, in order", "churn, trained on everything", "prices"]


@pytest.mark.parametrize(
    "title",
    [
        pytest.param(one, marks=[] if one is IN_ORDER[0] else pytest.mark.long, id=one)
        for one in IN_ORDER
    ],
)
def test_every_command_of_a_brief_lifts(
    tmp_path: Path, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after another, each with the brief of the notebook as it then is."""
    project, file = lift_project(tmp_path / "trips"), file_of(title)
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", f"{project.root / 'src'}{os.pathsep}{before}")
    many = 0
    while True:
        candidates = brief_of(project, read_notebook(project, file)).candidates
        one = next((one for one in candidates if one.function), None)
        if one is None:
            break
        target = target_of(project, f"{one.file}:{one.function}")
        made = lift(project, file, chosen_cells(one.cells), target)
        assert (*made.lifted.inputs,) == one.inputs
        assert (*made.lifted.results,) == one.outputs
        git(project.root, "add", "--all")
        git(project.root, "commit", "--quiet", "--message", one.function)
        many += 1
    assert many == 2


NEW = "`uv run handoff contract new notebooks/data/"
CONTRACTS = [
    (
        "churn, trained on everything",
        [f"{NEW}customers.csv --target Churn`"],
    ),
    (
        "prices",
        [
            f"{NEW}sales.csv --target COLUMN`, with the column to predict",
            "`uv run handoff contract join notebooks/data/stores.csv --on store`",
        ],
    ),
]


def commands(project: Project, title: str, check: str) -> list[str]:
    work = work_list(project, brief(project, title))
    return [one.fix for one in work if one.check == check and one.fix.startswith("`uv run")]


@pytest.mark.parametrize(("title", "expected"), CONTRACTS, ids=["target", "join"])
def test_a_source_of_a_blank_project_has_the_command_that_drafts_its_contract(
    blank: Project, title: str, expected: Sequence[str]
) -> None:
    assert commands(blank, title, CONTRACT) == [*expected]


def test_a_project_with_contracts_is_told_what_they_lack(project: Project) -> None:
    assert not commands(project, "prices", CONTRACT)
    work = work_list(project, brief(project, "prices"))
    of_sources = [one.message for one in work if one.check == CONTRACT and one.cell == 1]
    assert [re.findall(r"`(\w+)`", message) for message in of_sources] == [
        ["week", "store", "units", "promo"],
        ["store"],
    ]


SOURCES = [
    ("taxi, row loops everywhere", "lon lat lon2 lat2 hours hour zone tip fare"),
    ("house prices, clean", "area built price rooms sold town"),
    ("sales forecast, by time", "week store units price"),
    ("pickles handed around", "a b y"),
    ("plots only", "bill mass species"),
]


@pytest.mark.parametrize(("title", "columns"), SOURCES, ids=[title for title, _ in SOURCES])
def test_the_columns_that_a_notebook_uses_of_a_source(
    project: Project, title: str, columns: str
) -> None:
    sources = [one for one in brief(project, title).tables if one.position == "source"]
    assert [" ".join(one.columns) for one in sources] == [columns]


def test_columns_belong_to_the_source_of_their_table(project: Project) -> None:
    sources = [one for one in brief(project, "prices").tables if one.position == "source"]
    assert {one.name: " ".join(one.columns) for one in sources} == {
        "data/sales.csv": "week store units price promo",
        "data/stores.csv": "store town",
    }


FLOW = """
import pandas as pd
trips = pd.read_csv("trips.csv")
limit = 3
# %%
def late(t):
    return t["delay"] > limit
# %%
trips["late"] = late(trips)
# %%
print(shares)
# %%
shares = trips["late"].mean()
"""


def test_an_arrow_leads_from_the_last_change_to_the_use(project: Project) -> None:
    made = brief_of(project, notebook(FLOW))
    assert made.arrows == [
        Arrow(1, 3, ("limit", "trips"), helpers=False),
        Arrow(2, 3, ("late",), helpers=True),
        Arrow(5, 4, ("shares",), helpers=False),
        Arrow(3, 5, ("trips",), helpers=False),
    ]


def test_arrows_in_one_lane_do_not_meet() -> None:
    arrows = [Arrow(a, b, ("x",), helpers=False) for a, b in [(1, 2), (1, 4), (2, 3), (4, 2)]]
    drawn, width = curves(arrows)
    assert len({one.path for one in drawn}) == len(arrows)
    lanes = [one.path.partition("H")[2].partition("Q")[0] for one in drawn]
    assert lanes.count(lanes[0]) == 2  # 1 to 2 and 2 to 3
    assert width > 0


def test_the_page_shows_every_cell_and_loads_nothing(project: Project) -> None:
    text = "# <script>alert(1)</script>\nx = 1\n# %%\nimport pandas as pd\nt = pd.read_csv('a.csv')"
    made = brief_of(project, notebook(text), Profile({1: 0.5}, {}))
    shown = page(made, work_list(project, made), "now")
    assert "<script" not in shown
    assert html.escape("<script>alert(1)</script>") in shown
    assert "http" not in shown.replace("http-equiv", "")
    assert shown.count("<li ") == 2
    assert "0.50 s" in shown


RUN_CELLS = """
import time
from pathlib import Path
Path("made.txt").write_text("x")
# %%
time.sleep(0.3)
model = object()
# %%
import trips.contracts
{last}
"""


def run(project: Project, last: str, limit: float = 60) -> Profile:
    file = project.root / "notebooks" / "run.ipynb"
    file.write_text(notebook_text(RUN_CELLS.format(last=last)))
    before = sorted(project.root.rglob("*"))
    made = profile(project, read_notebook(project, "notebooks/run.ipynb"), limit)
    assert sorted(project.root.rglob("*")) == before
    return made


def test_a_run_happens_in_a_copy_and_finds_the_slowest_cell(project: Project) -> None:
    measured = run(project, "assert 'handoff-' in trips.contracts.__file__")
    assert measured.error == ""
    assert measured.unrecordable["model"] == "object"
    made = brief_of(project, read_notebook(project, "notebooks/run.ipynb"), measured)
    assert 2 in slowest(made)
    assert any(one.check == RUN and one.cell == 2 for one in work_list(project, made))


@pytest.mark.parametrize(("last", "limit"), [("1 / 0", 60), ("time.sleep(60)", 6)])
def test_a_run_ends_at_an_error_and_at_the_limit(project: Project, last: str, limit: float) -> None:
    measured = run(project, last, limit)
    assert measured.cell == 3
    assert measured.error


@pytest.fixture
def inside(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)


def test_the_command_reports_findings_and_writes_the_page(
    inside: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "brief.html"
    given = ["notebook", "brief", "notebooks/prices.ipynb", "--format", "json", "--html", str(file)]
    assert main(given) == 0
    found = json.loads(capsys.readouterr().out)
    assert {one["check"] for one in found} == {FUNCTION, CONTRACT}
    assert not any(one["blocks"] for one in found)
    assert "add_sales_features" in file.read_text()


def test_what_is_no_notebook_is_a_usage_error(inside: None) -> None:
    assert main(["notebook", "brief", "handoff.toml"]) == 2
