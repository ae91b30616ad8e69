"""Names that look like an unknown one: every message about an unknown name suggests one."""

from collections.abc import Iterable
from difflib import get_close_matches


def similar_name(wanted: str, names: Iterable[str]) -> str:
    """The name that looks most like a wanted one, whatever its case; empty if none does."""
    by_key = {name.casefold(): name for name in names}
    # Most names have few letters, and a slip in two of them must not hide the name.
    near = get_close_matches(wanted.strip().casefold(), by_key, 1, 0.55)
    return by_key[near[0]] if near else ""


def hint(wanted: str, names: Iterable[str], otherwise: str) -> str:
    """The end of a sentence about an unknown name: a suggestion, or else `otherwise`."""
    near = similar_name(wanted, names)
    return f"; did you mean `{near}`?" if near else f": {otherwise}."
