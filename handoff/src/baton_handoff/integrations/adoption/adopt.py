"""`handoff adopt`: a repository that was not made with Baton receives the standards."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from baton_handoff.config.baseline import BASELINE_FILE
from baton_handoff.config.code_owners import owners_file, write_owners
from baton_handoff.config.project import read_project
from baton_handoff.config.repository_ci import root_workflows
from baton_handoff.core.environments import ENVIRONMENT
from baton_handoff.core.errors import UsageError
from baton_handoff.core.files import path_from
from baton_handoff.core.git import git, require_repository, run_git
from baton_handoff.core.numbers import plural
from baton_handoff.core.yaml_files import read_yaml
from baton_handoff.integrations.adoption.first_contract import draft_first_contract
from baton_handoff.integrations.adoption.layout import Layout, read_layout, require_new
from baton_handoff.integrations.adoption.plan import Plan, difference, make_plan, shadowed_rooms
from baton_handoff.integrations.adoption.record import undo_recorded, write_recorded
from baton_handoff.lineage.sources.odcs import FOLDER
from baton_handoff.policy.unmanaged.commands import installed_from
from baton_handoff.updates.answers import ANSWERS
from baton_handoff.updates.scratch import Entry, Tree, read_tree, render_template
from baton_handoff.updates.template import address_of, cloned

_RESERVED = ("reserved_slugs", "reserved_packages")
_CACHE = ".import_linter_cache"
_LOCK = "uv.lock"
_READ = ("pyproject.toml", ".gitignore", "setup.py", "setup.cfg", "poe_tasks.toml")


@dataclass(frozen=True)
class AdoptOptions:
    """What a person asks of adopting.

    Attributes:
        template: The address of the template; empty for the one that this engine came from.
        to: The version of the template; None for the newest.
        data: Answers that the repository does not tell, or tells wrong, as `name=answer`.
        apply: Whether to write without a question.
    """

    template: str = ""
    to: str | None = None
    data: tuple[str, ...] = ()
    apply: bool = False


def adopt(root: Path, options: AdoptOptions) -> int:
    """Show what adopting changes in a repository, and do it if a person agrees.

    Returns:
        0 done, or shown; 1 something stands in the way.

    Raises:
        HandoffError: The repository can't adopt the template; nothing has changed.
    """
    require_repository(root)
    require_new(root)
    layout = _with_answers(read_layout(root), options.data)
    source, version = _source(options)
    options = replace(options, template=source, to=version)
    plan = _planned(root, layout, options)
    for line in plan_lines(root, layout, plan):
        print(line)
    if plan.collisions:
        print("\nNothing was changed. Correct what collides, then run the command again.")
        return 1
    if not options.apply and not _agreed():
        print("\nNothing was changed. Add `--apply` to adopt.")
        return 0
    _write(root, plan)
    reason = _locked(root, plan)
    if reason and not plan.own_environment:
        undo_recorded(root)
        print(f"The standards do not fit into the environment of this repository: {reason}")
        print(f"So the command gets an environment of its own, in {ENVIRONMENT}/.")
        layout = replace(layout, own_environment="uv finds no versions that fit both")
        plan = _planned(root, layout, options)
        _write(root, plan)
        reason = _locked(root, plan)
    if reason:
        print(f"`uv lock` fails, so nothing is checked yet: {reason}")
        return 1
    return _finish(root, plan)


def undo_adoption(root: Path) -> int:
    """Restore the repository as it was before it adopted the template; return the exit code."""
    environment = root / ENVIRONMENT / ".venv"
    if (root / ENVIRONMENT / _LOCK).exists() and environment.is_dir():
        shutil.rmtree(environment)
    undone = undo_recorded(root)
    print(f"{plural(undone.removed, 'file is', 'files are')} removed.")
    for path in undone.restored:
        print(f"{path} has its former content.")
    if _LOCK in undone.restored:
        print("`uv sync` brings the environment back.")
    for path in undone.kept:
        print(f"{path} was changed since, so it stays: remove what you do not need of it.")
    return int(bool(undone.kept))


def plan_lines(root: Path, layout: Layout, plan: Plan) -> Iterator[str]:
    """The plan as text, for people."""
    place = f"handoff/: {layout.own_environment}" if plan.own_environment else "the repository's"
    yield f"{layout.name}: Python {layout.python or 'unknown'}, CI {layout.ci}, level 0"
    yield f"Environment of the command: {place}"
    yield f"Contracts: src/{plan.package}/contracts/"
    if plan.first:
        first = plan.first
        places = ", ".join(first.read_at[:3]) + (" …" if len(first.read_at) > 3 else "")
        yield f"\nFirst contract: {first.table}, which {places} reads"
        yield from _shown(next(iter(first.texts.values())))
    yield "\nAdded:"
    folders: dict[str, int] = {}
    for path in sorted(plan.added):
        top = path if path.count("/") < 1 else path.rpartition("/")[0] + "/"
        folder = "standards/" if path.startswith("standards/") else top
        folders[folder] = folders.get(folder, 0) + 1
    for folder, count in folders.items():
        yield f"  {folder}" + (f"  {plural(count, 'file')}" if folder.endswith("/") else "")
    yield "  the block of the owners in CODEOWNERS, the baseline, and the lock"
    if plan.edited:
        yield "\nLines added to your files:"
        for path, entry in sorted(plan.edited.items()):
            yield difference(path, read_tree(root, [path]).get(path), entry)
    if plan.theirs:
        yield "\nYours, where the template has a file, too; updates leave them alone:"
        yield from (f"  {path}" for path in plan.theirs)
    yield "\nLeft out:"
    yield from (f"  {path}  {why}" for path, why in sorted(plan.left_out.items()))
    yield from (f"\n{note}" for note in plan.notes)
    if plan.collisions:
        yield "\nCollides:"
        yield from (f"  {one}" for one in plan.collisions)


def _shown(source: str) -> Iterator[str]:
    """The class in the source of a contract, without its settings."""
    yield from (
        f"  {line}"
        for line in source.partition("\nclass ")[2].partition("    class")[0].splitlines()
        if line
    )


def _with_answers(layout: Layout, data: tuple[str, ...]) -> Layout:
    """The layout with what a person states instead of what was read."""
    fields = {
        "project_name": "name",
        "package_name": "package",
        "ci": "ci",
        "python": "python",
        "description": "description",
        "dataframe": "dataframe",
    }
    for one in data:
        name, sign, value = one.partition("=")
        if not sign:
            raise UsageError(f"`--data {one}` needs the form NAME=ANSWER.")
        if name in fields:
            layout = Layout(**{**vars(layout), fields[name]: value})
    return layout


def _planned(root: Path, layout: Layout, options: AdoptOptions) -> Plan:
    given = dict(one.split("=", 1) for one in options.data)
    with cloned(options.template, options.to) as template:
        layout = _renamed(layout, read_yaml(template.clone / "reserved-names.yml"), given)
        rendered = render_template(template.clone, template.after, {**layout.answers(), **given})
        owned = frozenset(filter(template.owns, rendered))
    text = rendered[ANSWERS].content.decode()
    lines = [
        f"_src_path: {options.template}" if line.startswith("_src_path:") else line
        for line in text.splitlines()
    ]
    rendered[ANSWERS] = Entry(("\n".join(lines) + "\n").encode(), "644")
    first = draft_first_contract(root, layout.package)
    plan = make_plan(layout, _existing(root, rendered), rendered, owned, first)
    ignored = _ignored(root, plan)
    more = [f"{path}: git ignores it, and it has to be committed." for path in ignored[0]]
    forced = [f"Git ignores {path}: `git add --force {path}` adds it." for path in ignored[1]]
    rooms = [
        f"{path} has the name of a room of the template: that room can't be added beside it."
        for path in shadowed_rooms(layout, _existing(root, rendered))
    ]
    return replace(plan, collisions=[*plan.collisions, *more], notes=[*plan.notes, *rooms, *forced])


def _renamed(layout: Layout, reserved: Mapping[str, Any], given: Mapping[str, str]) -> Layout:
    """The layout with other names where the template refuses the ones that were read."""
    slugs, packages = (reserved[one]["default"].split() for one in _RESERVED)
    package = layout.package
    if "package_name" not in given and package in packages:
        package = f"{package}_handoff"
    return replace(layout, package=package, prefix="my-" if layout.slug in slugs else "")


def _existing(root: Path, rendered: Tree) -> Tree:
    """The files of a repository; only those that adopting may touch with their content."""
    listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    names = {path: Entry(b"", "644") for path in listed if path and (root / path).exists()}
    read = [*rendered, *_READ, f"{ENVIRONMENT}/pyproject.toml", ".gitlab/handoff.yml"]
    return names | read_tree(root, [*read, "azure-handoff.yml"])


def _ignored(root: Path, plan: Plan) -> tuple[list[str], list[str]]:
    """The new files that git ignores, and those of them that lie beside data."""
    done = run_git(root, "check-ignore", "-z", "--no-index", "--stdin", stdin="\0".join(plan.added))
    paths = [path for path in done.stdout.split("\0") if path]
    beside_data = [path for path in paths if path.startswith(f"{FOLDER}/")]
    return [path for path in paths if path not in beside_data], beside_data


def _source(options: AdoptOptions) -> tuple[str, str | None]:
    """The address of the template as copier records it, and its version; a path is absolute."""
    given, version = options.template, options.to
    if not given:
        came, given = installed_from()
        if "vcs_info" not in came:
            raise UsageError("TEMPLATE is missing: name the address of the template's repository.")
        version = version or came["vcs_info"].get("requested_revision")
    path = Path(address_of(given)).expanduser()
    return (str(path.resolve()) if path.is_dir() else given), version


def _agreed() -> bool:
    if not sys.stdin.isatty():
        return False
    return input("\nAdopt? [y/N] ").strip().lower() in ("y", "yes")


def _write(root: Path, plan: Plan) -> None:
    write_recorded(root, {**plan.added, **plan.edited})
    project = read_project(root / "handoff.toml")
    owners = path_from(root, owners_file(project))
    before = read_tree(root, [owners])
    write_owners(project)
    after = read_tree(root, [owners])
    _restore(root, {owners: before.get(owners)})
    workflows = {
        path_from(root, file): Entry(text.encode(), "644")
        for file, text in root_workflows(project).items()
        if f"-{Path('handoff.yml').name}" in file.name
    }
    write_recorded(root, {**after, **workflows})
    added = plural(len(plan.added), "file is", "files are")
    print(f"\n{added} added; {plural(len(plan.edited), 'has', 'have')} a few more lines.")


def _restore(root: Path, tree: Mapping[str, Entry | None]) -> None:
    for path, entry in tree.items():
        if entry is None:
            (root / path).unlink()
        else:
            (root / path).write_bytes(entry.content)


def _locked(root: Path, plan: Plan) -> str:
    """Lock the environment of the command; return why that fails, or nothing."""
    lock = f"{ENVIRONMENT}/{_LOCK}" if plan.own_environment else _LOCK
    former = read_tree(root, [lock])
    done = _uv(root, plan, "lock", "--quiet", quiet=True)
    if done.returncode != 0:
        _restore(root, dict(former))
        return " ".join(done.stderr.split())[:400]
    after = read_tree(root, [lock])
    _restore(root, {lock: former.get(lock)})
    write_recorded(root, after)
    return ""


def _finish(root: Path, plan: Plan) -> int:
    """Check in the new environment, record the baseline, and show the status."""
    run = ("run", "--quiet", "--locked", "handoff")
    print("Installing, and checking your code …", flush=True)
    had_cache = (root / _CACHE).exists()
    if plan.first:
        module = next(iter(plan.first.texts))
        former = read_tree(root, [module])
        _uv(root, plan, *run, "fix", "--only", "format", module, quiet=True)
        formatted = read_tree(root, [module])
        _restore(root, dict(former))
        write_recorded(root, formatted)
    _uv(root, plan, *run, "check", quiet=True)
    recorded = _uv(root, plan, *run, "policy", "baseline", quiet=True)
    if (root / BASELINE_FILE).exists():
        content = read_tree(root, [BASELINE_FILE])
        (root / BASELINE_FILE).unlink()
        write_recorded(root, content)
    print((recorded.stdout or recorded.stderr).strip(), flush=True)
    checked = _uv(root, plan, *run, "check", quiet=True)
    lines = (checked.stdout or checked.stderr).strip().splitlines()
    print(*(lines[-1:] if checked.returncode == 0 else lines), sep="\n", flush=True)
    if not had_cache:
        shutil.rmtree(root / _CACHE, ignore_errors=True)
    code = _uv(root, plan, *run, "status").returncode
    if plan.own_environment:
        print(f"\nCommands here begin with `uv run --project {ENVIRONMENT}`, for example:")
        print(f"  uv run --project {ENVIRONMENT} poe check")
    print("\nLook at `git status`, then commit. `handoff adopt --undo` takes everything back.")
    return code


def _uv(
    root: Path, plan: Plan, *arguments: str, quiet: bool = False
) -> "subprocess.CompletedProcess[str]":
    left_out = ("VIRTUAL_ENV", "PYTHONPATH", "UV_PROJECT")
    env = {name: value for name, value in os.environ.items() if name not in left_out}
    # What these commands keep is gone with an undo.
    for tool in ("RUFF", "MYPY"):
        env[f"{tool}_CACHE_DIR"] = str(root / ".handoff/cache" / tool.lower())
    env["PYTHONPYCACHEPREFIX"] = str(root / ".handoff/cache/python")
    if plan.own_environment:
        env["UV_PROJECT"] = ENVIRONMENT
    return subprocess.run(
        [os.environ.get("UV", "uv"), *arguments],
        cwd=root,
        env=env,
        text=True,
        capture_output=quiet,
        check=False,
    )
