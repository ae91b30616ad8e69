"""What a release of the template would cost projects at their next update: the rules."""

import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jinja2
import yaml
from baton_handoff.updates.changelog import changes_in, problem_of
from jinja2_ansible_filters import AnsibleCoreFiltersExtension
from packaging.version import Version

from tools.derive import PRACTICES, RELEASED, RETIRED, SIDES, copier_lists, documents, questions

SAMPLES: Sequence[str] = (
    *("Flight delays", "Ω", 'Naïve "Bayes" \\ {{ 7*7 }} 🦊', "x" * 80, "x" * 40, "x" * 200, ""),
    *("flight-delays", "a", "zz-9-" + "x" * 35, "flight_delays", "a1", "zz_9_" + "x" * 35),
    *("@data-science", "ds", "@Acme/data.science_2", "acme/ml/eng"),
)
"""Answers of all kinds; a validator must go on accepting those that it accepted."""

_ENVIRONMENT = jinja2.Environment(extensions=[AnsibleCoreFiltersExtension])  # noqa: S701

_EXTRAS = "optional-dependencies"


@dataclass(frozen=True)
class State:
    """What a release consists of, as far as updates depend on it.

    Attributes:
        copier_yml: The questions.
        reserved: The names that validators refuse, by the name of the list.
        ownership: The content of ownership.yml.
        files: The files in `template/` by their path there.
        engine: The source files of the engine.
        changelog: The changelog.
        version: The version of the engine, which names the release.
    """

    copier_yml: str
    reserved: Mapping[str, str]
    ownership: Mapping[str, Mapping[str, Any]]
    files: Mapping[str, bytes]
    engine: Mapping[str, bytes]
    changelog: str
    version: str

    @property
    def rendered(self) -> dict[str, bytes]:
        """The files by the path at which a project has them, if its answers ask for them."""
        condition = re.compile(r"\{% if .*? %\}(.*?)\{% endif %\}")
        return {
            condition.sub(r"\1", path).removesuffix(".jinja"): content
            for path, content in self.files.items()
        }

    def owner(self, path: str) -> str | None:
        """The class of ownership.yml that covers a path."""
        for name, entries in self.ownership.items():
            for entry in entries:
                if _covers(entry, path):
                    return name
        return None


def _covers(entry: str, path: str) -> bool:
    """Whether an entry of ownership.yml covers a path; one with a slash at its end is a folder."""
    return path.startswith(entry) if entry.endswith("/") else fnmatch(path, entry)


def read_state(root: Path) -> State:
    """Read a release, or what will be one, from a folder."""

    def files(folder: str) -> dict[str, bytes]:
        top = root / folder
        found = [
            path for path in top.rglob("*") if path.is_file() and "__pycache__" not in path.parts
        ]
        return {path.relative_to(top).as_posix(): path.read_bytes() for path in found}

    def text(name: str) -> str:
        return (root / name).read_text(encoding="utf-8") if (root / name).exists() else ""

    project = tomllib.loads(text("handoff/pyproject.toml"))["project"]
    return State(
        copier_yml=text("copier.yml"),
        reserved={
            name: one["default"]
            for name, one in (yaml.safe_load(text("reserved-names.yml")) or {}).items()
        },
        ownership=yaml.safe_load(text("ownership.yml")),
        files=files("template"),
        engine=files("handoff/src"),
        changelog=text("CHANGELOG.md"),
        version=project["version"],
    )


def problems(before: State | None, after: State) -> Iterator[str]:
    """What a release would cost projects; without an earlier one only what it lacks itself."""
    lacks = {
        "no version": f"has no section for {after.version}",
        "no date": f"has no date at {after.version}: write it in place of `Unreleased`",
        "no text": f"lists nothing that projects receive by {after.version}",
    }
    if problem := problem_of(after.changelog, after.version):
        yield f"CHANGELOG.md {lacks[problem]}."
    if copier_lists(dict(after.ownership)) not in after.copier_yml:
        yield "copier.yml does not follow ownership.yml, so updates can write seeds: `make derive`."
    yield from _binaries(after)
    yield from _ignored(after)
    if before is None:
        return
    if Version(after.version) < Version(before.version):
        yield f"The version {after.version} is older than {before.version}: raise it."
    if before.version == after.version and _without_derived(before) != _without_derived(after):
        yield f"The engine has changed and is still called {after.version}: raise its version."
    yield from _unretired(before, after)
    yield from _taken_over(before, after)
    yield from _questions(before, after)
    told = any(
        one.is_to_do and Version(one.version) > Version(before.version)
        for one in changes_in(after.changelog)
    )
    for reason in () if told else _asks(before, after):
        yield (
            f"{reason}: write in CHANGELOG.md, under `#### To do, once`, what a team does about it."
        )


def _without_derived(state: State) -> dict[str, bytes]:
    return {
        path: text
        for path, text in state.engine.items()
        if not RETIRED.endswith(path) and not RELEASED.endswith(path)
    }


def _binaries(after: State) -> Iterator[str]:
    for path, content in sorted(after.rendered.items()):
        if b"\0" in content and after.owner(path) == "template-owned" and not _is_wheel(path):
            yield f"{path} is no text, and an update would replace a team's own: make it a seed."


def _ignored(after: State) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        for path in (path for path in after.rendered if path.endswith(".gitignore")):
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / path).write_bytes(after.rendered[path])
        _git(Path(folder), "init", "--quiet")
        listed = "\0".join(sorted(after.rendered))
        ignored = _git(Path(folder), "check-ignore", "--no-index", "-z", "--stdin", stdin=listed)
        for path in filter(None, ignored.split("\0")):
            yield f"{path} is rendered, and a project's .gitignore hides it from git."


def _unretired(before: State, after: State) -> Iterator[str]:
    for path in sorted({*before.rendered} - {*after.rendered}):
        owned = before.owner(path) == "template-owned" and not _is_wheel(path)
        if owned and not any(_covers(entry, path) for entry in after.ownership["retired"]):
            yield f"{path} is gone: list it under `retired` in ownership.yml, with where it went."

    for path in before.ownership["retired"].keys() - after.ownership["retired"].keys():
        if path not in after.rendered and after.owner(path) is None:
            yield f"{path} is no longer retired: keep it there, or an update deletes edited copies."


def _taken_over(before: State, after: State) -> Iterator[str]:
    for path in sorted(after.rendered):
        if after.owner(path) == "template-owned" and before.owner(path) in ("seeded", "user-owned"):
            yield f"{path} is the teams': an update would write over it. Take another path."


def _asks(before: State, after: State) -> Iterator[str]:
    """What an update can't do, because it is in files of the teams."""
    if Version(after.version).major > Version(before.version).major > 0:
        yield f"{after.version} is a new major version"
    old, new = (_toml(one, "standards/tasks.toml") for one in (before, after))
    for task in _keys(old, "tool", "poe", "tasks") - _keys(new, "tool", "poe", "tasks"):
        if task not in _keys(_toml(after, "standards/old-tasks.toml"), "tool", "poe", "tasks"):
            yield f"The task {task} is gone"
    old, new = (
        _toml(one, "standards/pyproject.toml").get("project", {}) for one in (before, after)
    )
    for extra in sorted(_keys(old, _EXTRAS) - _keys(new, _EXTRAS)):
        yield f"The extra {extra} of baton-standards is gone"
    if old.get("requires-python") != new.get("requires-python"):
        yield f"The standards need Python {new.get('requires-python')}"
    for gone in sorted({*before.rendered} - {*after.rendered}):
        names = gone.encode()
        seeds = [
            path
            for path, content in before.rendered.items()
            if before.owner(path) == "seeded" and names in content
        ]
        if before.owner(gone) == "template-owned" and seeds and not _is_wheel(gone):
            yield f"{gone} is gone, and {seeds[0]} of existing projects names it"


def changed_practices(before: State, after: State) -> Iterator[str]:
    """The practices that a release adds, drops or moves, a sentence each."""
    old, new = (_practices(one) for one in (before, after))
    for name, one in new.items():
        tiers = [f"{side} {_tier(one['tiers'][side])}" for side in SIDES]
        if name not in old:
            yield f"`{name}` is new: {one['title']} ({', '.join(tiers)})."
        for side in SIDES if name in old else ():
            was, now = (_tier(each[name]["tiers"][side]) for each in (old, new))
            if was != now:
                yield f"`{name}` moves for {side}: {was} → {now}."
    for name in old.keys() - new.keys():
        yield f"`{name}` is no longer a practice."


def changed_tools(before: State, after: State) -> Iterator[str]:
    """The tools that a release adds, drops or moves to another version, a sentence each."""
    old, new = (_tools(one) for one in (before, after))
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        if was and now and was != now:
            yield f"{name} {was} → {now}."
        elif was != now:
            yield f"{name} {now} is new." if now else f"{name} is gone."


def _practices(state: State) -> dict[str, Any]:
    text = state.engine.get(PRACTICES.removeprefix("handoff/src/"), b"").decode()
    return {one["name"]: one for one in tomllib.loads(text).get("practices", [])}


def _tier(stated: str | list[str]) -> str:
    return stated if isinstance(stated, str) else "/".join(stated)


def _tools(state: State) -> dict[str, str]:
    extras = _toml(state, "standards/pyproject.toml").get("project", {}).get(_EXTRAS, {})
    pairs = (one.partition("==")[::2] for one in extras.get("tools", []))
    return dict(pairs)


def _toml(state: State, path: str) -> dict[str, Any]:
    return tomllib.loads(state.rendered.get(path, b"").decode())


def _keys(table: Mapping[str, Any], *names: str) -> set[str]:
    for name in names:
        table = table.get(name, {})
    return {*table}


def _is_wheel(path: str) -> bool:
    return path.startswith("standards/baton_handoff-") and path.endswith(".whl")


def _questions(before: State, after: State) -> Iterator[str]:
    old, new = (
        {question.name: question for question in questions(state.copier_yml)}
        for state in (before, after)
    )
    was, now = (documents(one.copier_yml)[-1] for one in (before, after))
    joined = {
        one
        for name, listed in after.reserved.items()
        for one in {*listed.split()} - {*before.reserved.get(name, "").split()}
    }
    for name, question in old.items():
        candidates = [*(question.choices.values() or (*SAMPLES, *sorted(joined)))]
        if name not in new:
            added = [one for one in new.values() if one.name not in old]
            if not any(_reads(one.default, name, candidates) for one in added):
                yield (
                    f"The question {name} is gone: keep it, or let the default of the question that"
                    f" replaces it read the old answer (`{{{{ {name} }}}}`)."
                )
            continue
        if was[name]["type"] != now[name]["type"]:
            yield f"The type of {name} has changed: an update can't read the old answers."
        for choice in question.choices.values():
            if choice not in new[name].choices.values() and new[name].choices:
                yield f"The choice {choice} of {name} is gone: projects with it get the default."
        accepted = [one for one in candidates if not _refusal(was, before, name, one, {})]
        refused = [one for one in accepted if _refusal(now, after, name, one, {name: one})]
        if refused:
            yield (
                f"The validator of {name} refuses {refused[0]!r}, which it accepted: an update"
                " replaces such an answer by the default."
            )


def _reads(default: str | int, name: str, answers: Sequence[str | int]) -> bool:
    """Whether a default depends on the answer to a former question."""
    template = _ENVIRONMENT.from_string(str(default))
    return len({template.render({name: one, "former": {name: one}}) for one in answers}) > 1


def _refusal(
    asked: Mapping[str, Any], state: State, name: str, answer: str | int, former: Mapping[str, Any]
) -> str:
    """What a validator replies to an answer; empty if it accepts it."""
    names = {**state.reserved, "former": former, name: answer}
    return _ENVIRONMENT.from_string(asked[name].get("validator", "")).render(names).strip()


def _git(folder: Path, *arguments: str, stdin: str | None = None) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=folder, input=stdin, capture_output=True, text=True, check=False
    ).stdout
