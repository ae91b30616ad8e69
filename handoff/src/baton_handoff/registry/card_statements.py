"""What a person states of the model in `docs/model-card.md`; reading it needs no library."""

import re
from pathlib import Path

STATEMENTS = ("Intended use", "Limits")
"""The sections that a person has to write before a version becomes champion."""

STATEMENTS_FILE = Path("docs/model-card.md")


def statements(text: str) -> dict[str, str]:
    """Return what a person has stated, by heading; HTML comments, which ask for it, don't count."""
    stated = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    sections = re.split(r"^#+ +(.+?) *$", stated, flags=re.MULTILINE)[1:]
    known = dict(zip(sections[::2], (body.strip() for body in sections[1::2]), strict=True))
    return {name: known[name] for name in STATEMENTS if known.get(name)}
