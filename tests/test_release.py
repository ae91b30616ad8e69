"""Each rule of `make release-check` refuses a template that breaks it, and only that."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.baton import ROOT
from tools.derive import between, copier_lists
from tools.release import State, problems, read_state

PRESENT = read_state(ROOT)
DATED = "## {} - 2027-01-31\n\n### What projects receive\n\n#### Changed\n\n- News.\n"
BEFORE = replace(PRESENT, version="0.9.0")
AFTER = replace(PRESENT, version="1.0.0", changelog=DATED.format("1.0.0"))


def without(state: State, path: str) -> State:
    return replace(state, files={one: text for one, text in state.files.items() if one != path})


def with_file(state: State, path: str, content: bytes) -> State:
    return replace(state, files={**state.files, path: content})


def asked(state: State, old: str, new: str) -> State:
    assert old in state.copier_yml
    return replace(state, copier_yml=state.copier_yml.replace(old, new, 1))


def retired(state: State, path: str) -> State:
    listed = {**state.ownership["retired"], path: "it is elsewhere"}
    ownership = {**state.ownership, "retired": listed}
    marks = ("# >>> derived", "# <<< derived")
    copier_yml = between(state.copier_yml, marks, copier_lists(ownership))
    return replace(state, ownership=ownership, copier_yml=copier_yml)


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
    (problem,) = problems(BEFORE, break_it(AFTER))
    assert message in problem


def test_nothing_is_refused_without_reason() -> None:
    assert [*problems(BEFORE, AFTER)] == []
    assert [*problems(None, AFTER)] == []
    path = "standards/mypy.ini"
    assert [*problems(BEFORE, retired(without(AFTER, path), path))] == []
    renamed = asked(AFTER, "\ncloud:\n", "\nhost:\n")
    reads_the_old = asked(renamed, "  default: none\n", "  default: '{{ cloud }}'\n")
    assert [*problems(BEFORE, reads_the_old)] == []
