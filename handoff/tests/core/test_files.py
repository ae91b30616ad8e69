"""Files are found in the folders above, written atomically, and parsed with line numbers."""

from pathlib import Path

import pytest

from baton_handoff.core.errors import UnreadableError
from baton_handoff.core.files import (
    find_upwards,
    replace_atomically,
    replace_folder,
    write_atomically,
)
from baton_handoff.core.toml_files import parse_toml
from baton_handoff.core.yaml_files import parse_json_yaml, parse_yaml


def test_the_file_of_the_nearest_folder_is_found(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert find_upwards("no-such-file.toml", inner) is None
    (tmp_path / "x.toml").touch()
    assert find_upwards("x.toml", inner) == tmp_path / "x.toml"
    (tmp_path / "a" / "x.toml").touch()
    assert find_upwards("x.toml", inner) == tmp_path / "a" / "x.toml"


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "file.txt"
    write_atomically(file, "one\n")
    write_atomically(file, "two\n")
    assert file.read_bytes() == b"two\n"
    assert list(tmp_path.iterdir()) == [file]


def test_a_failed_write_leaves_the_file_unchanged(tmp_path: Path) -> None:
    file = tmp_path / "file.txt"
    write_atomically(file, "one\n")

    def fail_halfway() -> None:
        with replace_atomically(file) as unfinished:
            unfinished.write_text("tw")
            raise OSError

    with pytest.raises(OSError):  # noqa: PT011
        fail_halfway()
    assert file.read_text() == "one\n"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("former", [True, False], ids=["replaced", "new"])
def test_a_folder_is_replaced_as_a_whole(tmp_path: Path, former: bool) -> None:
    folder = tmp_path / "parent" / "folder"
    if former:
        folder.mkdir(parents=True)
        (folder / "old").touch()
    with replace_folder(folder) as unfinished:
        unfinished.mkdir()
        (unfinished / "new").touch()
        assert folder.exists() == former
    assert [file.name for file in folder.iterdir()] == ["new"]
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize("fails", [True, False], ids=["fails", "makes nothing"])
def test_a_folder_stays_if_the_block_fails_or_makes_nothing(tmp_path: Path, fails: bool) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "old").touch()

    def make() -> None:
        with replace_folder(folder) as unfinished:
            if fails:
                unfinished.mkdir()
                raise OSError

    if fails:
        with pytest.raises(OSError):  # noqa: PT011
            make()
    else:
        make()
    assert [file.name for file in folder.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [folder]


def test_invalid_toml_is_an_error_with_its_line() -> None:
    with pytest.raises(UnreadableError, match="at line 2") as caught:
        parse_toml("a = 1\nb = \n")
    assert (caught.value.reason, caught.value.line) == ("Invalid value", 2)
    with pytest.raises(UnreadableError) as caught:
        parse_toml("a = 1\nb = ")
    assert caught.value.line == 2


def test_invalid_yaml_is_an_error_with_its_line() -> None:
    with pytest.raises(UnreadableError) as caught:
        parse_yaml("a: 1\nb: [c, {d\n")
    assert caught.value.line == 3


def test_keys_and_dates_are_text_in_yaml_for_a_json_schema() -> None:
    assert parse_json_yaml("1: 2026-11-29\n") == {"1": "2026-11-29"}


def test_tags_of_a_provider_are_ignored() -> None:
    assert parse_yaml("a: !reference [b, c]\n") == {"a": ["b", "c"]}
