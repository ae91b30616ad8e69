"""The questions are few, documented and validated, and need neither trust nor network."""

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

from tests.baton import QUESTIONS, ROOT, Workshop, pairwise, run
from tools.derive import cookiecutter_json, questions, questions_table, stale

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
    declaration = documents()[-1][name]
    assert declaration["help"].endswith((".", "?"))
    assert declaration["default"] is not None
    assert declaration["validator"]
    assert re.search(rf"^# (live|creation-only)\n{name}:$", COPIER_YML, re.M)


@pytest.mark.parametrize("choices", ["", "\n  choices: [eu, us]"])
def test_another_question_needs_only_its_lines_in_copier_yml(choices: str) -> None:
    added = f"\n# live\nregion:\n  type: str\n  help: Where does it run?\n  default: eu{choices}\n"
    listed = questions(COPIER_YML + added)
    assert [one.name for one in listed] == [*(one.name for one in QUESTIONS), "region"]
    assert "| **region**: Where does it run? |" in questions_table(listed)
    assert '"region": "Where' in cookiecutter_json(listed) or choices
    rows = pairwise(listed)
    expected = {"eu", "us"} if choices else {"eu"}
    assert {(row["region"], row["level"]) for row in rows} == {
        (region, level) for region in expected for level in (0, 1, 2)
    }


def test_the_template_needs_no_trust() -> None:
    settings = {name for document in documents() for name in document if name.startswith("_")}
    assert settings.isdisjoint({"_tasks", "_migrations", "_jinja_extensions"})


def test_defaults_make_a_project_without_network(workshop: Workshop, tmp_path: Path) -> None:
    command = [sys.executable, "-c", OFFLINE, "copy", "--defaults"]
    result = run([*command, workshop.template(), "project"], tmp_path)
    assert (tmp_path / "project/pyproject.toml").is_file()
    assert "uv run poe setup" in result.stderr


@pytest.mark.parametrize(
    ("folder", "begins"),
    [
        ("project", "is in project. Next: cd project uv run poe setup"),
        (".", "is in this folder. Next: uv run poe setup"),
    ],
)
def test_the_next_steps_name_the_given_folder(
    workshop: Workshop, tmp_path: Path, folder: str, begins: str
) -> None:
    command = [sys.executable, "-m", "copier", "copy", "--defaults"]
    result = run([*command, workshop.template(), folder], tmp_path)
    assert begins in " ".join(result.stderr.split())


def test_a_copier_version_with_known_vulnerabilities_is_refused() -> None:
    assert Version(documents()[0]["_min_copier_version"]) >= Version("9.18")


def test_a_package_cannot_shadow_a_module_of_python() -> None:
    names = {*keyword.kwlist, *keyword.softkwlist, *sys.stdlib_module_names}
    possible = {name for name in names if re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name)}
    assert possible <= reserved("reserved_packages")


def test_a_repository_cannot_have_the_name_of_a_dependency(workshop: Workshop) -> None:
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
    """Return the direct requirements; the extras `proved…` list the indirect ones."""
    content = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    extras = content["project"].get("optional-dependencies", {})
    lists = [
        content["project"]["dependencies"],
        *(listed for extra, listed in extras.items() if not extra.startswith("proved")),
        *content.get("dependency-groups", {}).values(),
    ]
    return [entry for listed in lists for entry in listed if isinstance(entry, str)]


def test_the_derived_files_are_up_to_date() -> None:
    assert stale(ROOT) == []
