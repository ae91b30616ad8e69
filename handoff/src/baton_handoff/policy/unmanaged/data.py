"""Data in a repository that Baton has not made: schemas, sources, versions and pipelines."""

import ast
from collections.abc import Collection, Iterator
from dataclasses import replace

from baton_handoff.lineage.sources import checks
from baton_handoff.lineage.sources.unofficial import unofficial_sign
from baton_handoff.policy.checks.check_context import CheckResult, not_applicable, not_met
from baton_handoff.policy.checks.data import data_versioned, under_dvc
from baton_handoff.policy.practices.assessment import State
from baton_handoff.policy.unmanaged.observation import at, mend, number, open_
from baton_handoff.policy.unmanaged.repository import Repository
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import SourceModule

_ROWS = {"DataFrameModel": "pandera", "SchemaModel": "pandera", "BaseModel": "fastapi"}
"""Classes that state what a table or a row looks like, where their file imports this package.

Models of pydantic state much else; beside a service they are what it takes and gives.
"""

_FRAMES = {"DataFrameModel", "SchemaModel", "DataFrameSchema"}


def schemas(repository: Repository) -> list[Finding]:
    """Every place that states what a table or a row looks like."""
    known = {name for code in repository.code for name in _directly(code)}
    derived = {
        stated.name: {_last(base) for base in stated.bases}
        for code in repository.code
        for stated in code.nodes(ast.ClassDef)
    }
    while more := {name for name, bases in derived.items() if bases & known} - known:
        known |= more
    return [found for code in repository.code for found in _schemas(code, known)]


def stated(repository: Repository) -> CheckResult:
    """A schema says what goes into the model, and what comes out."""
    if not repository.code:
        return not_applicable("There is no code.")
    if found := schemas(repository):
        return open_(
            f"{number(len(found), 'schema')}, in {found[0].file} for example: none says that it is"
            " the model's input or output."
        )
    reads = len(repository.sources.reads)
    return mend(
        f"No code states what a table looks like; data is read in {number(reads, 'place')}."
        if reads
        else "No code states what a table looks like.",
        "write down the columns, types and limits of what goes into the model",
    )


def complete(repository: Repository) -> CheckResult:
    """Schemas say their version, and between whom they are."""
    if not (found := schemas(repository)):
        return not_applicable("There is no schema.")
    return not_met("No schema says its version, and between whom it is.", *found)


def validated(repository: Repository) -> CheckResult:
    """Data is held against a schema before it is used."""
    if not repository.sources.reads:
        return not_applicable("No data is seen to be read.")
    if any(call in _FRAMES for code in repository.code for call in _named(code)):
        return open_("Whether the data is held against its schema before it is used is not shown.")
    return not_met("Data is used as it comes.", *_first_reads(repository))


def versioned(repository: Repository) -> CheckResult:
    """Data and models are under DVC, not in git."""
    context = repository.context
    if not context.evidence.files.in_git:
        return open_("Git keeps nothing here: no commit says which data it belongs to.")
    seen = data_versioned(context)
    if seen.state is State.NOT_MET:
        return replace(seen, fix="`git rm --cached FILE`, and keep it under DVC")
    if under_dvc(context):
        return seen
    if not repository.sources.reads:
        return not_applicable("No data is seen to be read.")
    return open_("No large table lies in git; where the data is that the code reads is not said.")


def pipeline(repository: Repository) -> CheckResult:
    """Data and model are what a pipeline makes of the code as it stands."""
    for file, command in (("dvc.yaml", "dvc status"), ("Snakefile", "snakemake --dry-run")):
        if file in repository.paths:
            return open_(f"Whether what {file} makes is of today is not shown.", f"`{command}`")
    return open_("No pipeline is seen that would make data and model again.")


def described(repository: Repository) -> CheckResult:
    """Whatever is read comes from a source that is described, and owned."""
    seen = repository.sources
    if not (seen.reads or seen.sources or seen.invalid_files):
        return not_applicable("No data is seen to be read.")
    found = [replace(one, side=None, fix="") for one in checks.listed(seen)]
    if found:
        places = number(len(found), "place")
        return not_met(f"No source describes what is read in {places}.", *found)
    return open_("What is read can't be told without running it.")


def official(repository: Repository) -> CheckResult:
    """Sources are official."""
    reads = repository.sources.reads
    if not reads:
        return not_applicable("No data is seen to be read.")
    found = [
        Finding("", f"`{read.data}` is {kind}", blocks=False, file=read.file, line=read.line)
        for read in reads
        if not read.made_by and (kind := unofficial_sign(read.data, read.function))
    ]
    if found:
        return not_met("Not every source looks official.", *found)
    return open_("Nothing says of any source whether its owner offers it.")


def told(repository: Repository) -> CheckResult:
    """Of sources everything is said that one has to know."""
    if not repository.sources.reads:
        return not_applicable("No data is seen to be read.")
    return open_("Nothing says of any source where it comes from, and what allows its use.")


def workarounds(repository: Repository) -> CheckResult:
    """Workarounds are still needed."""
    if not repository.sources.workarounds:
        return not_applicable("No workaround is marked.")
    return open_("Workarounds are marked, and no source says which problem it still has.")


def _directly(code: SourceModule) -> Iterator[str]:
    """The classes of a file that derive from a class that states rows."""
    packages = code.imported_packages
    for stated in code.nodes(ast.ClassDef):
        if any(_ROWS.get(_last(base)) in packages for base in stated.bases):
            yield stated.name


def _schemas(code: SourceModule, known: Collection[str]) -> Iterator[Finding]:
    for stated in code.nodes(ast.ClassDef):
        if stated.name in known:
            yield at(code, stated.lineno, f"`{stated.name}` is a schema")
    for call in code.nodes(ast.Call):
        if _last(call.func) in ("DataFrameSchema", "StructType"):
            yield at(code, call.lineno, "this is a schema")


def _named(code: SourceModule) -> Iterator[str]:
    """The names that stand for something in a file, by their last part."""
    yield from map(_last, code.nodes(ast.Name, ast.Attribute))


def _first_reads(repository: Repository) -> Iterator[Finding]:
    for read in repository.sources.reads:
        if not read.made_by:
            what = f"`{read.function}` reads what nothing has looked at"
            said = f"{what} ({read.cell})" if read.cell else what
            yield Finding("", said, blocks=False, file=read.file, line=read.line)


def _last(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value):
            return _last(value)
    return ""
