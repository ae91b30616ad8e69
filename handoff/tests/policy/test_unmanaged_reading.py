"""What people have in their repositories is read, and nothing is said that the files contradict."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from baton_handoff.core.yaml_files import read_yaml
from baton_handoff.policy.checks.check_context import CheckContext
from baton_handoff.policy.evidence.store import EvidenceStore
from baton_handoff.policy.practices.assessment import Assessment, PracticeResult, State
from baton_handoff.policy.practices.registry import shipped
from baton_handoff.policy.status.status import assess
from baton_handoff.policy.unmanaged.assess import READ_CHECKS
from baton_handoff.policy.unmanaged.loads import usage
from baton_handoff.policy.unmanaged.repository import find_repository
from kept_project import TODAY
from trip_project import git
from unmanaged_repositories import notebook

MET, NOT, HIDDEN, NONE = State.MET, State.NOT_MET, State.NOT_SHOWN, State.NOT_APPLICABLE

PYDANTIC = {
    "schemas.py": "from pydantic import BaseModel\n\nclass House(BaseModel):\n    rooms: int\n",
    "api.py": "from fastapi import FastAPI\nfrom schemas import House\n\napp = FastAPI()\n\n"
    "@app.post('/predict')\ndef predict(house: House) -> float:\n    return 1.0\n",
    "train.py": "import pandas as pd\nfrom sklearn.linear_model import Ridge\n\n"
    "model = Ridge()\nmodel.fit(pd.read_csv('houses.csv')[['rooms']], [1])\n",
}
TEST_HOOKS = """repos:
- repo: https://github.com/psf/black
  hooks: [{id: black}]
- repo: local
  hooks: [{id: tests, entry: pytest, pass_filenames: false}]
"""
CIRCLE = 'jobs: {b: {steps: [{run: {command: "ruff check .\\npytest"}}]}}\n'
AZURE = 'steps: [{script: "flake8 .\\npytest"}]\n'
PACKAGED = {"a.py": "def f(x):\n    return x\n", "pyproject.toml": "[tool.ty.rules]\n"}

CASES: list[tuple[Mapping[str, str], str, State, str]] = [
    (
        {"src/requirements.txt": "pandas\n", "src/a.py": ""},
        "lock-current",
        NOT,
        "1 of 1 listed packages",
    ),
    ({"app/Pipfile": "[packages]\nx = '*'\n"}, "lock-current", NOT, "1 of 1 listed packages"),
    ({"ml/conda.yml": "dependencies: [x]\n"}, "lock-current", NOT, "1 of 1 listed packages"),
    ({".circleci/config.yml": CIRCLE}, "ci-checks", MET, "tests and a linter"),
    ({".pipelines/ci.yml": AZURE}, "ci-checks", MET, "tests and a linter"),
    ({"Jenkinsfile": "sh 'tox'\nsh 'pylint x'\n"}, "ci-checks", MET, "tests and a linter"),
    ({".gitlab-ci.yml": "a: {script: [./ci.sh]}\n"}, "ci-checks", HIDDEN, "calls scripts"),
    (
        {"tf/main.tf": 'provider "azurerm" {\n  version = "=2.3.0"\n}\nresource "x" "y" {}\n'},
        "infrastructure-as-code",
        MET,
        "versions are limited",
    ),
    (
        {"tf/main.tf": 'provider "azurerm" {}\nresource "x" "y" {}\n'},
        "infrastructure-as-code",
        NOT,
        "No provider of Terraform",
    ),
    ({"docker-compose.yml": ""}, "infrastructure-as-code", HIDDEN, "Docker Compose"),
    ({"infra/a.bicep": ""}, "infrastructure-as-code", MET, "Bicep"),
    ({"chart/Chart.yaml": ""}, "infrastructure-as-code", MET, "Helm"),
    (
        {"cfn.yaml": "AWSTemplateFormatVersion: 2010-09-09\n"},
        "infrastructure-as-code",
        MET,
        "CloudFormation",
    ),
    (
        {".pre-commit-config.yaml": TEST_HOOKS, "a.ipynb": notebook("1")},
        "notebooks-unblocked",
        MET,
        "No hook blocks",
    ),
    (PYDANTIC, "contracts-stated", HIDDEN, "1 schema found"),
    (
        {"a.py": "import datasets\ndatasets.load_dataset('imdb')\n"},
        "sources-described",
        NOT,
        "1 place",
    ),
    (
        {
            "a.py": "import pandas as pd\npd.read_csv('a.csv')\n",
            "tests/test_a.py": "import great_expectations\n",
        },
        "data-validated",
        HIDDEN,
        "great_expectations",
    ),
    (PACKAGED, "typed", NOT, "0 of 1"),
    (
        {"lefthook.yml": "pre-commit: {commands: {lint: {run: ruff check}}}\n"},
        "hooks-installed",
        HIDDEN,
        "1 hook found",
    ),
    (
        {"a.py": "x = 1\n", "t.parquet": "1", "model.pkl": "1", "big.csv": "1\n" * 2**20},
        "data-versioned",
        NOT,
        "3 tables or models are in git",
    ),
    (
        {"p.py": "from zenml import pipeline\n\n@pipeline\ndef train() -> None: ...\n"},
        "pipeline-current",
        HIDDEN,
        "p.py defines a pipeline of ZenML",
    ),
    ({"pipeline.yaml": "tasks:\n- source: a.py\n"}, "pipeline-current", HIDDEN, "Ploomber"),
    (
        {"p.py": "from kedro.pipeline import node\nnode(1)\n"},
        "pipeline-current",
        HIDDEN,
        "Kedro",
    ),
    ({"Makefile": "train:\n\tpython train.py\n"}, "pipeline-current", HIDDEN, "Make"),
    (
        {"requirements.txt": "matplotlib==3.9.0\n", "a.py": "import matplotlib\n"},
        "dependencies-apart",
        MET,
        "Production installs no",
    ),
]

COMMANDS = [
    (PACKAGED, "typed", "add types, then `ty check`"),
    ({"a.py": "", ".pylintrc": ""}, "linted", "`pylint --recursive=y .`"),
    ({"Pipfile": ""}, "environment-current", "`pipenv run pip check`"),
    ({"poetry.lock": ""}, "environment-current", "`poetry install --dry-run`"),
    ({"a.feature": "", "requirements.txt": "behave\n"}, "acceptance-passed", "`behave`"),
    ({"app/uv.lock": ""}, "lock-current", "`(cd app && uv lock --check)`"),
]

READS = [
    ("from io import StringIO\nimport pandas as pd\npd.read_csv(StringIO('1.5,2.5'))", []),
    ("from io import StringIO\nimport pandas as pd\nT = '1,2'\npd.read_csv(StringIO(T))", []),
    ("import pandas as pd\nd = {}\npd.read_csv(d.get('dataset'))", ["d.get('dataset')"]),
    ("import sqlite3 as s\ns.connect('x').execute('SELECT 1 FROM pg_database')", []),
    ("from sklearn.datasets import fetch_openml\nfetch_openml('adult')", ["fetch_openml(adult)"]),
    ("from urllib.request import urlretrieve\nurlretrieve('http://a.b/c')", ["http://a.b/c"]),
    ("import requests\nrequests.get('http://a.b/c').json()", ["http://a.b/c"]),
    ("import boto3\nboto3.client('s3').download_file('b', 'k.csv', 'f')", ["s3://b/k.csv"]),
]


KEY = read_yaml(Path(__file__).with_name("unmanaged_layouts.yml"))
"""Rebuilt layouts of public repositories, and what the page has to state of each."""


def assessed(root: Path, files: Mapping[str, Any], folder: str = ".") -> Assessment:
    for path, text in {"README.md": "", **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        is_notebook = isinstance(text, dict)
        content = notebook(*text["cells"], **text["state"]) if is_notebook else text
        (root / path).write_text(content, encoding="utf-8")
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    return assess(find_repository(root / folder), today=TODAY)


def result(found: Assessment, name: str) -> PracticeResult:
    return next(one for one in found.results if one.practice.name == name)


@pytest.mark.parametrize("place", range(len(CASES)))
def test_what_people_have_is_read(tmp_path: Path, place: int) -> None:
    files, name, state, says = CASES[place]
    seen = result(assessed(tmp_path, files), name)
    assert says in seen.message
    assert seen.state is state


@pytest.mark.parametrize("place", range(len(COMMANDS)))
def test_the_tools_of_the_repository_are_suggested(tmp_path: Path, place: int) -> None:
    files, name, fix = COMMANDS[place]
    assert result(assessed(tmp_path, files), name).fix == fix


@pytest.mark.parametrize("place", range(len(READS)))
def test_loaders_are_sources_and_other_calls_are_not(tmp_path: Path, place: int) -> None:
    text, expected = READS[place]
    (tmp_path / "a.py").write_text(text, encoding="utf-8")
    project = find_repository(tmp_path)
    context = CheckContext(project, EvidenceStore(project), TODAY)
    assert [read.data for read in usage(context).reads] == expected


def test_ci_above_a_folder_of_a_monorepo_counts(tmp_path: Path) -> None:
    files = {
        ".github/workflows/a.yml": "jobs: {a: {steps: [{run: pytest}, {run: ruff check}]}}\n",
        "model/pyproject.toml": "[project]\nname = 'x'\n",
    }
    assert result(assessed(tmp_path, files, "model"), "ci-checks").state is MET


def test_the_border_is_shown_in_the_names_of_the_repository(tmp_path: Path) -> None:
    facts = assessed(tmp_path, PYDANTIC).unmanaged
    assert facts
    assert facts.border["trained"] == ("`Ridge` in train.py:5",)
    assert facts.border["from"] == ("houses.csv",)
    assert facts.border["served"] == ("POST /predict in api.py:7, input `House` (schemas.py:3)",)
    first, second = facts.gaps
    assert (first.place, first.draft_path) == ("api.py:7", "contracts/data.py")
    assert "class House(pa.DataFrameModel):\n    rooms: int" in first.draft
    assert (second.place, second.draft_path) == ("train.py:5", "data/sources/houses.odcs.yaml")


def test_a_preprocessor_is_no_model_and_a_notebook_has_cells(tmp_path: Path) -> None:
    cells = "from sklearn.svm import SVC\nscaler = S()\nscaler.fit(x)", "SVC().fit(x, y)"
    facts = assessed(tmp_path, {"a.ipynb": notebook(*cells)}).unmanaged
    assert facts
    assert facts.border["trained"] == ("`SVC` in a.ipynb, cell 2, line 1",)


@pytest.mark.parametrize("name", KEY["layouts"])
def test_every_statement_about_a_layout_is_in_its_answer_key(tmp_path: Path, name: str) -> None:
    layout = KEY["layouts"][name]
    found = assessed(tmp_path, layout["files"], layout.get("folder", "."))
    key = KEY["usually"] | layout["states"]
    stated = {one.practice.name: f"{one.state}: {one.message}" for one in found.results}
    assert {practice: stated[practice] for practice in key} == key
    assert found.unmanaged
    border = {part: [*items] for part, items in found.unmanaged.border.items() if items}
    assert border == layout["border"]
    gaps = [f"{gap.place}: {gap.message}" for gap in found.unmanaged.gaps]
    assert gaps == layout["gaps"]


def test_the_answer_key_covers_each_practice_that_reading_can_show() -> None:
    readable = {one.name for one in shipped() if one.check in READ_CHECKS}
    assert readable == KEY["usually"].keys()
