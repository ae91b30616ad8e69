"""`handoff fix` on a whole project: what tools can correct, tested, and what is left to people."""

import ast
import io
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.files import path_from
from baton_handoff.policy.evidence.checking import StepResult, caught
from baton_handoff.policy.evidence.recording import record_run
from baton_handoff.policy.evidence.steps import STEPS, step_in
from baton_handoff.policy.evidence.store import EvidenceStore
from baton_handoff.policy.evidence.tool_findings import tool_findings
from baton_handoff.reporting.findings import Finding

if TYPE_CHECKING:
    from baton_handoff.policy.evidence.fix_tests import Tested
    from baton_handoff.policy.evidence.type_hints import Hints

_RESULTS = ("ANN201", "ANN202", "ANN204", "ANN205", "ANN206")
"""The rules of ruff that add the type of a result where the code shows it."""

_ATTEMPTS = 3
"""How often types that mypy contradicts are left out before all are."""


class Generated(NamedTuple):
    """A file that is written from the code.

    Attributes:
        file: The file.
        text: Its new text.
    """

    file: Path
    text: str


Generate: TypeAlias = Callable[[Project], Generated | None]
"""Makes a file from the code; None if it is current."""


@dataclass(frozen=True)
class Fix:
    """What a fix has changed, or would change.

    Attributes:
        changes: The text of each changed file before and after, by its path from the project.
        generated: The files that are written from the code.
        tested: Whether the tests ran.
        broken: The files of tests that fail because of the fix.
        hinted: The number of functions with types that the tests have shown.
        remaining: What no tool can fix.
        errors: Why a step could not run.
    """

    changes: Mapping[str, tuple[str, str]]
    generated: Sequence[str]
    tested: "Tested" = "not needed"
    broken: Sequence[str] = ()
    hinted: int = 0
    remaining: Sequence[Finding] = ()
    errors: Sequence[str] = ()

    @property
    def exit_code(self) -> int:
        """0 nothing is left, 1 something is, 2 something could not run."""
        blocks = self.tested == "taken back" or any(one.blocks for one in self.remaining)
        return 1 if blocks else 2 * bool(self.errors)


def same_code(old: str, new: str) -> bool:
    """Whether two texts of a module differ in their format only."""
    try:
        return ast.dump(ast.parse(old)) == ast.dump(ast.parse(new))
    except (SyntaxError, ValueError):
        return old == new


def preview(project: Project, generates: Iterable[Generate]) -> Fix:
    """What `fix_project` would change, except types that only tests show. Nothing is written."""
    work = _Work(project)
    return Fix(work.changes(work.corrected(generates)), work.generated, errors=work.errors)


def fix_project(
    project: Project, generates: Iterable[Generate], tell: Callable[[Sequence[str]], None]
) -> Fix:
    """Correct what tools can correct, and test it if more than the format changes.

    If tests fail that passed before, only formatted and generated files stay.

    Args:
        project: The project.
        generates: Make the files that are written from the code.
        tell: Called before the tests run, with the files whose code changes or lacks types.
    """
    work = _Work(project)
    after = work.corrected(generates)
    untyped = work.untyped(after)
    concerned = sorted({*work.changed_code(after), *untyped})
    tested: Tested = "not needed"
    broken: list[str] = []
    hinted = 0
    if concerned:
        tell(concerned)
        # It imports pandas.
        from baton_handoff.policy.evidence.fix_tests import FixTests  # noqa: PLC0415

        tests = FixTests(project)
        before, hints = tests.before(untyped)
        try:
            work.write(after)
            hinted = work.add_hints(after, untyped, hints)
            if work.changed_code(after):
                tested, broken = tests.after(before)
        except BaseException:
            work.write(work.original)
            raise
        if tested == "taken back":
            after = work.only_formatted(after)
            hinted = 0
    work.write(after)
    remaining = [*work.remaining()]
    return Fix(work.changes(after), work.generated, tested, broken, hinted, remaining, work.errors)


class _Work:
    """A fix while it is made.

    Attributes:
        original: The text of each file that a tool may change, empty if there was no file.
        generated: The files that are written from the code.
        errors: Why a step could not run.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._written: dict[str, str] = {}
        self._has_typing_rules: set[str] = set()
        self.original: dict[str, str] = {}
        self.generated: list[str] = []
        self.errors: list[str] = []

    def corrected(self, generates: Iterable[Generate]) -> dict[str, str]:
        """The text of each file after all corrections that need no test."""
        after: dict[str, str] = {}
        for generate in generates:
            made: list[Generated | None] = []
            result = caught(partial(_generated, generate, self._project, made))
            if result.exit_code:
                self.errors.append(result.message)
            for new in filter(None, made):
                file = path_from(self._project.root, new.file)
                self._remember(file)
                self.generated.append(file)
                after[file] = new.text
        for name in ("format", "lint"):
            command = (*STEPS[name].command, *STEPS[name].json_options)
            for one in tool_findings(command, self._project.root):
                if one.file and one.file.endswith((".py", ".pyi")) and one.file not in after:
                    self._remember(one.file)
                    after[one.file] = self.original[one.file]
                if one.file and one.check.startswith("ANN"):
                    self._has_typing_rules.add(one.file)
        code = [file for file in after if file.endswith((".py", ".pyi"))]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            after |= zip(
                code, pool.map(lambda one: self._fixed(one, after[one]), code), strict=True
            )
        return after

    def changes(self, after: Mapping[str, str]) -> dict[str, tuple[str, str]]:
        """The text of each changed file before and after."""
        return {
            file: (self.original[file], text)
            for file, text in sorted(after.items())
            if self.original[file] != text
        }

    def changed_code(self, after: Mapping[str, str]) -> list[str]:
        """The files whose code is another, without those that are written from the code."""
        return [
            file
            for file, (old, new) in self.changes(after).items()
            if file not in self.generated and not same_code(old, new)
        ]

    def untyped(self, after: Mapping[str, str]) -> dict[str, list[str]]:
        """The functions of the package, by file, whose types only a test can show.

        Contracts are left out: they are what the types are made of.
        """
        from baton_handoff.policy.evidence import type_hints  # noqa: PLC0415 - imports pandas

        package = f"src/{self._project.package}/"
        found = {
            file: [*type_hints.untyped(text)]
            for file, text in after.items()
            if file in self._has_typing_rules
            and file.startswith(package)
            and not file.startswith(f"{package}contracts/")
        }
        return {file: names for file, names in found.items() if names}

    def add_hints(
        self, after: dict[str, str], untyped: Mapping[str, Sequence[str]], hints: "Hints"
    ) -> int:
        """Write the types that tests have shown, except those that mypy contradicts.

        Returns:
            The number of functions that have more types than before.
        """
        from baton_handoff.policy.evidence import type_hints  # noqa: PLC0415 - imports pandas

        chosen = {
            file: {name: hints[file][name] for name in names if name in hints.get(file, {})}
            for file, names in untyped.items()
        }
        base = {file: after[file] for file, functions in chosen.items() if functions}
        if not base:
            return 0
        errors_before = {(one.file, one.message) for one in self._type_errors()}
        for _ in range(_ATTEMPTS):
            hinted = {
                file: self._fixed(file, type_hints.with_hints(text, chosen[file]))
                for file, text in base.items()
            }
            self.write(hinted)
            new = [
                one for one in self._type_errors() if (one.file, one.message) not in errors_before
            ]
            if not new:
                after |= hinted
                return sum(
                    type_hints.untyped(base[file]).get(name)
                    != type_hints.untyped(hinted[file]).get(name)
                    for file, functions in chosen.items()
                    for name in functions
                )
            for one in new:
                file = one.file or ""
                named = type_hints.names_at(self._text(file), one.line or 0)
                inside = type_hints.around(hinted[file], one.line or 0) if file in hinted else set()
                for place, functions in chosen.items():
                    for name in [*functions]:
                        is_named = name.rpartition(".")[2] in named
                        if is_named or (place == file and name in inside):
                            del functions[name]
        self.write(base)
        return 0

    def only_formatted(self, after: Mapping[str, str]) -> dict[str, str]:
        """The texts with no correction but the format; generated files as they are."""
        return {
            file: text
            if file in self.generated
            else self._piped(file, self.original[file], STEPS["format"].fix)
            for file, text in after.items()
        }

    def remaining(self) -> Iterator[Finding]:
        """What the tools still find, with the side that has to act."""
        for name in ("format", "lint", "types"):
            step, output = step_in(self._project, STEPS[name]), io.StringIO()
            try:
                run = record_run(self._project, name, step.command, output)
            except HandoffError as error:
                self.errors.append(str(error))
                continue
            evidence = EvidenceStore(self._project).current(name)
            if not run.exit_code:
                continue
            if not (evidence and evidence.findings):
                self.errors.append(output.getvalue().strip())
                continue
            for one in evidence.findings:
                yield replace(one, side=self._project.side_of(one.file or ""))

    def write(self, texts: Mapping[str, str]) -> None:
        """Write files, except those that somebody has changed meanwhile."""
        for file, text in texts.items():
            path = self._project.root / file
            now = self._text(file)
            if now in (self.original[file], self._written.get(file)) and now != text:
                path.write_bytes(text.encode())
                self._written[file] = text

    def _remember(self, file: str) -> None:
        self.original[file] = self._text(file)

    def _text(self, file: str) -> str:
        path = self._project.root / file
        return path.read_bytes().decode() if path.is_file() else ""

    def _fixed(self, file: str, text: str) -> str:
        """The text of a file after the corrections of all tools."""
        commands = [STEPS["lint"].fix, STEPS["format"].fix]
        if file in self._has_typing_rules:
            select = ("--select", ",".join(_RESULTS), "--fix-only", "--unsafe-fixes")
            commands.insert(0, (*STEPS["lint"].command, *select))
        for command in commands:
            text = self._piped(file, text, command)
        return text

    def _piped(self, file: str, text: str, command: Sequence[str]) -> str:
        """A text as a tool corrects it; the text itself if the tool can't read it."""
        done = subprocess.run(
            [*command, "--stdin-filename", file, "-"],
            input=text.encode(),
            cwd=self._project.root,
            capture_output=True,
            check=False,
        )
        return done.stdout.decode() if done.returncode in (0, 1) else text

    def _type_errors(self) -> list[Finding]:
        step = step_in(self._project, STEPS["types"])
        return tool_findings((*step.command, *step.json_options), self._project.root)


def _generated(generate: Generate, project: Project, to: list[Generated | None]) -> StepResult:
    to.append(generate(project))
    return StepResult(0, "")
