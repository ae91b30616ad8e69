"""The model card: what a stranger needs to know of a version, generated from the run.

What only a person can say (what the model is for, where it ends) stands in `docs/model-card.md` of
the project and is asked for at promotion. The sections follow "Model Cards for Model Reporting"
(Mitchell et al., 2019).
"""

import base64
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import markdown

from baton_handoff.evaluation.held_out import MODEL, Evaluation
from baton_handoff.evaluation.metrics import score_name, scores, scores_by_group
from baton_handoff.registry.lineage import Lineage

STATEMENTS = ("Intended use", "Limits")
"""What a person has to say before a version becomes champion."""

STATEMENTS_FILE = Path("docs/model-card.md")

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 } img { max-width: 100%; height: auto }
th, td { border: 1px solid #ccc; padding: .3rem .6rem; text-align: left }
td:not(:first-child) { font-variant-numeric: tabular-nums }
code { overflow-wrap: anywhere }
"""


def statements(text: str) -> dict[str, str]:
    """What a person has said, by heading; comments, which only ask, don't count."""
    said = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    sections = re.split(r"^#+ +(.+?) *$", said, flags=re.MULTILINE)[1:]
    known = dict(zip(sections[::2], (body.strip() for body in sections[1::2]), strict=True))
    return {name: known[name] for name in STATEMENTS if known.get(name)}


def evaluation_metrics(evaluation: Evaluation) -> dict[str, float]:
    """Every figure of an evaluation by a name of its own: overall, baselines, subgroups."""
    overall = {
        f"{name}.{figure}": value
        for name, said in evaluation.predicted.items()
        for figure, value in scores(evaluation.kind, evaluation.labels, said).items()
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
    said: Mapping[str, str],
) -> str:
    """A version's card, as Markdown.

    Args:
        model: The registered model's name.
        lineage: What the version came from.
        evaluation: What it was tried on.
        plots: The files of the plots; they are named by their place beside the card.
        said: What a person has stated so far.
    """
    parts = [
        f"# Model card: {_plain(model)}",
        *(f"## {n}\n\n{said.get(n) or 'Not stated yet: asked at promotion.'}" for n in STATEMENTS),
    ]
    parts.append("## Evaluation\n\n" + _evaluation(evaluation))
    parts += [
        f"### {column}\n\n" + _groups(evaluation, column) for column in map(str, evaluation.groups)
    ]
    parts += [f"![{plot.stem}](plots/{plot.name})" for plot in plots]
    parts.append("## Came from\n\n" + _origin(lineage))
    parts.append("## Contracts\n\n" + _contracts(lineage.contracts))
    parts.append("## Parameters\n\n" + _table(["", ""], _flat(lineage.parameters)))
    return "\n\n".join(parts) + "\n"


def card_page(text: str, title: str, plots: Sequence[Path]) -> str:
    """A card as one HTML page that needs nothing else."""
    body = markdown.markdown(text, extensions=["tables"])
    for plot in plots:
        image = base64.b64encode(plot.read_bytes()).decode()
        body = body.replace(f'src="plots/{plot.name}"', f'src="data:image/png;base64,{image}"')
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _evaluation(evaluation: Evaluation) -> str:
    judged = {
        name: scores(evaluation.kind, evaluation.labels, said)
        for name, said in evaluation.predicted.items()
    }
    names = list(judged[MODEL])
    rows = [[name, *(_figure(found[n]) for n in names)] for name, found in judged.items()]
    about = f"On {len(evaluation.labels):,} rows that it has not learnt from."
    if evaluation.trained_until:
        about += f" The last it has learnt from is of {evaluation.trained_until}."
    return f"{about}\n\n{_table(['', *names], rows)}"


def _groups(evaluation: Evaluation, column: str) -> str:
    found = scores_by_group(evaluation, evaluation.predicted[MODEL], column)
    rows = [[group, _figure(value)] for group, value in sorted(found.items())]
    return _table([column, score_name(evaluation.kind)], rows)


def _origin(lineage: Lineage) -> str:
    clean = "" if lineage.clean else ", with changes that are not committed"
    rows = [
        ["commit", f"{lineage.commit or 'none'}{clean}"],
        ["code", lineage.code],
        ["lock", lineage.lock],
        *([f"data: {path}", digest] for path, digest in lineage.data.items()),
        *([f"source: {name}", _flat_text(about)] for name, about in lineage.sources.items()),
    ]
    return _table(["", ""], rows)


def _contracts(forms: Mapping[str, Any]) -> str:
    rows = [
        [name, str(form["metadata"].get("version", "")), str(form["metadata"].get("position", ""))]
        for name, form in forms.items()
    ]
    return _table(["contract", "version", "position"], rows)


def _flat_text(about: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in about.items())


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[list[str]]:
    rows: list[list[str]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{prefix}{name}.")
        else:
            rows.append([f"{prefix}{name}", str(value)])
    return rows


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([_plain(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _figure(value: float) -> str:
    return f"{value:.4f}"


def _plain(text: str) -> str:
    """Text that is neither Markdown nor HTML."""
    return escape(re.sub(r"([\\`*_{}\[\]|#])", r"\\\1", text.replace("\n", " ")), quote=False)
