"""Tasks, hooks and pipelines call only commands and steps that the engine lists."""

import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.baton import ROOT, Workshop, run
from tests.environment import inside
from tests.project import CHECKS

TASKS = [
    *("setup", "explore", "pipeline", "fix", "check", "test", "update", "status"),
    *("diff", "register", "promote", "rollback", "serve", "monitor", "docs"),
]
"""The public tasks."""

TEMPLATE = ROOT / "template"
ENGINE = {"PYTHONPATH": str(ROOT / "handoff/src"), "PYTHONDONTWRITEBYTECODE": "1"}


@cache
def handoff(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Return the output of the command, without a project."""
    code = "import sys; from baton_handoff.cli import main; sys.exit(main())"
    return run([sys.executable, "-c", code, *arguments], ROOT, env=ENGINE)


def commands() -> set[str]:
    """Return every command that the engine's help lists."""
    output = handoff("--help").stdout
    return set(re.findall(r"^  ([-a-z]+(?: [-a-z]+)?)  +\S", output, re.MULTILINE))


def steps(command: str) -> set[str]:
    """Return the steps that `check` or `fix` accepts by name."""
    output = " ".join(handoff(command, "--help").stdout.split()).replace("- ", "-")
    (names,) = re.findall(r"one step: ([-a-z]+(?:, [-a-z]+)*)", output)
    return set(names.split(", "))


def poe_settings(name: str) -> dict[str, Any]:
    parsed = tomllib.loads((TEMPLATE / "standards" / name).read_text(encoding="utf-8"))
    poe: dict[str, Any] = parsed["tool"]["poe"]
    return poe


def old_tasks() -> dict[str, dict[str, str]]:
    (group,) = poe_settings("old-tasks.toml")["groups"].values()
    found: dict[str, dict[str, str]] = group["tasks"]
    return found


def is_valid_call(command: str) -> bool:
    """Return whether a line calls an existing command of the engine and an existing step."""
    words = shlex.split(command)
    called = words[words.index("handoff") + 1 :]
    one, two = called[0], " ".join(called[:2])
    if "--only" in called:
        return called[called.index("--only") + 1] in steps(one)
    return bool({one, two} & commands())


def test_fifteen_tasks_are_public_and_each_calls_a_command() -> None:
    tasks = poe_settings("tasks.toml")["tasks"]
    assert sorted(name for name in tasks if not name.startswith("_")) == sorted(TASKS)
    called = {name: task["cmd"] for name, task in tasks.items()}
    assert [name for name, cmd in called.items() if "handoff" not in cmd] == ["explore"]
    assert all(is_valid_call(cmd) for name, cmd in called.items() if name != "explore")


def test_the_steps_in_the_tests_equal_those_of_the_engine() -> None:
    assert set(CHECKS) | {"radar", "pipeline", "feature-store", "infrastructure"} == steps("check")
    assert steps("fix") == {"format", "lint", "api", "owners"}
    task = poe_settings("tasks.toml")["tasks"]["check"]["help"]
    assert [one for one in CHECKS if one.lower() not in task.lower()] == []


def test_hooks_call_existing_commands_and_steps() -> None:
    parsed = yaml.safe_load((TEMPLATE / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repo,) = parsed["repos"]
    entries = {hook["id"]: hook["entry"] for hook in repo["hooks"]}
    assert all(entry.startswith("uv run --no-sync ") for entry in entries.values())
    steps = [entry for entry in entries.values() if "handoff" in entry]
    assert len(steps) == 5
    assert [entry for entry in steps if not is_valid_call(entry)] == []


def test_pipelines_call_existing_commands(workshop: Workshop) -> None:
    for ci in ("github", "gitlab", "azure"):
        project = workshop.project({"ci": ci})
        files = [
            *(project / ".github/workflows").glob("*.yml"),
            *project.glob(".gitlab-ci.yml"),
            *project.glob("azure-*.yml"),
        ]
        text = "\n".join(file.read_text(encoding="utf-8") for file in files)
        called = re.findall(r"uv run --locked.* (handoff [a-z]+(?: [a-z][-a-z]*)?)", text)
        expected = {"ci check", "ci oldest-python", "update", "model promote"}
        assert {*called} == {f"handoff {command}" for command in expected}
        assert [command for command in called if not is_valid_call(command)] == []


def test_no_text_of_the_template_names_an_old_task() -> None:
    names = "|".join(sorted(old_tasks(), key=len, reverse=True))
    old = re.compile(rf"\bpoe (?:{names})(?![-\w])")
    for file in TEMPLATE.rglob("*"):
        if file.is_file() and file.name != "old-tasks.toml" and file.suffix != ".whl":
            assert not old.search(file.read_text(encoding="utf-8", errors="replace")), file


@pytest.mark.parametrize("name", old_tasks())
def test_an_old_task_runs_the_new_command_and_prints_its_name(name: str) -> None:
    task = old_tasks()[name]
    _, *called = shlex.split(task["cmd"])
    done = handoff(*called, "--help")
    assert done.returncode == 0
    (new,) = re.findall(r"^now (`.+`)$", task["help"])
    message = f"`{called[0].replace('poe-', 'poe ')}` is an old name, which the next release drops"
    assert done.stderr == f"{message}: {new}\n"


@pytest.mark.slow
def test_a_new_project_lists_fifteen_tasks_and_an_older_one_also_its_old_names(
    environment: Path, workshop: Workshop, tmp_path: Path
) -> None:
    project = workshop.project({})
    folder = tmp_path / "project"
    run(["cp", "-r", str(project), str(folder)], tmp_path)

    def listed_tasks() -> list[str]:
        result = run(["poe"], folder, check=False, env=inside(environment, folder))
        assert result.stderr == ""
        return re.findall(r"^  ([-a-z]+)  +\S", result.stdout, re.MULTILINE)

    assert sorted(listed_tasks()) == sorted(TASKS)
    pyproject = folder / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    own = 'include = [{ path = "standards/tasks.toml", recursive = false }]'
    assert own in text
    pyproject.write_text(text.replace(own, 'include = "standards/tasks.toml"'), encoding="utf-8")
    assert sorted(listed_tasks()[: len(TASKS)]) == sorted(TASKS)
    assert listed_tasks()[len(TASKS) :] == [*old_tasks()]
    done = run(["poe", "layers"], folder, env=inside(environment, folder))
    assert "`layers` is an old name" in done.stderr
