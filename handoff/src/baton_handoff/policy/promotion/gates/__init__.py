"""The gates of a promotion: each judges one property of a version, and names the side to act."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from baton_handoff.config.settings import PromotionSettings
from baton_handoff.policy.promotion.candidate import Candidate
from baton_handoff.policy.promotion.gates import handover, quality, reproduction
from baton_handoff.policy.promotion.gates.result import GateResult, waiting

Gate: TypeAlias = Callable[[Candidate, PromotionSettings], GateResult]

GATES: Mapping[str, Gate] = {
    "integrity": reproduction.integrity,
    "environment": reproduction.environment,
    "load": reproduction.load,
    "code": reproduction.code,
    "contracts": handover.contracts,
    "rows": reproduction.rows,
    "parity": reproduction.parity,
    "commit": reproduction.commit,
    "baselines": quality.baselines,
    "champion": quality.champion,
    "subgroups": quality.subgroups,
    "latency": quality.latency,
    "future": quality.future,
    "card": handover.card,
    "sources": handover.sources,
    "practices": handover.practices,
}

FOR_STAGING = ("integrity", "environment", "load", "code", "contracts", "rows", "parity")
"""The gates before staging: they judge that a version works, not how good it is."""


_OF_THE_PROJECT = ("card", "sources", "practices")
"""Gates that judge the checkout, and nothing that a version contains."""


def judge(candidate: Candidate, settings: PromotionSettings) -> dict[str, GateResult]:
    """The result of every gate, by its name and in their order."""
    intact = reproduction.integrity(candidate, settings).passed
    results = {
        name: gate(candidate, settings)
        if intact or name in ("integrity", *_OF_THE_PROJECT)
        else waiting("integrity")
        for name, gate in GATES.items()
    }

    def side(result: GateResult) -> str:
        # A gate that waits for another one needs the side that can make that one pass.
        return side(results[result.waits_for]) if result.waits_for else result.side

    return {name: replace(result, side=side(result)) for name, result in results.items()}
