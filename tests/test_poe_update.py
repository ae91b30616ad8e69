"""`handoff update` brings new standards into edited projects, loses no line and can be undone."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import baton
from tests.baton import Workshop, commit, export, git, owner, owners, ownership, render
from tools.derive import write

pytestmark = pytest.mark.long

EXTRA = "standards/extra"
LINES = [f"line {number}" for number in range(1, 41)]
TEXT = "\n".join(LINES) + "\n"

NAMES = (
    *(
        "same",
        "adjacent",
        "far",
        "end",
        "crlf",
        "mode",
        "upstream",
        "moved",
        "deleted",
        "untouched",
    ),
    *("dropped", "dropped-plain", "retired", "retired-plain", "old-name", "returns", "linked"),
    *("becomes-folder", "made-folder", "odd name é"),
)
"""Template-owned files of the first version, 40 lines each."""

CHANGELOG = """\
# Changelog

## {version} - 2027-01-01

### What projects receive

#### To do, once

Tell your team about {version}.

- In `params.yaml`, replace `# old knobs` by `# new knobs`.

#### Changed

- The news of {version}
  go on here.

### This repository

- Nothing that projects see.
"""


def template_file(template: Path, name: str) -> Path:
    return template / "template" / EXTRA / f"{name}.txt"


def change_line(template: Path, names: tuple[str, ...], number: int, text: str) -> None:
    for name in names:
        file = template_file(template, name)
        lines = file.read_text(encoding="utf-8").splitlines()
        lines[number - 1] = text
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def tag(template: Path, version: str) -> None:
    (template / "CHANGELOG.md").write_text(CHANGELOG.format(version=version), encoding="utf-8")
    write(template)
    commit(template, version)
    git(template, "tag", version)


def make_versions(template: Path) -> None:
    """Three versions that change, add, drop, rename, retire and bring back files and folders."""
    export(template)
    for name in NAMES:
        template_file(template, name).parent.mkdir(exist_ok=True)
        template_file(template, name).write_text(TEXT, encoding="utf-8")
    folder = template / "template" / EXTRA / "folder"
    folder.mkdir()
    (folder / "inside.txt").write_text(TEXT, encoding="utf-8")
    tag(template, "v1.0.0")

    changed = ("same", "adjacent", "far", "end", "crlf", "mode", "upstream", "moved", "deleted")
    change_line(template, (*changed, "untouched", "linked", "odd name é"), 20, "better line 20")
    with (template / "template/README.md.jinja").open("a", encoding="utf-8") as readme:
        readme.write("\nSeeds change too.\n")
    (template / "template" / EXTRA / "brought.txt").write_text(TEXT, encoding="utf-8")
    for name in ("dropped", "dropped-plain", "retired", "retired-plain", "returns"):
        template_file(template, name).unlink()
    template_file(template, "old-name").rename(template_file(template, "new-name"))
    template_file(template, "becomes-folder").unlink()
    (template / "template" / EXTRA / "becomes-folder.txt").mkdir()
    (template / "template" / EXTRA / "becomes-folder.txt/new.txt").write_text(
        TEXT, encoding="utf-8"
    )
    entries = "".join(
        f"\n  {EXTRA}/{name}.txt: it is in {EXTRA}/untouched.txt"
        for name in ("retired", "retired-plain", "returns")
    )
    owned = template / "ownership.yml"
    owned.write_text(owned.read_text(encoding="utf-8").replace("retired:", f"retired:{entries}"))
    tag(template, "v1.1.0")

    change_line(template, ("far", "untouched"), 30, "better line 30")
    template_file(template, "returns").write_text(TEXT + "It is back.\n", encoding="utf-8")
    back = f"  {EXTRA}/returns.txt: it is in {EXTRA}/untouched.txt\n"
    owned.write_text(owned.read_text(encoding="utf-8").replace(back, ""))
    tag(template, "v1.2.0")


@pytest.fixture
def template(workshop: Workshop) -> Path:
    return workshop.once("versions", make_versions)


def made(template: Path, project: Path, **answers: str) -> Path:
    render(template, project, answers, "v1.0.0")
    commit(project, "made")
    return project


def update(project: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return owners(project, "update", "--no-commit", *options, check=False)


def line(name: str, number: int, token: str) -> Callable[[Path], None]:
    """Replace a line of a template-owned file."""

    def edit(project: Path) -> None:
        file = project / EXTRA / f"{name}.txt"
        lines = file.read_text(encoding="utf-8").splitlines()
        lines[number - 1] = token
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    return edit


def append(path: str, token: str) -> Callable[[Path], None]:
    def edit(project: Path) -> None:
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        with (project / path).open("a", encoding="utf-8") as file:
            file.write(f"{token}\n")

    return edit


def crlf(token: str) -> Callable[[Path], None]:
    def edit(project: Path) -> None:
        file = project / EXTRA / "crlf.txt"
        text = file.read_text(encoding="utf-8").replace("line 5\n", f"{token}\n")
        file.write_bytes(text.replace("\n", "\r\n").encode())

    return edit


def mode(token: str) -> Callable[[Path], None]:
    def edit(project: Path) -> None:
        line("mode", 3, token)(project)
        (project / EXTRA / "mode.txt").chmod(0o755)

    return edit


def move(token: str) -> Callable[[Path], None]:
    def edit(project: Path) -> None:
        line("moved", 3, token)(project)
        (project / EXTRA / "moved.txt").rename(project / "docs/moved.txt")

    return edit


def link(token: str) -> Callable[[Path], None]:
    def edit(project: Path) -> None:
        file = project / EXTRA / "linked.txt"
        file.unlink()
        (project / "docs/linked.txt").write_text(f"{token}\n", encoding="utf-8")
        file.symlink_to("../../docs/linked.txt")

    return edit


def folder_instead(token: str) -> Callable[[Path], None]:
    def edit(project: Path) -> None:
        file = project / EXTRA / "made-folder.txt"
        file.unlink()
        file.mkdir()
        (file / "ours.txt").write_text(f"{token}\n", encoding="utf-8")

    return edit


def file_instead(token: str) -> Callable[[Path], None]:
    def edit(project: Path) -> None:
        shutil.rmtree(project / EXTRA / "folder")
        (project / EXTRA / "folder").write_text(f"{token}\n", encoding="utf-8")

    return edit


EDITS: dict[str, Callable[[str], Callable[[Path], None]]] = {
    "far from the change": lambda token: line("far", 2, token),
    "adjacent to the change": lambda token: line("adjacent", 22, token),
    "at the end": lambda token: append(f"{EXTRA}/end.txt", token),
    "saved with CR LF": crlf,
    "executable": mode,
    "moved": move,
    "dropped upstream": lambda token: line("dropped", 2, token),
    "retired upstream": lambda token: line("retired", 2, token),
    "renamed upstream": lambda token: line("old-name", 2, token),
    "an odd name": lambda token: line("odd name é", 2, token),
    "a link instead": link,
    "a folder instead of a file": folder_instead,
    "a file instead of a folder": file_instead,
    "a file that the new version brings": lambda token: append("docs/ours.md", token),
    "README": lambda token: append("README.md", token),
    "dependencies": lambda token: append("pyproject.toml", f"# {token}"),
    "an own workflow": lambda token: append(".github/workflows/ours.yml", f"# {token}"),
    "an own setting": lambda token: append("handoff.toml", f"# {token}"),
    "an own rule of a standard": lambda token: append("standards/ruff.toml", f"# {token}"),
    "a line beside a step": lambda token: append("params.yaml", f"# old knobs\n# {token}"),
    "a notebook": lambda token: append("notebooks/ours.ipynb", f'"{token}"'),
}
"""Edits that no version changes in the same lines, each with a unique token."""


def edited(project: Path) -> dict[str, str]:
    """Apply every edit; return the tokens by the edit's name."""
    tokens = {name: f"token{number:02}" for number, name in enumerate(EDITS)}
    for name, token in tokens.items():
        EDITS[name](token)(project)
    (project / EXTRA / "deleted.txt").unlink()
    line("upstream", 20, "better line 20")(project)  # as the template does later
    commit(project, "edits")
    return tokens


def files(project: Path) -> dict[str, bytes]:
    """The files of a project, without what is known of its last update."""
    return {path: text for path, text in baton.files(project).items() if ".handoff/" not in path}


def hold(project: Path) -> bytes:
    return b"\n".join(path.encode() + content for path, content in files(project).items())


def test_no_edit_is_lost_on_the_way_through_three_versions(template: Path, tmp_path: Path) -> None:
    direct = made(template, tmp_path / "direct")
    tokens = edited(direct)
    stepwise = shutil.copytree(direct, tmp_path / "stepwise", symlinks=True)

    done = update(direct)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The news of v1.2.0 go on here." in done.stdout
    assert "Tell your team about v1.2.0." in done.stdout
    assert "params.yaml: `# old knobs` is replaced by `# new knobs`" in done.stdout
    commit(direct, "updated")
    after = files(direct)
    assert [name for name, token in tokens.items() if token.encode() not in hold(direct)] == []
    assert f"{EXTRA}/deleted.txt" not in after
    # What has no edits goes; what has some stays and is named, a retired path with its new place.
    for name in ("dropped", "retired"):
        assert f"{EXTRA}/{name}.txt" in after
        assert f"{EXTRA}/{name}.txt" in done.stdout
        assert f"{EXTRA}/{name}-plain.txt" not in after
    assert f"because it has edits: it is in {EXTRA}/untouched.txt" in done.stdout
    assert f"{EXTRA}/old-name.txt" in after
    assert f"{EXTRA}/new-name.txt" in after
    assert b"It is back." in after[f"{EXTRA}/returns.txt"]
    assert f"{EXTRA}/becomes-folder.txt/new.txt" in after
    assert b"# new knobs" in after["params.yaml"]
    assert b"# old knobs" not in after["params.yaml"]
    assert b"better line 30" in after[f"{EXTRA}/far.txt"]
    for name in ("adjacent", "end", "crlf", "mode", "upstream", "odd name é"):
        assert b"better line 20" in after[f"{EXTRA}/{name}.txt"], name
    assert (direct / EXTRA / "mode.txt").stat().st_mode & 0o100

    again = update(direct)
    assert (again.returncode, files(direct)) == (0, after), again.stdout

    for version in ("v1.1.0", "v1.2.0"):
        done = update(stepwise, "--to", version)
        assert done.returncode == 0, done.stdout + done.stderr
        commit(stepwise, version)
    assert files(stepwise) == after


def test_a_project_without_edits_ends_equal_to_a_new_one(template: Path, tmp_path: Path) -> None:
    project = made(template, tmp_path / "project", starter="blank")
    assert update(project).returncode == 0
    assert git(project, "diff", "--name-only") == ""  # new files are staged with the rest
    assert git(project, "ls-files", "--others", "--exclude-standard") == ""
    new = files(render(template, tmp_path / "new", {"starter": "blank"}, "v1.2.0"))
    updated = files(project)
    owned = {path for path in new if "template-owned" in owner(path, ownership())}
    assert {path: updated.get(path) for path in owned} == {path: new[path] for path in owned}
    assert {path for path in updated if "template-owned" in owner(path, ownership())} == owned


def test_a_conflict_is_loud_stays_unmerged_and_can_be_undone(
    template: Path, tmp_path: Path
) -> None:
    project = made(template, tmp_path / "project")
    line("same", 20, "our line 20")(project)
    # Git does not see these; the new version writes both.
    (project / ".git/info/exclude").write_text(f"{EXTRA}/far.txt\n{EXTRA}/brought.txt\n*.rej\n")
    git(project, "rm", "--quiet", "--cached", f"{EXTRA}/far.txt")
    git(project, "config", "status.showUntrackedFiles", "no")
    commit(project, "edits")
    line("far", 2, "our line 2")(project)
    append(f"{EXTRA}/brought.txt", "our own file")(project)
    before, head = files(project), git(project, "rev-parse", "HEAD")

    done = update(project, "--dry-run")
    assert done.returncode == 1
    assert files(project) == before

    done = update(project)
    assert done.returncode == 1
    assert f"{EXTRA}/same.txt:20" in done.stdout
    merged = (project / EXTRA / "far.txt").read_text(encoding="utf-8")
    assert "our line 2\n" in merged
    assert "better line 20" in merged
    assert "our own file" in (project / EXTRA / "brought.txt").read_text(encoding="utf-8")
    assert f"{EXTRA}/same.txt" in git(project, "ls-files", "--unmerged")
    with pytest.raises(AssertionError, match="unmerged"):
        git(project, "commit", "--message", "refused by git itself")
    assert owners(project, "check", "--only", "conflicts", check=False).returncode == 1

    assert owners(project, "update", "--undo").returncode == 0
    assert files(project) == before
    assert git(project, "status", "--porcelain") == ""
    assert git(project, "rev-parse", "HEAD") == head


REFUSED = {
    "another starter": (("--data", "starter=blank"), "", "make a new project"),
    "another package": (("--data", "package_name=other"), "", "make a new project"),
    "an answer is deleted": ((), "level", "restore"),
    "an answer is edited": ((), "starter", "fixed when a project is made"),
    "the address is deleted": ((), "_src_path", "git checkout"),
}


def test_what_would_change_an_answer_silently_is_refused_in_one_sentence(
    template: Path, tmp_path: Path
) -> None:
    project = made(template, tmp_path / "project")
    answers = project / ".copier-answers.yml"
    for name, (options, key, sentence) in REFUSED.items():
        text = answers.read_text(encoding="utf-8")
        if key:
            kept = [one for one in text.splitlines() if not one.startswith(f"{key}:")]
            added = ["starter: blank"] if key == "starter" else []
            answers.write_text("\n".join([*kept, *added, ""]), encoding="utf-8")
            commit(project, name)
        before = files(project)
        done = update(project, *options)
        assert done.returncode == 2, (name, done.stdout, done.stderr)
        assert sentence.lower() in done.stderr.lower(), name
        assert done.stderr.count("\n") == 1, done.stderr
        assert files(project) == before
        if key:
            git(project, "reset", "--quiet", "--hard", "HEAD~1")


def test_an_old_project_with_empty_answers_is_updated(template: Path, tmp_path: Path) -> None:
    project = made(template, tmp_path / "project")
    answers = project / ".copier-answers.yml"
    text = answers.read_text(encoding="utf-8")
    answers.write_text(text.replace("python: '3.11'", "python: null"), encoding="utf-8")
    git(project, "commit", "--quiet", "--all", "--amend", "--no-verify", "--no-edit")
    done = update(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "_commit: v1.2.0" in answers.read_text(encoding="utf-8")
