"""The API of a project, from the OpenAPI schema of its service."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from baton_handoff.config.project import Project
from baton_handoff.contracts import Frame
from baton_handoff.contracts.api_forms import form_of
from baton_handoff.contracts.dictionary import DictionaryColumn, DictionaryTable
from baton_handoff.contracts.sentences import RuleText, column_rules
from baton_handoff.core.errors import HandoffError
from baton_handoff.integrations.docs_site.pages import as_json, render_page
from baton_handoff.registry.loaded import Loaded


def openapi(project: Project) -> dict[str, Any] | None:
    """Return the OpenAPI schema of a project's service, None for a project without one."""
    if not (project.source / "serving" / "app.py").exists():
        return None
    app = project.room("serving.app").create(Loaded(project.model, 0, _predict))
    schema: dict[str, Any] = app.openapi()
    return schema


def api_page(schema: Mapping[str, Any], models: object, tables: Sequence[DictionaryTable]) -> str:
    """Render the page of the API.

    Args:
        schema: The OpenAPI schema.
        models: What holds the models of request and response: the project's `contracts.api`.
        tables: The contracts, whose example rows make an example of each.
    """
    objects = schema.get("components", {}).get("schemas", {})
    rows = {table.metadata.get("position"): table.example.row for table in tables if table.example}
    return render_page(
        "api",
        schema=schema,
        links={name: f"#{name.lower()}" for name in objects},
        objects=[_object(name, stated) for name, stated in objects.items()],
        examples={
            "A request": _example(models, "PredictionRequest", {"rows": [rows.get("input")]}),
            "A response in this form": _example(
                models, "PredictionResponse", {"predictions": [rows.get("output")], "version": 1}
            ),
        },
    )


def _object(name: str, stated: Mapping[str, Any]) -> DictionaryTable:
    form = form_of(name, stated, {})
    return DictionaryTable(
        name=name,
        description=inspect.cleandoc(stated.get("description", "")),
        columns=tuple(
            DictionaryColumn(
                name=field,
                type=form["columns"][field]["type"],
                required=form["columns"][field]["required"],
                nullable=form["columns"][field]["nullable"],
                rules=tuple(column_rules(form["columns"][field])),
                description=properties.get("description", ""),
            )
            for field, properties in stated.get("properties", {}).items()
        ),
        rules=(RuleText("other fields are refused"),) if form["strict"] else (),
    )


def _example(models: object, name: str, value: Mapping[str, Any]) -> str:
    """Return an object as JSON, empty if the model of that name does not accept it."""
    model = getattr(models, name, None)
    text = as_json(value, indent=2)
    try:
        if inspect.isclass(model) and issubclass(model, BaseModel):
            model.model_validate_json(text)
            return text
    except ValidationError:
        pass
    return ""


def _predict(_: Frame) -> Frame:
    """Stand in for a model, which a schema does not need."""
    raise HandoffError("There is no model behind a schema.")
