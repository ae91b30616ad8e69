"""A project that keeps every practice, with the evidence for it: to be broken in one place."""

import hashlib
import importlib.metadata
import json
from datetime import date
from pathlib import Path
from typing import Any

from baton_handoff.config.code_owners import write_owners
from baton_handoff.config.project import Project, find_project
from baton_handoff.policy.evidence.store import KINDS, Evidence, EvidenceStore
from baton_handoff.policy.practices.practice import ROLES, STATEMENT, Practice
from baton_handoff.policy.practices.registry import shipped
from baton_handoff.registry.code_hash import code_hash
from trip_project import CONTRACTS, git

TODAY = date(2026, 11, 25)

SETTINGS = 'interface = 1\npackage = "trips"\nmodel = "m"\n[service]\nalias = "candidate"\n'

OWN = """
[[practices]]
name = "acme/pairing"
title = "Pairing"
why = "Two see more."
tiers = { data-science = "must" }
check = "git --version"
fix = "call somebody"
"""
"""A practice of a team's own."""

PEOPLE = """
[people]
data-science = ["ds@example.com"]
ml-engineering = ["ml@example.com"]
"""

ANSWERS = 'level: 1\nci: github\ncloud: aws\ndata_science_team: "@ds"\nml_engineering_team: "@ml"\n'

PYPROJECT = """
[project]
name = "trips"
requires-python = ">=3.11,<3.15"
dependencies = ["pandas"]

[dependency-groups]
dev = [{ include-group = "notebooks" }, "baton-standards[tools]"]
notebooks = ["jupyterlab"]
"""

STANDARDS = """
[project]
name = "baton-standards"

[project.optional-dependencies]
tools = ["pytest==9.2.0", "ruff==0.17.6"]
"""

LOCK = f"""
requires-python = ">=3.11, <3.15"

[[package]]
name = "trips"
version = "0.1.0"
dependencies = [{{ name = "pandas" }}]

[package.dev-dependencies]
dev = [
    {{ name = "baton-standards", extra = ["tools"] }},
    {{ name = "winonly", marker = "sys_platform == 'nowhere'" }},
]

[package.metadata]
requires-dist = [{{ name = "pandas" }}]

[package.metadata.requires-dev]
dev = [{{ name = "baton-standards", extras = ["tools"] }}, {{ name = "jupyterlab" }}]
notebooks = [{{ name = "jupyterlab" }}]

[[package]]
name = "baton-standards"
version = "1.0.0"
source = {{ virtual = "standards" }}

[package.optional-dependencies]
tools = [{{ name = "pytest" }}]

[[package]]
name = "pytest"
version = "{importlib.metadata.version("pytest")}"
dependencies = [{{ name = "pluggy" }}]

[[package]]
name = "ruff"
version = "{importlib.metadata.version("ruff")}"

[[package]]
name = "pandas"
version = "{importlib.metadata.version("pandas")}"

[[package]]
name = "pluggy"
version = "{importlib.metadata.version("pluggy")}"

[[package]]
name = "winonly"
version = "1"
"""

HOOKS = """
repos:
  - repo: local
    hooks:
      - {id: format, entry: uv run ruff format, types_or: [python]}
      - {id: lint, entry: uv run handoff fix --only lint, types_or: [python]}
      - {id: notebooks, entry: uv run nbstripout, types: [jupyter]}
"""

DECISION = """---
status: accepted
side: ml-engineering
review: 6 months
reviewed: 2026-11-01
tools:
  pandas: {ring: adopt, alternatives: [polars, duckdb]}
---

## Decision

Everybody knows it.
"""

SOURCE = """
apiVersion: v3.2.0
kind: DataContract
id: trips
name: trips
version: 1.0.0
status: active
servers:
  - {server: file, type: local, path: data/trips.csv, format: csv}
schema:
  - name: trips
    physicalType: file
    quality:
      - {type: custom, engine: pandera, implementation: "contracts:Trip"}
description:
  authoritativeDefinitions: [{type: license, url: "https://a.example/terms"}]
authoritativeDefinitions: [{type: origin, url: "https://a.example"}]
slaProperties:
  - {property: frequency, value: 1, unit: d}
team: {name: the timetable's office}
customProperties:
  - {property: official, value: true}
  - {property: layer, value: silver}
"""

INGEST = """
import pandas as pd


def ingest():
    return pd.read_csv("data/trips.csv")
"""

NOTEBOOK = {"cells": [{"cell_type": "code", "source": ["1 + 1"], "outputs": []}]}

APP = """
from baton_handoff.serving import create_app


def create(loaded):
    return create_app(loaded)
"""

WORKFLOW = """
on: [push, pull_request]
jobs:
  handoff:
    steps:
      - run: uv run --locked handoff status --run --stage push
      - run: uv run --locked handoff contract diff
      - run: uv run --locked handoff triage --side data-science
"""

TERRAFORM = """
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

resource "aws_s3_bucket" "data" {}
"""

RECEIVERS = """
route: {receiver: on-call}
receivers:
  - name: on-call
    email_configs: [{to: on-call@example.com}]
"""

PIPELINE = """
stages:
  validate:
    cmd: python -m trips.validate
    deps: [src/trips/contracts, data/raw.csv]
    outs:
      - reports/sources.json: {cache: false}
  train:
    cmd: python -m trips.train
    deps: [reports/sources.json, src/trips/model.py]
    params: [model]
    outs: [models/model.joblib]
"""

TIMETABLE = '''
from pandera.pandas import DataFrameModel


class Timetable(DataFrameModel):
    """What the timetable's office sends."""

    town: str

    class Config:
        metadata = {
            "version": "1.0.0",
            "position": "source",
            "producer": "data-owner",
            "consumer": "data-science",
        }
'''

RAW = "outs: [{md5: '00000000000000000000000000000001', path: raw.csv}]\n"

COUNTS = {
    "notebooks/look.ipynb": {"passed": 1},
    "tests/contract/test_data_science.py": {"passed": 2},
    "tests/contract/test_ml_engineering.py": {"passed": 2},
    "tests/fuzz/test_rows.py": {"passed": 1},
    "tests/unit/test_model.py": {"passed": 3},
}

LOOK = {"at": "2026-11-20T06:00:00Z", "version": 1, "rows": 500, "alerts": [], "sides": []}

METRICS = {"model.auc": 0.7, "constant_rate.auc": 0.5, "model.auc.town.Ulm": 0.7}


def kept_project(root: Path) -> Project:
    """Write it, and leave the evidence that every run has ended well."""
    git_folder = root / ".git"
    root.mkdir(parents=True)
    git(root, "init", "--quiet")
    statements = "".join(statement(p.name, role) for p in judged() for role in ROLES)
    files = {
        ".copier-answers.yml": ANSWERS,
        ".github/workflows/handoff.yml": WORKFLOW,
        ".gitignore": "/.handoff/\n/mlflow.db\n/models/\n/monitor/\n",
        ".pre-commit-config.yaml": HOOKS,
        ".vscode/settings.json": "{}\n",
        "data/.gitignore": "/raw.csv\n",
        "data/raw.csv.dvc": RAW,
        "data/sources/trips.odcs.yaml": SOURCE,
        "docs/decisions/0001.md": DECISION,
        "dvc.yaml": PIPELINE,
        "handoff.toml": SETTINGS + PEOPLE + statements,
        "infra/alertmanager.yml": RECEIVERS,
        "infra/main.tf": TERRAFORM,
        "monitor/history.jsonl": json.dumps(LOOK) + "\n",
        "notebooks/look.ipynb": json.dumps(NOTEBOOK),
        "params.yaml": "model: {leaves: 15}\n",
        "pyproject.toml": PYPROJECT,
        "reports/sources.json": '{"Timetable": {"rows": 3}}',
        "src/trips/__init__.py": "",
        "src/trips/contracts/__init__.py": CONTRACTS.format(engine="pandas"),
        "src/trips/contracts/sources.py": TIMETABLE,
        "src/trips/model.py": "",
        "src/trips/features/build.py": "",
        "src/trips/serving/app.py": APP,
        "src/trips/training/ingest.py": INGEST,
        "standards/pyproject.toml": STANDARDS,
        "uv.lock": LOCK,
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    work_together(root)
    (git_folder / "hooks").mkdir(exist_ok=True)
    (git_folder / "hooks/pre-commit").write_text("#!/bin/sh\n# pre-commit\n")
    (git_folder / "hooks/pre-commit").chmod(0o755)
    (root / "dvc.lock").write_text(json.dumps({"stages": ran(root)}))
    register(root)
    project = find_project(root)
    write_owners(project)
    leave_evidence(project)
    return project


def work_together(root: Path) -> None:
    """Let both sides change what they share, and training after it."""
    shared = ("src/trips/contracts/__init__.py", "src/trips/features/build.py")
    commit(root, "template@example.com")
    for author, files in (
        ("ds@example.com", shared),
        ("ml@example.com", shared),
        ("ds@example.com", ("src/trips/training/ingest.py",)),
    ):
        for file in files:
            with (root / file).open("a", encoding="utf-8") as text:
                text.write(f"# by {author}\n")
        commit(root, author)


def commit(root: Path, author: str) -> None:
    """Commit everything, as somebody's work."""
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "work", "--author", f"Somebody <{author}>")


def judged() -> list[Practice]:
    """The practices that only a person can judge."""
    return [practice for practice in shipped() if practice.check == STATEMENT]


def statement(practice: str, by: str) -> str:
    """A statement of a role."""
    return (
        f'[[statements]]\npractice = "{practice}"\nby = "{by}"\nsays = "It is so."\n'
        "date = 2026-11-01\nexpires = 2027-11-01\n"
    )


def leave_evidence(project: Project, **ended: bool) -> None:
    """Leave evidence of every kind of run; all have ended well but those said otherwise."""
    record = EvidenceStore(project)
    for kind in KINDS:
        facts = COUNTS if kind == "test" else {}
        ok = ended.get(kind, True)
        record.save(Evidence(kind, record.key(kind), ok, "2026-11-25T12:00:00Z", facts))


def leave_counts(project: Project, counts: dict[str, dict[str, int]], *, ok: bool = True) -> None:
    """Leave evidence of a test run."""
    record = EvidenceStore(project)
    record.save(Evidence("test", record.key("test"), ok, "2026-11-25T12:00:00Z", counts))


def ran(root: Path) -> dict[str, object]:
    """What DVC writes down of the pipeline as it stands."""
    room = root / "src/trips/contracts"
    contracts = [
        {"md5": md5(room / name), "relpath": name} for name in ("__init__.py", "sources.py")
    ]
    folder = hashlib.md5(json.dumps(contracts).encode()).hexdigest()
    report = {"path": "reports/sources.json", "md5": md5(root / "reports/sources.json")}
    return {
        "validate": {
            "cmd": "python -m trips.validate",
            "deps": [
                {"path": "data/raw.csv", "md5": f"{1:032}"},
                {"path": "src/trips/contracts", "md5": f"{folder}.dir"},
            ],
            "outs": [report],
        },
        "train": {
            "cmd": "python -m trips.train",
            "deps": [
                report,
                {"path": "src/trips/model.py", "md5": md5(root / "src/trips/model.py")},
            ],
            "params": {"params.yaml": {"model": {"leaves": 15}}},
            "outs": [{"path": "models/model.joblib", "md5": "0", "size": 1}],
        },
    }


def md5(file: Path) -> str:
    """The hash by which DVC knows a file."""
    return hashlib.md5(file.read_bytes()).hexdigest()


def register(root: Path, metrics: dict[str, float] | None = None, **tags: str) -> None:
    """Make the registry anew, with one version that is candidate and champion."""
    known = {
        "commit": "c" * 40,
        "clean": "true",
        "code": code_hash(root / "src/trips"),
        "lock": "l",
    }
    facts = {
        "version": 1,
        "tags": {f"handoff.{key}": value for key, value in {**known, **tags}.items()},
        "metrics": METRICS if metrics is None else metrics,
    }
    cache_versions(root, {"1": facts, "candidate": facts, "champion": facts})


def cache_versions(root: Path, versions: dict[str, dict[str, Any]]) -> None:
    """Leave the registry's answers in the engine's cache: MLflow itself would take seconds."""
    database, cache = root / "mlflow.db", root / ".handoff/versions.json"
    database.write_bytes(b"in the place of a database")
    cache.parent.mkdir(exist_ok=True)
    state = database.stat()
    facts = {"model": "m", "state": [[state.st_size, state.st_mtime_ns]], "versions": versions}
    cache.write_text(json.dumps(facts), encoding="utf-8")
