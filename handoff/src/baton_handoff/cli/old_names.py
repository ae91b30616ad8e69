"""The commands' names of release 0.x: they still work, and print the new name. Until 2.0."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from baton_handoff.cli.options import BASE, Options, add_command, add_format, print_findings

_NEW_NAMES = {
    "new-contract": "contract new",
    "diff": "contract diff",
    "api": "contract api",
    "build-contracts": "contract wheel",
    "models": "model list",
    "register": "model register",
    "promote": "model promote",
    "rollback": "model rollback",
    "fetch": "model fetch",
    "replay": "model compare",
    "image": "model image",
    "score": "model score",
    "acceptance": "model accept",
    "sources": "source list",
    "sources list": "source list",
    "sources add": "source add",
    "sources report-problem": "source report",
    "features": "feature list",
    "feature-store": "feature store",
    "baseline": "policy baseline",
    "owners": "policy owners",
    "radar": "policy radar",
    "types": "check --only types",
    "layers": "check --only layers",
    # A task that had a name of its own.
    "poe-triage": "triage",
}

_CHECKS = ("api", "features", "feature-store", "owners", "sources", "radar")
"""Commands that only checked if they were given `--check`."""

_RECORDED = {"test": "uv run poe test", "acceptance": "uv run handoff model accept"}
"""The commands that replace `record KIND`, if that is not `check --only KIND`."""

_TASKS = ("diff", "register", "promote", "rollback")
"""Commands that are tasks, by their last word."""

OLD_NAMES = {*(name.partition(" ")[0] for name in _NEW_NAMES), "done", "record"}
"""Every old name."""


def translate(arguments: Sequence[str]) -> list[str]:
    """Replace an old name by the new one, and print the new name on standard error."""
    name, *more = arguments or [""]
    if name not in OLD_NAMES:
        return [*arguments]
    if name == "done":
        return _deprecated(name, "uv run poe status --base REF", arguments)
    if name == "record":
        kind = more[0] if more else "NAME"
        verb = "fix" if "--fix" in more else "check"
        typed = _RECORDED.get(kind, f"uv run poe {verb} --only {kind}")
        return _deprecated(name, typed, arguments)
    if name in _CHECKS and "--check" in more:
        more.remove("--check")
        new = f"check --only {name}"
    elif new := _NEW_NAMES.get(" ".join([name, *more[:1]]), ""):
        del more[:1]
    else:
        new = _NEW_NAMES[name]
    return _deprecated(name, _as_typed(new), [*new.split(), *more])


def _as_typed(command: str) -> str:
    """What a user types for a command: its task, if there is one."""
    if command.startswith("check "):
        return f"uv run poe {command}"
    name = command.rsplit(maxsplit=1)[-1]
    return f"uv run poe {name}" if name in _TASKS else f"uv run handoff {command}"


def _deprecated(name: str, typed: str, arguments: Sequence[str]) -> list[str]:
    name = name.replace("poe-", "poe ")
    print(f"`{name}` is an old name, which the next release drops: `{typed}`", file=sys.stderr)
    return [*arguments]


def add(commands: Any) -> None:
    """Add the old commands that no single new command replaces; the help omits them."""
    command = add_command(commands, "done", _done)
    command.add_argument("--base", help="the commit or branch to merge into" + BASE)
    add_format(command)

    command = add_command(commands, "record", _record)
    command.add_argument("kind", help="the step: format, lint, types, test, …")
    command.add_argument("command", nargs=argparse.REMAINDER)


def _done(options: Options) -> int:
    from baton_handoff.policy.status.definition_of_done import check_done

    found = check_done(options.project, options.base)
    return print_findings(found, options, "The change is complete.")


def _record(options: Options) -> int:
    from baton_handoff.policy.evidence.recording import run_recorded

    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    return run_recorded(options.project, options.kind, command)
