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
    ("lock-current", {"a.py": ""}, NOT, "No file lists the packages to install"),
    ("lock-current", {"requirements.txt": "pandas>=2\nx==1.0\n"}, NOT, "1 of 2 listed packages"),
    (
        "lock-current",
        {"requirements.txt": "pandas==2.2.2\n"},
        HIDDEN,
        "Pinned: 1 listed package;",
    ),
    ("lock-current", {"environment.yml": "dependencies: [python, numpy]"}, NOT, "1 of 1"),
    ("lock-current", {"setup.py": "setup(install_requires=['pandas'])"}, NOT, "1 of 1"),
    ("lock-current", {"Pipfile": '[packages]\npandas = "*"\n'}, NOT, "1 of 1"),
    ("lock-current", {"poetry.lock": ""}, HIDDEN, "poetry.lock exists; nothing has compared it"),
    ("lock-current", {"uv.lock": UV, "pyproject.toml": PROJECT}, HIDDEN, "uv.lock exists; nothing"),
    ("environment-current", {}, HIDDEN, "was not examined"),
    ("hooks-installed", {}, NOT, "No hook is configured"),
    (
        "hooks-installed",
        {".pre-commit-config.yaml": HOOKS},
        HIDDEN,
        "1 hook found in the configuration, none installed",
    ),
    (
        "hooks-installed",
        {".pre-commit-config.yaml": HOOKS.replace("black", "check-yaml")},
        NOT,
        "No hook checks style",
    ),
    ("notebooks-unblocked", {}, NONE, "no notebook"),
    ("notebooks-unblocked", {"a.ipynb": notebook("1")}, MET, "No hook blocks a notebook"),
    ("notebooks-stripped", {"a.ipynb": notebook("1")}, MET, "No notebook contains outputs"),
    ("notebooks-stripped", {"a.ipynb": notebook("1", printed="1")}, NOT, "1 of 1"),
    ("notebooks-run", {"a.ipynb": notebook("1", "2", ran=(1, 2))}, HIDDEN, "No notebook has run"),
    ("notebooks-run", {"a.ipynb": notebook("1", "2", ran=(2, 1))}, NOT, "did not run from top"),
    ("notebooks-run", {"a.ipynb": notebook("1", stopped=True)}, NOT, "did not run from top"),
    ("formatted", {}, NONE, "no code"),
    ("formatted", {"a.py": "x = 1\n"}, HIDDEN, "No formatter has run"),
    ("shortcuts-removed", {"a.py": ""}, NONE, "no code"),
    ("shortcuts-removed", {"a.py": "x = 1\n"}, MET, "contains no shortcut"),
    ("shortcuts-removed", {"a.py": "t.apply(f, axis=1)\n"}, NOT, "contains shortcuts"),
    ("linted", {"a.py": "x = 1\n"}, HIDDEN, "No linter has run"),
    ("linted", {"a.py": "print 1\n"}, NOT, "1 file with code can't be read"),
    ("linted", {"a.py": "API_KEY = 'd41d8cd98f00b204'\n"}, NOT, "1 line with a secret"),
    ("linted", {"a.py": "u = 'postgres://ada:lovelace@db/x'\n"}, NOT, "1 line with a secret"),
    ("linted", {"a.py": "password = '<your password>'\ntoken = ''\n"}, HIDDEN, "No linter"),
    ("linted", {"a.py": "u = 'https://example.org/home/x'\n"}, HIDDEN, "No linter"),
    ("typed", {"a.py": "x = 1\n"}, NONE, "no function"),
    ("typed", {"a.py": "def f(x):\n    return x\n"}, NOT, "0 of 1 functions"),
    (
        "typed",
        {"a.py": "def f(x: int) -> int:\n    return x\n"},
        HIDDEN,
        "All functions have types (1)",
    ),
    ("tools-chosen", {"requirements.txt": "pandas\n"}, HIDDEN, "choice of 1 package."),
    ("tools-chosen", {}, NONE, "packages that it needs"),
    ("contracts-stated", READS, NOT, "1 place reads data."),
    ("contracts-stated", {"a.py": SCHEMA}, HIDDEN, "1 schema found, for example in a.py"),
    ("contracts-complete", {"a.py": SCHEMA}, NOT, "No schema has a version"),
    (
        "contracts-complete",
        {"a.py": "class BaseModel: ...\n\n\nclass Forest(BaseModel): ...\n"},
        NONE,
        "No schema of a table was recognised",
    ),
    (
        "contracts-complete",
        {"a.py": SCHEMA, "b.py": "from a import Trips\n\n\nclass Late(Trips): ...\n"},
        NOT,
        "No schema",
    ),
    ("contract-tests", {}, NONE, "No schema that a side"),
    ("contract-tests", {"a.py": SCHEMA}, HIDDEN, "assigned to a side"),
    ("api-current", {"a.py": SERVICE}, HIDDEN, "Nothing compares"),
    (
        "layers-kept",
        {"a.py": "import sys\nsys.path.insert(0, '..')\n"},
        NOT,
        "Code changes `sys.path`",
    ),
    ("layers-kept", {"a.py": "x = 1\n"}, HIDDEN, "No rule states which part"),
    (
        "layers-kept",
        {"a.py": "", ".importlinter": "[importlinter]\n"},
        HIDDEN,
        "Import rules exist",
    ),
    (
        "dependencies-apart",
        {"requirements.txt": "pandas\njupyter\n"},
        NOT,
        "which no module imports",
    ),
    ("dependencies-apart", {"requirements.txt": "pandas\n"}, MET, "Production installs no"),
    (
        "dependencies-apart",
        {"requirements.txt": "pandas\n", "requirements-dev.txt": "pytest\n"},
        MET,
        "Production installs no",
    ),
    ("dependencies-apart", {}, HIDDEN, "No file lists the packages of production"),
    ("tests-pass", {"tests/test_a.py": "x = 1\n"}, NOT, "There is no test"),
    ("tests-pass", {"tests/test_a.py": TEST}, HIDDEN, "1 test found"),
    ("unit-tests", {"tests/integration/test_a.py": TEST}, NOT, "There is no unit test"),
    ("fuzzed", {"a.py": SCHEMA}, NOT, "No test generates rows"),
    (
        "fuzzed",
        {"a.py": SCHEMA, "test_a.py": f"import hypothesis\n{TEST}"},
        HIDDEN,
        "have not run here",
    ),
    ("acceptance-passed", {"a.feature": "Feature: a\n"}, HIDDEN, "1 file with scenarios"),
    ("acceptance-passed", {}, NOT, "There is no acceptance scenario"),
    ("data-validated", READS, NOT, "No library that validates data"),
    (
        "data-validated",
        {"a.py": SCHEMA + READS["a.py"]},
        HIDDEN,
        "which data it validates was not looked at",
    ),
    ("service-observed", {}, NONE, "No service was recognised"),
    ("service-observed", {"a.py": SERVICE}, NOT, "no structured logs, metrics or traces"),
    (
        "service-observed",
        {"a.py": f"import structlog, opentelemetry, prometheus_client\n{SERVICE}"},
        HIDDEN,
        "their output was not examined",
    ),
    ("predictions-logged", {"a.py": SERVICE}, HIDDEN, "whether predictions are logged"),
    ("ci-checks", {}, NOT, "No file of a CI service"),
    ("ci-checks", {".github/workflows/a.yml": WORKFLOW.format(run="ls")}, NOT, "no test and no"),
    ("ci-checks", {".github/workflows/a.yml": WORKFLOW.format(run="pytest")}, NOT, "no linter"),
    (
        "ci-checks",
        {".github/workflows/a.yml": WORKFLOW.format(run="mise run check; mise run test")},
        MET,
        "CI runs tests and a linter",
    ),
    ("ci-checks", {"Jenkinsfile": "sh 'pytest'\nsh 'ruff check'"}, MET, "Jenkinsfile"),
    ("infrastructure-as-code", {}, HIDDEN, "container file was found"),
    (
        "infrastructure-as-code",
        {"main.tf": "# resource\n"},
        NOT,
        "No file describes the infrastructure",
    ),
    ("data-versioned", {"a.csv": "1\n" * 2**20, **READS}, NOT, "1 table or model"),
    ("data-versioned", READS, HIDDEN, "DVC tracks no data"),
    (
        "data-versioned",
        {**READS, "data/a.csv.dvc": "outs: [{path: a.csv}]"},
        MET,
        "no model and no table over 1 MB",
    ),
    ("data-versioned", {**READS, "data/a.csv.dvc": ""}, HIDDEN, "DVC tracks no data"),
    ("data-versioned", {"a.py": "x = 1\n"}, HIDDEN, "git contains no model"),
    (
        "pipeline-current",
        {"dvc.yaml": "stages: {}"},
        HIDDEN,
        "dvc.yaml defines a pipeline of DVC",
    ),
    ("pipeline-current", {}, HIDDEN, "was recognised"),
    ("sources-described", READS, NOT, "data read in 1 place"),
    ("sources-described", {}, HIDDEN, "No place that reads data"),
    ("sources-official", READS, HIDDEN, "supports its use"),
    (
        "sources-official",
        {"a.py": "import pandas as pd\npd.read_excel('Q3.xlsx')\n"},
        NOT,
        "Some sources look unofficial",
    ),
    ("sources-complete", READS, HIDDEN, "who may use it"),
    ("sources-complete", {}, HIDDEN, "No place that reads data"),
    ("workarounds-needed", {}, NONE, "No comment marks a workaround"),
    (
        "workarounds-needed",
        {"a.py": "x = 1  # workaround: a#b\n"},
        HIDDEN,
        "Comments mark workarounds",
    ),
    ("proper-editor", {}, NOT, "No settings of an editor"),
    ("proper-editor", {".idea/misc.xml": ""}, MET, ".idea/misc.xml"),
    ("alerts-reach-somebody", {}, HIDDEN, "who receives alerts"),
    ("performance-profiled", {}, HIDDEN, "Only a person"),
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
def test_a_practice_is_judged_by_the_content_of_files(
    tmp_path: Path, name: str, files: Mapping[str, str], state: State, says: str
) -> None:
    seen = result(tmp_path, {"README.md": "", **files}, name)
    assert says in seen.message
    assert seen.state is state


def test_every_practice_that_files_can_show_has_a_case() -> None:
    tried = {name for name, *_ in CASES}
    only_later = {
        *(
            "tools-proved",
            "tools-introduced",
            "tools-reviewed",
            "contracts-owned",
            "features-inside",
            "early-work",
        ),
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
def test_missing_evidence_names_the_command_of_the_repository(
    tmp_path: Path, files: Mapping[str, str], name: str, command: str
) -> None:
    seen = result(tmp_path, files, name)
    assert (seen.state, seen.fix) == (State.NOT_SHOWN, f"`{command}`")


def test_a_secret_with_a_name_is_found_once(tmp_path: Path) -> None:
    key = "q8Zt" * 10
    text = f"AWS_SECRET_ACCESS_KEY = '{key}'\nTOKEN = 'ghp_{'a1' * 18}'\n"
    seen = result(tmp_path, {"a.py": text}, "linted")
    assert [(one.line, one.message) for one in seen.findings] == [
        (1, "`AWS_SECRET_ACCESS_KEY` is a secret that everybody can read"),
        (2, "`TOKEN` is a secret that everybody can read"),
    ]


def test_a_version_range_counts_as_not_exact(tmp_path: Path) -> None:
    seen = result(tmp_path, {"requirements.txt": "scikit-learn>=1.0\n"}, "lock-current")
    assert seen.findings[0].message == "scikit-learn has no exact version"


def test_a_secret_is_found_and_not_repeated(tmp_path: Path) -> None:
    files = {
        "a.py": "API_KEY = 'd41d8cd98f00b204'\n",
        "b.ipynb": notebook("x = 1", "u = 'postgres://ada:d41d8cd98f00b204@db/x'"),
    }
    seen = result(tmp_path, files, "linted")
    assert [(one.file, one.line, one.message) for one in seen.findings] == [
        ("a.py", 1, "`API_KEY` is a secret that everybody can read"),
        ("b.ipynb", 1, "this text contains a secret"),
    ]
    found = assess(find_repository(tmp_path), today=TODAY)
    assert "d41d8cd98f00b204" not in str(found)
