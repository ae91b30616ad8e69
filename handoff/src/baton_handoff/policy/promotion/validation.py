"""Validation: measure everything that the gates judge, by running the version.

Compare what the registry stores with what was registered, build the version's environment from its
lock, predict in an isolated process with the version's own code, start the service with it and send
requests.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import mlflow
from mlflow.entities.model_registry import ModelVersion

from baton_handoff.config.project import Project
from baton_handoff.contracts import engine_of, model_interface
from baton_handoff.core.environments import create_environment, environment_python, is_complete
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.files import text_of
from baton_handoff.evaluation.held_out import read_evaluation
from baton_handoff.lineage.sources.assessment import assess_sources
from baton_handoff.lineage.sources.usage import source_usage
from baton_handoff.policy.promotion.candidate import Candidate, IsolatedPrediction, ServiceAnswers
from baton_handoff.policy.promotion.stored_version import StoredVersion, download_version
from baton_handoff.policy.promotion.trial import (
    describe_isolation,
    predict_isolated,
    service_answers,
)
from baton_handoff.policy.status.promotion_practices import promotion_requirements
from baton_handoff.registry.alias_moves import aliased_version
from baton_handoff.registry.card_statements import STATEMENTS_FILE, statements
from baton_handoff.registry.code_hash import code_hash
from baton_handoff.registry.manifest import file_hash
from baton_handoff.registry.model_file import (
    UntrustedModelError,
    find_model_file,
    require_trusted,
)
from baton_handoff.registry.model_registry import has_artifact
from baton_handoff.registry.register import LOCK_FILE
from baton_handoff.registry.version_facts import CHAMPION

Progress: TypeAlias = Callable[[str], None]

_Tried: TypeAlias = tuple[str, IsolatedPrediction | None]
"""The error of a version's environment, and its isolated prediction."""


def validate(
    project: Project, client: mlflow.MlflowClient, version: ModelVersion, progress: Progress
) -> Candidate:
    """Run a version in isolation and in the service, and the champion on the same rows.

    Raises:
        HandoffError: The version was not registered by this engine, or its manifest was changed.
    """
    progress(f"Version {version.version} of {project.model}:")
    # First, because a mistake in handoff.toml shows here at once.
    practices = promotion_requirements(project, int(version.version))
    service_code = code_hash(project.source)
    input_schema, _ = model_interface(project.room("contracts"))
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder).resolve()
        progress("  comparing its files with those that were registered …")
        stored = download_version(project, version, scratch / "version")
        evaluation = None
        if stored.is_intact and stored.evaluation:
            evaluation = read_evaluation(stored.evaluation, engine_of(input_schema))

        def isolated(of: StoredVersion) -> _Tried:
            python, error = _environment(project, of)
            if error or evaluation is None or stored.evaluation is None:
                return error, None
            progress(f"  predicting with the code of version {of.version.version} …")
            rows = stored.evaluation / "rows.parquet"
            results = scratch / f"{of.folder.name}-results"
            return "", predict_isolated(python, of.folder / "model", rows, evaluation, results)

        environment_error, prediction = "", None
        if stored.is_intact:
            try:
                require_trusted(project, find_model_file(stored.folder / "model/data"))
            except UntrustedModelError as error:
                prediction = IsolatedPrediction("trust", str(error))
            else:
                progress("  building its environment …")
                environment_error, prediction = isolated(stored)
        service = ServiceAnswers("the isolated prediction did not succeed")
        works = prediction and prediction.predictions is not None
        if works and evaluation and stored.code == service_code:
            progress("  sending requests to the service …")
            service = service_answers(project, stored.fetched(scratch / "served"), evaluation)
        champion = aliased_version(client, project, CHAMPION)
        champion_prediction, champion_contracts = None, None
        if champion is not None and stored.is_intact:
            former = client.get_model_version(project.model, str(champion))
            champion_prediction, champion_contracts = _champion(
                project, former, scratch / "champion", isolated
            )
        return Candidate(
            version=int(version.version),
            has_manifest=stored.has_manifest,
            mismatches=stored.mismatches,
            isolation=describe_isolation(),
            environment_error=environment_error,
            prediction=prediction,
            service=service,
            evaluation=evaluation,
            commit=version.tags.get("handoff.commit", ""),
            commit_is_known=stored.commit_is_known,
            clean=version.tags.get("handoff.clean") == "true",
            code=stored.code,
            service_code=service_code,
            contracts=stored.contracts,
            card=has_artifact(version, "card/card.html"),
            statements=statements(text_of(project.root / STATEMENTS_FILE)),
            sources=assess_sources(source_usage(project)),
            practices=practices,
            champion=champion,
            champion_contracts=champion_contracts,
            champion_prediction=champion_prediction,
        )


def _champion(
    project: Project,
    version: ModelVersion,
    to: Path,
    isolated: Callable[[StoredVersion], _Tried],
) -> tuple[IsolatedPrediction | None, Mapping[str, Any]]:
    """The prediction of the champion, and its contracts."""
    try:
        stored = download_version(project, version, to)
    except HandoffError as error:
        return IsolatedPrediction("load", str(error)), {}
    # One that was registered before there were manifests has been promoted all the same.
    if stored.mismatches:
        changed = f"{stored.mismatches[0].name} is not what was registered"
        return IsolatedPrediction("load", changed), stored.contracts
    problem, prediction = isolated(stored)
    return IsolatedPrediction("load", problem) if problem else prediction, stored.contracts


def _environment(project: Project, stored: StoredVersion) -> tuple[Path, str]:
    """An environment with exactly what the version's lock pins, built once for each lock.

    Returns:
        Its Python, and the error of building it, empty if that worked.
    """
    requirements = stored.folder / LOCK_FILE
    if not requirements.exists():
        return Path(), "the version was registered without a lock"
    place = project.local / "environments" / file_hash(requirements)[:16]
    python = environment_python(place)
    return python, "" if is_complete(place) else create_environment(place, requirements)
