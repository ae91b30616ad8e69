"""The engine in the tree of a project."""

import zipfile
from pathlib import Path

import pytest

from baton_handoff.config.standards import ENGINE, engine_text, unpack_engine
from baton_handoff.core.errors import HandoffError

MODULE = "baton_handoff/__init__.py"


def add_wheel(root: Path, **files: str) -> None:
    """Put a wheel with some files into a tree."""
    (root / "standards").mkdir()
    with zipfile.ZipFile(root / "standards/baton_handoff-1.2.0-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)


def test_the_practices_are_read_from_the_wheel(tmp_path: Path) -> None:
    add_wheel(tmp_path, **{"baton_handoff/any/practices.toml": "sections = []\n"})
    assert engine_text(tmp_path, "practices.toml") == "sections = []\n"


def test_the_practices_of_a_tree_before_1_0_are_read_from_its_sources(tmp_path: Path) -> None:
    folder = tmp_path / "standards/handoff/src/baton_handoff/practices"
    folder.mkdir(parents=True)
    (folder / "practices.toml").write_text("sections = []\n")
    assert engine_text(tmp_path, "practices.toml") == "sections = []\n"


def test_a_tree_without_an_engine_has_no_practices(tmp_path: Path) -> None:
    assert engine_text(tmp_path, "practices.toml") == ""


def test_the_error_of_a_damaged_wheel_names_it(tmp_path: Path) -> None:
    (tmp_path / "standards").mkdir()
    (tmp_path / "standards/baton_handoff-1.2.0-py3-none-any.whl").write_text("broken")
    with pytest.raises(
        ValueError, match=r"baton_handoff-1\.2\.0-py3-none-any\.whl is not a valid wheel"
    ):
        engine_text(tmp_path, "practices.toml")


def test_a_damaged_wheel_is_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "standards").mkdir()
    (tmp_path / "standards/baton_handoff-1.2.0-py3-none-any.whl").write_text("broken")
    with pytest.raises(HandoffError, match="is damaged: restore the file from git"):
        unpack_engine(tmp_path)


def test_the_unpacked_engine_can_be_imported(tmp_path: Path) -> None:
    add_wheel(tmp_path, **{MODULE: "x = 1\n"})
    unpack_engine(tmp_path)
    assert (tmp_path / ENGINE[0] / MODULE).read_text() == "x = 1\n"
