"""Schemas, sources and pipelines in a repository that was not made with Baton."""

import ast
import re
from collections.abc import Iterable
from dataclasses import replace

from baton_handoff.core.numbers import plural
from baton_handoff.lineage.sources import checks
from baton_handoff.lineage.sources.reads import Read
from baton_handoff.lineage.sources.unofficial import unofficial_sign
from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, finding_at
from baton_handoff.policy.checks.data import under_dvc
from baton_handoff.policy.unmanaged import commands
from baton_handoff.policy.unmanaged.code import finding_in
from baton_handoff.policy.unmanaged.loads import usage
from baton_handoff.policy.unmanaged.recognised import last_name, recognised, rules
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import SourceModule

_SETTINGS = re.compile(
    r".*(Config|Configuration|Settings|Params|Parameters|Options|Args|Arguments)"
)
"""Names of classes that describe settings and no data."""

_SAMPLES = re.compile(r"(.*[-_.])?(tests?|fixtures?|examples?)([-_.].*)?")
"""Folders whose tables and models belong into git."""

_BINARY = (
    *(".parquet", ".feather", ".pkl", ".pickle", ".joblib", ".h5", ".hdf5", ".pt", ".pth"),
    *(".onnx", ".keras", ".safetensors", ".sqlite", ".duckdb", ".bin", ".sav", ".cbm", ".ckpt"),
)
_TEXT = (".csv", ".tsv", ".json", ".jsonl", ".xlsx", ".xls", ".db", ".zip", ".gz")
_LARGE = 2**20
"""The size in bytes above which a table of text does not belong into git."""

_VALIDATES = re.compile(r".*valid.*(data|frame|df|input|schema|column|row|batch)", re.IGNORECASE)
"""Names of functions with which a repository validates data itself."""

_NO_READS = CheckResult.not_shown("No place that reads data was recognised.")
_NO_SCHEMA = CheckResult.not_applicable("No schema of a table was recognised.")


def schema_classes(context: CheckContext) -> list[tuple[SourceModule, ast.ClassDef]]:
    """Every class that describes a table or a row."""
    if "schemas" in context.memo:
        found: list[tuple[SourceModule, ast.ClassDef]] = context.memo["schemas"]
        return found
    classes = [(code, node) for code in context.code.all for node in code.nodes(ast.ClassDef)]
    bases = {node.name: {last_name(base) for base in node.bases} for _, node in classes}
    known: set[str] = set()
    for rule in rules()["schema"]:
        names = {
            node.name
            for code, node in classes
            if rule["package"] in code.imported_packages
            and bases[node.name] & {*rule.get("bases", ())}
        }
        while derived := {name for name, of in bases.items() if of & names} - names:
            names |= derived
        if rule.get("rows"):
            behaving = {node.name for _, node in classes if _behaves(node)}
            while derived := {name for name in names if bases[name] & behaving} - behaving:
                behaving |= derived
            names = {n for n in names - behaving if not _SETTINGS.fullmatch(n)}
        known |= names
    context.memo["schemas"] = [(code, node) for code, node in classes if node.name in known]
    return schema_classes(context)


def _behaves(node: ast.ClassDef) -> bool:
    """Whether a class has methods of its own; a row has validators and computed fields only."""
    methods = [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    return any(not one.decorator_list and not one.name.startswith("__") for one in methods) or any(
        last_name(one) == "abstractmethod" for method in methods for one in method.decorator_list
    )


def schemas(context: CheckContext) -> list[Finding]:
    """Every place that describes a table or a row."""
    found = [
        finding_in(code, node.lineno, f"`{node.name}` is a schema")
        for code, node in schema_classes(context)
    ]
    every = [*context.code.all, *context.code.tests]
    for rule in rules()["schema"]:
        if "calls" in rule and any(rule["package"] in code.imported_packages for code in every):
            for code in every:
                for call in code.nodes(ast.Call):
                    if re.fullmatch(rule["calls"], last_name(call.func)):
                        found.append(finding_in(code, call.lineno, "this is a schema"))
                        break
    return found


def contracts_stated(context: CheckContext) -> CheckResult:
    """A schema describes the input of the model, and one its output."""
    if not context.code.all:
        return CheckResult.not_applicable("There is no code.")
    if found := schemas(context):
        return CheckResult.not_shown(
            f"{plural(len(found), 'schema')} found, for example in {found[0].file}; none is marked"
            " as the input or output of the model."
        )
    reads = len(usage(context).reads)
    places = f"; {plural(reads, 'place')} read{'s' * (reads == 1)} data" if reads else ""
    libraries = "pandera, pydantic, Great Expectations or a similar library"
    return CheckResult.not_met(
        f"No schema of {libraries} was found{places}.",
        fix="write down the columns, types and limits of the model's input",
    )


def contracts_complete(context: CheckContext) -> CheckResult:
    """Each schema has a version, a producer and a consumer."""
    if not (found := schemas(context)):
        return _NO_SCHEMA
    return CheckResult.not_met("No schema has a version, a producer and a consumer.", *found)


def data_validated(context: CheckContext) -> CheckResult:
    """Code validates data against a schema before it uses the data."""
    reads = usage(context).reads
    if not reads:
        return _NO_READS
    for code in [*context.code.all, *context.code.tests]:
        own = (f"`{one.name}`" for one in code.functions if _VALIDATES.match(one.name))
        if found := next(
            iter(sorted(code.imported_packages & {*rules()["validators"]})), ""
        ) or next(own, ""):
            message = f"{code.file} uses {found}; which data it validates was not looked at."
            return CheckResult.not_shown(message)
    return CheckResult.not_met(
        "No library that validates data is used.",
        *(_at(read, f"`{read.data}` is read without validation") for read in _raw(reads)),
    )


def _raw(reads: Iterable[Read]) -> list[Read]:
    return [read for read in reads if not read.made_by]


def _at(read: Read, message: str) -> Finding:
    return replace(finding_at(message, read.file, read.line), cell=read.cell)


def pipeline_current(context: CheckContext) -> CheckResult:
    """A pipeline makes data and model from the current code."""
    for rule, file in recognised(context, "pipeline"):
        command = str(rule.get("command", ""))
        command = commands.in_environment(context, command) if command else ""
        message = f"{file} defines a pipeline of {rule['name']}; it has not run here."
        return CheckResult.not_shown(message, command=command)
    names = [rule["name"] for rule in rules()["pipeline"]]
    known = f"{', '.join(names[:3])} and {len(names) - 3} other tools are known"
    return CheckResult.not_shown(f"No pipeline was recognised; {known}.")


def data_versioned(context: CheckContext) -> CheckResult:
    """No table or model is in git."""
    paths = context.files.in_git
    if not paths:
        return CheckResult.not_shown("git tracks no file.")
    files = [path for path in paths if not any(map(_SAMPLES.fullmatch, path.split("/")[:-1]))]
    if heavy := [path for path in files if _is_heavy(context, path)]:
        things = "1 table or model is" if len(heavy) == 1 else f"{len(heavy)} tables or models are"
        found = (finding_at("this is in git", one) for one in heavy)
        return CheckResult.not_met(f"{things} in git.", *found)
    if under_dvc(context):
        return CheckResult.met("DVC tracks data; git contains no model and no table over 1 MB.")
    message = "git contains no model and no table over 1 MB; DVC tracks no data."
    return CheckResult.not_shown(message)


def _is_heavy(context: CheckContext, path: str) -> bool:
    file = context.project.root / path
    size = file.stat().st_size if file.is_file() else 0
    if path.endswith(_BINARY):  # a pointer of Git LFS is text
        return size > 0 and not file.read_bytes()[:20].startswith(b"version https://git")
    return path.endswith(_TEXT) and size > _LARGE


def sources_described(context: CheckContext) -> CheckResult:
    """Everything that code reads comes from a source with a description and an owner."""
    sources = usage(context)
    if not (sources.reads or sources.sources or sources.invalid_files):
        return _NO_READS
    if found := [replace(one, side=None, fix="") for one in checks.listed(sources)]:
        return CheckResult.not_met(
            f"No description of a source covers the data read in {plural(len(found), 'place')}.",
            *found,
        )
    if any(read.kind == "unknown" for read in sources.reads):
        return CheckResult.not_shown("What the code reads is only known at run time.")
    return CheckResult.not_shown("No read of data from outside was recognised.")


def sources_official(context: CheckContext) -> CheckResult:
    """All sources are official."""
    if not usage(context).reads:
        return _NO_READS
    found = [
        _at(read, f"`{read.data}` is {kind}")
        for read in _raw(usage(context).reads)
        if (kind := unofficial_sign(read.data, read.function))
    ]
    if found:
        return CheckResult.not_met("Some sources look unofficial.", *found)
    return CheckResult.not_shown("No file states whether the owner of a source supports its use.")


def sources_complete(context: CheckContext) -> CheckResult:
    """The description of every source is complete."""
    if not usage(context).reads:
        return _NO_READS
    return CheckResult.not_shown("No file states where a source comes from, and who may use it.")


def workarounds_needed(context: CheckContext) -> CheckResult:
    """Every workaround is still needed."""
    if not context.sources.workarounds:
        return CheckResult.not_applicable("No comment marks a workaround.")
    return CheckResult.not_shown("Comments mark workarounds, and no source lists its problems.")
