"""What the benchmarks promise holds, on this machine, now."""

from pathlib import Path

import pytest

from benchmarks.measure import table
from benchmarks.suite import measure


def test_every_promise_is_kept(tmp_path: Path, subtests: pytest.Subtests) -> None:
    for result in measure(tmp_path):
        print(table([result]))
        with subtests.test(result.what):
            assert result.met, table([result])
