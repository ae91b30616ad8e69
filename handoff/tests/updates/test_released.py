"""A setting of the standards with other content than its release is found, whatever the package."""

from pathlib import Path

import pytest

from baton_handoff.updates.released import Released, digest_of, parse_released, released

LAYERS = "[importlinter]\nroot_package = {}\nlayers =\n    (model)\n"
PYPROJECT = '[project]\nversion = "{}"\ndependencies = ["ruff=={}"]\n'


@pytest.fixture
def known(tmp_path: Path) -> Released:
    (tmp_path / "a.ini").write_text(LAYERS.format("{{ package_name }}"), encoding="utf-8")
    (tmp_path / "b.toml").write_text(PYPROJECT.format("1.0.0+ab", "1.0"), encoding="utf-8")
    digests = {name: digest_of(tmp_path / name) for name in ("a.ini", "b.toml")}
    return Released(digests, frozenset())


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_package_version_of_the_engine_and_line_ends_make_no_difference(
    known: Released, tmp_path: Path, end: str
) -> None:
    for name, text in {
        "a.ini": LAYERS.format("trips"),
        "b.toml": PYPROJECT.format("2.0.0+cd", "1.0"),
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8", newline=end)
    assert known.edited_in(tmp_path, "trips") == set()


def test_an_edited_and_a_missing_setting_are_found(known: Released, tmp_path: Path) -> None:
    (tmp_path / "a.ini").write_text(LAYERS.format("trips") + "    (ours)\n", encoding="utf-8")
    (tmp_path / "b.toml").write_text(PYPROJECT.format("1.0.0+ab", "2.0"), encoding="utf-8")
    assert known.edited_in(tmp_path, "trips") == {"a.ini", "b.toml"}
    (tmp_path / "b.toml").unlink()
    assert "b.toml" in known.edited_in(tmp_path, "trips")


def test_the_engine_knows_the_settings_that_judge_and_an_older_one_none() -> None:
    assert {"standards/ruff.toml", "standards/mypy.ini"} <= released().settings.keys()
    assert "starter" in released().fixed
    assert parse_released("").settings == {}
