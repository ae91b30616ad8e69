"""Batch scoring: the registered model over a file."""

from pathlib import Path

import narwhals as nw

from baton_handoff.contracts import Contract, engine_of
from baton_handoff.errors import HandoffError
from baton_handoff.model.loaded import Loaded


def score_file(loaded: Loaded, takes: Contract, file: Path, to: Path) -> int:
    """Predict for every row of a Parquet file and write them with their predictions.

    Args:
        loaded: The model version.
        takes: Its input contract; the file has exactly its columns.
        file: The Parquet file to read.
        to: The Parquet file to write: the rows and their predictions. It appears only once it is
            complete.

    Returns:
        The number of rows.

    Raises:
        HandoffError: The file can't be read.
        ContractViolation: A row breaks the contract; nothing is written.
    """
    try:
        table = nw.read_parquet(str(file), backend=engine_of(takes))
    except Exception as error:  # each engine raises its own kinds
        raise HandoffError(f"{file} can't be read as Parquet: {error}") from error
    predictions = nw.from_native(loaded.predict(table.to_native()), eager_only=True)
    unfinished = to.with_name(f".{to.name}.unfinished")
    nw.concat([table, predictions], how="horizontal").write_parquet(str(unfinished))
    unfinished.replace(to)
    return len(predictions)
