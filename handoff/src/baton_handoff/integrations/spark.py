"""Batch scoring on Spark: each partition is scored like a part of a file."""

import base64
import functools
import json
import os
import re
import shutil
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from operator import and_
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from baton_handoff.config.project import Project, find_project
from baton_handoff.contracts import model_interface
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.files import replace_folder
from baton_handoff.registry.loaded import Loaded
from baton_handoff.registry.model_registry import load
from baton_handoff.serving.batch.parts import Scored, rejected_path
from baton_handoff.serving.batch.rows import (
    FILE,
    REASON,
    ROW,
    BatchInterface,
    batch_interface,
    score_rows,
)

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

_DUPLICATE = "handoff: duplicate {}"
"""The columns that mark rows with duplicate keys, between the search for them and the scoring."""


class WorkerError(Exception):
    """A HandoffError on its way from a worker: Spark passes on nothing but text."""

    _PATTERN = re.compile(r"<baton-handoff:([A-Za-z0-9+/=]+)>")

    def __init__(self, error: HandoffError) -> None:
        facts = json.dumps({"message": str(error), "exit_code": error.exit_code})
        super().__init__(f"<baton-handoff:{base64.b64encode(facts.encode()).decode()}>")

    @classmethod
    def find(cls, error: Exception) -> HandoffError | None:
        """The worker's HandoffError in an error of Spark; None if Spark itself failed."""
        found = cls._PATTERN.search(str(error))
        if found is None:
            return None
        facts = json.loads(base64.b64decode(found[1]))
        original = HandoffError(facts["message"])
        original.exit_code = facts["exit_code"]
        return original


def score_on_spark(project: Project, file: Path, to: Path) -> Scored:
    """Predict for every row of a Parquet file, or of all such files in a folder.

    The environment configures the session; by default it runs on this machine. Each worker loads
    the model itself, so it needs access to the project and the registry.

    Args:
        project: The project, with a registered model.
        file: A Parquet file, or a folder of such files with the same columns.
        to: The folder to write, and beside it `<to>.rejected.parquet` if rows are rejected. It
            appears only once it is complete.

    Raises:
        HandoffError: PySpark or Java is missing, the target exists, a file can't be read, or one
            of the reasons of `score_file`.
    """
    if not file.exists():
        raise HandoffError(f"There is no {file}.")
    for path in (to, rejected_path(to)):
        if path.exists():
            raise HandoffError(f"{path} exists already: write to another folder.")
    session = _session()
    try:
        return _score(session, project, file, to)
    except Exception as error:  # Spark has several classes for what a worker raised
        if original := WorkerError.find(error):
            raise original from error
        raise
    finally:
        session.stop()


def _score(session: "SparkSession", project: Project, file: Path, to: Path) -> Scored:
    from pyspark import StorageLevel
    from pyspark.sql.functions import col
    from pyspark.sql.pandas.types import from_arrow_schema

    version = load(project).version
    try:
        rows = session.read.parquet(str(file))
        schema = rows.limit(0).toArrow().schema
    except Exception as error:  # Spark has several classes for what Java raised
        java = getattr(error, "java_exception", None)
        reason = str(java.getCause() or java if java else error).strip().partition("\n")[0]
        raise HandoffError(f"{file} can't be read as Parquet: {reason}") from error
    interface = batch_interface(*model_interface(project.room("contracts")), schema, file)
    session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", interface.rows_per_part)
    session.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    partition = functools.partial(_score_partition, str(project.root), version, schema)
    both = from_arrow_schema(pa.unify_schemas([interface.scored, interface.rejected]))
    # Two tables are written from it. Keep it until then, so that each row is predicted once.
    answered = _with_places(rows, interface).mapInArrow(partition, both)
    answered = answered.persist(StorageLevel.DISK_ONLY)
    rejected = answered.where(col(REASON).isNotNull())
    scored = answered.where(col(REASON).isNull())
    reasons = {row[REASON]: row["count"] for row in rejected.groupBy(REASON).count().collect()}
    tables = {to: scored.select(*map(_column, interface.scored.names))}
    if reasons:
        tables[rejected_path(to)] = rejected.select(*map(_column, interface.rejected.names))
    with ExitStack() as folders:  # the folder that is entered last appears first
        for path, table in tables.items():
            unfinished = folders.enter_context(replace_folder(path))
            table.write.parquet(str(unfinished))
    return Scored(to, scored.count(), Counter(reasons))


def _with_places(rows: "DataFrame", interface: BatchInterface) -> "DataFrame":
    """Add file and row of each row, and a mark for rows with duplicate keys."""
    from pyspark.sql.functions import col, lit

    rows = rows.withColumns({FILE: col("_metadata.file_name"), ROW: col("_metadata.row_index")})
    for number, key in enumerate(interface.keys.values()):
        mark, copies = _DUPLICATE.format(number), [f"handoff: key {n}" for n in range(len(key))]
        keys = rows.select(*map(_column, key)).toDF(*copies)
        repeated = keys.groupBy(*copies).count().where("count > 1").drop("count")
        repeated = repeated.withColumn(mark, lit(True)).persist()
        repeated.count()  # Spark joins faster once it knows how few they are
        pairs = [_column(a).eqNullSafe(col(b)) for a, b in zip(key, copies, strict=True)]
        rows = rows.join(repeated, functools.reduce(and_, pairs), "left").drop(*copies)
    return rows


def _score_partition(
    root: str, version: int, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Score the rows of a partition: in a worker, with nothing but what these arguments hold."""
    try:
        project, loaded = _loaded(root, version)
        contracts = model_interface(project.room("contracts"))
        interface = batch_interface(*contracts, schema, "the table")
        marks = {rule: _DUPLICATE.format(number) for number, rule in enumerate(interface.keys)}
        for batch in batches:
            table = pa.Table.from_batches([batch])
            duplicates = {rule: pc.is_valid(table[mark]) for rule, mark in marks.items()}
            rows = table.select(interface.columns.names).cast(interface.columns)
            both = score_rows(loaded, interface, rows, table.select([FILE, ROW]), duplicates)
            yield from pa.concat_tables(both, promote_options="default").to_batches()
    except HandoffError as error:
        raise WorkerError(error) from error


@functools.cache
def _loaded(root: str, version: int) -> tuple[Project, Loaded]:
    project = find_project(Path(root))
    loaded = load(project)
    if loaded.version != version:
        raise HandoffError(
            f"{loaded.model} became version {loaded.version} during the run: run it again."
        )
    return project, loaded


def _column(name: str) -> "Column":
    from pyspark.sql.functions import col

    return col(f"`{name}`")  # a name may contain a dot


def _session() -> "SparkSession":
    """A session in UTC, whose workers run the Python of this process.

    Raises:
        HandoffError: PySpark or Java is missing.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise HandoffError(
            "PySpark is missing: `uv add --group spark 'baton-standards[spark]'`, and then"
            " `uv run --group spark handoff model score --engine spark …`."
        ) from error
    java = Path(os.environ.get("JAVA_HOME", ""), "bin", "java")
    if "SPARK_REMOTE" not in os.environ and not (java.is_file() or shutil.which("java")):
        raise HandoffError("Java is missing: Spark needs version 17 or newer.")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    # The warning is about Spark's conversions to pandas; here tables cross as Arrow.
    unsupported = "PySpark does not yet fully support pandas"
    os.environ.setdefault("PYTHONWARNINGS", f"ignore:{unsupported}:FutureWarning")
    warnings.filterwarnings("ignore", unsupported, FutureWarning)
    options = {
        "spark.sql.session.timeZone": "UTC",
        "spark.log.level": "FATAL",  # errors are raised here, with their reason
        "spark.ui.showConsoleProgress": str(sys.stderr.isatty()).lower(),
    }
    builder = SparkSession.builder.appName("handoff model score")
    return builder.config(map=options).getOrCreate()
