"""Code in a repository that was not made with Baton."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from baton_handoff.core.numbers import plural
from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, finding_at
from baton_handoff.policy.unmanaged import commands
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import Function, SourceModule

_SECRET_NAME = re.compile(
    r"(^|_)(password|passwd|secret|token|(api|access|secret)_?key)$", re.IGNORECASE
)
_SECRET = re.compile(
    r"AKIA[0-9A-Z]{16}|ghp_\w{36}|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@{]+:[^/\s:@{]+@"
)
_PLACEHOLDER = re.compile(r"[<{$*%]|^(x+|changeme|none|null|test|your.*)$|\s", re.IGNORECASE)
_SHORTEST_SECRET = 6
_NO_CODE = CheckResult.not_applicable("There is no code.")


def formatted(context: CheckContext) -> CheckResult:
    """All code has one style."""
    if not context.code.all:
        return _NO_CODE
    return CheckResult.not_shown("No formatter has run here.", command=commands.style(context))


def linted(context: CheckContext) -> CheckResult:
    """The code has no faults that a reader can find."""
    unreadable = context.code.unreadable
    if not (context.code.all or unreadable):
        return _NO_CODE
    command = commands.lint(context)
    faults = [finding for code in context.code.all for finding in _faults(code)]
    if not (unreadable or faults):
        return CheckResult.not_shown("No linter has run here.", command=command)
    reasons = [
        f"{plural(len(unreadable), 'file')} with code can't be read" if unreadable else "",
        f"{plural(len(faults), 'line')} with a secret" if faults else "",
    ]
    message = f"{'; '.join(filter(None, reasons))}."
    return CheckResult.not_met(message, *unreadable, *faults, fix=f"fix it, then `{command}`")


def typed(context: CheckContext) -> CheckResult:
    """All functions have types."""
    functions = {code.file: code.functions for code in context.code.modules}
    typed = {file: sum(map(_has_types, several)) for file, several in functions.items()}
    every, good = sum(map(len, functions.values())), sum(typed.values())
    if not every:
        return CheckResult.not_applicable("There is no function.")
    command = commands.types(context)
    if good == every:
        message = f"All functions have types ({every}); no type checker has run here."
        return CheckResult.not_shown(message, command=command)
    return CheckResult.not_met(
        f"{good} of {every} functions have types.",
        *(
            finding_at(f"{typed[file]} of {len(several)} functions have types", file)
            for file, several in functions.items()
            if typed[file] < len(several)
        ),
        fix=f"add types, then `{command}`",
    )


def layers_kept(context: CheckContext) -> CheckResult:
    """Rules say which part of the code may import which, and imports follow them."""
    if not context.code.all:
        return _NO_CODE
    if found := [finding for code in context.code.all for finding in _path_changes(code)]:
        fix = "make the code a package, install it, and remove those lines"
        return CheckResult.not_met("Code changes `sys.path` to find its modules.", *found, fix=fix)
    if "[importlinter" in (context.text(".importlinter") or "") or (
        "importlinter" in context.pyproject.get("tool", {})
    ):
        command = commands.in_environment(context, "lint-imports")
        return CheckResult.not_shown("Import rules exist; no linter has run here.", command=command)
    return CheckResult.not_shown("No rule states which part of the code may import which.")


def finding_in(code: SourceModule, line: int, message: str) -> Finding:
    """A finding in a file, or in a cell of a notebook."""
    within, cell = code.location(line)
    return replace(finding_at(message, code.file, within), cell=cell)


def _faults(code: SourceModule) -> Iterator[Finding]:
    named: set[ast.expr] = set()
    for node in code.nodes(ast.Assign):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(str(text))) if (
                _SECRET_NAME.search(name)
                and len(text) >= _SHORTEST_SECRET
                and not _PLACEHOLDER.search(text)
            ):
                named.add(node.value)
                yield finding_in(code, node.lineno, f"`{name}` is a secret that everybody can read")
    for constant in code.nodes(ast.Constant):
        text = constant.value if isinstance(constant.value, str) else ""
        if constant not in named and _SECRET.search(text):
            yield finding_in(code, constant.lineno, "this text contains a secret")


def _has_types(function: Function) -> bool:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    returns = function.returns is not None or function.name == "__init__"
    return returns and all(one.annotation for one in every if one.arg not in ("self", "cls"))


def _path_changes(code: SourceModule) -> Iterator[Finding]:
    for node in code.nodes(ast.Call):
        match node.func:
            case ast.Attribute(
                value=ast.Attribute(value=ast.Name("sys"), attr="path"),
                attr="append" | "insert" | "extend",
            ):
                yield finding_in(code, node.lineno, "this changes where Python finds modules")
