"""What reading a repository shows of each practice: from its content, never from its names."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from baton_handoff.policy.practices.assessment import PracticeResult, State
from baton_handoff.policy.practices.practice import STATEMENT
from baton_handoff.policy.practices.registry import shipped
from baton_handoff.policy.status.status import assess
from baton_handoff.policy.unmanaged.repository import find_repository
from kept_project import TODAY
from trip_project import git
from unmanaged_repositories import notebook

MET, NOT, HIDDEN, NONE = State.MET, State.NOT_MET, State.NOT_SHOWN, State.NOT_APPLICABLE

READS = {"a.py": "import pandas as pd\npd.read_csv('data/a.csv')\n"}
SCHEMA = "import pandera as pa\n\n\nclass Trips(pa.DataFrameModel):\n    fare: float\n"
SERVICE = "from fastapi import FastAPI\n\napp = FastAPI()\n"
TEST = "def test_one():\n    assert 1\n"
WORKFLOW = "jobs: {{a: {{steps: [{{run: {run}}}]}}}}\n"
HOOKS = "repos: [{repo: x, hooks: [{id: black}]}]\n"
UV = '[[package]]\nname = "x"\n[package.metadata]\nrequires-dist = [{ name = "pandas" }]\n'
PROJECT = '[project]\nname = "x"\ndependencies = ["pandas"]\n'

CASES: list[tuple[str, Mapping[str, str], State, str]] = [
    ("lock-current", {"a.py": ""}, NOT, "Nothing says which packages"),
    ("lock-current", {"requirements.txt": "pandas>=2\nx==1.0\n"}, NOT, "1 of 2 packages"),
    (
        "lock-current",
        {"requirements.txt": "pandas==2.2.2\n"},
        HIDDEN,
        "Every package is pinned (1)",
    ),
    ("lock-current", {"environment.yml": "dependencies: [python, numpy]"}, NOT, "1 of 1"),
    ("lock-current", {"setup.py": "setup(install_requires=['pandas'])"}, NOT, "1 of 1"),
    ("lock-current", {"Pipfile": '[packages]\npandas = "*"\n'}, NOT, "1 of 1"),
    ("lock-current", {"poetry.lock": ""}, HIDDEN, "whether it is of today"),
    ("lock-current", {"uv.lock": UV, "pyproject.toml": PROJECT}, MET, "1 packages are locked"),
    ("lock-current", {"uv.lock": "", "pyproject.toml": PROJECT}, NOT, "There is no uv.lock"),
    ("environment-current", {}, HIDDEN, "was not looked at"),
    ("hooks-installed", {}, NOT, "No hook is described"),
    ("hooks-installed", {".pre-commit-config.yaml": HOOKS}, HIDDEN, "none runs on this machine"),
    (
        "hooks-installed",
        {".pre-commit-config.yaml": HOOKS.replace("black", "check-yaml")},
        NOT,
        "No hook looks at style",
    ),
    ("notebooks-unblocked", {}, NONE, "no notebook"),
    ("notebooks-unblocked", {"a.ipynb": notebook("1")}, MET, "No hook stands in the way"),
    ("notebooks-stripped", {"a.ipynb": notebook("1")}, MET, "1 notebooks hold no outputs"),
    ("notebooks-stripped", {"a.ipynb": notebook("1", printed="1")}, NOT, "1 of 1"),
    ("notebooks-run", {"a.ipynb": notebook("1", "2", ran=(1, 2))}, HIDDEN, "No notebook has run"),
    ("notebooks-run", {"a.ipynb": notebook("1", "2", ran=(2, 1))}, NOT, "not run from top"),
    ("notebooks-run", {"a.ipynb": notebook("1", stopped=True)}, NOT, "not run from top"),
    ("formatted", {}, NONE, "no code"),
    ("formatted", {"a.py": "x = 1\n"}, HIDDEN, "No tool has looked"),
    ("linted", {"a.py": "x = 1\n"}, HIDDEN, "No linter has looked"),
    ("linted", {"a.py": "print 1\n"}, NOT, "1 file with code can't be read"),
    ("linted", {"a.py": "API_KEY = 'd41d8cd98f00b204'\n"}, NOT, "1 place with a secret"),
    ("linted", {"a.py": "u = 'postgres://ada:lovelace@db/x'\n"}, NOT, "1 place with a secret"),
    ("linted", {"a.py": "p = 'C:/Users/ada/x.csv'\n"}, NOT, "1 place with a secret"),
    ("linted", {"a.py": "password = '<your password>'\ntoken = ''\n"}, HIDDEN, "No linter"),
    ("linted", {"a.py": "u = 'https://example.org/home/x'\n"}, HIDDEN, "No linter"),
    ("typed", {"a.py": "x = 1\n"}, NONE, "no function"),
    ("typed", {"a.py": "def f(x):\n    return x\n"}, NOT, "0 of 1 functions"),
    ("typed", {"a.py": "def f(x: int) -> int:\n    return x\n"}, HIDDEN, "Every function (1)"),
    ("tools-chosen", {"requirements.txt": "pandas\n"}, HIDDEN, "needs 1 package."),
    ("tools-chosen", {}, NONE, "which packages it needs"),
    ("contracts-stated", READS, NOT, "data is read in 1 place."),
    ("contracts-stated", {"a.py": SCHEMA}, HIDDEN, "1 schema, in a.py"),
    ("contracts-complete", {"a.py": SCHEMA}, NOT, "No schema says its version"),
    (
        "contracts-complete",
        {"a.py": "class BaseModel: ...\n\n\nclass Forest(BaseModel): ...\n"},
        NONE,
        "There is no schema",
    ),
    (
        "contracts-complete",
        {"a.py": SCHEMA, "b.py": "from a import Trips\n\n\nclass Late(Trips): ...\n"},
        NOT,
        "No schema",
    ),
    ("contract-tests", {}, NONE, "no schema"),
    ("contract-tests", {"a.py": SCHEMA}, HIDDEN, "which side"),
    ("api-current", {"a.py": SERVICE}, HIDDEN, "Nothing compares"),
    ("layers-kept", {"a.py": "import sys\nsys.path.insert(0, '..')\n"}, NOT, "where Python looks"),
    ("layers-kept", {"a.py": "x = 1\n"}, HIDDEN, "Nothing says which part"),
    ("layers-kept", {"a.py": "", ".importlinter": "[importlinter]\n"}, HIDDEN, "Rules say"),
    ("dependencies-apart", {"requirements.txt": "pandas\njupyter\n"}, NOT, "jupyter"),
    ("dependencies-apart", {"requirements.txt": "pandas\n"}, MET, "needs no tool"),
    (
        "dependencies-apart",
        {"requirements.txt": "pandas\n", "requirements-dev.txt": "pytest\n"},
        MET,
        "needs no tool",
    ),
    ("dependencies-apart", {}, HIDDEN, "Nothing says what production"),
    ("tests-pass", {"tests/test_a.py": "x = 1\n"}, NOT, "There is no test"),
    ("tests-pass", {"tests/test_a.py": TEST}, HIDDEN, "Whether the test passes"),
    ("unit-tests", {"tests/integration/test_a.py": TEST}, NOT, "No test tries a part"),
    ("fuzzed", {"a.py": SCHEMA}, NOT, "No test makes rows up"),
    ("fuzzed", {"a.py": SCHEMA, "test_a.py": f"import hypothesis\n{TEST}"}, HIDDEN, "Nothing has"),
    ("acceptance-passed", {"a.feature": "Feature: a\n"}, HIDDEN, "1 file with scenarios"),
    ("acceptance-passed", {}, NOT, "No scenario"),
    ("data-validated", READS, NOT, "Data is used as it comes"),
    ("data-validated", {"a.py": SCHEMA + READS["a.py"]}, HIDDEN, "held against its schema"),
    ("service-observed", {}, NONE, "No service"),
    ("service-observed", {"a.py": SERVICE}, NOT, "no structured logs, no figures, no traces"),
    (
        "service-observed",
        {"a.py": f"import structlog, opentelemetry, prometheus_client\n{SERVICE}"},
        HIDDEN,
        "reach anybody",
    ),
    ("predictions-logged", {"a.py": SERVICE}, HIDDEN, "whether predictions are kept"),
    ("ci-checks", {}, NOT, "Nothing is run for a change"),
    ("ci-checks", {".github/workflows/a.yml": WORKFLOW.format(run="ls")}, NOT, "no test and no"),
    ("ci-checks", {".github/workflows/a.yml": WORKFLOW.format(run="pytest")}, NOT, "no linter"),
    (
        "ci-checks",
        {".github/workflows/a.yml": WORKFLOW.format(run="mise run check; mise run test")},
        NOT,
        "judges no change",
    ),
    ("ci-checks", {"Jenkinsfile": ""}, HIDDEN, "Jenkinsfile"),
    ("infrastructure-as-code", {}, HIDDEN, "what it runs on"),
    ("infrastructure-as-code", {"main.tf": "# resource\n"}, NOT, "No infrastructure"),
    ("data-versioned", {"a.csv": "1\n" * 2**20, **READS}, NOT, "1 tables"),
    ("data-versioned", READS, HIDDEN, "No large table lies in git"),
    ("data-versioned", {**READS, "data/a.csv.dvc": "outs: [{path: a.csv}]"}, MET, "No large table"),
    ("data-versioned", {**READS, "data/a.csv.dvc": ""}, HIDDEN, "No large table"),
    ("data-versioned", {"a.py": "x = 1\n"}, NONE, "No data is seen"),
    ("pipeline-current", {"dvc.yaml": "stages: {}"}, HIDDEN, "what dvc.yaml makes"),
    ("pipeline-current", {}, HIDDEN, "No pipeline"),
    ("sources-described", READS, NOT, "what is read in 1 place."),
    ("sources-described", {}, NONE, "No data is seen"),
    ("sources-official", READS, HIDDEN, "whether its owner offers it"),
    (
        "sources-official",
        {"a.py": "import pandas as pd\npd.read_excel('Q3.xlsx')\n"},
        NOT,
        "Not every source looks official",
    ),
    ("sources-complete", READS, HIDDEN, "what allows its use"),
    ("sources-complete", {}, NONE, "No data is seen"),
    ("workarounds-needed", {}, NONE, "No workaround"),
    ("workarounds-needed", {"a.py": "x = 1  # workaround: a#b\n"}, HIDDEN, "Workarounds are"),
    ("proper-editor", {}, HIDDEN, "Only a person"),
]


def result(root: Path, files: Mapping[str, str], name: str) -> PracticeResult:
    """What comes of a practice in a repository of these files."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    found = assess(find_repository(root), today=TODAY)
    return next(one for one in found.results if one.practice.name == name)


@pytest.mark.parametrize(
    ("name", "files", "state", "says"),
    CASES,
    ids=[f"{name}-{place}" for place, (name, *_) in enumerate(CASES)],
)
def test_what_lies_there_is_what_is_said(
    tmp_path: Path, name: str, files: Mapping[str, str], state: State, says: str
) -> None:
    seen = result(tmp_path, {"README.md": "", **files}, name)
    assert says in seen.message
    assert seen.state is state


def test_every_practice_of_which_reading_can_show_something_is_tried_here() -> None:
    tried = {name for name, *_ in CASES}
    only_later = {
        *("tools-proved", "tools-reviewed", "contracts-owned", "features-inside", "early-work"),
        *("compared-with-baselines", "judged-by-subgroup", "models-watched", "data-watched"),
        "candidate-traceable",
    }
    by_people = {practice.name for practice in shipped() if practice.check == STATEMENT}
    assert {practice.name for practice in shipped()} - by_people - tried == only_later


@pytest.mark.parametrize(
    ("files", "name", "command"),
    [
        ({"test_a.py": TEST}, "tests-pass", "pytest"),
        (
            {"Untitled 1.ipynb": notebook("1")},
            "notebooks-run",
            "jupyter nbconvert --to notebook --execute --stdout 'Untitled 1.ipynb'",
        ),
        ({"test_a.py": f"import unittest\n{TEST}"}, "tests-pass", "python -m unittest"),
        ({"test_a.py": TEST, "poetry.lock": ""}, "tests-pass", "poetry run pytest"),
        ({"a.py": "", "uv.lock": ""}, "formatted", "uvx ruff format --check ."),
        ({"a.py": "", "setup.cfg": "[flake8]\n"}, "linted", "flake8 ."),
        (
            {"a.py": "", "pyproject.toml": "[tool.black]\n"},
            "formatted",
            "black --check .",
        ),
        ({"src/a.py": "def f() -> None: ...\n", "uv.lock": ""}, "typed", "uv run mypy src"),
        (
            {"a.py": "def f() -> None: ...\n", "pyrightconfig.json": "{}"},
            "typed",
            "pyright",
        ),
    ],
)
def test_what_is_not_shown_names_the_command_of_this_very_repository(
    tmp_path: Path, files: Mapping[str, str], name: str, command: str
) -> None:
    seen = result(tmp_path, files, name)
    assert (seen.state, seen.fix) == (State.NOT_SHOWN, f"`{command}`")


def test_a_secret_with_a_name_is_found_once(tmp_path: Path) -> None:
    key = "q8Zt" * 10
    text = f"AWS_SECRET_ACCESS_KEY = '{key}'\nTOKEN = 'ghp_{'a1' * 18}'\n"
    seen = result(tmp_path, {"a.py": text}, "linted")
    assert [(one.line, one.message) for one in seen.findings] == [
        (1, "`AWS_SECRET_ACCESS_KEY` is a secret, and everybody can read it"),
        (2, "`TOKEN` is a secret, and everybody can read it"),
    ]


def test_a_version_that_is_not_exact_is_not_said_to_be_none(tmp_path: Path) -> None:
    seen = result(tmp_path, {"requirements.txt": "scikit-learn>=1.0\n"}, "lock-current")
    assert seen.findings[0].message == "scikit-learn has no exact version"


def test_a_secret_is_found_and_not_repeated(tmp_path: Path) -> None:
    files = {
        "a.py": "API_KEY = 'd41d8cd98f00b204'\n",
        "b.ipynb": notebook("x = 1", "u = 'postgres://ada:d41d8cd98f00b204@db/x'"),
    }
    seen = result(tmp_path, files, "linted")
    assert [(one.file, one.line, one.message) for one in seen.findings] == [
        ("a.py", 1, "`API_KEY` is a secret, and everybody can read it"),
        ("b.ipynb", None, "this text holds a secret (cell 2, line 1)"),
    ]
    found = assess(find_repository(tmp_path), today=TODAY)
    assert "d41d8cd98f00b204" not in str(found)
