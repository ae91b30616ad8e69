"""The dial: what each side is asked, and what blocks at which level and stage.

Both tables stand here as the process has them, in its own words, and each cell is a test.
"""

import json
from functools import partial
from typing import TypeAlias

import pytest

from baton_handoff.cli import main
from baton_handoff.config.project import Project, find_project
from baton_handoff.config.sides import SIDES
from baton_handoff.policy.practices.practice import Tier
from baton_handoff.policy.practices.stages import STAGES, Stage
from baton_handoff.policy.status import status
from breaking import BREAKS, changed
from kept_project import COUNTS, TODAY, commit, leave_counts, leave_evidence
from levels import PRACTICES, choose

Tiers: TypeAlias = "Tier | tuple[Tier, Tier, Tier]"

BY_LEVEL: Tiers = ("not-needed", "would-like", "should")

ROWS: dict[str, tuple[Tiers, Tiers, str, str]] = {
    "quick and easy set-up, standard environment": (
        *("must", "must"),
        "lock-current environment-current",
        "",
    ),
    "iterative, interactive workflow": ("must", "not-needed", "notebooks-unblocked", ""),
    "clean code, changeability": (
        "should",
        "must",
        "formatted linted shortcuts-removed",
        "notebooks-stripped",
    ),
    "tools chosen on purpose": ("should", "must", "tools-chosen", ""),
    "tools reviewed now and then": ("would-like", "should", "tools-reviewed", ""),
    "a proper IDE instead of a notebook in the browser": ("should", "must", "proper-editor", ""),
    "engineering tools worth their cost, recommended and set up by engineers": (
        *("should", "must"),
        "tools-introduced tools-proved hooks-installed",
        "",
    ),
    "type hints": (BY_LEVEL, "must", "typed", ""),
    "explicit data schemas": (
        *("would-like", "must"),
        "contracts-stated contracts-complete contracts-owned contract-tests",
        "api-current",
    ),
    "loose coupling by design patterns": (
        *("would-like", "must"),
        "layers-kept dependencies-apart",
        "features-inside",
    ),
    "trusted test suite": (
        *("would-like", "must"),
        "tests-pass unit-tests acceptance-passed data-validated",
        "fuzzed notebooks-run",
    ),
    "observability of code: logs, metrics and alerts, tracing": (
        *("not-needed", "must"),
        "service-observed alerts-reach-somebody",
        "",
    ),
    "observability of models: against others, over time, by subgroup": (
        *("would-like", "must"),
        "compared-with-baselines models-watched judged-by-subgroup",
        "predictions-logged",
    ),
    "observability of data: quality": ("would-like", "must", "data-watched", ""),
    "infrastructure as code, CI/CD": (
        *("not-needed", "must"),
        "infrastructure-as-code ci-checks",
        "",
    ),
    "data lineage": (
        *("would-like", "must"),
        "data-versioned pipeline-current candidate-traceable sources-described sources-official",
        "sources-complete workarounds-needed",
    ),
    # The process has `should` for ML engineering; but only a statement shows it.
    "performance profiled, bottlenecks fixed": (
        *("would-like", "would-like"),
        "performance-profiled",
        "",
    ),
    "knowing schemas beforehand, long-term maintainability of exploration": (
        *("not-needed", "not-needed"),
        "",
        "",
    ),
}
"""What the process asks: of data science, of ML engineering, the practices that this is broken down
into, and those that go beyond it, of which less is asked."""

TOGETHER = "early-work"
"""No row of the process: what level 2 adds, work of both sides before there is a handoff."""

TIERS: tuple[Tier, ...] = ("must", "should", "would-like", "not-needed")


def at(tiers: Tiers, level: int) -> Tier:
    return tiers if isinstance(tiers, str) else tiers[level]


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("row", ROWS)
def test_a_row_of_the_process_has_the_tiers_of_the_process(row: str, side: str, level: int) -> None:
    *tiers, exact, beyond = ROWS[row]
    asked = at(tiers[SIDES.index(side)], level)
    assert {name: PRACTICES[name].tier(side, level) for name in exact.split()} == dict.fromkeys(
        exact.split(), asked
    )
    for name in beyond.split():
        assert TIERS.index(PRACTICES[name].tier(side, level)) >= TIERS.index(asked)


def test_every_practice_belongs_to_one_row() -> None:
    named = [name for *_, exact, beyond in ROWS.values() for name in f"{exact} {beyond}".split()]
    assert sorted([*named, TOGETHER]) == sorted(PRACTICES)


@pytest.mark.parametrize("side", SIDES)
def test_level_2_adds_early_collaboration(side: str) -> None:
    tiers = [PRACTICES[TOGETHER].tier(side, level) for level in (0, 1, 2)]
    assert tiers == ["not-needed", "would-like", "must"]


BROKEN = {
    # Each is asked from the first stage on, so that nothing but the cell decides.
    "must": "linted",
    "should": "workarounds-needed",
    "would-like": "notebooks-stripped",
}

BLOCKS: dict[tuple[int, Stage], set[str]] = {
    (0, "push"): set(),
    (0, "handoff"): set(),
    (0, "promotion"): set(),
    (1, "push"): set(),
    (1, "handoff"): {"must"},
    (1, "promotion"): {"must"},
    (2, "push"): {"must"},
    (2, "handoff"): {"must", "should"},
    (2, "promotion"): {"must", "should"},
}
"""Which tiers block, by level and stage. Breaks of contracts are below: they are no practice."""


@pytest.fixture
def project(kept: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project that keeps everything, on a day on which it does."""
    monkeypatch.chdir(kept.root)
    monkeypatch.setattr(status, "assess", partial(status.assess, today=TODAY))
    return kept


def blocking(capsys: pytest.CaptureFixture[str], stage: Stage, *options: str) -> set[str]:
    """The practices that block at a stage, by what the command says to programs."""
    capsys.readouterr()
    code = main(["status", "--stage", stage, "--format", "json", *options])
    found = json.loads(capsys.readouterr().out)["blocking"][stage]
    assert code == bool(found)
    return {one["practice"] for one in found}


@pytest.mark.parametrize("tier", BROKEN)
@pytest.mark.parametrize(("level", "stage"), BLOCKS)
def test_a_tier_blocks_at_the_levels_and_stages_of_the_table(
    project: Project, capsys: pytest.CaptureFixture[str], level: int, stage: Stage, tier: str
) -> None:
    name = BROKEN[tier]
    asked = [PRACTICES[name].tier(side, level) for side in SIDES]
    assert min(asked, key=TIERS.index) == tier
    expected = {name} if tier in BLOCKS[level, stage] else set()
    at_level_1 = blocking(capsys, stage, "--level", str(level))
    BREAKS[name][0](project)
    # Whoever looks ahead sees what comes, and what the other level changes by itself.
    assert blocking(capsys, stage, "--level", str(level)) == at_level_1 | expected
    project = choose(project, level)
    assert blocking(capsys, stage) == expected


@pytest.mark.parametrize("level", [0, 1, 2])
def test_the_approvers_of_another_level_are_listed_before_it_is_chosen(
    project: Project, capsys: pytest.CaptureFixture[str], level: int
) -> None:
    expected = {"contracts-owned"} if level == 2 else set()
    assert blocking(capsys, "push", "--level", str(level)) == expected
    assert blocking(capsys, "push") == set()


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_break_of_a_contract_is_advice_at_level_0_and_blocks_from_level_1_on(
    project: Project, capsys: pytest.CaptureFixture[str], level: int
) -> None:
    choose(project, level)
    commit(project.root, "ds@example.com")
    assert main(["contract", "diff", "--base", "HEAD"]) == 0
    changed("src/trips/contracts/__init__.py", "le=9", "le=8")(project)
    assert main(["contract", "diff", "--base", "HEAD"]) == int(level > 0)
    assert "Trip.seats: largest value 9 → 8" in capsys.readouterr().out


@pytest.mark.parametrize(("level", "stage"), BLOCKS)
def test_a_notebook_never_blocks(project: Project, level: int, stage: Stage) -> None:
    """One that holds outputs, reads what nobody knows of, has an error, and stops half-way."""
    project = choose(project, level)
    cells = [
        {"cell_type": "code", "source": ["import pandas as pd\n", "pd.read_excel('~/a.xlsx')"]},
        {"cell_type": "code", "source": ["def (\n"], "outputs": [{"text": "1"}]},
    ]
    notebook = project.root / "notebooks/look.ipynb"
    notebook.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    leave_evidence(find_project(project.root))
    counts = {**COUNTS, "notebooks/look.ipynb": {"failed": 1}}
    leave_counts(find_project(project.root), counts, ok=False)
    assert main(["status", "--stage", stage]) == 0


def test_each_cell_is_there() -> None:
    assert set(BLOCKS) == {(level, stage) for level in (0, 1, 2) for stage in STAGES}
