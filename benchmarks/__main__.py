"""Run all benchmarks, or the given parts, and write the results to results.md."""

import argparse
import re
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure import machine
from benchmarks.suite import PARTS, Bench

RESULTS = Path(__file__).parent / "results.md"
HEAD = """# Results

Written by `make benchmarks`, one section for each part; `python -m benchmarks PART …` measures
parts anew. Each number is a median of several runs by turns with its alternative; CPU time where
the machine's load would tell otherwise.
"""


def main() -> int:
    """Return 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help=", ".join(PARTS))
    chosen = parser.parse_args().part or list(PARTS)
    met = True
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for part in chosen:
            found = PARTS[part](bench)
            met &= found.met
            measured = f"{datetime.now(UTC):%Y-%m-%d}: {machine()}."
            print(f"{part}\n\n{found.text}\n", flush=True)
            write(part, f"{measured}\n\n{found.text}")
    return 0 if met else 1


def write(part: str, text: str) -> None:
    """Replace a part's section in results.md and keep the other sections."""
    before = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    sections = dict(
        re.findall(r"^## (\w+)\n\n(.*?)\s*(?=^## |\Z)", before, re.DOTALL | re.MULTILINE)
    )
    sections[part] = text
    body = "".join(f"\n## {name}\n\n{sections[name]}\n" for name in PARTS if name in sections)
    RESULTS.write_text(HEAD + body, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
