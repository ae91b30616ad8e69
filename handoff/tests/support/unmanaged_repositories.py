"""Three repositories that Baton has not made, grown in three ways, and one that is hostile."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from trip_project import git


def notebook(
    *cells: str, printed: str = "", ran: tuple[int, ...] = (), stopped: bool = False
) -> str:
    """A notebook: what its cells say, what the last one has printed, in which order they ran."""
    kind = "error" if stopped else "stream"
    outputs = [{"output_type": kind, "text": [printed]}] if printed or stopped else []
    return json.dumps(
        {
            "cells": [
                {"cell_type": "markdown", "source": ["# Look"]},
                *(
                    {
                        "cell_type": "code",
                        "execution_count": (*ran, *[None] * len(cells))[place],
                        "outputs": outputs if place == len(cells) - 1 else [],
                        "source": cell.splitlines(keepends=True),
                    }
                    for place, cell in enumerate(cells)
                ),
            ],
            "metadata": {"kernelspec": {"language": "python"}},
            "nbformat": 4,
        }
    )


FLAT: Mapping[str, str] = {
    "README.md": "# Churn\n\nFirst `prepare.py`, then `train.py`.\n",
    "requirements.txt": "pandas\nscikit-learn>=1.2\nlightgbm==4.3.0\njupyter\n",
    "01_look.ipynb": notebook(
        "import pandas as pd\ndf = pd.read_excel('Customers Q3 (final).xlsx')",
        "%matplotlib inline\ndf.head()",
        printed="Ada Lovelace  1815",
        ran=(4, 2),
    ),
    "02_model.ipynb": notebook(
        "import pandas as pd\nimport sqlalchemy as sa",
        "engine = sa.create_engine('postgresql://churn:s3cr3t-word@db.corp/prod')\n"
        "df = pd.read_sql_table('customers', engine)",
    ),
    "prepare.py": """\
import sys

import pandas as pd

sys.path.append("..")

API_KEY = "9f8e7d6c5b4a39281706"


def clean(df):
    return df.dropna()


def add_tenure(df, today):
    df["tenure"] = (today - df["since"]).dt.days
    return df


df = clean(pd.read_csv("C:/Users/bob/Desktop/customers.csv", sep=";"))
df.to_parquet("clean.parquet")
""",
    "train.py": """\
import pandas as pd
from sklearn.linear_model import LogisticRegression

df = pd.read_parquet("clean.parquet")
model = LogisticRegression().fit(df[["tenure"]], df["churned"])
""",
    "old_train.py": 'print "accuracy:", 0.81\n',
}
"""Scripts and notebooks in one folder, no git, no test."""

COOKIECUTTER: Mapping[str, str] = {
    ".gitignore": "/data/\n",
    "Makefile": "data: requirements\n\tpython src/data/make_dataset.py data/raw data/processed\n",
    "README.md": "# Energy of houses\n",
    "docs/conf.py": "project = 'energy'\n",
    "notebooks/1.0-jd-first-look.ipynb": notebook(
        "import pandas as pd", "pd.read_csv('../data/raw/houses.csv').describe()", ran=(1, 2)
    ),
    "notebooks/1.1-jd-model.ipynb": notebook("1 / 0", stopped=True, ran=(1,)),
    "notebooks/old.ipynb": '{"worksheets": []}',
    "requirements.txt": "-e .\nclick==8.1.7\npandas==2.2.2\nscikit-learn==1.5.1\n",
    "requirements-dev.txt": "flake8==7.1.0\nSphinx==7.4.7\n",
    "setup.py": """\
from setuptools import find_packages, setup

setup(name="src", packages=find_packages(), version="0.1.0", author="Jo")
""",
    "src/__init__.py": "",
    "src/data/__init__.py": "",
    "src/data/make_dataset.py": '''\
"""Turn raw data into what models are built from."""

import logging
from pathlib import Path

import click
import pandas as pd

RAW = Path("data") / "raw"


@click.command()
@click.argument("output_filepath", type=click.Path())
def main(output_filepath: str) -> None:
    logging.getLogger(__name__).info("making the final data set")
    houses = pd.read_csv(RAW / "houses.csv")
    weather = pd.read_html("https://example.org/weather.html")[0]
    houses.merge(weather).to_csv(output_filepath)
''',
    "src/features/build_features.py": "def build(df):\n    return df.assign(age=df.year)\n",
    "src/models/train_model.py": """\
import joblib
import pandas as pd
from sklearn.ensemble import RandomForestRegressor


def train(path: str, out: str):
    df = pd.read_csv(path)
    joblib.dump(RandomForestRegressor().fit(df, df.pop("energy")), out)


train("data/processed/houses.csv", "models/model.pkl")
""",
    "test_environment.py": "import sys\n\n\ndef main():\n    assert sys.version_info > (3,)\n",
    "tox.ini": "[flake8]\nmax-line-length = 79\n",
}
"""The folders of cookiecutter-data-science, in git; data is ignored, and there is no CI."""

PACKAGE: Mapping[str, str] = {
    ".github/workflows/ci.yml": """\
on: [push]
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: uv sync
      - run: uv run ruff check .
      - run: uv run pytest
""",
    ".pre-commit-config.yaml": """\
repos:
  - repo: https://example.org/ruff-pre-commit
    rev: v0.6.0
    hooks: [{id: ruff}, {id: ruff-format}]
""",
    "README.md": "# Demand\n",
    "dvc.yaml": """\
stages:
  train:
    cmd: python -m demand.train
    deps: [data/orders.parquet]
    outs: [models/demand.joblib]
""",
    "infra/main.tf": """\
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.100" }
  }
}

resource "aws_s3_bucket" "models" {}
""",
    "notebooks/look.ipynb": notebook("import demand", ran=(1,)),
    "pyproject.toml": """\
[project]
name = "demand"
version = "1.2.0"
dependencies = ["fastapi", "joblib", "pandas", "pandera", "prometheus-client", "scikit-learn"]

[dependency-groups]
dev = ["hypothesis", "mypy", "pytest", "ruff"]

[tool.mypy]
strict = true
""",
    "src/demand/__init__.py": "",
    "src/demand/app.py": '''\
"""The service."""

import joblib
from fastapi import FastAPI
from prometheus_client import Counter
from pydantic import BaseModel

app = FastAPI()
asked = Counter("asked", "How often it was asked.")


class Order(BaseModel):
    shop: str
    day: str


@app.post("/demand")
def demand(order: Order) -> float:
    asked.inc()
    return float(joblib.load("models/demand.joblib").predict([[order.shop]])[0])
''',
    "src/demand/schema.py": '''\
"""What orders look like."""

import pandera.pandas as pa
from pandera.typing import Series


class Orders(pa.DataFrameModel):
    shop: Series[str]
    number: Series[int] = pa.Field(ge=0)
''',
    "src/demand/train.py": '''\
"""Training."""

import joblib
import pandas as pd
from pandera.typing import DataFrame
from sklearn.linear_model import Ridge

from demand.schema import Orders


def read(path: str = "data/orders.parquet") -> DataFrame[Orders]:
    return Orders.validate(pd.read_parquet(path))


def main() -> None:
    joblib.dump(Ridge().fit(read(), read()), "models/demand.joblib")
''',
    "tests/test_schema.py": """\
import pandas as pd
from hypothesis import given, strategies as st

from demand.schema import Orders


@given(st.integers(min_value=0, max_value=9))
def test_orders_have_a_number(number: int) -> None:
    Orders.validate(pd.DataFrame({"shop": ["a"], "number": [number]}))


def test_nothing() -> None:
    assert Orders
""",
    "uv.lock": """\
version = 1

[[package]]
name = "demand"
version = "1.2.0"

[package.metadata]
requires-dist = [
    { name = "fastapi" }, { name = "joblib" }, { name = "pandas" }, { name = "pandera" },
    { name = "prometheus-client" }, { name = "scikit-learn" },
]

[package.metadata.requires-dev]
dev = [{ name = "hypothesis" }, { name = "mypy" }, { name = "pytest" }, { name = "ruff" }]
""",
}
"""A package below src/, in git, with types, tests, CI and a service."""

SHAPES: Mapping[str, Mapping[str, str]] = {
    "flat": FLAT,
    "cookiecutter": COOKIECUTTER,
    "package": PACKAGE,
}


def foreign(root: Path, shape: str) -> Path:
    """Write one of them, the flat one without git."""
    _written(root, SHAPES[shape])
    if shape != "flat":
        _committed(root)
    return root


def hostile(root: Path, *, in_git: bool) -> Path:
    """Write one in which nothing is what its name says."""
    _written(
        root,
        {
            ".circleci/config.yml": "- 1\n- {a: [",
            ".github/workflows/ci.yml": "7",
            ".pre-commit-config.yaml": "- repos",
            "Pipfile": "= 1",
            "data/sources/a.odcs.yaml": "kind: [",
            "dvc.yaml": "[]",
            "environment.yml": "dependencies: {python: 3}",
            "list.ipynb": "[1, 2]",
            "null.ipynb": '{"cells": null}',
            "odd.ipynb": '{"cells": [{"cell_type": "code"}, 7]}',
            "pyproject.toml": "[project\nname = ",
            "python2.py": "print 'x'\nexec 'y'\n",
            "requirements.txt": "\0\n-r missing.txt\ngit+https://example.org/x\n=\n",
            "tabs.py": "if 1:\n\tx = 1\n        y = 2\n",
            "uv.lock": "package = 3",
            "deep.py": "x = " + "+".join(["1"] * 20_000) + "\n",
            "nested.py": "x = " + "(" * 400 + ")" * 400 + "\n",
            "read.py": "import pandas as pd\npd.read_csv(" + " + ".join(["a"] * 900) + ")\n",
            "sub/.gitmodules": "",
        },
    )
    (root / "latin.py").write_bytes("name = 'Zoë'\n".encode("latin-1"))
    (root / "declared.py").write_bytes("# coding: latin-1\nname = 'Zoë'\n".encode("latin-1"))
    (root / "encoding.py").write_bytes(b"# coding: no-such-thing\n")
    (root / "null.py").write_bytes(b"x = 1\0\n")
    (root / "utf16.ipynb").write_text('{"cells": []}', encoding="utf-16")
    (root / "large.py").write_bytes(b"x = 1\n" * 2_000_000)
    (root / "table.csv").write_bytes(b"1,2,3\n" * 300_000)
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "itself.py").symlink_to(root / "itself.py")
    (root / "nowhere.ipynb").symlink_to(root / "not-there")
    (root / "outside.py").symlink_to("/etc/hostname")
    (root / "folder.py").mkdir()
    (root / "folder.py/in.py").write_text("x = 1\n")
    os.mkfifo(root / "pipe.py")
    (root / "-x; rm.py").write_text("x = 1\n")
    (root / "new\nline\033[31m.py").write_text("PASSWORD = 'abcdefgh'\n")
    if in_git:
        _committed(root)
    return root


def _written(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def _committed(root: Path) -> None:
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "grown")
