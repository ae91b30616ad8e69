"""The model card: the description of a version, generated from its run.

What only a person can state, the intended use and the limits, is read from `docs/model-card.md` of
the project and required at the promotion. The sections follow "Model Cards for Model Reporting"
(Mitchell et al., 2019).
"""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

import markdown

from baton_handoff.evaluation.held_out import MODEL, Evaluation
from baton_handoff.evaluation.metrics import score_name, scores, scores_by_group
from baton_handoff.registry.card_statements import STATEMENTS
from baton_handoff.registry.lineage import Lineage
from baton_handoff.reporting.pages import render_html, render_markdown


def evaluation_metrics(evaluation: Evaluation) -> dict[str, float]:
    """Return every metric of an evaluation by name: of the model, the baselines, the subgroups."""
    overall = {
        f"{name}.{metric}": value
        for name, predicted in evaluation.predicted.items()
        for metric, value in scores(evaluation.kind, evaluation.labels, predicted).items()
    }
    name = score_name(evaluation.kind)
    grouped = {
        f"{MODEL}.{name}.{column}.{group}": value
        for column in evaluation.groups
        for group, value in scores_by_group(evaluation, evaluation.predicted[MODEL], column).items()
    }
    return overall | grouped


def card_markdown(
    model: str,
    lineage: Lineage,
    evaluation: Evaluation,
    plots: Sequence[Path],
    stated: Mapping[str, str],
) -> str:
    """Render the card of a version as Markdown.

    Args:
        model: The registered model's name.
        lineage: The origin of the version.
        evaluation: Its evaluation.
        plots: The files of the plots, which the card names by their place beside it.
        stated: What a person has stated so far, by heading.
    """
    uncommitted = "" if lineage.clean else ", with changes that are not committed"
    return render_markdown(
        "card.md",
        model=model,
        required=STATEMENTS,
        statements=stated,
        rows=len(evaluation.labels),
        trained_until=evaluation.trained_until,
        scores={
            name: scores(evaluation.kind, evaluation.labels, predicted)
            for name, predicted in evaluation.predicted.items()
        },
        score=score_name(evaluation.kind),
        groups={
            str(column): scores_by_group(evaluation, evaluation.predicted[MODEL], column)
            for column in evaluation.groups
        },
        plots=plots,
        origin={
            "commit": f"{lineage.commit or 'none'}{uncommitted}",
            "code": lineage.code,
            "lock": lineage.lock,
            **{f"data: {path}": digest for path, digest in lineage.data.items()},
            **{
                f"source: {name}": ", ".join(f"{key} {value}" for key, value in facts.items())
                for name, facts in lineage.sources.items()
            },
        },
        contracts=lineage.contracts,
        parameters=lineage.parameters_by_name,
    )


def card_page(text: str, title: str, plots: Sequence[Path]) -> str:
    """Render a card as one HTML page with its plots."""
    body = markdown.markdown(text, extensions=["tables"])
    for plot in plots:
        image = base64.b64encode(plot.read_bytes()).decode()
        body = body.replace(f'src="plots/{plot.name}"', f'src="data:image/png;base64,{image}"')
    return render_html("card.html", title=title, body=body)
