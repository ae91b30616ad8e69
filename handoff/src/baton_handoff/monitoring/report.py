"""The report of a look: one page of HTML that needs nothing else."""

import re
from collections.abc import Iterator, Sequence
from html import escape

from baton_handoff.monitoring.alerts import whose_turn
from baton_handoff.monitoring.columns import Drift
from baton_handoff.monitoring.history import Entry
from baton_handoff.monitoring.observation import Seen
from baton_handoff.monitoring.performance import Performance
from baton_handoff.monitoring.plots import (
    drift_picture,
    groups_picture,
    history_picture,
    performance_picture,
)
from baton_handoff.monitoring.quality import column_of
from baton_handoff.reporting.findings import Finding

_SHOWN = 16
"""So many columns are drawn, those first that have moved most."""

_STYLE = """
:root { color-scheme: light; --quiet: #2e7d32; --alarm: #c9302c; --grey: #57606a; --now: #1f6feb }
body { font: 15px/1.5 system-ui, sans-serif; color: #24292f; background: #f3f5f7; margin: 0 }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem }
header { color: #fff; background: var(--quiet); border-radius: 12px; padding: 1.2rem 1.6rem }
header.alarm { background: var(--alarm) }
header h1 { margin: 0; font-size: 1.7rem } header p { margin: .2rem 0 0; opacity: .92 }
section { background: #fff; border-radius: 12px; padding: 1rem 1.6rem 1.3rem; margin-top: 1.2rem;
  box-shadow: 0 1px 2px #0000001a }
h2 { font-size: 1.15rem; margin: .2rem 0 .6rem } p { margin: .3rem 0 }
.note { color: var(--grey) } img { width: 100%; height: auto; display: block; margin-top: .4rem }
.turn { border-left: 5px solid var(--alarm); background: #fdf3f2; border-radius: 0 8px 8px 0;
  padding: .6rem 1rem; margin: .6rem 0 }
.turn.known { border-color: #9aa5b1; background: #f6f8fa }
.turn ul { margin: .3rem 0; padding-left: 1.2rem; color: var(--grey) }
.side { display: inline-block; background: #fff; color: var(--alarm); border-radius: 99px;
  padding: 0 .7rem; font-weight: 600; margin-right: .4rem }
.turn .side { background: var(--alarm); color: #fff }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .6rem; text-align: left; border-bottom: 1px solid #e6eaee }
th { color: var(--grey); font-weight: 600 } td.n, th.n { text-align: right }
tr.loud td { color: var(--alarm); font-weight: 600 }
.bar { position: relative; height: .7rem; width: 12rem; background: #eef1f4; border-radius: 3px }
.bar i { position: absolute; inset: 0 auto 0 0; background: var(--now); border-radius: 3px }
.bar.loud i { background: var(--alarm) }
.bar b { position: absolute; top: -2px; bottom: -2px; width: 2px; background: #24292f }
"""


def page(seen: Seen, findings: Sequence[Finding], history: Sequence[Entry], at: str) -> str:
    """The report as one page.

    Args:
        seen: The look.
        findings: What came of it.
        history: The looks so far, this one included.
        at: When it was made.
    """
    title = f"{seen.model} version {seen.version}"
    parts = [_head(seen, findings, at), _turns(findings)]
    if seen.rows:
        parts += [_performance(seen), _drift(seen), _columns(seen)]
    if len(history) > 1:
        said = f'<p class="note">The latest {len(history):,} looks.</p>'
        parts.append(_section("How it went", f"{said}{_image(history_picture(history))}"))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>\n{chr(10).join(parts)}\n</main></body></html>\n"
    )


def _head(seen: Seen, findings: Sequence[Finding], at: str) -> str:
    sides = whose_turn(findings)
    chips = "".join(f'<span class="side">{escape(side)}</span>' for side in sides)
    verdict = f"<p>whose turn it is: {chips}</p>" if sides else "<p>nobody has to act</p>"
    said = "Somebody has to act" if sides else "All is quiet"
    kind = ' class="alarm"' if sides else ""
    return (
        f"<header{kind}><h1>{said}</h1>{verdict}<p>{escape(str(seen))}.</p>"
        f"<p>Looked at {escape(at[:16])} (UTC).</p></header>"
    )


def _turns(findings: Sequence[Finding]) -> str:
    if not findings:
        return ""
    return _section("Findings", "".join(map(_turn, findings)))


def _turn(finding: Finding) -> str:
    side = f'<span class="side">{escape(finding.side)}</span>' if finding.side else ""
    lines = "".join(f"<li>{escape(line)}</li>" for line in finding.evidence)
    listed = f"<ul>{lines}</ul>" if lines else ""
    commands = re.sub("`(.+?)`", r"<code>\1</code>", escape(finding.fix))
    fix = f"<p>→ {commands}</p>" if commands else ""
    kind = "turn" if finding.blocks else "turn known"
    return f'<div class="{kind}"><p>{side}{escape(finding.message)}</p>{listed}{fix}</div>'


def _performance(seen: Seen) -> str:
    found = seen.performance
    if found is None or seen.truths is None:
        return ""
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="n">{now:.4f}</td><td class="n">{then:.4f}</td></tr>'
        for name, (now, then) in found.figures.items()
    )
    said = (
        f'<p class="note">What came true is known of {seen.truths:,} rows. Bars are 95 % intervals;'
        " more exact ones where there are several.</p>"
        f'<table><tr><th></th><th class="n">now</th><th class="n">in the evaluation</th></tr>{rows}'
        f"</table>{_image(performance_picture(found, seen.settings.tolerance))}"
    )
    groups = _image(groups_picture(found)) if any(found.groups.values()) else ""
    return _section("Performance", said + groups + _challenger(found))


def _challenger(found: Performance) -> str:
    other = found.challenger
    if other is None:
        return ""
    return (
        f"<p><b>Against version {other.version}</b>, on the same rows: its {found.figure} is"
        f" {other.score:.4f} ({found.overall.score:.4f} here), its loss {other.low:+.2%} to"
        f" {other.high:+.2%} of this version's (paired bootstrap, 95 %).</p>"
    )


def _drift(seen: Seen) -> str:
    if not seen.drifts:
        return ""
    chosen = sorted(seen.drifts, key=_loudness, reverse=True)[:_SHOWN]
    what = "learnt from" if seen.learnt else "been evaluated on"
    note = (
        f'<p class="note">Each column in what the model has {what} (grey) and as it is now. The'
        " number is the distance: 0 is the same, 1 has nothing in common. Red is farther than any"
        " period before, or changed at the source.</p>"
    )
    return _section("Then and now", note + _image(drift_picture(seen, chosen)))


def _loudness(drift: Drift) -> tuple[bool, float]:
    return drift.drifted or drift.at_the_source, drift.distance


def _columns(seen: Seen) -> str:
    """Every column: what is refused, what is missing, how far it lies."""
    head = (
        '<tr><th>column</th><th class="n">refused</th><th class="n">missing</th>'
        '<th class="n">before</th><th>distance</th><th class="n"></th><th></th></tr>'
    )
    rules: dict[str, int] = {}
    for rule, rows in seen.quality.rules.items():
        rules[column_of(rule)] = max(rows, rules.get(column_of(rule), 0))
    rows_of_table = "".join(_row(seen, column, rules) for column in _order(seen))
    note = (
        f'<p class="note">Of {seen.quality.rows:,} rows the contract refuses'
        f" {seen.quality.refused:,}. The mark on each bar is the farthest period of what was"
        " learnt.</p>"
    )
    whole = f"<p>Rules about whole rows: {rules['']:,} rows break one.</p>" if rules.get("") else ""
    return _section("Columns", f"{note}{whole}<table>{head}{rows_of_table}</table>")


def _order(seen: Seen) -> list[str]:
    return [str(name) for name in seen.held.reference if name in seen.held.current]


def _row(seen: Seen, column: str, rules: dict[str, int]) -> str:
    gap = next((gap for gap in seen.quality.missing if gap.column == column), None)
    drift = next((drift for drift in seen.drifts if drift.column == column), None)
    share = rules.get(column, 0) / seen.quality.rows
    words = list(_words(seen, gap is not None and gap.grown, share, drift))
    cells = [
        f"<td>{escape(column)}</td>",
        f'<td class="n">{f"{share:.1%}" if share else ""}</td>',
        f'<td class="n">{f"{gap.share:.1%}" if gap else ""}</td>',
        f'<td class="n">{f"{gap.before:.1%}" if gap else ""}</td>',
        f"<td>{_bar(drift)}</td>",
        f'<td class="n">{f"{drift.distance:.2f}" if drift else ""}</td>',
        f"<td>{escape(', '.join(words))}</td>",
    ]
    return f"<tr{' class=loud' if words else ''}>{''.join(cells)}</tr>"


def _words(seen: Seen, grown: bool, share: float, drift: Drift | None) -> Iterator[str]:
    if share > seen.settings.refused:
        yield "refused"
    if grown:
        yield "missing"
    if drift:
        yield from (f"{name} gone" for name in drift.vanished[:3])
        if drift.unit:
            yield drift.unit
        elif drift.strange:
            yield "values never seen"
        elif drift.drifted:
            yield "drifted"


def _bar(drift: Drift | None) -> str:
    if drift is None:
        return ""
    mark = f'<b style="left:{drift.usual:.1%}"></b>' if drift.usual else ""
    kind = "bar loud" if drift.drifted or drift.at_the_source else "bar"
    return f'<div class="{kind}"><i style="width:{min(1, drift.distance):.1%}"></i>{mark}</div>'


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _image(address: str) -> str:
    return f'<img alt="" src="{address}">'
