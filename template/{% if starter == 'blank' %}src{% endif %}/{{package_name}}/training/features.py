"""Features: from the source to the model's input, and from there to labelled features."""

import narwhals as nw
from baton_handoff.core.command import in_one_sentence

from ..contracts import Labelled, ModelInput, Source
from ..contracts.data import TARGET
from ..contracts.engine import validated
from ..features import build_features
from .files import LABELLED, RAW, read, write


def main() -> None:
    """Write the features of every row with its label."""
    source = nw.from_native(read(RAW / "source.parquet", Source))
    given = validated(source.select(*ModelInput.to_schema().columns).to_native(), ModelInput)
    labelled = nw.from_native(build_features(given)).with_columns(source[TARGET])
    write(validated(labelled.to_native(), Labelled), LABELLED)
    print(f"{len(labelled):,} rows with {len(labelled.columns) - 1} features")


if __name__ == "__main__":
    raise SystemExit(in_one_sentence(main))
