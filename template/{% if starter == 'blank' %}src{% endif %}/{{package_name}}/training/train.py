"""Train: the model and its baseline."""

import sys

import joblib
from baton_handoff.core.command import in_one_sentence

from ..contracts.data import CLASSES, TARGET
from ..model import TableModel
from ..model.estimator import constant, linear
from .files import BASELINE, MODEL, params
from .split import features_of, split


def main() -> None:
    """Fit both and save them."""
    rows, _ = split()
    features, target = features_of(rows), rows[TARGET].to_list()
    if CLASSES and len(set(target)) == 1:
        sys.exit(f"All rows to train on are {target[0]!r}: divide them by another `split`.")
    print(f"training on {len(rows):,} rows")
    MODEL.parent.mkdir(exist_ok=True)
    joblib.dump(TableModel(linear(**params("model")).fit(features, target)), MODEL)
    joblib.dump(constant().fit(features, target), BASELINE)


if __name__ == "__main__":
    raise SystemExit(in_one_sentence(main))
