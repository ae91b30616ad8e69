"""Names that commands had before: they work for one more release, and say the new name."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from baton_handoff.cli.options import BASE, add_format
from baton_handoff.config.project import Project
from baton_handoff.reporting.findings import render

_NEW = {
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
    "features": "feature list",
    "feature-store": "feature store",
    "baseline": "policy baseline",
    "owners": "policy owners",
    "radar": "policy radar",
    "types": "check --only types",
    "layers": "check --only layers",
    # The task; the command has the name that it had.
    "poe-triage": "triage",
}

_CHECKS = ("api", "features", "feature-store", "owners", "sources", "radar")
"""Commands that only looked when they were given `--check`."""

_SOURCES = {"list": "source list", "add": "source add", "report-problem": "source report"}

_RECORDED = {"test": "uv run poe test", "acceptance": "uv run handoff model accept"}
"""What keeps evidence that `record` kept, where that is not `check --only KIND`."""

_TASKS = ("diff", "register", "promote", "rollback")
"""Commands that are tasks by their last word."""

OLD_NAMES = (*_NEW, "done", "record")
"""Every old name."""


def translated(arguments: Sequence[str]) -> list[str]:
    """The arguments by their new names; what they are is said on standard error."""
    if not arguments or arguments[0] not in OLD_NAMES:
        return [*arguments]
    name, *more = arguments
    if name == "done":
        _say("done", "uv run poe status --base REF")
        return [*arguments]
    if name == "record":
        kind = more[0] if more else "NAME"
        verb = "fix" if "--fix" in more else "check"
        _say("record", _RECORDED.get(kind, f"uv run poe {verb} --only {kind}"))
        return [*arguments]
    new = _NEW[name]
    if name in _CHECKS and "--check" in more:
        more.remove("--check")
        new = f"check --only {name}"
    elif name == "sources" and more and more[0] in _SOURCES:
        new = _SOURCES[more.pop(0)]
    _say(name, as_typed(new))
    return [*new.split(), *more]


def as_typed(command: str) -> str:
    """What a person types for a command of `handoff`: its task, where there is one."""
    if command.startswith("check "):
        return f"uv run poe {command}"
    name = command.rsplit(maxsplit=1)[-1]
    return f"uv run poe {name}" if name in _TASKS else f"uv run handoff {command}"


def add(commands: Any) -> None:
    """Add the old commands that no single new one stands for; no help lists them."""
    command = commands.add_parser("done")
    command.add_argument("--base", help="the commit or branch to merge into" + BASE)
    add_format(command)
    command.set_defaults(run=_done)

    command = commands.add_parser("record")
    command.add_argument("kind", help="what runs: format, lint, types, test, …")
    command.add_argument("command", nargs=argparse.REMAINDER)
    command.set_defaults(run=_record)


def _say(old: str, new: str) -> None:
    old = old.replace("poe-", "poe ")
    print(f"`{old}` is an old name, which the next release drops: `{new}`", file=sys.stderr)


def _done(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.policy.status.definition_of_done import what_is_not_done

    found = what_is_not_done(project, options.base)
    print(render(found, options.format, "The change brings what belongs to it."))
    return int(any(finding.blocks for finding in found))


def _record(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.policy.evidence.recording import run_recorded

    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    return run_recorded(project, options.kind, command)
