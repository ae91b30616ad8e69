"""Registering: a model with everything that a stranger needs to know of it becomes a version."""

import json
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import joblib
import mlflow
import narwhals as nw
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, Schema

import baton_handoff
from baton_handoff.config.project import Project
from baton_handoff.contracts import Contract, canonical_form, engine_of, to_rows
from baton_handoff.core.errors import HandoffError
from baton_handoff.evaluation.held_out import Evaluation, read_evaluation
from baton_handoff.registry import wrapper
from baton_handoff.registry.code_hash import code_files
from baton_handoff.registry.lineage import Lineage, lineage_of
from baton_handoff.registry.loaded import MODEL_FILE, file_hash
from baton_handoff.registry.model_card import (
    STATEMENTS_FILE,
    card_markdown,
    card_page,
    evaluation_metrics,
    statements,
)
from baton_handoff.registry.model_registry import connect, registry_errors
from baton_handoff.registry.wrapper import ContractedModel

EVALUATION = "evaluation"
"""The folder of a run that holds the evaluation."""

_EXAMPLES = 5
_MLFLOW_TYPES = {
    "integer": "long",
    "number": "double",
    "boolean": "boolean",
    "timestamp": "datetime",
    "timestamp[UTC]": "datetime",
}


@dataclass(frozen=True)
class Registered:
    """A model version in the registry.

    Attributes:
        model: The registered model's name.
        version: The version's number.
        alias: The alias that now points to it.
        lineage: What it came from.
    """

    model: str
    version: int
    alias: str
    lineage: Lineage


@registry_errors()
def register(
    project: Project, model: ContractedModel, evaluated: Path, reports: Path
) -> Registered:
    """Log a model with all that is known of it, register it, and make it the candidate.

    The alias moves last: a failure on the way leaves the former candidate in place.

    Args:
        project: The project whose pipeline has just run.
        model: The trained model between its contracts.
        evaluated: The folder with its evaluation.
        reports: The folder with the evaluation's figures, and its plots in `plots`.

    Raises:
        HandoffError: The pipeline has not run to its end, or the registry does not answer.
    """
    lineage = lineage_of(project)
    evaluation = read_evaluation(evaluated, engine_of(model.input_schema))
    client = connect(project)
    with mlflow.start_run(), warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        # MLflow asks for an input example to check its signature with; the contracts do that.
        warnings.simplefilter("ignore", UserWarning)
        file = Path(folder) / MODEL_FILE
        joblib.dump(model, file)
        mlflow.log_params(_flat(lineage.parameters))
        mlflow.log_metrics(evaluation_metrics(evaluation))
        mlflow.log_artifacts(str(reports), "reports")
        mlflow.log_artifacts(str(evaluated), EVALUATION)
        mlflow.log_dict(lineage.as_dict(), "lineage.json")
        requirements = _requirements(project)
        mlflow.log_text("\n".join(requirements), "requirements.txt")
        mlflow.log_dict(_example(evaluation), "input_example.json")
        log_card(project, lineage, evaluation, sorted((reports / "plots").glob("*.png")))
        tags = {
            "handoff.commit": lineage.commit or "",
            "handoff.clean": str(lineage.clean).lower(),
            "handoff.code": lineage.code,
            "handoff.lock": lineage.lock,
            "handoff.model": file_hash(file),
            "handoff.contracts": json.dumps(_versions(model)),
        }
        mlflow.set_tags(tags)
        logged = mlflow.pyfunc.log_model(
            name="model",
            loader_module=wrapper.__name__,
            data_path=str(file),
            code_paths=_model_code(project, Path(folder)),
            signature=_signature(model.input_schema, model.output_schema),
            pip_requirements=_without_hashes(requirements),
            metadata={
                "takes": canonical_form(model.input_schema),
                "gives": canonical_form(model.output_schema),
            },
        )
        if client.search_registered_models(f"name = '{project.model}'") == []:
            client.create_registered_model(project.model)
        version = client.create_model_version(
            project.model,
            logged.model_uri,
            run_id=logged.run_id,
            tags=tags,
            model_id=logged.model_id,
        )
    client.set_registered_model_alias(project.model, "candidate", version.version)
    return Registered(project.model, int(version.version), "candidate", lineage)


def log_card(project: Project, lineage: Lineage, evaluation: Evaluation, plots: list[Path]) -> None:
    """Put the card of a version into its run: Markdown, and one page of HTML."""
    stated = project.root / STATEMENTS_FILE
    said = statements(stated.read_text(encoding="utf-8")) if stated.exists() else {}
    text = card_markdown(project.model, lineage, evaluation, plots, said)
    mlflow.log_text(text, "card/card.md")
    mlflow.log_text(card_page(text, f"Model card: {project.model}", plots), "card/card.html")
    for plot in plots:
        mlflow.log_artifact(str(plot), "card/plots")


def _example(evaluation: Evaluation) -> dict[str, Any]:
    """A few rows as the service takes them."""
    rows = nw.from_native(evaluation.rows, eager_only=True).head(_EXAMPLES)
    plain = json.dumps(to_rows(rows.to_native()), default=datetime.isoformat)
    return {"rows": json.loads(plain)}


def _signature(input_schema: Contract, output_schema: Contract) -> ModelSignature:
    signature = ModelSignature(inputs=_schema(input_schema), outputs=_schema(output_schema))
    # MLflow's own check would drop extra columns and let ranges pass. This flag, which MLflow
    # stores with the model, leaves the checking to the model.
    signature._is_signature_from_type_hint = True
    return signature


def _schema(contract: Contract) -> Schema:
    columns = canonical_form(contract)["columns"]
    return Schema(
        [
            ColSpec(_MLFLOW_TYPES.get(column["type"], "string"), name, required=column["required"])
            for name, column in columns.items()
        ]
    )


def _model_code(project: Project, folder: Path) -> list[str]:
    """A copy of the code that the model needs, and nothing else, for MLflow to carry along."""
    package = folder / project.package
    for file in code_files(project.source):
        (package / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project.source / file, package / file)
    machinery = folder / baton_handoff.__name__
    shutil.copytree(
        Path(baton_handoff.__file__).parent,
        machinery,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    return [str(package), str(machinery)]


def _requirements(project: Project) -> list[str]:
    """The run-time packages of the lock, exact: lines of a requirements file with hashes."""
    done = subprocess.run(
        [
            *(os.environ.get("UV", "uv"), "export", "--frozen", "--quiet", "--no-dev"),
            *("--no-header", "--no-annotate", "--no-emit-local"),
        ],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise HandoffError(f"uv can't export the lock: {done.stderr.strip()}")
    return done.stdout.splitlines()


def _without_hashes(requirements: Sequence[str]) -> list[str]:
    return [line.removesuffix(" \\") for line in requirements if not line.startswith(" ")]


def _versions(model: ContractedModel) -> dict[str, str]:
    forms = [canonical_form(contract) for contract in (model.input_schema, model.output_schema)]
    return {form["name"]: str(form["metadata"].get("version", "")) for form in forms}


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
