"""Measure everything, print it, and write it to results.md."""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure import machine, table
from benchmarks.suite import measure

RESULTS = Path(__file__).parent / "results.md"


def main() -> int:
    """Return 1 if a target is missed."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for result in measure(Path(folder)):
            print(f"{result.what}: {result.measured:.3g} ({result.target})", flush=True)
            results.append(result)
    text = f"""# Results

Written by `make benchmarks`, {datetime.now(UTC):%Y-%m-%d}: {machine()}. Each number is a median of
several runs by turns with its alternative; CPU time where the machine's load would tell otherwise.

{table(results)}
"""
    RESULTS.write_text(text, encoding="utf-8")
    print(f"\n{text}")
    return 0 if all(result.met for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
