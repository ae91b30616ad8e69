"""`handoff fix` on a whole project: corrections, tests before and after, what is left to people."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from baton_handoff.cli import main
from baton_handoff.notebooks.observed_types import Annotation
from baton_handoff.policy.evidence.type_hints import names_at, untyped, with_hints

FILES = {
    "handoff.toml": (
        'interface = 1\npackage = "trips"\nmodel = "m"\n[service]\nalias = "champion"\n'
    ),
    ".copier-answers.yml": (
        'level: 1\nci: github\ndata_science_team: "@ds"\nml_engineering_team: "@ml"\n'
    ),
    "pyproject.toml": """
[project]
name = "trips"
requires-python = ">=3.11"
[tool.ruff.lint]
select = ["ANN", "F", "I", "UP"]
[tool.pytest.ini_options]
pythonpath = ["src"]
""",
    "standards/mypy.ini": "[mypy]\nfiles = src\nmypy_path = src\nexplicit_package_bases = True\n",
    "src/trips/__init__.py": "",
    "src/trips/contracts/__init__.py": "",
    "src/trips/contracts/api.py": "",
}
DISTANCES = """
import os
from typing import Optional

def longest(distances, unit=None):
    if not distances:
        raise ValueError("no distance")
    return f"{max(distances)} {unit or 'km'}"

def shown(text: Optional[str]):
    print(text)

def unseen(value):
    return value
"""
FIXED = """
def longest(distances: list[int], unit: str | None = None) -> str:
    if not distances:
        raise ValueError("no distance")
    return f"{max(distances)} {unit or 'km'}"


def shown(text: str | None) -> None:
    print(text)


def unseen(value):
    return value
"""
TEST = """
import pytest

from trips.features.distances import longest


def test_the_longest() -> None:
    assert longest([1, 2], "mi") == "2 mi"
    with pytest.raises(ValueError, match="no"):
        longest([])
"""


@pytest.fixture
def project(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    # The tools start faster.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("MYPY_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "mypy"))
    write(tmp_path, FILES)
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("baton_handoff.cli.check.STEP_FIXES", {})
    return tmp_path


def write(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def test_a_fix_corrects_tests_and_lists_what_is_left(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = project / "src/trips/features/distances.py"
    write(project, {"src/trips/features/distances.py": DISTANCES, "tests/test_it.py": TEST})
    assert main(["fix", "--diff"]) == 1
    assert "+def shown(text: str | None) -> None:" in capsys.readouterr().out
    assert module.read_text(encoding="utf-8") == DISTANCES

    assert main(["fix"]) == 1
    printed = capsys.readouterr().out
    assert module.read_text(encoding="utf-8").strip() == FIXED.strip()
    assert "src/trips/features/distances.py  code" in printed
    assert "-import os" in printed
    assert "The tests pass with the changed code." in printed
    assert "1 function got the types of the values in the tests" in printed
    assert "What no tool can fix: 2 for data-science" in printed
    assert "ANN001: Missing type annotation for function argument `value`" in printed
    assert "src/trips/features/distances.py:11" in printed

    # What the tests show is known: they need not run again.
    assert main(["fix"]) == 1
    printed = capsys.readouterr().out
    assert "file changed" not in printed
    assert "What no tool can fix: 2 for data-science" in printed


def test_a_fix_that_breaks_a_test_is_taken_back(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    used = 'import trips.names\n\n\ndef test_it() -> None:\n    assert trips.names.sep == "/"\n'
    old = "from posixpath import sep\nx  =  1\n"
    write(project, {"src/trips/names.py": old, "tests/test_it.py": used})
    assert main(["fix"]) == 1
    printed = capsys.readouterr().out
    assert "Tests fail because of the fix (tests/test_it.py), so it was taken back" in printed
    assert "src/trips/names.py  format only" in printed
    assert "F401" in printed
    text = (project / "src/trips/names.py").read_text(encoding="utf-8")
    assert text == "from posixpath import sep\n\nx = 1\n"


def test_a_changed_format_needs_no_test_and_a_clean_project_one_line(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project, {"src/trips/a.py": "x  =  1\n", "tests/test_it.py": "assert 0\n"})
    assert main(["fix"]) == 0
    assert capsys.readouterr().out == "1 file changed:\n  src/trips/a.py  format only\n"
    assert main(["fix"]) == 0
    assert capsys.readouterr().out == "Nothing has to be fixed.\n"


def test_without_tests_the_fix_stays_and_the_report_tells_so(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project, {"src/trips/a.py": "import os\n\nx = 1\n", "bad.py": "def f(\n"})
    assert main(["fix"]) == 1
    printed = capsys.readouterr().out
    assert "The changed code is not tested" in printed
    assert "bad.py:" in printed
    assert (project / "src/trips/a.py").read_text(encoding="utf-8") == "x = 1\n"


def test_types_that_mypy_contradicts_are_not_written(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "def late(minutes):\n    return minutes > 15\n\n\n"
    code += "def shown() -> None:\n    print(late(20.5))\n"
    test = "from trips.late import late\n\n\ndef test_it() -> None:\n    assert late(16)\n"
    other = "def early(minutes):\n    return minutes < 0\n"
    write(
        project,
        {
            "src/trips/late.py": f"{code}\n\n{other}",
            "tests/test_it.py": f"{test}    assert early(-1)\n".replace(
                "late\n", "early, late\n", 1
            ),
        },
    )
    main(["fix"])
    text = (project / "src/trips/late.py").read_text(encoding="utf-8")
    assert "def late(minutes):" in text
    assert "def early(minutes: int) -> bool:" in text
    assert "1 function got" in capsys.readouterr().out


INT, TEXT = Annotation("int"), Annotation("str")
FRAME = Annotation("pd.DataFrame", frozenset({"import pandas as pd"}))


@pytest.mark.parametrize(
    ("code", "types", "expected"),
    [
        (
            "def f(a, *b, c=None):\n    ...\n",
            {"a": INT, "c": TEXT},
            "(a: int, *b, c: str | None=None)",
        ),
        ("def f(é, b=[(1)]) :\n    ...\n", {"é": INT, "return": INT}, "(é: int, b=[(1)])  -> int:"),
        ("def f(a: str, b):\n    ...\n", {"a": INT, "b": Annotation("Any")}, "(a: str, b):"),
        ("def f(a):\n    yield a\n", {"a": INT, "return": INT}, "(a: int):"),
        ("@made\ndef f(a):\n    ...\n", {"a": INT}, "(a):"),
        ("def f(a): ...\ndef f(a): ...\n", {"a": INT}, "(a): ...\ndef f(a): ..."),
        ('"""It."""\n\n\ndef f(a):\n    ...\n', {"a": FRAME}, '"""It."""\nimport pandas as pd\n'),
        ("def f(a=lambda x: x,\n      b=1\n      ):\n    ...\n", {"b": TEXT}, "b: int | str=1\n"),
    ],
    ids=["default", "letters", "stated", "generator", "decorated", "twice", "import", "lines"],
)
def test_types_are_written_where_none_is_stated(
    code: str, types: dict[str, Annotation], expected: str
) -> None:
    made = with_hints(code, {"f": types})
    assert expected in made
    compile(made, "made", "exec")


def test_methods_and_inner_functions_have_qualified_names() -> None:
    code = "class A:\n    def f(self, a):\n        def g(b): ...\n    async def h(self): ...\n"
    assert untyped(code) == {"A.f": ["a", "return"], "A.f.<locals>.g": ["b", "return"]}


@pytest.mark.parametrize(("line", "names"), [(1, {"far"}), (2, {"far"}), (3, {"told"}), (4, set())])
def test_the_names_at_a_line_include_a_call_that_began_above(line: int, names: set[str]) -> None:
    assert names_at('far(\n    "a")\ndef told(): ...\nx = 1\n', line) - {"x"} == names
