"""Breaking changes: triage names the side that has to act and does not block the other side."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.baton import Workshop, git, run
from tests.environment import inside
from tests.prove.breaks import (
    ADA,
    DS,
    MAX,
    ML,
    SCENARIOS,
    SRC,
    Work,
    documented,
    serving,
)
from tests.slices import sampled


@pytest.fixture(scope="module")
def agreed(workshop: Workshop, environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Work:
    """Return a project on its main branch, with the members of both sides."""
    project = tmp_path_factory.mktemp("triage") / "project"
    shutil.copytree(workshop.project({}), project)
    git(project, "init", "--quiet", "--initial-branch", "main")
    work = Work(project, {**inside(environment, project), "TMPDIR": str(project.parent)})
    for side, person in ((DS, ADA), (ML, MAX)):
        work.change("handoff.toml", f"{side} = []", f'{side} = ["{person}"]')
    work.commit("platform@example.com")
    work.triage()  # fills the type checker's cache once for all tests
    return work


@pytest.fixture
def work(agreed: Work, environment: Path, tmp_path: Path) -> Work:
    """Return a copy of the project on a branch."""
    project = tmp_path / "project"
    shutil.copytree(agreed.project, project)
    git(project, "switch", "--quiet", "--create", "work")
    return Work(project, inside(environment, project))


def causes(findings: Any) -> set[tuple[str, str | None]]:
    return {(finding["check"].removeprefix("triage-"), finding["side"]) for finding in findings}


def blocked(findings: Any) -> set[str]:
    """Return the sides whose check fails."""
    blocking = [finding["side"] for finding in findings if finding["blocks"]]
    return {side for side in (DS, ML) if side in blocking or None in blocking}


@pytest.mark.parametrize("name", sampled("triage", [*SCENARIOS], 8))
def test_triage_names_the_side_that_has_to_act(work: Work, name: str) -> None:
    scenario, expected = SCENARIOS[name]
    scenario(work)
    findings, code = work.triage()
    assert causes(findings) == expected.found, json.dumps(findings)
    assert blocked(findings) == expected.blocked
    assert code == int(any(finding["blocks"] for finding in findings))
    assert git(work.project, "worktree", "list").count("\n") == 1
    assert git(work.project, "status", "--porcelain") == ""


def test_the_check_of_the_other_side_passes(work: Work) -> None:
    serving(work)
    assert [work.triage("--side", side)[1] for side in (DS, ML)] == [0, 1]


def test_an_older_failure_is_inherited_and_its_commit_is_found(work: Work) -> None:
    begun = git(work.project, "rev-parse", "HEAD").strip()
    git(work.project, "switch", "--quiet", "main")
    documented(work)
    serving(work)
    broken = git(work.project, "rev-parse", "HEAD").strip()
    documented(work)
    git(work.project, "switch", "--quiet", "--create", "later")
    model_note = work.project / SRC / "model" / "notes.py"
    model_note.write_text('"""Notes."""\n', encoding="utf-8")
    work.commit(ADA)
    findings, code = work.triage("--since", begun)
    assert (causes(findings), code) == ({("inherited", ML)}, 0), json.dumps(findings)
    assert broken[:12] in findings[0]["message"]


def test_uncommitted_changes_count(work: Work) -> None:
    work.change(f"{SRC}/serving/batch.py", ", to)\n", ", str(to))\n")
    findings, code = work.triage()
    assert (causes(findings), code) == ({("change", ML)}, 1)
    assert findings[0]["file"] == f"{SRC}/serving/batch.py"


def test_a_merge_of_the_main_branch_is_not_the_cause(work: Work) -> None:
    documented(work)
    git(work.project, "switch", "--quiet", "main")
    serving(work)
    git(work.project, "switch", "--quiet", "work")
    git(work.project, "merge", "--quiet", "--no-edit", "main")
    findings, code = work.triage()
    assert (causes(findings), code) == ({("inherited", ML)}, 0), json.dumps(findings)


def test_the_merge_commit_of_a_provider_is_not_the_cause(work: Work) -> None:
    """Both sides changed one file, so the merge touches it; triage still addresses the author."""
    serving(work, author=ADA)
    git(work.project, "switch", "--quiet", "main")
    work.add(f"{SRC}/serving/app.py", "\n# ours\n")
    work.commit(MAX)
    git(work.project, "switch", "--quiet", "--detach")
    provider = ["-c", "user.email=noreply@example.com"]
    git(work.project, *provider, "merge", "--quiet", "--no-ff", "--no-edit", "work")
    (finding, *_), _ = work.triage()
    assert finding["side"] == DS
    assert f"({ADA})" in finding["message"]


def test_a_change_cannot_move_its_own_responsibility(work: Work) -> None:
    work.change("handoff.toml", f'{ML} = ["{MAX}"]', f"{ML} = []")
    work.change("handoff.toml", f'{DS} = ["{ADA}"]', f'{DS} = ["{ADA}", "{MAX}"]')
    serving(work)
    assert causes(work.triage()[0]) == {("change", ML)}


def test_a_single_team_gets_the_component_and_the_author(work: Work) -> None:
    git(work.project, "switch", "--quiet", "main")
    answers = work.project / ".copier-answers.yml"
    text = answers.read_text(encoding="utf-8")
    team = next(line for line in text.splitlines() if line.startswith("data_science_team"))
    other = next(line for line in text.splitlines() if line.startswith("ml_engineering_team"))
    answers.write_text(
        text.replace(other, f"ml_engineering_team: {team.partition(': ')[2]}"), encoding="utf-8"
    )
    work.commit("platform@example.com")
    git(work.project, "switch", "--quiet", "--create", "one-team")
    serving(work)
    (finding, *_) = work.triage()[0]
    assert finding["side"] is None
    assert MAX in finding["message"]
    assert ML in finding["message"]


def test_a_change_cannot_lower_the_level_that_judges_it(work: Work) -> None:
    work.change(".copier-answers.yml", "level: 1", "level: 0")
    serving(work)
    assert work.triage()[1] == 1


def test_at_level_0_triage_is_advice(work: Work) -> None:
    git(work.project, "switch", "--quiet", "main")
    work.change(".copier-answers.yml", "level: 1", "level: 0")
    work.commit("platform@example.com")
    git(work.project, "switch", "--quiet", "--create", "ad-hoc")
    serving(work)
    findings, code = work.triage()
    assert (causes(findings), code) == ({("change", ML)}, 0)


def test_a_changed_lock_is_tested_in_a_separate_environment(agreed: Work, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(agreed.project, project)
    work = Work(project, {"PATH": f"{project}/.venv/bin{os.pathsep}{os.environ['PATH']}"})

    def wants(version: str) -> None:
        file = project / "pyproject.toml"
        text = re.sub(r'    "toolz==.*",\n', "", file.read_text(encoding="utf-8"))
        wanted = f'dependencies = [\n    "toolz=={version}",'
        file.write_text(text.replace("dependencies = [", wanted, 1), encoding="utf-8")
        run(["uv", "lock", "--quiet"], project)

    wants("0.12.1")
    work.add(
        "tests/contract/test_data_science.py",
        """

def test_the_tools_are_those_that_were_proved() -> None:
    from importlib.metadata import version

    assert version("toolz") == "0.12.1"
""",
    )
    work.commit(ADA)
    git(project, "switch", "--quiet", "--create", "newer")
    wants("1.0.0")
    work.commit(MAX)
    run(["uv", "sync", "--quiet", "--frozen"], project)
    (finding,), code = work.triage()
    assert (finding["check"], finding["side"], code) == ("triage-change", ML, 1)
    assert "the change of dependencies broke" in finding["message"]


@pytest.mark.parametrize(
    ("base", "message"),
    [("nowhere", "nowhere is not a commit in this clone"), ("-x", "is not a commit")],
)
def test_a_missing_base_gives_one_error_message(work: Work, base: str, message: str) -> None:
    done = run(["handoff", "triage", f"--base={base}"], work.project, check=False, env=work.env)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_shallow_clone_gives_the_command_to_fetch_the_history(
    work: Work, environment: Path, tmp_path: Path
) -> None:
    documented(work)
    git(work.project, "switch", "--quiet", "main")
    serving(work)
    git(work.project, "switch", "--quiet", "work")
    shallow = tmp_path / "shallow"
    source = f"file://{work.project}"
    git(tmp_path, "clone", "--quiet", "--depth=1", "--no-single-branch", source, str(shallow))
    base = ["handoff", "triage", "--base", "origin/main"]
    done = run(base, shallow, check=False, env=inside(environment, shallow))
    assert done.returncode == 2
    assert "git fetch --unshallow" in done.stderr, done.stderr
