"""Where a project stands: one page of HTML that needs nothing else."""

import re
from collections.abc import Sequence
from html import escape

from baton_handoff.practices.shown import adopting
from baton_handoff.practices.shown.found import accepted_in_words
from baton_handoff.practices.shown.look import clean
from baton_handoff.practices.shown.summary import HIGHEST, Step, counts, levels, sides_of, steps
from baton_handoff.practices.shown.terminal import percent
from baton_handoff.practices.standing import Outcome, Standing, State

_STYLE = """
:root { color-scheme: light dark; --page: #f3f5f7; --card: #fff; --text: #24292f; --grey: #57606a;
  --line: #d8dee4; --empty: #e6eaee; --met: #1a7f37; --part: #9a6700; --red: #c9302c }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --card: #161b22; --text: #e6edf3;
  --grey: #9aa5b1; --line: #30363d; --empty: #2b323b; --met: #3fb950; --part: #d29922;
  --red: #ff7b72 } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page);
  margin: 0 }
main { max-width: 80rem; margin: 0 auto; padding: 1.5rem }
header, section { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 1rem 1.6rem 1.2rem; margin-bottom: 1.2rem }
h1 { margin: 0; font-size: 1.7rem } h2 { font-size: 1.15rem; margin: .2rem 0 .6rem }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem } p { margin: .3rem 0 }
code { font: .92em ui-monospace, monospace; background: var(--page); padding: .1em .3em;
  border-radius: 4px; overflow-wrap: anywhere }
.levels { display: flex; gap: .5rem; list-style: none; padding: 0; margin: .8rem 0 0 }
.levels li { border: 2px solid var(--line); border-radius: 99px; padding: .1rem .9rem;
  color: var(--grey) }
.levels .earned { border-color: var(--met); color: var(--met); font-weight: 600 }
.levels .chosen { outline: 2px dashed var(--grey); outline-offset: 2px }
.counts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1rem;
  margin: 0 }
.counts div { display: flex; flex-direction: column-reverse }
.counts dd { font-size: 2rem; font-weight: 600; margin: 0; line-height: 1.2 }
.note { font-weight: 400 } .counts dt, .note { color: var(--grey) }
.counts .loud dd { color: var(--red) }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { padding: .3rem .6rem; text-align: left; border-bottom: 1px solid var(--line);
  vertical-align: top; font-variant-numeric: tabular-nums }
th { font-weight: 600 } thead th { color: var(--grey) }
td p { margin: 0 0 .2rem } .practices { table-layout: fixed; min-width: 56rem }
.practices th:nth-child(1) { width: 24% } .practices th:nth-child(2) { width: 8.5rem }
.practices th:nth-child(3) { width: 6rem } .practices th:nth-child(4) { width: 9.5rem }
.share { display: flex; align-items: center; gap: .6rem; white-space: nowrap }
.bar { display: block; height: .7rem; width: 11rem; background: var(--empty); border-radius: 3px;
  overflow: hidden }
.bar i { display: block; height: 100%; background: var(--part) }
.bar .met { background: var(--met) } .bar .low { background: var(--red) }
.next { padding-left: 1.4rem } .next li { margin: .6rem 0 }
.state { white-space: nowrap; font-weight: 600; color: var(--part) }
.state.met { color: var(--met) } .state.not-met { color: var(--red) }
.state.not-applicable { color: var(--grey); font-weight: 400 }
"""

_SAFE = "default-src 'none'; style-src 'unsafe-inline'"
"""Nothing is loaded and nothing runs, whatever a sentence holds."""


def page(standing: Standing, at: str) -> str:
    """The report as one page.

    Args:
        standing: Where the project stands.
        at: When it was made.
    """
    said = levels(standing) if standing.unadopted else f"level {standing.earned()} earned"
    title = f"{clean(standing.project)}: {said}"
    parts = [_head(standing, title, at), _counts(standing), _next(steps(standing))]
    parts += [_adopting(standing), _bars(standing), _practices(standing)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_SAFE}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>\n{chr(10).join(filter(None, parts))}\n</main></body></html>\n"
    )


def _head(standing: Standing, title: str, at: str) -> str:
    earned = standing.earned()
    when = escape(at[:16].replace("T", " "))
    levels = ""
    for level in range(HIGHEST + 1):
        chosen = "looked at" if standing.unadopted else "chosen"
        kinds = ["earned"] * (level <= earned) + [chosen] * (level == standing.level)
        said = f"level {level}{''.join(f', {kind}' for kind in kinds)}"
        levels += f'<li class="{" ".join(kinds)}">{said}</li>'
    return (
        f'<header><h1>{escape(title)}</h1><p class="note">Looked at {when} (UTC).</p>'
        f'<ul class="levels">{levels}</ul></header>'
    )


def _counts(standing: Standing) -> str:
    tiles = "".join(
        f"<div{' class=loud' if number and not place else ''}>"
        f"<dt>{escape(when)}</dt><dd>{number}</dd></div>"
        for place, (when, number) in enumerate(counts(standing).items())
    )
    title = "Open" if standing.unadopted else "What blocks"
    return _section(title, f'<dl class="counts">{tiles}</dl>')


def _next(todo: Sequence[Step]) -> str:
    if not todo:
        return _section("Next", "<p>Nothing is left to do.</p>")
    items = "".join(
        f"<li><b>{escape(', '.join(step.sides))}</b> · {escape(step.when)}<br>"
        f"{inline(step.outcomes[0].practice.title)}: {inline(step.outcomes[0].says)}<br>"
        f"→ {inline(step.fix)}</li>"
        for step in todo
    )
    return _section("Next", f'<ol class="next">{items}</ol>')


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
    return _section("Sections", _table(["section", *sides, "earned"], rows))


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
        rows = [
            _row(outcome)
            for outcome in standing.outcomes
            if outcome.practice.section == section
            and (outcome.tier != "not-needed" or not outcome.reached)
        ]
        head = ["practice", "side", "tier", "state", "seen"]
        parts.append(f"<h3>{escape(section)}</h3>{_table(head, rows, 'practices')}")
    return _section("Practices", "".join(parts))


def _row(outcome: Outcome) -> str:
    practice = outcome.practice
    seen = [f"<p>{inline(outcome.says)}</p>"]
    for finding in outcome.findings:
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        where = f"<code>{escape(place)}</code> " if place else ""
        seen.append(f"<p>{where}{inline(finding.message)}</p>")
    if outcome.accepted is not None:
        seen.append(f"<p><b>{inline(accepted_in_words(outcome))}</b></p>")
    if not outcome.reached:
        seen.append(f"<p>→ {inline(outcome.fix or practice.fix)}</p>")
    kind = "met" if outcome.state is State.STATED else outcome.state.value.replace(" ", "-")
    return (
        f'<tr><th scope="row">{inline(practice.title)}<br>'
        f'<span class="note">{inline(practice.why)}</span></th><td>{escape(outcome.side)}</td>'
        f'<td>{escape(outcome.tier)}</td><td class="state {kind}">{escape(outcome.state)}</td>'
        f"<td>{''.join(seen)}</td></tr>"
    )


def _table(head: Sequence[str], rows: Sequence[str], kind: str = "sections") -> str:
    titles = "".join(f'<th scope="col">{escape(title)}</th>' for title in head)
    body = "\n".join(rows)
    return (
        f'<div class="wide" tabindex="0"><table class="{kind}"><thead><tr>{titles}</tr></thead>'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def inline(text: str) -> str:
    """A sentence as HTML; `docs.html` has the same, and imports the engines."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(clean(text)))
