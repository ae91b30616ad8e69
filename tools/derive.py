"""Write the files that derive from copier.yml, ownership.yml, practices, roles and TOML tables.

Each fact has one source.

`python tools/derive.py` writes the files; with `--check` it lists outdated files and exits 1.
"""

import json
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
# `python tools/derive.py` finds only this folder
sys.path[:0] = [str(ROOT), str(ROOT / "handoff/src")]

from baton_handoff.updates.released import digest_of  # noqa: E402

from tools.devcontainers import FOLDER, devcontainers, stages  # noqa: E402
from tools.roles import editor_files, first_steps, laptop_files  # noqa: E402

PRACTICES = "handoff/src/baton_handoff/policy/practices/practices.toml"
RETIRED = "handoff/src/baton_handoff/updates/retired.yml"
RETIRED_HEAD = "# Derived from ownership.yml by `make derive`.\n"
RELEASED = "handoff/src/baton_handoff/updates/released.yml"
RELEASED_HEAD = "# Derived from template/standards/ and copier.yml by `make derive`.\n"
CACHES = ("__pycache__", "*.py[co]", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis")
COPIER_DEFAULTS = ("~*", ".git", ".DS_Store", ".svn")


@dataclass(frozen=True)
class Question:
    """A question of copier.yml, with the declaration in the comment above it."""

    name: str
    help: str
    default: str | int
    choices: dict[str, str | int]
    lifetime: str


class _CopierLoader(yaml.SafeLoader):
    """Reads copier.yml without its includes, which copier computes."""


_CopierLoader.add_constructor("!include", lambda *_: {})


def documents(copier_yml: str) -> list[dict[str, Any]]:
    """Return the documents of copier.yml; the last has the visible questions."""
    return [*yaml.load_all(copier_yml, _CopierLoader)]


def questions(copier_yml: str) -> list[Question]:
    """Return the visible questions in their order."""
    lifetimes = {
        name: lifetime
        for lifetime, name in re.findall(r"^# (live|creation-only)\n(\w+):$", copier_yml, re.M)
    }
    document = documents(copier_yml)[-1]
    return [
        Question(
            name=name,
            help=question["help"],
            default=question["default"],
            choices=_labelled(question.get("choices", {})),
            lifetime=lifetimes[name],
        )
        for name, question in document.items()
    ]


def _labelled(choices: dict[str, str | int] | list[str | int]) -> dict[str, str | int]:
    return choices if isinstance(choices, dict) else {str(choice): choice for choice in choices}


def copier_lists(ownership: dict[str, Any]) -> str:
    """Return the path lists of copier.yml that an update, or an answer, excludes from a project."""
    seeds = "\n".join(f"    {_anchored(path)}" for path in ownership["seeded"])
    by_answer = "\n".join(
        f"  - >-\n    {_unless_selected(path, entry)}"
        for path, entry in ownership["seeded-by-answer"].items()
    )
    retired = "".join(f"  - {_anchored(path)}\n" for path in ownership["retired"])
    noise = "".join(f"  - {json.dumps(name)}\n" for name in (*COPIER_DEFAULTS, *CACHES))
    return f"""_exclude:
{noise}{retired}  - |
    {{%- if _copier_operation == 'update' %}}
{seeds}
    {{%- endif %}}
{by_answer}
"""


def _yaml(data: dict[str, Any]) -> str:
    return yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=100)


def _anchored(path: str) -> str:
    return "/" + path.rstrip("/")


def _unless_selected(folder: str, entry: dict[str, str]) -> str:
    """Exclude the folder unless its answer selects it and the project has none yet.

    An update also renders into two empty temporary folders and deletes files that only the older
    one has. Neither gets the folder, so copier never compares the project's own copy.
    """
    here = "(_copier_conf.dst_path ~ '/{}/*') | fileglob"
    anywhere = "(_copier_conf.dst_path ~ '/*') | fileglob"
    return (
        f"{{% if {entry['answer']} == '{entry['unless']}'"
        f"\n    or {here.format(folder.rstrip('/'))}"
        f"\n    or _copier_operation == 'update' and not {anywhere} %}}"
        f"{_anchored(folder)}{{% endif %}}"
    )


def cookiecutter_json(listed: list[Question]) -> str:
    """Return the questions for Cookiecutter, whose choices list the default first."""
    names = "|".join(question.name for question in listed)

    def default(question: Question) -> str | list[str]:
        if question.choices:
            first = str(question.default)
            return [first, *(c for c in map(str, question.choices.values()) if c != first)]
        return re.sub(
            r"\{\{.*?\}\}",
            lambda code: re.sub(rf"\b({names})\b", r"cookiecutter.\1", code.group()),
            str(question.default),
        )

    def prompt(question: Question) -> str | dict[str, str]:
        if not question.choices:
            return question.help
        labels = {str(value): label for label, value in question.choices.items()}
        return {"__prompt__": question.help, **labels}

    context = {
        **{question.name: default(question) for question in listed},
        # The folder that Cookiecutter creates: a plain name even if the answer is refused later.
        "__slug": "{{ cookiecutter.project_slug | slugify or 'project' }}",
        "__prompts__": {question.name: prompt(question) for question in listed},
    }
    return json.dumps(context, indent=2, ensure_ascii=False) + "\n"


def ownership_table(ownership: dict[str, Any]) -> str:
    """Return the owners of paths as a table for docs/own/ownership.md."""
    rows = ["| path | what | class |", "|---|---|---|"]
    for name, paths in ownership.items():
        for path, entry in paths.items():
            what = entry["what"] if isinstance(entry, dict) else entry
            rows.append(f"| `{path}` | {what} | {name} |")
    return "\n".join(rows) + "\n"


def questions_table(listed: list[Question]) -> str:
    """Return the questions as a table for docs/own/questions.md."""
    rows = ["| question | answers | default | may change later |", "|---|---|---|---|"]
    for question in listed:
        answers = ", ".join(f"`{value}`" for value in question.choices.values()) or "text"
        default = str(question.default).replace("|", "\\|")
        later = "yes, by an update" if question.lifetime == "live" else "no"
        rows.append(f"| **{question.name}**: {question.help} | {answers} | `{default}` | {later} |")
    return "\n".join(rows) + "\n"


STAGES = {
    "types": "IDE",
    "lint": "IDE",
    "layers": "hook",
    "diff": "hook",
    "API models": "test",
    "contract tests": "test",
    "unit tests": "test",
    "fuzzing": "test",
    "pipeline": "model",
    "acceptance": "service",
}
"""The checks that can catch a fault, with the stage of each; the earliest come first."""


def faults_table(faults: list[dict[str, Any]]) -> str:
    """Return the checks that catch each fault as a table for docs/change/faults.md."""
    rows = ["| room | fault | caught by | first stage | addressed |", "|---|---|---|---|---|"]
    for fault in faults:
        caught = [check for check in STAGES if check in fault["caught"]]
        name = f"**{fault['name']}**" if fault["contract"] else fault["name"]
        by, first = ", ".join(caught) or "nothing", STAGES[caught[0]] if caught else "-"
        addressed = ", ".join(fault["addressed"]) or "-"
        rows.append(f"| {fault['room']} | {name} | {by} | {first} | {addressed} |")
    return "\n".join(rows) + "\n"


def incidents_table(incidents: list[dict[str, Any]]) -> str:
    """Return the signals of each incident as a table for docs/change/incidents.md."""
    rows = ["| incident | reported by | after requests | at | side |", "|---|---|---|---|---|"]
    for incident in incidents:
        by = ", ".join(f"`{signal}`" for signal in incident["signals"])
        sides = ", ".join(sorted(set(incident["signals"].values())))
        name = f"**{incident['name']}**: {incident['description']}"
        rows.append(f"| {name} | {by} | {incident['requests']} | {incident['at']} | {sides} |")
    return "\n".join(rows) + "\n"


SIDES = ("data-science", "ml-engineering")
_WHEN = {"before": "before the handoff", "after": "after it", "either": "either way"}


def practices_pages(stated: dict[str, Any]) -> str:
    """Return a table of tiers for each section, and a description of each practice."""
    parts = []
    for section in stated["sections"]:
        own = [practice for practice in stated["practices"] if practice["section"] == section]
        rows = [
            "| practice | data science | ML engineering | first required at |",
            "|---|---|---|---|",
        ]
        for one in own:
            tiers = " | ".join(_tier(one["tiers"][side]) for side in SIDES)
            rows.append(f"| [{one['title']}](#{one['name']}) | {tiers} | {one['stage']} |")
        parts.append(f"## {section.capitalize()}\n\n" + "\n".join(rows))
        parts += [_practice(one) for one in own]
    return "\n\n".join(parts) + "\n"


def _tier(stated: str | list[str]) -> str:
    """Return a tier, or the tiers of all levels."""
    if isinstance(stated, str):
        return stated
    return ", ".join(f"{level}: {tier}" for level, tier in enumerate(stated))


def _practice(one: dict[str, Any]) -> str:
    by = "a person's statement" if one["check"] == "statement" else "evidence"
    recorded = " A baseline can record what is open." if one.get("baseline") else ""
    brought = " Adopting Baton brings it." if one.get("brought") else ""
    return (
        f"### {one['name']}\n\n**{one['title']}.** {one['why']}\n\n"
        f"Judged by {by}.{recorded} If it is not met: {one['fix']}.\n\n"
        f"To a data scientist it is {one['effect']}; what keeps people from it: {one['hurdle']};"
        f" it costs less {_WHEN[one['cheaper']]}.{brought}"
    )


def released(root: Path) -> str:
    """Return the digests of the settings that judge a change, and the answers that are fixed."""
    listed = questions((root / "copier.yml").read_text(encoding="utf-8"))
    found = [
        *(root / "template/standards").glob("*.toml*"),
        *(root / "template/standards").glob("*.ini*"),
    ]
    settings = {
        f"standards/{file.name.removesuffix('.jinja')}": digest_of(file) for file in sorted(found)
    }
    fixed = [question.name for question in listed if question.lifetime == "creation-only"]
    return RELEASED_HEAD + _yaml({"fixed": fixed, "settings": settings})


def between(text: str, marks: tuple[str, str], new: str) -> str:
    """Return the text with the part between the two marks replaced."""
    first, last = marks
    head, rest = text.split(first, 1)
    opening, rest = rest.split("\n", 1)
    _, tail = rest.split(last, 1)
    return f"{head}{first}{opening}\n{new}{last}{tail}"


def derived(root: Path) -> dict[Path, str]:
    """Return the expected content of each derived file."""
    copier_yml = (root / "copier.yml").read_text(encoding="utf-8")
    ownership = yaml.safe_load((root / "ownership.yml").read_text(encoding="utf-8"))
    listed = questions(copier_yml)
    in_yaml = ("# >>> derived", "# <<< derived")
    in_docs = ("<!-- derived", "<!-- end -->")
    ownership_md = (root / "docs/own/ownership.md").read_text(encoding="utf-8")
    faults = tomllib.loads((root / "tests/prove/faults.toml").read_text(encoding="utf-8"))["fault"]
    faults_md = (root / "docs/change/faults.md").read_text(encoding="utf-8")
    incidents_toml = (root / "tests/system/incidents.toml").read_text(encoding="utf-8")
    incidents = incidents_table(tomllib.loads(incidents_toml)["incident"])
    incidents_md = (root / "docs/change/incidents.md").read_text(encoding="utf-8")
    questions_md = (root / "docs/own/questions.md").read_text(encoding="utf-8")
    dockerfile = root / FOLDER / "Dockerfile.jinja"
    dockerfile_text = dockerfile.read_text(encoding="utf-8")
    practices = tomllib.loads((root / PRACTICES).read_text(encoding="utf-8"))
    practices_md = (root / "docs/own/practices.md").read_text(encoding="utf-8")
    return {
        **devcontainers(root),
        dockerfile: between(dockerfile_text, in_yaml, stages(root)),
        root / "copier.yml": between(copier_yml, in_yaml, copier_lists(ownership)),
        root / "cookiecutter.json": cookiecutter_json(listed),
        root / "docs/change/faults.md": between(faults_md, in_docs, faults_table(faults)),
        root / "docs/change/incidents.md": between(incidents_md, in_docs, incidents),
        root / "docs/own/ownership.md": between(ownership_md, in_docs, ownership_table(ownership)),
        root / "docs/own/practices.md": between(practices_md, in_docs, practices_pages(practices)),
        root / "docs/own/questions.md": between(questions_md, in_docs, questions_table(listed)),
        root / RELEASED: released(root),
        root / RETIRED: RETIRED_HEAD + _yaml({"retired": ownership["retired"]}),
        **editor_files(root),
        **{
            page: between(page.read_text(encoding="utf-8"), in_docs, steps)
            for page, steps in first_steps(root).items()
        },
        **laptop_files(root),
    }


def stale(root: Path) -> list[Path]:
    """Return the outdated derived files."""
    return [
        path
        for path, text in derived(root).items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def write(root: Path) -> list[Path]:
    """Write the outdated derived files; return their paths."""
    outdated = stale(root)
    texts = derived(root)
    for path in outdated:
        path.write_text(texts[path], encoding="utf-8")
    return outdated


def main(arguments: list[str]) -> int:
    """Write the derived files or check them."""
    checking = arguments == ["--check"]
    outdated = stale(ROOT) if checking else write(ROOT)
    names = ", ".join(str(path.relative_to(ROOT)) for path in outdated)
    if names:
        print(f"Not up to date: {names}; run `make derive`." if checking else f"Wrote {names}.")
    return 1 if checking and names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
