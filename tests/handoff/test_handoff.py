"""The handoff package where it stands: its promises, its types, its style, in both engines.

What it stands on is a project's, not Baton's: the tests in inside/ run in the environment that
projects share.
"""

import os
from pathlib import Path

import pytest

from tests.baton import ROOT, run

INSIDE = Path(__file__).parent / "inside"
STANDARDS = ROOT / "template" / "standards"
SOURCE = STANDARDS / "handoff" / "src"

pytestmark = pytest.mark.slow


@pytest.fixture
def tools(environment: Path) -> dict[str, str]:
    """The environment variables with which a project's tools run here and leave nothing behind."""
    return {
        "PATH": os.pathsep.join([str(environment / "bin"), os.environ["PATH"]]),
        # What tests start in turn is this package too, not the one installed some time ago.
        "PYTHONPATH": str(SOURCE),
        "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache" / "handoff"),
        "MYPYPATH": os.pathsep.join([str(SOURCE), str(INSIDE)]),
        "RUFF_NO_CACHE": "true",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@pytest.mark.timeout(1800)  # more than a thousand tests, one after the other
def test_its_promises_hold(tools: dict[str, str]) -> None:
    run(["pytest", "--quiet", "--tb=short", "--config-file", "pytest.ini", "."], INSIDE, env=tools)


def test_it_has_strict_types(tools: dict[str, str]) -> None:
    config = STANDARDS / "mypy.ini"
    run(["mypy", "--config-file", config, "--package", "baton_handoff"], SOURCE, env=tools)


def test_its_tests_have_strict_types(tools: dict[str, str]) -> None:
    # A contract for an engine that is chosen at run time derives from what mypy can't know.
    options: list[str | Path] = ["--config-file", STANDARDS / "mypy.ini", "--allow-subclassing-any"]
    run(["mypy", *options, *sorted(INSIDE.glob("*.py"))], INSIDE, env=tools)


@pytest.mark.parametrize("style", [["check"], ["format", "--check"]], ids=" ".join)
def test_it_has_the_style_of_the_standards(tools: dict[str, str], style: list[str]) -> None:
    config = STANDARDS / "handoff" / "ruff.toml"
    run(["ruff", *style, "--config", config, "."], SOURCE, env=tools)
