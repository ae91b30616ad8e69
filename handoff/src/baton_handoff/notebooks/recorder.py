"""What runs inside the kernel of a notebook: it records the inputs and results of chosen cells.

Only types, digests, numbers of rows and synthetic values leave the kernel.
"""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from baton_handoff.notebooks import characterisation, plain_tables, samples
from baton_handoff.notebooks.observed_types import annotation, contracts_by_import, observing
from baton_handoff.notebooks.patterns import code_values

_UNORDERED = {"group_by", "join", "partition_by", "pivot", "unique", "value_counts"}
"""Methods of Polars that promise no order of the rows."""

_inputs: dict[str, Any] = {}
"""Copies of the inputs, as they are before the chosen cells."""

_originals: dict[str, Any] = {}
"""The inputs themselves, which the cells may change in place."""


def call(function: str, folder: str) -> None:
    """Call a function of this module with the arguments in a folder, and write its answer there."""
    arguments = json.loads(Path(folder, "arguments.json").read_text(encoding="utf-8"))
    names = __import__("IPython").get_ipython().user_ns
    answer = _FUNCTIONS[function](names, **arguments)
    Path(folder, "answer.json").write_text(json.dumps(answer), encoding="utf-8")


def start(names: Mapping[str, Any], inputs: Sequence[str]) -> dict[str, str]:
    """Copy the inputs before the chosen cells run.

    Returns:
        For each input that is not there or can't be recorded its type, empty if it isn't there.
    """
    _inputs.clear()
    unknown = unrecordable(names, inputs)
    for name in inputs:
        if name not in unknown:
            _inputs[name] = copy.deepcopy(names[name])
            _originals[name] = names[name]
    return unknown


def unrecordable(names: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, str]:
    """The types of the variables that are no tables or plain values, empty if one isn't there."""
    return {
        name: type(names[name]).__name__ if name in names else ""
        for name in wanted
        if name not in names or plain_tables.as_table(names[name]) is None
    }


def inputs_after(names: Mapping[str, Any], package: str, code: str) -> dict[str, Any]:
    """What the chosen cells did to the inputs, and samples of these."""
    contracts = contracts_by_import(package)
    seen = {}
    for name, before in _inputs.items():
        original = _originals[name]
        seen[name] = {
            **_description(before, contracts),
            "kind": type(before).__module__.partition(".")[0] + "." + type(before).__name__,
            "changed_in_place": plain_tables.as_table(original) != plain_tables.as_table(before),
            "aliases": [
                other
                for other, value in names.items()
                if value is original and other != name and not other.startswith("_")
            ],
        }
    try:
        made: Any = _samples(_inputs, code)
    except samples.UnknownKindError as error:
        return {"inputs": seen, "unknown": [error.name, error.kind]}
    return {"inputs": seen, "samples": made}


def results_after(
    names: Mapping[str, Any], results: Sequence[str], package: str, code: str
) -> dict[str, Any]:
    """The results of the chosen cells: types and digests, of an unknown kind only the type."""
    contracts = contracts_by_import(package)
    found: dict[str, Any] = {}
    for name in results:
        table = _table(names.get(name), code)
        if table is None:
            found[name] = {"unknown": type(names.get(name)).__name__}
            continue
        by_column = {one: plain_tables.digest(table.select([one])) for one in table.column_names}
        found[name] = {**_description(names[name], contracts), "by_column": by_column}
    return found


def check(  # noqa: PLR0913, PLR0917 - called with the keys of a JSON object
    names: Mapping[str, Any],
    source: str,
    cells: str,
    lifted: str,
    results: Sequence[str],
    made: Sequence[Mapping[str, Any]],
    helpers: Sequence[str],
) -> dict[str, Any]:
    """Compare a lifted function with the cells, on the data and on a sample.

    Args:
        names: The names of the notebook after the cells.
        source: The module with the function.
        cells: The code of the cells with all that it needs.
        lifted: The name of the function.
        results: The names of its results.
        made: The samples.
        helpers: The names of the functions beside it.

    Returns:
        Either `different`, a sentence for a result that differs; or the index and results of the
        first `sample` with which it runs, the `random` columns and the `signatures` of the helpers;
        or the `error` of the last sample.
    """
    space: dict[str, Any] = {"__name__": "lifted"}
    exec(compile(source, "lifted", "exec"), space)  # noqa: S102 - the code of the notebook
    function: Callable[..., Any] = space[lifted]
    runs = [_results(function, copy.deepcopy(_inputs), results) for _ in range(2)]
    random = _differing(runs[0], runs[1], cells)
    by_cells = {name: names[name] for name in results}
    if wrong := sorted({*_differing(by_cells, runs[0], cells)} - {*random}):
        return {"different": wrong[0]}
    error = ""
    for number, inputs in enumerate(made):
        try:
            codes = {getattr(space[name], "__code__", None): name for name in helpers}
            with observing(codes.get) as signatures:
                ours = characterisation.computed(function, inputs, results)
            cells_space: dict[str, Any] = {"__name__": "cells"}
            cells_space |= {name: characterisation.build(one) for name, one in inputs.items()}
            exec(compile(cells, "cells", "exec"), cells_space)  # noqa: S102
        except Exception as raised:  # noqa: BLE001 - whatever the notebook's code raises
            error = f"{type(raised).__name__}: {raised}"
            continue
        theirs = {name: cells_space[name] for name in results}
        again = characterisation.computed(function, inputs, results)
        random += [one for one in _differing(ours, again, cells) if one not in random]
        if wrong := sorted({*_differing(theirs, ours, cells)} - {*random}):
            return {"different": wrong[0]}
        return {
            "sample": number,
            "results": {name: _columns(name, value, random, cells) for name, value in ours.items()},
            "random": random,
            "any_order": [name for name, value in ours.items() if _is_unordered(value, cells)],
            "signatures": {
                name: [
                    {one: [kind.code, *sorted(kind.imports)] for one, kind in arguments.items()},
                    [returned.code, *sorted(returned.imports)],
                ]
                for name, (arguments, returned) in signatures.items()
            },
        }
    return {"error": error}


def tables(names: Mapping[str, Any], folder: str) -> dict[str, tuple[str, bool]]:
    """Write every table and plain value with which a notebook ends to a folder.

    Returns:
        For each by its name the file, and whether it is a table of Polars.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - only a comparison needs it

    written: dict[str, tuple[str, bool]] = {}
    for number, (name, value) in enumerate(sorted(names.items())):
        if name.startswith("_") or name in ("In", "Out", "exit", "quit") or callable(value):
            continue
        if (table := plain_tables.as_table(value)) is not None and table.num_columns:
            written[name] = f"{number}.parquet", type(value).__module__.startswith("polars")
            pq.write_table(table, Path(folder, written[name][0]))
    return written


def _description(value: object, contracts: Mapping[str, Any]) -> dict[str, Any]:
    table = plain_tables.as_table(value)
    of = annotation(value, contracts)
    is_table = hasattr(value, "columns")
    return {
        "type": of.code,
        "imports": sorted(of.imports),
        "columns": table.column_names if is_table and table is not None else [],
        "rows": table.num_rows if table is not None else 0,
        "sha256": plain_tables.digest(table) if table is not None else "",
    }


def _results(
    function: Callable[..., Any], inputs: Mapping[str, Any], results: Sequence[str]
) -> dict[str, Any]:
    value = function(**inputs)
    return dict(zip(results, value if len(results) > 1 else (value,), strict=True))


def _is_unordered(value: object, code: str) -> bool:
    """Whether the code may give the rows of a table in any order, as Polars does in groups."""
    is_polars = type(value).__module__.partition(".")[0] == "polars"
    return is_polars and bool(_UNORDERED & code_values(code)[2])


def _table(value: object, code: str) -> pa.Table | None:
    table = plain_tables.as_table(value)
    unordered = table is not None and _is_unordered(value, code)
    return plain_tables.in_one_order(table) if unordered else table


def _columns(name: str, value: object, random: Sequence[str], code: str) -> dict[str, Any]:
    table = _table(value, code)
    if table is None:
        raise TypeError(f"{name} is a {type(value).__name__}")
    left_out = [one for one in table.column_names if f"{name}.{one}" in random]
    return plain_tables.to_json(table.drop_columns(left_out))


def _differing(before: Mapping[str, Any], after: Mapping[str, Any], code: str) -> list[str]:
    """The columns in which results differ, each as `name.column`."""
    found = []
    for name, value in before.items():
        one, other = _table(value, code), _table(after[name], code)
        if one is None or other is None:
            found.append(f"{name}.")
            continue
        if {*one.column_names} != {*other.column_names} or one.num_rows != other.num_rows:
            found += [f"{name}.{column}" for column in one.column_names]
            continue
        found += [
            f"{name}.{column}"
            for column in one.column_names
            if plain_tables.first_difference(one.select([column]), other.select([column]))
        ]
    return found


def _samples(inputs: Mapping[str, Any], code: str) -> Sequence[dict[str, dict[str, Any]]]:
    """Several samples of the same inputs; the first with which the code runs is the best.

    Raises:
        UnknownKindError: An input is of a kind that can't be made.
    """
    names = [
        str(column)
        for value in inputs.values()
        for column in getattr(value, "columns", ())
        if type(value).__name__ != "LazyFrame"
    ]
    made = []
    for seed, strict in enumerate((False, True, False, True)):
        sampler = samples.Sampler(code, names, strict=strict, seed=seed)
        # Tables first: a plain value may have to be one of theirs.
        ordered = sorted(inputs, key=lambda one: plain_tables.is_plain(inputs[one]))
        by_name = {name: sampler.sample(name, inputs[name]) for name in ordered}
        made.append({name: by_name[name] for name in inputs})
    return made


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "start": start,
    "inputs_after": inputs_after,
    "results_after": results_after,
    "check": check,
    "tables": tables,
    "unrecordable": unrecordable,
}
