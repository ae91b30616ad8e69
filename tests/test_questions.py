"""The questions are few, explained, checked, and need neither trust nor network."""

import keyword
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from tests.baton import QUESTIONS, ROOT, Workshop, run
from tools.derive import stale

COPIER_YML = (ROOT / "copier.yml").read_text(encoding="utf-8")

OFFLINE = """
import runpy, sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise OSError(f"no network: {arguments}")

sys.addaudithook(refuse)
runpy.run_module("copier", run_name="__main__", alter_sys=True)
"""


def documents() -> list[dict[str, Any]]:
    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!include", lambda *_: {})
    return list(yaml.load_all(COPIER_YML, Loader))


def reserved(name: str) -> set[str]:
    text = (ROOT / "reserved-names.yml").read_text(encoding="utf-8")
    return set(yaml.safe_load(text)[name]["default"].split())


def test_there_are_at_most_twelve_questions() -> None:
    assert 0 < len(QUESTIONS) <= 12


@pytest.mark.parametrize("name", [question.name for question in QUESTIONS])
def test_a_question_has_help_default_validator_and_lifetime(name: str) -> None:
    asked = documents()[-1][name]
    assert asked["help"].endswith((".", "?"))
    assert asked["default"] is not None
    assert asked["validator"]
    assert re.search(rf"^# (live|creation-only)\n{name}:$", COPIER_YML, re.M)


def test_nothing_asks_for_trust() -> None:
    settings = {name for document in documents() for name in document if name.startswith("_")}
    assert settings.isdisjoint({"_tasks", "_migrations", "_jinja_extensions"})


def test_defaults_make_a_project_without_network(workshop: Workshop, tmp_path: Path) -> None:
    command = [sys.executable, "-c", OFFLINE, "copy", "--defaults"]
    said = run([*command, workshop.template(), "project"], tmp_path)
    assert (tmp_path / "project/pyproject.toml").is_file()
    assert "uv run poe setup" in said.stderr


@pytest.mark.parametrize(
    ("folder", "begins"),
    [
        ("project", "stands in project. Next: cd project uv run poe setup"),
        (".", "stands in this folder. Next: uv run poe setup"),
    ],
)
def test_what_comes_next_is_said_for_the_folder_that_was_named(
    workshop: Workshop, tmp_path: Path, folder: str, begins: str
) -> None:
    command = [sys.executable, "-m", "copier", "copy", "--defaults"]
    said = run([*command, workshop.template(), folder], tmp_path)
    assert begins in " ".join(said.stderr.split())


def test_a_copier_with_known_holes_is_refused() -> None:
    assert Version(documents()[0]["_min_copier_version"]) >= Version("9.18")


def test_a_package_cannot_hide_what_python_has() -> None:
    names = {*keyword.kwlist, *keyword.softkwlist, *sys.stdlib_module_names}
    possible = {name for name in names if re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name)}
    assert possible <= reserved("reserved_packages")


def test_a_repository_cannot_be_called_like_what_it_depends_on(workshop: Workshop) -> None:
    projects = [workshop.project({"starter": starter}) for starter in ("flights", "blank")]
    names = {
        Requirement(requirement).name.lower()
        for project in projects
        for folder in (project, project / "standards", ROOT / "handoff")
        for requirement in requirements(folder / "pyproject.toml")
    }
    assert {"pandas", "dvc", "mlflow", "ruff"} <= names
    assert names <= reserved("reserved_slugs")


def requirements(pyproject: Path) -> list[str]:
    """What is asked for by name; what comes with it is in the extras `proved…`."""
    content = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    extras = content["project"].get("optional-dependencies", {})
    lists = [
        content["project"]["dependencies"],
        *(listed for extra, listed in extras.items() if not extra.startswith("proved")),
        *content.get("dependency-groups", {}).values(),
    ]
    return [entry for listed in lists for entry in listed if isinstance(entry, str)]


def test_what_is_derived_is_up_to_date() -> None:
    assert stale(ROOT) == []
