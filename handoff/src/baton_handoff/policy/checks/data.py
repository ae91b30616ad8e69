"""Checks of data and model: versioned, made by the pipeline, validated, traceable, compared."""

import json
from collections.abc import Iterable

from baton_handoff.lineage.sources.usage import stage_outputs
from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, check, finding_at
from baton_handoff.policy.evidence.pipeline import recorded_stages
from baton_handoff.registry.code_hash import code_hash
from baton_handoff.registry.version_facts import VersionFacts, find_version
from baton_handoff.source_code.static_contracts import declared_contracts

_PIPELINE = "uv run poe pipeline"
_REGISTER = "uv run poe register"
_LARGE = 2**20
"""A data file of this size, in bytes, is no example."""

_DATA_FILES = (
    *(".arrow", ".csv", ".db", ".feather", ".h5", ".json", ".jsonl", ".joblib", ".npy", ".npz"),
    *(".onnx", ".parquet", ".pickle", ".pkl", ".pt", ".pth", ".sqlite", ".tsv", ".xlsx"),
    *(".gz", ".zip"),
)


@check
def data_versioned(context: CheckContext) -> CheckResult:
    """Data and models are under DVC and not in git."""
    if not context.files.in_git:
        return CheckResult.not_shown(
            "git tracks no file, so no commit records which data it needs."
        )
    large = [
        path
        for path in context.files.in_git
        if path.lower().endswith(_DATA_FILES)
        and (context.project.root / path).stat().st_size > _LARGE
    ]
    if large:
        return CheckResult.not_met(
            f"{len(large)} large tables or models are in git.",
            *(finding_at("keep it under DVC: `dvc add`", path) for path in large),
        )
    if under_dvc(context):
        return CheckResult.met("git contains no large table and no large model.")
    if not context.sources.reads:
        return CheckResult.not_applicable("The code reads no data.")
    return CheckResult.not_shown("DVC tracks no data, so no commit records which data it needs.")


def under_dvc(context: CheckContext) -> bool:
    """Whether DVC tracks anything: the output of a stage, or a file with a `.dvc` file."""
    tracked = map(context.yaml, context.files.under(["*.dvc"]))
    return any(stage_outputs(context.project.root)) or any(
        isinstance(entry, dict) and entry.get("outs") for entry in tracked
    )


@check
def pipeline_current(context: CheckContext) -> CheckResult:
    """DVC reports no stage of the pipeline as changed since it ran."""
    return _not_current(context) or CheckResult.met(
        f"DVC reports all {len(recorded_stages(context.yaml))} stages as up to date."
    )


@check
def data_validated(context: CheckContext) -> CheckResult:
    """A stage validates every source against its contract before another stage uses the data."""
    if result := _not_current(context):
        return result
    sources = {
        one.name
        for one in declared_contracts(context.package_code("contracts"))
        if one.metadata.get("position") == "source"
    }
    if not sources:
        return CheckResult.not_met("No contract describes a source.")
    stages = recorded_stages(context.yaml)
    reports = [
        (stage.name, out) for stage in stages for out in sorted(stage.outs) if out.endswith(".json")
    ]
    complete = [one for one in reports if sources <= _accepted(context.text(one[1]))]
    if not complete:
        if absent := [out for _, out in reports if context.text(out) is None]:
            return CheckResult.not_shown(f"{absent[0]} is missing.", command=_PIPELINE)
        return CheckResult.not_met(
            f"No report of the pipeline counts the accepted rows of {_list(sources)}.",
            finding_at("no stage validates every source against its contract", "dvc.yaml"),
        )
    validation, report = complete[0]
    after = [one.name for one in stages if one.name != validation and report in one.deps]
    if not after:
        return CheckResult.not_met(
            f"No stage depends on the report of `{validation}`.",
            finding_at("data must be validated before a model learns from it", "dvc.yaml"),
        )
    return CheckResult.met(f"`{validation}` validates {_list(sources)} before `{after[0]}`.")


@check
def candidate_traceable(context: CheckContext) -> CheckResult:
    """The candidate records the commit, the code and the lock that it was made from."""
    candidate = find_version(context.project, context.version)
    if candidate is None:
        return _NO_CANDIDATE
    name = f"Candidate {candidate.version}"
    if absent := [n for n in ("commit", "code", "lock") if not candidate.tags.get(f"handoff.{n}")]:
        return CheckResult.not_met(f"{name} has no record of its {', '.join(absent)}.")
    if candidate.tags.get("handoff.clean") != "true":
        return CheckResult.not_met(f"{name} was made from uncommitted files.")
    return _of_other_code(context, candidate) or CheckResult.met(
        f"{name} was made from commit {candidate.tags['handoff.commit'][:12]}."
    )


@check
def compared_with_baselines(context: CheckContext) -> CheckResult:
    """The evaluation of the candidate compares it with simpler models."""
    candidate = _candidate(context)
    if isinstance(candidate, CheckResult):
        return candidate
    parts = [name.partition(".") for name in candidate.metrics]
    baselines = {of for of, _, metric in parts if f"model.{metric}" in candidate.metrics} - {
        "model"
    }
    if not baselines:
        return CheckResult.not_met(f"Candidate {candidate.version} was compared with no baseline.")
    names = _list(name.replace("_", " ") for name in baselines)
    return CheckResult.met(f"Candidate {candidate.version} was compared with {names}.")


@check
def judged_by_subgroup(context: CheckContext) -> CheckResult:
    """The evaluation of the candidate has metrics for each subgroup."""
    candidate = _candidate(context)
    if isinstance(candidate, CheckResult):
        return candidate
    groups = {name.split(".")[2] for name in candidate.metrics if name.count(".") > 2}
    if not groups:
        return CheckResult.not_met(f"Candidate {candidate.version} has no metrics of subgroups.")
    return CheckResult.met(f"Candidate {candidate.version} has metrics by {_list(groups)}.")


_NO_CANDIDATE = CheckResult.not_shown("There is no candidate.", command=_REGISTER)


def _not_current(context: CheckContext) -> CheckResult | None:
    """Why nothing shows that the pipeline ran with the current files; None if it did."""
    if not recorded_stages(context.yaml):
        return CheckResult.not_shown("The pipeline has not run yet.", command=_PIPELINE)
    evidence = context.evidence.current("pipeline")
    if evidence is None:
        return context.missing_evidence("pipeline")
    if evidence.ok:
        return None
    message = (
        f"DVC reports {evidence.findings[0].message}"
        if evidence.findings
        else "DVC reports a change"
    )
    return CheckResult.not_shown(f"{message}.", command=_PIPELINE)


def _accepted(report: str | None) -> set[str]:
    """The contracts of which a report counts accepted rows."""
    try:
        counts = json.loads(report or "{}")
    except ValueError:
        return set()
    if not isinstance(counts, dict):
        return set()
    return {name for name, one in counts.items() if isinstance(one, dict) and one.get("rows")}


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _candidate(context: CheckContext) -> VersionFacts | CheckResult:
    """The candidate, if it was made from the current code."""
    candidate = find_version(context.project, context.version)
    if candidate is None:
        return _NO_CANDIDATE
    return _of_other_code(context, candidate) or candidate


def _of_other_code(context: CheckContext, candidate: VersionFacts) -> CheckResult | None:
    if candidate.tags.get("handoff.code") == code_hash(context.project.source):
        return None
    message = f"Candidate {candidate.version} was made from other code."
    return CheckResult.not_shown(message, command=_REGISTER)
