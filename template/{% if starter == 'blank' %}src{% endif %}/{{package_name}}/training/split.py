"""The split: trained on the past and tested on the future, or at random where there is no time."""

from typing import Any

import narwhals as nw
from sklearn.model_selection import train_test_split

from ..contracts import Features, Labelled
from ..contracts.data import CLASSES, TARGET
from .files import LABELLED, params, read


def split() -> tuple[nw.DataFrame[Any], nw.DataFrame[Any]]:
    """The labelled rows to train on and those to test on, by the settings in params.yaml."""
    knobs = params("split")
    table = nw.from_native(read(LABELLED, Labelled))
    if knobs["ordered_by"]:
        table = table.sort(knobs["ordered_by"])
        first_tested = round(len(table) * (1 - knobs["test_share"]))
        return table[:first_tested], table[first_tested:]
    train, test = train_test_split(
        range(len(table)),
        test_size=knobs["test_share"],
        random_state=knobs["seed"],
        stratify=table[TARGET].to_list() if CLASSES else None,
    )
    return table[sorted(train)], table[sorted(test)]


def features_of(rows: nw.DataFrame[Any]) -> Any:
    """The features of labelled rows, in this project's engine."""
    return rows.select(*Features.to_schema().columns).to_native()
