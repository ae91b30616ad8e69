"""The style of a terminal: colour, encoding and width; rich lays out the text."""

import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import TextIO

from rich.console import Console, RenderableType
from rich.table import Table

_ASCII = {"█": "#", "░": ".", "→": "->", "·": "-", "✗": "x", "✓": "+", "…": "~", "○": "o", "●": "*"}


@dataclass(frozen=True)
class TerminalStyle:
    """How text is laid out for a terminal.

    Attributes:
        colour: Whether the terminal shows colours.
        encoding: The terminal's encoding.
        width: Characters in a line.
    """

    colour: bool = False
    encoding: str = "utf-8"
    width: int = 80

    @classmethod
    def of(cls, stream: TextIO, environment: Mapping[str, str]) -> "TerminalStyle":
        """Return the style for a stream: 80 columns wide if it is no terminal.

        Args:
            stream: The stream that the text is written to.
            environment: The environment variables; `COLUMNS` pins the width, `NO_COLOR` and a dumb
                terminal turn colours off.
        """
        colourful = not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
        return cls(
            colour=stream.isatty() and colourful,
            encoding=getattr(stream, "encoding", None) or "utf-8",
            width=shutil.get_terminal_size().columns,
        )

    def render(self, *parts: RenderableType) -> str:
        """Lay out parts with an empty line between them, in characters that the encoding has."""
        text = StringIO()
        console = Console(
            file=text,
            width=self.width,
            force_terminal=self.colour,
            color_system="standard" if self.colour else None,
            no_color=False,
            legacy_windows=False,
            emoji=False,
            highlight=False,
            markup=False,
        )
        for number, part in enumerate(parts):
            if number:
                console.print()
            console.print(part)
        # rich fills lines with spaces, which a copied line should not have.
        lines = "\n".join(
            re.sub(r"( |\033\[[\d;]*m)+$", lambda end: end[0].replace(" ", ""), line)
            for line in text.getvalue().splitlines()
        )
        for sign, plain in _ASCII.items():
            if sign.encode(self.encoding, "replace") == b"?":
                lines = lines.replace(sign, plain)
        return lines.encode(self.encoding, "replace").decode(self.encoding)


def marked_list(rows: Iterable[tuple[str, RenderableType]], indent: int = 2) -> Table:
    """Return texts, each behind a mark; a text that is longer than a line stays beside its mark."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for mark, text in rows:
        table.add_row(" " * indent + mark, text)
    return table
