"""Commands start the programs of their own environment, active or not."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from baton_handoff.core.command import in_one_sentence
from baton_handoff.core.environments import (
    programs_of_another_place,
    repair_programs,
    use_own_programs,
)


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


LAUNCHED = {
    "a short path": "p",
    "a space": "a project",
    "letters of other languages": "größe",
    "per cent": "100%",
    "longer than a kernel takes": "long" * 60,
}


def environment_with(folder: Path, starts: Path) -> Path:
    """An environment with a program, whose first line names the Python of `starts`."""
    programs = folder / "bin"
    programs.mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (programs / "python").symlink_to(sys.executable)
    (programs / "activate").write_text(f"VIRTUAL_ENV='{starts}'\n")
    (programs / "tool").write_text(f"#!{starts}/bin/python\nimport sys\nprint(sys.argv[1])\n")
    (programs / "tool").chmod(0o755)
    return folder


@pytest.mark.parametrize("name", LAUNCHED)
def test_a_copied_environment_is_recognised_and_repaired(tmp_path: Path, name: str) -> None:
    environment = environment_with(tmp_path / LAUNCHED[name] / ".venv", tmp_path / "p0/.venv")
    tool = environment / "bin/tool"
    assert [*programs_of_another_place(environment)] == [tool]
    assert repair_programs(environment) == 1
    assert subprocess.check_output([tool, "it runs"], text=True) == "it runs\n"
    assert str(environment) in (environment / "bin/activate").read_text()
    assert repair_programs(environment) == 0
    # Moved once more: also the longer form is recognised.
    moved = environment.rename(tmp_path / "moved")
    assert [*programs_of_another_place(moved)] == [moved / "bin/tool"]
    assert repair_programs(moved) == 1
    assert subprocess.check_output([moved / "bin/tool", "again"], text=True) == "again\n"


def test_an_environment_in_its_own_place_and_a_systems_python_are_left_alone(
    tmp_path: Path,
) -> None:
    environment = environment_with(tmp_path / ".venv", tmp_path / ".venv")
    assert not programs_of_another_place(environment)
    (tmp_path / "link").symlink_to(environment)
    assert not programs_of_another_place(tmp_path / "link")
    (environment / "pyvenv.cfg").unlink()
    environment.rename(tmp_path / "usr")
    assert not programs_of_another_place(tmp_path / "usr")
