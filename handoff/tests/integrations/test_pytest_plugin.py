"""Practices in a test explorer: a practice that is met passes, one that is not shown does not."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from trip_project import SETTINGS

STATUS = """
import sys
from types import ModuleType
from assessments import assessment
status = ModuleType("baton_handoff.policy.status.status")
status.assess = lambda project: assessment()
sys.modules[status.__name__] = status
"""


@pytest.fixture
def explorer(tmp_path: Path) -> Path:
    """A project whose assessment is made up."""
    (tmp_path / "handoff.toml").write_text(SETTINGS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "made_up.py").write_text(STATUS)
    (tmp_path / "test_own.py").write_text("def test_own(): pass\n")
    return tmp_path


def ask(folder: Path, *arguments: str, **env: str) -> str:
    plugins = ["-p", "made_up", "-p", "baton_handoff.integrations.pytest_plugin"]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", *plugins]
    path = os.pathsep.join([str(folder), *sys.path])
    found = subprocess.run(
        [*command, *arguments],
        cwd=folder,
        # Others' plugins take longer to import than all of this.
        env={
            **os.environ,
            "PYTHONPATH": path,
            "COLUMNS": "200",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            **env,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout + found.stderr


def test_each_practice_and_side_is_a_test_beside_the_projects_own(explorer: Path) -> None:
    said = ask(explorer)
    assert "PASSED test_own.py::test_own" in said
    assert "PASSED handoff.toml::set-up[data-science]" in said
    assert "PASSED handoff.toml::acme/pairing[ml-engineering]" in said
    assert "FAILED handoff.toml::types-checked[ml-engineering]" in said
    assert "XFAIL handoff.toml::lineage[ml-engineering]" in said
    assert re.search(r"SKIPPED.*not shown: No test has run. → Run `poe tests`.", said)
    assert re.search(r"SKIPPED.*not applicable: No data is read.", said)
    assert "2 failed, 7 passed, 5 skipped, 1 xfailed" in said
    assert "Traceback" not in said


def test_a_test_explorer_runs_one_practice(explorer: Path) -> None:
    said = ask(explorer, "handoff.toml::types-checked[ml-engineering]")
    assert "1 failed" in said
    for part in ("mypy found one error.", "src/trips/a.py:7", "→ Run `poe types-checked`."):
        assert part in said


def test_a_selection_of_tests_collects_no_practices(explorer: Path) -> None:
    assert "1 passed" in ask(explorer, "test_own.py")


def test_folders_of_tests_as_an_editor_names_them_collect_practices_too(explorer: Path) -> None:
    (explorer / "tests/unit").mkdir(parents=True)
    (explorer / "tests/unit/test_deep.py").write_text("def test_deep(): pass\n")
    said = ask(explorer, "tests", "--collect-only")
    assert "Function test_deep" in said
    assert "PracticeItem types-checked[ml-engineering]" in said
    assert "PracticeItem" not in ask(explorer, "tests/unit", "--collect-only")


@pytest.mark.parametrize("named", [[], ["tests"], ["."]])
def test_a_run_that_is_recorded_as_evidence_collects_no_practices(
    explorer: Path, tmp_path: Path, named: list[str]
) -> None:
    (explorer / "tests").mkdir()
    (explorer / "tests/test_more.py").write_text("def test_more(): pass\n")
    said = ask(explorer, *named, HANDOFF_COUNTS=str(tmp_path / "counts.json"))
    assert "test_more" in said
    assert "handoff.toml" not in said
