"""Cells of a notebook as a function: its body, parameters, results, and all that it has to bring.

Nothing is run. rope finds parameters and results, on the notebook wrapped in a function.
"""

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import dedent

from baton_handoff.core.errors import HandoffError, UsageError
from baton_handoff.notebooks.cells import NotebookNames, names_of
from baton_handoff.notebooks.effects import effects, only_shows
from baton_handoff.notebooks.interface import outer_reads, rope_interface
from baton_handoff.notebooks.patterns import imports_of
from baton_handoff.source_code.modules import Notebook, first_line, parse

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_INDENT = " " * 4


@dataclass(frozen=True)
class LiftObstacle:
    """Something in a notebook that can't be carried into a function.

    Attributes:
        line: The line in the tree of the notebook.
        reason: What it is, a sentence without its full stop.
        fix: What to do.
    """

    line: int
    reason: str
    fix: str


class RefusedError(HandoffError):
    """Cells that can't become a function.

    Attributes:
        refusals: The reasons.
    """

    exit_code = 1

    def __init__(self, refusals: Sequence[LiftObstacle]) -> None:
        super().__init__("; ".join(one.reason for one in refusals))
        self.refusals = refusals


@dataclass(frozen=True)
class Extraction:
    """What becomes of chosen cells.

    Attributes:
        body: The lines of the function, without indentation.
        parameters: The names that it needs.
        results: The names that it computes and later cells need.
        last: The name that its last statement assigns, as a list of at most one.
        imports: The import statements that it needs.
        moved: The definitions that move beside it: functions, classes, constants.
        used_elsewhere: Those of them that other cells of the notebook need.
        shown: The code at the end of the last cell that only shows a value, empty without one.
        left_out: The lines in the tree with other code that only shows a value.
    """

    body: Sequence[str]
    parameters: Sequence[str]
    results: Sequence[str]
    last: Sequence[str]
    imports: Sequence[str]
    moved: Sequence[ast.stmt]
    used_elsewhere: Sequence[str]
    shown: str
    left_out: Sequence[int]


def moved_name(statement: ast.stmt) -> str:
    """The name that a definition defines; empty if a statement is none."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda()):
            return name
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name.isupper():
            return name if _is_literal(value) else ""
    return ""


def extract(notebook: Notebook, first: int, last: int) -> Extraction:
    """Make a function's parts of some cells.

    Args:
        notebook: The notebook.
        first: The first cell, from 1.
        last: The last cell.

    Raises:
        UsageError: There are no such cells, or no code in them.
        RefusedError: They do something that a function can't carry.
    """
    return _Extractor(notebook, first, last).result()


class _Extractor:
    def __init__(self, notebook: Notebook, first: int, last: int) -> None:
        count = len(notebook.cells)
        if not 1 <= first <= last <= count:
            raise UsageError(
                f"{notebook.file} has the code cells 1 to {count}: --cells {first}-{last} is not"
                " in this range."
            )
        self._notebook, self._first, self._last = notebook, first, last
        self._imports = imports_of(notebook)
        self._names: NotebookNames = names_of(notebook)
        self._chosen = [
            statement for cell in self._names.cells[first - 1 : last] for statement in cell.body
        ]
        self._definitions = self._movable()

    def result(self) -> Extraction:
        shows = [one for one in self._chosen if only_shows(one)]
        kept = [
            one
            for one in self._chosen
            if one not in shows
            and not isinstance(one, ast.Import | ast.ImportFrom)
            and moved_name(one) not in self._definitions
        ]
        moved = self._needed_definitions(kept)
        self._refuse([*kept, *moved])
        if not kept:
            raise UsageError(f"The cells {self._first} to {self._last} compute nothing.")
        parameters, results = self._interface(kept, moved)
        names = [moved_name(one) for one in moved]
        shown = shows[-1] if shows and self._chosen[-1] is shows[-1] else None
        return Extraction(
            body=self._body(kept),
            parameters=[name for name in parameters if name not in names],
            results=results,
            last=self._last_assigned(kept),
            imports=self._import_lines([*kept, *moved]),
            moved=moved,
            used_elsewhere=[name for name in names if self._used_elsewhere(name, moved, shown)],
            shown=ast.unparse(shown) if shown else "",
            left_out=[one.lineno for one in shows if one is not shown],
        )

    def _movable(self) -> dict[str, ast.stmt]:
        """The definitions that exist once at the top level of the notebook, by name."""
        assigned: dict[str, int] = {}
        found: dict[str, ast.stmt] = {}
        for statement in self._notebook.tree.body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    assigned[node.id] = assigned.get(node.id, 0) + 1
            if isinstance(statement, _DEFINITIONS):
                assigned[statement.name] = assigned.get(statement.name, 0) + 1
            if name := moved_name(statement):
                found[name] = statement
        return {
            name: statement
            for name, statement in found.items()
            if assigned[name] == 1 and self._notebook.cell(statement.lineno) <= self._last
        }

    def _needed_definitions(self, kept: Sequence[ast.stmt]) -> list[ast.stmt]:
        """The definitions in the chosen cells and those that they need, in the notebook's order."""
        waiting: list[ast.stmt] = [
            one for one in self._chosen if moved_name(one) in self._definitions
        ]
        waiting += [self._definitions[name] for name in _read(kept) if name in self._definitions]
        needed: list[ast.stmt] = []
        while waiting:
            statement = waiting.pop()
            if statement not in needed:
                needed.append(statement)
                waiting += [
                    self._definitions[name]
                    for name in _read([statement])
                    if name in self._definitions
                ]
        return sorted(needed, key=lambda one: one.lineno)

    def _refuse(self, carried: Sequence[ast.stmt]) -> None:
        refusals = [*self._broken(), *self._magics(), *self._hidden_inputs(carried)]
        for line, code, reason in effects(carried, self._imports):
            fix = "move it to a cell of its own before or after the chosen ones"
            refusals.append(LiftObstacle(line, f"`{code}` {reason}", fix))
        if refusals:
            once = {(one.line, one.reason): one for one in refusals}
            raise RefusedError([one for _, one in sorted(once.items())])

    def _broken(self) -> Iterator[LiftObstacle]:
        for number in self._notebook.broken:
            if number <= self._last:
                line = self._notebook.cells[number - 1]
                yield LiftObstacle(
                    line, "the cell is not valid Python", "correct or delete the cell"
                )
        for node in self._notebook.nodes(ast.ImportFrom):
            if node.names[0].name == "*":
                reason = f"`{ast.unparse(node)}` defines names that can't be read"
                yield LiftObstacle(node.lineno, reason, "import the names that are needed")

    def _magics(self) -> Iterator[LiftObstacle]:
        for number in range(self._first, self._last + 1):
            cell = self._notebook.code[number - 1]
            pairs = zip(dedent(cell.source).split("\n"), cell.code.split("\n"), strict=False)
            for line, (source, code) in enumerate(pairs):
                if source.strip() != code.strip():
                    at = self._notebook.cells[number - 1] + line
                    fix = "move it to a cell before the chosen ones"
                    yield LiftObstacle(at, f"`{source.strip()[:60]}` is a magic or a command", fix)
                    break

    def _hidden_inputs(self, carried: Sequence[ast.stmt]) -> Iterator[LiftObstacle]:
        """Functions that read variables of the notebook, which other cells may change."""
        known = {*self._imports, *self._definitions}
        variables = {name for cell in self._names.cells for name in cell.defined} - known
        for statement in carried:
            if moved_name(statement) not in self._definitions:
                continue
            inside = {id(node) for node in ast.walk(statement)}
            uses = [use for cell in self._names.cells for use in cell.used]
            for use in uses:
                if id(use.node) in inside and use.name in variables:
                    name = moved_name(statement)
                    reason = f"`{name}` reads `{use.name}`, a variable that other cells may change"
                    fix = f"make `{use.name}` a parameter of `{name}`"
                    yield LiftObstacle(use.node.lineno, reason, fix)

    def _used_elsewhere(self, name: str, moved: Sequence[ast.stmt], shown: ast.stmt | None) -> bool:
        """Whether what stays in the notebook, the shown result included, needs a moved name."""
        gone = {id(node) for one in moved for node in ast.walk(one)}
        return any(
            isinstance(node, ast.Name) and node.id == name and id(node) not in gone
            for statement in self._notebook.tree.body
            if statement is shown or not any(statement is one for one in self._chosen)
            for node in ast.walk(statement)
        )

    def _last_assigned(self, kept: Sequence[ast.stmt]) -> list[str]:
        match kept[-1]:
            case ast.Assign(targets=[ast.Name(id=name)]):
                return [name]
        return []

    def _import_lines(self, carried: Sequence[ast.stmt]) -> list[str]:
        """The imports that code needs, one name each."""
        read = _read(carried)
        lines: dict[str, None] = {}
        nodes: list[ast.Import | ast.ImportFrom] = [*self._notebook.nodes(ast.Import)]
        nodes += self._notebook.nodes(ast.ImportFrom)
        for node in nodes:
            for alias in node.names:
                if (alias.asname or alias.name.partition(".")[0]) in read:
                    one: ast.stmt = ast.Import([alias])
                    if isinstance(node, ast.ImportFrom):
                        one = ast.ImportFrom(node.module, [alias], node.level)
                    lines[ast.unparse(one)] = None
        return [*lines]

    def _body(self, kept: Sequence[ast.stmt]) -> list[str]:
        """The kept code with its comments, or made anew if its lines can't be kept."""
        lines: list[str] = []
        for number in range(self._first, self._last + 1):
            start = self._notebook.cells[number - 1]
            texts = self._notebook.code[number - 1].code.split("\n")
            gone: set[int] = set()
            for statement in self._names.cells[number - 1].body:
                if not any(statement is one for one in kept):
                    gone |= set(range(first_line(statement), (statement.end_lineno or 0) + 1))
            lines += [text for line, text in enumerate(texts, start) if line not in gone]
        wanted = [ast.dump(one) for one in kept]
        try:
            found = parse("def f():\n" + "\n".join(indented(lines))).body[0]
        except SyntaxError:
            found = kept[0]
        if isinstance(found, ast.FunctionDef) and [*map(ast.dump, found.body)] == wanted:
            while lines and not lines[0].strip():
                lines.pop(0)
            return lines
        return [line for one in kept for line in ast.unparse(one).split("\n")]

    def _interface(
        self, kept: Sequence[ast.stmt], moved: Sequence[ast.stmt]
    ) -> tuple[list[str], list[str]]:
        """The parameters and results of the chosen code.

        rope takes the parameter of a lambda for a variable of the same name outside.
        """
        top, before, after = [], [], []
        for statement in self._notebook.tree.body:
            if isinstance(statement, ast.Import | ast.ImportFrom) or statement in moved:
                top.append(ast.unparse(statement))
            elif statement.lineno < self._notebook.cells[self._first - 1]:
                before.append(ast.unparse(statement))
            elif not any(statement is one for one in self._chosen):
                after.append(ast.unparse(statement))
        if self._chosen and only_shows(self._chosen[-1]):
            after.insert(0, ast.unparse(self._chosen[-1]))
        begin = "\n".join([*top, "def main():", *_indented_code([*before, "pass"])]) + "\n"
        chosen = "\n".join(_indented_code(map(ast.unparse, kept)))
        end = "\n".join(_indented_code([*after, "pass"]))
        places = len(begin), len(begin) + len(chosen)
        parameters, results = rope_interface(f"{begin}{chosen}\n{end}\n", *places)
        needed, later = outer_reads(chosen), outer_reads(end)
        return [one for one in parameters if one in needed], [
            one for one in results if one in later
        ]


def _indented_code(statements: Iterable[str]) -> list[str]:
    return indented([line for text in statements for line in text.split("\n")])


def indented(lines: Sequence[str]) -> list[str]:
    """Lines in a block; those inside a text of several lines stay as they are."""
    inside: set[int] = set()
    for node in ast.walk(parse("\n".join(lines))):
        if isinstance(node, ast.Constant | ast.JoinedStr):
            inside |= set(range(node.lineno + 1, (node.end_lineno or 0) + 1))
    return [
        line if number in inside or not line.strip() else _INDENT + line
        for number, line in enumerate(lines, 1)
    ]


def _read(body: Iterable[ast.stmt]) -> list[str]:
    return [
        *dict.fromkeys(
            node.id
            for statement in body
            for node in ast.walk(statement)
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)
        )
    ]


def _is_literal(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
