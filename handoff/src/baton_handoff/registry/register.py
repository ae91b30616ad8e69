"""Register a model as a version, with everything that is needed to load and to judge it."""

import json
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import mlflow
import narwhals as nw
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, Schema

import baton_handoff
from baton_handoff.config.project import Project
from baton_handoff.contracts import canonical_form, engine_of, to_rows
from baton_handoff.core.errors import HandoffError
from baton_handoff.evaluation.concerns import Concern, concerns
from baton_handoff.evaluation.held_out import Evaluation, read_evaluation
from baton_handoff.registry import wrapper
from baton_handoff.registry.card_statements import STATEMENTS_FILE, statements
from baton_handoff.registry.code_hash import code_files
from baton_handoff.registry.lineage import Lineage, lineage_of
from baton_handoff.registry.loaded import EXAMPLE_FILE
from baton_handoff.registry.manifest import (
    MANIFEST_FILE,
    MANIFEST_TAG,
    SIGNATURE_FILE,
    Manifest,
    file_hash,
    hashes_of,
)
from baton_handoff.registry.model_card import (
    card_markdown,
    card_page,
    evaluation_metrics,
)
from baton_handoff.registry.model_file import FORMAT_TAG, stored_name, write_model
from baton_handoff.registry.model_registry import connect, registry_errors
from baton_handoff.registry.signature import sign, signing_key
from baton_handoff.registry.version_facts import CANDIDATE
from baton_handoff.registry.wrapper import ContractedModel

EVALUATION, LINEAGE_FILE, LOCK_FILE = "evaluation", "lineage.json", "requirements.txt"
"""The folder of a run with its evaluation, its lineage, and the packages that its lock pins."""

_EXAMPLE_ROWS = 20
"""A service compares predictions from tables of so many rows before it takes a version over."""

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
        lineage: Its origin.
        concerns: What its evaluation shows that a person should look at.
    """

    model: str
    version: int
    alias: str
    lineage: Lineage
    concerns: tuple[Concern, ...] = ()


@registry_errors()
def register(
    project: Project, model: ContractedModel, evaluated: Path, reports: Path
) -> Registered:
    """Log a model with everything that is known of it, register it, and make it the candidate.

    The alias moves last: after a failure, the former candidate stays.

    Args:
        project: The project whose pipeline has just run.
        model: The trained model between its contracts.
        evaluated: The folder with its evaluation.
        reports: The folder with the metrics of the evaluation, and its plots in `plots`.

    Raises:
        UsageError: Versions must be signed, and there is no usable key.
        UntrustedModelError: The model contains types that the project does not trust.
        HandoffError: The pipeline has not run to its end, or the registry does not answer.
    """
    key = signing_key() if project.registry.signers else None
    lineage = lineage_of(project)
    evaluation = read_evaluation(evaluated, engine_of(model.input_schema))
    forms = {
        "takes": canonical_form(model.input_schema),
        "gives": canonical_form(model.output_schema),
    }
    versions = {form["name"]: str(form["metadata"].get("version", "")) for form in forms.values()}
    client = connect(project)
    with mlflow.start_run(), warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        # MLflow recommends an input example to check its signature with; the contracts do that.
        warnings.simplefilter("ignore", UserWarning)
        file = write_model(project, model, Path(folder))
        code = _copy_code(project, Path(folder) / "code")
        mlflow.log_params(lineage.parameters_by_name)
        mlflow.log_metrics(evaluation_metrics(evaluation))
        mlflow.log_artifacts(str(reports), "reports")
        mlflow.log_artifacts(str(evaluated), EVALUATION)
        requirements = exported_lock(project.root)
        rows = nw.from_native(evaluation.rows, eager_only=True).head(_EXAMPLE_ROWS).to_native()
        example = json.dumps({"rows": to_rows(rows)}, default=datetime.isoformat, indent=2)
        log_card(project, lineage, evaluation, sorted((reports / "plots").glob("*.png")))
        tags = {
            "handoff.commit": lineage.commit or "",
            "handoff.clean": str(lineage.clean).lower(),
            "handoff.code": lineage.code,
            "handoff.lock": lineage.lock,
            "handoff.model": file_hash(file),
            FORMAT_TAG: project.registry.format,
            "handoff.contracts": json.dumps(versions),
        }
        about = Path(folder) / "about"
        about.mkdir()
        for name, text in {
            LINEAGE_FILE: json.dumps(asdict(lineage), indent=2, default=str),
            LOCK_FILE: requirements,
            EXAMPLE_FILE: example,
        }.items():
            (about / name).write_bytes(text.encode())
        manifest = {
            stored_name(file): tags["handoff.model"],
            **hashes_of(Path(folder) / "code", "model/code/"),
            **hashes_of(evaluated, f"{EVALUATION}/"),
            **hashes_of(about),
        }
        content = Manifest(manifest, tags).text().encode()
        (about / MANIFEST_FILE).write_bytes(content)
        if key:
            (about / SIGNATURE_FILE).write_bytes(sign(content, key))
        mlflow.log_artifacts(str(about))
        tags = {**tags, MANIFEST_TAG: file_hash(about / MANIFEST_FILE)}
        mlflow.set_tags(tags)
        signature = ModelSignature(inputs=_schema(forms["takes"]), outputs=_schema(forms["gives"]))
        # MLflow's own check drops extra columns and does not know ranges. This flag, which MLflow
        # stores with the model, leaves the check to the model.
        signature._is_signature_from_type_hint = True
        logged = mlflow.pyfunc.log_model(
            name="model",
            loader_module=wrapper.__name__,
            data_path=str(file),
            code_paths=code,
            signature=signature,
            pip_requirements=[
                line.removesuffix(" \\")
                for line in requirements.splitlines()
                if not line.startswith(" ")
            ],
            metadata=forms,
        )
        if not client.search_registered_models(f"name = '{project.model}'"):
            client.create_registered_model(project.model)
        version = client.create_model_version(
            project.model,
            logged.model_uri,
            run_id=logged.run_id,
            tags=tags,
            model_id=logged.model_id,
        )
    client.set_registered_model_alias(project.model, CANDIDATE, version.version)
    number = int(version.version)
    return Registered(project.model, number, CANDIDATE, lineage, tuple(concerns(evaluation)))


def log_card(project: Project, lineage: Lineage, evaluation: Evaluation, plots: list[Path]) -> None:
    """Log the card of a version to its run: Markdown, one page of HTML, and the plots."""
    file = project.root / STATEMENTS_FILE
    stated = statements(file.read_text(encoding="utf-8")) if file.exists() else {}
    text = card_markdown(project.model, lineage, evaluation, plots, stated)
    mlflow.log_text(text, "card/card.md")
    mlflow.log_text(card_page(text, f"Model card: {project.model}", plots), "card/card.html")
    for plot in plots:
        mlflow.log_artifact(str(plot), "card/plots")


def _schema(form: Mapping[str, Any]) -> Schema:
    return Schema(
        [
            ColSpec(_MLFLOW_TYPES.get(column["type"], "string"), name, required=column["required"])
            for name, column in form["columns"].items()
        ]
    )


def _copy_code(project: Project, folder: Path) -> list[str]:
    """Copy the code that the model needs, and nothing else, for MLflow to store with it."""
    package, engine = folder / project.package, folder / baton_handoff.__name__
    for file in code_files(project.source):
        (package / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project.source / file, package / file)
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(baton_handoff.__file__).parent, engine, ignore=without)
    return [str(package), str(engine)]


def exported_lock(root: Path) -> str:
    """The run-time packages of the lock as a requirements file, with exact versions and hashes.

    Args:
        root: The project's folder, or one with the same pyproject.toml, uv.lock and standards.

    Raises:
        HandoffError: uv can't export it.
    """
    command = (
        *(os.environ.get("UV", "uv"), "export", "--frozen", "--quiet", "--no-dev"),
        *("--no-header", "--no-annotate", "--no-emit-local"),
    )
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise HandoffError(f"uv can't export the lock: {done.stderr.strip()}")
    return done.stdout.rstrip("\n")
