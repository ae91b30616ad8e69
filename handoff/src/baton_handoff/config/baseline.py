"""The baseline: what was open when a grown repository took up the standards. It only shrinks.

It counts findings by practice, side and file, as ESLint's bulk suppressions do, so that lines may
move. In a file that has more than it had nobody can tell which is new: there all are open.
https://eslint.org/docs/latest/use/suppressions
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn, TypeAlias

from baton_handoff.config.sides import SIDES
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.files import write_atomically

BASELINE_FILE = "handoff-baseline.json"
"""Where it stands, beside handoff.toml."""

Baseline: TypeAlias = Mapping[tuple[str, str, str], int]
"""For a practice, a side and a file, relative to the project: how many findings there may be."""


def read_baseline(file: Path) -> Baseline:
    """What a file of that name records; nothing where there is none.

    Raises:
        HandoffError: It says something that can't be used.
    """
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except json.JSONDecodeError as error:
        raise HandoffError(
            f"{file}:{error.lineno}: this is not valid JSON ({error.msg}): take the file back from"
            " git."
        ) from error
    except UnicodeDecodeError as error:
        raise HandoffError(f"{file} is not UTF-8: take it back from git.") from error
    return dict(_entries(file, said))


def _entries(file: Path, said: object) -> Iterator[tuple[tuple[str, str, str], int]]:
    for practice, sides in _table(file, (), said, "practices"):
        for side, files in _table(file, (practice,), sides, "sides"):
            if side not in SIDES:
                wrong(file, (practice, side), f"`{side}` is no side: it may be {', '.join(SIDES)}")
            for path, count in _table(file, (practice, side), files, "files and their counts"):
                if type(count) is not int or count < 1:
                    said_of = (practice, side, path)
                    wrong(file, said_of, f"`{json.dumps(count)}` must be a whole number from 1 on")
                yield (practice, side, path), count


def _table(file: Path, keys: Sequence[str], said: object, of: str) -> Iterator[tuple[str, object]]:
    if not isinstance(said, dict):
        wrong(file, keys, f"{f'`{keys[-1]}`' if keys else 'this'} must be an object of {of}")
    yield from said.items()


def follow_renames(baseline: Baseline, paths: Mapping[str, str]) -> Baseline:
    """The same, with the entries of files that have moved under their new paths as well.

    Args:
        baseline: What is recorded.
        paths: For each new path the one at which the file was.
    """
    there = {
        (practice, side, path): count
        for path, was in paths.items()
        for (practice, side, file), count in baseline.items()
        if file == was
    }
    return {**baseline, **there}


def wrong(file: Path, keys: Sequence[str], what: str) -> NoReturn:
    """Say what is wrong under some keys, from the outermost on.

    Raises:
        HandoffError: Always.
    """
    lines, at = file.read_text(encoding="utf-8").splitlines(), 0
    for key in keys:
        written = re.escape(json.dumps(key, ensure_ascii=False))
        at = next((n for n, line in enumerate(lines[at:], at) if re.search(written, line)), at)
    raise HandoffError(f"{file}:{at + 1}: {what}.")


def write_baseline(file: Path, baseline: Baseline) -> None:
    """Write a baseline, whole or not at all."""
    said: dict[str, dict[str, dict[str, int]]] = {}
    for (practice, side, path), count in sorted(baseline.items()):
        said.setdefault(practice, {}).setdefault(side, {})[path] = count
    text = json.dumps(said, indent=2, ensure_ascii=False) + "\n"
    write_atomically(file, text)
