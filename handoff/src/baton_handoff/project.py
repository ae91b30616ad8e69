"""Moved to `baton_handoff.config.project`; this name goes with 2.0."""

from baton_handoff.config.project import Project, find_project

__all__ = ["Project", "find_project"]
