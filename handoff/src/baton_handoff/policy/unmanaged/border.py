"""The border that a repository has: where a model is trained, stored, loaded and served."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from baton_handoff.core.numbers import plural
from baton_handoff.lineage.sources.reads import Read
from baton_handoff.policy.checks.check_context import CheckContext
from baton_handoff.policy.unmanaged.code import finding_in
from baton_handoff.policy.unmanaged.data import schema_classes, schemas
from baton_handoff.policy.unmanaged.loads import BUNDLED, CATALOG, usage
from baton_handoff.policy.unmanaged.recognised import last_name, recognised, rules
from baton_handoff.source_code.modules import Function, SourceModule

_ROUTES = {"get", "post", "put", "route", "api_route", "websocket"}
_WEB = {"fastapi", "flask", "starlette", "litestar", "sanic", "quart", "bentoml"}
_PAGES = {"streamlit": "Streamlit", "gradio": "Gradio"}
_OF_REQUEST = {"Request", "Response", "BackgroundTasks", "Depends", "Session", "Any", "Dict"}
_UPLOADS = {"UploadFile", "bytes"}
_SCALARS = {"int", "float", "str", "bool"}

_SAVES = {"dump", "save", "save_model", "log_model", "save_pretrained"}
_LOADS = {"load", "load_model", "from_pretrained"}
_STORES = {"joblib", "pickle", "dill", "cloudpickle", "torch", "mlflow"}
_MODEL = re.compile(
    r"model|clf|classif|regress|estimator|predict|pipe(line)?\b|network|\bnet\b|checkpoint|ckpt"
    r"|weights|\b(lr|rf|gbm|xgb|lgbm?|svm|svc|knn)\b",
    re.IGNORECASE,
)
"""Names of what may be a model: pickle stores everything."""

_PREPARING = re.compile(
    r".*(scaler|encoder|vectori[sz]er|imputer|transformer|binarizer|pca|svd|preprocess(or)?"
    r"|tokenizer|discretizer|normali[sz]er|features|selector)$",
    re.IGNORECASE,
)
"""Names of what is fitted and is no model."""


@dataclass(frozen=True)
class Trained:
    """A place that trains a model, with what it trains."""

    code: SourceModule
    node: ast.Call
    name: str


@dataclass(frozen=True)
class Route:
    """A function that answers with predictions.

    Attributes:
        code: Its module.
        function: The function.
        path: How it is called, `POST /predict` for example.
        schema: The class that describes its input; empty if it is typed otherwise, None if not.
    """

    code: SourceModule
    function: Function
    path: str
    schema: str | None


class Border:
    """The border of a repository, read; nothing of it is run."""

    def __init__(self, context: CheckContext) -> None:
        self._context = context
        self.code = context.code.all
        self._packages = {*rules()["model_packages"]}

    def parts(self) -> Mapping[str, Callable[[], Iterable[str]]]:
        """How to find each part of the border, in the repository's own names."""
        return {
            "trained": lambda: (f"{one.name} in {place(one.code, one.node)}" for one in self.fits),
            "from": self._sources,
            "stored": lambda: [*self._in_places(_SAVES), *self._in_catalogue()],
            "loaded": lambda: self._in_places(_LOADS),
            "served": lambda: [*map(self._served, self.routes), *self._pages()],
            "compared": self._comparisons,
            "read in several files": lambda: (
                f"{data}: {_files(files)}" for data, files in self.shared.items()
            ),
        }

    @cached_property
    def fits(self) -> list[Trained]:
        """Each place that trains a model."""
        found: list[Trained] = []
        for code in self.code:
            if code.imported_packages & self._packages:
                found += _fits(code)
        return found

    @property
    def training_files(self) -> set[str]:
        """The files that train a model."""
        return {one.code.file for one in self.fits}

    @cached_property
    def raw(self) -> list[Read]:
        """The reads of data that comes from outside, and whose place is known."""
        reads = usage(self._context).reads
        return [read for read in reads if read.kind != "unknown" and not read.made_by]

    @cached_property
    def shared(self) -> dict[str, set[str]]:
        """The data that several files read, and those files."""
        files: dict[str, set[str]] = {}
        for read in self.raw:
            files.setdefault(read.data, set()).add(read.file)
        several = {data: of for data, of in files.items() if len(of) > 1}
        return dict(sorted(several.items(), key=lambda item: -len(item[1])))

    @cached_property
    def schema_places(self) -> dict[str, str]:
        """Where each class is that describes a table or a row."""
        return {node.name: place(code, node) for code, node in schema_classes(self._context)}

    @property
    def has_schemas(self) -> bool:
        """Whether anything describes a table or a row."""
        return bool(schemas(self._context))

    @property
    def has_pipeline(self) -> bool:
        """Whether a pipeline was recognised."""
        return any(recognised(self._context, "pipeline"))

    @cached_property
    def routes(self) -> list[Route]:
        """The functions of a service that answer with predictions; a notebook is none."""
        found = []
        for code in self._context.code.modules:
            names = {function.name for function in code.functions}
            for function in code.functions:
                schema = self._input(function)
                found += [Route(code, function, path, schema) for path in _paths(code, function)]
                arguments = [one.arg for one in function.args.args]
                if arguments == ["event", "context"]:
                    found.append(Route(code, function, f"AWS Lambda `{function.name}`", None))
                elif function.name == "run" and "init" in names and arguments[:1]:
                    decorators = {last_name(one.func) for one in _calls(function.decorator_list)}
                    typed = "" if "input_schema" in decorators else None
                    found.append(Route(code, function, "Azure ML `run`", typed))
        return found

    def stored(self, names: set[str]) -> list[tuple[SourceModule, ast.Call]]:
        """The calls of some names that store or load a model."""
        return [
            (code, call)
            for code in self.code
            if code.imported_packages & {*_STORES, *self._packages}
            for call in code.nodes(ast.Call)
            if isinstance(call.func, ast.Attribute)
            and call.func.attr in names
            and _is_store(code, call.func)
            and _MODEL.search(_words(code, call))
        ]

    @property
    def loads(self) -> list[tuple[SourceModule, ast.Call]]:
        """The calls that load a model."""
        return self.stored(_LOADS)

    @cached_property
    def unused_in_training(self) -> list[str]:
        """The schemas of the service that the training code does not use."""
        training = [code for code in self.code if code.file in self.training_files]
        names = {n.id for code in training for n in code.nodes(ast.Name)}
        of_service = dict.fromkeys(one.schema for one in self.routes if one.schema)
        return [schema for schema in of_service if training and schema not in names]

    def _sources(self) -> Iterator[str]:
        """The data that the training code reads; what others read is listed with the file."""
        reads = usage(self._context).reads
        beside = [one for one in reads if one.file in self.training_files]
        known = [one for one in beside if one.kind != "unknown" and one.made_by in ("", BUNDLED)]
        yield from _counted(one.data for one in known)
        if not known:
            shown = {c.file for c in self.code if c.imported_packages & {*_WEB, *_PAGES}}
            yield from (f"{r.data}, read in {r.file}" for r in self.raw if r.file not in shown)
            beside = [one for one in reads if one.file not in shown]
        if unknown := sum(one.kind == "unknown" for one in beside):
            yield f"{plural(unknown, 'read')} whose place only a run shows"

    def _in_places(self, names: set[str]) -> Iterator[str]:
        return (f"in {place(*one)}" for one in self.stored(names))

    def _in_catalogue(self) -> Iterator[str]:
        for read in usage(self._context).reads:
            if (
                read.function == CATALOG
                and read.made_by
                and "model" in read.data.rpartition("/")[0]
            ):
                yield f"{read.data}, by {read.place}"

    def _served(self, one: Route) -> str:
        schema = f"input `{one.schema}`" if one.schema else "typed input"
        if one.schema in self.schema_places:
            schema += f" ({self.schema_places[one.schema]})"
        where = place(one.code, one.function)
        return (
            f"{one.path} in {where}, {'input without a schema' if one.schema is None else schema}"
        )

    def _pages(self) -> Iterator[str]:
        for code in self._context.code.modules:
            for package, name in _PAGES.items():
                calls = {last_name(call.func) for call in code.nodes(ast.Call)}
                if package in code.imported_packages and any("predict" in one for one in calls):
                    yield f"a page of {name} in {code.file}"

    def _comparisons(self) -> Iterator[str]:
        files = ", ".join(sorted(self.training_files)[:2])
        for schema in self.unused_in_training:
            yield f"the service's `{schema}` is not used where a model is trained ({files})"

    def _input(self, function: Function) -> str | None:
        """The class that a parameter is annotated with, if possible a known schema."""
        arguments = [*function.args.args, *function.args.kwonlyargs]
        notes = [one.annotation for one in arguments if one.annotation]
        names = [
            last_name(node)
            for note in notes
            for node in ast.walk(note)
            if isinstance(node, ast.Name | ast.Attribute)
        ]
        classes = [name for name in names if name[:1].isupper() and name not in _OF_REQUEST]
        if {*names} & _UPLOADS or (not classes and {*names} & _SCALARS):
            return ""
        of_files = [name for name in classes if name in self.schema_places]
        return next(iter([*of_files, *classes]), None)


def place(code: SourceModule, node: ast.stmt | ast.expr) -> str:
    """The file of a node with the line or the cell."""
    return finding_in(code, node.lineno, "").place


def _fits(code: SourceModule) -> Iterator[Trained]:
    made = [
        (node.lineno, last_name(target), node.value)
        for node in code.nodes(ast.Assign)
        if isinstance(node.value, ast.Call)
        for target in node.targets
    ]

    def origin(owner: ast.expr, line: int) -> ast.expr:
        """The call that has made an object; of a pipeline, the one that made its last step."""
        name = last_name(owner)
        if not isinstance(owner, ast.Call):
            values = [(at < line, value) for at, of, value in made if of == name]
            before = [value for is_before, value in values if is_before]
            # Without one before, the caller in the same file has made it.
            known = before[-1:] or [value for _, value in values[:1]]
            return origin(known[0], 0) if known else owner
        last = owner.args[-1] if owner.args else None
        match last:
            case ast.List(elts=[*_, ast.Tuple(elts=[_, step])]):  # `Pipeline([("name", step)])`
                last = step
            case _ if last_name(owner.func) != "make_pipeline":
                return owner
        if isinstance(last, ast.Call):
            return last
        return origin(last, owner.lineno) if isinstance(last, ast.Name) else owner

    loops = {"torch": ("backward", "a loop of PyTorch"), "jax": ("value_and_grad", "a loop of JAX")}
    for call in code.nodes(ast.Call):
        name = last_name(call.func)
        for package, (step, loop) in [*loops.items()]:
            if name == step and package in code.imported_packages:
                del loops[package]
                yield Trained(code, call, loop)
        if name not in ("fit", "train") or not isinstance(call.func, ast.Attribute):
            continue
        owner = last_name(call.func.value)
        if name == "train" and owner in ("lgb", "xgb", "lightgbm", "xgboost"):
            yield Trained(code, call, f"`{owner}.train`")
            continue
        model = origin(call.func.value, call.lineno)
        made_by = last_name(model.func) if isinstance(model, ast.Call) else ""
        # PyTorch's `model.train()` only sets a mode.
        complete = name == "fit" and "statsmodels" in code.imported_packages
        if not (call.args or call.keywords or complete or made_by.endswith("Trainer")):
            continue
        shown = made_by if made_by[:1].isupper() else f"{made_by}()" if made_by else owner
        if (made_by or _MODEL.search(owner)) and not (
            _PREPARING.match(made_by) or _PREPARING.match(owner)
        ):
            yield Trained(code, call, f"`{shown}`")


def _is_store(code: SourceModule, function: ast.Attribute) -> bool:
    owner, name = last_name(function.value), function.attr
    if name in ("dump", "load"):
        return owner in _STORES
    if name == "save":
        return owner == "torch" or bool(code.imported_packages & {"keras", "tensorflow"})
    return not _PREPARING.match(owner)


def _words(code: SourceModule, call: ast.Call) -> str:
    """What names the object of a call: its arguments, the variable, the function around it."""

    def around(node: ast.stmt) -> bool:
        return node.lineno <= call.lineno <= (node.end_lineno or node.lineno)

    targets = [t for node in code.nodes(ast.Assign) if around(node) for t in node.targets]
    functions = [function.name for function in code.functions if around(function)]
    return " ".join([ast.unparse(call), *map(ast.unparse, targets), *functions[-1:]])


def _paths(code: SourceModule, function: Function) -> Iterator[str]:
    """The paths at which a web framework calls a function that predicts."""
    if not code.imported_packages & _WEB:
        return
    for one in function.decorator_list:
        match one:
            case ast.Call(func=ast.Attribute(attr=verb), args=[ast.Constant(str(path)), *_]) if (
                verb in _ROUTES
            ):
                called = {last_name(call.func) for call in _calls(ast.walk(function))}
                if any("predict" in one or "score" in one for one in {function.name, *called}):
                    yield f"{verb.upper() if verb != 'route' else verb} {path}"


def _calls(nodes: Iterable[ast.AST]) -> list[ast.Call]:
    return [node for node in nodes if isinstance(node, ast.Call)]


def _counted(items: Iterable[str]) -> list[str]:
    counts = Counter(items)
    return [one if number == 1 else f"{one} ({number} times)" for one, number in counts.items()]


def _files(files: Iterable[str]) -> str:
    notebooks = sum(file.endswith(".ipynb") for file in files)
    others = len([*files]) - notebooks
    parts = [plural(notebooks, "notebook")] * (notebooks > 0)
    others_named = plural(others, "other file" if notebooks else "file")
    return " and ".join([*parts, *[others_named] * (others > 0)])
