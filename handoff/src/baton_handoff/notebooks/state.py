"""What a notebook depends on besides its text: the order of its cells, names of deleted cells."""

import ast
from collections.abc import Iterator, Sequence
from itertools import pairwise

from baton_handoff.notebooks.cells import CellNames, NameUse, NotebookNames, names_of
from baton_handoff.notebooks.rules import Code, Match
from baton_handoff.source_code.modules import Notebook

_DEFINITIONS = (ast.FunctionDef, ast.ClassDef)
_SIMPLE = (ast.Assign, ast.AnnAssign, *_DEFINITIONS)
_LEAST_REPEATED = 30
"""The number of nodes in the syntax tree from which on a repeated cell is no coincidence."""


def out_of_order(code: Code) -> Iterator[Match]:
    """Cells that need a name which only a later cell defines, or that were run in another order."""
    module = code.module
    if not isinstance(module, Notebook):
        return
    early = [*early_uses(names_of(module))]
    seen: set[str] = set()
    for cell, use, later in early:
        if later and use.name not in seen:
            seen.add(use.name)
            reason = f"uses `{use.name}`, which only cell {later} defines"
            if later == cell:
                reason = f"uses `{use.name}` before it defines it"
            yield Match(use.node.lineno, {"cell": str(cell), "reason": reason})
    if seen:
        return
    counts = [(number, cell.count) for number, cell in enumerate(module.code, 1) if cell.count]
    for (before, earlier), (after, later) in pairwise(counts):
        if earlier and later and later < earlier:
            reason = f"ran before cell {before}: the numbers of the runs are {later} and {earlier}"
            yield Match(module.cells[after - 1], {"cell": str(after), "reason": reason})
            return


def early_uses(names: NotebookNames) -> Iterator[tuple[int, NameUse, int]]:
    """The uses of names that no earlier cell defines, at which a run in order ends.

    Yields:
        The cell, the use and the cell that defines the name, 0 if none does.
    """
    first = {name: cell.number for cell in reversed(names.cells) for name in cell.defined}
    for cell in names.cells:
        for use in cell.used:
            later = first.get(use.name, 0)
            if not use.deferred and (later >= cell.number or (not later and names.complete)):
                yield cell.number, use, later


def undefined_names(code: Code) -> Iterator[Match]:
    """Names that no cell defines."""
    module = code.module
    if not isinstance(module, Notebook):
        return
    names = names_of(module)
    defined = {name for cell in names.cells for name in cell.defined}
    seen: set[str] = set()
    for use in (use for cell in names.cells for use in cell.used):
        if names.complete and use.name not in defined | seen:
            seen.add(use.name)
            yield Match(use.node.lineno, {"name": use.name})


def hidden_inputs(code: Code) -> Iterator[Match]:
    """Functions that read variables of the notebook."""
    module = code.module
    if not isinstance(module, Notebook):
        return
    names = names_of(module)
    variables = {
        target.id
        for node in module.tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and not target.id.isupper()
        if not isinstance(node.value, ast.Lambda | ast.Constant)
    } - {node.name for node in module.tree.body if isinstance(node, _DEFINITIONS)}
    for cell in names.cells:
        for function in (node for node in cell.body if isinstance(node, ast.FunctionDef)):
            inside = {id(node) for node in ast.walk(function)}
            read = [
                use.name
                for use in cell.used
                if use.deferred and id(use.node) in inside and use.name in variables
            ]
            if read:
                listed = ", ".join(f"`{name}`" for name in dict.fromkeys(read))
                yield Match(function.lineno, {"function": function.name, "names": listed})


def unused_cells(code: Code) -> Iterator[Match]:
    """Cells that only define what nothing uses."""
    module = code.module
    if not isinstance(module, Notebook):
        return
    names = names_of(module)
    for cell in names.cells:
        if not cell.body or not all(map(_only_defines, cell.body)):
            continue
        if cell.defined and not any(name in _read_by(names, cell) for name in cell.defined):
            listed = ", ".join(f"`{name}`" for name in cell.defined)
            yield Match(cell.body[0].lineno, {"cell": str(cell.number), "names": listed})


def _read_by(names: NotebookNames, own: CellNames) -> set[str]:
    """The names that any cell reads; a function's own name does not count within it."""
    read = {name for cell in names.cells if cell is not own for name in cell.read}
    for statement in own.body:
        inside = {
            node.id
            for node in ast.walk(statement)
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)
        }
        read |= inside - {statement.name if isinstance(statement, _DEFINITIONS) else ""}
    return read


def _only_defines(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Assign):
        return all(isinstance(target, ast.Name) for target in statement.targets)
    return isinstance(statement, _SIMPLE)


def repeated_cells(code: Code) -> Iterator[Match]:
    """Cells with the same code as an earlier one, also with other names and values."""
    module = code.module
    if not isinstance(module, Notebook):
        return
    seen: dict[str, int] = {}
    for cell in names_of(module).cells:
        nodes = [node for statement in cell.body for node in ast.walk(statement)]
        if len(nodes) < _LEAST_REPEATED or all(map(_only_calls, cell.body)):
            continue
        exact = "".join(map(ast.dump, cell.body))
        shape = _shape(cell.body) if len(cell.body) > 2 else exact
        if earlier := seen.get(exact, seen.get(shape)):
            same = "" if exact in seen else " with other names or values"
            words = {"cell": str(cell.number), "earlier": str(earlier), "same": same}
            yield Match(cell.body[0].lineno, words)
        else:
            seen |= {exact: cell.number, shape: cell.number}


def _only_calls(statement: ast.stmt) -> bool:
    """Whether a statement only imports, or calls what is a function already."""
    return isinstance(statement, ast.Import | ast.ImportFrom | ast.Expr)


def _shape(body: Sequence[ast.stmt]) -> str:
    """The code without the names of variables and without values."""
    parts = []
    for node in (node for statement in body for node in ast.walk(statement)):
        detail = node.attr if isinstance(node, ast.Attribute) else ""
        parts.append(f"{type(node).__name__}{detail}")
    return " ".join(parts)


def broken_cells(code: Code) -> Iterator[Match]:
    """Cells that are not valid Python."""
    module = code.module
    if isinstance(module, Notebook):
        for number in module.broken:
            yield Match(module.cells[number - 1], {"cell": str(number)})
