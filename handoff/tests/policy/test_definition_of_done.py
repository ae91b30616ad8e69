"""A change brings its tests, and describes its new features."""

import os
from pathlib import Path

import pytest

from baton_handoff.cli import main
from begun_project import DOUBLE, FEATURES, TEST, TRIPLE, Edit, Lacks
from trip_project import git


def test_no_change_lacks_nothing(lacks: Lacks) -> None:
    assert lacks() == []


@pytest.mark.parametrize(
    ("path", "side"),
    [(FEATURES, "data-science"), ("src/trips/serving/app.py", "ml-engineering")],
)
def test_a_change_without_a_test_names_the_side_and_the_file(
    edit: Edit, lacks: Lacks, path: str, side: str
) -> None:
    edit(path, TRIPLE)
    (finding,) = lacks()
    assert (finding.side, finding.file, finding.blocks) == (side, path, True)
    assert "no test changes with it" in finding.message


def test_a_changed_test_is_enough(edit: Edit, lacks: Lacks) -> None:
    edit(FEATURES, TRIPLE)
    edit(TEST, "def test_cost():\n    assert cost(1) == 3\n")
    assert lacks() == []


def test_a_comment_in_a_test_is_no_changed_test(root: Path, edit: Edit, lacks: Lacks) -> None:
    edit(FEATURES, TRIPLE)
    edit(TEST, "# three times\n" + (root / TEST).read_text())
    assert len(lacks()) == 1


@pytest.mark.parametrize("text", ["", "@pytest.mark.skip\ndef test_cost():\n    assert 1\n"])
def test_a_removed_or_skipped_test_is_no_changed_test(edit: Edit, lacks: Lacks, text: str) -> None:
    edit(FEATURES, TRIPLE)
    edit(TEST, text)
    deleted, missing = lacks()
    assert (deleted.check, deleted.file, deleted.blocks) == ("deleted-test", TEST, True)
    assert missing.file == FEATURES


def test_a_removed_test_is_missed_without_any_other_change(
    root: Path, edit: Edit, lacks: Lacks
) -> None:
    edit(TEST, (root / TEST).read_text() + "\n\ndef test_more():\n    assert cost(2) == 4\n")
    git(root, "commit", "--quiet", "--all", "--message", "more")
    try:
        edit(TEST, "def test_more():\n    assert cost(2) == 4\n")
        (finding,) = lacks()
        assert (finding.file, finding.message.endswith("test_cost")) == (TEST, True)
    finally:
        git(root, "reset", "--quiet", "--hard", "HEAD~")


def test_the_test_of_removed_code_may_go_with_it(root: Path, lacks: Lacks) -> None:
    (root / FEATURES).unlink()
    (root / TEST).unlink()
    assert lacks() == []


def test_a_renamed_test_is_no_changed_test(root: Path, edit: Edit, lacks: Lacks) -> None:
    edit(FEATURES, TRIPLE)
    (root / TEST).rename(root / "tests/unit/test_cost.py")
    assert len(lacks()) == 1


@pytest.mark.parametrize(
    ("path", "text", "missing"),
    [
        ("tests/README.md", "# Tests\n", 1),
        ("tests/unit/prices.py", "PRICE = 3\n", 1),
        ("tests/golden/rows.csv", "price,cost\n1,3\n", 0),
        ("tests/acceptance/costs.feature", "Scenario: thrice\n", 0),
    ],
)
def test_a_changed_helper_of_tests_is_no_changed_test(
    edit: Edit, lacks: Lacks, path: str, text: str, missing: int
) -> None:
    edit(FEATURES, TRIPLE)
    edit(path, text)
    assert len(lacks()) == missing


@pytest.mark.parametrize(
    "text",
    [
        DOUBLE.replace("2 * price", "2*price  # twice"),
        DOUBLE.replace("What trips cost", "What a trip costs"),
        DOUBLE.replace("    return", '    """Twice the price."""\n    return'),
        f"import os\n{DOUBLE}",
    ],
    ids=["form", "docstring", "new docstring", "an import that nobody uses"],
)
def test_code_with_the_same_behaviour_needs_no_test(edit: Edit, lacks: Lacks, text: str) -> None:
    edit(FEATURES, text)
    assert lacks() == []


@pytest.mark.parametrize("use", ["__all__ = ['tax']\n", "tax(1)\n"])
def test_a_changed_import_of_a_used_name_needs_a_test(
    root: Path, edit: Edit, lacks: Lacks, use: str
) -> None:
    edit(FEATURES, f"from .taxes import tax\n{use}")
    git(root, "commit", "--quiet", "--all", "--message", "taxes")
    try:
        edit(FEATURES, f"from .fees import tax\n{use}")
        assert len(lacks()) == 1
    finally:
        git(root, "reset", "--quiet", "--hard", "HEAD~")


def test_a_change_of_the_same_size_and_second_is_found(
    root: Path, edit: Edit, lacks: Lacks
) -> None:
    git(root, "config", "core.trustctime", "false")
    moment = 1_000_000_000
    os.utime(root / FEATURES, (moment, moment))
    git(root, "update-index", "--refresh")
    os.utime(root / ".git" / "index", (moment, moment))
    edit(FEATURES, TRIPLE)
    os.utime(root / FEATURES, (moment, moment))
    assert len(lacks()) == 1


def test_a_file_that_moves_needs_no_test(root: Path, lacks: Lacks) -> None:
    (root / FEATURES).rename(root / "src/trips/features/cost.py")
    assert lacks() == []


def test_training_and_notebooks_need_no_test(edit: Edit, lacks: Lacks) -> None:
    edit("src/trips/training/train.py", "ROUNDS = 20\n")
    edit("notebooks/look.ipynb", "{}")
    assert lacks() == []


def test_a_new_feature_needs_a_description(root: Path, edit: Edit, lacks: Lacks) -> None:
    path = "src/trips/contracts/__init__.py"
    text = (root / path).read_text()
    inner = '    """What the model sees."""\n'
    edit(path, text.replace(inner, inner + "\n    mood: int = Field(ge=0)\n"))
    (finding,) = lacks()
    assert finding.message == "The new feature Inner.mood has no description"
    assert finding.side == "data-science"
    assert finding.line is not None
    assert "mood" in (root / path).read_text().splitlines()[finding.line - 1]
    edit(path, text.replace(inner, inner + '\n    mood: int = Field(ge=0, description="m")\n'))
    assert lacks() == []


def test_an_inherited_feature_needs_a_description(root: Path, edit: Edit, lacks: Lacks) -> None:
    path = "src/trips/contracts/__init__.py"
    text = (root / path).read_text()
    base = "class Base(DataFrameModel):\n    mood: int = Field(ge=0)\n\n\nclass Inner(Base, Trip)"
    edit(path, text.replace("class Inner(Trip)", base).replace("metadata =", "metadata: dict ="))
    (finding,) = lacks()
    assert finding.message == "The new feature Inner.mood has no description"
    edit(path, text.replace("    town:", "    mood: int = Field(ge=0)\n    town:"))
    assert lacks() == []


def test_invalid_python_counts_as_a_change(edit: Edit, lacks: Lacks) -> None:
    edit(FEATURES, "def cost(:\n")
    assert len(lacks()) == 1


@pytest.mark.parametrize(("level", "blocks"), [(0, False), (1, False), (2, True)])
def test_a_missing_test_blocks_at_level_2(
    root: Path, edit: Edit, monkeypatch: pytest.MonkeyPatch, level: int, blocks: bool
) -> None:
    edit(".copier-answers.yml", f"level: {level}\n")
    git(root, "commit", "--quiet", "--all", "--allow-empty", "--message", "level")
    edit(FEATURES, TRIPLE)
    monkeypatch.chdir(root)
    try:
        assert main(["done", "--base", "HEAD"]) == int(blocks)
    finally:
        git(root, "reset", "--quiet", "--hard", "HEAD~")
