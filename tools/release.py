"""Refuse a release that would cost projects something at their next update.

`python tools/release.py` compares the work tree with the newest tag, lists every problem, and exits
1 if there is one; otherwise it names the tag to set.
"""

import re
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jinja2
import yaml
from jinja2_ansible_filters import AnsibleCoreFiltersExtension

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "handoff/src")]

from baton_handoff.updates.changelog import problem_of  # noqa: E402
from baton_handoff.updates.template import newest_tag  # noqa: E402

from tools.derive import RETIRED, copier_lists, documents, questions  # noqa: E402

SAMPLES: Sequence[str] = (
    *("Flight delays", "Ω", 'Naïve "Bayes" \\ {{ 7*7 }} 🦊', "x" * 80, "x" * 40, "x" * 200, ""),
    *("flight-delays", "a", "zz-9-" + "x" * 35, "flight_delays", "a1", "zz_9_" + "x" * 35),
    *("@data-science", "ds", "@Acme/data.science_2", "acme/ml/eng"),
)
"""Answers of all kinds; a validator must go on accepting those that it accepted."""


@dataclass(frozen=True)
class State:
    """What a release consists of, as far as updates depend on it.

    Attributes:
        copier_yml: The questions.
        ownership: The content of ownership.yml.
        files: The files in `template/` by their path there.
        engine: The source files of the engine.
        changelog: The changelog.
        version: The version of the engine, which names the release.
    """

    copier_yml: str
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
                if path.startswith(entry) if entry.endswith("/") else fnmatch(path, entry):
                    return name
        return None


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
    if before.version == after.version and _without_derived(before) != _without_derived(after):
        yield f"The engine has changed and is still called {after.version}: raise its version."
    yield from _unretired(before, after)
    yield from _questions(before, after)


def _without_derived(state: State) -> dict[str, bytes]:
    return {path: text for path, text in state.engine.items() if not RETIRED.endswith(path)}


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
        if owned and after.owner(path) != "retired" and path not in after.ownership["retired"]:
            yield f"{path} is gone: list it under `retired` in ownership.yml, with where it went."


def _is_wheel(path: str) -> bool:
    return path.startswith("standards/baton_handoff-") and path.endswith(".whl")


def _questions(before: State, after: State) -> Iterator[str]:
    old, new = (
        {question.name: question for question in questions(state.copier_yml)}
        for state in (before, after)
    )
    was, now = (documents(one.copier_yml)[-1] for one in (before, after))
    for name, question in old.items():
        if name not in new:
            readers = [one for one in new.keys() - old.keys() if name in str(new[one].default)]
            if not readers:
                yield (
                    f"The question {name} is gone: keep it, or let the default of the question that"
                    f" replaces it read the old answer (`{{{{ {name} }}}}`)."
                )
            continue
        for choice in question.choices.values():
            if choice not in new[name].choices.values():
                yield f"The choice {choice} of {name} is gone: projects with it get the default."
        candidates = [*(question.choices.values() or SAMPLES)]
        accepted = [one for one in candidates if not _refusal(was[name]["validator"], name, one)]
        refused = [one for one in accepted if _refusal(now[name]["validator"], name, one)]
        if refused:
            yield (
                f"The validator of {name} refuses {refused[0]!r}, which it accepted: an update"
                " replaces such an answer by the default."
            )


def _refusal(validator: str, name: str, answer: str | int) -> str:
    """What a validator says about an answer in a new project; empty if it accepts it."""
    environment = jinja2.Environment(extensions=[AnsibleCoreFiltersExtension])  # noqa: S701
    names = {"reserved_slugs": "", "reserved_packages": "", "former": {}}
    return environment.from_string(validator).render({**names, name: answer}).strip()


def _git(folder: Path, *arguments: str, stdin: str | None = None) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=folder, input=stdin, capture_output=True, text=True, check=False
    ).stdout


def main() -> int:
    """Compare the work tree with the newest tag."""
    tag = newest_tag(_git(ROOT, "tag", "--list").split())
    before = None
    if tag:
        with TemporaryDirectory() as folder:
            packed = subprocess.run(
                ["git", "archive", tag], cwd=ROOT, capture_output=True, check=True
            ).stdout
            with tarfile.open(fileobj=BytesIO(packed)) as archive:
                archive.extractall(folder, filter="data")
            before = read_state(Path(folder))
    after = read_state(ROOT)
    found = [*problems(before, after)]
    for problem in found:
        print(problem)
    if not found:
        print(f"No update loses anything: `git tag v{after.version}`, then push the tag.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
