"""Code in a repository that Baton has not made, as far as it can be judged by reading it."""

import ast
import re
from collections.abc import Iterator

from baton_handoff.policy.checks.check_context import CheckResult, finding_at, not_applicable
from baton_handoff.policy.unmanaged import commands
from baton_handoff.policy.unmanaged.observation import at, mend, number, open_
from baton_handoff.policy.unmanaged.repository import Repository
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import Function, SourceModule

_MACHINE = re.compile(r"(/home/|/Users/|~/|[A-Za-z]:[\\/](?!/))\w")
_SECRET_NAME = re.compile(
    r"(^|_)(password|passwd|secret|token|(api|access|secret)_?key)$", re.IGNORECASE
)
_SECRET = re.compile(
    r"AKIA[0-9A-Z]{16}|ghp_\w{36}|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@{]+:[^/\s:@{]+@"
)
_NO_SECRET = re.compile(r"[<{$*%]|^(x+|changeme|none|null|test|your.*)$|\s", re.IGNORECASE)
_SHORTEST = 6


def formatted(repository: Repository) -> CheckResult:
    """All code has one style."""
    if not repository.code:
        return not_applicable("There is no code.")
    return open_("No tool has looked at its style.", f"`{commands.style(repository)}`")


def linted(repository: Repository) -> CheckResult:
    """Nothing is wrong in code that can be seen without running it."""
    if not (repository.code or repository.unread):
        return not_applicable("There is no code.")
    command = commands.faults(repository)
    seen = [finding for code in repository.code for finding in _faults(code)]
    found = [*repository.unread, *seen]
    if not found:
        return open_("No linter has looked at it.", f"`{command}`")
    message = [
        f"{number(len(repository.unread), 'file')} with code can't be read"
        if repository.unread
        else "",
        f"{number(len(seen), 'place')} with a secret or a path of one machine" if seen else "",
    ]
    return mend(f"{'; '.join(filter(None, message))}.", f"mend it, then `{command}`", *found)


def typed(repository: Repository) -> CheckResult:
    """Functions state their types."""
    counts = {code.file: _typed(code) for code in repository.modules}
    stated, all_ = (sum(count[which] for count in counts.values()) for which in (0, 1))
    command = commands.types(repository)
    if not all_:
        return not_applicable("There is no function that could state types.")
    if stated == all_:
        return open_(
            f"Every function ({all_}) states its types; whether they fit is not shown.",
            f"`{command}`",
        )
    return mend(
        f"{stated} of {all_} functions state their types.",
        f"state them, then `{command}`",
        *(
            finding_at(f"{good} of {every} functions state their types", file)
            for file, (good, every) in counts.items()
            if good < every
        ),
    )


def layers(repository: Repository) -> CheckResult:
    """What imports what is agreed on, and kept."""
    if not repository.code:
        return not_applicable("There is no code.")
    found = [finding for code in repository.code for finding in _paths_added(code)]
    if found:
        return mend(
            "Modules are found only because code adds to where Python looks.",
            "make it a package that is installed, then take those lines out",
            *found,
        )
    if "[importlinter" in (repository.context.text(".importlinter") or "") or (
        "importlinter" in repository.context.pyproject.get("tool", {})
    ):
        return open_(
            "Rules say what imports what; whether they are kept is not shown.",
            f"`{commands.inside(repository, 'lint-imports')}`",
        )
    return open_("Nothing says which part of the code may import which.")


def _faults(code: SourceModule) -> Iterator[Finding]:
    named: set[ast.expr] = set()
    for node in code.nodes(ast.Assign):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(str(text))) if (
                _SECRET_NAME.search(name) and len(text) >= _SHORTEST and not _NO_SECRET.search(text)
            ):
                named.add(node.value)
                yield at(code, node.lineno, f"`{name}` is a secret, and everybody can read it")
    for constant in code.nodes(ast.Constant):
        text = constant.value if isinstance(constant.value, str) else ""
        if constant in named:
            continue
        if _SECRET.search(text):
            yield at(code, constant.lineno, "this text holds a secret")
        elif _MACHINE.match(text):
            yield at(code, constant.lineno, f"`{text[:60]}` is a path of one machine")


def _typed(code: SourceModule) -> tuple[int, int]:
    """How many functions state all their types, and how many there are."""
    functions = code.functions
    return sum(map(_states_types, functions)), len(functions)


def _states_types(function: Function) -> bool:
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    own = [one for one in every if one.arg not in ("self", "cls")]
    returns = function.returns is not None or function.name == "__init__"
    return returns and all(one.annotation for one in own)


def _paths_added(code: SourceModule) -> Iterator[Finding]:
    for node in code.nodes(ast.Call):
        match node:
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Attribute(value=ast.Name("sys"), attr="path"),
                    attr="append" | "insert" | "extend",
                )
            ):
                yield at(code, node.lineno, "it adds to where Python looks for modules")
