"""A contract is drafted from a table that code reads, and the table in git is compared with it."""

import sys
from pathlib import Path

import pytest

from baton_handoff.config.project import Project
from baton_handoff.integrations.adoption.first_contract import (
    draft_first_contract,
    with_contract,
)
from baton_handoff.lineage.sources.tables import table_findings
from trip_project import git

ENGINE = """\
from typing import Annotated

import pandas as pd
from pandera.pandas import DataFrameModel, Field

BACKEND = "pandas"
Utc = Annotated[pd.DatetimeTZDtype, "us", "UTC"]
"""
HEAD = "Order Nr;day;class;weight\n"
ROWS = "1;2024-03-01;a;1,5\n2;2024-03-02;b;2,5\n3;2024-03-03;;3,5\n"
INIT = 'from .model import Model\n\n__all__ = [\n    "Model",\n]\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A repository with the contract that is drafted from the table that it reads most."""
    files = {
        "data/raw/orders-2024.csv": HEAD + ROWS,
        "data/raw/other.csv": "a\n1\n",
        "prep.py": "import pandas as pd\n\npd.read_csv('data/raw/orders-2024.csv', sep=';')\n",
        "sub/more.py": "import pandas as pd\n\npd.read_csv('../data/raw/orders-2024.csv')\n"
        "pd.read_csv('data/raw/other.csv')\npd.read_csv('data/raw/gone.csv')\n",
        "src/shop_orders/__init__.py": "",
        "src/shop_orders/contracts/engine.py": ENGINE,
        "src/shop_orders/contracts/model.py": "Model = 1\n",
        "src/shop_orders/contracts/__init__.py": INIT,
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    first = draft_first_contract(tmp_path, "shop_orders")
    assert first is not None
    assert (first.table, first.name, first.columns) == (
        "data/raw/orders-2024.csv",
        "Orders2024",
        4,
    )
    assert first.read_at == ["prep.py:3", "sub/more.py:3"]
    texts = {**first.texts, "src/shop_orders/contracts/__init__.py": with_contract(INIT, first)}
    for path, text in texts.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    for name in [one for one in sys.modules if one.startswith("shop_orders")]:
        monkeypatch.delitem(sys.modules, name)
    return Project(root=tmp_path, package="shop_orders", model="m", alias="candidate", level=0)


def test_a_table_meets_the_contract_that_was_drafted_from_it(project: Project) -> None:
    assert list(table_findings(project)) == []


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (HEAD + ROWS.replace("2;2024", "x;2024"), "'Order Nr' of data/raw/orders-2024.csv is not"),
        (HEAD.replace("weight", "mass") + ROWS, "has columns that Orders2024 lacks: 'mass'"),
        ("Order Nr;day;class\n1;2024-03-01;a\n2;2024-03-02;b\n3;2024-03-03;\n", "'weight'"),
        (HEAD + ROWS.replace("2024-03-02", ""), "day"),
    ],
    ids=["a text", "a new column", "a missing column", "a missing value"],
)
def test_a_table_that_breaks_its_contract_is_named(project: Project, table: str, said: str) -> None:
    file = project.root / "data/raw/orders-2024.csv"
    file.write_text(table, encoding="utf-8")
    (found,) = table_findings(project)
    assert said in found.message
    assert (found.file, found.blocks) == ("data/raw/orders-2024.csv", False)
    # Only what git has: the rest is checked where it is read.
    git(project.root, "rm", "--force", "--quiet", "--cached", str(file))
    assert list(table_findings(project)) == []
