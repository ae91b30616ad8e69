"""The parameters and results of a part of a function, found by rope; nothing is run."""

import ast
import symtable
import tempfile
import warnings

from baton_handoff.core.errors import HandoffError
from baton_handoff.source_code.modules import parse


def outer_reads(block: str) -> set[str]:
    """The names that the body of a function reads, those of inner functions if they are its own."""
    found: set[str] = set()
    waiting = [symtable.symtable(f"def main():\n{block}\n", "notebook", "exec").get_children()[0]]
    outer = waiting[0]
    while waiting:
        table = waiting.pop()
        waiting += table.get_children()
        found |= {
            one.get_name()
            for one in table.get_symbols()
            if one.is_referenced() and (table is outer or one.is_free() or one.is_global())
        }
    return found


def rope_interface(text: str, begin: int, end: int) -> tuple[list[str], list[str]]:
    """The parameters and results of the chosen code, as rope finds them."""
    try:
        # Only here: it takes a third of a second, and only development environments have it.
        from rope.base.project import Project  # noqa: PLC0415
        from rope.refactor.extract import ExtractMethod  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise HandoffError("rope is not installed: run `uv run poe setup`.") from error
    with tempfile.TemporaryDirectory(prefix="handoff-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about rope's own code
        project = Project(folder, ropefolder=None)
        file = project.root.create_file("notebook.py")
        file.write(text)
        changes = ExtractMethod(project, file, begin, end).get_changes("lifted_")
        made = changes.changes[0].new_contents
        project.close()
    for node in parse(made).body:
        if isinstance(node, ast.FunctionDef) and node.name == "lifted_":
            parameters = [one.arg for one in node.args.args]
            returned = node.body[-1].value if isinstance(node.body[-1], ast.Return) else None
            names = returned.elts if isinstance(returned, ast.Tuple) else [returned]
            return parameters, [one.id for one in names if isinstance(one, ast.Name)]
    raise HandoffError("rope has not found the parameters of these cells.")
