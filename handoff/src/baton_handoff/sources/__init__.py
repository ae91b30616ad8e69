"""Sources: what the project reads, where it comes from, who owns it, what is known of it.

Each has a file of the Open Data Contract Standard, `data/sources/NAME.odcs.yaml`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from baton_handoff.contracts.table_files import read_source

__all__ = ["read_source"]


def __getattr__(name: str) -> Any:
    """What projects import from here; what reads tables takes long to import."""
    if name not in __all__:
        raise AttributeError(f"{__name__} has no {name}")
    from baton_handoff.contracts import table_files as tables  # noqa: PLC0415

    return getattr(tables, name)
