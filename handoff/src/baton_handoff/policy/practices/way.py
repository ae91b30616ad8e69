"""The shortest way to a champion: what people write and correct, then the commands in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from baton_handoff.core.numbers import plural
from baton_handoff.reporting.findings import Finding


@dataclass(frozen=True)
class Way:
    """What is left to do until a version is champion, each thing once.

    Attributes:
        sentences: The sentences that a person has to write, by the file that they belong into.
        edits: What else a person has to do, with the side in brackets.
        commands: The commands, in their order.
    """

    sentences: Mapping[str, Sequence[str]] = field(default_factory=dict)
    edits: Sequence[str] = ()
    commands: Sequence[str] = ()

    @property
    def steps(self) -> list[str]:
        """Every step in the order in which it is done, ready to be read or typed."""
        written = [f"write in {file}: {', '.join(all_)}" for file, all_ in self.sentences.items()]
        return [*written, *self.edits, *self.commands]

    @property
    def findings(self) -> list[Finding]:
        """A finding for each step, for the formats that consist of findings."""
        numbered = enumerate(self.steps, start=1)
        return [
            Finding("way-to-champion", f"Step {number}: {step}", blocks=False)
            for number, step in numbered
        ]

    @property
    def size(self) -> str:
        """How much is left: `3 commands, 2 sentences to write`."""
        sentences = sum(map(len, self.sentences.values()))
        parts = (
            (len(self.commands), "command", ""),
            (sentences, "sentence", " to write"),
            (len(self.edits), "thing", " to correct"),
        )
        return ", ".join(plural(n, noun) + to for n, noun, to in parts if n)
