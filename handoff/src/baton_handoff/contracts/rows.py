"""Moved to `baton_handoff.contracts.row_models`; this name goes with 2.0."""

from baton_handoff.contracts.row_models import columns_checked_by_row as said_of_rows

__all__ = ["said_of_rows"]
