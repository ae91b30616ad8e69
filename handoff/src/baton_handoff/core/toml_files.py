"""Reading TOML."""

import re
import tomllib
from pathlib import Path
from typing import Any

from baton_handoff.core.errors import UnreadableError


def parse_toml(text: str) -> dict[str, Any]:
    """Parse a TOML text.

    Raises:
        UnreadableError: It is none.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # Python says the line only in its message.
        reason, _, where = str(error).rpartition(" (at ")
        line = re.match(r"line (\d+)", where)
        last = len(text.splitlines()) or 1
        raise UnreadableError(
            error, reason or str(error), int(line[1]) if line else last
        ) from error


def read_toml(file: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        OSError: It can't be read.
        UnicodeDecodeError: It is not UTF-8.
        UnreadableError: It is no TOML.
    """
    return parse_toml(file.read_text(encoding="utf-8"))
