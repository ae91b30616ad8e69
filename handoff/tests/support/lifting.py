"""Notebooks of the corpus in a project with data, for lifts."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from baton_handoff.config.project import Project
from baton_handoff.notebooks.lift import Lift, lift
from baton_handoff.notebooks.target import target_of
from trip_project import git, trip_project
from written_notebooks import notebook_text

CORPUS = Path(__file__).parents[1] / "notebooks" / "corpus.txt"
MARKER = "ZQXJ"
"""A text in every table of the data, which must not reach git."""


class Case(NamedTuple):
    """Cells to be lifted.

    Attributes:
        notebook: The title of a notebook in the corpus, or below.
        cells: The first and the last cell.
        function: The name of the function.
        equivalent: The mutants that compute the same as the function.
    """

    notebook: str
    cells: tuple[int, int]
    function: str
    equivalent: frozenset[str] = frozenset()


OWN = {
    "prices": """
import pandas as pd
import datetime
sales = pd.read_csv('data/sales.csv', parse_dates=['week'])
stores = pd.read_csv('data/stores.csv')
LIMIT = 40
STEPS = {1: 'low', 2: 'high'}
cheap = 5
first_day = sales['week'].min()
# %%
def banded(price):
    return 'big' if price > LIMIT else 'small'

sales = sales.merge(stores, on='store', how='left')
sales['band'] = sales['price'].map(banded)
sales['cheap'] = sales['price'] <= cheap
sales['kind'] = sales['promo'].map(lambda p: STEPS[p + 1])
# weeks since the first
sales['age'] = (sales['week'] - first_day).dt.days // 7
sales.head()
# %%
totals = sales.groupby(['town', 'band'])['units'].sum().reset_index()
share = float((sales['units'] > 10).mean())
print(LIMIT, share)
# %%
totals['share'] = totals['units'] / totals['units'].sum() * share
""",
    "secret": """
import pandas as pd
sales = pd.read_csv('data/sales.csv')
# %%
password = 'Winter2024x'
sales['key'] = sales['store'] + password
# %%
sales
""",
    "shared": """
import pandas as pd
sales = pd.read_csv('data/sales.csv')
kept = sales
# %%
sales['double'] = sales['units'] * 2
# %%
kept
""",
    "model": """
import pandas as pd
from sklearn.linear_model import LinearRegression
sales = pd.read_csv('data/sales.csv')
model = LinearRegression()
# %%
model.fit(sales[['price']], sales['units'])
# %%
model.coef_
""",
    "noise": """
import numpy as np
import pandas as pd
sales = pd.read_csv('data/sales.csv')
# %%
sales['noise'] = np.random.normal(0, 1, len(sales))
sales['twice'] = sales['units'] * 2
# %%
sales
""",
}
"""Notebooks for what the corpus does not have."""

CASES = [
    Case(
        "taxi, row loops everywhere",
        (3, 4),
        "add_night",
        frozenset({"without `trips['speed'] = 0.0`", "0.0 + 1"}),  # overwritten in each row
    ),
    Case("polars, as people write it", (2, 2), "daily_seconds"),
    Case("prices", (2, 3), "banded_sales"),
    Case("titanic, the classic", (2, 2), "add_title"),
    Case(
        "churn, trained on everything",
        (3, 3),
        "clean_charges",
        frozenset({"other truth value"}),  # `inplace=True` of a chained call changes nothing
    ),
    Case("sales forecast, shuffled", (2, 2), "add_lag"),
    Case("hidden state, in order", (2, 3), "top_customers"),
    Case("a target kept by mistake, in cells", (2, 2), "with_distance"),
]


def lift_project(root: Path) -> Project:
    """A project with the notebooks and their data, committed; the data is ignored by git."""
    project = trip_project(root, "pandas")
    folder = root / "notebooks"
    (folder / "data").mkdir(parents=True)
    (root / ".gitignore").write_text("data/\n.handoff/\n__pycache__/\n")
    for title, text in _notebooks().items():
        (folder / f"{_file_name(title)}.ipynb").write_text(notebook_text(text))
    for name, table in tables().items():
        file = folder / "data" / name
        table.to_parquet(file) if file.suffix == ".parquet" else table.to_csv(file, index=False)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "notebooks")
    return project


def notebook_of(case: Case) -> str:
    """The notebook of a case, relative to the project."""
    return f"notebooks/{_file_name(case.notebook)}.ipynb"


def lifted(project: Project, case: Case) -> Lift:
    """Lift a case; the change is not committed."""
    target = target_of(project, f"features/{case.function}.py:{case.function}")
    return lift(project, notebook_of(case), case.cells, target)


def _file_name(title: str) -> str:
    return re.sub(r"\W+", "_", title)


def _notebooks() -> dict[str, str]:
    texts = dict(OWN)
    for section in CORPUS.read_text(encoding="utf-8").split("=== ")[1:]:
        title, _, text = section.partition("\n")
        text = re.sub(r"  # <- .*", "", text).replace("/home/lena/projects/churn/", "")
        texts[title] = text.replace("../input/titanic/", "data/")
    hidden = texts["hidden state after deletions"].split("# %%\n")
    first, clean, top, grouped, _ = hidden
    parts = [first, f"THRESHOLD = 50\n{clean}", grouped, top]
    texts["hidden state, in order"] = "# %%\n".join(parts)
    late = texts["a target kept by mistake"].split("flights = flights[")
    texts["a target kept by mistake, in cells"] = (
        f"{late[0]}# %%\nflights = flights[{late[1]}".replace("X_train", "# %%\nX_train", 1)
    )
    return texts


def tables(rows: int = 300) -> Mapping[str, pd.DataFrame]:
    """The data of the notebooks by file."""
    random = np.random.default_rng(7)

    def column(
        low: float, high: float, digits: int = 2
    ) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        return np.round(random.uniform(low, high, rows), digits)

    def one_of(*values: object) -> Callable[[], object]:
        return lambda: random.choice(np.array(values, dtype=object), rows)

    start = pd.Timestamp("2024-01-01")
    names = [f"{MARKER}{n}, {'Mr' if n % 2 else 'Mrs'}. Someone" for n in range(rows)]
    stores = [f"{MARKER}{n}" for n in range(12)]
    charges = pd.Series(column(10, 900)).astype(str).where(random.random(rows) > 0.1, " ")
    return {
        "trips.parquet": pd.DataFrame(
            {
                "lon": column(-74, -73, 4),
                "lat": column(40, 41, 4),
                "lon2": column(-74, -73, 4),
                "lat2": column(40, 41, 4),
                "hours": column(0.1, 2),
                "hour": random.integers(0, 24, rows),
                "zone": one_of(f" {MARKER}a ", f"{MARKER}b")(),
                "tip": column(0, 9),
                "fare": column(3, 90),
            }
        ),
        "events.parquet": pd.DataFrame(
            {
                "start": start + pd.to_timedelta(random.integers(0, 10**6, rows), unit="s"),
                "end": start + pd.to_timedelta(random.integers(10**6, 2 * 10**6, rows), unit="s"),
                "day": random.integers(1, 8, rows),
                "user": one_of(f"{MARKER}A", f"{MARKER}B")(),
                "kind": one_of("view", "buy")(),
            }
        ),
        "sales.csv": pd.DataFrame(
            {
                "week": start + pd.to_timedelta(7 * random.integers(0, 60, rows), unit="D"),
                "store": one_of(*stores)(),
                "units": random.integers(0, 30, rows),
                "price": column(1, 99),
                "promo": random.integers(0, 2, rows),
            }
        ),
        "stores.csv": pd.DataFrame(
            {"store": stores, "town": [f"{MARKER} town {n % 3}" for n in range(12)]}
        ),
        "train.csv": pd.DataFrame(
            {
                "PassengerId": np.arange(rows),
                "Name": names,
                "Age": np.where(random.random(rows) < 0.2, np.nan, column(1, 80, 0)),
                "Sex": one_of("male", "female")(),
                "Pclass": random.integers(1, 4, rows),
                "SibSp": random.integers(0, 4, rows),
                "Parch": random.integers(0, 3, rows),
                "Survived": random.integers(0, 2, rows),
            }
        ),
        "test.csv": pd.DataFrame({"PassengerId": np.arange(5), "Name": names[:5]}),
        "customers.csv": pd.DataFrame(
            {
                "customerID": names,
                "TotalCharges": charges,
                "Churn": one_of("Yes", "No")(),
                "Contract": one_of("month", "year")(),
                "PaymentMethod": one_of("card", "bank")(),
            }
        ),
        "orders.csv": pd.DataFrame({"customer": one_of(*stores)(), "total": column(1, 200)}),
        "flights.parquet": pd.DataFrame(
            {
                "distance": random.integers(-20, 900, rows),
                "hour": random.integers(0, 24, rows),
                "late": random.integers(0, 2, rows),
                "carrier": one_of(f"{MARKER}1", f"{MARKER}2")(),
            }
        ),
    }
