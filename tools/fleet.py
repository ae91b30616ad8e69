"""The state of many projects: version, level, what blocks, updates waiting, exceptions that expire.

`python tools/fleet.py FILE` reads a file with one repository a line, a folder or an address of git.
Each is cloned into a temporary folder; nothing is written to it, and no code of it runs.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "handoff/src")]

from baton_handoff.policy.practices.stages import STAGES  # noqa: E402
from baton_handoff.reporting.pages import template_environment  # noqa: E402

from tools.fleet_rows import Row, fleet  # noqa: E402

PAGE = Path(__file__).with_suffix(".html")


def sides_of(rows: Sequence[Row]) -> list[str]:
    """Every side for which something blocks somewhere."""
    return sorted({side for row in rows for side in row.blocking})


def table(rows: Sequence[Row]) -> Table:
    """The rows as a table for a terminal."""
    sides = sides_of(rows)
    shown = Table(box=None, pad_edge=False)
    titles = ("project", "template", "level", *(f"blocks {one}" for one in sides))
    for title in (*titles, "not shown", "update", "exceptions"):
        shown.add_column(title, overflow="fold")
    for row in rows:
        if row.error:
            continue
        cells = [row.name, row.version, f"{row.level} (earned {row.earned})"]
        cells += [*map(row.blocks, sides), str(len(row.not_shown)), row.update]
        cells.append(", ".join(f"{one['subject']} {one['expires']}" for one in row.exceptions))
        shown.add_row(*map(escape, cells))
    return shown


def page(rows: Sequence[Row], at: datetime) -> str:
    """The rows as one HTML page that loads nothing."""
    text = template_environment().from_string(PAGE.read_text(encoding="utf-8"))
    rendered: str = text.render(
        rows=rows,
        sides=sides_of(rows),
        stages=STAGES,
        at=f"{at:%Y-%m-%d %H:%M}",
        today=at.date().isoformat(),
        title=summary(rows),
    )
    return rendered


def summary(rows: Sequence[Row]) -> str:
    """The number of projects, of updates waiting, and of repositories that can't be read."""
    read = [row for row in rows if not row.error]
    waiting = [row for row in read if row.version != row.newest]
    clean = sum(not row.conflicts and not row.update_error for row in waiting)
    many = "" if len(read) == 1 else "s"
    parts = [f"{len(read)} project{many}", f"updates waiting: {len(waiting)}, clean: {clean}"]
    if unread := len(rows) - len(read):
        parts.append(f"not read: {unread}")
    return "; ".join(parts)


def main() -> int:
    """Report a fleet; 1 if a repository could not be read, 2 if the list could not."""
    parser = argparse.ArgumentParser(prog="make fleet REPOS=FILE", description=__doc__)
    parser.add_argument("repositories", type=Path, help="one folder or address a line; # comments")
    parser.add_argument("--json", type=Path, help="also write the rows as JSON")
    parser.add_argument("--html", type=Path, help="also write one HTML page")
    options = parser.parse_args()
    try:
        lines = options.repositories.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        print(f"{options.repositories} can't be read: {error}", file=sys.stderr)
        return 2
    repositories = [one for line in lines if (one := line.strip()) and not one.startswith("#")]
    rows = fleet([*dict.fromkeys(repositories)])
    console = Console(highlight=False, soft_wrap=False)
    # In a narrow terminal the rows would be columns of letters.
    console.width = max(console.width, 140)
    console.print(table(rows))
    for row in rows:
        if row.error:
            print(f"{row.name}: {row.error}")
    print(f"\n{summary(rows)}")
    if options.json:
        listed = {"version": 1, "projects": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")
    if options.html:
        options.html.write_text(page(rows, datetime.now(UTC)), encoding="utf-8")
    return int(any(row.error for row in rows))


if __name__ == "__main__":
    sys.exit(main())
