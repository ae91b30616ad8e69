"""One run of pytest on a tree, and a typed record of what fails there.

It runs in a fork, or as a script in an environment that has another version of this package. So it
imports nothing of this package.
"""

import faulthandler
import gc
import json
import linecache
import os
import random
import sys
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, Any

import pytest

_OPTIONS = (
    "-q",
    "--continue-on-collection-errors",
    # pytest's own traceback style reads every file of a traceback anew for each test that fails.
    "--tb=native",
    "--override-ini=addopts=--import-mode=importlib",
    # Its timer is the one that the recorder uses.
    "-pno:faulthandler",
)

_UNUSED = ("cacheprovider", "hydra_pytest", "nbmake", "pytest-bdd", "schemathesis")
"""Plugins of the environment that contract tests don't use: importing them takes longer than the
tests."""


_GRACE = 5.0
"""The seconds that a process may take to end after its tests."""


class Recorder:
    """A plugin of pytest that writes a line of JSON for each event.

    The lines of a run that was killed remain.

    Args:
        tree: The folder of the tree.
        record: The file for the events.
        stack: The file for the stack of a run that crashes or takes too long.
        limit: The seconds that a test or the import of a file may take.
    """

    def __init__(self, tree: Path, record: IO[str], stack: IO[str], limit: float) -> None:
        self._tree, self._record, self._stack, self._limit = tree, record, stack, limit
        self._process, self._exit = os.getpid(), os._exit
        faulthandler.enable(stack)
        os._exit = self._exit_by_code  # type: ignore[assignment]

    def begin(self, item: str) -> None:
        """Note what begins; the process is killed if it takes too long."""
        self._write("begin", item)
        faulthandler.dump_traceback_later(self._limit, exit=True, file=self._stack)

    def end(self, code: int) -> None:
        """Note that pytest has ended, with its exit code.

        The process is killed if threads or handlers that the code has left keep it from ending.
        """
        self._write("end", "", status=code)
        os._exit = self._exit
        faulthandler.dump_traceback_later(_GRACE, exit=True)

    @pytest.hookimpl(wrapper=True)
    def pytest_load_initial_conftests(self) -> Generator[None, None, None]:
        """Record an error in the first conftest.py, after which pytest stops without a report."""
        self.begin("")
        try:
            return (yield)
        except BaseException as error:
            self._failed("", error)
            raise

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Record an error in a file with tests."""
        self.begin(collector.nodeid)
        try:
            report = yield
        except BaseException as error:
            self._failed("", error)
            raise
        call = getattr(report, "call", None)
        if report.failed and call and call.excinfo:
            self._failed(collector.nodeid, call.excinfo.value)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note which test begins."""
        self.begin(item.nodeid)
        self._write("test", item.nodeid)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: "pytest.CallInfo[None]"
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Record a test that fails."""
        report = yield
        if report.failed:
            error = call.excinfo.value if call.excinfo else AssertionError(str(report.longrepr))
            self._failed(item.nodeid, error)
        return report

    def _failed(self, item: str, error: BaseException) -> None:
        # pytest wraps an error in a conftest.py or in a file with tests.
        wrapped = getattr(error, "cause", None) or error.__cause__
        if type(error).__name__ in ("ConftestImportFailure", "CollectError") and wrapped:
            error = wrapped
        text = str(error).replace(f"{self._tree}{os.sep}", "").strip().partition("\n")[0]
        kind = type(error).__qualname__
        message = text if isinstance(error, AssertionError) and text else f"{kind}: {text}"
        self._write("failed", item, exception=kind, message=message, **self._place(error))

    def _place(self, error: BaseException) -> dict[str, Any]:
        if isinstance(error, SyntaxError) and (file := self._in_tree(error.filename or "")):
            code = (error.text or "").strip()
            return {"file": file, "line": error.lineno, "function": "", "code": code}
        trace, frames = error.__traceback__, []
        while trace:
            frames.append((trace.tb_frame, trace.tb_lineno))
            trace = trace.tb_next
        return self._deepest(frames)

    def _deepest(self, frames: Sequence[tuple[FrameType, int]]) -> dict[str, Any]:
        """The last of some frames that is in the package, or else in the tests."""
        own = [
            (file, line, frame)
            for frame, line in frames
            if (file := self._in_tree(frame.f_code.co_filename))
        ]
        last = [one for one in own if one[0].startswith("src/")] or own
        if not last:
            return {}
        file, line, frame = last[-1]
        code = linecache.getline(frame.f_code.co_filename, line).strip()
        return {"file": file, "line": line, "function": frame.f_code.co_qualname, "code": code}

    def _in_tree(self, file: str) -> str:
        """A path relative to the tree, empty if it is outside."""
        try:
            return Path(file).relative_to(self._tree).as_posix()
        except ValueError:
            return ""

    def _exit_by_code(self, code: int) -> None:
        # A test may fork; its children end in this way, too.
        if os.getpid() == self._process:
            frames = [*_callers(sys._getframe(1))][::-1]
            self._write("exit", "", status=code, **self._deepest(frames))
        self._exit(code)

    def _write(self, event: str, item: str, **more: object) -> None:
        print(json.dumps({"event": event, "item": item, **more}), file=self._record, flush=True)


def _callers(frame: FrameType | None) -> Iterator[tuple[FrameType, int]]:
    while frame:
        yield frame, frame.f_lineno
        frame = frame.f_back


def run(tree: Path, places: Sequence[str], paths: Sequence[str], limit: float, out: Path) -> None:
    """Run tests in this process, which is only for them.

    Args:
        tree: The folder of the tree.
        places: The files and folders with tests, relative to the tree.
        paths: The folders from which to import first.
        limit: The seconds that a test or the import of a file may take.
        out: The folder for `record.jsonl`, `stack.txt` and pytest's `output.txt`.
    """
    with (
        (out / "record.jsonl").open("w", encoding="utf-8") as record,
        (out / "stack.txt").open("w", encoding="utf-8") as stack,
        (out / "output.txt").open("w", encoding="utf-8") as output,
    ):
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        os.chdir(tree)
        sys.path[:0] = [str(tree), *paths]
        sys.dont_write_bytecode = True
        # Otherwise the garbage collector of every fork searches all imported modules.
        gc.freeze()
        # A fork inherits the random state: with the same numbers a flaky test would look steady.
        random.seed()
        if numpy := sys.modules.get("numpy"):
            numpy.random.seed()
        recorder = Recorder(tree, record, stack, limit)
        unused = (f"-pno:{plugin}" for plugin in _UNUSED)
        try:
            code = int(pytest.main([*_OPTIONS, *unused, *places], plugins=[recorder]))
        except BaseException:  # noqa: BLE001 (recorded already, whatever it was)
            code = int(pytest.ExitCode.INTERRUPTED)
        recorder.end(code)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    run(Path(given["tree"]), given["places"], given["paths"], given["limit"], Path(given["out"]))
