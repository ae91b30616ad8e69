"""What a terminal can show: colour, signs, width."""

import re
import shutil
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TextIO

NARROWEST, WIDEST = 80, 110
_COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_PLAIN = {"█": "#", "░": ".", "→": "->", "·": "-", "✗": "x", "✓": "+", "…": "~", "○": "o", "●": "*"}


@dataclass(frozen=True)
class TerminalStyle:
    """How text is shown on a terminal.

    Attributes:
        colour: Whether it shows colours.
        encoding: The encoding in which it reads.
        width: How many signs fit in a line.
    """

    colour: bool = False
    encoding: str = "utf-8"
    width: int = NARROWEST

    @classmethod
    def of(cls, stream: TextIO, environment: Mapping[str, str]) -> "TerminalStyle":
        """What a stream can show.

        Args:
            stream: Where the text goes.
            environment: The variables of the environment, `NO_COLOR` among them.
        """
        terminal = stream.isatty()
        wanted = not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
        width = shutil.get_terminal_size((NARROWEST, 24)).columns if terminal else NARROWEST
        return cls(
            colour=terminal and wanted,
            encoding=getattr(stream, "encoding", None) or "utf-8",
            width=max(NARROWEST, min(WIDEST, width)),
        )

    def paint(self, text: str, *colours: str) -> str:
        """Text in a colour, as it is where there are none."""
        if not self.colour or not colours:
            return text
        codes = ";".join(_COLOURS[colour] for colour in colours)
        return f"\033[{codes}m{text}\033[0m"

    def paragraph(self, text: str, first: str = "", others: str | None = None) -> list[str]:
        """A sentence over as many lines as it takes.

        Args:
            text: The sentence; what a terminal would obey rather than show is left out.
            first: What stands before the first line.
            others: What stands before the others, as many spaces where it is None.
        """
        return textwrap.wrap(
            clean(text),
            self.width,
            initial_indent=first,
            subsequent_indent=" " * len(first) if others is None else others,
            break_on_hyphens=False,
        )

    def encoded(self, text: str) -> str:
        """Text in signs that the terminal's encoding has."""
        for sign, plain in _PLAIN.items():
            if not self._has(sign):
                text = text.replace(sign, plain)
        return text.encode(self.encoding, "replace").decode(self.encoding)

    def _has(self, sign: str) -> bool:
        try:
            sign.encode(self.encoding)
        except UnicodeEncodeError:
            return False
        return True


def clean(text: str) -> str:
    """Text in one line, without what a terminal would obey."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return re.sub(r" +", " ", shown).strip()


def inline(text: str) -> str:
    """A sentence as HTML; what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(clean(text)))


def fitted(text: str, width: int) -> str:
    """Text of exactly so many signs."""
    text = clean(text)
    return f"{text[: width - 1]}…" if len(text) > width else text.ljust(width)
