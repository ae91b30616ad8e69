"""Checks of data and model: where they come from, what was tried, what can be told of a version."""

import json
from collections.abc import Iterable

from baton_handoff.lineage.sources.usage import stage_outputs
from baton_handoff.policy.checks.check_context import (
    CheckContext,
    CheckResult,
    finding_at,
    met,
    not_applicable,
    not_met,
    not_shown,
)
from baton_handoff.policy.checks.pipeline import stages_of, stale
from baton_handoff.registry.code_hash import code_hash
from baton_handoff.registry.version_facts import VersionFacts, find_version
from baton_handoff.source_code.static_contracts import declared_contracts

_PIPELINE = "uv run poe pipeline"
_ADD = "uv run dvc add FILE"
_REGISTER = "uv run poe register"
_LARGE = 2**20
"""A table of this size is no example any more."""

_TABLES = (
    *(".arrow", ".csv", ".db", ".feather", ".h5", ".json", ".jsonl", ".joblib", ".npy", ".npz"),
    *(".onnx", ".parquet", ".pickle", ".pkl", ".pt", ".pth", ".sqlite", ".tsv", ".xlsx"),
    *(".gz", ".zip"),
)


def pipeline_current(context: CheckContext) -> CheckResult:
    """What dvc.lock says the pipeline has run with is what stands here, as `dvc status` asks."""
    if seen := stale(context):
        return seen
    return met(f"All {len(stages_of(context))} stages have run with what stands here.")


def data_validated(context: CheckContext) -> CheckResult:
    """A report says of every source how many rows its contract accepted, before they are used."""
    if seen := stale(context):
        return seen
    wanted = {
        one.name
        for one in declared_contracts(context.code("contracts"))
        if one.metadata.get("position") == "source"
    }
    if not wanted:
        return not_met("No contract states what a source holds.")
    stages = stages_of(context)
    reports = [(out, name) for name, stage in stages.items() for out in sorted(stage.outs)]
    reports = [(out, name) for out, name in reports if out.endswith(".json")]
    whole = [(out, name) for out, name in reports if wanted <= _accepted(context.text(out))]
    if not whole:
        if absent := [out for out, _ in reports if context.text(out) is None]:
            return not_shown(f"{absent[0]} is not here.", _PIPELINE)
        return not_met(
            f"No report of the pipeline says how many rows of {_list(wanted)} were accepted.",
            finding_at("no stage holds every source against its contract", "dvc.yaml"),
        )
    report, first = whole[0]
    waiting = [name for name, stage in stages.items() if name != first and report in stage.deps]
    if not waiting:
        return not_met(
            f"No stage waits for what `{first}` says.",
            finding_at("what validates data must come before what learns from it", "dvc.yaml"),
        )
    return met(f"`{first}` has accepted {_list(wanted)} before `{waiting[0]}` used them.")


def _accepted(report: str | None) -> set[str]:
    """The contracts of which a report says that they accepted rows."""
    try:
        said = json.loads(report or "{}")
    except ValueError:
        return set()
    told = said if isinstance(said, dict) else {}
    return {name for name, about in told.items() if isinstance(about, dict) and about.get("rows")}


def data_versioned(context: CheckContext) -> CheckResult:
    """Data and models are under DVC, not in git."""
    large = [
        path
        for path in context.evidence.files.in_git
        if path.lower().endswith(_TABLES) and (context.project.root / path).stat().st_size > _LARGE
    ]
    if large:
        return not_met(
            f"{len(large)} tables or models lie in git.",
            *(finding_at("it belongs under DVC: `uv run dvc add`", path) for path in large),
        )
    if not under_dvc(context):
        if not context.sources.reads:
            return not_applicable("No data is seen to be read.")
        message = "Nothing lies under DVC: which data belongs to a commit is not said."
        return not_shown(message, _ADD)
    return met("No large table and no large model lies in git.")


def under_dvc(context: CheckContext) -> bool:
    """Whether anything is kept by DVC: what a stage makes, or a file of its own."""
    files = context.evidence.files.under(["*.dvc"])
    return any(stage_outputs(context.project.root)) or any(
        isinstance(said := context.yaml(file), dict) and said.get("outs") for file in files
    )


def candidate_traceable(context: CheckContext) -> CheckResult:
    """The candidate says what it was made from, and that is committed."""
    version = find_version(context.project, context.version)
    if version is None:
        return not_shown("There is no candidate.", _REGISTER)
    of = f"Candidate {version.version}"
    absent = [n for n in ("commit", "code", "lock") if not version.tags.get(f"handoff.{n}")]
    if absent:
        return not_met(f"{of} does not say its {', '.join(absent)}.")
    if version.tags.get("handoff.clean") != "true":
        return not_met(f"{of} was made from what nobody has committed.")
    if version.tags["handoff.code"] != code_hash(context.project.source):
        return not_shown(f"{of} was made by other code than stands here.", _REGISTER)
    return met(f"{of} was made from commit {version.tags['handoff.commit'][:12]}.")


def compared_with_baselines(context: CheckContext) -> CheckResult:
    """The candidate was held against simpler ways, by the figures by which it is judged."""
    version = _candidate(context)
    if isinstance(version, CheckResult):
        return version
    parts = [name.partition(".") for name in version.metrics]
    others = {who for who, _, what in parts if f"model.{what}" in version.metrics} - {"model"}
    if not others:
        return not_met(f"Candidate {version.version} was held against nothing simpler.")
    named = ", ".join(sorted(other.replace("_", " ") for other in others))
    return met(f"Candidate {version.version} was held against {named}.")


def judged_by_subgroup(context: CheckContext) -> CheckResult:
    """It is known how good the candidate is for each subgroup."""
    version = _candidate(context)
    if isinstance(version, CheckResult):
        return version
    groups = {tuple(n.split(".")[:3]) for n in version.metrics if n.count(".") > 2}
    if not groups:
        return not_met(f"Candidate {version.version} was judged as a whole only.")
    return met(f"Candidate {version.version} was judged by {_list(g[2] for g in groups)}.")


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted({*names}))


def _candidate(context: CheckContext) -> VersionFacts | CheckResult:
    """The candidate, where it is one of the code that stands here."""
    version = find_version(context.project, context.version)
    if version is None:
        return not_shown("There is no candidate.", _REGISTER)
    if version.tags.get("handoff.code") != code_hash(context.project.source):
        message = f"Candidate {version.version} was made by other code than stands here."
        return not_shown(message, _REGISTER)
    return version
