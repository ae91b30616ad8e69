"""Checks of data and model: where they come from, what was tried, what can be told of a version."""

import json
from collections.abc import Iterable

from baton_handoff.lineage.sources.usage import stage_outputs
from baton_handoff.policy.checks.check_context import (
    Look,
    Seen,
    met,
    not_applicable,
    not_met,
    not_shown,
    place,
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


def pipeline_current(look: Look) -> Seen:
    """What dvc.lock says the pipeline has run with is what stands here, as `dvc status` asks."""
    if seen := stale(look):
        return seen
    return met(f"All {len(stages_of(look))} stages of the pipeline have run with what stands here.")


def data_validated(look: Look) -> Seen:
    """A report says of every source how many rows its contract accepted, before they are used."""
    if seen := stale(look):
        return seen
    wanted = {
        one.name
        for one in declared_contracts(look.code("contracts"))
        if one.metadata.get("position") == "source"
    }
    if not wanted:
        return not_met("No contract states what a source holds.")
    stages = stages_of(look)
    reports = [(out, name) for name, stage in stages.items() for out in sorted(stage.outs)]
    reports = [(out, name) for out, name in reports if out.endswith(".json")]
    whole = [(out, name) for out, name in reports if wanted <= _accepted(look.text(out))]
    if not whole:
        if absent := [out for out, _ in reports if look.text(out) is None]:
            return not_shown(f"{absent[0]} is not here.", _PIPELINE)
        return not_met(
            f"No report of the pipeline says how many rows of {_list(wanted)} were accepted.",
            place("no stage holds every source against its contract", "dvc.yaml"),
        )
    report, first = whole[0]
    waiting = [name for name, stage in stages.items() if name != first and report in stage.deps]
    if not waiting:
        return not_met(
            f"No stage waits for what `{first}` says.",
            place("what validates data must come before what learns from it", "dvc.yaml"),
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


def data_versioned(look: Look) -> Seen:
    """Data and models are under DVC, not in git."""
    large = [
        path
        for path in look.record.files.in_git
        if path.lower().endswith(_TABLES) and (look.project.root / path).stat().st_size > _LARGE
    ]
    if large:
        return not_met(
            f"{len(large)} tables or models lie in git.",
            *(place("it belongs under DVC: `uv run dvc add`", path) for path in large),
        )
    if not under_dvc(look):
        if not look.sources.reads:
            return not_applicable("No data is seen to be read.")
        says = "Nothing lies under DVC: which data belongs to a commit is not said."
        return not_shown(says, _ADD)
    return met("No large table and no large model lies in git.")


def under_dvc(look: Look) -> bool:
    """Whether anything is kept by DVC: what a stage makes, or a file of its own."""
    files = look.record.files.under(["*.dvc"])
    return any(stage_outputs(look.project.root)) or any(
        isinstance(said := look.yaml(file), dict) and said.get("outs") for file in files
    )


def candidate_traceable(look: Look) -> Seen:
    """The candidate says what it was made from, and that is committed."""
    version = find_version(look.project, look.version)
    if version is None:
        return not_shown("There is no candidate.", _REGISTER)
    of = f"Candidate {version.version}"
    absent = [n for n in ("commit", "code", "lock") if not version.tags.get(f"handoff.{n}")]
    if absent:
        return not_met(f"{of} does not say its {', '.join(absent)}.")
    if version.tags.get("handoff.clean") != "true":
        return not_met(f"{of} was made from what nobody has committed.")
    if version.tags["handoff.code"] != code_hash(look.project.source):
        return not_shown(f"{of} was made by other code than stands here.", _REGISTER)
    return met(f"{of} was made from commit {version.tags['handoff.commit'][:12]}.")


def compared_with_baselines(look: Look) -> Seen:
    """The candidate was held against simpler ways, by the figures by which it is judged."""
    version = _candidate(look)
    if isinstance(version, Seen):
        return version
    parts = [name.partition(".") for name in version.metrics]
    others = {who for who, _, what in parts if f"model.{what}" in version.metrics} - {"model"}
    if not others:
        return not_met(f"Candidate {version.version} was held against nothing simpler.")
    named = ", ".join(sorted(other.replace("_", " ") for other in others))
    return met(f"Candidate {version.version} was held against {named}.")


def judged_by_subgroup(look: Look) -> Seen:
    """It is known how good the candidate is for each subgroup."""
    version = _candidate(look)
    if isinstance(version, Seen):
        return version
    groups = {tuple(n.split(".")[:3]) for n in version.metrics if n.count(".") > 2}
    if not groups:
        return not_met(f"Candidate {version.version} was judged as a whole only.")
    return met(f"Candidate {version.version} was judged by {_list(g[2] for g in groups)}.")


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted({*names}))


def _candidate(look: Look) -> VersionFacts | Seen:
    """The candidate, where it is one of the code that stands here."""
    version = find_version(look.project, look.version)
    if version is None:
        return not_shown("There is no candidate.", _REGISTER)
    if version.tags.get("handoff.code") != code_hash(look.project.source):
        says = f"Candidate {version.version} was made by other code than stands here."
        return not_shown(says, _REGISTER)
    return version
