"""The files of editors and laptops that derive from the roles and the tasks.

The roles are data of the engine: handoff/src/baton_handoff/workstation/roles/, whose everyone.toml
describes the form.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROLES = "handoff/src/baton_handoff/workstation/roles"
TASKS = "template/standards/tasks.toml"
_OWNED = "// Template-owned, made from the roles of the engine."
_YOURS = "// Settings of your own go into a copy of a workspace file, under another name."


@dataclass(frozen=True)
class Role:
    """The content of a role's file.

    Attributes:
        id: Its name.
        stated: What the file states.
        why: The comment before each setting, by the setting's name.
    """

    id: str
    stated: Mapping[str, Any]
    why: Mapping[str, str]

    @property
    def settings(self) -> dict[str, Any]:
        """The settings for a project."""
        return {**self.stated.get("settings", {}), **self.stated.get("project-settings", {})}


def roles(root: Path) -> tuple[Role, list[Role]]:
    """Return what everyone needs, and the roles."""
    read = [_read(file) for file in sorted((root / ROLES).glob("*.toml"))]
    (everyone,) = (role for role in read if role.id == "everyone")
    return everyone, [role for role in read if role is not everyone]


def _read(file: Path) -> Role:
    text = file.read_text(encoding="utf-8")
    commented = re.findall(r'^((?:# .*\n)+)(?:\[.*\."(.+?)"\]|"(.+?)" = )', text, re.MULTILINE)
    why = {table or key: " ".join(comment.split("\n# ")) for comment, table, key in commented}
    return Role(file.stem, tomllib.loads(text), {key: text.strip() for key, text in why.items()})


def editor_files(root: Path) -> dict[Path, str]:
    """Return the expected content of each file of an editor, by its place in the template."""
    everyone, listed = roles(root)
    tasks = tomllib.loads((root / TASKS).read_text(encoding="utf-8"))["tool"]["poe"]["tasks"]
    template = root / "template"
    files = {
        template / ".vscode/settings.json": _settings_json(everyone),
        template / ".vscode/extensions.json": _extensions_json(everyone),
        template / ".vscode/tasks.json": _tasks_json(tasks),
    }
    for role in listed:
        text = _workspace(role)
        suffix = ".jinja" if "{%" in text else ""
        files[template / f"{{{{project_slug}}}}.{role.id}.code-workspace{suffix}"] = text
    return files


def first_steps(root: Path) -> dict[Path, str]:
    """Return the first steps of each role as a table, by its page of the handbook."""
    everyone, listed = roles(root)
    pages = {}
    for role in listed:
        rows = ["| step | command |", "|---|---|"]
        for step in [*everyone.stated["first-steps"], *role.stated["first-steps"]]:
            command = step["command"].replace("{role}", role.id)
            rows.append(f"| {step['text']} | `{command}` |")
        page = root / f"template/standards/handbook/first-hour-{role.id}.md"
        pages[page] = "\n" + "\n".join(rows) + "\n\n"
    return pages


def extension_lines(extensions: Iterable[Mapping[str, Any]], indent: str) -> str:
    """Return extensions as lines of a list, each with its reason; those of an answer come first."""
    last = [one for one in extensions if "only" not in one]
    lines = []
    for one in extensions:
        entry = f'{indent}"{one["id"]}",  // {one["reason"]}'
        for answer, value in one.get("only", {}).items():
            entry = f"{indent}{{%- if {answer} == '{value}' %}}\n{entry}\n{indent}{{%- endif %}}"
        if "only" in one:
            lines.append(entry)
    lines += [f'{indent}"{one["id"]}",  // {one["reason"]}' for one in last[:-1]]
    lines += [f'{indent}"{one["id"]}"  // {one["reason"]}' for one in last[-1:]]
    return "\n".join(lines)


def setting_lines(role: Role, indent: str) -> str:
    """Return settings as the lines of an object, each below its comment."""
    entries = []
    for key, value in role.settings.items():
        text = json.dumps(value, indent=2, ensure_ascii=False)
        if isinstance(value, list) or len(json.dumps(value)) < 60:
            text = json.dumps(value, ensure_ascii=False)
        comment = f"{indent}// {role.why[key].removeprefix('# ')}\n" if key in role.why else ""
        entries.append(f"{comment}{indent}{json.dumps(key)}: " + text.replace("\n", f"\n{indent}"))
    return ",\n".join(entries)


def _settings_json(everyone: Role) -> str:
    return f"{_OWNED}\n{_YOURS}\n{{\n{setting_lines(everyone, '  ')}\n}}\n"


def _extensions_json(everyone: Role) -> str:
    lines = extension_lines(everyone.stated["extensions"], "    ")
    return f'{_OWNED}\n{{\n  "recommendations": [\n{lines}\n  ]\n}}\n'


def _workspace(role: Role) -> str:
    summary = role.stated["summary"]
    return f"""{_OWNED}
// {role.stated["title"]}: {summary[0].lower()}{summary[1:]}
// Open it with File > Open Workspace from File; .vscode/ holds what all roles have in common.
{{
  "folders": [{{ "path": "." }}],
  "settings": {{
{setting_lines(role, "    ")}
  }},
  "extensions": {{
    "recommendations": [
{extension_lines(role.stated["extensions"], "      ")}
    ]
  }}
}}
"""


def _matcher(owner: str, *patterns: Mapping[str, Any], severity: str = "error") -> dict[str, Any]:
    return {
        "owner": owner,
        "source": owner.split("-")[0],
        "severity": severity,
        "fileLocation": ["relative", "${workspaceFolder}"],
        "pattern": [*patterns],
    }


_SENTENCE = {"regexp": r"^[✗·] (.*)$", "message": 1}
_HANDOFF = (
    _matcher("handoff", _SENTENCE, {"regexp": r"^    (\S.*):(\d+)$", "file": 1, "line": 2}),
    _matcher(
        "handoff-file",
        _SENTENCE | {"kind": "file"},
        {"regexp": r"^    ([\w.][^:]*)$", "file": 1},
    ),
)
_CHECK = (
    *_HANDOFF,
    _matcher(
        "ruff",
        {"regexp": r"^([A-Z]+\d+) (?:\[\*\] )?(.*)$", "code": 1, "message": 2},
        {"regexp": r"^ +--> (.+?):(\d+):(\d+)$", "file": 1, "line": 2, "column": 3},
        severity="warning",
    ),
    _matcher(
        "mypy",
        {
            "regexp": r"^(.+?):(\d+): (error|note): (.*?)(?:  \[([\w-]+)\])?$",
            **{"file": 1, "line": 2, "severity": 3, "message": 4, "code": 5},
        },
    ),
)
_TEST = (
    _matcher(
        "pytest",
        {"regexp": r"^(\S+?\.py):(\d+): (\w.*)$", "file": 1, "line": 2, "message": 3},
    ),
)
_MATCHERS = {"check": _CHECK, "fix": _CHECK, "diff": _HANDOFF, "status": _HANDOFF, "test": _TEST}
"""What a task's output shows in the Problems panel."""

_GROUPS = {"check": "build", "test": "test"}
"""The tasks that VS Code runs as build and as test."""

_ARGUMENTS = {
    "promote": ["${input:version}", "--why", "${input:why}", "--run"],
    "rollback": ["--why", "${input:why}"],
}
"""What a task asks for."""

_INPUTS = [
    {"id": "version", "type": "promptString", "description": "Version", "default": "candidate"},
    {"id": "why", "type": "promptString", "description": "Why: one sentence for the record"},
]


def _tasks_json(tasks: Mapping[str, Mapping[str, Any]]) -> str:
    listed = []
    for name, task in tasks.items():
        entry: dict[str, Any] = {
            "label": name,
            "detail": task["help"],
            # A shell finds uv where its start-up files put it on PATH.
            "type": "shell",
            "command": "uv",
            "args": ["run", "poe", name, *_ARGUMENTS.get(name, [])],
            "problemMatcher": [*_MATCHERS.get(name, [])],
        }
        if group := _GROUPS.get(name):
            entry["group"] = {"kind": group, "isDefault": True}
        listed.append(entry)
    content = {"version": "2.0.0", "tasks": listed, "inputs": _INPUTS}
    text = json.dumps(content, indent=2, ensure_ascii=False)
    owned = "// Template-owned, made from standards/tasks.toml: Terminal > Run Task lists them."
    return f"{owned}\n{text}\n"


SYSTEMS = {"apt": ["linux"], "brew": ["macos"], "brew-cask": ["macos"], "winget": ["windows"]}
"""The systems on which a laptop uses a package manager."""


def laptop_files(root: Path) -> dict[Path, str]:
    """Return the expected content of workstation/mise.<role>.toml for each role.

    mise installs a tool in the same way on every Linux and macOS, so it comes before the system's
    package manager there, whose name for a package depends on the release.
    """
    everyone, listed = roles(root)
    return {root / f"workstation/mise.{role.id}.toml": _laptop(everyone, role) for role in listed}


def _laptop(everyone: Role, role: Role) -> str:
    tools, extensions = (
        [*everyone.stated.get(name, []), *role.stated.get(name, [])]
        for name in ("tools", "extensions")
    )
    packages, of_mise, commands = {}, {}, {}
    for tool in tools:
        if tool.get("place") == "container":
            continue
        for manager, name in tool["packages"].items():
            if manager == "mise":
                name, _, version = name.partition("@")
                of_mise[name] = {"version": version or "latest", "os": ["linux", "macos"]}
                commands[name] = tool["commands"]
            elif manager == "winget" or "mise" not in tool["packages"]:
                packages[f"{manager}:{name}"] = {"os": SYSTEMS[manager]}
                commands[f"{manager}:{name}"] = tool["commands"]
    settings = everyone.stated.get("settings", {}) | role.stated.get("settings", {})
    lines = [
        f"# Derived from {ROLES}: change it there, then `make derive`.",
        *("", "[bootstrap.packages]", *_toml_lines(packages)),
        *("", "[tools]", *_toml_lines(of_mise)),
        *("", "# One of these commands is enough: then the package or the tool is not installed."),
        *("[_.commands]", *_toml_lines(commands)),
        *("", "[_.vscode]", "extensions = ["),
        *(f"    {_toml(one['id'])},  # {one['reason']}" for one in extensions),
        *("]", "", "[_.vscode.settings]", *_toml_lines(settings)),
    ]
    return "\n".join(lines) + "\n"


def _toml_lines(table: Mapping[str, Any]) -> list[str]:
    return [f"{_toml(key)} = {_toml(value)}" for key, value in table.items()]


def _toml(value: Any) -> str:
    """Write a value on one line: JSON's text is TOML's, but for tables."""
    if isinstance(value, dict):
        return f"{{ {', '.join(_toml_lines(value))} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
