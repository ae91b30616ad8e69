"""An error of the system is one sentence with its place, its cause and what to do."""

import errno
import os
from pathlib import Path

import pandas as pd
import pandera.pandas as pa
import pytest

from baton_handoff.core.command import in_one_sentence

CAUSES = {
    errno.EACCES: "Permission denied: let this user read and write it",
    errno.EPERM: "Operation not permitted: let this user read and write it",
    errno.EROFS: "Read-only file system: make its file system writable",
    errno.ENOSPC: "No space left on device: free disk space",
    errno.EDQUOT: "Disk quota exceeded: free disk space",
    errno.EISDIR: "Is a directory: a file belongs in the place of this folder",
    errno.ENOTDIR: "Not a directory: a folder belongs in the place of this file",
    errno.EMFILE: "Too many open files: raise the limit of open files",
    errno.ENAMETOOLONG: "File name too long: give the project's folder a shorter path",
}


@pytest.mark.parametrize("number", CAUSES)
def test_each_cause_has_its_own_remedy(capsys: pytest.CaptureFixture[str], number: int) -> None:
    def fail() -> None:
        raise OSError(number, os.strerror(number), "/project/.handoff")

    assert in_one_sentence(fail) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"/project/.handoff: {CAUSES[number]}")
    assert printed.count("\n") == 1


@pytest.mark.parametrize("place", ["folder", "file/inside"])
def test_a_folder_in_the_place_of_a_file_and_the_reverse_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")

    def write() -> None:
        (tmp_path / place).write_text("")

    assert in_one_sentence(write) == 2
    assert capsys.readouterr().err.startswith(f"{tmp_path / place}: ")


def test_an_error_that_the_machine_does_not_explain_keeps_its_traceback() -> None:
    def fail() -> None:
        raise OSError("of the engine's own")

    with pytest.raises(OSError, match="of the engine's own"):
        in_one_sentence(fail)


class Seats(pa.DataFrameModel):
    row: int = pa.Field(ge=1)
    seat: str = pa.Field(isin=["A", "B"])

    class Config:
        strict = True


@pytest.mark.parametrize(
    ("table", "lazy", "rules"),
    [
        ({"row": [-1] * 2000, "seat": "A"}, False, ["greater_than_or_equal_to(1) (2,000 values)"]),
        ({"row": [-1, 1], "seat": "C"}, True, ["(1 value)", "isin(['A', 'B']) (2 values)"]),
        ({"row": [1]}, False, ["column 'seat' not in dataframe"]),
        ({"row": [1], "seat": "A", "x": 1}, False, ["column 'x' not in"]),
        ({"row": ["one"], "seat": "A"}, False, ["'row' to have type int64"]),
    ],
    ids=["many values", "two rules", "missing", "too many", "type"],
)
def test_a_table_that_pandera_refuses_is_one_sentence_without_its_values(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    table: dict[str, object],
    lazy: bool,
    rules: list[str],
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    assert in_one_sentence(lambda: Seats.validate(pd.DataFrame(table), lazy=lazy) and None) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("tests/core/test_command.py:")
    assert "A table does not meet its contract: " in printed
    assert all(rule in printed for rule in rules), printed
    assert printed.count("\n") == 1
    assert "-1, -1" not in printed
