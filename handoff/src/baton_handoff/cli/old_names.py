"""The commands' names of release 0.x: they still work, and print the new name. Until 2.0."""

import argparse
import sys
from collections.abc import Sequence

from baton_handoff.cli.options import BASE, Commands, Options, add_format, print_findings

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

_RECORDED = {"test": "test", "acceptance": "model accept"}
"""The commands that replace `record KIND`, if that is not `check --only KIND`."""

_TASKS = ("status", "check", "fix", "test", "diff", "register", "promote", "rollback")
"""The commands that users type as tasks of poe: without their group."""

OLD_NAMES = {*(name.partition(" ")[0] for name in _NEW_NAMES), "done", "record"}
"""Every old name."""


def translate(arguments: Sequence[str]) -> list[str]:
    """Replace an old name by the new one, and print the new name on standard error."""
    name, *more = arguments or [""]
    if name not in OLD_NAMES:
        return [*arguments]
    # `done` and `record` have no single new name: they run as they are.
    translated = [*arguments]
    if name == "done":
        new = "status --base REF"
    elif name == "record":
        kind = more[0] if more else "NAME"
        verb = "fix" if "--fix" in more else "check"
        new = _RECORDED.get(kind, f"{verb} --only {kind}")
    else:
        if name in _CHECKS and "--check" in more:
            more.remove("--check")
            new = f"check --only {name}"
        elif new := _NEW_NAMES.get(" ".join([name, *more[:1]]), ""):
            del more[:1]
        else:
            new = _NEW_NAMES[name]
        translated = [*new.split(), *more]
    old = name.replace("poe-", "poe ")
    task = new.removeprefix("contract ").removeprefix("model ")
    typed = f"poe {task}" if task.split()[0] in _TASKS else f"handoff {new}"
    print(
        f"`{old}` is an old name, which the next release drops: `uv run {typed}`", file=sys.stderr
    )
    return translated


def add(commands: Commands) -> None:
    """Add the old commands that no single new command replaces; the help omits them."""
    command = commands.add("done", _done)
    command.add_argument("--base", help="the commit or branch to merge into" + BASE)
    add_format(command)

    command = commands.add("record", _record)
    command.add_argument("kind", help="the step: format, lint, types, test, …")
    command.add_argument("command", nargs=argparse.REMAINDER)


def _done(options: Options) -> int:
    from baton_handoff.policy.status.definition_of_done import check_done

    found = check_done(options.project, options.base)
    return print_findings(found, options, "The change is complete.")


def _record(options: Options) -> int:
    from baton_handoff.policy.evidence.recording import record_run

    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    return record_run(options.project, options.kind, command).exit_code
