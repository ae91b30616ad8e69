"""Code that a function of features can't carry: it acts on files, plots, or the whole process."""

import ast
from collections.abc import Iterator, Mapping, Sequence

from baton_handoff.lineage.sources.data_access import data_accesses
from baton_handoff.notebooks.patterns import full_name

_DRAWS = "draws a plot"
_FILES = "works with files"
_NETWORK = "uses the network"
_PROCESS = "changes a setting of the whole process"
_CLOCK = "reads the clock, so that it gives another result later"
_KERNEL = "runs a magic or a command of the shell"
_TEXT = "executes text, whose names can't be read"

_MODULES: Mapping[str, str] = {
    **dict.fromkeys(("altair", "bokeh", "folium", "matplotlib", "plotly", "seaborn"), _DRAWS),
    **dict.fromkeys(("glob", "joblib", "os", "pickle", "shutil", "subprocess", "tempfile"), _FILES),
    **dict.fromkeys(("boto3", "ftplib", "httpx", "requests", "socket", "urllib"), _NETWORK),
}
"""Packages by what their functions do."""

_HARMLESS = {"os.path.basename", "os.path.join", "os.path.splitext", "urllib.parse"}

_FUNCTIONS: Mapping[str, str] = {
    **dict.fromkeys(("numpy.random.seed", "random.seed", "numpy.seterr"), _PROCESS),
    **dict.fromkeys(("pandas.set_option", "pandas.reset_option"), _PROCESS),
    **dict.fromkeys(("warnings.filterwarnings", "warnings.simplefilter"), _PROCESS),
    **dict.fromkeys(("sys.path.append", "sys.path.insert", "locale.setlocale"), _PROCESS),
    **dict.fromkeys(("time.time", "time.sleep", "datetime.datetime.now"), _CLOCK),
    **dict.fromkeys(("eval", "exec", "globals", "locals"), _TEXT),
    **dict.fromkeys(("numpy.save", "numpy.savetxt", "numpy.load", "torch.save", "open"), _FILES),
    "get_ipython": _KERNEL,
    "input": "waits for a person",
}

_METHODS: Mapping[str, str] = {
    **dict.fromkeys(("boxplot", "hist", "savefig", "show"), _DRAWS),
    **dict.fromkeys(("now", "today", "utcnow"), _CLOCK),
    **dict.fromkeys(("mkdir", "unlink", "write_bytes", "write_text", "read_text"), _FILES),
}

_SHOWING = {
    *("columns", "count", "describe", "dtypes", "head", "index", "info", "max", "mean", "median"),
    *("min", "nunique", "shape", "size", "sum", "tail", "unique", "value_counts"),
    *("agg", "corr", "group_by", "groupby", "isna", "isnull", "query", "round", "sample", "select"),
    *("sort", "sort_index", "sort_values", "std", "to_list", "tolist"),
}
"""Attributes of a table of which nothing changes it."""

_PURE = {
    "abs",
    "display",
    "len",
    "list",
    "max",
    "min",
    "print",
    "round",
    "sorted",
    "str",
    "sum",
    "type",
}
_SIMPLE = (
    *(ast.Attribute, ast.BinOp, ast.Call, ast.Compare, ast.Constant, ast.FormattedValue),
    *(ast.JoinedStr, ast.List, ast.Name, ast.Slice, ast.Subscript, ast.Tuple, ast.UnaryOp),
    *(ast.expr_context, ast.operator, ast.unaryop, ast.cmpop),
)


def only_shows(statement: ast.stmt) -> bool:
    """Whether a statement does nothing but show or print a value."""
    if not isinstance(statement, ast.Expr):
        return False
    for node in ast.walk(statement.value):
        if not isinstance(node, _SIMPLE):
            return False
        match node:
            case ast.Call(func=ast.Name(id=name)) if name not in _PURE:
                return False
            case ast.Call(func=ast.Attribute(attr=name), keywords=keywords):
                if name not in _SHOWING or any(one.arg == "inplace" for one in keywords):
                    return False
    return True


def effects(body: Sequence[ast.stmt], imports: Mapping[str, str]) -> Iterator[tuple[int, str, str]]:
    """What code does besides computing values from its inputs.

    Yields:
        The line, the code, and what it does.
    """
    packages = {name.partition(".")[0] for name in imports.values()}
    for node in (node for statement in body for node in ast.walk(statement)):
        if reason := _effect(node, imports, packages):
            line: int = node.lineno  # type: ignore[attr-defined]
            yield line, ast.unparse(node).partition("\n")[0][:60], reason


def _effect(node: ast.AST, imports: Mapping[str, str], packages: set[str]) -> str:  # noqa: PLR0911 - one `case` a kind
    match node:
        case ast.Call():
            return _call(node, imports, packages)
        case ast.Global():
            return "changes variables of the notebook"
        case ast.Delete(targets=targets) if any(isinstance(one, ast.Name) for one in targets):
            return "deletes a variable of the notebook"
        case ast.Await() | ast.AsyncFor() | ast.AsyncWith():
            return "waits for something outside the notebook"
        case ast.Assign(targets=targets) if any(_is_setting(one, imports) for one in targets):
            return _PROCESS
        case ast.ImportFrom(names=[ast.alias(name="*")]):
            return "imports names that can't be read"
    return ""


def _call(call: ast.Call, imports: Mapping[str, str], packages: set[str]) -> str:  # noqa: PLR0911
    name = full_name(call.func, imports) or ""
    if name.startswith(tuple(_HARMLESS)):
        return ""
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    root = name.partition(".")[0]
    if root in _MODULES and root in packages:
        return _MODULES[root]
    if accesses := data_accesses(call, packages):
        return "writes data" if accesses[0].writes else "reads data"
    match call.func:
        case ast.Attribute(value=ast.Attribute(attr="plot")) | ast.Attribute(attr="plot"):
            return _DRAWS
        case ast.Attribute(attr=method):
            return _METHODS.get(method, "")
    return ""


def _is_setting(target: ast.expr, imports: Mapping[str, str]) -> bool:
    """Whether an assignment changes an attribute of a module."""
    while isinstance(target, ast.Subscript):
        target = target.value
    parts = 0
    while isinstance(target, ast.Attribute):
        target, parts = target.value, parts + 1
    return parts > 0 and isinstance(target, ast.Name) and target.id in imports
