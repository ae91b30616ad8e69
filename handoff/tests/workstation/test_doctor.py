"""The doctor finds what a machine lacks, with the command that brings it, and nothing else."""

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from baton_handoff.config.project import Project
from baton_handoff.policy.checks import CHECKS
from baton_handoff.policy.checks.check_context import Check, CheckContext
from baton_handoff.policy.evidence.store import EvidenceStore
from baton_handoff.policy.practices.assessment import State
from baton_handoff.policy.practices.registry import shipped
from baton_handoff.reporting.findings import Finding
from baton_handoff.workstation import doctor, surroundings
from baton_handoff.workstation.doctor import applies, examine
from baton_handoff.workstation.record import keep, last
from baton_handoff.workstation.role import roles
from trip_project import git

Machine = Callable[..., Mapping[str, str]]

PROGRAMS = ("git", "ssh", "less", "uv", "podman", "curl", "terraform", "aws", "java", "apt-get")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A laptop with the programs of all roles, an editor with these extensions, and variables."""
    monkeypatch.setattr(doctor, "_CONTAINER", ())
    monkeypatch.setattr(surroundings, "_CONFIGURATION", (tmp_path / "uv.toml",))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    (tmp_path / "gitconfig").write_text("[user]\nname = a\nemail = a@example.com\n")
    folder = tmp_path / "programs"
    folder.mkdir()

    def made(
        *absent: str, extensions: str | None = None, python: str = "3 13", **variables: str
    ) -> Mapping[str, str]:
        every = "\n".join(one.id for role in roles().values() for one in role.extensions)
        outputs = {
            **dict.fromkeys(PROGRAMS, ""),
            "code": every if extensions is None else extensions,
            "python3": python,
        }
        for name, output in outputs.items():
            if name not in absent:
                program = folder / name
                program.write_text(f"#!/bin/sh\n/bin/cat <<'E'\n{output}\nE\n")
                program.chmod(0o755)
        return {"PATH": str(folder), **variables}

    return made


@pytest.fixture
def laptop(tmp_path: Path) -> Project:
    """No project: what the doctor examines on a laptop."""
    return Project(tmp_path, package="", model="", alias="", adopted=False)


def found(
    project: Project, environment: Mapping[str, str], *names: str, check: str = ""
) -> list[Finding]:
    chosen = [roles()[name] for name in names or roles()]
    return [one for one in examine(project, chosen, environment) if check in ("", one.check)]


def test_nothing_is_missing_on_a_complete_laptop(laptop: Project, machine: Machine) -> None:
    assert found(laptop, machine()) == []


@pytest.mark.parametrize(
    ("tool", "fix"),
    [
        ("ssh", "`sudo apt-get install openssh-client`"),
        ("uv", "`python3 -m venv ~/.uv && ~/.uv/bin/pip install uv`, then put ~/.uv/bin on PATH"),
        ("terraform", "install it (brew: hashicorp/tap/terraform,"),
    ],
)
def test_a_missing_program_is_named_with_its_installation(
    laptop: Project, machine: Machine, tool: str, fix: str
) -> None:
    (missing,) = found(laptop, machine(tool))
    assert missing.blocks
    assert missing.fix.startswith(fix)
    assert missing.side == ("ml-engineering" if tool == "terraform" else None)


def test_another_editor_may_be_in_use(laptop: Project, machine: Machine) -> None:
    (missing,) = found(laptop, machine("code"))
    assert not missing.blocks


def test_one_command_installs_the_extensions_that_a_role_lacks(
    laptop: Project, machine: Machine
) -> None:
    installed = "MS-Python.python\nacme.other"
    (missing,) = found(laptop, machine(extensions=installed), "data-scientist")
    assert missing.blocks
    assert "--install-extension charliermarsh.ruff" in missing.fix
    assert "ms-python.python" not in missing.fix
    assert "ms-python.mypy-type-checker" not in missing.fix


def test_only_what_the_answers_ask_for_is_needed(project: Project) -> None:
    assert applies({"cloud": "aws"}, replace(project, cloud="aws"))
    assert not applies({"cloud": "aws"}, replace(project, cloud="none"))
    assert not applies({"extra": "spark"}, project)
    pyproject = project.root / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8") if pyproject.exists() else ""
    groups = '[dependency-groups]\nspark = ["baton-standards[model,spark]"]\n'
    pyproject.write_text(f"{text}\n{groups}", encoding="utf-8")
    assert applies({"extra": "spark"}, project)


PROXY = {"http_proxy": "http://proxy:3128"}

SURROUNDINGS: dict[str, tuple[dict[str, str], str, bool]] = {
    "a proxy that catches this machine": (PROXY, "proxy", False),
    "a proxy that leaves out another machine": (PROXY | {"no_proxy": "a.b"}, "proxy", False),
    "new packages excluded by a variable": ({"UV_EXCLUDE_NEWER": "2026-01-01"}, "cooldown", True),
    "a mirror of this machine": ({"UV_INDEX_URL": "https://mirror/simple"}, "index", False),
    "an old Python": ({"python": "3 9"}, "python", False),
}


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_unusual_surroundings_are_named(
    project: Project, machine: Machine, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    variables, check, blocks = SURROUNDINGS[name]
    monkeypatch.setattr(Project, "require_own_environment", lambda _: None)
    (one,) = found(project, machine(**variables), check=check)
    assert one.blocks == blocks
    assert one.fix


def test_a_proxy_that_leaves_out_this_machine_is_fine(laptop: Project, machine: Machine) -> None:
    assert found(laptop, machine(**PROXY, no_proxy="localhost,127.0.0.1")) == []


def test_a_cooldown_of_the_machine_is_named_until_the_project_has_its_own(
    project: Project, machine: Machine, tmp_path: Path
) -> None:
    (tmp_path / "uv.toml").write_text('exclude-newer = "2026-01-01"\n')
    assert len(found(project, machine(), check="cooldown")) == 1
    with (project.root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('\n[tool.uv]\nexclude-newer = "2026-11-28"\n')
    assert found(project, machine(), check="cooldown") == []


def test_a_project_without_its_hook_is_told_so(project: Project, machine: Machine) -> None:
    (one,) = found(project, machine(), check="hooks")
    assert one.blocks
    assert "handoff setup" in one.fix


def test_a_repository_of_another_user_is_a_finding(
    project: Project, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    (one,) = found(project, machine(), check="owner")
    assert one.blocks
    assert one.fix == f"`git config --global --add safe.directory '{project.root}'`"


def test_an_editor_that_does_not_answer_is_a_finding(
    laptop: Project, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment, run = machine(), subprocess.run

    def hang(command: list[str], **options: Any) -> Any:
        if "--list-extensions" in command:
            raise subprocess.TimeoutExpired(command, 60)
        return run(command, **options)

    monkeypatch.setattr(subprocess, "run", hang)
    (one,) = found(laptop, environment, "data-scientist", check="extensions")
    assert "no answer" in one.message
    assert one.fix


def test_a_remote_over_ssh_needs_ssh(
    project: Project, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(project.root, "remote", "add", "origin", "git@example.com:a/b.git")
    without = SimpleNamespace(which=lambda name, **_: None if name == "ssh" else name)
    monkeypatch.setattr(surroundings, "shutil", without)
    (one,) = found(project, machine(), check="ssh")
    assert one.blocks


def test_git_without_a_name_is_found(laptop: Project, machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "gitconfig").write_text("[user]\nname = a\n")
    (one,) = found(laptop, machine(), check="git")
    assert "user.email" in one.message


def test_a_folder_of_another_user_is_found(
    project: Project, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    assert len(found(project, machine(), check="owner")) == 1


def test_a_folder_that_can_not_be_written_is_found(
    project: Project, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, _: path != project.local)
    project.local.mkdir()
    (one,) = found(project, machine(), check="local")
    assert "HANDOFF_LOCAL" in one.fix


LACKS = {"proper-editor": "extensions", "tools-introduced": "tools"}


@pytest.mark.parametrize("practice", LACKS)
def test_what_the_doctor_found_counts_as_evidence(
    kept: Project, machine: Machine, practice: str
) -> None:
    day = date(2026, 11, 28)
    (check,) = (CHECKS[one.check] for one in shipped() if one.name == practice)
    states = []
    for absent, extensions in (("curl", ""), ("", None)):
        findings = found(kept, machine(absent, extensions=extensions), "ml-engineer")
        keep(kept, ["ml-engineer"], findings, day)
        examined = last(kept)
        assert examined is not None
        states.append((LACKS[practice] in examined.missing, check_now(kept, check, day)))
    assert states == [(True, State.NOT_MET), (False, State.MET)]


def check_now(project: Project, check: Check, day: date) -> State:
    result = check(CheckContext(project, EvidenceStore(project), day))
    assert "`uv run handoff doctor --role ml-engineer`" in result.message + result.fix
    return result.state
