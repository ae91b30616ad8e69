"""Static tests of the devcontainers; `tests/system/test_devcontainer.py` builds and enters them."""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema
import pytest

from tests.baton import QUESTIONS, ROOT, Workshop, editors_json, run
from tools.roles import roles

Container: TypeAlias = dict[str, Any]

EVERYONE, LISTED = roles(ROOT)
ROLES = {role.id: role for role in LISTED}
ANSWERS = [
    {"ci": ci, "cloud": cloud}
    for ci, cloud in product(
        *(question.choices.values() for question in QUESTIONS if question.name in ("ci", "cloud"))
    )
]
PORT = re.compile(r'"--port", type=int, default=(\d+)')


def closed(**properties: object) -> dict[str, object]:
    """Return the schema of an object that has these properties at most."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


def table(values: object) -> dict[str, object]:
    """Return the schema of an object with names of the team's choice."""
    return {"type": "object", "additionalProperties": values}


TEXT = {"type": "string", "minLength": 1}
TEXTS = {"type": "array", "items": TEXT, "minItems": 1}
FORWARD = {"enum": ["notify", "openBrowser", "openBrowserOnce", "openPreview", "silent", "ignore"]}
# The properties of the devcontainer reference that these files use. The published schema is in no
# package of a registry; it was held against every variant by hand (docs/change/proof.md).
SCHEMA = closed(
    name=TEXT,
    build=closed(dockerfile=TEXT, context=TEXT, target={"enum": [*ROLES]}, args=table(TEXT)),
    remoteUser=TEXT,
    mounts=TEXTS,
    hostRequirements=closed(gpu={"enum": [True, "optional"]}),
    updateContentCommand=TEXT,
    postCreateCommand=TEXT,
    waitFor={"enum": ["updateContentCommand", "postCreateCommand"]},
    portsAttributes=table(closed(label=TEXT, onAutoForward=FORWARD)),
    otherPortsAttributes=closed(onAutoForward=FORWARD),
    secrets=table(closed(description=TEXT)),
    customizations=closed(
        vscode=closed(
            extensions={"type": "array", "items": {"pattern": r"^[a-z0-9-]+\.[a-z0-9-]+$"}},
            settings=table({}),
        )
    ),
)


def container(project: Path, role: str) -> Container:
    """Return the content of a role's devcontainer.json."""
    file = project / f".devcontainer/{role}/devcontainer.json"
    read: Container = editors_json(file.read_text(encoding="utf-8"))
    return read


def keys(value: object, *path: str) -> Iterator[tuple[str, ...]]:
    """Yield the path of each key that the reference defines."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            if key != "settings":
                yield from keys(inner, *path, key)


NAMED = [("args",), ("portsAttributes",), ("secrets",)]
"""The keys whose own keys are names of our choice."""


@pytest.mark.parametrize("answers", ANSWERS, ids=lambda answers: "-".join(answers.values()))
@pytest.mark.parametrize("role", ROLES)
def test_a_container_has_what_its_role_needs(
    workshop: Workshop, answers: Mapping[str, str], role: str
) -> None:
    found = container(workshop.project(answers), role)
    jsonschema.validate(found, SCHEMA)
    needed = [
        extension["id"]
        for part in (EVERYONE, ROLES[role])
        for extension in part.stated["extensions"]
        if extension.get("only", {}).items() <= answers.items()
    ]
    vscode = found["customizations"]["vscode"]
    assert set(needed) - set(vscode["extensions"]) == {"ms-vscode-remote.remote-containers"}
    assert set(vscode["extensions"]) <= set(needed)
    assert ROLES[role].settings.items() <= vscode["settings"].items()


@pytest.mark.parametrize("role", ROLES)
def test_a_typo_in_any_key_is_found(default_project: Path, role: str) -> None:
    known = [path for path in keys(container(default_project, role)) if path[-2:-1] not in NAMED]
    assert len(known) > len(SCHEMA)
    for *path, key in known:
        broken = container(default_project, role)
        place = broken
        for step in path:
            place = place[step]
        place[f"{key}s"] = place.pop(key)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, SCHEMA)


def test_the_labelled_ports_are_those_of_the_commands(default_project: Path) -> None:
    commands = (ROOT / "handoff/src/baton_handoff/cli/top_level.py").read_text(encoding="utf-8")
    (labelled,) = {frozenset(container(default_project, role)["portsAttributes"]) for role in ROLES}
    assert set(PORT.findall(commands)) | {"5000", "8888"} == labelled


def test_the_linter_finds_nothing_in_the_dockerfile(workshop: Workshop) -> None:
    for cloud in ("none", "aws"):
        dockerfile = workshop.project({"cloud": cloud}) / ".devcontainer/Dockerfile"
        # Debian removes old versions of its packages, so a pinned one can't be installed for long;
        # the id of the user inside becomes that of the person outside.
        rules = ("--ignore=DL3008", "--ignore=DL3066")
        linted = run(["hadolint", *rules, dockerfile], ROOT, check=False)
        assert (linted.returncode, linted.stdout) == (0, "")


def test_the_dockerfile_has_the_proved_uv_and_each_tool_of_the_roles(workshop: Workshop) -> None:
    project = workshop.project({"cloud": "aws"})
    text = (project / ".devcontainer/Dockerfile").read_text(encoding="utf-8")
    pin = re.search(r"^uv==[\d.]+", (ROOT / "requirements/dev.txt").read_text("utf-8"), re.M)
    assert pin
    assert pin.group() in text.split()
    for role in (EVERYONE, *LISTED):
        for tool in role.stated.get("tools", ()):
            packages = tool["packages"]
            names = {packages.get("apt"), packages.get("image")} - {None}
            inside = tool.get("place") != "laptop" and tool["name"] != "uv"
            assert bool(names) >= inside, tool["name"]
            for name in names if inside else ():
                assert re.search(rf"[ =]{re.escape(name)}\s", text), tool["name"]


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        ('"baton-standards[model,spark]"', True),
        ('"baton-standards[spark]"', True),
        ('"baton-standards[model]"', False),
        ('"sparkling"', False),
    ],
)
def test_java_is_installed_for_a_project_on_spark(
    default_project: Path, tmp_path: Path, requirement: str, expected: bool
) -> None:
    text = (default_project / ".devcontainer/Dockerfile").read_text(encoding="utf-8")
    (asked,) = re.findall(r"RUN if (grep .*) /pyproject.toml; then", text)
    (tmp_path / "pyproject.toml").write_text(f"service = [{requirement}]\n", encoding="utf-8")
    found = run(["sh", "-c", f"{asked} pyproject.toml"], tmp_path, check=False)
    assert (found.returncode == 0) is expected
