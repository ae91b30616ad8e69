"""The service fetches a version in another process, whose result is data."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from baton_handoff.core.errors import HandoffError
from baton_handoff.registry import fetch_process
from baton_handoff.serving.hot_reload import fetched_folder


def process(code: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", code], stdout=pipe, stderr=pipe, text=True)


def prints(**result: str) -> "subprocess.Popen[str]":
    return process(f"print('a warning of a library'); print({json.dumps(result)!r})")


def test_the_folder_is_returned_and_a_warning_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert fetched_folder(prints(folder="/a/b", warning="")) == Path("/a/b")
    assert caplog.messages == []
    assert fetched_folder(prints(folder="/a/b", warning="the alias moved")) == Path("/a/b")
    assert caplog.messages == ["the alias moved"]


def test_an_error_of_the_engine_is_raised_again() -> None:
    with pytest.raises(HandoffError, match=r"^There is no version\.$"):
        fetched_folder(prints(error="There is no version."))


def test_a_crash_is_reported_with_its_last_line() -> None:
    with pytest.raises(HandoffError, match=r"can't be read: ValueError: no such thing$"):
        fetched_folder(process("raise ValueError('no such thing')"))


def test_the_process_reports_a_missing_project_as_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = fetch_process.fetch_result("candidate")
    assert list(result) == ["error"]
    assert str(tmp_path) in result["error"]
