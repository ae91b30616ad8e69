"""An assessment of a made-up project, with everything in it that a screen has to show."""

from dataclasses import replace
from datetime import date

from baton_handoff.config.settings import PolicyException
from baton_handoff.policy.practices.assessment import Assessment, PracticeResult, State
from baton_handoff.policy.practices.practice import Practice, Tier
from baton_handoff.policy.practices.stages import Stage
from baton_handoff.reporting.findings import Finding

DS, ML = "data-science", "ml-engineering"


def practice(
    name: str,
    section: str = "Clean code",
    science: Tier | tuple[Tier, Tier, Tier] = "should",
    engineering: Tier = "must",
    stage: Stage = "push",
    **others: object,
) -> Practice:
    stated: dict[str, object] = {
        "title": f"{name.replace('-', ' ').capitalize()}",
        "why": "What is kept is not found again by somebody else.",
        "effect": "productive",
        "hurdle": "knowledge",
        "cheaper": "before",
        "check": name,
        "fix": f"Run `poe {name}`.",
        **others,
    }
    return Practice(
        name=name,
        section=section,
        tiers={DS: science, ML: engineering},  # type: ignore[dict-item]
        stage=stage,
        **stated,  # type: ignore[arg-type]
    )


def result(
    kept: Practice, side: str, state: State, says: str = "Seen.", **others: object
) -> PracticeResult:
    return PracticeResult(kept, side, kept.tier(side, 1), state, says, **others)  # type: ignore[arg-type]


def assessment() -> Assessment:
    setup = practice("set-up", "Set-up", science="must")
    types = practice("types-checked", science=("not-needed", "would-like", "should"))
    style = practice("style")
    tests = practice("tests", "Tests", science="would-like", stage="handoff")
    lineage = practice("lineage", "Data", science="would-like")
    sources = practice("sources-owned", "Data", science="must", stage="promotion")
    pairing = practice("acme/pairing", "Working together", science="would-like")
    found = Finding("mypy", "Argument 1 has the wrong type", False, file="src/trips/a.py", line=7)
    accepted = PolicyException(
        practice="lineage",
        reason="the warehouse moves in January",
        owner="ml-engineering",
        expires=date(2027, 1, 31),
    )
    return Assessment(
        "Trips & fares",
        1,
        [
            result(setup, DS, State.MET, "`poe setup` took 41 s."),
            result(setup, ML, State.MET, "`poe setup` took 41 s."),
            result(types, DS, State.NOT_SHOWN, "mypy has not run since src/trips/a.py changed."),
            result(types, ML, State.NOT_MET, "mypy found one error.", findings=(found,)),
            result(style, DS, State.MET, "ruff found nothing."),
            result(style, ML, State.MET, "ruff found nothing."),
            result(tests, DS, State.NOT_SHOWN, "No test has run.", command="uv run poe test"),
            result(tests, ML, State.NOT_SHOWN, "No test has run.", command="uv run poe test"),
            result(lineage, DS, State.NOT_APPLICABLE, "No data is read."),
            result(lineage, ML, State.NOT_MET, "Two tables have no origin.", exception=accepted),
            result(
                sources,
                DS,
                State.NOT_MET,
                "fares.xlsx has no owner.",
                fix="Run `handoff source add fares.xlsx`.",
            ),
            result(sources, ML, State.NOT_APPLICABLE, "Data science reads it."),
            result(pairing, DS, State.STATED, "Stated on 2026-11-01 by the lead."),
            result(pairing, ML, State.STATED, "Stated on 2026-11-01 by the lead."),
        ],
    )


def at_level(assessment: Assessment, level: int) -> Assessment:
    """Return the assessment as it would be at another level."""
    results = [
        replace(result, tier=result.practice.tier(result.side, level))
        for result in assessment.results
    ]
    return replace(assessment, level=level, results=results)
