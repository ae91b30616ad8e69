"""A plugin of pytest's: it writes down how many tests of each file passed, failed or were skipped.

A notebook that stops half-way is written down as one that fails, and turns nothing red: notebooks
never block. Only where `HANDOFF_COUNTS` names a file; the command that records test runs loads it.
"""

import json
import os
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

COUNTS = "HANDOFF_COUNTS"
"""The environment variable that names the file to write to."""

_FROM_WORST = ("failed", "skipped", "passed")


class Counts:
    """How many tests of each file passed, failed or were skipped."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._worst: dict[str, str] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let a notebook that stops be known, and nothing more."""
        report = yield
        if report.failed and item.path.suffix == ".ipynb":
            self._worst[report.nodeid] = "failed"
            report.outcome = "skipped"
            # By this name pytest knows what was expected to fail.
            setattr(report, "wasxfail", "a notebook never blocks")  # noqa: B010
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst of what came of a test: set-up, the test itself, tear-down."""
        before = self._worst.get(report.nodeid, "passed")
        self._worst[report.nodeid] = min(before, report.outcome, key=_FROM_WORST.index)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that can't be read is one that fails."""
        if report.failed:
            self._worst[report.nodeid] = "failed"

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write it down; what was to run and has not, for the run broke off, is `unrun`."""
        for item in getattr(session, "items", ()):
            self._worst.setdefault(item.nodeid, "unrun")
        counts: dict[str, Counter[str]] = {}
        for test, outcome in self._worst.items():
            counts.setdefault(test.partition("::")[0], Counter())[outcome] += 1
        self._file.write_text(json.dumps(counts), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Count, where somebody wants to know."""
    if file := os.environ.get(COUNTS):
        config.pluginmanager.register(Counts(Path(file)), "handoff-counts")
