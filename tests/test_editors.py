"""The files of VS Code are valid, agree with the roles, and what they start works.

tests/system/test_vscode.py opens them in the editor itself.
"""

import json
import re
import tomllib
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from tests.baton import QUESTIONS, ROOT, Workshop, editors_json
from tests.debugger import debugging
from tests.environment import inside
from tests.project import registered
from tools.roles import roles

EVERYONE, LISTED = roles(ROOT)
MANIFESTS = "tests/system/editor/manifests.toml"
LIVE = {
    question.name: [*question.choices.values()]
    for question in QUESTIONS
    if question.name in ("ci", "cloud")
}
ANSWERS = [dict(zip(LIVE, values, strict=True)) for values in product(*LIVE.values())]


def read(project: Path, name: str) -> Any:
    """Return the content of an editor's file of a project."""
    return editors_json((project / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("answers", ANSWERS, ids=lambda answers: "-".join(answers.values()))
def test_a_workspace_recommends_the_extensions_of_its_role(
    workshop: Workshop, answers: dict[str, str]
) -> None:
    project = workshop.project(answers)
    shared = read(project, ".vscode/extensions.json")["recommendations"]
    assert shared == [one["id"] for one in EVERYONE.stated["extensions"]]
    for role in LISTED:
        expected = {
            one["id"]
            for one in role.stated["extensions"]
            if all(answers[name] == value for name, value in one.get("only", {}).items())
        }
        workspace = read(project, f"flight-delays.{role.id}.code-workspace")
        assert {*workspace["extensions"]["recommendations"]} == expected
        assert workspace["settings"] == role.settings
        assert workspace["folders"] == [{"path": "."}]


def test_the_settings_of_a_project_are_those_of_everyone(workshop: Workshop) -> None:
    settings = read(workshop.project({}), ".vscode/settings.json")
    assert settings == EVERYONE.settings
    # VS Code prefers a folder's settings to a workspace file's: a role's would have no effect.
    assert [key for role in LISTED for key in role.settings if key in settings] == []


STATED: dict[str, dict[str, Any]] = {
    key: value
    for extension in tomllib.loads((ROOT / MANIFESTS).read_text(encoding="utf-8")).values()
    for key, value in extension.get("settings", {}).items()
}
USED = {key: value for role in (EVERYONE, *LISTED) for key, value in role.settings.items()}


@pytest.mark.parametrize("key", STATED)
def test_a_setting_is_as_the_manifest_of_its_extension_states(key: str) -> None:
    # VS Code ignores settings of these scopes in a project.
    assert STATED[key].get("scope") not in ("application", "machine")
    assert [*Draft7Validator(STATED[key]).iter_errors(USED[key])] == []


def test_every_setting_of_an_extension_is_held_against_a_manifest() -> None:
    own = ("editor", "explorer", "files", "notebook", "problems", "search", "[")
    assert {key for key in USED if not key.startswith(own)} == {*STATED}


def test_a_data_scientist_sees_no_room_of_engineering(workshop: Workshop) -> None:
    project = workshop.project({})
    workspace = read(project, "flight-delays.data-scientist.code-workspace")
    hidden = {
        path.relative_to(project).as_posix()
        for pattern in workspace["settings"]["files.exclude"]
        for path in project.glob(pattern)
    }
    assert hidden >= {".github", ".devcontainer", "src/flight_delays/serving"}
    assert not {path for path in hidden if re.match(r"notebooks|docs|tests|src/\w+/(f|c|t)", path)}


# What the commands print, and the file, line and message that an editor makes of it.
PRINTED = {
    "E501 Line too long (102 > 100)\n --> src/a.py:3:101\n": ("src/a.py", "3", "Line too long"),
    "F401 [*] `os` imported but unused\n  --> src/a.py:1:8\n": ("src/a.py", "1", "`os` imported"),
    'src/a.py:35: error: Incompatible (got "int")  [return-value]\n': (
        ("src/a.py", "35", "Incompatible")
    ),
    "✗ read_csv reads an unknown table\n    src/a.py:7\n": ("src/a.py", "7", "read_csv reads"),
    "✗ api.py does not match the contracts\n    src/api.py\n    → run `uv run poe fix`\n": (
        ("src/api.py", None, "api.py does not match")
    ),
}


@pytest.mark.parametrize("printed", PRINTED)
def test_a_problem_in_the_output_of_check_is_found(workshop: Workshop, printed: str) -> None:
    tasks = {one["label"]: one for one in read(workshop.project({}), ".vscode/tasks.json")["tasks"]}
    found = [
        one for matcher in tasks["check"]["problemMatcher"] if (one := match(matcher, printed))
    ]
    file, line, message = PRINTED[printed]
    ((found_file, found_line, text),) = found
    assert (found_file, found_line) == (file, line)
    assert text.startswith(message)


def match(matcher: dict[str, Any], printed: str) -> tuple[str, str | None, str] | None:
    """Return what a problem matcher finds as VS Code does: one pattern for each line."""
    found: dict[str, str] = {}
    for pattern, line in zip(matcher["pattern"], printed.splitlines(), strict=False):
        if not (groups := re.search(pattern["regexp"], line)):
            return None
        for name in ("file", "line", "message"):
            if name in pattern:
                found[name] = groups[pattern[name]]
    if "file" not in found:
        return None
    return found["file"], found.get("line"), found["message"]


def test_every_task_of_a_terminal_is_a_task_of_the_editor(workshop: Workshop) -> None:
    project = workshop.project({})
    tasks = read(project, ".vscode/tasks.json")
    listed = {one["label"]: one["args"] for one in tasks["tasks"]}
    stated = re.findall(
        r"(?m)^\[tool\.poe\.tasks\.(\w+)\]", (project / "standards/tasks.toml").read_text()
    )
    assert [*listed] == stated
    assert all(args[:3] == ["run", "poe", name] for name, args in listed.items())
    asked = {*re.findall(r"\$\{input:(\w+)\}", json.dumps(listed))}
    assert asked == {one["id"] for one in tasks["inputs"]}


# An entry of launch.json, what VS Code asks for, the file with a breakpoint, and its line.
ENTRIES = {
    "Pipeline: one stage": ("ingest", "src/flight_delays/training/ingest.py", "folder = "),
    "Service": ("", "src/flight_delays/serving/app.py", "return create_app("),
    "Tests of the open file": ("tests/unit/test_features.py",) * 2 + ("assert ",),
    "Open file": ("look.py", "look.py", "print"),
    "Test at the cursor": ("look.py", "look.py", "print"),
}


@pytest.mark.long
@pytest.mark.parametrize("name", ENTRIES)
def test_a_launch_entry_stops_at_a_breakpoint(
    workshop: Workshop, environment: Path, name: str
) -> None:
    project = registered(workshop, environment, "pandas").folder
    asked, file, text = ENTRIES[name]
    (project / "look.py").write_text("import flight_delays\n\nprint(flight_delays)\n")
    listed = read(project, ".vscode/launch.json")["configurations"]
    assert {one["name"] for one in listed} == {*ENTRIES}
    (entry,) = (one for one in listed if one["name"] == name)
    known = {"workspaceFolder": project, "input:stage": asked, "file": project / asked}
    for variable, value in known.items():
        entry = json.loads(json.dumps(entry).replace(f"${{{variable}}}", str(value)))
    lines = (project / file).read_text(encoding="utf-8").splitlines()
    line = next(number for number, one in enumerate(lines, 1) if one.strip().startswith(text))
    python, env = environment / "bin/python", inside(environment, project)
    with debugging(python, entry, (project / file, line), env) as session:
        stopped = session.wait_for("stopped")
        assert stopped["reason"] == "breakpoint"
        frames = session.answer(session.send("stackTrace", threadId=stopped["threadId"]))
        assert frames["stackFrames"][0]["line"] == line
