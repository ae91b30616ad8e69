"""The alias that the project's service follows: which, why, and what a move of an alias means."""

import os

from baton_handoff.config.project import Project
from baton_handoff.registry.version_facts import CHAMPION


def followed_alias(project: Project) -> str:
    """Describe which alias or version the service of this project loads, and why.

    Args:
        project: The project.
    """
    chosen = os.environ.get("HANDOFF_ALIAS") == project.alias
    why = "HANDOFF_ALIAS names it" if chosen else "`alias` under [service] in handoff.toml names it"
    kind = "version" if project.alias.isdecimal() else "alias"
    follows = f"The service loads the {kind} {project.alias}, because {why}"
    if project.alias == CHAMPION:
        return f"{follows}: a promotion or rollback changes its version."
    return (
        f"{follows}: a promotion or rollback moves {CHAMPION} and does not change its version;"
        f" HANDOFF_ALIAS={CHAMPION} makes it follow the {CHAMPION}, as in production."
    )


def effect_on_services(project: Project, alias: str, version: int) -> str:
    """Describe what running services do after a move of an alias.

    Args:
        project: The project.
        alias: The alias that moved.
        version: The version that it points to now.
    """
    seconds = f"{project.service.refresh_seconds:g} seconds"
    effect = (
        f"Services that follow {alias} and run its code load version {version} within {seconds}."
    )
    return effect if project.alias == alias else f"{effect} {followed_alias(project)}"
