"""Large suites run a random sample of their cases; `FULL=1` runs all of them."""

import os
import random
import subprocess
from collections.abc import Sequence
from typing import TypeVar

from tests.baton import ROOT

T = TypeVar("T")


def seed() -> str:
    """Return the seed of the sample: SEED, by default the commit. Workers inherit it."""
    if "SEED" not in os.environ:
        command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        os.environ["SEED"] = done.stdout.strip() or "0"
    return os.environ["SEED"]


def sampled(suite: str, cases: Sequence[T], size: int) -> list[T]:
    """Return the sampled cases of a large suite, in their order.

    Args:
        suite: The suite's name; suites are sampled independently.
        cases: All cases of the suite.
        size: The number of cases that run without `FULL=1`.
    """
    if "FULL" in os.environ:
        return list(cases)
    chance = random.Random(f"{seed()} {suite}")  # noqa: S311
    return [cases[n] for n in sorted(chance.sample(range(len(cases)), min(size, len(cases))))]


def describe_sample() -> str:
    """Describe which cases run and how to repeat the same sample."""
    if "FULL" in os.environ:
        return "large suites: all cases"
    return f"large suites: a sample by SEED={seed()}; FULL=1 runs all cases"
