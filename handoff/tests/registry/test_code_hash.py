"""The code hash depends on the code that a model needs, and on no other."""

from pathlib import Path

import pytest

from baton_handoff.registry.code_hash import code_files, code_hash


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A package with a file in every room."""
    for room in ("", "contracts", "features", "model", "training", "serving", "monitoring"):
        (tmp_path / room).mkdir(exist_ok=True)
        (tmp_path / room / "__init__.py").write_bytes(b"")
    (tmp_path / "features" / "build.py").write_bytes(b"A = 1\nB = 2\n")
    return tmp_path


@pytest.mark.parametrize("room", ["", "contracts", "features", "model"])
def test_code_of_the_model_changes_the_hash(source: Path, room: str) -> None:
    before = code_hash(source)
    (source / room / "__init__.py").write_bytes(b"# changed\n")
    assert code_hash(source) != before


@pytest.mark.parametrize("room", ["training", "serving", "monitoring"])
def test_other_code_does_not_change_the_hash(source: Path, room: str) -> None:
    before = code_hash(source)
    (source / room / "__init__.py").write_bytes(b"# changed\n")
    (source / room / "new.py").write_bytes(b"")
    assert code_hash(source) == before


def test_adding_renaming_and_removing_a_file_changes_the_hash(source: Path) -> None:
    hashes = [code_hash(source)]
    (source / "model" / "deep").mkdir()
    new = source / "model" / "deep" / "new.py"
    new.write_bytes(b"")
    hashes.append(code_hash(source))
    new.rename(new.with_name("renamed.py"))
    hashes.append(code_hash(source))
    (source / "features" / "build.py").unlink()
    hashes.append(code_hash(source))
    assert len(set(hashes)) == 4


def test_line_endings_do_not_change_the_hash(source: Path) -> None:
    before = code_hash(source)
    (source / "features" / "build.py").write_bytes(b"A = 1\r\nB = 2\r\n")
    assert code_hash(source) == before


def test_moving_text_between_files_changes_the_hash(source: Path) -> None:
    (source / "model" / "a.py").write_bytes(b"X")
    (source / "model" / "b.py").write_bytes(b"Y")
    before = code_hash(source)
    (source / "model" / "a.py").write_bytes(b"XY")
    (source / "model" / "b.py").write_bytes(b"")
    assert code_hash(source) != before


def test_files_that_python_writes_are_not_code(source: Path) -> None:
    before = code_files(source)
    (source / "model" / "__pycache__").mkdir()
    (source / "model" / "__pycache__" / "x.cpython-311.pyc").write_bytes(b"")
    assert code_files(source) == before
