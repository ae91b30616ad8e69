"""Checks accept several spellings, and report what they can't judge."""

import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from baton_handoff.config.project import Project, find_project
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.checks.check_context import CheckContext
from baton_handoff.policy.evidence.store import EvidenceStore
from baton_handoff.policy.practices.assessment import PracticeResult, State
from baton_handoff.policy.status.status import assess
from breaking import Break, changed, written
from kept_project import TODAY, leave_evidence
from trip_project import git

TEMPLATE = Path(__file__).parents[3] / "template"
OF_PROVIDERS = {
    "github": "{% if ci == 'github' %}.github{% endif %}/workflows/handoff.yml",
    "gitlab": "{% if ci == 'gitlab' %}.gitlab-ci.yml{% endif %}",
    "azure": "{% if ci == 'azure' %}azure-pipelines.yml{% endif %}",
}
PLACES = {
    "github": ".github/workflows/handoff.yml",
    "gitlab": ".gitlab-ci.yml",
    "azure": "azure-pipelines.yml",
}


def seen(project: Project, name: str, today: date = TODAY) -> PracticeResult:
    assessment = assess(find_project(project.root), today=today)
    return next(result for result in assessment.results if result.practice.name == name)


def test_drafted_rules_are_listed_until_they_are_confirmed(kept: Project) -> None:
    file = kept.source / "contracts/drafts.py"
    text = "from pandera.pandas import DataFrameModel, Field"
    drafts = (
        "\n\nclass Drafted(DataFrameModel):\n    a: int = Field(ge=0{0})\n    b: int = Field()\n"
    )
    file.write_text(text + drafts.replace("{0}", ", raise_warning=True"), encoding="utf-8")
    (finding,) = assess(kept, today=TODAY).drafts
    assert (finding.message, finding.blocks) == ("The rules of 1 column are drafts: a", False)
    assert (finding.file, finding.line) == (
        file.relative_to(kept.root).as_posix(),
        4,
    )
    file.write_text(text + drafts.replace("{0}", ""), encoding="utf-8")
    assert assess(kept, today=TODAY).drafts == []


@pytest.mark.parametrize(
    ("name", "ways"),
    [
        ("notebooks-unblocked", [written(".pre-commit-config.yaml", "repos:\n")]),
        ("notebooks-unblocked", [written(".pre-commit-config.yaml", "- repo: x\n")]),
        (
            "notebooks-unblocked",
            [
                written(
                    ".pre-commit-config.yaml",
                    "repos: [{repo: local, hooks: [{id: a, entry: mypy, files: ^src/},"
                    " {id: b, entry: mypy, stages: [manual]},"
                    " {id: c, entry: mypy, exclude: ipynb$}]}, {repo: x, hooks: [{id: black}]}]",
                )
            ],
        ),
    ],
)
def test_other_spellings_meet_the_practice_too(kept: Project, name: str, ways: list[Break]) -> None:
    for way in ways:
        way(kept)
    result = seen(kept, name)
    assert result.state == State.MET, result.message


@pytest.mark.parametrize("provider", PLACES)
def test_the_ci_file_of_the_template_runs_all_required_commands(
    kept: Project, provider: str
) -> None:
    changed(".copier-answers.yml", "github", provider)(kept)
    own = (TEMPLATE / OF_PROVIDERS[provider]).read_text(encoding="utf-8")
    written(PLACES[provider], own)(kept)
    assert seen(kept, "ci-checks").state == State.MET
    written(PLACES[provider], own.replace("handoff ci check", "true"))(kept)
    assert "`handoff contract diff`, `handoff triage`" in seen(kept, "ci-checks").message


_CHECK = {
    "github": "      - run: uv run --locked handoff ci check\n",
    "gitlab": "    - uv run --locked handoff ci check\n",
    "azure": "      - script: uv run --locked handoff ci check\n",
}
_JOB = {"github": "  handoff:\n", "gitlab": "\nhandoff:\n", "azure": "  - job: handoff\n"}
_TOLERATED = {
    "github": "    continue-on-error: true\n",
    "gitlab": "  allow_failure: true\n",
    "azure": "    continueOnError: true\n",
}
_SIDE = {
    "github": "  data-science: *result\n",
    "gitlab": "data-science:\n  extends: .result\n",
    "azure": "  - job: data_science\n",
}
_RESULT = {
    "github": '          test -e "ci/$GITHUB_JOB.passed"\n',
    "gitlab": '    - test -e ".handoff/ci/$CI_JOB_NAME.passed"\n',
    "azure": "          test -e contracts.passed\n",
}


@pytest.mark.parametrize("provider", PLACES)
def test_a_pipeline_that_can_no_longer_turn_red_does_not_count(
    kept: Project, provider: str
) -> None:
    changed(".copier-answers.yml", "github", provider)(kept)
    own = (TEMPLATE / OF_PROVIDERS[provider]).read_text(encoding="utf-8")
    check, result = _CHECK[provider], _RESULT[provider]
    indent = " " * (len(check) - len(check.lstrip()) + 2)
    mutants = {
        "the check runs in another job's place": (check, ""),
        "its failure is ignored": (check, check.replace("check\n", "check || true\n")),
        "the job may fail": (_JOB[provider], _JOB[provider] + _TOLERATED[provider]),
        "a side has no job": (_SIDE[provider], _SIDE[provider].replace("data", "other")),
        "no result is needed": (result, ""),
        "a result is not enforced": (result, result.replace("\n", " || true\n")),
    }
    if provider != "gitlab":
        skipped = {"github": "if: false", "azure": "condition: false"}[provider]
        mutants["the step is skipped"] = (check, f"{check}{indent}{skipped}\n")
        other = {
            "github": ("github.event_name != 'schedule'", "github.event_name == 'push'"),
            "azure": ("ne(variables['Build.Reason'], 'S", "eq(variables['Build.Reason'], 'S"),
        }[provider]
        mutants["no change starts it"] = other
    for mutant, (before, after) in mutants.items():
        assert before in own, mutant
        written(PLACES[provider], own.replace(before, after, 1))(kept)
        assert seen(kept, "ci-checks").state == State.NOT_MET, mutant


@pytest.mark.parametrize(
    ("provider", "before", "after"),
    [
        ("gitlab", "merge_request_event", "push"),
        ("azure", "trigger: [main, master]", "trigger: [main, master]\npr: none"),
        ("github", "pull_request:", "workflow_dispatch:"),
    ],
)
def test_a_pipeline_that_no_change_starts_does_not_count(
    kept: Project, provider: str, before: str, after: str
) -> None:
    changed(".copier-answers.yml", "github", provider)(kept)
    own = (TEMPLATE / OF_PROVIDERS[provider]).read_text(encoding="utf-8")
    assert before in own
    written(PLACES[provider], own.replace(before, after))(kept)
    assert seen(kept, "ci-checks").message == "CI runs nothing before a change is merged."


def test_a_yaml_tag_of_a_ci_provider_is_valid(kept: Project) -> None:
    changed(".copier-answers.yml", "github", "gitlab")(kept)
    written(
        ".gitlab-ci.yml",
        "a:\n  rules: [{if: $CI_PIPELINE_SOURCE == 'merge_request_event'}]\n  script:\n"
        "    - !reference [.x, script]\n    - handoff contract diff\n",
    )(kept)
    assert seen(kept, "ci-checks").message == (
        "CI does not run `handoff status --run`, `handoff triage`."
    )


def test_invalid_yaml_is_reported_with_its_line(kept: Project) -> None:
    (kept.root / "dvc.yaml").write_text("stages:\n  a: [b, {c\n")
    with pytest.raises(HandoffError, match=r"dvc\.yaml:3: not valid YAML \(.*\)."):
        CheckContext(kept, EvidenceStore(kept), TODAY).yaml("dvc.yaml")


def test_create_app_may_be_imported_by_its_old_name(kept: Project) -> None:
    changed("src/trips/serving/app.py", "baton_handoff.serving", "baton_handoff.service")(kept)
    assert seen(find_project(kept.root), "service-observed").state == State.MET


def test_practices_of_the_service_do_not_apply_without_one(kept: Project) -> None:
    shutil.rmtree(kept.root / "src/trips/serving")
    leave_evidence(find_project(kept.root))
    for name in ("service-observed", "predictions-logged"):
        assert seen(kept, name).state == State.NOT_APPLICABLE


def test_a_shallow_clone_does_not_show_the_age_of_a_decision(kept: Project, tmp_path: Path) -> None:
    changed("docs/decisions/0001.md", "reviewed: 2026-11-01\n", "")(kept)
    git(kept.root, "commit", "--quiet", "--all", "--message", "as if new")
    clone = tmp_path / "clone"
    command = ["git", "clone", "--quiet", "--depth=1", kept.root.as_uri(), str(clone)]
    subprocess.run(command, check=True)
    result = seen(find_project(clone), "tools-reviewed", date(2040, 1, 1))
    assert (result.state, result.fix) == (State.NOT_SHOWN, "`git fetch --unshallow`")
