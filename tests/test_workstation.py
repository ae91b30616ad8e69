"""The set-up of laptops loses no setting, and calls the right programs on every system.

tests/system/test_laptop.py sets up real accounts on Linux. macOS and Windows are simulated here:
stand-ins of their programs record how they are called.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import tree_sitter_powershell
from json5 import loads
from jsonc import EMPTY, additions, differing, without
from laptop import Setup
from parts import FailedError, Laptop
from tree_sitter import Language, Parser
from vscode import Settings

from tests.baton import ROOT, run

WORKSTATION = ROOT / "workstation"
ROLES = sorted(file.name.split(".")[1] for file in WORKSTATION.glob("mise.*.toml"))
WANTED = {"a": True, "[python]": {"b": "é", "c": {"d": [1]}}}

OWN = {
    "no setting": EMPTY,
    "one line": '{"[python]": {"b": "é"}, "a": 1}',
    "comments": (
        '\ufeff// mine\n{ // all\n  /* x */ "a": false, // y\n  "[python]": {"b": 1,}, // {\n}\n//'
    ),
    "line ends of Windows": (
        '{\r\n\t"url": "http://x", // "a": 1,\r\n\t"[python]": { "c": 1 }\r\n}\r\n'
    ),
    "no trailing comma": '{ // general\n    "z": 1 // the last, "a"\n}',
    "another type": '{"[python]": null, "c": [{"a": 1}]}',
    "everything": json.dumps(WANTED),
}


def added(text: str) -> str:
    for addition in reversed(additions(text, WANTED)):
        text = text[: addition.at] + addition.text + text[addition.at :]
    return text


def merged(own: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a person has, completed by what is wanted."""
    both = {
        key: merged(own[key], wanted[key])
        for key in own.keys() & wanted.keys()
        if isinstance(own[key], dict) and isinstance(wanted[key], dict)
    }
    return {**wanted, **own, **both}


@pytest.mark.parametrize("text", OWN.values(), ids=OWN)
def test_settings_are_completed_and_no_character_is_lost(text: str) -> None:
    new = added(text)
    assert loads(new) == merged(loads(text), WANTED)
    assert added(new) == new
    recorded = {addition.name: addition.text for addition in additions(text, WANTED)}
    assert without(new, recorded) == (text, [])


def test_only_the_lines_that_were_added_are_removed() -> None:
    own = '{\n    "[css]": {\n        "b": "é",\n    },\n    "[python]": {\n    },\n}'
    recorded = {addition.name: addition.text for addition in additions(own, WANTED)}
    assert without(added(own), recorded) == (own, [])
    edited = added(own).replace('"a": true', '"a": false')
    assert without(edited, recorded) == (own.replace("{", '{\n    "a": false,', 1), ["a"])
    assert without(own, recorded) == (own, [])


def test_empty_braces_are_filled_too() -> None:
    assert loads(added('{"[python]": {}}')) == WANTED | {"[python]": WANTED["[python]"]}
    assert added("{}") == added(EMPTY).removesuffix("\n")


def test_settings_with_another_value_are_named() -> None:
    text = '{"a": false, "[python]": {"b": "é", "c": null}} // x'
    assert differing(text, WANTED) == ["a", "[python] c"]


SYSTEMS = {
    "linux": ".config/Code/User",
    "macos": "Library/Application Support/Code/User",
    "windows": "AppData/Roaming/Code/User",
}


class StandIns:
    """A folder with programs that record how they are called, and a home folder."""

    def __init__(self, folder: Path, system: str, programs: str) -> None:
        self.calls = folder / "calls"
        for name in programs.split():
            program = folder / "bin" / name
            program.parent.mkdir(exist_ok=True)
            # What mise answers about dotfiles; the other programs' output is not read.
            answer = 'echo \'{"files": [], "edits": []}\''
            program.write_text(f'#!/bin/sh\necho "{name} $*" >>{self.calls}\n{answer}\n')
            program.chmod(0o755)
        self.home = folder / "home"
        self.home.mkdir()
        environment = {
            "PATH": str(folder / "bin"),
            "HOME": str(self.home),
            "APPDATA": str(self.home / "AppData/Roaming"),
            "LOCALAPPDATA": str(self.home / "AppData/Local"),
        }
        self.laptop = Laptop(system, self.home, environment)

    def called(self, program: str) -> list[str]:
        """Return the arguments of each call of a program."""
        lines = self.calls.read_text().splitlines()
        return [line.removeprefix(program + " ") for line in lines if line.startswith(program)]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("system", "folder"), SYSTEMS.items(), ids=SYSTEMS)
def test_each_system_gets_its_packages_and_settings(
    system: str, folder: str, role: str, tmp_path: Path
) -> None:
    at = StandIns(tmp_path, system, "mise git docker setx")
    assert not Setup(at.laptop, role).apply()  # the stand-ins install nothing
    settings = loads((at.home / folder / "settings.json").read_text(encoding="utf-8"))
    assert settings["[python]"]["editor.defaultFormatter"] == "charliermarsh.ruff"
    (asked,) = (call for call in at.called("mise") if " packages apply " in call)
    managers = {"linux": {"apt"}, "macos": {"brew", "brew-cask"}, "windows": {"winget"}}
    packages = asked.split("--yes ")[1].split()
    assert {package.split(":")[0] for package in packages} == managers[system]
    assert not any(package.lower().split(":")[1] == "git" for package in packages)
    assert not any("podman" in package.lower() for package in packages)  # Docker is there
    tools = [call for call in at.called("mise") if call.startswith("use --global")]
    assert bool(tools) == (system != "windows")


def test_windows_gets_the_companys_variables_unless_they_are_set(tmp_path: Path) -> None:
    company = tmp_path / "workstation"
    company.mkdir()
    for file in WORKSTATION.glob("mise*.toml"):
        (company / file.name).write_bytes(file.read_bytes())
    (company / "company.toml").write_text('[env]\nHTTPS_PROXY = "http://p:1"\nPATH = "x"\n')
    at = StandIns(tmp_path, "windows", "mise git setx reg")
    Setup(at.laptop, ROLES[0], company).apply()
    assert at.called("setx") == ["HTTPS_PROXY http://p:1"]
    Setup(at.laptop, ROLES[0], company).undo(dry_run=False)
    assert at.called("reg") == [r"delete HKCU\Environment /f /v HTTPS_PROXY"]


def test_the_variables_that_company_toml_proposes_are_toml() -> None:
    text = (WORKSTATION / "company.toml").read_text(encoding="utf-8")
    proposed = tomllib.loads(re.sub(r"(?m)^# (?=\w+ = )", "", text))
    assert "localhost" in proposed["env"]["NO_PROXY"]
    assert proposed["settings"]["url_replacements"]
    assert not any(tomllib.loads(text).values())


def test_settings_that_cannot_be_read_are_reported_with_their_line(tmp_path: Path) -> None:
    at = StandIns(tmp_path, "linux", "code")
    file = at.home / ".config/Code/User/settings.json"
    file.parent.mkdir(parents=True)
    file.write_text('{\n  "a": ,\n}')
    part = Settings(at.laptop, ROLES[0], {"_": {"vscode": {"settings": WANTED}}})
    with pytest.raises(FailedError, match=r"correct .*settings.json, line 2\.$"):
        part.missing()
    assert file.read_text() == '{\n  "a": ,\n}'


def test_both_scripts_are_sound() -> None:
    run(["shellcheck", "setup.sh"], WORKSTATION)
    parser = Parser(Language(tree_sitter_powershell.language()))
    tree = parser.parse((WORKSTATION / "setup.ps1").read_bytes())
    assert not tree.root_node.has_error, str(tree.root_node)


def test_every_version_is_stated_alike() -> None:
    script = (WORKSTATION / "laptop.py").read_text(encoding="utf-8")
    assert f'"json-five=={version("json-five")}"' in script
    mise = tomllib.loads((WORKSTATION / "mise.toml").read_text(encoding="utf-8"))["min_version"]
    assert f"mise_version={mise}\n" in (WORKSTATION / "setup.sh").read_text(encoding="utf-8")
    npm = json.loads((ROOT / "tests/system/package.json").read_text(encoding="utf-8"))
    assert npm["dependencies"]["@jdxcode/mise-linux-x64"] == mise


def test_a_laptop_gets_all_that_its_role_names() -> None:
    folder = ROOT / "handoff/src/baton_handoff/workstation/roles"
    stated = {
        file.stem: tomllib.loads(file.read_text(encoding="utf-8")) for file in folder.iterdir()
    }
    shared = stated.pop("everyone")
    assert sorted(stated) == ROLES
    for role, own in stated.items():
        laptop = tomllib.loads((WORKSTATION / f"mise.{role}.toml").read_text(encoding="utf-8"))
        editor = laptop["_"]["vscode"]
        assert editor["settings"] == shared["settings"] | own["settings"]
        listed = [*shared["extensions"], *own["extensions"]]
        assert editor["extensions"] == [extension["id"] for extension in listed]
        commands = [tool["commands"] for tool in (*shared["tools"], *own.get("tools", []))]
        assert {*map(tuple, laptop["_"]["commands"].values())} == {*map(tuple, commands)}
