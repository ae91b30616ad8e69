"""Moved to `baton_handoff.contracts.table_files`; this name goes with 2.0."""

from baton_handoff.contracts.table_files import read_source

__all__ = ["read_source"]
