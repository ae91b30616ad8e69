"""Every practice is met by one project and not by another; nothing is met by a file's name."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from baton_handoff.practices.registry import ROLES, STATEMENT, shipped
from baton_handoff.practices.standing import Outcome, State
from baton_handoff.practices.status import standing_of
from baton_handoff.project import Project, find_project
from kept_project import (
    COUNTS,
    FIGURES,
    LOOK,
    TODAY,
    kept_project,
    leave_counts,
    leave_evidence,
    register,
)
from trip_project import git

Break = Callable[[Project], None]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in ("CI", "HANDOFF_LOCAL", "HANDOFF_MONITOR", "MLFLOW_TRACKING_URI", "HANDOFF_ALIAS"):
        monkeypatch.delenv(name, raising=False)
    return kept_project(tmp_path / "project")


def outcomes(project: Project, name: str) -> list[Outcome]:
    standing = standing_of(find_project(project.root), today=TODAY)
    return [outcome for outcome in standing.outcomes if outcome.practice.name == name]


def changed(file: str, old: str, new: str) -> Break:
    """A change of one file, after which every run has ended well again."""

    def broken(project: Project) -> None:
        text = (project.root / file).read_text(encoding="utf-8")
        assert old in text
        (project.root / file).write_text(text.replace(old, new), encoding="utf-8")
        register(project.root)
        leave_evidence(find_project(project.root))

    return broken


def gone(file: str) -> Break:
    return lambda project: (project.root / file).unlink()


def red(kind: str) -> Break:
    return lambda project: leave_evidence(project, **{kind: False})


def went(file: str, **count: int) -> Break:
    return lambda project: leave_counts(project, {**COUNTS, file: count}, ok="failed" not in count)


def told(**entry: object) -> Break:
    def broken(project: Project) -> None:
        line = json.dumps({**LOOK, **entry})
        (project.root / "monitor/history.jsonl").write_text(f"{line}\n", encoding="utf-8")

    return broken


def figures_without(name: str) -> Break:
    left = {key: value for key, value in FIGURES.items() if name not in key}
    return lambda project: register(project.root, left)


def a_large_table(project: Project) -> None:
    (project.root / "notebooks/rows.csv").write_bytes(b"1,2,3\n" * 300_000)
    git(project.root, "add", "notebooks/rows.csv")


BREAKS: dict[str, list[Break]] = {
    "lock-current": [
        changed("pyproject.toml", '"pandas"', '"pandas", "polars"'),
        changed("pyproject.toml", '"jupyterlab"', '"jupyterlab", "altair"'),
        gone("uv.lock"),
    ],
    "environment-current": [
        changed("uv.lock", 'name = "pytest"\nversion = "', 'name = "pytest"\nversion = "1')
    ],
    "hooks-installed": [
        gone(".git/hooks/pre-commit"),
        changed(".pre-commit-config.yaml", "ruff format", "true"),
    ],
    "notebooks-unblocked": [changed(".pre-commit-config.yaml", "nbstripout", "nbqa mypy")],
    "notebooks-stripped": [changed("notebooks/look.ipynb", "[]", '[{"text": "2"}]')],
    "notebooks-run": [went("notebooks/look.ipynb", failed=1)],
    "formatted": [red("format")],
    "linted": [red("lint")],
    "typed": [red("types")],
    "tools-proved": [
        changed("pyproject.toml", "[tools]", ""),
        changed(
            "pyproject.toml",
            "[dependency-groups]",
            '[tool.uv]\noverride-dependencies = ["ruff==0.1"]\n[dependency-groups]',
        ),
    ],
    "tools-chosen": [
        gone("docs/decisions/0001.md"),
        changed("docs/decisions/0001.md", "[polars, duckdb]", "[polars]"),
    ],
    "tools-reviewed": [changed("docs/decisions/0001.md", "2026-11-01", "2026-01-01")],
    "contracts-stated": [
        changed("src/trips/contracts/__init__.py", '"output"', '"internal"'),
    ],
    "contracts-complete": [
        changed("src/trips/contracts/__init__.py", '"producer": "ml-engineering",', ""),
    ],
    "contract-tests": [
        went("tests/contract/test_data_science.py", failed=1),
        went("tests/contract/test_ml_engineering.py", skipped=1),
    ],
    "contracts-owned": [red("owners"), changed(".copier-answers.yml", '"@ml"', '""')],
    "api-current": [red("api")],
    "layers-kept": [red("layers")],
    "features-inside": [red("features")],
    "dependencies-apart": [changed("pyproject.toml", '"pandas"', '"pandas", "jupyterlab"')],
    "tests-pass": [went("tests/unit/test_model.py", failed=1)],
    "unit-tests": [went("tests/unit/test_model.py", skipped=3)],
    "fuzzed": [went("tests/fuzz/test_rows.py", skipped=3)],
    "acceptance-passed": [
        red("acceptance"),
        lambda project: register(project.root, model="another"),
    ],
    "data-validated": [
        changed("dvc.yaml", "validate:", "look:"),
        changed("dvc.yaml", "[reports/sources.json, ", "["),
    ],
    "service-observed": [changed("src/trips/serving/app.py", "create_app", "FastAPI")],
    "compared-with-baselines": [figures_without("constant_rate")],
    "judged-by-subgroup": [figures_without("town")],
    "predictions-logged": [changed("handoff.toml", "[service]", "[service]\nlog_share = 0")],
    "models-watched": [
        gone("monitor/history.jsonl"),
        told(at="2026-10-01T06:00:00Z"),
        told(version=7),
    ],
    "data-watched": [told(alerts=["refused"], sides=["data-owner"])],
    "ci-checks": [changed(".github/workflows/handoff.yml", "poe test", "true # poe test ")],
    "infrastructure-as-code": [
        changed("infra/main.tf", "resource ", "# resource "),
        changed("infra/main.tf", "version =", "# version ="),
    ],
    "data-versioned": [a_large_table],
    "pipeline-current": [
        changed("params.yaml", "15", "31"),
        changed("src/trips/contracts/__init__.py", "le=9", "le=8"),
        changed("src/trips/model.py", "", "MORE = 1\n"),
        changed("dvc.yaml", "trips.train", "trips.training"),
    ],
    "candidate-traceable": [
        lambda project: register(project.root, clean="false"),
        lambda project: register(project.root, code="another"),
        gone("mlflow.db"),
    ],
    "sources-described": [
        gone("data/sources/trips.odcs.yaml"),
        changed("data/sources/trips.odcs.yaml", "team:", "# team:"),
        changed("src/trips/training/ingest.py", "data/trips.csv", "data/more.csv"),
    ],
    "sources-official": [changed("data/sources/trips.odcs.yaml", "value: true", "value: false")],
    "workarounds-needed": [
        changed("src/trips/training/ingest.py", "# by", "# workaround: trips#gaps, by")
    ],
    "early-work": [changed("handoff.toml", "ml@example.com", "somebody@example.com")],
}
"""For each practice that is judged by evidence, ways to break it."""


def test_one_project_keeps_them_all(project: Project) -> None:
    standing = standing_of(project, today=TODAY)
    open_ = [(o.practice.name, o.side, o.says) for o in standing.outcomes if not o.reached]
    assert open_ == []
    assert standing.earned() == 2
    assert {outcome.state for outcome in standing.outcomes} == {State.MET, State.STATED}


def test_every_practice_of_the_standards_is_broken_here() -> None:
    assert [*BREAKS] == [p.name for p in shipped() if p.check != STATEMENT]


@pytest.mark.parametrize(
    ("name", "number"), [(name, at) for name, ways in BREAKS.items() for at in range(len(ways))]
)
def test_a_practice_that_is_broken_is_open_for_the_side_that_has_to_act(
    project: Project, name: str, number: int
) -> None:
    BREAKS[name][number](project)
    open_ = [outcome for outcome in outcomes(project, name) if not outcome.reached]
    assert open_
    for outcome in open_:
        assert outcome.says.endswith(".")
        assert outcome.fix
        if outcome.practice.tier(outcome.side, 1) == "must":
            standing = standing_of(find_project(project.root), today=TODAY)
            assert outcome in standing.blocking("promotion", 1)
            assert standing.earned(outcome.practice.section) == 0
            assert standing.earned() == 0


@pytest.mark.parametrize("name", [p.name for p in shipped() if p.check == STATEMENT])
def test_a_practice_that_nobody_states_is_open_and_one_that_is_stated_earns_half(
    project: Project, name: str
) -> None:
    assert {outcome.earned for outcome in outcomes(project, name)} == {0.5}
    settings = project.root / "handoff.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("2027-11-01", "2026-11-24"), encoding="utf-8")
    (*_, expired) = outcomes(project, name)
    assert (expired.state, expired.earned) == (State.NOT_SHOWN, 0)
    assert expired.says == "What the ml-engineer stated counted until 2026-11-24."


def test_a_role_speaks_for_its_own_side_only(project: Project) -> None:
    settings = project.root / "handoff.toml"
    text = settings.read_text(encoding="utf-8")
    first, second = ROLES
    settings.write_text(text.replace(f'by = "{first}"', f'by = "{second}"'), encoding="utf-8")
    states = {outcome.side: outcome.state for outcome in outcomes(project, "proper-editor")}
    assert states == {"data-science": State.NOT_SHOWN, "ml-engineering": State.STATED}


def test_only_the_side_whose_promise_broke_is_asked(project: Project) -> None:
    went("tests/contract/test_data_science.py", failed=1)(project)
    for name in ("contract-tests", "tests-pass"):
        states = {outcome.side: outcome.state for outcome in outcomes(project, name)}
        assert states == {"data-science": State.NOT_MET, "ml-engineering": State.MET}


def test_what_is_not_there_does_not_apply_and_earns_nothing(project: Project) -> None:
    (project.root / "infra/main.tf").unlink()
    changed(".copier-answers.yml", "aws", "none")(project)
    (outcome,) = outcomes(project, "infrastructure-as-code")
    assert (outcome.state, outcome.earned) == (State.NOT_APPLICABLE, None)
