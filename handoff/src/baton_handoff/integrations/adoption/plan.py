"""What adopting changes in a repository, known before anything is written."""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any

from baton_handoff.core.environments import ENVIRONMENT
from baton_handoff.core.yaml_files import parse_yaml
from baton_handoff.integrations.adoption.first_contract import FirstContract, with_contract
from baton_handoff.integrations.adoption.layout import Layout
from baton_handoff.integrations.adoption.lines import (
    POE_TASKS,
    contracts_ruff,
    environment_project,
    gitlab_job,
    has_tasks,
    with_ignored,
    with_include,
    with_standards,
)
from baton_handoff.updates.scratch import Entry, Tree, takes_place

_GITLAB, _PYPROJECT = ".gitlab-ci.yml", "pyproject.toml"


@dataclass(frozen=True)
class Plan:
    """What adopting changes.

    Attributes:
        added: New files.
        edited: Files of the repository with their new content: the same lines, and a few more.
        theirs: Files that the template has, too, and that stay as they are.
        left_out: What the template has and adopting does not bring, with the reason.
        collisions: What stands in the way, a sentence each; nothing is written while there is one.
        notes: What a person should know, a sentence each.
        own_environment: Whether the command gets an environment of its own.
        package: The package that gets the contracts.
        first: The first contract; None if the code reads no table that can be read.
    """

    added: Tree
    edited: Tree
    theirs: Sequence[str]
    left_out: Mapping[str, str]
    collisions: Sequence[str]
    notes: Sequence[str]
    own_environment: bool
    package: str
    first: FirstContract | None = None


@dataclass
class _Draft:
    """A plan in the making."""

    existing: Tree
    added: dict[str, Entry] = field(default_factory=dict)
    edited: dict[str, Entry] = field(default_factory=dict)
    theirs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def text(self, path: str) -> str:
        entry = self.existing.get(path)
        return entry.content.decode("utf-8", "surrogateescape") if entry else ""

    def write(self, path: str, text: str) -> None:
        """Add a file, or edit the one that is there; the ends of its lines stay."""
        former = self.existing.get(path)
        content = text.encode("utf-8", "surrogateescape")
        if former and former.content.count(b"\n") == former.content.count(b"\r\n") > 0:
            content = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        if former is None:
            self.added[path] = Entry(content, "644")
        elif content != former.content:
            self.edited[path] = Entry(content, former.mode)


def make_plan(
    layout: Layout,
    existing: Tree,
    rendered: Tree,
    owned: Collection[str],
    first: FirstContract | None = None,
) -> Plan:
    """Decide what comes, what stays theirs, and what stands in the way.

    Args:
        layout: The repository as it is.
        existing: Its files.
        rendered: The files of a new project with its answers.
        owned: The paths of these that the template updates.
        first: The first contract.
    """
    draft, left_out = _Draft(existing), dict[str, str]()
    own = bool(layout.own_environment)
    if not own:
        text = with_standards(draft.text(_PYPROJECT))
        own = text is None
        draft.write(_PYPROJECT, text or draft.text(_PYPROJECT))
    rules = _rules()
    comes = [one.format(package=layout.package) for one in rules["comes"]]
    draft.theirs += [
        path for path in owned if path in existing and existing[path] != rendered[path]
    ]
    for path, entry in rendered.items():
        if _covers(comes, path):
            _bring(draft, path, _for_environment(path, entry, own=own), own=own)
        elif path not in existing and (place := _place(rules["stays-out"], path)):
            left_out[place] = rules["stays-out"][place]
    _write_settings(draft, left_out, owned)
    contracts = f"src/{layout.package}/contracts/__init__.py"
    if first and contracts in draft.added:
        text = draft.added[contracts].content.decode()
        draft.added[contracts] = Entry(with_contract(text, first).encode(), "644")
        for path, text in first.texts.items():
            draft.write(path, text)
    draft.write(".gitignore", with_ignored(draft.text(".gitignore")))
    draft.write(f"src/{layout.package}/contracts/ruff.toml", contracts_ruff())
    if own:
        draft.write(f"{ENVIRONMENT}/{_PYPROJECT}", environment_project(layout.slug))
    if not has_tasks(draft.text(_PYPROJECT)) and "poe_tasks.toml" not in existing:
        draft.write("poe_tasks.toml", POE_TASKS)
    elif own or "poe_tasks.toml" in existing:
        draft.notes.append(
            "`poe` lists your own tasks: run those of the standards by `handoff`, for example"
            " `handoff check` instead of `poe check`."
        )
    return Plan(
        draft.added,
        draft.edited,
        sorted(draft.theirs),
        left_out,
        [*_collisions(layout, existing, draft.added)],
        draft.notes,
        own,
        layout.package,
        first,
    )


def difference(path: str, before: Entry | None, after: Entry) -> str:
    """The change of a file as a unified diff."""
    old, new = (
        (entry.content if entry else b"").decode("utf-8", "replace").splitlines()
        for entry in (before, after)
    )
    return "\n".join(difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", n=1, lineterm=""))


def _bring(draft: _Draft, path: str, entry: Entry, *, own: bool) -> None:
    """Add a file of the template; where the repository has one, its own stays."""
    if path not in draft.existing:
        draft.added[path] = entry
        return
    if draft.existing[path] == entry:
        return
    beside = _rules()["beside"].get(path)
    if beside is None or beside in draft.existing:
        return
    if path == _GITLAB:
        included = with_include(draft.text(path), beside)
        if included is None:
            draft.notes.append(
                f"{path} includes other files in a form that is left alone: add `- local:"
                f" {beside}` to its `include` yourself."
            )
        else:
            draft.write(path, included)
        draft.added[beside] = Entry(gitlab_job(own_environment=own).encode(), "644")
    else:
        draft.added[beside] = entry
        draft.notes.append(f"Azure runs {beside} once you create a pipeline of that file there.")


def _for_environment(path: str, entry: Entry, *, own: bool) -> Entry:
    """A CI file that uses the environment of the command, if that is not the repository's."""
    change = _rules()["own-environment"].get(path) if own else None
    if change is None:
        return entry
    text = entry.content.decode()
    return Entry(text.replace(change["after"], change["after"] + change["add"], 1).encode(), "644")


def _write_settings(draft: _Draft, left_out: Mapping[str, str], owned: Collection[str]) -> None:
    """State in handoff.toml which places of the template an update leaves alone."""
    folders = [
        place
        for place in left_out
        if place.endswith("/") and any(path.startswith(place) for path in owned)
    ]
    if places := sorted({*draft.theirs, *folders}):
        listed = ", ".join(f'"{place}"' for place in places)
        text = draft.added["handoff.toml"].content.decode()
        text += (
            "\n# Places of the template that are yours, or that you do without: no update.\n"
            f"[update]\nleave = [{listed}]\n"
        )
        draft.added["handoff.toml"] = Entry(text.encode(), "644")


def _collisions(layout: Layout, existing: Tree, added: Tree) -> Iterator[str]:
    """What would hide, or be hidden by, a file of the repository."""
    own = f"src/{layout.package}"
    for path in added:
        if takes_place(path, existing):
            yield f"{path}: a file or folder of yours has its place. Rename yours, or move it."
    for name in ("contracts",):
        for place in (f"{own}/{name}.py", f"{own}/{name}/__init__.py"):
            if place in existing:
                yield (
                    f"{place} has the name of the package {layout.package}.{name} that adopting"
                    " adds, and Python imports only one of them. Rename yours, or choose another"
                    " package for the contracts: `--data package_name=NAME`."
                )
    flat = sorted(name for name, place in layout.packages.items() if place == name)
    text = existing.get(_PYPROJECT) or existing.get("setup.py") or existing.get("setup.cfg")
    packaged = text.content.decode("utf-8", "replace") if text else ""
    automatic = "build-system" in packaged and re.search("setuptools", packaged)
    if (
        flat
        and automatic
        and not re.search(r"tool\.setuptools|packages\s*=", packaged)
        and not any(path.startswith("src/") for path in existing)
    ):
        yield (
            f"setuptools finds {', '.join(flat)} only while there is no folder src/, which adopting"
            f" adds. State it first: `[tool.setuptools]` and `packages = {flat}` in {_PYPROJECT}."
        )


def shadowed_rooms(layout: Layout, existing: Tree) -> list[str]:
    """The modules that have the name of a room which the template may bring later."""
    rooms = ("features", "model", "training", "serving", "monitoring")
    places = [f"src/{layout.package}/{room}" for room in rooms]
    return [f"{place}.py" for place in places if f"{place}.py" in existing]


def _covers(listed: Sequence[str], path: str) -> bool:
    return any(path == one or (one.endswith("/") and path.startswith(one)) for one in listed)


def _place(listed: Mapping[str, str], path: str) -> str | None:
    """The longest entry that covers a path."""
    fitting = [one for one in listed if _covers([one], path) or fnmatch(path, one)]
    return max(fitting, key=lambda one: len(PurePosixPath(one).parts), default=None)


@cache
def _rules() -> Mapping[str, Any]:
    text = files(__package__).joinpath("adoption.yml").read_text(encoding="utf-8")
    rules: Mapping[str, Any] = parse_yaml(text)
    return rules
