"""The example of a request can be sent as it is, with a command that can be copied."""

import json
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest

from baton_handoff.contracts.request_example import EXAMPLE, request_command, request_example


@pytest.mark.parametrize("value", ['Köln "x"', 1, 0.5, None, True])
def test_an_example_contains_the_rows_as_the_service_reads_them(value: object) -> None:
    row = {"a": value, "at": datetime(2026, 1, 2, tzinfo=UTC)}
    body = json.loads(request_example([row]))
    assert body == {"rows": [{"a": value, "at": "2026-01-02T00:00:00+00:00"}]}


def test_the_command_names_the_file_and_the_address(tmp_path: Path) -> None:
    assert request_command(tmp_path, "http://127.0.0.1:8000") is None
    (tmp_path / EXAMPLE).parent.mkdir(parents=True)
    (tmp_path / EXAMPLE).touch()
    command = shlex.split(request_command(tmp_path, "http://127.0.0.1:8000") or "")
    assert command[0] == "curl"
    assert f"@{EXAMPLE}" in command
    assert command[-1] == "http://127.0.0.1:8000/predict"
