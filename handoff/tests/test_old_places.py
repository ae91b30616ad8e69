"""What projects import from places of 0.1 is still there, and is what stands at the new place."""

import pickle
from importlib import import_module

import pytest

from baton_handoff.registry.wrapper import ContractedModel

MOVED = {
    "errors.HandoffError": "core.errors",
    "errors.in_one_sentence": "core.command",
    "findings.Finding": "reporting.findings",
    "model.evaluation.Evaluation": "evaluation.evaluation",
    "model.evaluation.Kind": "evaluation.evaluation",
    "model.evaluation.importance": "evaluation.evaluation",
    "model.evaluation.scores": "evaluation.evaluation",
    "model.loaded.Loaded": "registry.loaded",
    "model.plots.draw": "evaluation.plots",
    "model.register.Registered": "registry.register",
    "model.register.register": "registry.register",
    "model.registry.load": "registry.model_registry",
    "model.wrapper.ContractedModel": "registry.wrapper",
    "model.wrapper._load_pyfunc": "registry.wrapper",
    "practices.pytest_plugin.pytest_collect_file": "integrations.pytest_plugin",
    "practices.pytest_plugin.pytest_configure": "integrations.pytest_plugin",
    "project.Project": "config.project",
    "project.find_project": "config.project",
    "service.create_app": "serving",
    "service.batch.Scored": "serving.batch",
    "service.batch.score_file": "serving.batch",
    "service.running.running": "serving.running",
    "sources.read_source": "contracts.table_files",
}


@pytest.mark.parametrize(("old", "new"), MOVED.items())
def test_an_old_name_is_the_new_one(old: str, new: str) -> None:
    place, _, name = old.rpartition(".")
    moved = getattr(import_module(f"baton_handoff.{place}"), name)
    assert moved is getattr(import_module(f"baton_handoff.{new}"), name)


def test_a_model_that_was_kept_under_the_old_name_is_loaded() -> None:
    # As pickle writes it: the module and the name, then an empty state.
    kept = b"cbaton_handoff.model.wrapper\nContractedModel\n)\x81."
    assert isinstance(pickle.loads(kept), ContractedModel)


def test_an_old_name_of_a_renamed_function_is_the_new_function() -> None:
    rows = import_module("baton_handoff.contracts.rows")
    row_models = import_module("baton_handoff.contracts.row_models")
    assert rows.said_of_rows is row_models.columns_checked_by_row
