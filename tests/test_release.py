"""Each rule of `make release-check` refuses a template that breaks it, and only that."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.baton import ROOT, commit, export, git
from tools.derive import between, copier_lists
from tools.release import dated, found_in, release
from tools.release_rules import State, changed_practices, changed_tools, problems, read_state

PRESENT = read_state(ROOT)
DATED = "## {} - 2027-01-31\n\n### What projects receive\n\n#### Changed\n\n- News.\n"
TO_DO = "{}#### To do, once\n\n1. Tell your team.\n"
BEFORE = replace(PRESENT, version="0.9.0")
AFTER = replace(PRESENT, version="1.0.0", changelog=DATED.format("1.0.0"))


def without(state: State, path: str) -> State:
    return replace(state, files={one: text for one, text in state.files.items() if one != path})


def with_file(state: State, path: str, content: bytes) -> State:
    return replace(state, files={**state.files, path: content})


def asked(state: State, old: str, new: str) -> State:
    assert old in state.copier_yml
    return replace(state, copier_yml=state.copier_yml.replace(old, new, 1))


def edited(state: State, path: str, old: str, new: str) -> State:
    assert old.encode() in state.files[path]
    return with_file(state, path, state.files[path].replace(old.encode(), new.encode()))


def reserving(state: State, name: str) -> State:
    slugs = f"{state.reserved['reserved_slugs']} {name}"
    return replace(state, reserved={**state.reserved, "reserved_slugs": slugs})


def retired(state: State, path: str) -> State:
    listed = {**state.ownership["retired"], path: "it is elsewhere"}
    return derived(replace(state, ownership={**state.ownership, "retired": listed}))


def derived(state: State) -> State:
    marks = ("# >>> derived", "# <<< derived")
    copier_yml = between(state.copier_yml, marks, copier_lists(dict(state.ownership)))
    return replace(state, copier_yml=copier_yml)


BROKEN: dict[str, tuple[Callable[[State], State], str]] = {
    "a path is removed": (lambda one: without(one, "standards/mypy.ini"), "standards/mypy.ini is"),
    "a choice is removed": (
        lambda one: asked(one, "    Azure Pipelines: azure\n", ""),
        "azure of ci",
    ),
    "a validator is tightened": (
        lambda one: asked(one, "project_slug | length > 40", "project_slug | length > 30"),
        "The validator of project_slug",
    ),
    "a question is renamed": (lambda one: asked(one, "\ncloud:\n", "\nhost:\n"), "question cloud"),
    "the type of a question changes": (
        lambda one: asked(one, "\nlevel:\n  type: int", "\nlevel:\n  type: str"),
        "type of level",
    ),
    "a reserved name joins, which projects may have": (
        lambda one: reserving(
            asked(one, " and former.get('project_slug') != project_slug", ""), "delays"
        ),
        "refuses 'delays'",
    ),
    "a seed becomes the template's": (
        lambda one: derived(
            replace(
                one,
                ownership={
                    **one.ownership,
                    "seeded": {k: v for k, v in one.ownership["seeded"].items() if k != "dvc.yaml"},
                    "template-owned": {**one.ownership["template-owned"], "dvc.yaml": "pipeline"},
                },
            )
        ),
        "dvc.yaml is the teams'",
    ),
    "a retired path is forgotten": (
        lambda one: derived(replace(one, ownership={**one.ownership, "retired": {}})),
        "no longer retired",
    ),
    "the version goes back": (
        lambda one: replace(one, version="0.8.0", changelog=DATED.format("0.8.0")),
        "older than 0.9.0",
    ),
    "a task goes": (
        lambda one: edited(one, "standards/tasks.toml", "[tool.poe.tasks.explore]", "[other]"),
        "The task explore is gone",
    ),
    "an extra goes": (
        lambda one: edited(one, "standards/pyproject.toml", "\nmonitor = [", "\nother = ["),
        "The extra monitor",
    ),
    "the oldest Python rises": (
        lambda one: edited(one, "standards/pyproject.toml", '">=3.11"', '">=3.12"'),
        "need Python >=3.12",
    ),
    "what a seed names goes": (
        lambda one: retired(without(one, "standards/tasks.toml"), "standards/tasks.toml"),
        "of existing projects names it",
    ),
    "seeds are rendered": (
        lambda one: asked(one, "    /README.md\n", ""),
        "updates can write seeds",
    ),
    "a binary is the template's": (
        lambda one: with_file(one, "standards/logo.bin", b"\0"),
        "standards/logo.bin is no text",
    ),
    "a rendered path is ignored": (
        lambda one: with_file(one, ".env", b"KEY=value\n"),
        ".env is rendered",
    ),
    "the engine changes under an old version": (
        lambda one: replace(one, version="0.9.0", engine={}, changelog=DATED.format("0.9.0")),
        "raise its version",
    ),
    "the changelog has no section": (
        lambda one: replace(one, changelog=DATED.format("0.9.0")),
        "no section for 1.0.0",
    ),
    "the changelog has no date": (
        lambda one: replace(one, changelog="## 1.0.0 - Unreleased\n"),
        "no date",
    ),
    "the changelog lists nothing": (
        lambda one: replace(one, changelog="## 1.0.0 - 2027-01-31\n"),
        "lists nothing",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_rule_refuses_a_template_that_breaks_it(name: str) -> None:
    break_it, message = BROKEN[name]
    found = [*problems(BEFORE, break_it(AFTER))]
    assert any(message in problem for problem in found), found
    # A task file that goes takes its tasks along; every other template breaks one rule.
    assert len(found) == 1 or name == "what a seed names goes", found


def test_nothing_is_refused_without_reason() -> None:
    assert [*problems(BEFORE, AFTER)] == []
    assert [*problems(None, AFTER)] == []
    path = "standards/mypy.ini"
    assert [*problems(BEFORE, retired(without(AFTER, path), path))] == []
    page, folder = "standards/handbook/sources.md", "standards/handbook/"
    assert [*problems(BEFORE, retired(without(AFTER, page), folder))] == []
    renamed = asked(AFTER, "\ncloud:\n", "\nhost:\n")
    reads_the_old = asked(renamed, "  default: none\n", "  default: '{{ cloud }}'\n")
    assert [*problems(BEFORE, reads_the_old)] == []
    assert [*problems(BEFORE, reserving(AFTER, "delays"))] == []


def test_a_major_version_asks_for_steps() -> None:
    before = replace(PRESENT, version="1.9.0")
    after = replace(PRESENT, version="2.0.0", changelog=DATED.format("2.0.0"))
    (problem,) = problems(before, after)
    assert "new major version" in problem
    told = replace(after, changelog=TO_DO.format(after.changelog))
    assert [*problems(before, told)] == []


def test_every_release_counts_and_a_problem_is_listed_once() -> None:
    newest = without(BEFORE, "standards/mypy.ini")
    after = without(AFTER, "standards/mypy.ini")
    assert [*found_in({"v0.9.0": newest}, after)] == []
    (problem,) = found_in({"v0.9.0": newest, "v0.8.0": BEFORE, "v0.7.0": BEFORE}, after)
    assert problem.startswith("v0.8.0: standards/mypy.ini is gone")
    (taken,) = found_in({"v1.0.0": AFTER}, AFTER)
    assert "exists already" in taken


def test_practices_and_tools_are_written_into_the_changelog() -> None:
    practices = "baton_handoff/policy/practices/practices.toml"
    old = PRESENT.engine[practices]
    new = old.replace(b'name = "lock-current"', b'name = "lock-new"', 1).replace(
        b'{ data-science = "should", ml-engineering = "must" }',
        b'{ data-science = "must", ml-engineering = "must" }',
        1,
    )
    tools = edited(PRESENT, "standards/pyproject.toml", '"ruff==', '"ruff==99.')
    after = replace(tools, engine={**PRESENT.engine, practices: new})
    moved = [*changed_practices(PRESENT, after)]
    assert "`hooks-installed` moves for data-science: should → must." in moved
    assert "`lock-current` is no longer a practice." in moved
    assert moved[0].startswith("`lock-new` is new: One lock for all installed packages (data-sci")
    (tool,) = changed_tools(PRESENT, after)
    assert tool.startswith("ruff ")
    changelog = (
        DATED.format("1.0.0").replace("2027-01-31", "Unreleased") + "\n### This repository\n"
    )
    text = dated(changelog, "1.0.0", datetime.date(2027, 2, 1), PRESENT, after)
    assert "## 1.0.0 - 2027-02-01\n" in text
    assert text.index("#### Practices") < text.index(moved[0]) < text.index("#### Tools")
    assert text.index(tool) < text.index("### This repository")
    assert dated(text, "1.0.0", datetime.date(2027, 2, 2), PRESENT, after) == text


def test_a_release_needs_a_clean_tree_and_says_the_tag(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = export(tmp_path / "template")
    commit(root, "all")
    day = datetime.date(2027, 2, 1)
    (root / "new.txt").touch()
    assert release(root, day) == 1
    assert "new.txt" in capsys.readouterr().out
    (root / "new.txt").unlink()
    assert release(root, day) == 0
    assert f"git tag v{PRESENT.version}" in capsys.readouterr().out
    assert f"## {PRESENT.version} - {day}" in (root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert git(root, "tag") == ""
    assert git(root, "rev-list", "--count", "HEAD").strip() == "1"
    commit(root, "released")
    git(root, "tag", f"v{PRESENT.version}")
    (root / "handoff/src/baton_handoff/py.typed").write_text("changed", encoding="utf-8")
    commit(root, "more")
    assert release(root, day) == 1
    out = capsys.readouterr().out
    assert "exists already" in out
    assert "still called" in out
    assert git(root, "status", "--porcelain") == ""
