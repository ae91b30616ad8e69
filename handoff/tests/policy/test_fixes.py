"""Every must of level 1 that is broken lowers the level, and its fix, followed, restores it.

What people write is written here, and the package's own commands are run. What uv, DVC, MLflow and
the tools of a check would do, they do in `tests/test_status.py`; here stands what they leave.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from baton_handoff.cli import main
from baton_handoff.config.project import Project, find_project
from baton_handoff.config.sides import SIDES
from baton_handoff.integrations import setup
from baton_handoff.policy.checks import setup as installed
from baton_handoff.policy.practices.registry import shipped
from baton_handoff.policy.status import status
from breaking import (
    SLOW,
    Break,
    changed,
    figures_without,
    gone,
    red,
    told,
    unofficial_and_planned,
    went,
)
from kept_project import DECISION, TODAY, leave_evidence, ran, register
from trip_project import git

BORDER = "src/trips/contracts/__init__.py"
OWNED = "team: {name: the timetable's office}\n"
OFFICIAL = "customProperties: [{property: official, value: true}]\n"
ACCEPTED = """
[[exceptions]]
gate = "sources/trips"
reason = "there is no other yet"
owner = "ada"
expires = 2027-01-31
"""


@dataclass(frozen=True)
class Case:
    """A must, broken.

    Attributes:
        broken: How.
        fix: What is said then.
        followed: The same, done.
    """

    broken: Break
    fix: str
    followed: Break


def every_run(project: Project) -> None:
    """What the project's commands leave that end well again."""
    leave_evidence(find_project(project.root))


def all_of(*steps: Break) -> Break:
    def done(project: Project) -> None:
        for step in steps:
            step(project)

    return done


def typed(*command: str) -> Break:
    """A command of the package's own, run as people do."""

    def run(project: Project) -> None:
        assert main(list(command)) == 0

    return run


def written(file: str, text: str) -> Break:
    """A text at the end of a file, which may be a new one."""

    def write(project: Project) -> None:
        with (project.root / file).open("a", encoding="utf-8") as opened:
            opened.write(text)
        every_run(project)

    return write


def in_git(*command: str) -> Break:
    def run(project: Project) -> None:
        git(project.root, *command)

    return run


def pipeline(project: Project) -> None:
    """What `dvc repro` leaves of the pipeline as it stands."""
    (project.root / "dvc.lock").write_text(json.dumps({"stages": ran(project.root)}))
    every_run(project)


def a_large_table(project: Project) -> None:
    (project.root / "data/rows.csv").write_bytes(b"1,2,3\n" * 300_000)
    git(project.root, "add", "data/rows.csv")


def other_installed(project: Project) -> None:
    PATCH.setattr(installed, "_installed", lambda: {"pytest": "0.1"})


PATCH = pytest.MonkeyPatch()

CASES: dict[str, Case] = {
    "lock-current": Case(red("lock"), "`uv lock`, and commit uv.lock", every_run),
    "environment-current": Case(other_installed, "`uv sync`", lambda _: PATCH.undo()),
    "hooks-installed": Case(gone(".git/hooks/pre-commit"), "`uv run poe setup`", setup.set_up),
    "notebooks-unblocked": Case(
        changed(".pre-commit-config.yaml", "nbstripout", "nbqa mypy"),
        "remove notebooks from the types of that hook in .pre-commit-config.yaml",
        changed(".pre-commit-config.yaml", "types: [jupyter]", "types: [python]"),
    ),
    "formatted": Case(red("format"), "`uv run poe fix`", every_run),
    "linted": Case(
        red("lint"),
        "`uv run poe fix`, then fix what `uv run poe check` still reports",
        every_run,
    ),
    "typed": Case(red("types"), "fix what `uv run poe check --only types` reports", every_run),
    "shortcuts-removed": Case(
        written("src/trips/serving/slow.py", SLOW),
        "fix what `uv run handoff notebook scan src` reports",
        changed("src/trips/serving/slow.py", "trips.apply(str, axis=1)", "trips"),
    ),
    "tools-proved": Case(
        changed("pyproject.toml", "[tools]", ""),
        "remove the tools from `override-dependencies` and `[tool.uv.sources]`, and put"
        " `baton-standards[tools]` into the group dev",
        changed("pyproject.toml", '"baton-standards"', '"baton-standards[tools]"'),
    ),
    "tools-chosen": Case(
        gone("docs/decisions/0001.md"),
        "write the alternatives and the reason for the choice in docs/decisions/",
        written("docs/decisions/0002.md", DECISION),
    ),
    "proper-editor": Case(
        in_git("rm", "--cached", "--quiet", ".vscode/settings.json"),
        "`git add --force .vscode/settings.json` and commit it, or the settings of another editor",
        in_git("add", "--force", ".vscode/settings.json"),
    ),
    "tools-introduced": Case(
        changed("uv.lock", 'name = "ruff"', 'name = "another"'),
        "put `baton-standards[tools]` into the group dev of pyproject.toml, then `uv lock`",
        changed("uv.lock", 'name = "another"', 'name = "ruff"'),
    ),
    "contracts-stated": Case(
        changed(BORDER, '"output"', '"internal"'),
        "`uv run handoff contract new FILE --target COLUMN`, or write a contract with that"
        " position",
        changed(
            BORDER,
            '"position": "internal",\n            "producer": "data-science",\n'
            '            "consumer": "ml-engineering"',
            '"position": "output",\n'
            '            "producer": "data-science",\n            "consumer": "ml-engineering"',
        ),
    ),
    "contracts-complete": Case(
        changed(BORDER, '"consumer": "ml-engineering"', '"user": "ml-engineering"'),
        "add version, position, producer and consumer to the contract's `Config.metadata`",
        changed(BORDER, '"user": "ml-engineering"', '"consumer": "ml-engineering"'),
    ),
    "contract-tests": Case(
        went("tests/contract/test_ml_engineering.py", skipped=1),
        "fix or write tests/contract/test_data_science.py and test_ml_engineering.py",
        every_run,
    ),
    "contracts-owned": Case(
        changed(".copier-answers.yml", '"@ml"', '"@ours"'),
        "`uv run poe fix`, and commit what it writes",
        all_of(typed("fix", "--only", "owners"), in_git("add", "CODEOWNERS")),
    ),
    "api-current": Case(red("api"), "`uv run poe fix`", every_run),
    "layers-kept": Case(
        red("layers"), "fix the imports that `uv run poe check --only layers` reports", every_run
    ),
    "dependencies-apart": Case(
        changed("pyproject.toml", '["pandas"]', '["pandas", "jupyterlab"]'),
        "move that dependency of pyproject.toml into the group notebooks, training or dev",
        changed("pyproject.toml", '["pandas", "jupyterlab"]', '["pandas"]'),
    ),
    "tests-pass": Case(
        went("tests/unit/test_model.py", failed=1), "fix what `uv run poe test` reports", every_run
    ),
    "unit-tests": Case(
        went("tests/unit/test_model.py", skipped=3),
        "write tests of features and model in tests/unit/",
        every_run,
    ),
    "acceptance-passed": Case(
        red("acceptance"),
        "fix what `uv run handoff model accept` reports, or agree on another scenario",
        every_run,
    ),
    "data-validated": Case(
        all_of(changed("reports/sources.json", "Timetable", "Table"), pipeline),
        "let a stage of dvc.yaml write a JSON report with the `rows` of each source's contract, and"
        " let the next stage depend on it",
        all_of(changed("reports/sources.json", "Table", "Timetable"), pipeline),
    ),
    "service-observed": Case(
        changed("src/trips/serving/app.py", "create_app", "FastAPI"),
        "create the app with `create_app` of baton_handoff.serving",
        changed("src/trips/serving/app.py", "FastAPI", "create_app"),
    ),
    "alerts-reach-somebody": Case(
        gone("infra/alertmanager.yml"),
        "commit who receives alerts: `receivers` of Alertmanager in infra/alertmanager.yml, or a"
        " subscription in Terraform",
        written("infra/alerts.tf", 'resource "aws_sns_topic_subscription" "on_call" {}\n'),
    ),
    "compared-with-baselines": Case(
        figures_without("constant_rate"),
        "add the predictions of a simpler model to the evaluation, then `uv run poe register`",
        lambda project: register(project.root),
    ),
    "judged-by-subgroup": Case(
        figures_without("town"),
        "add `groups` to the evaluation, the columns of the subgroups, then `uv run poe register`",
        lambda project: register(project.root),
    ),
    "predictions-logged": Case(
        changed("handoff.toml", "[service]", "[service]\nlog_share = 0"),
        "set `log_share` of [service] in handoff.toml to a value above 0, at most 1",
        changed("handoff.toml", "log_share = 0", "log_share = 0.1"),
    ),
    "models-watched": Case(gone("monitor/history.jsonl"), "`uv run poe monitor`", told()),
    "data-watched": Case(
        told(alerts=["refused"], sides=["data-owner"]),
        "report to the source's owner what `uv run poe monitor` found, and run it again after the"
        " correction",
        told(),
    ),
    "ci-checks": Case(
        changed(".github/workflows/handoff.yml", "handoff status --run", "true"),
        "let CI run `handoff ci check`, which runs all of them, for every change, and fail by its"
        " results in the jobs contracts, data-science and ml-engineering, as the template's file"
        " does: .github/workflows/handoff.yml, .gitlab-ci.yml or azure-pipelines.yml",
        changed(".github/workflows/handoff.yml", "--locked true", "--locked handoff status --run"),
    ),
    "infrastructure-as-code": Case(
        changed("infra/main.tf", "version =", "# version ="),
        "describe the infrastructure of the service in infra/, with `required_providers` pinned,"
        " then `uv run poe check --only infrastructure`",
        changed("infra/main.tf", "# version =", "version ="),
    ),
    "data-versioned": Case(
        a_large_table,
        "`git rm --cached FILE`, then `uv run dvc add FILE`",
        all_of(
            in_git("rm", "--cached", "data/rows.csv"),
            written("data/.gitignore", "/rows.csv\n"),
            written("data/rows.csv.dvc", "outs: [{md5: 0, path: rows.csv}]\n"),
        ),
    ),
    "pipeline-current": Case(red("pipeline"), "`uv run poe pipeline`", every_run),
    "candidate-traceable": Case(
        lambda project: register(project.root, clean="false"),
        "commit, then `uv run poe register`",
        lambda project: register(project.root),
    ),
    "sources-described": Case(
        gone("data/sources/trips.odcs.yaml"),
        "`uv run handoff source add FILE`, and name the owner in its file",
        all_of(
            typed("source", "add", "data/trips.csv"),
            # That nobody knows whether it is official is the next thing that is said.
            written("data/sources/trips.odcs.yaml", OWNED + OFFICIAL),
        ),
    ),
    "sources-official": Case(
        unofficial_and_planned,
        "ask its owner to offer it officially, or record an exception for `sources/NAME` in"
        " handoff.toml",
        written("handoff.toml", ACCEPTED),
    ),
}

MUSTS = [p for p in shipped() if any(p.tier(side, 1) == "must" for side in SIDES)]


@pytest.fixture
def project(kept: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project that keeps everything, on a day on which it does, with uv standing still."""
    monkeypatch.chdir(kept.root)
    monkeypatch.setenv("UV", "true")
    monkeypatch.setattr(status, "assess", partial(status.assess, today=TODAY))
    return kept


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """What a case has replaced stands again."""
    yield
    PATCH.undo()


def shown(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What the command says for programs."""
    capsys.readouterr()
    main(["status", "--stage", "promotion", "--format", "json"])
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


@pytest.mark.parametrize("name", [practice.name for practice in MUSTS])
def test_a_must_that_is_removed_lowers_the_level_and_its_fix_restores_it(
    project: Project, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    case = CASES[name]
    (practice,) = (practice for practice in MUSTS if practice.name == name)
    sides = {side for side in SIDES if practice.tier(side, 1) == "must"}
    assert shown(capsys)["earned"] == 2

    case.broken(project)
    said = shown(capsys)
    assert said["earned"] == 0
    blocking = said["blocking"]["promotion"]
    assert {one["side"] for one in blocking if one["practice"] == name} == sides
    results = [o for o in said["outcomes"] if o["practice"] == name and o["side"] in sides]
    assert {result["fix"] for result in results} == {case.fix}
    assert any(case.fix == step["fix"] and sides <= {*step["sides"]} for step in said["next"])

    case.followed(project)
    said = shown(capsys)
    assert said["blocking"]["promotion"] == []
    assert said["earned"] >= 1
