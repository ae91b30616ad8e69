"""Whatever contracts do when they are imported, the answer is one sentence with file and line."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from baton_handoff.contracts.isolated_reader import (
    Obstacle,
    ReaderCache,
    UnreadableContractsError,
    reading,
    time_limit,
)
from baton_handoff.core.errors import UsageError

CONTRACT = """
import pandera.pandas as pa


class Trip(pa.DataFrameModel):
    seats: int = pa.Field(ge=1)

    class Config:
        metadata = {"version": "1.0.0"}


__all__ = ["Trip"]
"""


def package(folder: Path, text: str) -> Path:
    """A package `trips.contracts`, whose module `data` has a text."""
    contracts = folder / "src" / "trips" / "contracts"
    contracts.mkdir(parents=True)
    (contracts.parent / "__init__.py").touch()
    (contracts / "__init__.py").write_text("from .data import *\nfrom .data import __all__\n")
    (contracts / "data.py").write_text(text)
    return folder / "src"


CONFLICT = "<<<<<<< HEAD\nA = 1\n=======\nA = 2\n>>>>>>> other\n"
OBSTACLES = {
    "a syntax error": ("def f(:\n", Obstacle.IMPORT, 1, "SyntaxError"),
    "a bracket that is not closed": ("\n\nA = (1,\n", Obstacle.IMPORT, 3, "SyntaxError"),
    "conflict markers": (f"\n{CONFLICT}", Obstacle.IMPORT, 2, "conflict"),
    "conflict markers in a class": (
        "class A:\n    pass\n<<<<<<< HEAD\n    b = 1\n",
        Obstacle.IMPORT,
        3,
        "conflict",
    ),
    "an error": ("\nA = 1 / 0\n", Obstacle.IMPORT, 2, "ZeroDivisionError"),
    "an error in a library": ("import json\njson.loads('{')\n", Obstacle.IMPORT, 2, "JSONDecode"),
    "sys.exit": ("import sys\n\nsys.exit(3)\n", Obstacle.IMPORT, 3, "sys.exit(3)"),
    "sys.exit without a code": ("raise SystemExit\n", Obstacle.IMPORT, 1, "sys.exit(None)"),
    "os._exit": ("import os\nos._exit(0)\n", Obstacle.IMPORT, 2, "os._exit(0)"),
    "os.abort": ("import os\n\n\nos.abort()\n", Obstacle.CRASH, 4, "signal 6"),
    "a kill": ("import os\nos.kill(os.getpid(), 9)\n", Obstacle.CRASH, None, "signal 9"),
    "a pause": ("import time\ntime.sleep(600)\n", Obstacle.TIME, 2, "HANDOFF_CONTRACTS_SECONDS"),
    "a loop": ("while True:\n    pass\n", Obstacle.TIME, None, "HANDOFF_CONTRACTS_SECONDS"),
}


@pytest.mark.parametrize("name", OBSTACLES)
def test_an_obstacle_is_one_sentence_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    text, obstacle, line, words = OBSTACLES[name]
    source = package(tmp_path, text)
    if obstacle is Obstacle.TIME:
        monkeypatch.setenv("HANDOFF_CONTRACTS_SECONDS", "0.5")
    with (
        pytest.raises(UnreadableContractsError) as caught,
        reading(source, "trips.contracts", "the working directory") as reader,
    ):
        assert reader.contracts
    error = caught.value
    assert error.obstacle is obstacle
    if line:
        assert (error.file, error.line) == ("trips/contracts/data.py", line)
        assert f"src/trips/contracts/data.py:{line}: " in str(error)
    assert words in str(error)
    assert "\n" not in str(error)


OUTPUT = {
    "print": "print('x' * 200_000)\n",
    "the file descriptor": "import os\nos.write(1, b'{\"read\": {}}\\n' * 1000)\n",
    "a program": "import subprocess\nsubprocess.run(['echo', '{}'], check=True)\n",
    "what it reads": "import sys\nassert sys.stdin.read() == ''\n",
    "the last line": "import atexit\natexit.register(print, '{}')\n",
}


@pytest.mark.parametrize("name", OUTPUT)
def test_what_contracts_print_is_no_part_of_the_answer(tmp_path: Path, name: str) -> None:
    source = package(tmp_path, OUTPUT[name] + CONTRACT)
    with reading(source, "trips.contracts", "the working directory") as reader:
        assert list(reader.contracts) == ["Trip"]
        assert reader.accepts("Trip", [[{"seats": 0}], [{"seats": 1}]])() == [False, True]


def test_a_check_that_hangs_has_the_same_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = "    @pa.dataframe_check\n    def rule(cls, table):\n        while True: pass\n\n"
    source = package(tmp_path, CONTRACT.replace("    class Config", f"{rule}    class Config"))
    monkeypatch.setenv("HANDOFF_CONTRACTS_SECONDS", "10")
    with (
        pytest.raises(UnreadableContractsError),
        reading(source, "trips.contracts", "the working directory") as reader,
    ):
        reader.accepts("Trip", [[{"seats": 1}]])()


@pytest.mark.parametrize("stated", ["soon", "0", "-1", "nan"])
def test_a_limit_that_is_no_time_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, stated: str
) -> None:
    monkeypatch.setenv("HANDOFF_CONTRACTS_SECONDS", stated)
    with pytest.raises(UsageError, match="HANDOFF_CONTRACTS_SECONDS"):
        time_limit()


def test_comparing_imports_no_dataframe_library() -> None:
    code = (
        "import sys, baton_handoff.contracts.diff;"
        "assert not {'pandas', 'polars', 'pandera', 'mlflow'} & set(sys.modules)"
    )
    subprocess.run(["python", "-c", code], check=True)


def test_what_was_read_is_kept_for_one_tree_and_one_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, kept = package(tmp_path, CONTRACT), tmp_path / "kept.json"
    with reading(source, "trips.contracts", "it", ReaderCache(kept, "a", "trips.contracts")) as it:
        first = it.tables
    assert [*first] == ["Trip"]
    started: list[object] = []
    popen = subprocess.Popen

    def counted(command: list[str], **options: Any) -> Any:
        started.append(command)
        return popen(command, **options)

    monkeypatch.setattr(subprocess, "Popen", counted)
    with reading(source, "trips.contracts", "it", ReaderCache(kept, "a", "trips.contracts")) as it:
        assert (it.tables, started) == (first, [])
        # Rows are judged by the contracts themselves.
        assert it.accepts("Trip", [[{"seats": 1}], [{"seats": 0}]])() == [True, False]
        assert len(started) == 1
    for other in (ReaderCache(kept, "b", "trips.contracts"), ReaderCache(kept, "a", "c")):
        assert other.load() is None
    kept.write_text("broken")
    with reading(source, "trips.contracts", "it", ReaderCache(kept, "a", "trips.contracts")) as it:
        assert it.tables == first
