"""The API as its OpenAPI schema says: endpoints, and what goes in and comes out."""

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from baton_handoff.config.project import Project
from baton_handoff.contracts import Frame
from baton_handoff.contracts.api_forms import form_of
from baton_handoff.contracts.dictionary import DictionaryColumn, DictionaryTable
from baton_handoff.contracts.examples import Row
from baton_handoff.contracts.sentences import RuleText, column_rules
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.loaded import Loaded


@dataclass(frozen=True)
class Endpoint:
    """Something that the service can be asked.

    Attributes:
        method: `POST`, for example.
        path: Its path.
        says: What it does.
        takes: The object that it is asked with, empty for none.
        answers: For each status what that means, and the object that it comes with.
    """

    method: str
    path: str
    says: str
    takes: str
    answers: Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Api:
    """The API of a project.

    Attributes:
        endpoints: What it can be asked.
        objects: What goes in and comes out, by name.
        request: A request that it accepts, as JSON, empty where none could be made.
        answer: An answer in its form, likewise.
    """

    endpoints: tuple[Endpoint, ...]
    objects: tuple[DictionaryTable, ...]
    request: str = ""
    answer: str = ""


def openapi(project: Project) -> dict[str, Any] | None:
    """The OpenAPI schema of a project's service, None for a project without one."""
    if not (project.source / "serving" / "app.py").exists():
        return None
    app = project.room("serving.app").create(Loaded(project.model, 0, _nothing))
    schema: dict[str, Any] = app.openapi()
    return schema


def api_of(schema: Mapping[str, Any], models: object, tables: Sequence[DictionaryTable]) -> Api:
    """The API that an OpenAPI schema describes.

    Args:
        schema: The schema.
        models: What holds the models of a request and an answer: the project's `contracts.api`.
        tables: The contracts, whose examples make an example of a request and of an answer.
    """
    rows = {table.metadata.get("position"): table.example.row for table in tables if table.example}
    return Api(
        endpoints=tuple(_endpoints(schema["paths"])),
        objects=tuple(
            _object(name, stated)
            for name, stated in schema.get("components", {}).get("schemas", {}).items()
        ),
        request=_tried(models, "PredictionRequest", rows.get("input"), "rows"),
        answer=_tried(models, "PredictionResponse", rows.get("output"), "predictions", version=1),
    )


def _endpoints(paths: Mapping[str, Any]) -> Iterator[Endpoint]:
    for path, methods in paths.items():
        for method, stated in methods.items():
            yield Endpoint(
                method.upper(),
                path,
                stated.get("description") or stated.get("summary", ""),
                _held(stated.get("requestBody", {})),
                {
                    status: (answer.get("description", ""), _held(answer))
                    for status, answer in stated["responses"].items()
                },
            )


def _held(body: Mapping[str, Any]) -> str:
    """The name of the object in a request or an answer."""
    schema = body.get("content", {}).get("application/json", {}).get("schema", {})
    return str(schema.get("$ref", "")).rpartition("/")[2] or str(schema.get("type", ""))


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


def _tried(models: object, name: str, row: Row | None, key: str, **more: Any) -> str:
    """An object with one row as JSON, empty if its model refuses it."""
    model = getattr(models, name, None)
    if row is None or not (inspect.isclass(model) and issubclass(model, BaseModel)):
        return ""
    text = json.dumps({key: [row], **more}, indent=2, ensure_ascii=False)
    try:
        model.model_validate_json(text)
    except ValidationError:
        return ""
    return text


def _nothing(_: Frame) -> Frame:
    """In the place of a model: a schema needs none."""
    raise HandoffError("There is no model behind a schema.")
