"""Text files of tables: their encoding, the separator of their columns, the line of the header."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from baton_handoff.core.errors import HandoffError

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_OTHERS = [
    *("cp1250", "iso8859_2", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r"),
    *("cp932", "euc_jp", "gb18030", "big5", "euc_kr"),
]
"""The encodings of texts that are not Western European; without rare ones, which only confuse."""

_SIGN_IN_WORD = re.compile(
    # Apart from apostrophes, a middle dot and dashes.
    r"[^\W\d_](?![\u2018\u2019·\u2013\u2014])[^\x00-\x7f\w\s][^\W\d_]"
    r"|[£¥¤¦©®¬¯±²³¹¼½¾¢][^\W\d_]|[\u0080-\u009f]"
)
"""A sign between or before letters, or a control character: no text in any language."""

_ACCENTS = re.compile(r"[À-ÖØ-öø-ÿŠŽŒšžœŸ]{3}")
"""Hardly a Western European word has three letters with accents in a row."""

_SAMPLE = 500_000
_SEPARATORS = ",;\t|"


def decoded(file: Path, content: bytes, encoding: str = "") -> tuple[str, str]:
    """Decode the content of a file; without an encoding, find it out.

    Returns:
        The text without a mark at its beginning, and the encoding.

    Raises:
        HandoffError: There is no such encoding, the text has another one, or it can't be told.
    """
    encoding = encoding or detect_encoding(content)
    if not encoding:
        raise HandoffError(
            f"The encoding of {file} can't be told: name it with --encoding, for example cp850, or"
            " save the file in UTF-8."
        )
    try:
        return content.decode(encoding).removeprefix("\ufeff"), encoding
    except LookupError as error:
        raise HandoffError(
            f"There is no encoding {encoding!r}: utf-8 or cp1252, for example."
        ) from error
    except UnicodeError as error:
        raise HandoffError(
            f"{file} is not text in {encoding}: name its encoding with --encoding."
        ) from error


def detect_encoding(content: bytes) -> str:
    """Return the encoding of a text by its bytes, empty if it can't be told."""
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return encoding
    try:
        content.decode()
    except UnicodeDecodeError:
        pass
    else:
        if b"\0" not in content:
            return "utf-8"
    # Letters of UTF-16 have a zero before or after them.
    sample = content[:_SAMPLE]
    for encoding, zeros, others in (
        ("utf-16-le", sample[1::2], sample[::2]),
        ("utf-16-be", sample[::2], sample[1::2]),
    ):
        if zeros.count(0) > len(zeros) / 2 > others.count(0) * 4:
            return encoding
    # Only lines with letters beyond ASCII tell encodings apart.
    telling = b"\n".join(line for line in content.split(b"\n") if not line.isascii())[:_SAMPLE]
    return "" if b"\0" in telling or not telling else _encoding_of_letters(telling)


def _encoding_of_letters(telling: bytes) -> str:
    """Return the encoding of lines with letters beyond ASCII, empty if it can't be told."""
    for encoding in ("cp1252", "iso8859_15"):
        western = telling.decode(encoding, errors="replace")
        if not ("\ufffd" in western or _SIGN_IN_WORD.search(western) or _ACCENTS.search(western)):
            return encoding
    # It is part of the environment that trains, not of the light core.
    from charset_normalizer import from_bytes  # noqa: PLC0415

    for match in from_bytes(telling, cp_isolation=_OTHERS):
        # Without a language in which the text makes sense, the encoding is a guess.
        if match.coherence and not _SIGN_IN_WORD.search(str(match)):
            return match.encoding
    return ""


def sniff(text: str) -> tuple[str, int]:
    """Return the separator of a table and the line with the names of its columns, from 1."""
    first = text[:_SAMPLE].partition("\n")[0].strip().lower()
    if first.startswith("sep=") and len(first) == len("sep=") + 1:  # Excel's own
        return first[-1], 2
    best, separator = (0.0, 0), ","
    for candidate in _SEPARATORS:
        widths = Counter(len(row) for _, row in _rows(text, candidate))
        width, times = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
        rank = (times / widths.total(), width) if width > 1 else (0.0, 0)
        if rank > best:
            best, separator = rank, candidate
    rows = _rows(text, separator)
    line, _ = rows[find_header([row for _, row in rows])]
    return separator, line


def find_header(rows: Sequence[Sequence[str]]) -> int:
    """Return the position of the row with the names: the first one as wide as the table."""
    width = Counter(len(row) for row in rows if row).most_common(1)[0][0]
    for place, row in enumerate(rows):
        named = [bool(cell.strip()) for cell in row]
        # A title that a workbook has filled up with empty cells; the row numbers have no name.
        if len(row) == width and (sum(named) > width / 2 or all(named[1:])):
            return place
    return 0


def from_line(text: str, line: int) -> str:
    """Return a text from a line on, counted from 1."""
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    return text[start:]


def _rows(text: str, separator: str) -> list[tuple[int, list[str]]]:
    """Return the first rows, each with the number of its first line."""
    sample = text[:_SAMPLE]
    if len(sample) < len(text):
        sample = sample.rpartition("\n")[0] or sample
    reader = csv.reader(sample.splitlines(keepends=True), delimiter=separator)
    rows, line = [], 1
    for row in reader:
        if row:
            rows.append((line, row))
        line = reader.line_num + 1
        if len(rows) == 1000:
            break
    return rows or [(1, [""])]
