"""Early work together is read from the history: the contract first, both sides at the border."""

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from baton_handoff.config.project import Project
from baton_handoff.policy.checks.collaboration import (
    AuthoredCommit,
    assess_collaboration,
    history_of,
)
from baton_handoff.policy.practices.assessment import State
from trip_project import CONTRACTS, git

PEOPLE = {"data-science": ["Ada@example.com"], "ml-engineering": ["max@example.com"]}
TRAIN, MODEL = "src/trips/training/train.py", "src/trips/model/tree.py"
CONTRACT, FEATURES = "src/trips/contracts/data.py", "src/trips/features/build.py"
ANSWERS = ".copier-answers.yml"
BOTH = frozenset({"ada@example.com", "max@example.com"})
ADA = frozenset({"ada@example.com"})


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, "trips", "m", "candidate", people=PEOPLE)


def commits(*made: tuple[frozenset[str], tuple[str, ...], bool]) -> list[AuthoredCommit]:
    return [
        AuthoredCommit(f"{n:040}", people, paths, has)
        for n, (people, paths, has) in enumerate(made)
    ]


TOGETHER = commits(
    (ADA, ("README.md",), False),
    (BOTH, (CONTRACT, FEATURES), True),
    (ADA, (TRAIN, MODEL), True),
)
MADE_WITH_BATON = commits(
    (ADA, (ANSWERS, CONTRACT, FEATURES, TRAIN), True),
    (BOTH, (CONTRACT, FEATURES), True),
    (ADA, (TRAIN,), True),
)


@pytest.mark.parametrize("history", [TOGETHER, MADE_WITH_BATON])
def test_a_contract_of_both_sides_before_the_training_code_is_collaboration(
    project: Project, history: list[AuthoredCommit]
) -> None:
    seen = assess_collaboration(project, history)
    assert seen.state == State.MET
    assert seen.message.startswith("The model's contract precedes its training code.")


def test_training_code_before_the_contract_names_its_commit(project: Project) -> None:
    first, agreed, trained = TOGETHER
    seen = assess_collaboration(project, [first, replace(trained, has_contract=False), agreed])
    assert seen.state == State.NOT_MET
    assert f"Commit {trained.name[:12]} " in seen.message
    assert seen.fix.startswith("agree on input and output")


def test_a_side_without_a_part_is_named_for_each_folder(project: Project) -> None:
    first, agreed, trained = TOGETHER
    seen = assess_collaboration(project, [first, replace(agreed, people=ADA), trained])
    assert seen.state == State.NOT_MET
    assert [(finding.side, finding.file) for finding in seen.findings] == [
        ("ml-engineering", "src/trips/contracts/"),
        ("ml-engineering", "src/trips/features/"),
    ]


def test_one_team_for_both_sides_collaborates(project: Project) -> None:
    first, agreed, trained = TOGETHER
    one_team = replace(project, teams=("@all", "@all"), people={})
    history = [first, replace(agreed, people=ADA), trained]
    assert assess_collaboration(one_team, history).state == State.MET


SQUASHED = commits(
    (BOTH, (CONTRACT, FEATURES, TRAIN), True), (BOTH, (CONTRACT, FEATURES, TRAIN), True)
)


@pytest.mark.parametrize(
    ("history", "people", "shallow", "fix"),
    [
        (TOGETHER, PEOPLE, True, "`git fetch --unshallow`"),
        (TOGETHER, {}, False, "[people]"),
        (SQUASHED, PEOPLE, False, "earlier history"),
        (SQUASHED[:1], PEOPLE, False, "earlier history"),
        (
            [replace(one, has_contract=False) for one in TOGETHER],
            PEOPLE,
            False,
            "contract new FILE",
        ),
    ],
    ids=["shallow", "nobody known", "squashed", "brought along", "no contract"],
)
def test_an_incomplete_history_shows_nothing(
    project: Project,
    history: list[AuthoredCommit],
    people: Mapping[str, list[str]],
    shallow: bool,
    fix: str,
) -> None:
    seen = assess_collaboration(replace(project, people=people), history, shallow)
    assert (seen.state, seen.findings) == (State.NOT_SHOWN, ())
    assert fix in seen.fix


@pytest.mark.parametrize("people", [PEOPLE, {}], ids=["known", "nobody known"])
@pytest.mark.parametrize(
    "history", [[], MADE_WITH_BATON[:1], MADE_WITH_BATON[:2]], ids=["none", "made", "agreed"]
)
def test_it_does_not_apply_until_training_or_model_has_changed(
    project: Project, history: list[AuthoredCommit], people: Mapping[str, list[str]]
) -> None:
    seen = assess_collaboration(replace(project, people=people), history)
    assert (seen.state, seen.findings, seen.fix) == (State.NOT_APPLICABLE, (), "")


def commit(root: Path, message: str, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message)


def test_a_history_is_read_from_git(project: Project) -> None:
    root = project.root
    git(root, "init", "--quiet", "--initial-branch", "main")
    assert history_of(project) == ([], False)
    commit(root, "made", {ANSWERS: "level: 2\n", CONTRACT: "", TRAIN: "A = 1\n"})
    text = CONTRACTS.format(engine="pandas")
    commit(root, "agreed\n\nReviewed-by: Max <Max@example.com>", {CONTRACT: text})
    commit(
        root,
        "trained\n\nCo-authored-by: Ada <ada@example.com>",
        {TRAIN: "A = 2\n", "docs/no.md": ""},
    )
    history, shallow = history_of(project)
    assert not shallow
    assert [(one.paths, one.has_contract) for one in history] == [
        ((ANSWERS, CONTRACT, TRAIN), False),
        ((CONTRACT,), True),
        ((TRAIN,), True),
    ]
    assert [one.people - {"test@example.com"} for one in history] == [
        frozenset(),
        {"max@example.com"},
        {"ada@example.com"},
    ]


def test_inherited_columns_of_a_contract_count(project: Project) -> None:
    root = project.root
    git(root, "init", "--quiet", "--initial-branch", "main")
    base = "class Base(DataFrameModel):\n    town: str\n"
    border = (
        "class Asked(Base):\n    class Config:\n"
        '        metadata: dict[str, str] = {"position": "input"}\n'
    )
    commit(root, "of nothing", {CONTRACT: border})
    commit(root, "agreed", {"src/trips/contracts/base.py": base})
    assert [one.has_contract for one in history_of(project)[0]] == [False, True]


def test_a_shallow_clone_is_recognised(project: Project, tmp_path: Path) -> None:
    git(project.root, "init", "--quiet", "--initial-branch", "main")
    commit(project.root, "one", {CONTRACT: "A = 1\n"})
    commit(project.root, "two", {CONTRACT: "A = 2\n"})
    clone = tmp_path / "clone"
    address = project.root.as_uri()
    command = ["git", "clone", "--quiet", "--depth", "1", address, str(clone)]
    subprocess.run(command, check=True, capture_output=True)
    assert history_of(replace(project, root=clone))[1]
