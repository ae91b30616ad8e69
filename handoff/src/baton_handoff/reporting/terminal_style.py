"""The style of a terminal: colour, encoding and width; rich lays out the text."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from itertools import groupby
from typing import Any, TextIO

from markupsafe import Markup
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from baton_handoff.reporting.findings import single_line
from baton_handoff.reporting.pages import template_environment

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


def render_terminal(template: str, style: TerminalStyle, **values: Any) -> str:
    """Render a template and lay it out for a terminal.

    The template contains rich's markup; every value is escaped and stays on one line. Lines with
    tabs that follow each other are the rows of a table, whose last column wraps: a text behind a
    mark stays beside it.

    Args:
        template: The template's path below `templates/`.
        style: The style of the terminal.
        values: What the template refers to, by name.
    """
    text = StringIO()
    console = Console(
        file=text,
        width=style.width,
        force_terminal=style.colour,
        color_system="standard" if style.colour else None,
        no_color=False,
        legacy_windows=False,
        emoji=False,
        highlight=False,
    )
    lines = template_environment(_markup).get_template(template).render(values).splitlines()
    for _, group in groupby(lines, key=lambda line: "\t" in line):
        rows = [line.split("\t") for line in group]
        table = Table.grid(padding=(0, 1, 0, 0))
        for _cell in rows[0][1:]:
            table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for row in rows:
            table.add_row(*row)
        console.print(table)
    # rich fills lines with spaces, which a copied line should not have.
    plain = "\n".join(
        re.sub(r"( |\033\[[\d;]*m)+$", lambda end: end[0].replace(" ", ""), line)
        for line in text.getvalue().splitlines()
    )
    for sign, replacement in _ASCII.items():
        if sign.encode(style.encoding, "replace") == b"?":
            plain = plain.replace(sign, replacement)
    return plain.encode(style.encoding, "replace").decode(style.encoding)


def _markup(value: Any) -> Markup:
    return value if isinstance(value, Markup) else Markup(escape(single_line(str(value))))  # noqa: S704
