"""Train: the model and its baseline, on the past."""

import joblib
from baton_handoff.core.command import in_one_sentence

from ..contracts import Airports, Planes
from ..features import airports_by_code, planes_by_tail_number
from ..model import BoostedDelayModel
from ..model.estimator import BoostedTrees, logistic_regression
from .files import BASELINE, MODEL, RAW, params, read
from .split import features_of, split


def main() -> None:
    """Fit both and save them."""
    past, _ = split()
    features, late = features_of(past), past["late"].to_numpy()
    print(f"training on {len(past):,} flights")
    model = BoostedDelayModel(
        estimator=BoostedTrees(**params("model")).fit(features, late),
        planes=planes_by_tail_number(read(RAW / "planes.parquet", Planes)),
        airports=airports_by_code(read(RAW / "airports.parquet", Airports)),
    )
    MODEL.parent.mkdir(exist_ok=True)
    joblib.dump(model, MODEL)
    joblib.dump(logistic_regression().fit(features, late), BASELINE)


if __name__ == "__main__":
    raise SystemExit(in_one_sentence(main))
