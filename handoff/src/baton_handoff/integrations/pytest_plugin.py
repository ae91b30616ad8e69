"""Practices among a project's tests: `pytest -p baton_handoff.integrations.pytest_plugin`.

An IDE's test explorer then shows one test for each practice and side, under `handoff.toml`.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from baton_handoff.config.project import read_project
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.evidence.counting_plugin import COUNTS
from baton_handoff.policy.practices.assessment import Assessment, PracticeResult, State
from baton_handoff.policy.rendering.open_findings import describe_acceptance

_FILE = "handoff.toml"


class NotMetError(Exception):
    """A practice that is not met; the sentences that say so."""


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Report practices too when all tests run, not for a selection of tests.

    VS Code names folders of the project for that, `tests`.
    """
    root = config.rootpath
    folders = {Path(config.invocation_params.dir, name) for name in config.args}
    named = config.args_source is pytest.Config.ArgsSource.ARGS
    whole = not named or all(one.is_dir() and one.parent == root for one in folders)
    if whole and not _recorded() and (root / _FILE).is_file():
        config.args.append(str(root / _FILE))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Practices are collected where the project says what it is."""
    if file_path == parent.config.rootpath / _FILE and not _recorded():
        practices: Practices = Practices.from_parent(parent, path=file_path)
        return practices
    return None


def _recorded() -> bool:
    """Whether the run is evidence itself: some practices read it, and would be judged by it."""
    return bool(os.environ.get(COUNTS))


class Practices(pytest.File):
    """All practices of a project."""

    def collect(self) -> Iterable[pytest.Item]:
        """One test for each practice and side of which it is asked."""
        try:
            assessment = _assessment(self.path)
        except HandoffError as error:
            raise self.CollectError(str(error)) from error
        for result in assessment.results:
            if result.tier != "not-needed" or result.practice.enforced:
                name = f"{result.practice.name}[{result.side}]"
                yield Shown.from_parent(self, name=name, result=result)


class Shown(pytest.Item):
    """One practice of one side."""

    def __init__(self, *, result: PracticeResult, **others: Any) -> None:
        super().__init__(**others)
        self.result = result

    def runtest(self) -> None:
        """Passes where it is met, fails where it is not, and is skipped where nobody knows."""
        result = self.result
        fix = result.fix or result.practice.fix
        if result.excepted:
            pytest.xfail(describe_acceptance(result))
        match result.state:
            case State.NOT_APPLICABLE:
                pytest.skip(f"{result.state}: {result.message}")
            case State.NOT_SHOWN:
                pytest.skip(f"{result.state}: {result.message} → {fix}")
            case State.NOT_MET:
                places = [
                    f"  {finding.file or ''}:{finding.line or ''} {finding.message}"
                    for finding in result.findings
                ]
                raise NotMetError("\n".join([result.message, *places, f"→ {fix}"]))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The sentences alone where a practice is not met."""
        if isinstance(excinfo.value, NotMetError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the name of the practice for the report."""
        return self.path, 0, f"{self.result.practice.title} [{self.result.side}]"


def _assessment(file: Path) -> Assessment:
    # Imported where it is asked for: pytest loads this module long before a project is known.
    from baton_handoff.policy.status.status import assess  # noqa: PLC0415

    return assess(read_project(file))
