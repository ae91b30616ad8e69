"""A pytest plugin that counts the passed, failed and skipped tests of each file.

It writes the counts to the file that `HANDOFF_COUNTS` names; the command that records test runs
sets it. A notebook that stops counts as failed, but does not fail the run: notebooks never block.
"""

import json
import os
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

from baton_handoff.source_code.modules import ARCHIVE

COUNTS = "HANDOFF_COUNTS"
"""The environment variable that names the file to write to."""

_FROM_WORST = ("failed", "skipped", "passed")


class Counts:
    """The numbers of passed, failed and skipped tests in each file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._worst: dict[str, str] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Count a notebook that stops as failed, and report it as expected."""
        report = yield
        if report.failed and item.path.suffix == ".ipynb":
            self._worst[report.nodeid] = "failed"
            report.outcome = "skipped"
            # pytest reads this attribute of tests that are expected to fail.
            setattr(report, "wasxfail", "a notebook never blocks")  # noqa: B010
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst outcome of set-up, test and tear-down."""
        before = self._worst.get(report.nodeid, "passed")
        self._worst[report.nodeid] = min(before, report.outcome, key=_FROM_WORST.index)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count a file that can't be collected as failed."""
        if report.failed:
            self._worst[report.nodeid] = "failed"

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the counts; collected tests that did not run, after an early end, are `unrun`."""
        for item in getattr(session, "items", ()):
            self._worst.setdefault(item.nodeid, "unrun")
        counts: dict[str, Counter[str]] = {}
        for test, outcome in self._worst.items():
            counts.setdefault(test.partition("::")[0], Counter())[outcome] += 1
        self._file.write_text(json.dumps(counts), encoding="utf-8")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out archived notebooks, unless they are asked for."""
    is_archived = collection_path.is_relative_to(config.rootpath / ARCHIVE)
    asked = any(ARCHIVE.rstrip("/") in argument for argument in config.args)
    return True if is_archived and not asked else None


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin if `HANDOFF_COUNTS` is set; run notebooks in this environment."""
    # A notebook names the kernel of its author's machine, `conda-env-x` for example.
    if getattr(config.option, "nbmake_kernel", "") is None:
        config.option.nbmake_kernel = "python3"
    if file := os.environ.get(COUNTS):
        config.pluginmanager.register(Counts(Path(file)), "handoff-counts")
