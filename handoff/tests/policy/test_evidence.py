"""Evidence counts until a file that it depends on changes."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from baton_handoff.cli import main
from baton_handoff.config.project import Project, find_project
from baton_handoff.config.project_files import ProjectFiles
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.evidence import counting_plugin
from baton_handoff.policy.evidence import recording as record
from baton_handoff.policy.evidence.steps import Step
from baton_handoff.policy.evidence.store import KINDS, EvidenceStore
from baton_handoff.policy.practices.assessment import State
from baton_handoff.policy.status.status import assess
from trip_project import git

PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")


@pytest.fixture
def project(kept: Project) -> Project:
    return kept


def stale(project: Project) -> set[str]:
    """The kinds of run that show nothing of the project as it is."""
    record = EvidenceStore(find_project(project.root))
    return {kind for kind in KINDS if record.current(kind) is None}


@pytest.mark.parametrize(
    ("file", "made_stale"),
    [
        ("docs/model-card.md", set()),
        ("infra/main.tf", {"infrastructure"}),
        (".github/workflows/handoff.yml", set()),
        ("params.yaml", {"test", "pipeline"}),
        ("tests/unit/test_more.py", {"format", "lint", "types", "test"}),
        ("tests/acceptance/more.feature", {"types", "test", "acceptance"}),
        ("notebooks/more.ipynb", {"features", "test"}),
        ("CODEOWNERS", set()),
        ("standards/ruff.toml", {"format", "lint", "lock"}),
        ("standards/mypy.ini", {"types", "lock"}),
        ("standards/importlinter.ini", {"layers", "lock"}),
        ("src/trips/serving/more.py", {*KINDS} - {"lock", "pipeline", "infrastructure"}),
        ("src/trips/contracts/more.py", {*KINDS} - {"lock", "infrastructure"}),
        ("data/raw.csv", {"pipeline"}),
        ("dvc.yaml", {"pipeline"}),
        ("uv.lock", {*KINDS} - {"pipeline", "infrastructure"}),
        (".ruff.toml", {"format", "lint"}),
        ("infra/ruff.toml", {"format", "lint", "infrastructure"}),
        ("notebooks/pyproject.toml", {"format", "lint", "features", "test", "lock"}),
        ("infra/more.pyi", {"format", "lint", "infrastructure"}),
        ("pyproject.toml", {*KINDS} - {"layers", "features", "pipeline", "infrastructure"}),
        ("conftest.py", {"format", "lint", "test", "acceptance"}),
        ("pytest.ini", {"test", "acceptance"}),
        (".pytest.ini", {"test", "acceptance"}),
        ("pytest.toml", {"test", "acceptance"}),
        ("tox.ini", {"test", "acceptance"}),
        ("setup.cfg", {"test", "acceptance"}),
        ("tests/conftest.py", {"format", "lint", "types", "test", "acceptance"}),
    ],
)
def test_a_change_makes_only_dependent_evidence_stale(
    project: Project, file: str, made_stale: set[str]
) -> None:
    assert stale(project) == set()
    (project.root / file).parent.mkdir(parents=True, exist_ok=True)
    with (project.root / file).open("a", encoding="utf-8") as opened:
        opened.write("# more\n")
    assert stale(project) == made_stale


@pytest.mark.parametrize(
    ("said", "made_stale"),
    [
        ('[[statements]]\npractice = "mixed"\n', set()),
        ('[enforce]\npractices = ["linted"]\n', set()),
        ("[monitor]\npsi = 0.3\n", {"api", "features", "test", "acceptance"}),
        ("[monitor", {"api", "features", "test", "acceptance"}),
    ],
)
def test_practices_in_handoff_toml_make_no_evidence_stale(
    project: Project, said: str, made_stale: set[str]
) -> None:
    with (project.root / "handoff.toml").open("a", encoding="utf-8") as opened:
        opened.write(f"\n{said}")
    record = EvidenceStore(project)
    assert {kind for kind in KINDS if record.current(kind) is None} == made_stale


def test_evidence_counts_again_after_a_change_is_undone(project: Project) -> None:
    file = project.root / "params.yaml"
    before = file.read_bytes()
    file.write_text("model: {}\n", encoding="utf-8")
    assert stale(project) == {"test", "pipeline"}
    file.write_bytes(before)
    assert stale(project) == set()


def test_another_candidate_makes_the_acceptance_evidence_stale(project: Project) -> None:
    (project.root / "mlflow.db").unlink()
    assert stale(project) == {"acceptance"}


def test_ignored_files_make_no_evidence_stale(project: Project) -> None:
    (project.root / "models").mkdir(exist_ok=True)
    (project.root / "models/extra.py").write_text("", encoding="utf-8")
    assert "models/extra.py" not in ProjectFiles(project.root).paths
    assert stale(project) == set()


def test_without_git_all_files_count_except_those_of_tools(tmp_path: Path) -> None:
    for name in ("a.py", "src/b.py", ".venv/lib/c.py", ".handoff/evidence/d.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    assert ProjectFiles(tmp_path).paths == ["a.py", "src/b.py"]


def test_line_endings_make_no_difference(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"1\n2\n")
    key = ProjectFiles(tmp_path).key(["a.py"])
    (tmp_path / "a.py").write_bytes(b"1\r\n2\r\n")
    assert ProjectFiles(tmp_path).key(["a.py"]) == key


def test_unreadable_evidence_does_not_count(project: Project) -> None:
    (project.local / "evidence/lint.json").write_text("{", encoding="utf-8")
    assert stale(project) == {"lint"}


@pytest.mark.parametrize("folder", [".handoff", "elsewhere"])
def test_committed_evidence_does_not_count(project: Project, tmp_path: Path, folder: str) -> None:
    if folder == "elsewhere":
        (project.root / ".handoff").rename(project.root / folder)
        (project.root / ".handoff").symlink_to(folder)
        (project.root / ".gitignore").write_text("/mlflow.db\n", encoding="utf-8")
    git(project.root, "add", "--force", f"{folder}/evidence")
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "--message", "all is well")
    git(tmp_path, "clone", "--quiet", str(project.root), "clone")
    clone = find_project(tmp_path / "clone")
    assert (clone.local / "evidence/test.json").is_file()
    assert {kind for kind in KINDS if EvidenceStore(clone).latest(kind)} == set()
    (said,) = {o.message for o in assess(clone).results if o.practice.name == "tests-pass"}
    assert said == "The evidence is committed to git, so it proves nothing."


@pytest.fixture
def checking(project: Project, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A command that ends as its one argument says, as if it were the linter."""
    command = [sys.executable, "-c", "print('said'); raise SystemExit(int(open('end').read()))"]
    kind = Step(tuple(command), "uv run poe check", ("params.yaml",))
    for module in ("recording", "store"):
        kinds = {**KINDS, "lint": kind}
        monkeypatch.setattr(f"baton_handoff.policy.evidence.{module}.KINDS", kinds)
    monkeypatch.chdir(project.root)
    return command


@pytest.mark.parametrize("end", [0, 1])
def test_a_recorded_command_keeps_its_output_and_exit_code(
    project: Project, checking: list[str], capfd: pytest.CaptureFixture[str], end: int
) -> None:
    Path("end").write_text(str(end), encoding="utf-8")
    assert main(["record", "lint", "--", *checking]) == end
    assert capfd.readouterr().out == "said\n"
    evidence = EvidenceStore(project).current("lint")
    assert evidence is not None
    assert evidence.ok == (end == 0)


def test_a_command_that_fails_to_run_leaves_no_evidence(
    project: Project, checking: list[str]
) -> None:
    (project.local / "evidence/lint.json").unlink()
    Path("end").write_text("2", encoding="utf-8")
    assert main(["record", "lint", "--", *checking]) == 2
    assert EvidenceStore(project).latest("lint") is None


@pytest.mark.parametrize("kind", ["format", "lint", "types"])
def test_a_baseline_can_list_a_file_that_a_tool_cannot_parse(
    project: Project, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = "src/trips/serving/old.py"
    (project.root / path).parent.mkdir(parents=True, exist_ok=True)
    (project.root / path).write_text('print "Python 2"\n', encoding="utf-8")
    asked = KINDS[kind]
    command = (*asked.command[:1], *(asked.command[1:] if kind != "types" else ()), path)
    only = replace(asked, command=command)
    for module in ("recording", "store"):
        monkeypatch.setattr(f"baton_handoff.policy.evidence.{module}.KINDS", {kind: only})
    assert record.record_run(project, kind, command).exit_code in (1, 2)
    evidence = EvidenceStore(project).current(kind)
    assert evidence is not None
    assert not evidence.ok
    assert [(one.file, one.line) for one in evidence.findings] == [(path, 1)]

    held = {(asked.practice, "ml-engineering", path): 1}
    capfd.readouterr()
    # mypy looks no further than such a file, so that nothing shows the rest.
    ends = record.record_run(replace(project, baseline=held), kind, command).exit_code
    assert ends == (2 if kind == "types" else 0)
    said = capfd.readouterr().out
    assert said.endswith("1 finding, all in the baseline\n") == (ends == 0)
    again = EvidenceStore(project).current(kind)
    assert again is not None
    assert not again.ok
    (project.root / path).with_name("new.py").write_text('print "more"\n', encoding="utf-8")
    more = (*command, "src/trips/serving/new.py")
    both = {kind: replace(only, command=more)}
    for module in ("recording", "store"):
        monkeypatch.setattr(f"baton_handoff.policy.evidence.{module}.KINDS", both)
    assert record.record_run(replace(project, baseline=held), kind, more).exit_code in (1, 2)


def test_an_internal_stop_of_mypy_leaves_no_evidence(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "src/trips/serving/old.py"
    text = "async def each():\n    yield from each()\n"
    (project.root / path).write_text(text, encoding="utf-8")
    command = ("mypy", path)
    only = {"types": replace(KINDS["types"], command=command)}
    for module in ("recording", "store"):
        monkeypatch.setattr(f"baton_handoff.policy.evidence.{module}.KINDS", only)
    assert record.record_run(project, "types", command).exit_code == 2
    assert EvidenceStore(project).current("types") is None


def test_a_run_on_some_files_leaves_no_evidence(
    project: Project, checking: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    (project.local / "evidence/lint.json").unlink()
    Path("end").write_text("0", encoding="utf-8")
    assert main(["record", "lint", "--", *checking, "src/trips"]) == 0
    assert capfd.readouterr().out == "said\n"
    assert EvidenceStore(project).latest("lint") is None


def test_a_file_that_changes_during_a_run_leaves_no_evidence(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.local / "evidence/lint.json").unlink()
    command = (sys.executable, "-c", "open('params.yaml', 'a').write('# more')")
    monkeypatch.setattr(record, "KINDS", {"lint": Step(command, "", ())})
    places = Step(command, "", ("params.yaml",))
    monkeypatch.setattr("baton_handoff.policy.evidence.store.KINDS", {"lint": places})
    assert record.record_run(project, "lint", command).exit_code == 0
    assert EvidenceStore(project).latest("lint") is None


def test_tests_are_counted_by_file_and_the_output_of_pytest_is_unchanged(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    tests = project.root / "tests/unit/test_model.py"
    tests.parent.mkdir(parents=True)
    tests.write_text(
        "import pytest\n"
        "def test_one(): pass\n"
        "def test_two(): assert False\n"
        "@pytest.mark.skip\ndef test_three(): pass\n"
        "@pytest.fixture\ndef broken(): yield; assert False\n"
        "def test_four(broken): pass\n",
        encoding="utf-8",
    )
    (project.root / "tests/unit/test_unread.py").write_text("import nothing_of_the_kind\n")
    command = (*PYTEST, "--continue-on-collection-errors", "--tb=no", "tests")
    monkeypatch.setattr(record, "KINDS", {"test": Step(command, "", ())})
    assert record.record_run(project, "test", command).exit_code == 1
    said = capfd.readouterr().out
    alone = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    assert [*map(untimed, said.splitlines())] == [*map(untimed, alone.stdout.splitlines())]
    evidence = EvidenceStore(project).current("test")
    assert evidence is not None
    assert not evidence.ok
    assert evidence.facts == {
        "tests/unit/test_model.py": {"passed": 1, "failed": 2, "skipped": 1},
        "tests/unit/test_unread.py": {"failed": 1},
    }


def test_an_unreadable_test_file_counts_as_failed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.root / "tests/unit").mkdir(parents=True)
    (project.root / "tests/unit/test_good.py").write_text("def test_one(): pass\n")
    (project.root / "tests/test_unread.py").write_text("import nothing_of_the_kind\n")
    command = (*PYTEST, "--tb=no", "tests")
    kinds = {**KINDS, "test": replace(KINDS["test"], command=command)}
    monkeypatch.setattr(record, "KINDS", kinds)
    assert record.record_run(project, "test", command).exit_code == 2
    evidence = EvidenceStore(project).current("test")
    assert evidence is not None
    assert evidence.facts == {
        "tests/test_unread.py": {"failed": 1},
        "tests/unit/test_good.py": {"unrun": 1},
    }
    said = {(o.practice.name, o.state, o.message) for o in assess(project).results}
    assert ("tests-pass", State.NOT_MET, "Tests fail.") in said
    assert ("unit-tests", State.NOT_SHOWN, "The test run ended before the unit tests.") in said


def test_a_failing_notebook_is_recorded_and_does_not_fail_the_run(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    cell = {"cell_type": "code", "source": "1 / 0", "outputs": [], "metadata": {}}
    book = {"cells": [{**cell, "execution_count": None}], "metadata": {}}
    text = json.dumps({**book, "nbformat": 4, "nbformat_minor": 4})
    (project.root / "notebooks/look.ipynb").write_text(text, encoding="utf-8")
    # An archived one does not run.
    (project.root / "notebooks/archive").mkdir()
    (project.root / "notebooks/archive/old.ipynb").write_text(text, encoding="utf-8")
    command = (*PYTEST, "--nbmake", "notebooks")
    monkeypatch.setattr(record, "KINDS", {"test": Step(command, "", ())})
    assert record.record_run(project, "test", command).exit_code == 0
    assert "1 xfailed" in capfd.readouterr().out
    # What CI providers show.
    assert 'tests="1"' in (project.local / "junit.xml").read_text(encoding="utf-8")
    evidence = EvidenceStore(project).current("test")
    assert evidence is not None
    assert (evidence.ok, evidence.facts) == (True, {"notebooks/look.ipynb": {"failed": 1}})


def untimed(line: str) -> str:
    return line.partition(" in ")[0]


def test_pytest_options_in_the_environment_leave_no_evidence(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.local / "evidence/test.json").unlink()
    command = (sys.executable, "-c", "")
    monkeypatch.setattr(record, "KINDS", {"test": Step(command, "", ())})
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k quick")
    assert record.record_run(project, "test", command).exit_code == 0
    assert EvidenceStore(project).latest("test") is None


@pytest.mark.parametrize(
    ("kind", "command", "said"),
    [
        ("tests", ["pytest"], "There is no evidence called `tests`; did you mean `test`?"),
        ("lint", [], "The command is missing: `handoff record lint -- ruff check`."),
        ("lint", ["src/trips/model.py"], "src/trips/model.py can't be run .Permission denied..$"),
        ("lint", ["no-such-tool"], "no-such-tool is not installed: `uv run poe setup`."),
    ],
)
def test_a_wrong_record_command_is_refused_with_one_sentence(
    project: Project, kind: str, command: list[str], said: str
) -> None:
    with pytest.raises(HandoffError, match=said):
        record.record_run(project, kind, command)


@pytest.mark.parametrize(("given", "used"), [(None, "python3"), ("julia", "julia")])
def test_notebooks_run_in_this_environment_whatever_kernel_they_name(
    given: str | None, used: str
) -> None:
    """Unless the command names one; without nbmake there is nothing to set."""
    config = SimpleNamespace(option=SimpleNamespace(nbmake_kernel=given))
    counting_plugin.pytest_configure(cast("pytest.Config", config))
    assert config.option.nbmake_kernel == used
    other = SimpleNamespace(option=SimpleNamespace())
    counting_plugin.pytest_configure(cast("pytest.Config", other))
    assert not vars(other.option)


def test_chosen_tests_also_run_notebooks_in_the_kernel_of_this_environment(
    project: Project,
) -> None:
    given: list[dict[str, str]] = []

    def start(_: object, *, env: dict[str, str], **__: object) -> "subprocess.Popen[bytes]":
        given.append(env)
        return subprocess.Popen([sys.executable, "-c", ""])

    record.record_run(project, "test", ("pytest", "notebooks/look.ipynb"), start=start)
    assert counting_plugin.__name__ in given[0]["PYTEST_PLUGINS"].split(",")
    assert counting_plugin.COUNTS not in given[0]
