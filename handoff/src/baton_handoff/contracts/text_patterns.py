"""`$` in the pattern of a text is its end, for every engine.

To Python, `$` is also before a newline at the end, so that `^[A-Z]{3}$` matches a text of four
characters. To polars, Spark's workers in Rust, and JSON Schema it is the end and nothing else.
"""

import re

import pandas as pd
from pandera.api.checks import Check
from pandera.backends.pandas import builtin_checks  # noqa: F401 (registers what is replaced here)

_MULTILINE = re.compile(r"\(\?[aiLsux]*m")
_PART = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\$", re.DOTALL)
"""An escaped character, a set of characters, or the end."""


END = r"$(?!\n)"
"""The end of a text for Python, and for JSON Schema, in which an escaped Z is only a letter."""


def end_marked(pattern: str, end: str = r"\Z") -> str:
    """Return a pattern for Python's `re`, with another sign for each `$` that is the end."""
    if _MULTILINE.search(pattern):
        return pattern
    return _PART.sub(lambda part: end if part[0] == "$" else part[0], pattern)


def _str_matches(data: pd.Series, pattern: str | re.Pattern[str]) -> pd.Series:
    if isinstance(pattern, re.Pattern):
        whole = re.compile(end_marked(pattern.pattern), pattern.flags)
        multiline = pattern.flags & re.MULTILINE
        return data.str.match(pattern if multiline else whole, na=False)
    return data.str.match(end_marked(pattern), na=False)


def use_whole_patterns() -> None:
    """Let pandera's check `str_matches` end at the end of the text, from now on in this process."""
    Check.CHECK_FUNCTION_REGISTRY["str_matches"]._function_registry[pd.Series] = _str_matches
