"""The report of a fix: what has changed, what the tests show, and what is left to people."""

from collections import Counter
from collections.abc import Iterator
from difflib import unified_diff

from baton_handoff.core.numbers import plural
from baton_handoff.policy.evidence.fixing import Fix, same_code
from baton_handoff.reporting.findings import render

_SHOWN_LINES = 40
"""The number of lines of a difference that a short report shows."""

_SHOWN_FINDINGS = 20


def fix_report(fix: Fix) -> str:
    """The report of a fix that was made."""
    if not (fix.changes or fix.remaining or fix.errors or fix.tested == "taken back"):
        return "Nothing has to be fixed."
    parts = [_files(fix), _short(_difference(fix, code_only=True)), *_tests(fix)]
    parts += [_remaining(fix), *fix.errors]
    return "\n\n".join(part for part in parts if part)


def preview_report(fix: Fix) -> str:
    """The whole difference that a fix would make, as a patch."""
    if not (fix.changes or fix.errors):
        return "Nothing has to be fixed."
    return "\n".join([*_difference(fix), *fix.errors])


def _files(fix: Fix) -> str:
    if not fix.changes:
        return ""
    width = max(map(len, fix.changes))
    lines = [plural(len(fix.changes), "file") + " changed:"]
    for file, (old, new) in fix.changes.items():
        if file in fix.generated:
            what = "generated from the code and the settings"
        else:
            what = "format only" if same_code(old, new) else "code"
        lines.append(f"  {file:{width}}  {what}")
    return "\n".join(lines)


def _difference(fix: Fix, *, code_only: bool = False) -> Iterator[str]:
    for file, (old, new) in fix.changes.items():
        if code_only and (file in fix.generated or same_code(old, new)):
            continue
        lines = (old.splitlines(), new.splitlines())
        yield from unified_diff(*lines, f"a/{file}", f"b/{file}", lineterm="", n=1)


def _short(difference: Iterator[str]) -> str:
    lines = [*difference]
    if more := lines[_SHOWN_LINES:]:
        lines = [*lines[:_SHOWN_LINES], f"… {plural(len(more), 'more line')}: `git diff`"]
    return "\n".join(lines)


def _tests(fix: Fix) -> Iterator[str]:
    match fix.tested:
        case "passed":
            yield "The tests pass with the changed code."
        case "as before":
            yield "Tests fail as they did before the fix; none fails because of it."
        case "not possible":
            yield "The changed code is not tested: no test can run. Try `uv run poe test`."
        case "taken back":
            files = ", ".join(fix.broken) or "The tests can't run with it, so it"
            failing = f"Tests fail because of the fix ({files}), so it" if fix.broken else files
            yield (
                f"{failing} was taken back: only the format is corrected."
                " Correct the code file by file: `uv run poe fix --only lint FILE`."
            )
    if fix.hinted:
        yield (
            f"{plural(fix.hinted, 'function')} got the types of the values in the tests:"
            " look whether others are meant."
        )


def _remaining(fix: Fix) -> str:
    if not fix.remaining:
        return ""
    shown, more = fix.remaining[:_SHOWN_FINDINGS], len(fix.remaining) - _SHOWN_FINDINGS
    lines = [f"What no tool can fix: {_by_side(fix)}", render(shown, "terminal", "")]
    if more > 0:
        lines.append(f"… {more} more: `uv run poe check`")
    return "\n".join(lines)


def _by_side(fix: Fix) -> str:
    counts = Counter(one.side or "either side" for one in fix.remaining)
    return ", ".join(f"{count} for {side}" for side, count in counts.most_common())
