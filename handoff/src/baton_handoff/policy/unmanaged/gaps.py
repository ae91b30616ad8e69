"""The gaps of a border that are likeliest to break a handoff, each with the file to begin with."""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from baton_handoff.core.numbers import plural
from baton_handoff.lineage.sources.draft import source_draft, source_name
from baton_handoff.lineage.sources.reads import Read
from baton_handoff.lineage.sources.unofficial import UnofficialSign, unofficial_sign
from baton_handoff.policy.practices.assessment import Gap
from baton_handoff.policy.unmanaged.border import Border, place
from baton_handoff.source_code.modules import Function, Notebook, SourceModule

_MOST = 3
_TYPES = {"int": "int", "float": "float", "str": "str", "bool": "bool"}
_NO_TABLE: tuple[list[str], ...] = ([], ["self"], ["cls"])
"""The first parameter of functions that take no table, or are methods."""

_NOT_FEATURES = ("_", "main", "test", "load", "get", "parse", "read", "save", "set")
"""The beginnings of names of functions that compute no features."""


def gaps(border: Border, failures: tuple[type[Exception], ...]) -> tuple[Gap, ...]:
    """The worst gap of each kind, the worst kinds first; kinds that can't be read are left out."""
    worst = []
    for kind in _KINDS:
        try:
            found = [*kind(border)]
        except failures:
            continue
        if found:
            more = f" ({len(found) - 1} more of this kind)" if len(found) > 1 else ""
            worst.append(replace(found[0], message=f"{found[0].message}{more}"))
    return tuple(worst[:_MOST])


def _on_one_machine(border: Border) -> Iterator[Gap]:
    for read in border.raw:
        if unofficial_sign(read.data) is UnofficialSign.PERSONAL_DRIVE:
            message = f"`{read.function}` reads {read.data}, which exists on one machine or drive."
            yield Gap(message, read.place, "describe it as a source with an owner", *_source(read))


def _without_schema(border: Border) -> Iterator[Gap]:
    for one in border.routes:
        if one.schema is None:
            message = f"{one.path} passes its input to a model without a schema."
            draft = _contract("ModelInput", _trained_columns(border))
            fix = "write the model's input as a contract"
            yield Gap(message, place(one.code, one.function), fix, *draft)


def _unused_schema(border: Border) -> Iterator[Gap]:
    for one in border.routes:
        if one.schema in border.unused_in_training:
            message = (
                f"{one.path} takes `{one.schema}`; the training code does not use it, so a"
                " renamed or retyped column passes unseen."
            )
            draft = _contract(one.schema, _fields(border, one.schema))
            where = place(one.code, one.function)
            yield Gap(message, where, "make it the contract of both", *draft)


def _written_twice(border: Border) -> Iterator[Gap]:
    defined: dict[str, list[tuple[SourceModule, Function]]] = {}
    for code in border.code:
        for function in code.functions if not isinstance(code, Notebook) else ():
            named = not function.name.startswith(_NOT_FEATURES)
            if named and [one.arg for one in function.args.args[:1]] not in _NO_TABLE:
                defined.setdefault(function.name, []).append((code, function))
    served = {one.code.file for one in border.routes}
    for name, places in defined.items():
        files = {code.file for code, _ in places}
        if files & served and files & border.training_files and len(files) > 1:
            where = " and ".join(place(*one) for one in places[:2])
            message = f"`{name}` is written twice, for training and for the service ({where})."
            fix = "one function in features/, which both sides import"
            yield Gap(message, place(*places[0]), fix)


def _untrained(border: Border) -> Iterator[Gap]:
    if border.routes and not border.fits:
        for loaded in border.loads:
            yield Gap(
                "The service loads a model, and no code that trains it was recognised here.",
                place(*loaded),
                "load a registered version, which names the code and the data that it is made of",
            )
            return


def _only_in_notebooks(border: Border) -> Iterator[Gap]:
    in_modules = any(not isinstance(one.code, Notebook) for one in border.fits)
    if border.fits and not in_modules and not border.has_pipeline:
        one = border.fits[0]
        message = f"Only notebooks train a model ({one.name}): no command makes it again."
        fix = "move the cell's code into a function of training/"
        yield Gap(message, place(one.code, one.node), fix)


def _without_owner(border: Border) -> Iterator[Gap]:
    def rank(read: Read) -> tuple[bool, int]:
        return read.file not in border.training_files, -len(border.shared.get(read.data, ()))

    missing = "no owner" if border.has_schemas else "no schema and no owner"
    first: dict[str, Read] = {}
    for read in sorted(border.raw, key=rank):
        first.setdefault(read.data, read)
    for data, read in first.items():
        number = len(border.shared.get(data, [read.file]))
        readers = f"{plural(number, 'file')} {'reads' if number == 1 else 'read'} it"
        message = f"{data} has {missing}; {readers}."
        yield Gap(message, read.place, "describe it as a source", *_source(read))


_KINDS: tuple[Callable[[Border], Iterator[Gap]], ...] = (
    *(_on_one_machine, _without_schema, _unused_schema, _written_twice, _untrained),
    *(_only_in_notebooks, _without_owner),
)
"""Each kind of gap, the worst first."""


def _source(read: Read) -> tuple[str, str]:
    """The path and the text of a source file for the data that is read."""
    table = read.data if read.kind == "table" else ""
    name = source_name(read.data, table=bool(table))
    text = source_draft(name, table=table) if table else source_draft(name, [read.data])
    kept = [line for line in text.splitlines() if not line.startswith("#")]
    return f"data/sources/{name}.odcs.yaml", "\n".join(filter(None, kept))


def _contract(name: str, columns: Mapping[str, str]) -> tuple[str, str]:
    """The path and the text of a drafted contract."""
    lines = [f"    {column}: {kind}" for column, kind in columns.items() if column.isidentifier()]
    lines = lines or ["    # its columns: no list of them was found in the code"]
    text = "\n".join([f"class {name}(pa.DataFrameModel):", *lines])
    text += '\n\n    class Config:\n        metadata = {"version": "1.0.0", "position": "input"}'
    return "contracts/data.py", text


def _fields(border: Border, schema: str) -> dict[str, str]:
    """The fields of a class, with their types as far as a table has them."""
    for code in border.code:
        for node in code.nodes(ast.ClassDef):
            if node.name == schema:
                return {
                    one.target.id: _TYPES.get(ast.unparse(one.annotation), "object")
                    for one in node.body
                    if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
                }
    return {}


def _trained_columns(border: Border) -> dict[str, str]:
    """The columns that the training code selects by name."""
    training = [code for code in border.code if code.file in border.training_files]
    lists = (n.slice for code in training for n in code.nodes(ast.Subscript))
    return {
        one.value: "object"
        for names in lists
        if isinstance(names, ast.List)
        for one in names.elts
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }
