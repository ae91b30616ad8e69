"""Every practice is met by one project and not by another; nothing is met by a file's name."""

import shutil

import pytest

from baton_handoff.config.project import Project, find_project
from baton_handoff.config.sides import DATA_SCIENCE as DS
from baton_handoff.config.sides import ML_ENGINEERING as ML
from baton_handoff.config.sides import SIDES
from baton_handoff.policy.checks import CHECKS
from baton_handoff.policy.checks.check_context import CheckContext, CheckResult
from baton_handoff.policy.evidence.store import Evidence, EvidenceStore
from baton_handoff.policy.practices.assessment import PracticeResult, State
from baton_handoff.policy.practices.practice import ROLES, STATEMENT
from baton_handoff.policy.practices.registry import shipped
from baton_handoff.policy.status.status import assess
from baton_handoff.reporting.findings import Finding
from breaking import BREAKS, changed, went
from kept_project import TODAY, leave_evidence, statement


@pytest.fixture
def project(kept: Project) -> Project:
    return kept


def results(project: Project, name: str) -> list[PracticeResult]:
    assessment = assess(find_project(project.root), today=TODAY)
    return [result for result in assessment.results if result.practice.name == name]


def test_one_project_meets_all_practices(project: Project) -> None:
    assessment = assess(project, today=TODAY)
    open_ = [(o.practice.name, o.side, o.message) for o in assessment.results if not o.reached]
    assert open_ == []
    assert assessment.earned() == 2
    assert {result.state for result in assessment.results} == {State.MET, State.STATED}


def test_these_tests_break_every_practice_of_the_standards() -> None:
    assert [*BREAKS] == [p.name for p in shipped() if p.check != STATEMENT]


@pytest.mark.parametrize(
    ("name", "number"), [(name, at) for name, ways in BREAKS.items() for at in range(len(ways))]
)
def test_a_broken_practice_is_open_for_the_side_that_has_to_act(
    project: Project, name: str, number: int
) -> None:
    BREAKS[name][number](project)
    open_ = [result for result in results(project, name) if not result.reached]
    assert open_
    for result in open_:
        assert result.message.endswith(".")
        assert result.fix
        if result.practice.tier(result.side, 1) == "must":
            assessment = assess(find_project(project.root), today=TODAY)
            assert result in assessment.blocking("promotion", 1)
            assert assessment.earned(result.practice.section) == 0
            assert assessment.earned() == 0


@pytest.mark.parametrize("name", [p.name for p in shipped() if p.check == STATEMENT])
def test_a_practice_without_a_statement_is_open_and_one_with_a_statement_earns_half(
    project: Project, name: str
) -> None:
    assert {result.earned for result in results(project, name)} == {0.5}
    settings = project.root / "handoff.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("2027-11-01", "2026-11-24"), encoding="utf-8")
    (*_, expired) = results(project, name)
    assert (expired.state, expired.earned) == (State.NOT_SHOWN, 0)
    assert expired.message == "The statement of the ml-engineer expired on 2026-11-24."


def test_what_only_a_statement_shows_blocks_nothing() -> None:
    asked = {
        practice.tier(side, level)
        for practice in shipped()
        if practice.check == STATEMENT
        for side in SIDES
        for level in (0, 1, 2)
    }
    assert asked <= {"would-like", "not-needed"}


@pytest.mark.parametrize("name", [p.name for p in shipped() if p.stated])
def test_a_statement_counts_where_the_check_finds_nothing(project: Project, name: str) -> None:
    """Practices that once took a statement still do; evidence is worth more."""
    settings = project.root / "handoff.toml"
    with settings.open("a", encoding="utf-8") as text:
        text.write(statement(name, "ml-engineer"))
    stated = find_project(project.root)
    (*_, met) = results(stated, name)
    assert (met.state, met.earned) == (State.MET, 1)
    BREAKS[name][0](stated)
    by_side = {result.side: result for result in results(find_project(project.root), name)}
    assert (by_side[ML].state, by_side[ML].earned) == (State.STATED, 0.5)
    assert by_side.get(DS, by_side[ML]).reached is (DS not in by_side)


def test_a_statement_counts_for_the_side_of_its_role_only(project: Project) -> None:
    settings = project.root / "handoff.toml"
    text = settings.read_text(encoding="utf-8")
    first, second = ROLES
    settings.write_text(text.replace(f'by = "{first}"', f'by = "{second}"'), encoding="utf-8")
    states = {result.side: result.state for result in results(project, "performance-profiled")}
    assert states == {"data-science": State.NOT_SHOWN, "ml-engineering": State.STATED}


def test_only_the_side_that_broke_its_contract_has_to_act(project: Project) -> None:
    went("tests/contract/test_data_science.py", failed=1)(project)
    for name in ("contract-tests", "tests-pass"):
        states = {result.side: result.state for result in results(project, name)}
        assert states == {"data-science": State.NOT_MET, "ml-engineering": State.MET}


def test_a_practice_without_a_subject_is_not_applicable_and_earns_nothing(project: Project) -> None:
    (project.root / "infra/main.tf").unlink()
    changed(".copier-answers.yml", "aws", "none")(project)
    (result,) = results(project, "infrastructure-as-code")
    assert (result.state, result.earned) == (State.NOT_APPLICABLE, None)


@pytest.mark.parametrize(
    ("file", "text", "names", "said"),
    [
        ("src/trips/serving/app.py", "def (\n", ["service-observed"], "app.py:1: not valid Python"),
        ("src/trips/serving/app.py", "\0", ["service-observed"], "app.py: not valid Python"),
        ("uv.lock", "x = [\n", ["lock-current", "environment-current"], "uv.lock:1: not valid"),
    ],
)
def test_an_invalid_file_hides_only_the_practices_that_need_it(
    project: Project, file: str, text: str, names: list[str], said: str
) -> None:
    (project.root / file).write_text(text, encoding="utf-8")
    leave_evidence(project)
    assessment = assess(project, today=TODAY)
    hidden = [o for o in assessment.results if o.state is State.NOT_SHOWN]
    assert {*names} <= {result.practice.name for result in hidden}
    for result in hidden:
        if result.practice.name in names:
            assert said in result.message
            assert result.message.count(".\n") == 0
            assert str(project.root) not in result.message
            assert result.fix == "fix that, then `uv run poe status`"
    assert len(assessment.results) > 70


@pytest.mark.parametrize(
    "error", [KeyError("md5"), TypeError("a"), AttributeError("a"), ValueError]
)
def test_a_file_of_an_unexpected_form_hides_one_practice_and_is_named(
    project: Project, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(context: CheckContext) -> CheckResult:
        context.yaml("dvc.yaml")
        context.yaml("dvc.lock")
        raise error

    results(project, "pipeline-current")
    monkeypatch.setitem(CHECKS, "pipeline_current", fails)
    for result in results(project, "pipeline-current"):
        assert result.state is State.NOT_SHOWN
        says = "dvc.yaml or dvc.lock has an unexpected form ("
        assert result.message.startswith(says)
        assert result.message.endswith(").")


def test_without_a_repository_the_other_practices_are_assessed(project: Project) -> None:
    shutil.rmtree(project.root / ".git")
    told = {result.message for result in results(project, "early-work")}
    assert told == {f"{project.root} is not in a git repository yet: run `uv run poe setup`."}


def test_a_tool_that_stops_at_a_file_of_one_side_leaves_no_evidence_for_the_other(
    project: Project,
) -> None:
    record = EvidenceStore(project)
    file = "src/trips/features/build.py"
    found = (Finding("syntax", "syntax: invalid syntax", True, file=file, line=3),)
    record.save(Evidence("types", record.key("types"), False, "2026-11-25T12:00:00Z", {}, found))
    assert {o.state for o in results(project, "typed")} == {State.NOT_SHOWN}
