"""Commands start the programs of their own environment, active or not."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from baton_handoff.core.command import in_one_sentence
from baton_handoff.core.environments import use_own_programs


@pytest.mark.parametrize("before", [(), ("own",), ("own", "other")])
def test_the_programs_beside_the_interpreter_are_found_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: Sequence[str]
) -> None:
    """Also if another environment is active, or another folder has been put in front."""
    own, other = tmp_path / "own", tmp_path / "other"
    for folder in (own, other):
        folder.mkdir()
        (folder / "dvc").write_text(f"#!/bin/sh\necho {folder.name}\n")
        (folder / "dvc").chmod(0o755)
    shutil.copy(shutil.which("sh") or "/bin/sh", other)
    path = [str(other), *(str(tmp_path / name) for name in before), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(path))
    monkeypatch.setattr(sys, "executable", str(own / "python"))
    use_own_programs()
    assert subprocess.check_output(["dvc"], text=True) == "own\n"
    path_once = os.environ["PATH"]
    use_own_programs()
    assert os.environ["PATH"] == path_once


def test_a_missing_program_is_an_error_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    def start() -> None:
        subprocess.run(["no-such-program"], check=True)

    assert in_one_sentence(start) == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith("The program 'no-such-program' is not installed: ")
    assert complaint.count("\n") == 1


def test_a_missing_file_is_not_taken_for_a_program(tmp_path: Path) -> None:
    def read() -> None:
        (tmp_path / "absent").read_text()

    with pytest.raises(FileNotFoundError):
        in_one_sentence(read)
