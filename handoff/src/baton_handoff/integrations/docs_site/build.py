"""The project's site: its own Markdown, and a data dictionary made from the code."""

import os
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from types import ModuleType

from baton_handoff.config.project import Project
from baton_handoff.config.sides import SIDES, places
from baton_handoff.contracts.canonical import model_interface, require_distinct_names
from baton_handoff.contracts.dictionary import DictionaryTable, golden_rows, models_of, tables_of
from baton_handoff.core.errors import HandoffError
from baton_handoff.integrations.docs_site.api import Api, api_of, openapi
from baton_handoff.integrations.docs_site.features import features_page
from baton_handoff.integrations.docs_site.pages import (
    api_page,
    by_position,
    contract_page,
    contracts_page,
    model_page,
    sides_page,
)
from baton_handoff.integrations.docs_site.practices import practices_page
from baton_handoff.integrations.docs_site.site import build_site, serve_site
from baton_handoff.integrations.docs_site.tools import radar_page
from baton_handoff.lineage.features.catalogue import Features, catalogue
from baton_handoff.policy.decisions import begun, decisions, radar
from baton_handoff.policy.practices.registry import registry_of


def make_docs(project: Project) -> None:
    """Build the site and say where it stands.

    Raises:
        HandoffError: The contracts or the service can't be imported, or MkDocs complains; the site
            that stood there is untouched.
    """
    with project.explain_errors("The contracts"):
        room = project.room("contracts")
        require_distinct_names(room)
        golden = golden_rows(project.root / "tests/golden")
        tables = by_position(tables_of(room, project.root / "src", golden))
    features = catalogue(project)
    with project.explain_errors("The service"):
        schema = openapi(project)
        api = api_of(schema, project.room("contracts.api"), tables) if schema else None
    notice = _notice(room)
    pages = _pages(project, room, tables, features, api)
    site, said = build_site(project, pages)
    for message in filter(None, [*said, notice]):
        print(message)
    own = len(list((project.root / "docs").rglob("*.md")))
    beside = f", {own} page{'s' if own > 1 else ''} of docs/" if own else ""
    print(f"{site.relative_to(project.root)}/index.html   {len(tables)} contracts{beside}")


def serve_docs(project: Project, port: int) -> None:
    """Build the site and show it on this machine until somebody ends it.

    Raises:
        HandoffError: It can't be built, or the port can't be had.
    """

    def rebuild() -> None:
        # By a process of its own, which has not imported the old code.
        own = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run(["handoff", "docs"], cwd=project.root, env=own, check=False)

    make_docs(project)
    print(f"It will stand on http://127.0.0.1:{port}; Ctrl+C ends it.", flush=True)
    serve_site(project, port, rebuild)


def _pages(
    project: Project,
    room: ModuleType,
    tables: Sequence[DictionaryTable],
    features: Sequence[Features],
    api: Api | None,
) -> dict[str, str]:
    """Every page that is made from the code, by its path, in the order of the navigation."""
    pages = {"contracts/index.md": contracts_page(tables, _notice(room))}
    pages |= {f"contracts/{table.name}.md": contract_page(table) for table in tables}
    pages["features.md"] = features_page(features, tables)
    if models := models_of(room):
        pages["model.md"] = model_page(models, tables)
    if api:
        pages["api.md"] = api_page(api)
    teams = dict(zip(SIDES, project.teams, strict=True))
    pages["who-answers.md"] = sides_page(places(project.package, project.answerable), teams)
    if made := decisions(project):
        pages["radar.md"] = radar_page(radar(made, begun(project), datetime.now(UTC).date()))
    pages["practices.md"] = practices_page(registry_of(project).practices)
    return pages


def _notice(room: ModuleType) -> str:
    """What is missing, in a sentence; empty if nothing is."""
    try:
        model_interface(room)
    except HandoffError as error:
        return str(error)
    return ""
