"""Training that sees what the model will not have: rows of the test, the target, the future."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from baton_handoff.notebooks.flow import CROSS, SPLIT, Flow, is_split_result, loaded, mentions
from baton_handoff.notebooks.patterns import parse_pattern
from baton_handoff.notebooks.rules import Code, Match, shown, text_of

_FITTED = {"fit", "fit_resample", "fit_transform"}
_STATISTICS = {"max", "mean", "median", "min", "mode", "quantile", "std", "var"}
_UNCHANGED = {
    *("assign", "astype", "bfill", "convert_dtypes", "copy", "drop_duplicates", "dropna", "ffill"),
    *("fillna", "head", "interpolate", "join", "merge", "query", "reset_index", "round", "sample"),
    *("select_dtypes", "sort_index", "sort_values", "tail", "to_numpy", "values"),
}
"""Methods after which a table still has its columns."""

_TRAINING = [parse_pattern(f"{name}(...)") for name in sorted({SPLIT, "fit"} | CROSS)]
_TIME = re.compile(r"date|time|day|month|year|timestamp|^ts$|_at$", re.IGNORECASE)


Analysis = Callable[[Flow], Iterator[Match]]


def _in_each_scope(analysis: Analysis) -> Callable[[Code], Iterator[Match]]:
    def run(code: Code) -> Iterator[Match]:
        # Most files neither split rows nor fit a model.
        if any(code.candidates(one) for one in _TRAINING):
            for scope in code.scopes:
                yield from analysis(Flow(scope, code.imports))

    run.__doc__ = analysis.__doc__
    return run


@_in_each_scope
def fits_before_split(flow: Flow) -> Iterator[Match]:
    """Transformers that learn from all rows before the split."""
    for call in flow.calls:
        match call.func:
            case ast.Attribute(value=learner, attr=name) if (
                name in _FITTED
                and flow.split
                and call.lineno < flow.split.lineno
                and (len(call.args) == 1 or (name != "fit" and call.args))
                and _reaches_split(flow, call)
            ):
                words = {
                    "learner": shown(learner, 40),
                    "method": name,
                    "rows": shown(call.args[0], 40),
                    "split": flow.name_of(flow.split),
                }
                yield Match(call.lineno, words)


def _reaches_split(flow: Flow, call: ast.Call) -> bool:
    """Whether the split separates the rows that a call learns from, not others of the same name."""
    split = flow.split.lineno if flow.split else 0
    for name in loaded(call.args[0]) & flow.all_rows:
        last = flow.value_before(name, split)
        if last is None or last[0] <= call.lineno or mentions(last[1], name):
            return True
    return False


@_in_each_scope
def statistics_before_split(flow: Flow) -> Iterator[Match]:
    """Columns that are filled or scaled with a statistic of all rows before the split."""
    lines = set()
    for node in flow.scope.nodes:
        if not isinstance(node, ast.Assign) or not flow.split or node.lineno >= flow.split.lineno:
            continue
        for statistic in (one for one in ast.walk(node.value) if isinstance(one, ast.Call)):
            match statistic.func:
                case ast.Attribute(value=values, attr=name) if (
                    name in _STATISTICS
                    and loaded(values) & flow.all_rows
                    and _is_applied(node.value, statistic)
                    and node.lineno not in lines
                ):
                    lines.add(node.lineno)
                    words = {"values": shown(values, 40), "statistic": name}
                    yield Match(node.lineno, {**words, "split": flow.name_of(flow.split)})


def _is_applied(value: ast.expr, statistic: ast.Call) -> bool:
    """Whether a statistic fills or scales the values themselves."""
    for node in ast.walk(value):
        match node:
            case ast.Call(func=ast.Attribute(attr="fillna" | "clip" | "replace"), args=arguments):
                inside = [*arguments, *(keyword.value for keyword in node.keywords)]
            case ast.BinOp(op=ast.Sub() | ast.Div(), left=left, right=right):
                # `t["a"] - t["a"].mean()`, and not `t["a"].max() - t["a"].min()` alone.
                if any(one is statistic for one in ast.walk(left)):
                    continue
                inside = [right]
            case _:
                continue
        if any(one is statistic for argument in inside for one in ast.walk(argument)):
            return True
    return False


@_in_each_scope
def target_in_features(flow: Flow) -> Iterator[Match]:
    """The target is a column of the features."""
    seen = set()
    for call in flow.calls:
        is_fit = isinstance(call.func, ast.Attribute) and call.func.attr == "fit"
        if not (is_fit or flow.name_of(call) == SPLIT) or len(call.args) < 2:
            continue
        target = column_of(flow, call.args[1], call.lineno)
        features = columns_of(flow, call.args[0], call.lineno)
        if target is None or features is None or target in seen:
            continue
        table, column, popped = target
        if features.table == table and features.contains(column) and not popped:
            seen.add(target)
            words = {"features": shown(call.args[0], 40), "target": column, "table": table}
            yield Match(features.line or call.lineno, words)


@dataclass
class Columns:
    """The columns of features: those of a table, all but some, or only some."""

    table: str
    dropped: frozenset[str] = frozenset()
    chosen: frozenset[str] | None = None
    line: int = 0

    def contains(self, column: str) -> bool:
        return column not in self.dropped and (self.chosen is None or column in self.chosen)


def column_of(flow: Flow, node: ast.expr, line: int) -> tuple[str, str, bool] | None:  # noqa: PLR0911 - one `case` a form
    """The table and the column that an expression takes, and whether it removes it there."""
    match node:
        case ast.Subscript(value=ast.Name(id=table), slice=ast.Constant(value=str(column))):
            return table, column, _is_removed(flow, table, column, line)
        case ast.Subscript(value=ast.Name(id=table), slice=ast.Name(id=name)):
            value = flow.value_before(name, line)
            if value and isinstance(value[1], ast.Constant) and isinstance(value[1].value, str):
                return table, value[1].value, _is_removed(flow, table, value[1].value, line)
        case ast.Attribute(value=ast.Name(id=table), attr=column) if column not in _UNCHANGED:
            return table, column, _is_removed(flow, table, column, line)
        case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in _UNCHANGED:
            return column_of(flow, inner, line)
        case ast.Attribute(value=inner):
            return column_of(flow, inner, line)
        case ast.Name(id=name):
            value = flow.value_before(name, line)
            if value and not is_split_result(value[1]) and not mentions(value[1], name):
                return column_of(flow, value[1], line)
    return None


def _is_removed(flow: Flow, table: str, column: str, line: int) -> bool:
    """Whether a table loses a column before a line, in place or by a new value of its name."""
    for node in flow.scope.nodes:
        if getattr(node, "lineno", line) > line:
            continue
        match node:
            case ast.Delete(targets=[ast.Subscript(value=ast.Name(id=one), slice=key)]):
                removed = one == table and text_of(key) == column
            case ast.Call(func=ast.Attribute(value=ast.Name(id=one), attr="pop"), args=[key]):
                removed = one == table and text_of(key) == column
            case ast.Call(func=ast.Attribute(value=ast.Name(id=one), attr="drop")):
                in_place = any(keyword.arg == "inplace" for keyword in node.keywords)
                removed = in_place and one == table and column in texts_in(flow, node, line)
            case _:
                continue
        if removed:
            return True
    return False


def columns_of(flow: Flow, node: ast.expr, line: int) -> Columns | None:  # noqa: PLR0911 - one `case` a form
    """The columns of a table of features, None if they are not known."""
    match node:
        case ast.Name(id=name):
            value = flow.value_before(name, line)
            if value is None or _is_new_table(value[1]) or _is_part_of_itself(name, value[1]):
                return Columns(name)
            if is_split_result(value[1]):
                return None
            found = columns_of(flow, value[1], value[0])
            if found and not found.line:
                found.line = value[0] if found.dropped or found.chosen is not None else 0
            return found
        case ast.Call(func=ast.Attribute(value=inner, attr="drop")):
            found, names = columns_of(flow, inner, line), texts_in(flow, node, line)
            if found is None or not names:
                return None
            return Columns(found.table, found.dropped | names, found.chosen, line)
        case ast.Subscript(value=inner, slice=ast.List() | ast.Name() | ast.BinOp() as index):
            found, names = columns_of(flow, inner, line), texts_in(flow, index, line)
            return Columns(found.table, found.dropped, names, line) if found and names else None
        case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in _UNCHANGED:
            return columns_of(flow, inner, line)
        case ast.Attribute(value=inner, attr="values"):
            return columns_of(flow, inner, line)
        case ast.Call(func=ast.Attribute(attr="fit_transform" | "transform"), args=[first, *_]):
            return columns_of(flow, first, line)
        case ast.Call(args=[first, *_]) if flow.name_of(node) in {"get_dummies", "DataFrame"}:
            return columns_of(flow, first, line)
    return None


def _is_new_table(value: ast.expr) -> bool:
    """Whether an expression makes a table: a read, or anything but a part of another one."""
    match value:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name.startswith(("read", "load", "merge", "join", "concat", "add_"))
    return False


def _is_part_of_itself(name: str, value: ast.expr) -> bool:
    """Whether a value is a table of the same name with other rows, as in `t = t[t.a > 0]`."""
    while isinstance(value, ast.Call | ast.Attribute | ast.Subscript):
        match value:
            case ast.Call(func=ast.Attribute(attr=method)) if method not in _UNCHANGED:
                return False
            case ast.Subscript(slice=ast.List() | ast.Name() | ast.Constant()):
                return False
        value = value.func if isinstance(value, ast.Call) else value.value
    return isinstance(value, ast.Name) and value.id == name


def texts_in(flow: Flow, node: ast.expr, line: int) -> frozenset[str]:
    """The texts in an expression, also in lists that it names; empty if some are not known."""
    found: set[str] = set()
    parts = [node]
    if isinstance(node, ast.Call):
        parts = [*node.args, *(k.value for k in node.keywords if k.arg in ("columns", "labels"))]
    for part in parts:
        match part:
            case ast.Constant(value=str(text)):
                found.add(text)
            case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
                found |= {text_of(one) for one in elements if isinstance(one, ast.Constant)}
                if any(isinstance(one, ast.Name) for one in elements):
                    for one in elements:
                        found |= texts_in(flow, one, line) if isinstance(one, ast.Name) else set()
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                sides = texts_in(flow, left, line), texts_in(flow, right, line)
                found |= sides[0] | sides[1]
            case ast.Name(id=name) if value := flow.value_before(name, line):
                found |= texts_in(flow, value[1], value[0])
    return frozenset(found)


@_in_each_scope
def shuffled_time(flow: Flow) -> Iterator[Match]:
    """A split that shuffles rows which have a time."""
    split = flow.split
    if split is None or flow.name_of(split) != SPLIT:
        return
    options = {keyword.arg: keyword.value for keyword in split.keywords}
    shuffle = options.get("shuffle")
    if isinstance(shuffle, ast.Constant) and shuffle.value is False:
        return
    for node in flow.scope.nodes:
        if getattr(node, "lineno", split.lineno) >= split.lineno:
            continue
        if found := _time_column(flow, node):
            table, column = found
            yield Match(split.lineno, {"table": table, "column": column})
            return


def _time_column(flow: Flow, node: ast.AST) -> tuple[str, str] | None:
    """The table and the column of a time that a statement makes, reads or sorts by."""
    match node:
        case ast.Assign(
            targets=[
                ast.Subscript(value=ast.Name(id=table), slice=ast.Constant(value=str(column)))
            ],
            value=ast.Call() as call,
        ) if flow.name_of(call) == "to_datetime" and table in flow.all_rows:
            return table, column
        case ast.Assign(targets=[ast.Name(id=table)], value=ast.Call(keywords=keywords)) if (
            table in flow.all_rows
        ):
            dates = [one.value for one in keywords if one.arg == "parse_dates"]
            if dates and (columns := texts_in(flow, dates[0], node.lineno)):
                return table, min(columns)
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id=table), attr="sort_values"), args=[by, *_]
        ) if table in flow.all_rows:
            times = [one for one in texts_in(flow, by, node.lineno) if _TIME.search(one)]
            return (table, min(times)) if times else None
    return None


@_in_each_scope
def scored_on_training(flow: Flow) -> Iterator[Match]:
    """A model that is judged only by the rows that it was trained on."""
    fits = {}
    judged: dict[str, list[tuple[ast.Call, str]]] = {}
    for call in flow.calls:
        if flow.name_of(call) in CROSS and call.args:
            judged.setdefault(shown(call.args[0]), []).append((call, "other rows"))
        match call:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=model), attr="fit"), args=[x, _, *_]
            ):
                fits[model] = ast.dump(x)
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Name(id=model), attr="score" | "predict" | "predict_proba"
                ),
                args=[x, *_],
            ):
                judged.setdefault(model, []).append((call, ast.dump(x)))
    for model, rows in fits.items():
        places = judged.get(model, [])
        if places and all(one == rows for _, one in places):
            call = places[0][0]
            yield Match(call.lineno, {"model": model, "rows": shown(call.args[0], 40)})
