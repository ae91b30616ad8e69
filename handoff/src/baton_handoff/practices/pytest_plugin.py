"""Moved to `baton_handoff.integrations.pytest_plugin`; this name goes with 2.0."""

from baton_handoff.integrations.pytest_plugin import pytest_collect_file, pytest_configure

__all__ = ["pytest_collect_file", "pytest_configure"]
