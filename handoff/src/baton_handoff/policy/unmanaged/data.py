"""Schemas, sources and pipelines in a repository that was not made with Baton."""

import ast
from collections.abc import Collection, Iterator
from dataclasses import replace

from baton_handoff.lineage.sources import checks
from baton_handoff.lineage.sources.unofficial import unofficial_sign
from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, finding_at
from baton_handoff.policy.unmanaged.code import finding_in, plural
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import SourceModule

_SCHEMA_BASES = {"DataFrameModel": "pandera", "SchemaModel": "pandera", "BaseModel": "fastapi"}
"""Base classes of schemas, in files that import this package.

pydantic models have many uses; beside a FastAPI service they describe its input and output.
"""

_VALIDATORS = {"DataFrameModel", "SchemaModel", "DataFrameSchema"}
_NO_READS = CheckResult.not_applicable("The code reads no data.")


def schemas(context: CheckContext) -> list[Finding]:
    """Every place that describes a table or a row."""
    classes = [(code, node) for code in context.code.all for node in code.nodes(ast.ClassDef)]
    known = {
        node.name
        for code, node in classes
        if any(_SCHEMA_BASES.get(_last_name(b)) in code.imported_packages for b in node.bases)
    }
    bases = {node.name: {_last_name(base) for base in node.bases} for _, node in classes}
    while derived := {name for name, of in bases.items() if of & known} - known:
        known |= derived
    return [found for code in context.code.all for found in _schemas(code, known)]


def contracts_stated(context: CheckContext) -> CheckResult:
    """A schema describes the input of the model, and one its output."""
    if not context.code.all:
        return CheckResult.not_applicable("There is no code.")
    if found := schemas(context):
        return CheckResult.not_shown(
            f"{plural(len(found), 'schema')} found, for example in {found[0].file}; none is marked"
            " as the input or output of the model."
        )
    reads = len(context.sources.reads)
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
    reads = context.sources.reads
    if not reads:
        return _NO_READS
    names = (node for code in context.code.all for node in code.nodes(ast.Name, ast.Attribute))
    if any(_last_name(node) in _VALIDATORS for node in names):
        return CheckResult.not_shown("Schemas exist; whether data is validated is not visible.")
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
    for file, command in (("dvc.yaml", "dvc status"), ("Snakefile", "snakemake --dry-run")):
        if file in context.files.paths:
            return CheckResult.not_shown(f"The pipeline in {file} has not run.", command=command)
    return CheckResult.not_shown("There is no pipeline that makes data and model.")


def sources_described(context: CheckContext) -> CheckResult:
    """Everything that code reads comes from a source with a description and an owner."""
    sources = context.sources
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
    if not context.sources.reads:
        return _NO_READS
    found = [
        finding_at(f"`{read.data}` is {kind}", read.file, read.line)
        for read in context.sources.reads
        if not read.made_by and (kind := unofficial_sign(read.data, read.function))
    ]
    if found:
        return CheckResult.not_met("Some sources look unofficial.", *found)
    return CheckResult.not_shown("No file states whether the owner of a source supports its use.")


def sources_complete(context: CheckContext) -> CheckResult:
    """The description of every source is complete."""
    if not context.sources.reads:
        return _NO_READS
    return CheckResult.not_shown("No file states where a source comes from, and who may use it.")


def workarounds_needed(context: CheckContext) -> CheckResult:
    """Every workaround is still needed."""
    if not context.sources.workarounds:
        return CheckResult.not_applicable("No comment marks a workaround.")
    return CheckResult.not_shown("Comments mark workarounds, and no source lists its problems.")


def _schemas(code: SourceModule, known: Collection[str]) -> Iterator[Finding]:
    for node in code.nodes(ast.ClassDef):
        if node.name in known:
            yield finding_in(code, node.lineno, f"`{node.name}` is a schema")
    for call in code.nodes(ast.Call):
        if _last_name(call.func) in ("DataFrameSchema", "StructType"):
            yield finding_in(code, call.lineno, "this is a schema")


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value):
            return _last_name(value)
    return ""
