"""The engine's wheel: its content, its entry in the lock, and its update."""

import os
import re
import shutil
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.baton import (
    ROOT,
    Workshop,
    commit,
    export,
    files,
    git,
    render,
    run,
    update,
)
from tools.wheel import STANDARDS, stale, wheel, write


@pytest.fixture
def locked(workshop: Workshop, tmp_path: Path) -> Path:
    """Return a project with a lock."""

    def make(folder: Path) -> None:
        shutil.copytree(workshop.project({}), folder)
        run(["uv", "lock", "--quiet"], folder)

    return shutil.copytree(workshop.once("locked", make), tmp_path / "project")


def wheel_of(project: Path) -> Path:
    (found,) = (project / "standards").glob("*.whl")
    return found


def test_the_wheel_equals_a_new_build_of_the_engine() -> None:
    assert stale(ROOT) == []


def test_the_wheel_does_not_depend_on_folder_times_and_modes(tmp_path: Path) -> None:
    elsewhere = export(tmp_path / "another folder")
    for path in (elsewhere / "handoff").rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o700)
    mask = os.umask(0o077)
    try:
        assert wheel(elsewhere) == wheel(ROOT)
    finally:
        os.umask(mask)


def test_an_edit_of_the_engine_changes_the_version(tmp_path: Path) -> None:
    template = export(tmp_path)
    edit(template)
    before, after = wheel(ROOT)[0], wheel(template)[0]
    assert before.partition("+")[0] == after.partition("+")[0]
    assert {path.name for path in stale(template)} == {after, before, "pyproject.toml"}
    write(template)
    assert stale(template) == []
    assert [path.name for path in (template / STANDARDS).glob("*.whl")] == [after]
    assert f'path = "{after}"' in (template / STANDARDS / "pyproject.toml").read_text()


def test_git_stores_a_wheel_as_a_delta_of_the_previous_one() -> None:
    with zipfile.ZipFile(ROOT / STANDARDS / wheel(ROOT)[0]) as archive:
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}


def test_the_lock_names_the_wheel_by_a_relative_path_and_its_hash(locked: Path) -> None:
    packages = tomllib.loads((locked / "uv.lock").read_text(encoding="utf-8"))["package"]
    (engine,) = (one for one in packages if one["name"] == "baton-handoff")
    name = wheel_of(locked).name
    assert engine["source"] == {"path": f"standards/{name}"}
    assert [one["hash"].partition(":")[0] for one in engine["wheels"]] == ["sha256"]


def test_a_manipulated_wheel_is_refused(locked: Path) -> None:
    with zipfile.ZipFile(wheel_of(locked), "a") as archive:
        archive.writestr("baton_handoff/more.py", "")
    done = run(
        ["uv", "sync", "--locked", "--quiet", "--only-group", "service"], locked, check=False
    )
    assert done.returncode == 1
    assert "Hash mismatch for `baton-handoff" in done.stderr


def test_a_moved_project_installs_offline(locked: Path, environment: Path, tmp_path: Path) -> None:
    assert environment.exists()  # its packages are in uv's cache
    moved = locked.rename(tmp_path / "moved")
    command = ["uv", "sync", "--locked", "--offline", "--quiet", "--no-default-groups"]
    run([*command, "--no-install-project"], moved)
    assert "usage: handoff" in run([".venv/bin/handoff", "--help"], moved).stdout


def test_an_update_changes_the_lock_and_no_file_of_the_project(tmp_path: Path) -> None:
    template = export(tmp_path / "template")
    commit(template, "v1.0.0")
    git(template, "tag", "v1.0.0")
    project = render(template, tmp_path / "project", {})
    run(["uv", "lock", "--quiet"], project)
    commit(project, "first")
    edit(template)
    write(template)
    newer = wheel(template)[0]
    commit(template, "v1.0.1")
    git(template, "tag", "v1.0.1")
    before = files(project)
    update(project)
    assert run(["uv", "lock", "--check"], project, check=False).returncode
    run(["uv", "lock", "--quiet", "--offline"], project)
    after = files(project)
    assert wheel_of(project).name == newer
    changed = {path for path in before | after if before.get(path) != after.get(path)}
    assert {path for path in changed if not path.startswith("standards/")} == {
        ".copier-answers.yml",
        "uv.lock",
    }


def test_a_team_can_run_a_checkout_of_the_engine(locked: Path, tmp_path: Path) -> None:
    checkout = shutil.copytree(ROOT / "handoff", tmp_path / "engine")
    sources = "[tool.uv.sources]\n"
    override, source = checkout_lines()
    pyproject = locked / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8").replace(
        sources, f"[tool.uv]\n{override}\n\n{sources}{source}\n"
    )
    pyproject.write_text(text.replace("../baton/handoff", checkout.as_posix()), encoding="utf-8")
    run(["uv", "lock", "--quiet"], locked)
    run(["uv", "sync", "--quiet", "--no-default-groups", "--no-install-project"], locked)
    where = "import baton_handoff; print(baton_handoff.__file__)"
    place = run([".venv/bin/python", "-c", where], locked).stdout
    assert Path(place.strip()).is_relative_to(checkout)


def checkout_lines() -> tuple[str, str]:
    """Return the two lines for pyproject.toml from handoff/README.md."""
    text = (ROOT / "handoff/README.md").read_text(encoding="utf-8")
    override, source = re.findall(r"(?m)^(override-dependencies = .*|baton-handoff = .*)$", text)
    return override, source


def edit(template: Path) -> None:
    """Change the engine of a template without a new version."""
    module = template / "handoff/src/baton_handoff/__init__.py"
    module.write_text(module.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
