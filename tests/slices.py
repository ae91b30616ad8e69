"""Large suites run a slice of their cases; `FULL=1` runs all of them."""

import os
import random
import subprocess
from collections.abc import Sequence
from typing import TypeVar

from tests.baton import ROOT

T = TypeVar("T")


def seed() -> str:
    """What chooses the slices: SEED, by default the commit. Workers inherit it."""
    if "SEED" not in os.environ:
        command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        os.environ["SEED"] = done.stdout.strip() or "0"
    return os.environ["SEED"]


def chosen(suite: str, cases: Sequence[T], size: int) -> list[T]:
    """The cases of a large suite that run this time, in their order.

    Args:
        suite: Its name; suites choose independently of each other.
        cases: All of its cases.
        size: How many of them run without `FULL=1`.
    """
    if "FULL" in os.environ:
        return list(cases)
    chance = random.Random(f"{seed()} {suite}")  # noqa: S311
    return [cases[n] for n in sorted(chance.sample(range(len(cases)), min(size, len(cases))))]


def described() -> str:
    """What of the large suites runs, and how to run the same again."""
    if "FULL" in os.environ:
        return "large suites: all cases"
    return f"large suites: a slice, chosen by SEED={seed()}; FULL=1 runs all cases"
