"""The status of a project as one self-contained HTML page."""

from itertools import groupby

from baton_handoff.policy.practices.assessment import Assessment
from baton_handoff.policy.rendering import adoption, summary
from baton_handoff.policy.rendering.open_findings import describe_acceptance
from baton_handoff.reporting.pages import render_html


def html_report(assessment: Assessment, at: str) -> str:
    """Render the status as a page; `at` is when it was made, as ISO 8601 in UTC."""
    shown = (one for one in assessment.results if one.tier != "not-needed" or not one.reached)
    by_practice = [[*group] for _, group in groupby(shown, key=lambda one: one.practice)]
    return render_html(
        "status.html",
        assessment=assessment,
        at=at[:16].replace("T", " "),
        adoption=adoption,
        by_practice=by_practice,
        describe_acceptance=describe_acceptance,
        summary=summary,
    )
