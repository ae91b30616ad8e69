"""Recall and false alarms of the rules on notebooks as people write them, with the faults marked.

`python tests/notebooks/test_corpus.py` prints the figures of each rule.
"""

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from baton_handoff.notebooks.rules import all_rules
from baton_handoff.notebooks.scan import Known, scan
from written_notebooks import notebook

CORPUS = Path(__file__).with_name("corpus.txt")
TARGET = 0.95
_MARK = re.compile(r"  # <- (.+)$", re.MULTILINE)

Fault = tuple[str, int, int, str]
"""The notebook, the cell, the line in it and the rule."""


class Figures(NamedTuple):
    """The faults of the corpus: planted, found, and found where none was planted."""

    planted: set[Fault]
    found: set[Fault]

    def of(self, rule: str) -> tuple[int, int, int]:
        """How many of a rule were planted, found and are false alarms."""
        planted, found = ({one for one in some if one[3] == rule} for some in self)
        return len(planted), len(planted & found), len(found - planted)

    @property
    def recall(self) -> float:
        """The share of the planted faults that are found, 0 to 1."""
        return len(self.planted & self.found) / len(self.planted)

    @property
    def precision(self) -> float:
        """The share of the findings that are planted faults, 0 to 1."""
        return len(self.planted & self.found) / len(self.found)


def figures() -> Figures:
    """Scan the corpus."""
    planted: set[Fault] = set()
    modules = []
    for section in CORPUS.read_text(encoding="utf-8").split("=== ")[1:]:
        name, _, text = section.partition("\n")
        for number, cell in enumerate(re.split(r"^# %%\n", text, flags=re.MULTILINE), 1):
            for line, content in enumerate(cell.splitlines(), 1):
                if mark := _MARK.search(content):
                    planted |= {(name, number, line, rule) for rule in mark[1].split(", ")}
        modules.append(notebook(_MARK.sub("", text), f"{name}.ipynb"))
    found = {
        (place.module.file.removesuffix(".ipynb"), place.cell or 0, place.line, place.rule.name)
        for place in scan(modules, Known())
    }
    return Figures(planted, found)


def test_the_corpus_has_30_notebooks_and_faults_of_nearly_every_rule() -> None:
    planted = figures().planted
    assert CORPUS.read_text(encoding="utf-8").count("=== ") >= 30
    without = {*all_rules()} - {rule for *_, rule in planted}
    assert without == {"copied-feature", "unlisted-source"}  # they need a project


def test_recall_and_precision_reach_the_target() -> None:
    measured = figures()
    assert measured.recall >= TARGET, sorted(measured.planted - measured.found)
    assert measured.precision >= TARGET, sorted(measured.found - measured.planted)


if __name__ == "__main__":
    result = figures()
    print(f"recall {result.recall:.3f}, precision {result.precision:.3f}")
    for rule in all_rules():
        print(f"{rule:26} planted, found, false alarms:", *result.of(rule))
    print("missed", *sorted(result.planted - result.found), sep="\n  ")
    print("false alarms", *sorted(result.found - result.planted), sep="\n  ")
    print(Counter(name for name, *_ in result.planted).total())
