"""The sentences of monitoring: an alert as a finding, an observation in one line."""

from collections.abc import Iterator, Sequence

from baton_handoff.evaluation.metrics import MIN_GROUP_ROWS
from baton_handoff.monitoring.alerts import Alert, AlertKind
from baton_handoff.monitoring.columns import Drift
from baton_handoff.monitoring.observation import Observation
from baton_handoff.monitoring.units import UnitChange
from baton_handoff.reporting.findings import Finding

_MAX_LINES = 8
"""The most lines of evidence of a finding."""

_FIXES = {
    AlertKind.NO_PREDICTIONS: "check that the service runs, receives requests and logs predictions"
    " (`log_share` in handoff.toml)",
    AlertKind.REFUSED: "check what changed at the source; refused rows get no prediction",
    AlertKind.MISSING: "check that the source still delivers",
    AlertKind.VANISHED: "check that the source still delivers these categories",
    AlertKind.UNIT: "check the unit in which the source measures",
    AlertKind.NEW_VALUES: "check the unit and the device with which the source measures",
    AlertKind.DRIFT: "check whether the model depends on it; if so, train on newer rows",
    AlertKind.PREDICTION_DRIFT: "find the rows with other predictions and compare their labels",
    AlertKind.PERFORMANCE: "train on newer rows, `uv run poe register`, and compare the new version"
    " with this one (`--against`)",
    AlertKind.SUBGROUP: "compare these rows with those of the evaluation",
}


def findings_of(alerts: Sequence[Alert], observation: Observation) -> list[Finding]:
    """Alerts as findings."""
    return [
        Finding(
            alert.kind.value,
            _message(alert, observation),
            blocks=alert.side is not None,
            side=alert.side,
            fix=_fix(alert),
            evidence=tuple(_evidence(alert, observation))[:_MAX_LINES],
        )
        for alert in alerts
    ]


def summary(observation: Observation) -> str:
    """What was monitored, in one line."""
    dates = " from {} to {} (UTC)".format(*observation.covers) if observation.covers else ""
    reference = "training" if observation.with_training else "evaluation"
    return (
        f"{observation.model} version {observation.version}: {observation.rows:,} rows{dates},"
        f"{_sampled(observation)}"
        f" compared with {len(observation.samples.reference):,} rows of its {reference}"
    )


def _sampled(observation: Observation) -> str:
    compared = len(observation.samples.current)
    return f" a sample of {compared:,}" if compared < observation.rows else ""


def unit_text(unit: UnitChange) -> str:
    """A change of unit in words."""
    return f"{unit.old} became {unit.new}"


def _fix(alert: Alert) -> str:
    if alert.kind is AlertKind.CHALLENGER and alert.changes[0].high < 0:
        return f"`uv run poe promote {alert.changes[0].name} --dry-run`"
    return _FIXES.get(alert.kind, "") if alert.side else ""


def _message(alert: Alert, observation: Observation) -> str:
    names = [drift.column for drift in alert.drifts] + [gap.column for gap in alert.missing]
    columns = ", ".join(names)
    worse = "predictions are worse than in the evaluation"
    match alert.kind:
        case AlertKind.NO_PREDICTIONS:
            text = "no predictions in this period"
        case AlertKind.REFUSED:
            subject = f"{alert.column}: its" if alert.column else "the"
            share = f"{observation.broken_share(alert.column):.1%} of {observation.rows:,} rows"
            text = f"{subject} contract refuses {share}{''.join(map(_as_if, alert.drifts))}"
        case AlertKind.MISSING:
            text = f"{columns}: missing in {alert.missing[0].share:.1%} of the rows"
        case AlertKind.VANISHED:
            gone = alert.drifts[0].vanished[:_MAX_LINES]
            text = f"{columns}: {', '.join(gone)} {'are' if len(gone) > 1 else 'is'} gone"
        case AlertKind.UNIT | AlertKind.NEW_VALUES:
            share = f"{alert.drifts[0].new_share:.0%} of the values never occurred before"
            text = f"{columns}: {share}{_as_if(alert.drifts[0])}"
        case AlertKind.DRIFT:
            cause = ", explained by the change of a source" if alert.source_changed else ""
            text = f"{columns}: values unlike those of any period of the training data{cause}"
        case AlertKind.PREDICTION_DRIFT:
            text = f"predictions ({columns}) unlike those for the training data"
        case AlertKind.PERFORMANCE:
            rest = "also in rows that no change of a source affects"
            source = f", {rest if alert.side else 'explained by the change of a source'}"
            text = f"{worse}{source if alert.source_changed else ''}"
        case AlertKind.SUBGROUP:
            text = f"{worse} for {len(alert.changes)} subgroups only"
        case AlertKind.FEW_ROWS:
            least = f"{observation.settings.least_rows:,.0f}"
            text = f"only {observation.rows:,} rows: drift needs at least {least}"
        case AlertKind.FEW_LABELS:
            rows = f"{observation.labelled_rows:,} rows have a label"
            text = f"only {rows}: performance needs at least {MIN_GROUP_ROWS}"
        case AlertKind.CHALLENGER:
            (other,) = alert.changes
            better, worse_than = other.high < 0, other.low > 0
            result = "better than" if better else "worse than" if worse_than else "about as good as"
            text = (
                f"version {other.name} is {result} version {observation.version} on the same rows"
            )
    return text


def _evidence(alert: Alert, observation: Observation) -> Iterator[str]:
    """The measurements of an alert, a line each."""
    performance, reference = observation.performance, observation.samples.reference
    for broken, rows in observation.broken_rules.most_common():
        if alert.kind is AlertKind.REFUSED and broken.column == alert.column:
            yield f"{rows:,} rows: {f'{broken.column}: ' if broken.column else ''}{broken.rule}"
    for missing in alert.missing:
        shares = f"{missing.reference_share:.1%} in the training data, at most {missing.usual:.1%}"
        yield f"{missing.column}: {shares} in one of its periods"
    for drift in alert.drifts:
        for name in drift.vanished:
            share = (reference[drift.column].astype(str) == name).mean()
            expected = f"about {share * observation.rows:,.0f} rows were expected"
            yield f"{name}: {share:.1%} of the training data, so {expected}"
        if not drift.vanished:
            yield _distance(drift)
    for change in alert.changes:
        name = " ".join(filter(None, [change.column, change.name]))
        prefix = f"{name}: " if name and alert.kind is not AlertKind.CHALLENGER else ""
        loss = f"loss {change.low:+.1%} to {change.high:+.1%}"
        yield f"{prefix}{loss} ({change.rows:,} rows, 95 %)"
    if performance and alert.kind in (AlertKind.PERFORMANCE, AlertKind.CHALLENGER):
        change = alert.changes[0]
        yield f"{performance.score_name} {change.score:.3f} instead of {change.reference_score:.3f}"
        if change.mean_label == change.mean_label:  # NaN for classes
            means = f"{change.mean_prediction:.3g}, mean label {change.mean_label:.3g}"
            yield f"mean prediction {means}"


def _as_if(drift: Drift) -> str:
    return f", as if {unit_text(drift.unit)}" if drift.unit else ""


def _distance(drift: Drift) -> str:
    usual = f", at most {drift.usual:.2f} between periods of training" if drift.usual else ""
    chance = f"p {drift.p_value:.1g}, corrected for the number of columns"
    return f"{drift.column}: distance {drift.distance:.2f}{usual} ({chance})"
