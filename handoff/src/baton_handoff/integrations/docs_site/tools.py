"""The page of the tool radar."""

from collections.abc import Sequence
from html import escape

from baton_handoff.integrations.docs_site.html import code, html_table, page
from baton_handoff.policy.decisions import Decision, Tool


def radar_page(rows: Sequence[tuple[Tool, Decision, str]]) -> str:
    """Every tool, how far it is taken, and when to look at it again.

    Args:
        rows: The radar: tool, decision, next review.
    """
    cells = [
        [
            escape(tool.ring),
            code(tool.name),
            escape(", ".join(tool.alternatives)),
            escape(when),
            escape(decision.side),
            f'<a href="{escape(decision.file.removesuffix(".md"))}.html">why</a>',
        ]
        for tool, decision, when in rows
    ]
    head = ["Ring", "Tool", "Also considered", "Next review", "Looks at it", "Decision"]
    return page(
        "Tool radar",
        "What is used, and what was considered in its place: it follows from `docs/decisions/`.",
        html_table(head, cells),
    )
