"""Projects with all pairs of answers and every kind of edit, through four template versions.

No update loses an edit, brings back what was deleted, or conflicts where only one side changed a
line. Templates have lost edits mostly by deleting or renaming a file that a user had changed.
"""

import contextlib
import json
import os
import random
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import copier._cli
import copier._vcs
import pytest

from tests import baton
from tests.baton import (
    PAIRWISE,
    QUESTIONS,
    ROOT,
    Answers,
    Workshop,
    commit,
    files,
    git,
    owner,
    ownership,
    render,
)
from tests.edits import Edit, append, change_line, delete, line, rename, replace, then
from tests.releases import EXTRA, TIER, VERSIONS, versions
from tests.slices import sampled

PROJECTS = range(24)
FIRST, *LATER = VERSIONS
LAST = LATER[-1]
LIVE = [question for question in QUESTIONS if question.lifetime == "live"]
CI_FILES = {
    "github": ".github/workflows/handoff.yml",
    "gitlab": ".gitlab-ci.yml",
    "azure": "azure-pipelines.yml",
}
OURS = b"# ours\n"


def extra(name: str) -> str:
    return f"{EXTRA}/{name}.txt"


def with_crlf(project: Path, token: str) -> None:
    line(extra("crlf"), 5)(project, token)
    file = project / EXTRA / "crlf.txt"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))


def executable(project: Path, token: str) -> None:
    line(extra("mode"), 3)(project, token)
    (project / EXTRA / "mode.txt").chmod(0o755)


def link(project: Path, token: str) -> None:
    file = project / EXTRA / "linked.txt"
    file.unlink()
    append("docs/linked.txt")(project, token)
    file.symlink_to("../../docs/linked.txt")


def binary(project: Path, token: str) -> None:
    (project / "docs/ours.png").write_bytes(b"\x89PNG\0" + token.encode())


def edited_notebook(project: Path, token: str) -> None:
    notebook = min((project / "notebooks").glob("*.ipynb"))
    content = json.loads(notebook.read_text(encoding="utf-8"))
    content["cells"][0]["source"] = [*content["cells"][0]["source"], f"\n{token}"]
    notebook.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def own_job(project: Path, token: str) -> None:
    """A job of one's own in the template's CI file, and another file beside it."""
    (path,) = (one for one in CI_FILES.values() if (project / one).exists())
    append(path)(project, token)
    append(".github/workflows/ours.yml")(project, token)


OWN_PRACTICE = """
[[practices]]
name = "acme/licences"
title = "Only licences that legal has seen"
why = "{}"
tiers = {{ ml-engineering = "would-like" }}
check = "true"
fix = "ask legal"
"""

EDITS: dict[str, Edit] = {
    "far from the change": line(extra("far"), 2),
    "near the change": line(extra("near"), 22),
    "at the end": append(extra("end")),
    "saved with CR LF": with_crlf,
    "executable": executable,
    "moved": then(line(extra("moved"), 3), rename(extra("moved"), "docs/moved.txt")),
    "an odd name of the template": line(extra("odd name é"), 2),
    "odd names": then(
        append("docs/a 'b' $c;{d}#é🦊.md"),
        append("docs/-rf.md"),
        append("docs/[a]*.md"),
        append("docs/ space .md"),
    ),
    "a link instead": link,
    "a folder instead of a file": then(
        delete(extra("made-folder")), append(f"{EXTRA}/made-folder.txt/ours.txt")
    ),
    "a file instead of a folder": then(delete(f"{EXTRA}/folder"), append(f"{EXTRA}/folder")),
    "dropped upstream": line(extra("dropped"), 2),
    "retired upstream": line(extra("retired"), 2),
    "renamed upstream": line(extra("old-name"), 2),
    "in a folder that is retired": append(f"{EXTRA}/old-folder/one.txt"),
    "beside a folder that is retired": append(f"{EXTRA}/old-folder/ours.txt"),
    "ignored": append(".vscode/settings.json", "// {}"),
    "binary": binary,
    "a notebook": edited_notebook,
    "a notebook is renamed": then(
        edited_notebook,
        rename("notebooks/*.ipynb", "notebooks/ours.ipynb"),
    ),
    "a notebook of their own": append("notebooks/own.md"),
    "README": append("README.md", "{}"),
    "a dependency": replace("pyproject.toml", '    "joblib",\n', '    "joblib", # {}\n'),
    "a rule": append("pyproject.toml", '[tool.ruff.lint.per-file-ignores]\n"x" = ["D1"] # {}'),
    "a rule in the standards": append("standards/ruff.toml"),
    "a practice": append("handoff.toml", OWN_PRACTICE),
    "a job": own_job,
    "beside a step": append("params.yaml", "# old knobs\n# {}"),
    "a file where the new version has one for new projects": append("tests/new_seed.py"),
    "a folder of theirs under standards/": append("standards/ours/notes.md"),
}
"""Edits at places that no version changes, each with a unique token."""

DELETED = (extra("deleted"), "docs/model-card.md", "standards/handbook/watch-it.md")
"""What people deleted; all versions change the template-owned ones."""

BOTH = {
    "the same line": line(extra("same"), 20),
    "the line below": line(extra("touching"), 21),
    "a file of the same name": append(extra("brought")),
}
"""Edits of lines that a version changes, too, or of their neighbours."""
CONFLICTING = {extra(name) for name in ("same", "touching", "brought")}


@dataclass(frozen=True)
class Done:
    """What an update left.

    Attributes:
        code: Its exit code.
        text: What it printed.
    """

    code: int
    text: str


@pytest.fixture(scope="session")
def releases(workshop: Workshop) -> Path:
    return versions(workshop)


@pytest.fixture(autouse=True)
def one_process(
    releases: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run copier in this process, with one clone of each version: the results are the same.

    Most of the time of an update is the start of processes and the clones of the template.
    """
    monkeypatch.syspath_prepend(ROOT / "handoff/src")
    from baton_handoff.updates import scratch

    clones: dict[str, str] = {}
    clone = copier._vcs.clone

    def shared(url: str, ref: str = "HEAD", **_: str) -> str:
        commit_id = git(Path(url), "rev-parse", f"{ref}^{{commit}}").strip()
        if commit_id not in clones:
            folder = tmp_path_factory.mktemp("clone")
            clones[commit_id] = clone(str(releases), commit_id, str(folder))
        return clones[commit_id]

    def in_process(folder: Path, arguments: list[str], env: Mapping[str, str]) -> None:
        operation, *others = arguments
        command = ["copier", operation, "--defaults", "--quiet", *others]
        with contextlib.chdir(folder), mock.patch.dict(os.environ, env):
            _, code = copier._cli.CopierApp.run(command, exit=False)
        assert code == 0

    monkeypatch.setattr("copier._template.clone", shared)
    monkeypatch.setattr(scratch, "_copier", in_process)


@pytest.fixture
def handoff_update(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run `handoff update --no-commit` in this process, then commit if nothing blocks."""

    def updated(project: Path, *options: str) -> Done:
        from baton_handoff.cli import main

        capsys.readouterr()
        with contextlib.chdir(project):
            code = main(["update", "--no-commit", *options])
        shown = capsys.readouterr()
        if code == 0:
            git(project, "add", "--all")
            git(
                project, "commit", "--quiet", "--no-verify", "--allow-empty", "--message", "updated"
            )
        return Done(code, shown.out + shown.err)

    return updated


def made(releases: Path, project: Path, answers: Answers) -> Path:
    render(releases, project, answers, FIRST)
    git(project, "init", "--quiet")
    (project / ".git/info/exclude").write_text(".vscode/\n", encoding="utf-8")
    commit(project, "made")
    return project


def held(project: Path) -> dict[str, bytes]:
    """The files of a project, without what is known of its last update."""
    return {path: text for path, text in files(project).items() if ".handoff/" not in path}


def modes(project: Path) -> dict[str, str]:
    """Which files of a project are executable or links."""
    return {
        path: "link" if (project / path).is_symlink() else "executable"
        for path in held(project)
        if (project / path).is_symlink() or (project / path).stat().st_mode & 0o100
    }


def at_random(project: Path, chance: random.Random, untouched: list[str]) -> dict[str, str]:
    """Edit, delete, rename and add files of every class; return what was done to each."""
    done = {}
    for path in chance.sample(untouched, 12):
        place = project / path
        done[path] = chance.choice(["edit", "edit", "edit", "delete", "rename", "add"])
        match done[path]:
            case "edit":
                place.write_bytes(OURS + place.read_bytes())
            case "delete":
                place.unlink()
            case "rename":
                place.rename(place.with_name(f"ours-{place.name}"))
            case "add":
                place.with_name(f"new-{place.name}").write_bytes(OURS)
    return done


def toggled(answers: Answers, chance: random.Random) -> dict[str, str | int]:
    """Other answers to two of the questions whose answers may change."""
    return {
        question.name: chance.choice(
            [one for one in baton.values_of(question) if one != answers[question.name]]
        )
        for question in chance.sample(LIVE, 2)
    }


@pytest.mark.parametrize("number", sampled("update matrix", PROJECTS, 3))
def test_no_update_loses_an_edit(
    releases: Path, tmp_path: Path, number: int, handoff_update: Callable[..., Done]
) -> None:
    chance = random.Random(number)  # noqa: S311
    answers = PAIRWISE[number % len(PAIRWISE)]
    direct = made(releases, tmp_path / "direct", answers)
    first = held(direct)
    tokens = {name: f"token-{number:02}-{place:02}" for place, name in enumerate(EDITS)}
    for name, edit in EDITS.items():
        edit(direct, tokens[name])
    change_line(direct / EXTRA / "upstream.txt", 20, "better line 20")  # as the template does later
    for path in DELETED:
        delete(path)(direct, "")
    edited = held(direct)
    untouched = sorted(
        path
        for path in first
        if edited.get(path) == first[path]
        and not path.endswith(".whl")  # no update can merge a line into it
        and not path.startswith((EXTRA, ".vscode/", ".copier", ".git"))
    )
    done = at_random(direct, chance, untouched) if number % 2 else {}
    commit(direct, "edits")
    edited = held(direct)
    changed = toggled(answers, chance)
    data = [part for name, answer in changed.items() for part in ("--data", f"{name}={answer}")]
    stepwise = shutil.copytree(direct, tmp_path / "stepwise", symlinks=True)

    updated = handoff_update(direct, *data)
    assert updated.code == 0, updated.text
    after = held(direct)
    whole = b"\n".join(path.encode() + b"\n" + text for path, text in after.items())
    assert [name for name, token in tokens.items() if token.encode() not in whole] == []
    assert [path for path in DELETED if path in after] == []
    assert git(direct, "ls-files", "--unmerged") == ""
    # What is not the template's is as people left it; what is theirs in its files is kept.
    for path in first.keys() | edited.keys():
        owned = path in first and "template-owned" in owner(path, ownership())
        if owned and path in edited and done.get(path) == "edit":
            assert after[path].startswith(OURS), path
        elif path not in edited:
            assert path not in after, path
        elif not owned and path != "params.yaml":
            assert after.get(path) == edited[path], path
    assert b"# new knobs" in after["params.yaml"]

    # Files that nobody edited equal those of a new project.
    everything = {**answers, **changed}
    new = held(render(releases, tmp_path / "new", everything, LAST))
    equal = {
        path: text
        for path, text in new.items()
        if "template-owned" in owner(path, ownership())
        and first.get(path) == edited.get(path)
        and path not in (".copier-answers.yml", extra("linked"))
        and not path.startswith((f"{EXTRA}/made-folder", f"{EXTRA}/folder"))
    }
    assert [path for path, text in equal.items() if after.get(path) != text] == []
    for kept in ("dropped", "retired", "old-name"):
        assert extra(kept) in after
        assert extra(kept) in updated.text
    for gone in ("dropped-plain", "retired-plain", "old-folder/two"):
        assert extra(gone) not in after
    for name in ("near", "end", "crlf", "mode", "upstream", "odd name é"):
        assert b"better line 20" in after[extra(name)], name
    assert f"It runs everywhere, {answers['project_slug']}." in after[extra("region")].decode()
    assert modes(direct) == {extra("mode"): "executable", extra("linked"): "link"}
    practice, _, tier = TIER
    (wheel,) = (direct / "standards").glob("*.whl")
    with zipfile.ZipFile(wheel) as engine:
        stated = engine.read("baton_handoff/policy/practices/practices.toml").decode()
    assert f'data-science = "{tier}"' in stated.partition(f'name = "{practice}"')[2][:400]

    again = handoff_update(direct)
    assert (again.code, held(direct)) == (0, after), again.text
    for step in LATER:
        updated = handoff_update(stepwise, "--to", step, *data)
        assert updated.code == 0, updated.text
        data = []
    assert differing(held(stepwise), after) == []
    assert modes(stepwise) == modes(direct)


def differing(one: Mapping[str, bytes], other: Mapping[str, bytes]) -> list[str]:
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


@pytest.mark.parametrize("number", sampled("untouched", PROJECTS, 2))
def test_a_project_without_edits_ends_equal_to_a_new_one(
    releases: Path, tmp_path: Path, number: int, handoff_update: Callable[..., Done]
) -> None:
    answers = PAIRWISE[number % len(PAIRWISE)]
    project = made(releases, tmp_path / "project", answers)
    updated = handoff_update(project)
    assert updated.code == 0, updated.text
    new = held(render(releases, tmp_path / "new", answers, LAST))
    owned = {path: text for path, text in new.items() if is_owned(path)}
    assert (
        differing({path: text for path, text in held(project).items() if is_owned(path)}, owned)
        == []
    )
    again = handoff_update(project)
    assert (again.code, git(project, "status", "--porcelain")) == (0, ""), again.text


def is_owned(path: str) -> bool:
    return "template-owned" in owner(path, ownership())


@pytest.mark.parametrize("number", sampled("conflicts", PROJECTS, 1))
def test_only_lines_that_both_changed_conflict_and_then_the_guard_fails(
    releases: Path, tmp_path: Path, number: int, handoff_update: Callable[..., Done]
) -> None:
    project = made(releases, tmp_path / "project", PAIRWISE[number % len(PAIRWISE)])
    for name, edit in {**EDITS, **BOTH}.items():
        edit(project, f"token {name}")
    commit(project, "edits")
    before = held(project)
    updated = handoff_update(project)
    assert updated.code == 1, updated.text
    listed = git(project, "ls-files", "-z", "--unmerged").split("\0")
    assert {entry.partition("\t")[2] for entry in listed if entry} == CONFLICTING
    after = held(project)
    whole = b"\n".join(after.values())
    assert [name for name in (*EDITS, *BOTH) if f"token {name}".encode() not in whole] == []
    for path in CONFLICTING:
        assert path in updated.text
        assert b"<<<<<<<" in after[path]
    assert handoff_update(project, "--undo").code == 0
    assert differing(held(project), before) == []
