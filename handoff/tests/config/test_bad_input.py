"""Invalid input of diff and triage is an error in one sentence and leaves no files behind."""

import shutil

import pytest

from baton_handoff.cli import main
from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from trip_project import Change, differences, git


def test_contracts_that_cannot_be_imported_are_an_error_in_one_sentence(
    project: Project, change: Change
) -> None:
    change("le=9", "le=nine")
    with pytest.raises(HandoffError, match=r"^The contracts of the working directory .*nine") as e:
        differences(project, "HEAD")
    assert "\n" not in str(e.value)
    git(project.root, "commit", "--quiet", "--all", "--message", "broken")
    change("le=nine", "le=9")
    with pytest.raises(
        HandoffError,
        match=r"^The contracts of the last commit .*: NameError",
    ):
        differences(project, "HEAD")


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("nowhere", "nowhere is not a commit in this clone"),
        ("nothing.whl", "nothing.whl can't be read as a wheel"),
    ],
)
def test_an_unknown_base_is_an_error_in_one_sentence(
    project: Project, base: str, message: str
) -> None:
    with pytest.raises(HandoffError, match=message):
        differences(project, base)


def test_a_project_outside_git_is_an_error_with_its_remedy(project: Project) -> None:
    (project.root / ".git").rename(project.root / "old")
    with pytest.raises(HandoffError, match="is not in a git repository yet: run `uv run poe"):
        differences(project, "HEAD")


@pytest.mark.parametrize("untracked", ["src/trips/contracts", "handoff.toml"])
def test_a_base_without_baton_or_contracts_has_no_differences(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    untracked: str,
) -> None:
    git(project.root, "rm", "--quiet", "-r", "--cached", untracked)
    git(project.root, "commit", "--quiet", "--message", "before Baton")
    monkeypatch.chdir(project.root)
    for base in ([], ["--base", "HEAD"]):
        assert main(["contract", "diff", *base]) == 0
        message = capsys.readouterr().out
        assert message.startswith("Nothing was compared: ")
        assert main(["done", *base]) == 0
        capsys.readouterr()


def test_a_base_without_the_folder_of_the_project_has_no_differences(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    around = project.root.parent
    (project.root / ".git").rename(around / ".git")
    git(around, "rm", "--quiet", "-r", "--cached", ".")
    git(around, "commit", "--quiet", "--allow-empty", "--message", "before the project")
    git(around, "branch", "before")
    git(around, "add", "project")
    monkeypatch.chdir(project.root)
    for commits in range(2):
        assert main(["contract", "diff", "--base", "before"]) == 0
        message = capsys.readouterr().out
        assert message.startswith("Nothing was compared: ")
        assert main(["done", "--base", "before"]) == 0
        assert main(["status", "--base", "before"]) == 0
        assert "What this change breaks" not in capsys.readouterr().out
        if not commits:
            git(around, "commit", "--quiet", "--message", "the project")


def test_a_base_whose_package_has_another_name_is_an_error(project: Project) -> None:
    git(project.root, "mv", "src/trips", "src/rides")
    git(project.root, "commit", "--quiet", "--message", "another package")
    git(project.root, "mv", "src/rides", "src/trips")
    with pytest.raises(HandoffError, match=r"has no contracts: there is no package trips\."):
        differences(project, "HEAD")


def test_two_contracts_of_one_name_are_refused_in_one_sentence(project: Project) -> None:
    # Otherwise one of them would hide the other.
    other = project.source / "contracts" / "other.py"
    own = (project.source / "contracts" / "__init__.py").read_text()
    other.write_text(own)
    with pytest.raises(HandoffError) as error:
        differences(project, "HEAD")
    assert str(error.value) == (
        "The contracts of the working directory can't be used: trips.contracts and"
        " trips.contracts.other both define Trip: rename one of the two."
    )


def spoilt(project: Project, how: str) -> list[str]:
    """Make a project or the arguments invalid in one way; return the arguments."""
    contracts = project.source / "contracts"
    match how:
        case "no contracts":
            shutil.rmtree(contracts)
        case "a contract that does not import":
            (contracts / "__init__.py").write_text("import nothing_like_that")
        case "a duplicate name":
            (contracts / "other.py").write_text((contracts / "__init__.py").read_text())
        case "a broken handoff.toml":
            (project.root / "handoff.toml").write_text("interface = ")
    return ["--base", "nowhere" if how == "an unknown ref" else "HEAD"]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("an unknown ref", "nowhere is not a commit in this clone"),
        ("no contracts", "has no contracts: there is no package trips.contracts in it."),
        (
            "a contract that does not import",
            "can't be imported: src/trips/contracts/__init__.py:1: ModuleNotFoundError",
        ),
        ("a duplicate name", "both define Trip: rename one of the two."),
        ("a broken handoff.toml", "handoff.toml:1: invalid TOML"),
    ],
)
def test_invalid_input_of_diff_is_one_sentence_and_leaves_no_files_behind(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    how: str,
    message: str,
) -> None:
    monkeypatch.chdir(project.root)
    arguments = spoilt(project, how)
    before = git(project.root, "status", "--porcelain"), git(project.root, "count-objects")
    assert main(["contract", "diff", *arguments]) == 2
    complaint = capsys.readouterr().err
    assert message in complaint
    assert complaint.count("\n") == 1
    after = git(project.root, "status", "--porcelain"), git(project.root, "count-objects")
    assert after == before
    assert git(project.root, "worktree", "list").count("\n") == 1


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("an unknown ref", "nowhere is not a commit in this clone"),
        ("a broken handoff.toml", "handoff.toml:1: invalid TOML"),
    ],
)
def test_invalid_input_of_triage_is_one_sentence(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    how: str,
    message: str,
) -> None:
    monkeypatch.chdir(project.root)
    assert main(["triage", *spoilt(project, how)]) == 2
    complaint = capsys.readouterr().err
    assert message in complaint
    assert complaint.count("\n") == 1
    assert git(project.root, "worktree", "list").count("\n") == 1
