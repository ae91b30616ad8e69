"""The baseline: what was open when a grown repository took up the standards. It only shrinks.

It counts findings by practice, side and file, as ESLint's bulk suppressions do, so that lines may
move. In a file that has more than it had nobody can tell which is new: there all are open.
https://eslint.org/docs/latest/use/suppressions
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NoReturn, TypeAlias

from baton_handoff.config.sides import SIDES
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.practices.assessment import Outcome, State
from baton_handoff.policy.practices.practice import Practice

FILE = "handoff-baseline.json"
"""Where it stands, beside handoff.toml."""

Baseline: TypeAlias = Mapping[tuple[str, str, str], int]
"""For a practice, a side and a file, relative to the project: how many findings there may be."""


def read(file: Path) -> Baseline:
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


def moved(baseline: Baseline, paths: Mapping[str, str]) -> Baseline:
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


def known(file: Path, baseline: Baseline, practices: Mapping[str, Practice]) -> None:
    """Make sure that there is nothing in it but practices whose findings can be counted.

    Raises:
        HandoffError: There is something else.
    """
    may = [practice.name for practice in practices.values() if practice.baseline]
    for name, _, _ in baseline:
        if name not in may:
            what = "never in a baseline" if name in practices else "unknown"
            wrong(file, (name,), f"the practice {name} is {what}: it may be {', '.join(may)}")


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


def covered(outcome: Outcome, baseline: Baseline) -> Outcome:
    """What came of a practice, with what the baseline records of it set apart."""
    if not outcome.practice.baseline or outcome.state is not State.NOT_MET:
        return outcome
    now = counted([outcome])
    recorded = {key for key, count in now.items() if count <= baseline.get(key, 0)}

    def is_recorded(file: str | None) -> bool:
        return (outcome.practice.name, outcome.side, file or "") in recorded

    return replace(
        outcome,
        findings=tuple(one for one in outcome.findings if not is_recorded(one.file)),
        recorded=tuple(one for one in outcome.findings if is_recorded(one.file)),
    )


def write(file: Path, baseline: Baseline) -> None:
    """Write a baseline, whole or not at all."""
    said: dict[str, dict[str, dict[str, int]]] = {}
    for (practice, side, path), count in sorted(baseline.items()):
        said.setdefault(practice, {}).setdefault(side, {})[path] = count
    text = json.dumps(said, indent=2, ensure_ascii=False) + "\n"
    with NamedTemporaryFile(
        "wb", dir=file.parent, prefix=".unfinished-", delete=False
    ) as unfinished:
        unfinished.write(text.encode())
    Path(unfinished.name).chmod(0o644)
    Path(unfinished.name).replace(file)


def counted(outcomes: Sequence[Outcome]) -> Counter[tuple[str, str, str]]:
    """How many findings there are; one that is in no file can't be counted."""
    return Counter(
        (outcome.practice.name, outcome.side, finding.file)
        for outcome in outcomes
        for finding in (*outcome.findings, *outcome.recorded)
        if finding.file
    )
