"""Random contracts, judged and tried: the part of the handoff package's tests that takes long."""

import os
from pathlib import Path

from tests.baton import ROOT, run


def test_no_row_contradicts_what_is_called_compatible(environment: Path) -> None:
    long_tests(environment, "test_judge_random.py")


def test_an_oracle_agrees_except_in_what_is_listed(environment: Path) -> None:
    long_tests(environment, "test_judge_oracle.py")


def long_tests(environment: Path, file: str) -> None:
    path = {"PATH": os.pathsep.join([str(environment / "bin"), os.environ["PATH"]])}
    pytest = ["pytest", "--quiet", "--tb=short", "-m", "long", f"tests/contracts/{file}"]
    run(pytest, ROOT / "handoff", env=path)
