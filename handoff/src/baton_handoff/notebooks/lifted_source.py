"""What a lift writes: the module with the function, the notebook that calls it, a test."""

import ast
import json
import re
import subprocess
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from baton_handoff.contracts.generated_source import format_source
from baton_handoff.core.errors import HandoffError
from baton_handoff.notebooks.extraction import Extraction, indented, moved_name
from baton_handoff.notebooks.target import Target
from baton_handoff.source_code.modules import Notebook, first_line, parse

_COPIES = {
    "pandas.DataFrame": "copy",
    "pandas.Series": "copy",
    "polars.DataFrame": "clone",
    "polars.Series": "clone",
    "numpy.ndarray": "copy",
    "builtins.dict": "copy",
    "builtins.list": "copy",
    "builtins.set": "copy",
}
"""The method that copies a value, for the types that code may change in place."""


@dataclass(frozen=True)
class Lifted:
    """A function made of cells.

    Attributes:
        extraction: Its parts.
        target: Its place.
        origin: The cells and the notebook, in words.
        inputs: What was observed of each parameter.
        results: What was observed of each result.
        signatures: The types of the functions beside it, as `recorder.check` returns them.
    """

    extraction: Extraction
    target: Target
    origin: str
    inputs: Mapping[str, Any]
    results: Mapping[str, Any]
    signatures: Mapping[str, Any]

    @property
    def imports(self) -> list[str]:
        """The import statements of the code and of its types."""
        found = {*self.extraction.imports}
        for seen in (*self.inputs.values(), *self.results.values()):
            found |= {*seen["imports"]}
        for arguments, returned in self.signatures.values():
            found |= {one for kind in (*arguments.values(), returned) for one in kind[1:]}
        return sorted(found)

    @property
    def definitions(self) -> dict[str, str]:
        """The code of the functions, classes and constants beside the function, by name."""
        return {
            moved_name(one): ast.unparse(_with_types(one, self.signatures.get(moved_name(one))))
            for one in self.extraction.moved
        }

    @property
    def function(self) -> str:
        """The code of the function."""
        given = [f"{name}: {seen['type']}" for name, seen in self.inputs.items()]
        types = [seen["type"] for seen in self.results.values()]
        returned = types[0] if len(types) == 1 else f"tuple[{', '.join(types)}]"
        if '"' in returned:  # a type that Python can't evaluate when it runs
            returned = '"' + returned.replace('"', "") + '"'
        head = f"def {self.target.function}({', '.join(given)}) -> {returned}:"
        copies = [
            f"{name} = {name}.{_COPIES[seen['kind']]}()"
            for name, seen in self.inputs.items()
            if seen["changed_in_place"] and seen["kind"] in _COPIES
        ]
        body = [*copies, *self.extraction.body, f"return {', '.join(self.results)}"]
        return "\n".join([head, *indented_docstring(self._docstring()), *indented(body)]) + "\n"

    def module(self, before: str) -> str:
        """The module with the function, after what it has already."""
        own = parse(before)
        present = {moved_name(one): ast.dump(one) for one in own.body if moved_name(one)}
        new = [
            code
            for name, code in self.definitions.items()
            if present.get(name) != ast.dump(parse(code).body[0])
        ]
        text = before or f'"""From {self.origin.partition(" of ")[2]}."""\n'
        lines = text.splitlines()
        imports = [one for one in own.body if isinstance(one, ast.Import | ast.ImportFrom)]
        place = max((one.end_lineno or 0 for one in imports), default=_docstring_end(parse(text)))
        lines[place:place] = self.imports if imports else ["", *self.imports]
        return _sorted_imports("\n".join([*lines, "", "", *new, "", self.function]))

    def call(self) -> str:
        """The code of the cell that calls the function."""
        names = ", ".join([self.target.function, *self.extraction.used_elsewhere])
        targets = ", ".join(self.results)
        call = f"{targets} = {self.target.function}({', '.join(self.inputs)})"
        shown = ["", self.extraction.shown] if self.extraction.shown else []
        return "\n".join([f"from {self.target.module} import {names}", "", call, *shown])

    def _docstring(self) -> list[str]:
        code = "\n".join(self.extraction.body)
        texts = {
            node.value
            for node in ast.walk(parse(code))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        lines = [f'"""Compute what {self.origin} computed.', ""]
        if self.inputs:
            about = (line for one in self.inputs.items() for line in _wrapped(_about(*one, texts)))
            lines += ["Args:", *about, ""]
        if len(self.results) == 1:
            (one,) = self.results.items()
            text = "    " + _about(*one, texts).partition(": ")[2]
            return [*lines, "Returns:", *_wrapped(text, "    "), '"""']
        about = (line for one in self.results.items() for line in _wrapped(_about(*one, texts)))
        return [*lines, "Returns:", *about, '"""']


def indented_docstring(lines: Sequence[str]) -> list[str]:
    """The lines of a docstring in the block of its function."""
    return [f"    {line}".rstrip() for line in lines]


def _wrapped(text: str, further: str = "        ") -> list[str]:
    """A line of a docstring in the width of projects, where the function indents it."""
    return textwrap.wrap(text, 96, subsequent_indent=further)


def _about(name: str, seen: Mapping[str, Any], texts: set[str]) -> str:
    used = [f"`{column}`" for column in seen["columns"] if column in texts]
    if seen["columns"]:
        with_columns = f" with {', '.join(used[:8])}" if used else ""
        more = " and more" * (len(used) > 8)
        return f"    {name}: A table{with_columns}{more}."
    kinds = {"float": "A number", "int": "A whole number", "str": "A text", "bool": "A truth value"}
    return f"    {name}: {kinds.get(seen['type'], 'Values of ' + seen['type'].strip(chr(34)))}."


def _with_types(statement: ast.stmt, signature: Any) -> ast.stmt:
    """A function with the observed types where it states none."""
    made = parse(ast.unparse(statement)).body[0]
    if not (isinstance(made, ast.FunctionDef) and signature):
        return made
    arguments, returned = signature
    for one in [*made.args.posonlyargs, *made.args.args, *made.args.kwonlyargs]:
        if one.annotation is None and one.arg in arguments:
            one.annotation = ast.parse(arguments[one.arg][0], mode="eval").body
    if made.returns is None:
        made.returns = ast.parse(returned[0], mode="eval").body
    if ast.get_docstring(made) is None:
        words = made.name.strip("_").replace("_", " ")
        made.body.insert(0, ast.Expr(ast.Constant(f"{words[:1].upper()}{words[1:]}.")))
    return ast.fix_missing_locations(made)


def _docstring_end(tree: ast.Module) -> int:
    return tree.body[0].end_lineno or 0 if ast.get_docstring(tree) is not None else 0


def _sorted_imports(source: str) -> str:
    """Source with merged and sorted imports, formatted."""
    done = subprocess.run(
        ["ruff", "check", "--isolated", "--quiet", "--fix", "--select", "I,F811", "-"],
        input=source,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if not done.stdout:
        raise HandoffError(f"ruff can't sort the imports: {done.stderr.strip()}")
    return format_source(done.stdout)


def test_source(target: Target, origin: str) -> str:
    """The characterisation test of a lifted function."""
    name = target.function
    return format_source(f'''"""`{name}` computes what {origin} computed.

The sample beside this file is synthetic: it contains no row of the data. The test is about what
the code did, right or wrong. If the function is to compute something else, write a test of your
own instead.
"""

from pathlib import Path

from baton_handoff.notebooks.characterisation import differences

from {target.module} import {name}

SAMPLE = Path(__file__).with_name("lifted_{name}.json")


def test_{name}_computes_what_the_cells_computed() -> None:
    assert differences({name}, SAMPLE) == []
''')


def notebook_with_call(text: str, notebook: Notebook, first: int, last: int, lifted: Lifted) -> str:
    """The notebook with the chosen cells replaced by the call.

    Raises:
        HandoffError: It has an old format.
    """
    content = json.loads(text)
    if "worksheets" in content:
        raise HandoffError(f"{notebook.file} has an old format: open it in Jupyter and save it.")
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    gone = code[first:last]
    for number in range(1, first):
        source = _without_moved(notebook, number, lifted)
        if source is not None:
            code[number - 1]["source"] = source.splitlines(keepends=True)
            gone += [code[number - 1]] * (not source.strip())
    call = "\n".join([*_kept_imports(notebook, first, last), lifted.call()])
    code[first - 1] |= {
        "source": call.splitlines(keepends=True),
        "outputs": [],
        "execution_count": None,
    }
    content["cells"] = [cell for cell in content["cells"] if not any(cell is one for one in gone)]
    indent = re.match(r"\{\r?\n(\s+)", text)
    changed = json.dumps(content, indent=indent[1] if indent else None, ensure_ascii=False)
    return changed + "\n" * text.endswith("\n")


def _without_moved(notebook: Notebook, number: int, lifted: Lifted) -> str | None:
    """A cell's source without moved definitions; None if it has none."""
    start = notebook.cells[number - 1]
    lines = notebook.code[number - 1].source.split("\n")
    changed = False
    for statement in reversed(lifted.extraction.moved):
        if notebook.cell(statement.lineno) != number:
            continue
        changed = True
        begin, end = first_line(statement) - start, (statement.end_lineno or 0) - start + 1
        name = moved_name(statement)
        is_used = name in lifted.extraction.used_elsewhere
        lines[begin:end] = [f"from {lifted.target.module} import {name}"] * is_used
    return "\n".join(lines).strip("\n") if changed else None


def _kept_imports(notebook: Notebook, first: int, last: int) -> list[str]:
    """The imports in the chosen cells that other cells need."""
    outside: list[ast.stmt] = []
    inside: list[ast.stmt] = []
    for statement in notebook.tree.body:
        is_chosen = first <= notebook.cell(statement.lineno) <= last
        (inside if is_chosen else outside).append(statement)
    read = {node.id for one in outside for node in ast.walk(one) if isinstance(node, ast.Name)}
    return [
        ast.unparse(statement)
        for statement in inside
        if isinstance(statement, ast.Import | ast.ImportFrom)
        and any((a.asname or a.name.partition(".")[0]) in read for a in statement.names)
    ]
