"""Where a project stands: one page of HTML that needs nothing else."""

from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from baton_handoff.policy.practices.assessment import Assessment, PracticeResult, State
from baton_handoff.policy.practices.practice import Practice
from baton_handoff.policy.rendering import adoption as adopting
from baton_handoff.policy.rendering.open_findings import describe_acceptance
from baton_handoff.policy.rendering.summary import (
    HIGHEST,
    LEFT_OPEN,
    LOOSENED,
    NextStep,
    blocking_counts,
    describe_base,
    describe_levels,
    next_steps,
    practice_label,
    sides_of,
    unmentioned_file,
)
from baton_handoff.policy.rendering.terminal_report import percent
from baton_handoff.reporting.findings import Finding
from baton_handoff.reporting.terminal_style import clean, inline

_STYLE = Path(__file__).with_suffix(".css")

_SAFE = "default-src 'none'; style-src 'unsafe-inline'"
"""Nothing is loaded and nothing runs, whatever a sentence holds."""


def html_report(assessment: Assessment, at: str) -> str:
    """The report as one page.

    Args:
        assessment: Where the project stands.
        at: When it was made.
    """
    said = (
        describe_levels(assessment)
        if assessment.unmanaged
        else f"level {assessment.earned()} earned"
    )
    title = f"{clean(assessment.project)}: {said}"
    parts = [_head(assessment, title, at), _counts(assessment), _next(next_steps(assessment))]
    parts += [_found(LEFT_OPEN, assessment.change_findings), _found(LOOSENED, assessment.loosened)]
    parts += [_adopting(assessment), _bars(assessment), _practices(assessment)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_SAFE}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>\n{_STYLE.read_text(encoding='utf-8')}</style></head>\n"
        f"<body><main>\n{chr(10).join(filter(None, parts))}\n</main></body></html>\n"
    )


def _head(assessment: Assessment, title: str, at: str) -> str:
    earned = assessment.earned()
    note = escape(
        f"Looked at {at[:16].replace('T', ' ')} (UTC). {describe_base(assessment)}".rstrip()
    )
    levels = ""
    for level in range(HIGHEST + 1):
        chosen = "looked at" if assessment.unmanaged else "chosen"
        kinds = ["earned"] * (level <= earned) + [chosen] * (level == assessment.level)
        said = f"level {level}{''.join(f', {kind}' for kind in kinds)}"
        levels += f'<li class="{" ".join(kinds)}">{said}</li>'
    return (
        f"<header><h1>{escape(title)}</h1>"
        f'<p class="note">{note}</p>'
        f'<ul class="levels">{levels}</ul></header>'
    )


def _counts(assessment: Assessment) -> str:
    tiles = "".join(
        f"<div{' class=loud' if number and not place else ''}>"
        f"<dt>{escape(when)}</dt><dd>{number}</dd></div>"
        for place, (when, number) in enumerate(blocking_counts(assessment).items())
    )
    title = "Open" if assessment.unmanaged else "What blocks"
    return _section(title, f'<dl class="counts">{tiles}</dl>')


def _next(todo: Sequence[NextStep]) -> str:
    if not todo:
        return _section("Next", "<p>Nothing is left to do.</p>")
    items = "".join(
        f"<li><b>{escape(', '.join(step.sides))}</b> · {escape(step.when)}<br>"
        f"{inline(practice_label(step.results[0].practice))}: {inline(step.says)}<br>"
        f"→ {inline(step.fix)}</li>"
        for step in todo
    )
    return _section("Next", f'<ol class="next">{items}</ol>')


def _found(title: str, found: Sequence[Finding]) -> str:
    files = [unmentioned_file(finding) for finding in found]
    items = "".join(
        f"<li>{inline(finding.message)}{_whose(finding.side)}"
        f"{f' (<code>{escape(file)}</code>)' if file else ''}"
        f"{f'<br>→ {inline(finding.fix)}' if finding.fix else ''}</li>"
        for finding, file in zip(found, files, strict=True)
    )
    return _section(title, f"<ul>{items}</ul>") if items else ""


def _whose(side: str | None) -> str:
    return f" <b>{escape(side)}</b>" if side else ""


def _adopting(assessment: Assessment) -> str:
    if not assessment.unmanaged:
        return ""
    text = ""
    for title, groups in adopting.both(assessment):
        items = "".join(
            f"<li><b>{escape(name)}</b>: {inline(adopting.names(practices))}</li>"
            for name, practices in groups.items()
        )
        text += f"<h3>{title} ({adopting.number_of(groups)})</h3><ul>{items}</ul>"
    seen = f"{adopting.looked_at(assessment.unmanaged)}. {adopting.states(assessment)}."
    adopt = inline(f"`{assessment.unmanaged.adopt}`")
    return _section("Adopting Baton", f"<p>Looked at: {escape(seen)}</p>{text}<p>→ {adopt}</p>")


def _bars(assessment: Assessment) -> str:
    sides = sides_of(assessment)
    rows = []
    for section in assessment.sections():
        cells = "".join(f"<td>{_share(assessment.share(section, side))}</td>" for side in sides)
        level = f"<td>level {assessment.earned(section)}</td>"
        rows.append(f'<tr><th scope="row">{escape(section)}</th>{cells}{level}</tr>')
    body = "\n".join(["<tbody>", *rows, "</tbody>"])
    return _section("Sections", _table(["section", *sides, "earned"], [body], "sections"))


def _share(share: float | None) -> str:
    if share is None:
        return '<span class="note">nothing is asked</span>'
    kind = "met" if share == 1 else "part" if share >= 0.5 else "low"
    return (
        '<div class="share"><span class="bar" aria-hidden="true">'
        f'<i class="{kind}" style="width:{share:.1%}"></i></span>{percent(share)}</div>'
    )


def _practices(assessment: Assessment) -> str:
    parts = []
    for section in assessment.sections():
        shown = [
            result
            for result in assessment.results
            if result.practice.section == section
            and (result.tier != "not-needed" or not result.reached)
        ]
        bodies = [
            _practice(practice, list(results))
            for practice, results in groupby(shown, key=lambda result: result.practice)
        ]
        head = ["practice", "side", "tier", "state", "seen"]
        parts.append(f"<h3>{escape(section)}</h3>{_table(head, bodies, 'practices')}")
    return _section("Practices", "".join(parts))


def _practice(practice: Practice, results: Sequence[PracticeResult]) -> str:
    """A practice, with a row for each side."""
    title = (
        f'<th scope="rowgroup" rowspan="{len(results)}">{inline(practice.title)} '
        f'<code class="note">{escape(clean(practice.name))}</code><br>'
        f'<span class="note">{inline(practice.why)}</span></th>'
    )
    rows = "\n".join(
        f"<tr>{'' if place else title}{_side(result)}</tr>" for place, result in enumerate(results)
    )
    return f"<tbody>\n{rows}\n</tbody>"


def _side(result: PracticeResult) -> str:
    """What came of it for one side, as the cells of a row."""
    seen = [f"<p>{inline(result.message)}</p>"]
    for finding in result.findings:
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        where = f"<code>{escape(place)}</code> " if place else ""
        seen.append(f"<p>{where}{inline(finding.message)}</p>")
    if accepted := describe_acceptance(result):
        seen.append(f"<p><b>{inline(accepted)}</b></p>")
    if not result.reached:
        seen.append(f"<p>→ {inline(result.fix or result.practice.fix)}</p>")
    kind = "met" if result.state is State.STATED else result.state.value.replace(" ", "-")
    return (
        f"<td>{escape(result.side)}</td><td>{escape(result.tier)}</td>"
        f'<td class="state {kind}">{escape(result.state)}</td><td>{"".join(seen)}</td>'
    )


def _table(head: Sequence[str], bodies: Sequence[str], kind: str) -> str:
    titles = "".join(f'<th scope="col">{escape(title)}</th>' for title in head)
    body = "\n".join(bodies)
    return (
        f'<div class="wide" tabindex="0"><table class="{kind}"><thead><tr>{titles}</tr></thead>\n'
        f"{body}\n</table></div>"
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"
