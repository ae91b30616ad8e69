"""Findings about a change in the report: breaks, missing parts, and the side that has to act."""

import json
from functools import partial

import pytest

from baton_handoff.cli import main
from baton_handoff.config.project import Project, find_project
from baton_handoff.core.git_snapshots import Base
from baton_handoff.policy.evidence.store import EvidenceStore
from baton_handoff.policy.status import missing_evidence as producing
from baton_handoff.policy.status import status
from baton_handoff.policy.status.change_findings import kept as keeping
from baton_handoff.reporting.findings import Finding
from baton_handoff.triage.experiment import Triage
from breaking import changed
from kept_project import TODAY, commit, leave_counts, leave_evidence
from trip_project import git

CONTRACTS = "src/trips/contracts/__init__.py"
UNSEEN = "The contracts have changed, and no comparison shows yet what that breaks"


@pytest.fixture
def project(kept: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project on a branch of its own, at level 1."""
    monkeypatch.chdir(kept.root)
    monkeypatch.setattr(status, "assess", partial(status.assess, today=TODAY))
    commit(kept.root, "ds@example.com")
    git(kept.root, "branch", "target")
    return kept


def judged(capsys: pytest.CaptureFixture[str]) -> tuple[int, list[tuple[str, bool, str]]]:
    """The exit code, and what is said of contracts: each a sentence, whether it blocks, a fix."""
    capsys.readouterr()
    code = main(["status", "--base", "target", "--format", "json"])
    found = json.loads(capsys.readouterr().out)["findings"]
    ours = [
        one for one in found if one["check"].startswith("contract-") or UNSEEN in one["message"]
    ]
    return code, [(one["message"], one["blocks"], one["fix"]) for one in ours]


def test_a_break_of_a_contract_blocks_until_its_version_is_raised(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    fix = "`uv run poe diff --base target`"
    assert judged(capsys) == (0, [])
    changed(CONTRACTS, "ge=0, le=1)", "ge=0, le=2)")(project)
    assert judged(capsys) == (1, [(UNSEEN, True, fix)])

    assert main(["contract", "diff", "--base", "target"]) == 1
    code, [(said, blocks, then)] = judged(capsys)
    assert said.startswith("Answer is still version 1.0.0, and this is a major change")
    assert (code, blocks, then) == (1, True, fix)

    text = (project.root / CONTRACTS).read_text(encoding="utf-8")
    answer = text.index("class Answer")
    changed(CONTRACTS, text[answer:], text[answer:].replace("1.0.0", "2.0.0"))(project)
    assert judged(capsys) == (1, [(UNSEEN, True, fix)])
    main(["contract", "diff", "--base", "target"])
    assert judged(capsys)[0] == main(["contract", "diff", "--base", "target"]) == 0


def test_a_break_of_a_contract_is_advice_at_level_0(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(".copier-answers.yml", "level: 1", "level: 0")(project)
    commit(project.root, "ds@example.com")
    git(project.root, "branch", "--force", "target")
    changed(CONTRACTS, "ge=0, le=1)", "ge=0, le=2)")(project)
    assert main(["contract", "diff", "--base", "target"]) == 0
    code, [(said, blocks, _)] = judged(capsys)
    assert (code, blocks) == (0, False)
    assert "is still version 1.0.0" in said


def test_evidence_stays_valid_after_a_merge_that_changes_no_contract(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(CONTRACTS, "ge=0, le=1)", "ge=0, le=2)")(project)
    main(["contract", "diff", "--base", "target"])
    before = judged(capsys)
    commit(project.root, "ds@example.com")
    git(project.root, "switch", "--quiet", "target")
    (project.root / "docs/decisions/0002.md").write_text("# More\n", encoding="utf-8")
    git(project.root, "add", "--all")
    commit(project.root, "ml@example.com")
    git(project.root, "switch", "--quiet", "-")
    git(project.root, "merge", "--quiet", "--no-edit", "target")
    leave_evidence(find_project(project.root))
    assert judged(capsys) == before


def test_a_comparison_with_another_base_is_no_evidence(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(CONTRACTS, "ge=0, le=1)", "ge=0, le=2)")(project)
    commit(project.root, "ds@example.com")
    assert main(["contract", "diff", "--base", "HEAD"]) == 0
    code, [(said, *_)] = judged(capsys)
    assert (code, said) == (1, UNSEEN)


def test_the_change_that_adopts_baton_breaks_no_contract(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    git(project.root, "rm", "--quiet", "--cached", "handoff.toml")
    git(project.root, "commit", "--quiet", "--message", "before Baton")
    git(project.root, "branch", "--force", "target")
    changed(CONTRACTS, "ge=0, le=1)", "ge=0, le=2)")(project)
    assert judged(capsys)[1] == []


def test_a_comparison_with_a_wheel_leaves_no_evidence(project: Project) -> None:
    with keeping(project, "diff", "dist/trips_contracts.whl") as keep:
        keep([])
    assert EvidenceStore(project).latest("diff") is None


def test_every_format_contains_the_break(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(CONTRACTS, "ge=0, le=1)", "ge=0, le=2)")(project)
    main(["contract", "diff", "--base", "target"])
    for form in ("terminal", "markdown", "json", "sarif", "github", "gitlab", "azure"):
        capsys.readouterr()
        assert main(["status", "--base", "target", "--format", form, "--html", "s.html"]) == 1
        assert "Answer is still version" in " ".join(capsys.readouterr().out.split())
    assert "Answer is still version" in (project.root / "s.html").read_text(encoding="utf-8")


def test_missing_evidence_is_produced_with_the_same_base(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(CONTRACTS, "ge=0, le=1)", "ge=0, le=2)")(project)
    ran: list[list[str]] = []

    def run(_: Project, command: list[str]) -> int:
        ran.append(command)
        return main(command[3:])

    monkeypatch.setattr(producing, "_run", run)
    assert main(["status", "--run", "--stage", "push", "--base", "target"]) == 1
    assert main(["status", "--run", "--stage", "push", "--base", "target"]) == 1
    assert ran == [["uv", "run", "poe", "diff", "--base", "target"]]


def test_missing_tests_block_from_level_2_on(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    file = "src/trips/serving/app.py"
    changed(file, "create_app(loaded)", "create_app(loaded, docs=False)")(project)
    said = f"{file} behaves differently, and no test changes with it"
    for level, blocks in ((1, False), (2, True)):
        changed(".copier-answers.yml", "level: 1", f"level: {level}")(project)
        capsys.readouterr()
        code = main(["status", "--base", "target", "--format", "json"])
        found = json.loads(capsys.readouterr().out)["findings"]
        (done,) = (one for one in found if one["check"] == "definition-of-done")
        assert (done["message"], done["side"], done["blocks"]) == (said, "ml-engineering", blocks)
        assert code == int(blocks)


TURN = Finding(
    "triage-change",
    "ml-engineering has to act: the change broke the checks of data-science",
    blocks=True,
    side="ml-engineering",
    evidence=("contract tests: it is late",),
    fix="see it again: pytest",
)


ANSWER = Triage(Base("target", "c0ffee"), [TURN])


def turns(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, bool]]:
    """What is said of whose turn it is, and whether it blocks."""
    capsys.readouterr()
    main(["status", "--base", "target", "--format", "json"])
    found = json.loads(capsys.readouterr().out)["findings"]
    return [(f["message"], f["blocks"]) for f in found if f["check"].startswith("triage")]


def test_triage_findings_count_until_their_inputs_change(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    late = {"tests/contract/test_data_science.py": {"failed": 1}}
    leave_counts(project, late, ok=False)
    untried = [("Checks fail, and triage has not found out yet which side has to act", False)]
    assert turns(capsys) == untried

    monkeypatch.setattr("baton_handoff.integrations.judged_change.triage", lambda *_: ANSWER)
    # What is shown is one side's; what is kept is what was found of all.
    assert main(["triage", "--base", "target", "--side", "data-science"]) == 0
    assert "Compared with target (c0ffee)." in capsys.readouterr().out
    assert turns(capsys) == [(TURN.message, False)]
    for form in ("terminal", "markdown", "sarif", "github", "gitlab", "azure"):
        main(["status", "--base", "target", "--format", form, "--html", "s.html"])
        assert "has to act: the change broke" in " ".join(capsys.readouterr().out.split())
    assert TURN.message in (project.root / "s.html").read_text(encoding="utf-8")

    (project.root / "README.md").write_text("# Trips\n", encoding="utf-8")
    assert turns(capsys) == [(TURN.message, False)]
    (project.root / "tests/contract").mkdir(parents=True)
    (project.root / "tests/contract/test_data_science.py").write_text("", encoding="utf-8")
    leave_counts(project, late, ok=False)
    assert turns(capsys) == untried


def test_every_format_for_people_names_the_base(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    commit_ = git(project.root, "rev-parse", "target").strip()[:12]
    said = f"Judged by the stricter of this policy and the one of target ({commit_})."
    for form in ("terminal", "markdown"):
        capsys.readouterr()
        main(["status", "--base", "target", "--format", form, "--html", "s.html"])
        assert said in capsys.readouterr().out
    assert said in (project.root / "s.html").read_text(encoding="utf-8")
    main(["status"])
    assert "Judged by" not in capsys.readouterr().out


def test_without_failed_checks_triage_is_not_missing(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert turns(capsys) == []
