"""Where a project stands: one page of HTML that needs nothing else."""

from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from baton_handoff.policy.practices.assessment import Outcome, Standing, State
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


def html_report(standing: Standing, at: str) -> str:
    """The report as one page.

    Args:
        standing: Where the project stands.
        at: When it was made.
    """
    said = describe_levels(standing) if standing.unadopted else f"level {standing.earned()} earned"
    title = f"{clean(standing.project)}: {said}"
    parts = [_head(standing, title, at), _counts(standing), _next(next_steps(standing))]
    parts += [_found(LEFT_OPEN, standing.left_open), _found(LOOSENED, standing.loosened)]
    parts += [_adopting(standing), _bars(standing), _practices(standing)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_SAFE}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>\n{_STYLE.read_text(encoding='utf-8')}</style></head>\n"
        f"<body><main>\n{chr(10).join(filter(None, parts))}\n</main></body></html>\n"
    )


def _head(standing: Standing, title: str, at: str) -> str:
    earned = standing.earned()
    note = escape(
        f"Looked at {at[:16].replace('T', ' ')} (UTC). {describe_base(standing)}".rstrip()
    )
    levels = ""
    for level in range(HIGHEST + 1):
        chosen = "looked at" if standing.unadopted else "chosen"
        kinds = ["earned"] * (level <= earned) + [chosen] * (level == standing.level)
        said = f"level {level}{''.join(f', {kind}' for kind in kinds)}"
        levels += f'<li class="{" ".join(kinds)}">{said}</li>'
    return (
        f"<header><h1>{escape(title)}</h1>"
        f'<p class="note">{note}</p>'
        f'<ul class="levels">{levels}</ul></header>'
    )


def _counts(standing: Standing) -> str:
    tiles = "".join(
        f"<div{' class=loud' if number and not place else ''}>"
        f"<dt>{escape(when)}</dt><dd>{number}</dd></div>"
        for place, (when, number) in enumerate(blocking_counts(standing).items())
    )
    title = "Open" if standing.unadopted else "What blocks"
    return _section(title, f'<dl class="counts">{tiles}</dl>')


def _next(todo: Sequence[NextStep]) -> str:
    if not todo:
        return _section("Next", "<p>Nothing is left to do.</p>")
    items = "".join(
        f"<li><b>{escape(', '.join(step.sides))}</b> · {escape(step.when)}<br>"
        f"{inline(practice_label(step.outcomes[0].practice))}: {inline(step.says)}<br>"
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


def _adopting(standing: Standing) -> str:
    if not standing.unadopted:
        return ""
    text = ""
    for title, groups in adopting.both(standing):
        items = "".join(
            f"<li><b>{escape(name)}</b>: {inline(adopting.names(practices))}</li>"
            for name, practices in groups.items()
        )
        text += f"<h3>{title} ({adopting.number_of(groups)})</h3><ul>{items}</ul>"
    seen = f"{adopting.looked_at(standing.unadopted)}. {adopting.states(standing)}."
    adopt = inline(f"`{standing.unadopted.adopt}`")
    return _section("Adopting Baton", f"<p>Looked at: {escape(seen)}</p>{text}<p>→ {adopt}</p>")


def _bars(standing: Standing) -> str:
    sides = sides_of(standing)
    rows = []
    for section in standing.sections():
        cells = "".join(f"<td>{_share(standing.share(section, side))}</td>" for side in sides)
        level = f"<td>level {standing.earned(section)}</td>"
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


def _practices(standing: Standing) -> str:
    parts = []
    for section in standing.sections():
        shown = [
            outcome
            for outcome in standing.outcomes
            if outcome.practice.section == section
            and (outcome.tier != "not-needed" or not outcome.reached)
        ]
        bodies = [
            _practice(practice, list(outcomes))
            for practice, outcomes in groupby(shown, key=lambda outcome: outcome.practice)
        ]
        head = ["practice", "side", "tier", "state", "seen"]
        parts.append(f"<h3>{escape(section)}</h3>{_table(head, bodies, 'practices')}")
    return _section("Practices", "".join(parts))


def _practice(practice: Practice, outcomes: Sequence[Outcome]) -> str:
    """A practice, with a row for each side."""
    title = (
        f'<th scope="rowgroup" rowspan="{len(outcomes)}">{inline(practice.title)} '
        f'<code class="note">{escape(clean(practice.name))}</code><br>'
        f'<span class="note">{inline(practice.why)}</span></th>'
    )
    rows = "\n".join(
        f"<tr>{'' if place else title}{_side(outcome)}</tr>"
        for place, outcome in enumerate(outcomes)
    )
    return f"<tbody>\n{rows}\n</tbody>"


def _side(outcome: Outcome) -> str:
    """What came of it for one side, as the cells of a row."""
    seen = [f"<p>{inline(outcome.says)}</p>"]
    for finding in outcome.findings:
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        where = f"<code>{escape(place)}</code> " if place else ""
        seen.append(f"<p>{where}{inline(finding.message)}</p>")
    if accepted := describe_acceptance(outcome):
        seen.append(f"<p><b>{inline(accepted)}</b></p>")
    if not outcome.reached:
        seen.append(f"<p>→ {inline(outcome.fix or outcome.practice.fix)}</p>")
    kind = "met" if outcome.state is State.STATED else outcome.state.value.replace(" ", "-")
    return (
        f"<td>{escape(outcome.side)}</td><td>{escape(outcome.tier)}</td>"
        f'<td class="state {kind}">{escape(outcome.state)}</td><td>{"".join(seen)}</td>'
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
