"""The documentation site of a project: its own Markdown, and pages made from its code."""

import os
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from types import ModuleType

from baton_handoff.config.project import Project
from baton_handoff.config.sides import AXES, SIDES, places
from baton_handoff.contracts.canonical import model_interface, require_distinct_names
from baton_handoff.contracts.dictionary import DictionaryTable, golden_rows, models_of, tables_of
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.numbers import plural
from baton_handoff.integrations.docs_site.api import api_page, openapi
from baton_handoff.integrations.docs_site.pages import by_position, render_page
from baton_handoff.integrations.docs_site.site import build_site, serve_site
from baton_handoff.lineage.features.catalogue import FeatureTable, catalogue
from baton_handoff.policy.decisions import first_commit_day, radar, read_decisions
from baton_handoff.policy.practices.practice import STATEMENT
from baton_handoff.policy.practices.registry import registry_of
from baton_handoff.policy.rendering.summary import describe_tiers


def make_docs(project: Project) -> None:
    """Build the site and print its path.

    Raises:
        HandoffError: The contracts or the service can't be imported, or MkDocs fails; the former
            site is untouched.
    """
    with project.explain_errors("The contracts"):
        room = project.room("contracts")
        require_distinct_names(room)
        golden = golden_rows(project.root / "tests/golden")
        tables = by_position(tables_of(room, project.root / "src", golden))
    features = catalogue(project)
    with project.explain_errors("The service"):
        schema = openapi(project)
        api = api_page(schema, project.room("contracts.api"), tables) if schema else ""
    site, links = build_site(project, _pages(project, room, tables, features, api))
    for message in filter(None, [*links, _missing_interface(room)]):
        print(message)
    own = len(list((project.root / "docs").rglob("*.md")))
    beside = f", {plural(own, 'page')} of docs/" if own else ""
    print(
        f"{site.relative_to(project.root)}/index.html   {plural(len(tables), 'contract')}{beside}"
    )


def serve_docs(project: Project, port: int) -> None:
    """Build the site and serve it on this machine until the user ends it.

    Raises:
        HandoffError: It can't be built, or the port is in use.
    """

    def rebuild() -> None:
        # In a new process, which has not imported the old code.
        env = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run(["handoff", "docs"], cwd=project.root, env=env, check=False)

    make_docs(project)
    print(f"Serving http://127.0.0.1:{port}; Ctrl+C ends it.", flush=True)
    serve_site(project, port, rebuild)


def _pages(
    project: Project,
    room: ModuleType,
    tables: Sequence[DictionaryTable],
    features: Sequence[FeatureTable],
    api: str,
) -> dict[str, str]:
    """Return the pages that are made from the code, by path in the order of the navigation."""
    links = {table.name: f"contracts/{table.name}.html" for table in tables}
    notice = _missing_interface(room)
    pages = {"contracts/index.md": render_page("contracts", tables=tables, notice=notice)}
    for table in tables:
        pages[f"contracts/{table.name}.md"] = render_page("contract", table=table)
    pages["features.md"] = render_page("features", catalogue=features, links=links)
    if models := models_of(room):
        pages["model.md"] = render_page("model", models=models, links=links)
    if api:
        pages["api.md"] = api
    pages["who-answers.md"] = render_page(
        "who-answers",
        axes=AXES,
        places=places(project.package, project.answerable),
        teams=dict(zip(SIDES, project.teams, strict=True)),
    )
    if made := read_decisions(project):
        rows = radar(made, first_commit_day(project), datetime.now(UTC).date())
        pages["radar.md"] = render_page("radar", rows=rows)
    pages["practices.md"] = render_page(
        "practices",
        describe_tiers=describe_tiers,
        practices=registry_of(project).practices,
        statement=STATEMENT,
    )
    return pages


def _missing_interface(room: ModuleType) -> str:
    """Return what the contracts lack to be a model's interface, empty if nothing."""
    try:
        model_interface(room)
    except HandoffError as error:
        return str(error)
    return ""
