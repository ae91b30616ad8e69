"""Practices as tests of a project: `pytest -p baton_handoff.integrations.pytest_plugin`.

The test explorer of an IDE shows one test for each practice and side, below `handoff.toml`.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from baton_handoff.config.project import read_project
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.evidence.counting_plugin import COUNTS
from baton_handoff.policy.practices.assessment import PracticeResult, State
from baton_handoff.policy.rendering.open_findings import describe_acceptance

_FILE = "handoff.toml"


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Collect practices too when all tests run, not for a selection of tests."""
    root = config.rootpath
    folders = [Path(config.invocation_params.dir, name) for name in config.args]
    selected = config.args_source is pytest.Config.ArgsSource.ARGS
    # VS Code runs all tests by naming the project's folders of tests.
    everything = all(folder.is_dir() and folder.parent == root for folder in folders)
    if (everything or not selected) and not _is_evidence() and (root / _FILE).is_file():
        config.args.append(str(root / _FILE))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the practices of the project's `handoff.toml`."""
    if file_path == parent.config.rootpath / _FILE and not _is_evidence():
        practices: PracticesFile = PracticesFile.from_parent(parent, path=file_path)
        return practices
    return None


def _is_evidence() -> bool:
    """True if this run is recorded as evidence: practices that read it must not be part of it."""
    return bool(os.environ.get(COUNTS))


class PracticesFile(pytest.File):
    """All practices of a project."""

    def collect(self) -> Iterable[pytest.Item]:
        """Yield a test for each practice and side."""
        # Imported here: pytest loads this module in each run, also without a project.
        from baton_handoff.policy.status.status import assess  # noqa: PLC0415

        try:
            assessment = assess(read_project(self.path))
        except HandoffError as error:
            raise self.CollectError(str(error)) from error
        for result in assessment.results:
            if result.tier != "not-needed" or result.practice.enforced:
                name = f"{result.practice.name}[{result.side}]"
                yield PracticeItem.from_parent(self, name=name, result=result)


class PracticeItem(pytest.Item):
    """One practice of one side."""

    def __init__(self, *, result: PracticeResult, **others: Any) -> None:
        super().__init__(**others)
        self.result = result

    def runtest(self) -> None:
        """Pass if the practice is met, fail if not, skip if it is not shown or not applicable."""
        result = self.result
        if result.excepted:
            pytest.xfail(describe_acceptance(result))
        match result.state:
            case State.NOT_APPLICABLE:
                pytest.skip(f"{result.state}: {result.message}")
            case State.NOT_SHOWN:
                pytest.skip(f"{result.state}: {result.message} → {result.remedy}")
            case State.NOT_MET:
                places = [
                    f"  {finding.file or ''}:{finding.line or ''} {finding.message}"
                    for finding in result.findings
                ]
                lines = [result.message, *places, f"→ {result.remedy}"]
                pytest.fail("\n".join(lines), pytrace=False)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the name of the practice for the report."""
        return self.path, 0, f"{self.result.practice.title} [{self.result.side}]"
