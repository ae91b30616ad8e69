"""Failures that the contract checks read from the tools, the same in each tree."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from baton_handoff.triage.contract_checks import run_check
from baton_handoff.triage.outcomes import ContractCheck, Outcome
from baton_handoff.triage.tool_runner import ToolRunner

TEST = "tests/contract/test_it.py"
CONFTEST = "tests/conftest.py"
CODE = "src/shop/app.py"

Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a check of a tree of files; each time the tree is in another folder."""

    def run(
        files: dict[str, str], check: ContractCheck = ContractCheck.TESTS, limit: float = 60
    ) -> Outcome:
        tree = tmp_path / f"tree-{len([*tmp_path.iterdir()])}"
        (tree / "tests/contract").mkdir(parents=True)
        for path, text in {"src/shop/__init__.py": "", **files}.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text, encoding="utf-8")
        return run_check(check, tree, ToolRunner(Path(sys.executable), tmp_path / "cache", limit))

    return run


FAILING = {
    "assertion": ("def price(): return 2\n", "AssertionError", None, 5),
    "error": ("def price():\n    return {}[object()]\n", "KeyError", "src", 2),
    "path": ("def price():\n    return open(__file__ + 'x')\n", "FileNotFoundError", "src", 2),
    "missing": ("from shop.nowhere import price\n", "ModuleNotFoundError", "src", 1),
    "syntax": ("x = 1\ndef create((\n", "SyntaxError", "src", 2),
    "conflict": ("x = 1\n<<<<<<< HEAD\ny = 2\n", "SyntaxError", "src", 2),
    "exception": ("class Odd(Exception): ...\nraise Odd(__file__)\n", "Odd", "src", 2),
}
"""Code, the exception of a test that uses it, and where: in the test or in the code."""


def test_a_failure_has_its_type_and_place_and_is_the_same_in_another_tree(run: Run) -> None:
    files: dict[str, str] = {}
    moved: dict[str, str] = {}
    for name, (code, *_) in FAILING.items():
        test = f"from shop.{name} import price\n\n\ndef test_x():\n    assert price() == 1\n"
        files |= {f"tests/contract/test_{name}.py": test, f"src/shop/{name}.py": code}
        moved |= {f"src/shop/{name}.py": f'"""More words."""\n\n# And more.\n{code}'}
    first, second = run(files), run({**files, **moved})
    assert {failed.identity for failed in first.failures} == {
        failed.identity for failed in second.failures
    }
    assert not any("/tree-" in failed.message for failed in first.failures)
    found = {(failed.exception, failed.file, failed.line) for failed in first.failures}
    assert found == {
        (exception, f"src/shop/{name}.py" if in_code else f"tests/contract/test_{name}.py", line)
        for name, (_, exception, in_code, line) in FAILING.items()
    }


ENDING = {
    "an exit": ("raise SystemExit(3)\n", "SystemExit", 1),
    "an interruption": ("raise KeyboardInterrupt\n", "KeyboardInterrupt", 1),
    "a hard exit": ("import os\nos._exit(3)\n", "os._exit", 2),
    "a crash": ("import ctypes\nctypes.string_at(0)\n", "crash", 2),
    "an endless loop": ("import time\nwhile True: time.sleep(0.01)\n", "timeout", 2),
}


@pytest.mark.parametrize("name", ENDING)
def test_code_that_ends_the_process_is_found(run: Run, name: str) -> None:
    code, exception, line = ENDING[name]
    limit = 5 if exception == "timeout" else 60
    files = {TEST: "import shop.app\ndef test_x(): ...\n", CODE: code}
    (failed,) = run(files, limit=limit).failures
    assert (failed.exception, failed.file, failed.line) == (exception, CODE, line)
    assert failed.stops
    assert failed.message


@pytest.mark.parametrize(
    ("code", "exception"),
    [("from shop.nowhere import x\n", "ModuleNotFoundError"), ("raise SystemExit\n", "SystemExit")],
)
def test_an_error_in_the_first_conftest_is_the_same_in_each_tree(
    run: Run, code: str, exception: str
) -> None:
    files = {TEST: "def test_x(): ...\n", CONFTEST: "import shop.app\n"}
    (first,) = run({**files, CODE: code}).failures
    (second,) = run({**files, CODE: f"# 1\n{code}"}).failures
    assert (first.exception, first.file, first.stops) == (exception, CODE, "*")
    assert first.identity == second.identity


def test_a_test_that_takes_too_long_has_the_line_where_it_was(run: Run) -> None:
    code = "import time\ndef price():\n    time.sleep(60)\n"
    test = "from shop.app import price\ndef test_x():\n    price()\n"
    (failed,) = run({TEST: test, CODE: code}, limit=5).failures
    assert (failed.item, failed.file, failed.line) == (f"{TEST}::test_x", CODE, 3)
    assert failed.stops == "*"


def test_a_wrong_option_of_pytest_is_a_failure(run: Run) -> None:
    files = {"pytest.ini": "[pytest]\nrequired_plugins = nowhere\n", TEST: "def test_x(): ...\n"}
    (failed,) = run(files).failures
    assert "nowhere" in failed.message
    assert failed.stops == "*"


def test_a_process_that_code_keeps_alive_ends(run: Run) -> None:
    code = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n"
    outcome = run({TEST: f"{code}def test_x():\n    pass\n"})
    assert outcome.failures == ()
    assert outcome.tests == {f"{TEST}::test_x"}


def test_what_the_code_prints_is_no_result(run: Run) -> None:
    outcome = run({TEST: "import os\nos.write(1, b'{\"event\": 1}')\ndef test_x():\n    pass\n"})
    assert (outcome.failures, len(outcome.tests)) == ((), 1)


def test_random_names_of_cases_are_the_same_test(run: Run) -> None:
    ids = "ids=[str(uuid4()), hex(id(object()))]"
    test = f"@pytest.mark.parametrize('x', [1, 2], {ids})\ndef test_x(x):\n    assert x == 0\n"
    files = {TEST: f"import pytest\nfrom uuid import uuid4\n\n\n{test}"}
    assert {f.identity for f in run(files).failures} == {f.identity for f in run(files).failures}


def test_a_type_error_is_the_same_after_its_line_has_moved(run: Run) -> None:
    settings = {"standards/mypy.ini": "[mypy]\nfiles = src, tests\n", TEST: "def test_x(): ...\n"}
    error = "def price() -> int:\n    return 'free'\n"
    found = [
        run({**settings, CODE: code}, ContractCheck.TYPES).failures
        for code in (error, f"# 1\n{error}", error.replace("'free'", "'gratis'"))
    ]
    (first,), (moved,), (other,) = found
    assert (first.file, first.line) == (CODE, 2)
    assert first.identity == moved.identity != other.identity


def test_a_type_error_in_a_test_is_found(run: Run) -> None:
    settings = {"standards/mypy.ini": "[mypy]\nfiles = src, tests\n", CODE: ""}
    files = {**settings, TEST: 'BAD: int = "text"\n'}
    (failed,) = run(files, ContractCheck.TYPES).failures
    assert (failed.file, failed.line) == (TEST, 1)
