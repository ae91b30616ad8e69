"""Schemas, sources and pipelines in a repository that was not made with Baton."""

import ast
from dataclasses import replace

from baton_handoff.lineage.sources import checks
from baton_handoff.lineage.sources.unofficial import unofficial_sign
from baton_handoff.policy.checks import CHECKS
from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, finding_at
from baton_handoff.policy.unmanaged import commands
from baton_handoff.policy.unmanaged.code import finding_in, plural
from baton_handoff.policy.unmanaged.loads import usage
from baton_handoff.policy.unmanaged.recognised import last_name, recognised, rules
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import SourceModule

_SCHEMA_BASES = {
    "DataFrameModel": "pandera",
    "SchemaModel": "pandera",
    "BaseModel": "pydantic",
    "SQLModel": "sqlmodel",
}
"""Base classes of schemas, in files that import this package."""

_SAMPLES = {"test", "tests", "fixtures", "examples"}
_BINARY = (
    *(".parquet", ".feather", ".pkl", ".pickle", ".joblib", ".h5", ".hdf5", ".pt", ".pth"),
    *(".onnx", ".keras", ".safetensors", ".sqlite", ".duckdb"),
)
_TEXT = (".csv", ".tsv", ".json", ".jsonl", ".xlsx", ".xls", ".db", ".zip", ".gz")
_LARGE = 2**20
"""The size in bytes above which a table of text does not belong into git."""

_NO_READS = CheckResult.not_applicable("The code reads no data.")


def schema_classes(context: CheckContext) -> list[tuple[SourceModule, ast.ClassDef]]:
    """Every class that describes a table or a row."""
    classes = [(code, node) for code in context.code.all for node in code.nodes(ast.ClassDef)]
    known = {
        node.name
        for code, node in classes
        if any(_SCHEMA_BASES.get(last_name(b)) in code.imported_packages for b in node.bases)
    }
    bases = {node.name: {last_name(base) for base in node.bases} for _, node in classes}
    while derived := {name for name, of in bases.items() if of & known} - known:
        known |= derived
    return [(code, node) for code, node in classes if node.name in known]


def schemas(context: CheckContext) -> list[Finding]:
    """Every place that describes a table or a row."""
    found = [
        (code, node.lineno, f"`{node.name}` is a schema") for code, node in schema_classes(context)
    ]
    found += [
        (code, call.lineno, "this is a schema")
        for code in context.code.all
        for call in code.nodes(ast.Call)
        if last_name(call.func) in ("DataFrameSchema", "StructType")
    ]
    return [finding_in(*one) for one in found]


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
    places = f"; it reads data in {plural(reads, 'place')}" if reads else ""
    return CheckResult.not_met(
        f"The code has no schema of a table{places}.",
        fix="write down the columns, types and limits of the model's input",
    )


def contracts_complete(context: CheckContext) -> CheckResult:
    """Each schema has a version, a producer and a consumer."""
    if not (found := schemas(context)):
        return CheckResult.not_applicable("There is no schema.")
    return CheckResult.not_met("No schema has a version, a producer and a consumer.", *found)


def data_validated(context: CheckContext) -> CheckResult:
    """Code validates data against a schema before it uses the data."""
    reads = usage(context).reads
    if not reads:
        return _NO_READS
    for code in [*context.code.all, *context.code.tests]:
        if found := code.imported_packages & {*rules()["validators"]}:
            message = f"{code.file} uses {min(found)}; which data it validates was not looked at."
            return CheckResult.not_shown(message)
    return CheckResult.not_met(
        "Code uses data without validation.",
        *(
            finding_at(f"`{read.function}` reads unvalidated data{cell}", read.file, read.line)
            for read in reads
            if not read.made_by
            for cell in [f" ({read.cell})" if read.cell else ""]
        ),
    )


def pipeline_current(context: CheckContext) -> CheckResult:
    """A pipeline makes data and model from the current code."""
    for rule, file in recognised(context, "pipeline"):
        command = str(rule.get("command", ""))
        command = commands.in_environment(context, command) if command else ""
        message = f"{file} defines a pipeline of {rule['name']}; it has not run here."
        return CheckResult.not_shown(message, command=command)
    tools = ", ".join(rule["name"] for rule in rules()["pipeline"])
    return CheckResult.not_shown(f"No pipeline of {tools} was recognised.")


def data_versioned(context: CheckContext) -> CheckResult:
    """No table or model is in git."""
    files = [path for path in context.files.in_git if not _SAMPLES & {*path.split("/")[:-1]}]
    heavy = [path for path in files if _is_heavy(context, path)]
    if heavy:
        message = f"{plural(len(heavy), 'table or model')} in git.".replace("models", "models are")
        message = message.replace("model in", "model is in").replace("table or", "tables or", 1)
        message = message.replace("1 tables", "1 table")
        return CheckResult.not_met(message, *(finding_at("this is in git", one) for one in heavy))
    return CHECKS["data_versioned"](context)


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
    return CheckResult.not_shown("What the code reads is only known at run time.")


def sources_official(context: CheckContext) -> CheckResult:
    """All sources are official."""
    if not usage(context).reads:
        return _NO_READS
    found = [
        finding_at(f"`{read.data}` is {kind}", read.file, read.line)
        for read in usage(context).reads
        if not read.made_by and (kind := unofficial_sign(read.data, read.function))
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
