"""`notebook lift`: cells of a notebook become a typed, tested function of the package.

The notebook runs twice in fresh kernels; nothing is written before all is known to be equal.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError, UsageError
from baton_handoff.core.files import text_of, write_atomically
from baton_handoff.core.git import changed_files, head_commit
from baton_handoff.notebooks.characterisation import sample_text
from baton_handoff.notebooks.extraction import (
    Extraction,
    LiftObstacle,
    RefusedError,
    extract,
    moved_name,
)
from baton_handoff.notebooks.kernel import Kernel, kernel
from baton_handoff.notebooks.lifted_source import (
    Lifted,
    notebook_with_call,
    test_source,
)
from baton_handoff.notebooks.target import Target
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import Notebook, parse, read_module
from baton_handoff.source_code.secrets import secret_lines

CHECK = "lift"
"""The name of the check."""


@dataclass(frozen=True)
class Lift:
    """A finished lift.

    Attributes:
        texts: The content of each written file by its path in the project.
        created: Those that are new.
        lifted: The function.
        random: The columns of results that differ from run to run, as `result.column`.
        left_out: The cell and the line of each statement that only showed a value.
    """

    texts: Mapping[str, str]
    created: Sequence[str]
    lifted: Lifted
    random: Sequence[str]
    left_out: Sequence[tuple[int, int]]


def lift(project: Project, file: str, cells: tuple[int, int], target: Target) -> Lift:
    """Lift cells of a notebook into a function, and write it, its test and the changed notebook.

    Args:
        project: The project; it must equal its last commit.
        file: The notebook, relative to the project.
        cells: The first and the last code cell, from 1.
        target: The place of the function.

    Raises:
        RefusedError: The cells do something that can't be carried.
        HandoffError: The project has changes, or the notebook does not run.
    """
    _require_unchanged(project)
    _require_free(project, target)
    notebook = read_module(project.root, file)
    if not isinstance(notebook, Notebook):
        raise UsageError(f"{file} is not a notebook.")
    extraction = extract(notebook, *cells)
    lifting = _Lifting(project, notebook, cells, target, extraction)
    made = lifting.made()
    _write(project.root, made)
    return made


def refusal_findings(project: Project, file: str, refused: RefusedError) -> Iterator[Finding]:
    """The reasons why cells can't be lifted, with their places."""
    notebook = read_module(project.root, file)
    for one in refused.refusals:
        cell = notebook.cell(one.line) if isinstance(notebook, Notebook) else None
        line = (
            one.line - notebook.cells[cell - 1] + 1
            if isinstance(notebook, Notebook) and cell
            else None
        )
        side = project.side_of(file)
        yield Finding(CHECK, one.reason, True, side, file, line, one.fix, cell=cell)


@dataclass(frozen=True)
class _Lifting:
    project: Project
    notebook: Notebook
    cells: tuple[int, int]
    target: Target
    extraction: Extraction

    @property
    def _first_line(self) -> int:
        return self.notebook.cells[self.cells[0] - 1]

    @property
    def _origin(self) -> str:
        first, last = self.cells
        cells = f"cell {first}" if first == last else f"cells {first} to {last}"
        return f"{cells} of {self.notebook.file}"

    @property
    def _code(self) -> str:
        """The code of the cells with the definitions that it needs."""
        moved = [ast.unparse(one) for one in self.extraction.moved]
        return "\n".join([*self.extraction.imports, *moved, *self.extraction.body])

    def made(self) -> Lift:
        with self._at_the_cells() as first:
            seen = first.call("inputs_after", package=self.project.package, code=self._code)
            inputs = self._inputs(seen)
            results = self._results(inputs)
            observed = self._observed(first, results)
        lifted = self._lifted(inputs, observed, {})
        with self._at_the_cells() as second:
            again = self._observed(second, results)
            checked = second.call(
                "check",
                source="\n\n".join(
                    [*lifted.imports, *lifted.definitions.values(), lifted.function]
                ),
                cells=self._code,
                lifted=self.target.function,
                results=results,
                made=seen["samples"],
                helpers=[
                    n for n, c in lifted.definitions.items() if c.startswith(("def ", "async "))
                ],
            )
        random = self._random(observed, again, checked)
        lifted = self._lifted(inputs, observed, checked["signatures"])
        texts = self._texts(lifted, checked, seen["samples"][checked["sample"]], random)
        self._refuse_secrets(texts)
        created = [one for one in texts if not (self.project.root / one).exists()]
        places = [self._place(line) for line in self.extraction.left_out]
        return Lift(texts, created, lifted, random, places)

    @contextmanager
    def _at_the_cells(self) -> Iterator[Kernel]:
        """A fresh kernel that has run the notebook up to the last chosen cell."""
        (first, last), code = self.cells, self.notebook.code
        with kernel((self.project.root / self.notebook.file).parent) as running:
            running.run_cells(code[: first - 1])
            unknown = running.call("start", inputs=self.extraction.parameters)
            for name, kind in unknown.items():
                if kind:
                    raise self._refused(
                        f"`{name}` is a {kind}: only tables, numbers, texts and collections of"
                        " these can be recorded",
                        "begin with the cell that makes it",
                    )
                raise self._refused(
                    f"`{name}` is not defined before cell {first}",
                    "put the cells in the order in which they run",
                )
            running.run_cells(code[first - 1 : last], first)
            yield running

    def _inputs(self, seen: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs of a function that changes none of them for its caller."""
        if "unknown" in seen:
            name, kind = seen["unknown"]
            raise self._refused(
                f"`{name}` contains values of the type {kind}, of which no sample can be made",
                "convert it before the chosen cells, or leave it out",
            )
        for name, one in seen["inputs"].items():
            if one["changed_in_place"] and one["aliases"]:
                other = one["aliases"][0]
                raise self._refused(
                    f"`{name}` is changed in place, and `{other}` is the same object",
                    f"copy it before: `{other} = {name}.copy()`",
                )
        inputs: dict[str, Any] = seen["inputs"]
        return inputs

    def _results(self, inputs: Mapping[str, Any]) -> list[str]:
        # Later cells, and whoever goes on with the notebook, find these under the same name.
        assigned = {
            node.id
            for node in ast.walk(parse("\n".join(self.extraction.body)))
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        changed = [n for n, one in inputs.items() if one["changed_in_place"] or n in assigned]
        found = [*dict.fromkeys([*changed, *self.extraction.results])]
        found = found or [*self.extraction.last]
        if not found:
            raise self._refused(
                "no later cell uses what these cells compute",
                "choose cells that compute a table or a value",
            )
        return found

    def _observed(self, running: Kernel, results: Sequence[str]) -> dict[str, Any]:
        observed: dict[str, Any] = running.call(
            "results_after", results=results, package=self.project.package, code=self._code
        )
        for name, one in observed.items():
            if kind := one.get("unknown"):
                raise self._refused(
                    f"the result `{name}` is a {kind}, which can't be compared",
                    "choose cells whose results are tables, numbers, texts or collections of these",
                )
        return observed

    def _lifted(
        self, inputs: Mapping[str, Any], results: Mapping[str, Any], signatures: Mapping[str, Any]
    ) -> Lifted:
        return Lifted(self.extraction, self.target, self._origin, inputs, results, signatures)

    def _random(
        self, observed: Mapping[str, Any], again: Mapping[str, Any], checked: Mapping[str, Any]
    ) -> list[str]:
        """The columns of results that differ from run to run."""
        if different := checked.get("different"):
            name, _, column = different.partition(".")
            raise self._refused(
                f"the function would compute another `{name}` than the cells, first in"
                f" `{column}`: something that they need is not in their inputs",
                "choose the cells from the first that computes it",
            )
        if error := checked.get("error"):
            raise self._refused(
                f"the cells can't compute from a synthetic sample: {error}",
                "choose fewer cells, or make the code accept such values",
            )
        random = {
            f"{name}.{column}"
            for name, one in observed.items()
            for column, digest in one["by_column"].items()
            if again[name].get("by_column", {}).get(column) != digest
        } | {*checked["random"]}
        every = {
            f"{name}.{column}" for name, one in observed.items() for column in one["by_column"]
        }
        if random >= every:
            raise self._refused(
                "every result differs from run to run", "set a seed for the random numbers"
            )
        return sorted(random)

    def _texts(
        self,
        lifted: Lifted,
        checked: Mapping[str, Any],
        sample: Mapping[str, Any],
        random: Sequence[str],
    ) -> dict[str, str]:
        tests = f"tests/unit/test_lifted_{self.target.function}.py"
        stored = f"tests/unit/lifted_{self.target.function}.json"
        results = {
            name: {c: one for c, one in columns.items() if f"{name}.{c}" not in random}
            for name, columns in checked["results"].items()
        }
        digests = {
            name: {"rows": one["rows"], "columns": len(one["columns"]), "sha256": one["sha256"]}
            for name, one in {**lifted.inputs, **lifted.results}.items()
            if one["columns"]
        }
        content = {
            "about": f"Synthetic inputs, and what {self._origin} computed from them.",
            "digests": digests,
            "random": [*random],
            "any_order": checked["any_order"],
            "inputs": sample,
            "results": results,
        }
        root = self.project.root
        text = text_of(root / self.notebook.file)
        return {
            self.target.file: lifted.module(text_of(root / self.target.file)),
            self.notebook.file: notebook_with_call(text, self.notebook, *self.cells, lifted),
            tests: test_source(self.target, self._origin),
            stored: sample_text(content) + "\n",
        }

    def _refuse_secrets(self, texts: Mapping[str, str]) -> None:
        for file, text in texts.items():
            if file == self.notebook.file:
                continue
            for line, kind in secret_lines(file, text):
                raise self._refused(
                    f"line {line} of {file} would contain a secret ({kind})",
                    'read it from the environment, `os.environ["NAME"]`, in an earlier cell',
                )

    def _place(self, line: int) -> tuple[int, int]:
        cell = self.notebook.cell(line)
        return cell, line - self.notebook.cells[cell - 1] + 1

    def _refused(self, reason: str, fix: str) -> RefusedError:
        return RefusedError([LiftObstacle(self._first_line, reason, fix)])


def _require_unchanged(project: Project) -> None:
    if head_commit(project.root) is None:
        raise HandoffError("There is no commit yet: commit the notebook first.")
    if changed := changed_files(project.root, ["."]):
        more = f" (and {len(changed) - 1} more)" if len(changed) > 1 else ""
        raise HandoffError(
            f"The project has changes that are not committed: {changed[0]}{more}. Commit them"
            " first, so that the lift is a change of its own."
        )


def _require_free(project: Project, target: Target) -> None:
    names = {moved_name(one) for one in parse(text_of(project.root / target.file)).body}
    if target.function in names:
        raise UsageError(
            f"{target.file} has a function `{target.function}` already: choose another name."
        )


def _write(root: Path, made: Lift) -> None:
    """Write all files or none."""
    before = {file: text_of(root / file) for file in made.texts}
    try:
        for file, text in made.texts.items():
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(root / file, text)
    except OSError:
        for file, text in before.items():
            if file in made.created:
                (root / file).unlink(missing_ok=True)
            else:
                write_atomically(root / file, text)
        raise
