"""Batch scoring on Spark (PySpark and Debian's Java) equals one process, row by row."""

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.baton import ROOT, Workshop, run
from tests.project import Project, registered

HANDOFF = ROOT / "handoff/pyproject.toml"


@pytest.fixture
def project(workshop: Workshop, environment: Path) -> Project:
    """Return a project with a registered model and PySpark in a separate layer."""

    def install(layer: Path) -> None:
        extras = tomllib.loads(HANDOFF.read_text(encoding="utf-8"))["project"]
        pyspark = extras["optional-dependencies"]["spark"][-1]
        python = environment / "bin/python"
        command = ["uv", "pip", "install", "--quiet", "--resolution=lowest-direct", pyspark]
        run([*command, "--python", python, "--target", layer], layer.parent)

    project = registered(workshop, environment, "pandas")
    project.env["PYTHONPATH"] += os.pathsep + str(workshop.once("pyspark", install))
    # Two workers, no web UI, and no port that other machines can reach.
    options = "--master local[2] --conf spark.ui.enabled=false pyspark-shell"
    project.env |= {"PYSPARK_SUBMIT_ARGS": options, "SPARK_LOCAL_IP": "127.0.0.1"}
    return project


def score(project: Project, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return project("handoff", "model", "score", *map(str, arguments), check=False)


def test_the_same_rows_are_scored_and_rejected(project: Project, tmp_path: Path) -> None:
    """Spark scores a folder of two files, the engine `local` the same rows in one file."""
    folder, one = tmp_path / "folder", tmp_path / "one.parquet"
    folder.mkdir()
    project.python(
        f"""
        import polars as pl
        rows = pl.read_parquet("data/scheduled.parquet").head(150_000)
        row = pl.int_range(pl.len())
        rows = rows.with_columns(
            humidity_pct=pl.when(row % 20_000 == 7).then(140.0).otherwise("humidity_pct"),
            origin=pl.when(row == 100_007).then(pl.lit("LAX")).otherwise("origin"),
            flight_number=pl.when(row == 11).then(None).otherwise("flight_number"),
        )
        rows = pl.concat([rows, rows[[5, 70_000]]])  # each is in the other file as well, or again
        rows.write_parquet({str(one)!r})
        rows.head(70_000).write_parquet({str(folder / "a.parquet")!r})
        rows.tail(-70_000).write_parquet({str(folder / "b.parquet")!r})
        """
    )
    by_one = score(project, one, tmp_path / "by_one.parquet")
    by_spark = score(project, "--engine", "spark", folder, tmp_path / "by_spark")
    assert (by_one.returncode, by_spark.returncode) == (1, 1), by_spark.stderr
    output = by_one.stdout.replace("by_one.rejected.parquet", "by_spark.rejected.parquet")
    assert by_spark.stdout == output.replace("by_one.parquet", "by_spark")
    assert project.python(
        f"""
        import polars as pl
        from polars.testing import assert_frame_equal
        folder = {str(tmp_path)!r}
        by_one = pl.read_parquet(f"{{folder}}/by_one.parquet")
        by_spark = pl.read_parquet(f"{{folder}}/by_spark/*.parquet")
        key = ["carrier", "flight_number", "scheduled_departure", "origin"]
        assert by_one.select(key).is_unique().all() and by_one.height == 149_989
        assert_frame_equal(by_one.sort(key), by_spark.sort(key), check_exact=True)

        by_one = pl.read_parquet(f"{{folder}}/by_one.rejected.parquet")
        by_spark = pl.read_parquet(f"{{folder}}/by_spark.rejected.parquet/*.parquet")
        later = pl.when(pl.col("rejected_file") == "b.parquet").then(70_000).otherwise(0)
        place = pl.col("rejected_row") + later
        by_spark = by_spark.with_columns(rejected_row=place, rejected_file=pl.lit("one.parquet"))
        assert by_one.height == 13
        assert_frame_equal(by_one, by_spark.sort("rejected_row"), check_exact=True)
        print("equal")
        """
    ).endswith("equal\n")
    there = score(project, "--engine", "spark", folder, tmp_path / "by_spark")
    assert (there.returncode, there.stdout) == (2, "")
    assert "by_spark exists already: write to another folder." in there.stderr


def test_an_error_on_spark_is_reported_and_writes_no_file(project: Project, tmp_path: Path) -> None:
    project.python(
        f"""
        import polars
        rows = polars.read_parquet("data/scheduled.parquet").head(5).drop("origin")
        rows.write_parquet({str(tmp_path / "none.parquet")!r})
        """
    )
    refused = score(project, "--engine", "spark", tmp_path / "none.parquet", tmp_path / "scored")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.endswith(
        "can't be scored: ScheduledFlight is violated: column 'origin' is missing.\n"
    )
    project.env |= {
        "PATH": str(Path(shutil.which("handoff", path=project.env["PATH"]) or "").parent)
    }
    project.env |= {"JAVA_HOME": ""}
    refused = score(project, "--engine", "spark", tmp_path / "none.parquet", tmp_path / "scored")
    assert refused.returncode == 2
    assert refused.stderr.endswith("Java is missing: Spark needs version 17 or newer.\n")
    assert list(tmp_path.glob("*scored*")) == []
