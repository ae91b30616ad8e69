"""Ways to break each practice in the project that keeps them all."""

import json
from collections.abc import Callable
from typing import Any, TypeAlias

from baton_handoff.config.project import Project, find_project
from kept_project import (
    COUNTS,
    LOOK,
    METRICS,
    NOTEBOOK,
    leave_counts,
    leave_evidence,
    ran,
    register,
)
from trip_project import git

SUBSCRIPTION = """
resource "aws_sns_topic_subscription" "alerts" {
  for_each = toset(local.settings.alerts_to)
}
"""

Break: TypeAlias = Callable[[Project], object]


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
    left = {key: value for key, value in METRICS.items() if name not in key}
    return lambda project: register(project.root, left)


def a_large(name: str) -> Break:
    def broken(project: Project) -> None:
        (project.root / name).write_bytes(b"1,2,3\n" * 300_000)
        git(project.root, "add", name)

    return broken


def written(file: str, text: str) -> Break:
    """A file more, or another, after which every run has ended well again."""

    def broken(project: Project) -> None:
        (project.root / file).parent.mkdir(exist_ok=True)
        (project.root / file).write_text(text, encoding="utf-8")
        git(project.root, "add", file)
        register(project.root)
        leave_evidence(find_project(project.root))

    return broken


def both(*steps: Break) -> Break:
    def broken(project: Project) -> None:
        for step in steps:
            step(project)

    return broken


def run_again(project: Project) -> None:
    """What DVC writes down of the pipeline as it stands."""
    (project.root / "dvc.lock").write_text(json.dumps({"stages": ran(project.root)}))
    leave_evidence(find_project(project.root))


def without_dep(project: Project) -> None:
    """The pipeline has run, and its training waits for no report."""
    stages: dict[str, Any] = ran(project.root)
    stages["train"]["deps"] = stages["train"]["deps"][1:]
    (project.root / "dvc.lock").write_text(json.dumps({"stages": stages}))
    leave_evidence(find_project(project.root))


def a_model_by_hand(project: Project) -> None:
    (project.root / "models").mkdir()
    (project.root / "models/model.joblib").write_bytes(b"forged")


SAYING = """
on: pull_request
jobs:
  handoff:
    steps:
      - run: |
          # handoff status --run
          echo "to do; handoff diff" && echo handoff triage
"""

SLOW = "def slow(trips):\n    return trips.apply(str, axis=1)\n"
OLD = """
from flask import Flask

app = Flask(__name__)
"""


def unofficial_and_planned(project: Project) -> None:
    """A source that nobody offers, with all that is asked of it before a promotion."""
    file, end = "data/sources/trips.odcs.yaml", "  - {property: endOfLife, value: 2999-12-31}\n"
    instead = "  - {property: replacement, value: the timetable's API}\n"
    changed(file, "value: true}\n", f"value: false}}\n{instead}")(project)
    changed(file, "slaProperties:\n", f"slaProperties:\n{end}")(project)


BREAKS: dict[str, list[Break]] = {
    "lock-current": [red("lock"), gone("uv.lock")],
    "environment-current": [
        changed("uv.lock", 'name = "pytest"\nversion = "', 'name = "pytest"\nversion = "1'),
        changed("uv.lock", "== 'nowhere'", "!= 'nowhere'"),
        changed("uv.lock", '"pluggy"', '"not-installed-anywhere"'),
    ],
    "hooks-installed": [
        gone(".git/hooks/pre-commit"),
        changed(".pre-commit-config.yaml", "ruff format", "true"),
    ],
    "notebooks-unblocked": [
        changed(".pre-commit-config.yaml", "nbstripout", "nbqa mypy"),
        changed(".pre-commit-config.yaml", "nbstripout", "ruff format --check"),
        changed(".pre-commit-config.yaml", "nbstripout, types: [jupyter]", "mypy"),
        changed(
            ".pre-commit-config.yaml",
            "nbstripout, types: [jupyter]",
            r'nbqa mypy, files: "\\.ipynb$"',
        ),
    ],
    "notebooks-stripped": [changed("notebooks/look.ipynb", "[]", '[{"text": "2"}]')],
    "notebooks-run": [
        went("notebooks/look.ipynb", failed=1),
        went("notebooks/look.ipynb", skipped=1),
        written("notebooks/deep/other.ipynb", json.dumps(NOTEBOOK)),
    ],
    "formatted": [red("format")],
    "linted": [red("lint")],
    "typed": [red("types")],
    "shortcuts-removed": [written("src/trips/serving/slow.py", SLOW)],
    "tools-proved": [
        changed("pyproject.toml", "[tools]", ""),
        changed(
            "pyproject.toml",
            "[dependency-groups]",
            '[tool.uv]\noverride-dependencies = ["ruff==0.1"]\n[dependency-groups]',
        ),
        written("uv.toml", 'override-dependencies = ["ruff==0.1"]\n'),
        changed(
            "pyproject.toml",
            "[dependency-groups]",
            '[tool.uv.sources]\nruff = { path = "../ruff" }\n[dependency-groups]',
        ),
    ],
    "tools-chosen": [
        gone("docs/decisions/0001.md"),
        changed("docs/decisions/0001.md", "[polars, duckdb]", "[polars]"),
        changed("pyproject.toml", "notebooks =", 'service = ["kafka-python"]\nnotebooks ='),
        changed("pyproject.toml", "notebooks =", 'training = ["ray"]\nnotebooks ='),
    ],
    "tools-reviewed": [
        changed("docs/decisions/0001.md", "2026-11-01", "2026-01-01"),
        changed("docs/decisions/0001.md", "2026-11-01", "2099-01-01"),
    ],
    "proper-editor": [
        gone(".vscode/settings.json"),
        lambda project: git(project.root, "rm", "--cached", "--quiet", ".vscode/settings.json"),
    ],
    "tools-introduced": [
        changed("uv.lock", 'name = "ruff"', 'name = "another"'),
        changed("standards/pyproject.toml", '"ruff', '"mypy'),
    ],
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
    "contracts-owned": [
        gone("CODEOWNERS"),
        changed(".copier-answers.yml", '"@ml"', '""'),
        changed(".copier-answers.yml", "github", "none"),
    ],
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
        both(changed("dvc.yaml", "[reports/sources.json, ", "["), without_dep),
        both(changed("reports/sources.json", "Timetable", "Other"), run_again),
        both(changed("reports/sources.json", "3", "0"), run_again),
        both(changed("src/trips/contracts/sources.py", '"source"', '"internal"'), run_again),
        gone("reports/sources.json"),
    ],
    "service-observed": [
        changed("src/trips/serving/app.py", "create_app", "FastAPI"),
        written("src/trips/serving/old.py", OLD),
    ],
    "alerts-reach-somebody": [
        gone("infra/alertmanager.yml"),
        changed("infra/alertmanager.yml", "    email_configs: [{to: on-call@example.com}]\n", ""),
        changed("infra/alertmanager.yml", "receivers:\n", "people:\n"),
        both(
            gone("infra/alertmanager.yml"),
            both(
                written("infra/settings.yaml", "alerts_to: []\n"),
                written("infra/alerts.tf", SUBSCRIPTION),
            ),
        ),
    ],
    "compared-with-baselines": [
        figures_without("constant_rate"),
        lambda project: register(project.root, {"model.auc": 0.7, "rows": 10.0, "a.seconds": 3.0}),
    ],
    "judged-by-subgroup": [figures_without("town")],
    "predictions-logged": [changed("handoff.toml", "[service]", "[service]\nlog_share = 0")],
    "models-watched": [
        gone("monitor/history.jsonl"),
        told(at="2026-10-01T06:00:00Z"),
        told(version=7),
    ],
    "data-watched": [told(alerts=["refused"], sides=["data-owner"])],
    "ci-checks": [
        changed(".github/workflows/handoff.yml", "status --run", "status # --run"),
        changed(".github/workflows/handoff.yml", "handoff status --run", "poe check #"),
        changed(".github/workflows/handoff.yml", "handoff contract diff", "true # handoff diff"),
        changed(".github/workflows/handoff.yml", "[push, pull_request]", "workflow_dispatch"),
        changed(".github/workflows/handoff.yml", "    steps:", "    if: ${{ false }}\n    steps:"),
        written(".github/workflows/handoff.yml", SAYING),
    ],
    "infrastructure-as-code": [
        changed("infra/main.tf", "resource ", "# resource "),
        changed("infra/main.tf", "version =", "# version ="),
        red("infrastructure"),
        lambda project: (project.root / "infra/more.tf").touch(),
    ],
    "data-versioned": [
        a_large("notebooks/rows.csv"),
        a_large("ROWS.CSV"),
        *map(a_large, ("rows.csv.gz", "rows.tsv", "model.pt")),
        both(gone("dvc.yaml"), gone("data/raw.csv.dvc")),
    ],
    "pipeline-current": [
        red("pipeline"),
        gone("dvc.lock"),
        lambda project: (project.root / "params.yaml").write_text("model: {leaves: 31}\n"),
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
        changed("src/trips/serving/app.py", "return", "read_csv(where())\n    return"),
        changed("data/sources/trips.odcs.yaml", "value: true", "value: false"),
    ],
    "sources-official": [unofficial_and_planned],
    "sources-complete": [
        changed("data/sources/trips.odcs.yaml", "type: license", "type: other"),
        changed("data/sources/trips.odcs.yaml", "property: frequency", "property: latency"),
    ],
    "workarounds-needed": [
        changed("src/trips/serving/app.py", "return", "# workaround: trips#gaps\n    return"),
    ],
    "early-work": [changed("handoff.toml", "ml@example.com", "somebody@example.com")],
}
"""For each practice that is judged by evidence, ways to break it."""
