"""The border that a repository has: where a model is trained, stored and served, and its gaps."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from baton_handoff.lineage.sources.reads import Read
from baton_handoff.lineage.sources.unofficial import UnofficialSign, unofficial_sign
from baton_handoff.policy.checks.check_context import CheckContext
from baton_handoff.policy.practices.assessment import Gap
from baton_handoff.policy.unmanaged.code import finding_in, plural
from baton_handoff.policy.unmanaged.data import schema_classes
from baton_handoff.policy.unmanaged.drafts import drafted_contract, drafted_source
from baton_handoff.policy.unmanaged.loads import usage
from baton_handoff.policy.unmanaged.recognised import last_name, rules
from baton_handoff.source_code.modules import Function, Notebook, SourceModule

_MOST = 6
_MOST_GAPS = 3
_FILES_NAMED = 2
_ROUTES = {"get", "post", "put", "route", "api_route", "websocket"}
_WEB = {"fastapi", "flask", "starlette", "litestar", "sanic", "quart", "bentoml"}
_PAGES = {"streamlit": "Streamlit", "gradio": "Gradio"}
_SAVES = {"dump", "save_model", "log_model"}
_LOADS = {"load", "load_model"}
_STORES = {"joblib", "pickle", "dill", "cloudpickle", "torch", "mlflow"}
_PREPARING = re.compile(
    r".*(scaler|encoder|vectori[sz]er|imputer|transformer|binarizer|pca|preprocessor|tokenizer)",
    re.IGNORECASE,
)
"""Names of what is fitted and is no model."""

_TYPES = {"int": "int", "float": "float", "str": "str", "bool": "bool"}


@dataclass(frozen=True)
class _Route:
    """A function of a service, with the class that describes its input, None without one."""

    code: SourceModule
    function: Function
    path: str
    schema: str | None


class BorderReader:
    """Reads the border of a repository; nothing of it is run."""

    def __init__(self, context: CheckContext) -> None:
        self._code = context.code.all
        self._every = usage(context).reads
        self._reads = [read for read in self._every if read.kind != "unknown"]
        self._schemas = {node.name: _place(code, node) for code, node in schema_classes(context)}

    def lines(self) -> Mapping[str, tuple[str, ...]]:
        """What is known of each part of the border, in the repository's own names."""
        served = [
            f"{one.path} in {_place(one.code, one.function)}, "
            + (
                f"input `{one.schema}` ({self._schemas[one.schema]})"
                if one.schema
                else "input without a schema"
            )
            for one in self._routes
        ]
        served += [
            f"a page of {name} in {code.file}"
            for code in self._code
            for package, name in _PAGES.items()
            if package in code.imported_packages
        ]
        parts = {
            "trained": [f"`{what}` in {_place(code, node)}" for code, node, what in self._fits],
            "from": self._sources(),
            "stored": [f"in {_place(code, call)}" for code, call in self._stored(_SAVES)],
            "loaded": [f"in {_place(code, call)}" for code, call in self._stored(_LOADS)],
            "served": served,
            "compared": self._comparisons(),
            "read in several files": [
                f"{data}: {_files(files)}" for data, files in self._shared.items()
            ],
        }
        return {name: _shortened(items) for name, items in parts.items()}

    def gaps(self) -> tuple[Gap, ...]:
        """The gaps that are likeliest to break a handoff, the worst first."""
        found = [*self._machine_gaps(), *self._service_gaps(), *self._double_gaps()]
        found += [*self._model_gaps(), *self._notebook_gaps(), *self._data_gaps()]
        return tuple({gap.message: gap for gap in reversed(found)}.values())[::-1][:_MOST_GAPS]

    def _sources(self) -> list[str]:
        """The data that the training code reads, or else all that modules read."""
        files = self._training_files
        beside = [one for one in self._every if one.file in files] or self._every
        known = [one.data for one in beside if one.kind != "unknown" and not one.made_by]
        unknown = sum(one.kind == "unknown" for one in beside)
        more = [f"{plural(unknown, 'read')} whose place only a run shows"] if unknown else []
        return [*_counted(known)[: _MOST - 1], *more] if files else []

    @cached_property
    def _fits(self) -> list[tuple[SourceModule, ast.Call, str]]:
        """Each place that trains a model, with the name of the model."""
        found = []
        for code in self._code:
            if not code.imported_packages & {*rules()["model_packages"]}:
                continue
            made = {
                target.id: last_name(node.value.func)
                for node in code.nodes(ast.Assign)
                if isinstance(node.value, ast.Call)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            for call in code.nodes(ast.Call):
                if not isinstance(call.func, ast.Attribute):
                    continue
                owner = call.func.value
                name = last_name(owner.func if isinstance(owner, ast.Call) else owner)
                if call.func.attr == "train" and name in ("lgb", "xgb", "lightgbm", "xgboost"):
                    found.append((code, call, f"{name}.train"))
                elif call.func.attr in ("fit", "train") and (
                    call.args or call.keywords or made.get(name, "").endswith("Trainer")
                ):
                    model = made.get(name, name)
                    model = name if model in ("fit", "fit_transform") else model
                    if model and not _PREPARING.match(model) and not _PREPARING.match(name):
                        found.append((code, call, model))
        return found

    @property
    def _training_files(self) -> set[str]:
        return {code.file for code, *_ in self._fits}

    @property
    def _raw(self) -> list[Read]:
        """The reads of data that the code does not make itself."""
        return [read for read in self._reads if not read.made_by]

    @cached_property
    def _routes(self) -> list[_Route]:
        found = []
        for code in self._code:
            if not code.imported_packages & _WEB:
                continue
            for function in code.functions:
                for one in function.decorator_list:
                    if (
                        isinstance(one, ast.Call)
                        and isinstance(one.func, ast.Attribute)
                        and one.func.attr in _ROUTES
                        and one.args
                        and isinstance(one.args[0], ast.Constant)
                        and isinstance(one.args[0].value, str)
                        and _predicts(function)
                    ):
                        verb = one.func.attr.upper() if one.func.attr != "route" else "route"
                        path = f"{verb} {one.args[0].value}"
                        found.append(_Route(code, function, path, self._input(function)))
        return found

    def _input(self, function: Function) -> str | None:
        """The schema that a parameter of a function is annotated with."""
        for argument in (*function.args.args, *function.args.kwonlyargs):
            if argument.annotation:
                for node in ast.walk(argument.annotation):
                    if isinstance(node, ast.Name | ast.Attribute):
                        name = last_name(node)
                        if name in self._schemas:
                            return name
        return None

    def _stored(self, names: set[str]) -> list[tuple[SourceModule, ast.Call]]:
        return [
            (code, call)
            for code in self._code
            if code.imported_packages & {*_STORES, *rules()["model_packages"]}
            for call in code.nodes(ast.Call)
            if last_name(call.func) in names
            and isinstance(call.func, ast.Attribute)
            and (
                last_name(call.func.value) in _STORES
                or last_name(call.func) in ("load_model", "log_model", "save_model")
            )
        ]

    @cached_property
    def _unused_in_training(self) -> list[str]:
        """The schemas of the service that the training code does not use."""
        training = [code for code in self._code if code.file in self._training_files]
        names = {n.id for code in training for n in code.nodes(ast.Name)}
        of_service = dict.fromkeys(one.schema for one in self._routes if one.schema)
        return [schema for schema in of_service if training and schema not in names]

    def _comparisons(self) -> list[str]:
        files = ", ".join(sorted(self._training_files)[:_FILES_NAMED])
        return [
            f"the service's `{schema}` is not used where a model is trained ({files})"
            for schema in self._unused_in_training
        ]

    @cached_property
    def _shared(self) -> dict[str, set[str]]:
        """The data that several files read, and those files."""
        files: dict[str, set[str]] = {}
        for read in self._raw:
            files.setdefault(read.data, set()).add(read.file)
        several = {data: of for data, of in files.items() if len(of) > 1}
        return dict(sorted(several.items(), key=lambda item: -len(item[1])))

    def _machine_gaps(self) -> Iterator[Gap]:
        for read in self._raw:
            if unofficial_sign(read.data) is UnofficialSign.PERSONAL_DRIVE:
                yield Gap(
                    f"`{read.function}` reads {read.data}, which exists on one machine or drive.",
                    read.place,
                    "describe it as a source with an owner",
                    *drafted_source(read),
                )

    def _service_gaps(self) -> Iterator[Gap]:
        for one in self._routes:
            place = _place(one.code, one.function)
            if one.schema is None:
                columns = self._trained_columns()
                message = f"{one.path} passes its input to a model without a schema."
                fix = "write the model's input as a contract"
                yield Gap(message, place, fix, *drafted_contract("ModelInput", columns))
            elif one.schema in self._unused_in_training:
                columns = self._fields(one.schema)
                message = (
                    f"{one.path} takes `{one.schema}`; the training code does not use it, so a"
                    " renamed or retyped column passes unseen."
                )
                fix = "make it the contract of both"
                yield Gap(message, place, fix, *drafted_contract(one.schema, columns))

    def _double_gaps(self) -> Iterator[Gap]:
        defined: dict[str, list[tuple[SourceModule, Function]]] = {}
        for code in self._code:
            for function in code.functions:
                if function.args.args and not function.name.startswith(("_", "main", "test")):
                    first = function.args.args[0].arg
                    if first not in ("self", "cls"):
                        defined.setdefault(function.name, []).append((code, function))
        served = {one.code.file for one in self._routes}
        for name, places in defined.items():
            files = {code.file for code, _ in places}
            if files & served and files & self._training_files and len(files) > 1:
                where = " and ".join(_place(*one) for one in places[:2])
                yield Gap(
                    f"`{name}` is written twice, for training and for the service ({where}).",
                    _place(*places[0]),
                    "one function in features/, which both sides import",
                )

    def _model_gaps(self) -> Iterator[Gap]:
        loaded = self._stored(_LOADS)
        if self._routes and loaded and not self._fits:
            yield Gap(
                "The service loads a model, and no code that trains it was recognised here.",
                _place(*loaded[0]),
                "load a registered version, which names the code and the data that it is made of",
            )

    def _notebook_gaps(self) -> Iterator[Gap]:
        modules = [code for code, *_ in self._fits if not isinstance(code, Notebook)]
        for code, call, what in [] if modules else self._fits[:1]:
            yield Gap(
                f"`{what}` is trained only in notebooks: no command makes the model again.",
                _place(code, call),
                "move the cell's code into a function of training/",
            )

    def _data_gaps(self) -> Iterator[Gap]:
        wanted = sorted(
            self._raw,
            key=lambda one: (
                one.file not in self._training_files,
                -len(self._shared.get(one.data, ())),
            ),
        )
        first: dict[str, Read] = {}
        for read in wanted:
            first.setdefault(read.data, read)
        for read in first.values():
            files = self._shared.get(read.data, {read.file})
            yield Gap(
                f"{read.data} has no schema and no owner; {plural(len(files), 'file')}"
                f" read{'s' if len(files) == 1 else ''} it.",
                read.place,
                "describe it as a source",
                *drafted_source(read),
            )

    def _fields(self, schema: str) -> dict[str, str]:
        """The fields of a class, with their types as far as a table has them."""
        for code in self._code:
            for node in code.nodes(ast.ClassDef):
                if node.name == schema:
                    return {
                        one.target.id: _TYPES.get(ast.unparse(one.annotation), "object")
                        for one in node.body
                        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
                    }
        return {}

    def _trained_columns(self) -> dict[str, str]:
        """The columns that the training code selects by name."""
        found: dict[str, str] = {}
        for code in self._code:
            if code.file in self._training_files:
                for node in code.nodes(ast.Subscript):
                    if isinstance(node.slice, ast.List):
                        for one in node.slice.elts:
                            if isinstance(one, ast.Constant) and isinstance(one.value, str):
                                found.setdefault(one.value, "object")
        return found


def _predicts(function: Function) -> bool:
    """Whether a route is about predictions, by what it calls or what it is called."""
    called = {last_name(n.func) for n in ast.walk(function) if isinstance(n, ast.Call)}
    return any("predict" in name or "score" in name for name in {function.name, *called})


def _place(code: SourceModule, node: ast.stmt | ast.expr) -> str:
    return finding_in(code, node.lineno, "").place


def _counted(items: Iterable[str]) -> list[str]:
    counts = Counter(items)
    return [one if number == 1 else f"{one} ({number} times)" for one, number in counts.items()]


def _files(files: Iterable[str]) -> str:
    notebooks = sum(file.endswith(".ipynb") for file in files)
    others = len([*files]) - notebooks
    parts = [plural(notebooks, "notebook")] * (notebooks > 0)
    return " and ".join([*parts, *[plural(others, "other file")] * (others > 0)])


def _shortened(items: Iterable[str]) -> tuple[str, ...]:
    every = [*dict.fromkeys(items)]
    more = [f"and {len(every) - _MOST} more"] if len(every) > _MOST else []
    return (*every[:_MOST], *more)
