"""Four versions of the template that between them make every kind of change that a release may.

Each changes every template-owned text and the engine's wheel. They also change seeds; add, rename
and retire files, folders and questions; bring a retired path back; put a folder in the place of a
file and the reverse; move the tier of a practice.
"""

import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from tests.baton import Workshop, commit, export, git, owner, ownership
from tests.edits import change_line
from tools.derive import RELEASED, released
from tools.derive import write as derive
from tools.wheel import write as write_wheel

VERSIONS = ("v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0")

EXTRA = "standards/extra"
TEXT = "".join(f"line {number}\n" for number in range(1, 41))

CHANGED = (
    *("same", "touching", "near", "far", "end", "crlf", "mode", "upstream", "moved", "deleted"),
    *("untouched", "linked", "odd name é"),
)
"""Template-owned files whose line 20 the second version changes."""

LEAVING = ("retired", "retired-plain", "old-name", "returns")
"""Files that the second version retires; `old-name` is renamed, `returns` comes back."""

NAMES = (*CHANGED, *LEAVING, "dropped", "dropped-plain", "becomes-folder", "made-folder")
"""Template-owned files of the first version, 40 lines each."""

TIER = ("hooks-installed", "should", "must")
"""The practice that the third version moves for data science, its former tier and the new one."""

_CHANGELOG = """\
# Changelog

## {number} - 2027-01-01

### What projects receive

#### To do, once

Tell your team about {version}.

- In `params.yaml`, replace `# old knobs` by `# new knobs`.

#### Changed

- The news of {version}
  go on here.

### This repository

- Nothing that projects see.
"""

_REGION = """
# live
{name}:
  type: str
  help: Where does it run?
  default: "{default}"
  choices: [{choices}]
  validator: "{{% if {name} not in ['eu', 'us', 'asia'] %}}It runs in eu, us or asia.{{% endif %}}"
"""

_COMMENT = {
    **dict.fromkeys(("", ".toml", ".yml", ".yaml", ".ini", ".txt", ".py", ".dockerignore"), "# {}"),
    **dict.fromkeys((".json", ".code-workspace"), "// {}"),
    ".md": "{}",
    ".svg": "<!-- {} -->",
}
"""A line that a version adds to a file, by the suffix of the file."""

_MARK = "The standards of "

_CONDITION = re.compile(r"\{% if .*? %\}(.*?)\{% endif %\}")

_PLAIN_JSON = ("handoff.schema.json", "dashboard.json")


def versions(workshop: Workshop) -> Path:
    """Return the template as a git repository with these versions. Change only a copy of it."""
    return workshop.once("versions", _make)


def _make(template: Path) -> None:
    _first(export(template))
    _second(template)
    _third(template)
    _fourth(template)


def _first(template: Path) -> None:
    for name in NAMES:
        _write(template, f"{name}.txt", TEXT)
    for inside in ("folder/inside", "old-folder/one", "old-folder/two", "becomes-file.txt/one"):
        _write(template, f"{inside}.txt", TEXT)
    _tag(template, VERSIONS[0])


def _second(template: Path) -> None:
    _change_line(template, CHANGED, 20, "better line 20")
    for seed in ("README.md.jinja", "pyproject.toml.jinja", "infra/foundation/main.tf"):
        with (template / "template" / seed).open("a", encoding="utf-8") as file:
            file.write("\n# Seeds change, too.\n")
    (template / "template/tests").mkdir(exist_ok=True)
    (template / "template/tests/new_seed.py").touch()
    _write(template, "brought.txt", TEXT)
    _write(template, "region.txt.jinja", f"{TEXT}It runs in {{{{ region }}}}.\n")
    _ask(template, _REGION.format(name="region", default="eu", choices="eu, us"))
    _place(template, "old-name.txt").rename(_place(template, "new-name.txt"))
    for name in ("dropped", "dropped-plain", "retired", "retired-plain", "returns"):
        _place(template, f"{name}.txt").unlink()
    _place(template, "becomes-folder.txt").unlink()
    _write(template, "becomes-folder.txt/new.txt", TEXT)
    _retire(template, *(f"{name}.txt" for name in LEAVING))
    _tag(template, VERSIONS[1])


def _third(template: Path) -> None:
    _change_line(template, ("far", "untouched"), 30, "better line 30")
    shutil.rmtree(_place(template, "old-folder"))
    shutil.rmtree(_place(template, "becomes-file.txt"))
    _write(template, "becomes-file.txt", TEXT)
    _write(template, "new-folder/one.txt", TEXT)
    _write(template, "returns.txt", f"{TEXT}It is back.\n")
    _retire(template, "old-folder/", back="returns.txt")
    # A renamed question takes the answer of the old one.
    old = _REGION.format(name="region", default="eu", choices="eu, us")
    default = "{{ region | default('eu') }}"
    _ask(template, _REGION.format(name="place", default=default, choices="eu, us"), instead=old)
    _write(template, "region.txt.jinja", f"{TEXT}It runs in {{{{ place }}}}.\n")
    practice, former, tier = TIER
    practices = template / "handoff/src/baton_handoff/policy/practices/practices.toml"
    head, name, rest = practices.read_text(encoding="utf-8").partition(f'name = "{practice}"')
    moved = rest.replace(f'data-science = "{former}"', f'data-science = "{tier}"', 1)
    assert moved.partition("[[practices]]")[0] != rest.partition("[[practices]]")[0]
    practices.write_text(f"{head}{name}{moved}", encoding="utf-8")
    _tag(template, VERSIONS[2])


def _fourth(template: Path) -> None:
    _change_line(template, ("far", "untouched"), 35, "better line 35")
    # The question is no longer asked; what it decided is the same for all.
    file = template / "copier.yml"
    content = file.read_text(encoding="utf-8")
    file.write_text(content.replace("\nplace:\n", "\nplace:\n  when: false\n"), encoding="utf-8")
    _write(template, "region.txt.jinja", f"{TEXT}It runs everywhere, {{{{ project_slug }}}}.\n")
    _tag(template, VERSIONS[3])


def _place(template: Path, name: str) -> Path:
    return template / "template" / EXTRA / name


def _write(template: Path, name: str, text: str) -> None:
    place = _place(template, name)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")


def _change_line(template: Path, names: Sequence[str], number: int, text: str) -> None:
    for name in names:
        change_line(_place(template, f"{name}.txt"), number, text)


def _template_owned(template: Path) -> Iterator[Path]:
    """The real texts of the template that are its own in a project."""
    top = template / "template"
    for path in sorted(path for path in top.rglob("*") if path.is_file()):
        rendered = _CONDITION.sub(r"\1", path.relative_to(top).as_posix()).removesuffix(".jinja")
        left_out = (
            rendered.startswith(EXTRA) or path.name in _PLAIN_JSON or b"\0" in path.read_bytes()
        )
        if "template-owned" in owner(rendered, ownership()) and not left_out:
            yield path


def _mark(file: Path, version: str) -> None:
    """Give a file a second line with the version."""
    name = _CONDITION.sub(r"\1", file.name).removesuffix(".jinja")
    line = _COMMENT["" if name.startswith(".gita") else Path(name).suffix].format(_MARK + version)
    lines = [
        one
        for one in file.read_text(encoding="utf-8").splitlines(keepends=True)
        if _MARK not in one
    ]
    file.write_text("".join([lines[0], f"{line}\n", *lines[1:]]), encoding="utf-8")


def _ask(template: Path, question: str, instead: str = "") -> None:
    """Add a question to the end of copier.yml, or replace one."""
    file = template / "copier.yml"
    text = file.read_text(encoding="utf-8")
    assert instead in text
    file.write_text(text.replace(instead, "") + question, encoding="utf-8")


def _retire(template: Path, *names: str, back: str = "") -> None:
    """List paths as retired, and one that comes back no longer."""
    file = template / "ownership.yml"
    text = file.read_text(encoding="utf-8")
    entries = "".join(f"\n  {EXTRA}/{name}: it is in {EXTRA}/untouched.txt" for name in names)
    text = text.replace("retired:", f"retired:{entries}", 1)
    if back:
        text = text.replace(f"  {EXTRA}/{back}: it is in {EXTRA}/untouched.txt\n", "")
    assert yaml.safe_load(text)
    file.write_text(text, encoding="utf-8")


def _tag(template: Path, version: str) -> None:
    """Commit and tag a version, with its changelog, its number and its wheel."""
    changelog = _CHANGELOG.format(version=version, number=version[1:])
    (template / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    pyproject = template / "handoff/pyproject.toml"
    lines = pyproject.read_text(encoding="utf-8").splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines) if line.startswith("version = "))
    lines[number] = f'version = "{version[1:]}"\n'
    pyproject.write_text("".join(lines), encoding="utf-8")
    derive(template)
    for file in _template_owned(template) if version != VERSIONS[0] else ():
        _mark(file, version)
    (template / RELEASED).write_text(released(template), encoding="utf-8")
    write_wheel(template)
    commit(template, version)
    git(template, "tag", version)
